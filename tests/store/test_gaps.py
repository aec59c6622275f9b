"""Ranges that could not be read, until they are read after all."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tests.support.stores import NOON, Opener, counted, gaps, minutes

from platform_meter.model.source import Gap
from platform_meter.store import GapRow

HOUR = timedelta(hours=1)
GAP = Gap(start=NOON - HOUR, end=NOON, reason="forbidden", text="acme/api: closed", what="acme/api runs")
COUNTER = "platform_meter_source_gaps_total"


def test_lists_that_fail_at_once_have_a_gap_each(open_store: Opener) -> None:
    """One of a list that is known is not counted again, whatever its words."""
    store = open_store()
    web = replace(GAP, text="acme/web: closed", what="acme/web runs")
    told = (GAP, web, replace(GAP, text="acme/api: still closed"))
    assert [store.add_gap("gh", "github", gap, NOON) for gap in told] == [True, True, False]
    assert gaps(store, 9) == [GapRow("gh", NOON - HOUR, NOON, "forbidden", gap.text) for gap in (GAP, web)]
    assert counted(store, COUNTER) == {("github", "forbidden"): 2}


def test_what_was_read_after_all_is_no_gap_any_more(open_store: Opener) -> None:
    """The counter keeps it, and it may be one again."""
    store = open_store()
    store.add_gap("gh", "github", GAP, NOON)
    before = store.version()["gaps"]
    store.fill_gaps("gh", "acme/api runs", NOON - HOUR, NOON)
    assert gaps(store, 9) == []
    assert store.version()["gaps"] > before
    assert counted(store, COUNTER) == {("github", "forbidden"): 1}
    assert store.add_gap("gh", "github", GAP, NOON)
    assert counted(store, COUNTER) == {("github", "forbidden"): 2}


def test_a_gap_stays_where_not_all_of_it_was_read(open_store: Opener) -> None:
    """Nor is it filled by another list, another source, or where nothing says whose it is."""
    store = open_store()
    nobodys = replace(GAP, what="", reason="pruned")
    for gap in (GAP, nobodys):
        store.add_gap("gh", "github", gap, NOON)
    for instance, what, start, end in (
        ("gh", "acme/api runs", NOON - HOUR + minutes(1), NOON),
        ("gh", "acme/api runs", NOON - HOUR, NOON - minutes(1)),
        ("gh", "acme/api pulls", NOON - HOUR, NOON),
        ("other", "acme/api runs", NOON - HOUR, NOON),
        ("gh", "", NOON - HOUR, NOON),
    ):
        store.fill_gaps(instance, what, start, end)
    assert len(gaps(store, 9)) == 2


def test_gaps_are_listed_and_counted_by_source(open_store: Opener) -> None:
    """The page of one source shows its own, however many others have; of all it knows how many there are."""
    store = open_store()
    for instance, n in (("gh", 2), ("jira", 3)):
        for minute in range(n):
            store.add_gap(instance, "github", replace(GAP, start=NOON - HOUR + minutes(minute)), NOON)
    with store.history(NOON, ()) as history:
        assert [(g.source, g.start) for g in history.gaps(1, "gh")] == [("gh", NOON - minutes(59))]
        assert [g.source for g in history.gaps(9, "gh")] == ["gh", "gh"]
        assert history.gap_counts() == {"gh": 2, "jira": 3}
