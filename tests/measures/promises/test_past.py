"""Periods that are over: counted once by the ledger, kept over restarts, and counted anew where something changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.support.history import MemoryHistory, owner, source
from tests.support.objectives import Told, check, objective, run, sli
from tests.support.tickets import created, reopened, resolved, ticketing

from platform_meter.measures.objectives.slices import Counts
from platform_meter.measures.promises import configured
from platform_meter.measures.promises.ledger import may_miss, must_meet
from platform_meter.measures.promises.past import Past
from platform_meter.model.definitions import Definitions, Promise
from platform_meter.model.facts.ci import PIPELINE_RUNS, Outcome
from platform_meter.model.facts.probes import PROBE_CHECKS
from platform_meter.model.facts.slis import SLI
from platform_meter.model.history import SourceState
from platform_meter.model.kept import Kept
from platform_meter.model.measure import Gauging, Scene
from platform_meter.model.objective import NoData, StoredObjective

BUILDS = objective(PIPELINE_RUNS, "0.95", slo="slo")
PROBES = objective(PROBE_CHECKS, "0.99", slo="slo", where={"target": "eu/readyz"}, no_data=NoData.BAD)
NOW = datetime(2026, 6, 9, tzinfo=UTC)
READ = datetime(2026, 2, 10, tzinfo=UTC)
Month = tuple[str, float | None, float | None, bool]
"""First day, good, bad, whole."""


def utc(month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def good(*at: int) -> Told:
    return run(Outcome.SUCCESS, utc(*at))


def bad(*at: int) -> Told:
    return run(Outcome.INFRA_FAILURE, utc(*at))


def promise(zone: str = "UTC", **more: Any) -> Promise:
    of = more or {"slo": "slo", "target": 0.9}
    return Promise.model_validate({"kind": "Promise", "id": "p", "period": {"zone": zone}, **of})


class Watched(MemoryHistory):
    """It says how many times events were asked for that had ended before May."""

    asked = 0

    def counts(self, kind: Any, source: str, start: datetime, end: datetime) -> Any:
        self.asked += start < utc(5, 1)
        return super().counts(kind, source, start, end)


class World:
    """A meter of one promise that looks again and again, as the tick does."""

    def __init__(self, of: StoredObjective, asked: Promise, **more: Any) -> None:
        self.promise = asked
        self.definitions = Definitions(objectives=(of,), promises=(asked,), **more)
        self.restart()

    def restart(self) -> None:
        self.kept = Kept()
        self.measure = configured(self.definitions)[0]

    def look(
        self, told: Iterable[Told], now: datetime = NOW, folds: Any = None, **more: Any
    ) -> tuple[Watched, list[Month]]:
        told = list(told)
        states: list[SourceState] = more.pop("sources", None) or [
            source(name, watermark=now, read_from=READ) for name in dict.fromkeys(name for name, _ in told)
        ]
        history = Watched([(name, owner("a"), fact) for name, fact in told], sources=states, **more)
        history.folds = folds or {}
        scene = Scene(history=history, definitions=self.definitions, now=now, kept=self.kept)
        assert isinstance(self.measure, Gauging)
        list(self.measure.compute(scene))
        return history, self.months()

    def months(self) -> list[Month]:
        told = self.kept.of(Past).told(self.promise)
        over = () if told is None else told.over
        return [(f"{one.start:%m-%d}", *(one.found.counts if one.found else (None, None)), one.whole) for one in over]

    @property
    def waits(self) -> bool:
        told = self.kept.of(Past).told(self.promise)
        assert told is not None
        return told.waits


BUILT = [good(2, 20), good(3, 3), bad(3, 4), good(4, 30, 22, 30), good(5, 9), good(6, 2)]


def test_months_go_back_as_far_as_anything_is_known_of_them() -> None:
    """The source was read from 10 February on, so that February is not whole; in the promise's zone May begins earlier."""
    world = World(BUILDS, promise())
    assert world.look(BUILT)[1] == [
        ("05-01", 1.0, 0.0, True),
        ("04-01", 1.0, 0.0, True),
        ("03-01", 1.0, 1.0, True),
        ("02-01", 1.0, 0.0, False),
    ]
    berlin = World(BUILDS, promise("Europe/Berlin"))
    assert berlin.look(BUILT)[1][:2] == [("04-30", 2.0, 0.0, True), ("03-31", 0.0, 0.0, True)]


def test_a_year_of_months_is_told_and_no_more() -> None:
    """13 before the running one, whatever is stored."""
    since = [source("gh", watermark=NOW, read_from=datetime(2020, 1, 1, tzinfo=UTC))]
    months = World(BUILDS, promise()).look(BUILT, sources=since)[1]
    assert [len(months), months[-1]] == [13, ("05-01", 0.0, 0.0, True)]


def test_a_month_is_read_once_and_again_where_something_of_it_changed() -> None:
    """Of February to April: at the first look, not at the second; at the third April alone, of which a late run came."""
    world = World(BUILDS, promise())
    assert world.look(BUILT)[0].asked == 3
    history, months = world.look([*BUILT, good(6, 3)])
    assert (history.asked, months[1]) == (0, ("04-01", 1.0, 0.0, True))
    history, months = world.look([*BUILT, good(6, 3), bad(4, 7)])
    assert (history.asked, months[1]) == (1, ("04-01", 1.0, 1.0, True))


