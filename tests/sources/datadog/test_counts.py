"""Good and bad events of an SLI by the minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.sources.datadog.datadog_server import Datadog, epoch, moment, reply, series
from tests.sources.datadog.test_datadog import (
    ASKED,
    ERRORS,
    FOUND,
    GOOD,
    HITS,
    MINUTELY,
    NO_RANGE,
    NOW,
    SETTINGS,
    SINCE,
    facts,
    read,
    small_world,
)
from tests.support.stores import open_at, put

from platform_meter.model.facts import Fact
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.source import Unexpected
from platform_meter.sources.datadog import SOURCE
from platform_meter.sources.datadog.config import Config
from platform_meter.testing.outside import FakeOutside


def amounts(told: list[Fact]) -> dict[str, tuple[float, float]]:
    return {f"{fact.at:%H:%M}": (fact.good, fact.bad) for fact in told if isinstance(fact, SliCount)}


def counting(hits: dict[str, float | None], errors: dict[str, float | None], **more: Any) -> Datadog:
    """What begins in each minute."""
    return Datadog(
        counted={
            text + MINUTELY: {epoch(clock): value for clock, value in found.items()}
            for text, found in ((HITS, hits), (ERRORS, errors))
        },
        **more,
    )


def test_whole_minutes_are_asked_for_with_one_more_at_each_end() -> None:
    """The one before, the one after, both not taken; Datadog sums by the minute, whatever it would draw."""
    outside = FakeOutside(counting({"11:56": 1.0, "11:57": 2.0, "11:58": 3.0}, {}))
    checkpoint = str(epoch("11:57")).encode()
    told = facts(read(outside, checkpoint=checkpoint))
    assert amounts(told)["11:58"] == (2.0, 0.0)
    assert "11:59" not in amounts(told)
    assert [call.params for call in outside.calls] == [
        {"from": epoch("10:56"), "to": epoch("11:59"), "query": text + MINUTELY} for text in (ERRORS, HITS)
    ]


def test_a_minute_is_read_once_its_delay_is_over() -> None:
    """Two minutes after its end unasked, as long as its SLI says else; before that nothing is asked for."""
    outside = FakeOutside(small_world())
    checkpoint = str(epoch("11:58")).encode()
    assert list(read(outside, checkpoint=checkpoint, now=NOW + timedelta(seconds=59))) == []
    assert outside.calls == []
    told = facts(read(outside, checkpoint=checkpoint, now=NOW + timedelta(minutes=1)))
    assert amounts(told)["11:59"] == (99.0, 0.0)
    by_name = {one.name: one.behind for one in SOURCE.connect(Config.model_validate(SETTINGS), outside, "d")}
    assert (by_name["sli/checkout"], by_name["sli/search"]) == (timedelta(minutes=2), timedelta(minutes=10))


def test_null_is_no_data() -> None:
    """Without a total nothing is said of a minute, whatever was bad; a part that is null is 0, and 0 stays 0."""
    world = counting({"11:40": None, "11:41": 5.0, "11:43": 0.0}, {"11:40": 1.0, "11:41": None, "11:42": 2.0})
    assert amounts(facts(read(world))) == {"11:42": (5.0, 0.0), "11:44": (0.0, 0.0)}


@pytest.mark.parametrize(("hits", "errors"), [(5.0, 5.01), (5.0, -0.1), (-1.0, 0.0), (2e11, 0.0)])
def test_a_part_outside_of_its_total_is_no_number(hits: float, errors: float) -> None:
    """The minute is left out and counted, the one beside it is told; what floating-point sums differ by is no contradiction."""
    world = counting({"11:40": hits, "11:41": 3.0}, {"11:40": errors, "11:41": 3.000_000_001})
    pages = list(read(world))
    assert amounts(facts(iter(pages))) == {"11:42": (0.0, 3.0)}
    assert [dict(page.rejected) for page in pages if page.rejected] == [{("SliCount", "contradiction"): 1}]


def searching(found: dict[str, float | None], asked: dict[str, float | None]) -> Datadog:
    return Datadog(
        counted={
            text + MINUTELY: {epoch(clock): value for clock, value in told.items()}
            for text, told in ((FOUND, found), (ASKED, asked))
        }
    )


def test_good_events_that_may_be_late_are_waited_for() -> None:
    """A minute that ended less than five minutes ago with a total and nothing good is not told, nor is the one after it; later
    all of it is bad.
    """
    world = searching({"11:54": 3.0, "11:56": 4.0}, {"11:54": 3.0, "11:55": 2.0, "11:56": 4.0})
    (page,) = read(world, "sli/search", **GOOD)
    assert amounts(list(page.facts)) == {"11:55": (3.0, 0.0)}
    assert page.checkpoint == str(epoch("11:55")).encode()
    assert str(page.progress) == "sli/search waits for good events of the minute until 11:56 UTC"
    told = facts(read(world, "sli/search", page.checkpoint, NOW + timedelta(seconds=59), **GOOD))
    assert amounts(told) == {"11:55": (3.0, 0.0)}
    told = facts(read(world, "sli/search", page.checkpoint, NOW + timedelta(minutes=1), **GOOD))
    assert amounts(told) == {"11:55": (3.0, 0.0), "11:56": (0.0, 2.0), "11:57": (4.0, 0.0)}


def test_a_minute_without_events_waits_for_no_good_ones() -> None:
    """Nothing happened in it, and that is told at once."""
    world = searching({}, {"11:56": 0.0})
    assert amounts(facts(read(world, "sli/search", **GOOD))) == {"11:57": (0.0, 0.0)}


def test_nothing_is_read_behind_a_minute_that_is_waited_for() -> None:
    """Though the range goes on in another call: its place would be passed over."""
    world = searching({"11:57": 1.0}, {"11:55": 3.0, "11:57": 1.0})
    checkpoint = str(epoch("08:58")).encode()  # with the hour before it, read again, the first call ends with 11:56
    pages = list(read(world, "sli/search", checkpoint, **GOOD))
    assert pages[-1].checkpoint == str(epoch("11:55")).encode()
    assert amounts(facts(iter(pages))) == {}


@pytest.mark.parametrize(("sli", "order"), [(NO_RANGE, [ERRORS, HITS]), (GOOD, [ASKED, FOUND])])
def test_what_comes_between_two_calls_makes_nothing_look_worse(sli: dict[str, Any], order: list[str]) -> None:
    """Bad events are asked for before all of them, good ones after."""
    outside = FakeOutside(Datadog(counted={}))
    (stream,) = SOURCE.connect(
        Config.model_validate({**SETTINGS, **sli, "slos": [], "incidents": False, "monitors": False}), outside, "d"
    )
    list(stream.read(None, SINCE, NOW))
    assert [call.params["query"] for call in outside.calls] == [text + MINUTELY for text in order]


def test_what_came_late_corrects_what_was_said() -> None:
    """Minutes are read again until they are an hour old, and once in a quarter of an hour those of three; of two reads that which counted more is the newer version."""
    hits: dict[str, float | None] = {"11:10": 10.0, "11:57": 4.0}
    world = counting(hits, {"11:10": 1.0})
    first = facts(read(world, now=NOW, checkpoint=str(epoch("11:05")).encode()))
    place = str(epoch("11:58")).encode()
    world.counted[HITS + MINUTELY] |= {epoch("11:10"): 12.0, epoch("10:57"): 7.0}
    world.counted[ERRORS + MINUTELY] |= {epoch("11:10"): 3.0}
    again = facts(read(world, now=NOW + timedelta(minutes=1), checkpoint=place))
    assert (amounts(first)["11:11"], amounts(again)["11:11"]) == ((9.0, 1.0), (9.0, 3.0))
    assert "10:58" not in amounts(again)
    then = NOW + timedelta(minutes=2)
    assert amounts(facts(read(world, now=then, checkpoint=str(epoch("11:59")).encode())))["10:58"] == (7.0, 0.0)
    versions = [
        fact.updated
        for told in (first, again)
        for fact in told
        if isinstance(fact, SliCount) and f"{fact.at:%H:%M}" == "11:11"
    ]
    assert versions == [datetime.fromtimestamp(seconds, UTC) for seconds in (11, 15)]


def test_windows_are_right_after_a_correction(tmp_path: Path) -> None:
    """Errors that came late are bad in the window that holds their minute, once, however often and in whatever order it is told."""
    world = counting({"11:10": 10.0, "11:11": 5.0}, {"11:10": 1.0})
    store = open_at(f"sqlite:///{tmp_path / 'meter.db'}", countings=())
    place = str(epoch("11:58")).encode()
    early = facts(read(world, checkpoint=str(epoch("11:05")).encode()))
    put(store, early, NOW)
    world.counted[HITS + MINUTELY] |= {epoch("11:10"): 12.0}
    world.counted[ERRORS + MINUTELY] |= {epoch("11:10"): 3.0}
    for minute in (1, 2):
        put(store, facts(read(world, checkpoint=place, now=NOW + timedelta(minutes=minute))), NOW)
    put(store, early, NOW)
    with store.history(NOW, []) as history:
        found = history.counts(SliCount, "gh", moment("11:00"), moment("12:00"))
    store.close()
    assert {dim.verdict.value: count.amount for (_, dim), count in found.items()} == {"good": 14.0, "bad": 3.0}


def test_long_ranges_are_asked_for_in_parts_of_four_hours() -> None:
    """Of these Datadog gives minutes unasked; each is a page with its own place."""
    outside = FakeOutside(Datadog(counted={}))
    start = NOW - timedelta(minutes=2 + 2 * 238 + 1)
    pages = list(read(outside, checkpoint=str(int(start.timestamp())).encode(), lookback="0s"))
    spans = [call.params["to"] - call.params["from"] for call in outside.calls if call.params["query"].startswith(HITS)]
    assert spans == [4 * 3600, 4 * 3600, 4 * 3600 - (3 * 238 - 537) * 60]
    assert [page.checkpoint for page in pages][-1] == str(epoch("11:58")).encode()
    assert str(pages[0].progress) == "178 of 477 minutes of sli/checkout"


def test_buckets_longer_than_a_minute_are_asked_for_in_smaller_parts() -> None:
    """Where Datadog gives fewer of them at once the poll goes on by halves; each minute is told once and in order."""
    world = counting({f"11:{minute}": 1.0 for minute in range(30, 58)}, {}, most=12)
    outside = FakeOutside(world)
    told = [fact.at for fact in facts(read(outside)) if isinstance(fact, SliCount)]
    assert told == [moment("11:31") + timedelta(minutes=number) for number in range(28)]
    assert max(call.params["to"] - call.params["from"] for call in outside.calls[2:]) <= 16 * 60


REFUSED = {
    "coarse": (
        reply([series([[epoch("11:30") * 1000.0, 5.0]], interval=300)]),
        (
            "/api/v1/query: buckets of the answer are 300 s long and not 60 s, so no minute is known; "
            "write a metric that Datadog keeps by the minute"
        ),
    ),
    "of unknown length": (
        reply([{"pointlist": [[epoch("11:30") * 1000.0, 5.0]]}]),
        (
            "/api/v1/query: buckets of the answer are of unknown length and not 60 s, so no minute is known; "
            "write a metric that Datadog keeps by the minute"
        ),
    ),
    "within a minute": (
        reply([series([[epoch("11:30") * 1000.0 + 20_000, 5.0]])]),
        "/api/v1/query: buckets of the answer do not begin with the minute; minutes can't be told apart",
    ),
    "several series": (
        reply([series([], scope="host:a"), series([], scope="host:b")]),
        (
            "/api/v1/query: the answer has 2 series (host:a, host:b), of which none is that of all; "
            "write the metric without by {}"
        ),
    ),
    "a series that can't be read": (
        reply([{"pointlist": [["11:30", "many"]], "interval": 60}]),
        "/api/v1/query: the answer has a series that can't be read; without it there would seem to be nothing",
    ),
    "an error": (
        {"status": "error", "error": "Error parsing query", "series": []},
        "/api/v1/query: Datadog refuses the query: Error parsing query",
    ),
    "no answer": ({}, "/api/v1/query: Datadog refuses the query: no status"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_answer_to_something_else_is_no_answer(name: str) -> None:
    """Nothing of it is kept: the poll fails with the reason, and asks again; `sources test` says the same before."""
    body, text = REFUSED[name]
    with pytest.raises(Unexpected) as caught:
        list(read(FakeOutside({"/api/v1/query": body})))
    assert str(caught.value) == text
    config = Config.model_validate({**SETTINGS, **NO_RANGE, "slos": [], "incidents": False, "monitors": False})
    said = SOURCE.check(config, FakeOutside({"/api/v1/query": body, "/api/v1/validate": {"valid": True}}))
    assert said == [f"sli/checkout: {text}"] * 2


def test_a_level_is_held_against_its_bound() -> None:
    """By the minute as `delay` says, told again where it is another one; in parts where Datadog has too many minutes."""
    took = "p95:trace.http.request{service:checkout}"
    asked = took + ".rollup(avg, 60)"
    levels = [{"id": "took", "level": took, "op": "lte", "value": 0.3, "delay": "5m"}]
    world = Datadog(counted={asked: {epoch("11:39"): 0.3, epoch("11:45"): 0.31, epoch("11:50"): None}}, most=40)
    first = list(read(world, "sli/took", levels=levels))
    assert amounts(facts(iter(first))) == {"11:40": (1.0, 0.0), "11:46": (0.0, 1.0)}
    world.counted[asked] |= {epoch("11:45"): 0.2, epoch("11:54"): 0.1, epoch("11:55"): 0.1}
    second = read(world, "sli/took", first[-1].checkpoint, levels=levels)
    assert amounts(facts(second)) == {}
    second = read(world, "sli/took", first[-1].checkpoint, NOW + timedelta(minutes=1), levels=levels)
    assert amounts(facts(second)) == {"11:46": (1.0, 0.0), "11:55": (1.0, 0.0), "11:56": (1.0, 0.0)}
