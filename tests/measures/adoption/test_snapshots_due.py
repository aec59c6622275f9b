"""Which snapshots can be taken, and what the tick stores."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from tests.support.adoption import EVENTFUL, NOW, TODAY, capability, days_ago, owned, scene, teams, use, was
from tests.support.history import MemoryHistory

from platform_meter.measures.adoption import snapshots as adoption
from platform_meter.model.definitions import Capability
from platform_meter.model.measure import Scene

YESTERDAY = TODAY - timedelta(days=1)


def eventful(**said: object) -> Capability:
    return capability(adopted=EVENTFUL, **said)


def days(found: list[adoption.Due]) -> list[date]:
    return [d.day for d in found]


def test_events_reconstruct_every_day_since_a_whole_window_was_read() -> None:
    """Read from the noon of 13 May on, the first whole day is the 14th, and its window of 28 days ends with 10 June."""
    at = scene(eventful(), told=[use("a", days_ago(3))], teams_=teams("a"), read_from=days_ago(28))
    assert days(adoption.due(at, {})) == []
    at = scene(eventful(), told=[use("a", days_ago(3))], teams_=teams("a"), read_from=days_ago(31))
    assert days(adoption.due(at, {})) == [date(2026, 6, 7), date(2026, 6, 8), date(2026, 6, 9)]


def test_what_was_read_from_midnight_on_was_read_that_day() -> None:
    """From the beginning of 12 May on, the window of 8 June is whole."""
    read = datetime(2026, 5, 12, tzinfo=UTC)
    at = scene(eventful(), told=[use("a", days_ago(3))], teams_=teams("a"), read_from=read)
    assert days(adoption.due(at, {})) == [date(2026, 6, 8), date(2026, 6, 9)]
    berlin = scene(eventful(), told=[use("a", days_ago(3))], teams_=teams("a"), read_from=read, zone="Europe/Berlin")
    assert days(adoption.due(berlin, {})) == [date(2026, 6, 9)]


def test_a_trend_of_even_use_is_even_from_its_first_day_on() -> None:
    """Ten teams, each with a use every 20 days, are active on every day that is told; nobody is ever new."""
    names = [f"t{n}" for n in range(10)]
    told = [use(names[n % 10], days_ago(2 * n + 0.5)) for n in range(50)]
    (batch,) = run(scene(eventful(), told=told, teams_=teams(*names), read_from=days_ago(90)))
    assert [Counter(row.state for row in one.states) for one in batch] == 62 * [Counter(active=10)]
    assert [t for one in batch for t in one.transitions] == []


def test_use_before_retention_is_gone() -> None:
    """Whatever was read once, events are kept for 400 days: the first whole window ends 28 days later."""
    at = scene(eventful(), told=[use("a", days_ago(3))], teams_=teams("a"))
    assert days(adoption.due(at, {}))[0] == YESTERDAY - timedelta(days=400 - 28)


def test_readings_start_on_day_one() -> None:
    """What was first read whole today says nothing of yesterday, even where some of it was seen before."""
    held = [owned("a", days_ago(5))]
    fresh = scene(capability(), held=held, teams_=teams("a"), since=days_ago(0.1))
    assert adoption.due(fresh, {}) == []
    older = scene(capability(), held=held, teams_=teams("a"), since=days_ago(5))
    assert days(adoption.due(older, {})) == [YESTERDAY]


def test_no_standing_object_at_all_is_a_first_day_too() -> None:
    """Nobody adopted yet is a state worth a trend."""
    assert days(adoption.due(scene(capability(), teams_=teams("a")), {})) == [YESTERDAY]


def test_missed_days_are_caught_up_from_events_but_not_from_readings() -> None:
    """After downtime events still tell of each day; of readings only the last day is known."""
    last = {"gateway": TODAY - timedelta(days=10)}
    found = days(adoption.due(scene(eventful(), teams_=teams("a")), last))
    assert (found[0], found[-1], len(found)) == (TODAY - timedelta(days=9), YESTERDAY, 9)
    assert days(adoption.due(scene(capability(), teams_=teams("a")), last)) == [YESTERDAY]


def test_a_day_is_due_once_the_watermark_passed_its_end_in_the_configured_zone() -> None:
    """At 22:30 UTC it is past midnight in Berlin, and not in UTC."""
    late = datetime(2026, 6, 10, 22, 30, tzinfo=UTC)
    last = {"gateway": date(2026, 6, 9)}
    assert adoption.due(scene(eventful(), now=late), last) == []
    assert days(adoption.due(scene(eventful(), now=late, zone="Europe/Berlin"), last)) == [TODAY]
    behind = scene(eventful(), now=late, watermark=NOW, zone="Europe/Berlin")
    assert adoption.due(behind, last) == []


def test_a_day_that_ended_at_the_watermark_is_due() -> None:
    """Windows are half-open: all before the watermark is known."""
    at = scene(eventful(), now=NOW, watermark=datetime(2026, 6, 10, tzinfo=UTC))
    assert days(adoption.due(at, {"gateway": date(2026, 6, 8)})) == [YESTERDAY]


def test_a_stale_or_missing_source_makes_no_snapshot() -> None:
    """The next snapshot after recovery compares with the last."""
    assert adoption.due(scene(eventful(), fresh=False), {"gateway": date(2026, 6, 8)}) == []
    missing = eventful(active={"source": "istio", "verb": "request"})
    assert adoption.due(scene(missing), {"gateway": date(2026, 6, 8)}) == []


@pytest.mark.parametrize("changed", [{"adopted": {"source": "kong", "count": "ships"}}, {"unit": "person"}])
def test_a_refused_capability_has_no_snapshot(changed: dict[str, object]) -> None:
    """What `refusal` explains is never published."""
    assert adoption.due(scene(capability(**changed)), {}) == []


def stored(at: Scene) -> MemoryHistory:
    assert isinstance(at.history, MemoryHistory)
    return at.history


def run(at: Scene) -> list[list[adoption.Snapshot]]:
    """Take what is due until nothing is, as the tick does."""
    batches: list[list[adoption.Snapshot]] = []
    while batch := adoption.next_snapshots(at):
        batches.append(list(batch))
        for one in batch:
            stored(at).taken += one.states
    return batches


def test_the_tick_takes_the_past_of_each_capability_as_one_batch_and_then_nothing() -> None:
    """Reconstructed transitions are told but not counted; storing the batches leaves nothing due."""
    both = (eventful(), capability(id="repos"))
    told = [use("a", days_ago(60)), use("a", days_ago(2))]
    held = [owned("a", days_ago(5))]
    at = scene(*both, told=told, held=held, teams_=teams("a"), read_from=days_ago(88))
    first, second = run(at)
    assert (first[0].day, first[-1].day, len(first)) == (date(2026, 4, 11), YESTERDAY, 60)
    assert [(s.day, t.change) for s in first for t in s.transitions] == [
        (date(2026, 5, 9), "dormant"),
        (date(2026, 6, 6), "churned"),
        (date(2026, 6, 8), "resurrected"),
    ]
    assert [s.increments for s in first if s.increments] == []
    assert [(s.what, s.day) for s in second] == [("adoption/repos", YESTERDAY)]


def test_the_next_day_compares_with_the_stored_one_and_is_counted() -> None:
    """A unit whose first use came yesterday is new, in the counter too."""
    at = scene(
        eventful(),
        told=[use("a", days_ago(1))],
        teams_=teams("a"),
        taken=[was("a", "eligible", day=TODAY - timedelta(days=3))],
    )
    (batch,) = run(at)
    assert [(s.day, [(i.labels, i.amount) for i in s.increments]) for s in batch] == [
        (date(2026, 6, 8), []),
        (date(2026, 6, 9), [(("gateway", "new"), 1.0)]),
    ]


def test_after_an_outage_of_weeks_every_transition_is_counted() -> None:
    """What became of the units while nobody looked enters the counter late, and enters it all."""
    at = scene(
        eventful(),
        told=[use("a", days_ago(12)), use("b", days_ago(2))],
        teams_=teams("a", "b", "c"),
        taken=[
            was(unit, state, day=TODAY - timedelta(days=20))
            for unit, state in zip("abc", ("eligible", "eligible", "active"), strict=True)
        ],
    )
    (batch,) = run(at)
    assert [(s.day, i.labels[1], i.amount) for s in batch for i in s.increments] == [
        (date(2026, 5, 22), "churned", 1.0),
        (date(2026, 5, 22), "dormant", 1.0),
        (date(2026, 5, 29), "new", 1.0),
        (date(2026, 6, 8), "new", 1.0),
    ]


def test_without_any_unit_nothing_is_due_for_ever() -> None:
    """A company without teams ends the loop."""
    assert run(scene(eventful())) == []


@pytest.mark.parametrize(("unit", "anew"), [("person", True), ("team", False), ("service", False)])
def test_people_begin_anew_with_other_names(unit: str, anew: bool) -> None:
    """From noon of 12 May on they have those of now: the first whole day is the 13th, and its window ends with 9 June.
    Teams and services are called as before.
    """
    at = scene(eventful(unit=unit), told=[use("a", days_ago(3))], teams_=teams("a"), read_from=days_ago(90))
    assert isinstance(at.history, MemoryHistory)
    before = days(adoption.due(at, {}))
    assert len(before) > 1
    at.history.renamed = datetime(2026, 5, 12, 12, tzinfo=UTC)
    assert days(adoption.due(at, {})) == ([date(2026, 6, 9)] if anew else before)