def test_what_was_counted_outlives_a_restart_and_its_events() -> None:
    """The next process reads no month again; that March was pruned meanwhile takes its count from nobody."""
    world = World(BUILDS, promise())
    _, months = world.look(BUILT)
    fold = world.kept.of(Past).dump()
    assert fold is not None
    assert world.kept.of(Past).dump() is None
    world.restart()
    history, again = world.look(BUILT, folds={"promises": fold}, before=utc(4, 2))
    assert (again, history.asked) == (months, 0)
    world.restart()
    late = [*BUILT, bad(3, 9)]
    assert world.look(late, folds={"promises": fold}, before=utc(3, 2))[1] == months
    world.restart()
    assert world.look(BUILT, folds={"promises": replace(fold, made_under="0")}, before=utc(4, 2))[1] == [
        ("05-01", 1.0, 0.0, True),
        ("04-01", 1.0, 0.0, False),
    ]
    world.restart()
    assert world.look(BUILT, folds={"promises": replace(fold, body=b"?")})[1] == months


def test_what_another_sli_counted_is_not_taken_for_this_ones() -> None:
    """The promise was about other runs when it was stored."""
    world = World(BUILDS, promise())
    world.look(BUILT)
    fold = world.kept.of(Past).dump()
    other = World(objective(PIPELINE_RUNS, "0.95", slo="slo", where={"system": "jenkins"}), promise())
    assert other.look(BUILT, folds={"promises": fold})[1] == []


def test_while_a_source_is_stale_nothing_is_told() -> None:
    """What was counted is there again with the source."""
    world = World(BUILDS, promise())
    _, months = world.look(BUILT)
    stale = [source("gh", watermark=NOW, read_from=READ, fresh=False)]
    assert world.look(BUILT, sources=stale)[1] == []
    assert world.look(BUILT)[1] == months


def test_of_slices_one_month_more_is_read_at_each_look() -> None:
    """The outage at the beginning of March counts, since February was heard; silence before the first check does not."""
    told = [check(True, utc(2, 28, 23, 57) + timedelta(minutes=n)) for n in range(2)]
    told += [check(True, utc(3, 1, 0, n)) for n in (4, 5)]
    told += [check(False, utc(6, 1, 0, 1))]
    of, asked = replace(PROBES, no_data=NoData.HOLD), promise(slo="slo", target=0.9)
    world = World(of, asked)
    assert world.look(told)[1] == [("05-01", None, None, False), ("04-01", 0.0, 0.0, True)]
    assert world.waits
    # 23:58 holds to 00:01; 00:04 and 00:05 are good and hold for three more.
    assert world.look(told)[1][2:] == [("03-01", 7.0, 0.0, True)]
    assert world.look(told)[1][3:] == [("02-01", 3.0, 0.0, False)]
    assert [world.look(told)[1][3:], world.waits] == [[("02-01", 3.0, 0.0, False)], False]
    silent = World(PROBES, asked)
    for _ in range(3):
        _, months = silent.look(told)
    assert months[2:] == [("03-01", 2.0, 44638.0, True), ("02-01", 2.0, 1.0, False)]


def test_of_slices_that_were_never_heard_no_month_is_known() -> None:
    """Nothing was measured before June, whatever the source was asked for."""
    world = World(PROBES, promise(slo="slo", target=0.9))
    assert world.look([check(True, utc(6, 1, 0, 1))])[1] == []


def test_sums_of_days_tell_whole_months_where_minutes_are_gone() -> None:
    """What counts up to midnight of the 1st belongs to the month before, and a correction of it has that counted anew."""
    told = [sli("a", 3.0, 1.0, utc(3, 31, 12)), sli("a", 2.0, 0.0, utc(5, 1, 9))]
    world = World(objective(SLI, "0.99", slo="slo", where={"id": "a"}), promise())
    first = world.look(told, summed=utc(5, 6))[1]
    assert first[:3] == [("05-01", 2.0, 0.0, True), ("04-01", 0.0, 0.0, True), ("03-01", 3.0, 1.0, False)]


def test_a_reopening_takes_an_old_cycle_back() -> None:
    """Cycles stand as they do now: of the ticket that was solved in April, nothing was solved then any more."""
    told: list[Told] = [
        ("jira", created(utc(4, 7, 20), ticket="A-1")),
        ("jira", resolved(utc(4, 7, 21), ticket="A-1")),
    ]
    asked = promise(ticketing={"queue": "help", "sla": "resolution", "ratio": 0.9})
    world = World(BUILDS, asked, ticketing=(ticketing(),))
    assert world.look(told)[1][1] == ("04-01", 1.0, 0.0, True)
    again: Told = ("jira", reopened(utc(6, 8, 21), ticket="A-1"))
    assert world.look([*told, again])[1][1] == ("04-01", 0.0, 0.0, True)


def test_what_prometheus_counts_has_no_months() -> None:
    """Nothing of it is stored."""
    assert World(BUILDS, promise(slo="web", target=0.9)).look(BUILT)[1] == []


@pytest.mark.parametrize(
    ("counts", "promised", "miss", "meet"),
    [
        (Counts(90.0, 0.0), 0.9, 10, 0),
        (Counts(98.0, 1.0), 0.985, 0, 0),
        (Counts(9.0, 1.0), 0.9, 0, 0),
        (Counts(985.0, 14.0), 0.985, 1, 0),
        (Counts(8.0, 2.0), 0.9, -2, 10),
        (Counts(0.0, 1.0), 0.985, -1, 66),
        (Counts(), 0.9, 0, 0),
    ],
)
def test_what_may_still_be_missed_is_exact(counts: Counts, promised: float, miss: int, meet: int) -> None:
    """90 of 90 at 9 in 10: ten more bad ones leave 90 of 100. 8 of 10 need ten more good ones: 18 of 20."""
    assert (may_miss(counts, promised), must_meet(counts, promised)) == (miss, meet)
