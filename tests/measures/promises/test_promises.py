"""Promises: how much of what was promised was kept, by calendar periods cut in the promise's own zone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.support.history import source
from tests.support.objectives import Told, check, objective, run, scene, sli, values
from tests.support.tickets import created, reopened, resolved, ticketing

from platform_meter.measures.promises import configured
from platform_meter.model.catalogue.promises import PROMISE_MET, PROMISE_SINCE, PROMISE_TARGET
from platform_meter.model.definitions import Promise
from platform_meter.model.facts.ci import PIPELINE_RUNS, Outcome
from platform_meter.model.facts.probes import PROBE_CHECKS
from platform_meter.model.facts.slis import SLI
from platform_meter.model.history import SourceState
from platform_meter.model.measure import Scene
from platform_meter.model.metric import Metric
from platform_meter.model.objective import NoData, StoredObjective

BUILDS = objective(PIPELINE_RUNS, "0.95", slo="builds")


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def promise(id_: str = "p", *, calendar: str = "month", zone: str = "UTC", **more: Any) -> Promise:
    """Of the builds 9 in 10, unless it is told of what."""
    of = more or {"slo": "builds", "target": 0.9}
    period = {"calendar": calendar, "zone": zone}
    return Promise.model_validate({"kind": "Promise", "id": id_, "period": period, **of})


def at(
    now: datetime,
    told: Iterable[Told],
    *promises: Promise,
    of: StoredObjective = BUILDS,
    sources: Iterable[SourceState] = (),
    **more: Any,
) -> Scene:
    made = scene(told, of, now=now, sources=sources, **more)
    return replace(made, definitions=replace(made.definitions, promises=promises))


def found(seen: Scene, metric: Metric = PROMISE_MET) -> dict[tuple[str, ...], float]:
    return values(seen, metric, configured(seen.definitions))


def runs(good: int, bad: int, *at: int) -> list[Told]:
    """So many of each, second by second from a moment on."""
    outcomes = [Outcome.SUCCESS] * good + [Outcome.INFRA_FAILURE] * bad
    return [run(outcome, utc(*at) + timedelta(seconds=n)) for n, outcome in enumerate(outcomes)]


def test_a_month_in_which_summer_time_begins_is_cut_at_the_zones_midnights() -> None:
    """March 2026 in Berlin lasts from 23:00 UTC of 28 February to 22:00 UTC of 31 March, an hour less than 31 days."""
    told = [
        *runs(0, 1, 2026, 2, 28, 22, 59),
        *runs(1, 0, 2026, 2, 28, 23, 0),
        *runs(2, 0, 2026, 3, 15, 12, 0),
        *runs(0, 1, 2026, 3, 31, 21, 59),
        *runs(0, 1, 2026, 3, 31, 22, 0),
    ]
    seen = at(utc(2026, 4, 10), told, promise("berlin", zone="Europe/Berlin"), promise("utc"))
    assert found(seen) == {
        ("berlin", "last"): 0.75,
        ("berlin", "running"): 0.0,
        ("utc", "last"): 0.5,
    }
    assert found(seen, PROMISE_SINCE) == {
        ("berlin", "last"): 1772319600.0,
        ("berlin", "running"): 1774994400.0,
        ("utc", "last"): 1772323200.0,
    }


def test_the_month_that_runs_is_the_one_of_the_zone() -> None:
    """Half an hour before midnight UTC it is the 1st in Berlin already."""
    told = [*runs(1, 1, 2026, 5, 31, 21, 59), *runs(3, 1, 2026, 5, 31, 22, 5)]
    seen = at(utc(2026, 5, 31, 22, 30), told, promise("berlin", zone="Europe/Berlin"), promise("utc"))
    assert found(seen) == {("berlin", "last"): 0.5, ("berlin", "running"): 0.75, ("utc", "running"): 0.6666666666666666}


def test_a_promise_is_broken_and_kept_again() -> None:
    """Within a month by what comes after, and from month to month by what came in each."""
    bad, good, more = runs(4, 1, 2026, 5, 4), runs(15, 0, 2026, 5, 20), runs(9, 1, 2026, 6, 2)
    assert found(at(utc(2026, 5, 5), bad, promise()), PROMISE_MET) == {("p", "running"): 0.8}
    assert found(at(utc(2026, 5, 31), [*bad, *good], promise())) == {("p", "running"): 0.95}
    assert found(at(utc(2026, 6, 9), [*bad, *good, *more], promise())) == {
        ("p", "last"): 0.95,
        ("p", "running"): 0.9,
    }


def test_a_period_that_began_before_history_says_from_when_on_it_is_known() -> None:
    """The number is over what there is; of the month before nothing is known, whatever stray events are stored of it."""
    told = [*runs(1, 0, 2026, 4, 30), *runs(3, 1, 2026, 5, 20)]
    sources = [source("gh", watermark=utc(2026, 5, 25), read_from=utc(2026, 5, 12))]
    seen = at(utc(2026, 5, 25), told, promise(), sources=sources)
    assert found(seen) == {("p", "running"): 0.75}
    assert found(seen, PROMISE_SINCE) == {("p", "running"): 1778544000.0}
    later = at(utc(2026, 6, 1, 1), told, promise(), sources=[replace(sources[0], watermark=utc(2026, 6, 1, 1))])
    assert found(later) == {("p", "last"): 0.75}
    assert found(later, PROMISE_SINCE) == {("p", "last"): 1778544000.0}


def test_what_was_pruned_is_not_known_either() -> None:
    """Last year is told from the first day on that is still stored."""
    seen = at(utc(2026, 6, 9), runs(3, 1, 2025, 11, 3), promise(calendar="year"))
    assert found(seen, PROMISE_SINCE) == {("p", "last"): 1735689600.0}
    history: Any = seen.history
    history.before = utc(2025, 5, 5)
    assert found(seen, PROMISE_SINCE) == {("p", "last"): 1746403200.0}


def test_a_period_is_over_when_its_sources_were_read_to_its_end() -> None:
    """Until then its verdict is open; in the new one there is nothing yet."""
    told = runs(3, 1, 2026, 5, 20)

    def read_to(*moment: int) -> dict[tuple[str, ...], float]:
        read = source("gh", watermark=utc(*moment))
        return found(at(utc(2026, 6, 1, 0, 5), told, promise(), sources=[read]))

    assert read_to(2026, 5, 31, 23, 59) == {}
    assert read_to(2026, 6, 1) == {("p", "last"): 0.75}


def test_quarters_and_years_are_calendar_periods_too() -> None:
    """The first quarter is January to March; each period holds its start and not its end."""
    told = [
        *runs(1, 1, 2025, 12, 31, 23, 59),
        *runs(3, 0, 2026, 1, 1),
        *runs(0, 1, 2026, 3, 31),
        *runs(1, 3, 2026, 4, 1),
    ]
    promises = promise("q", calendar="quarter"), promise("y", calendar="year")
    assert found(at(utc(2026, 6, 9), told, *promises)) == {
        ("q", "last"): 0.75,
        ("q", "running"): 0.25,
        ("y", "last"): 0.5,
        ("y", "running"): 0.5,
    }


def test_of_what_is_sliced_slices_are_counted() -> None:
    """A quarter is more than the period of the SLO: slices of 100 days ago are there; those without data are left out."""
    of = objective(PROBE_CHECKS, "0.99", slo="api", where={"target": "eu/readyz"}, no_data=NoData.EXCLUDE)
    told = [
        check(False, utc(2026, 2, 28, 23, 59)),
        check(True, utc(2026, 3, 1)),
        check(True, utc(2026, 3, 1, 0, 0, 30)),
        check(False, utc(2026, 3, 2, 8, 0)),
        check(True, utc(2026, 3, 3, 8, 1)),
        check(True, utc(2026, 6, 8, 12, 0)),
        check(True, utc(2026, 6, 8, 12, 1)),
    ]
    promises = [promise(c, calendar=c, slo="api", target=0.9) for c in ("month", "quarter")]
    assert found(at(utc(2026, 6, 9), told, *promises, of=of)) == {
        ("month", "running"): 1.0,
        ("quarter", "last"): 0.5,
        ("quarter", "running"): 1.0,
    }


def test_silent_slices_count_as_the_slo_says() -> None:
    """From the first slice ever measured to where the source was read: 2 good of 6 minutes."""
    of = objective(PROBE_CHECKS, "0.99", slo="api", where={"target": "eu/readyz"}, no_data=NoData.BAD)
    told = [check(True, utc(2026, 6, 8, 12, 0)), check(True, utc(2026, 6, 8, 12, 5))]
    seen = at(utc(2026, 6, 8, 12, 6), told, promise(slo="api", target=0.9), of=of)
    assert found(seen) == {("p", "running"): 0.3333333333333333}


def test_a_queues_promise_counts_cycles_as_they_stand_now() -> None:
    """Decided in the month, at their decision; a reopening takes a good one back, a duplicate is no cycle."""
    told: list[Told] = [
        ("jira", created(utc(2026, 5, 31, 20), ticket="A-1")),
        ("jira", resolved(utc(2026, 5, 31, 22), ticket="A-1")),
        ("jira", created(utc(2026, 5, 31, 21), ticket="A-2")),
        ("jira", resolved(utc(2026, 6, 3, 1), ticket="A-2")),
        ("jira", created(utc(2026, 6, 8, 20), ticket="A-3")),
        ("jira", resolved(utc(2026, 6, 8, 22), ticket="A-3")),
        ("jira", created(utc(2026, 6, 8, 20), ticket="A-4")),
        ("jira", resolved(utc(2026, 6, 8, 21), "Duplicate", ticket="A-4")),
    ]
    asked = promise(ticketing={"queue": "help", "sla": "resolution", "ratio": 0.9})
    seen = at(utc(2026, 6, 9), told, asked, ticketing=(ticketing(),))
    assert found(seen) == {("p", "last"): 1.0, ("p", "running"): 0.5}
    assert found(seen, PROMISE_TARGET) == {("p",): 0.9}
    told.append(("jira", reopened(utc(2026, 6, 8, 23), ticket="A-3")))
    assert found(at(utc(2026, 6, 9), told, asked, ticketing=(ticketing(),))) == {
        ("p", "last"): 1.0,
        ("p", "running"): 0.0,
    }


def test_what_prometheus_counts_has_its_target_alone() -> None:
    """Nothing of it is stored here, so there is no ratio."""
    seen = at(utc(2026, 6, 9), runs(3, 1, 2026, 6, 2), promise(slo="web", target=0.985))
    assert found(seen) == {}
    assert found(seen, PROMISE_TARGET) == {("p",): 0.985}


@pytest.mark.parametrize("wrong", [{"fresh": False}, {"watermark": None}])
def test_a_source_that_is_not_read_takes_the_ratio_with_it(wrong: dict[str, Any]) -> None:
    """Of what two instances give, half is no number."""
    told = [*runs(3, 1, 2026, 6, 2), run(Outcome.SUCCESS, utc(2026, 6, 3), instance="ghe")]
    good, other = source("gh", watermark=utc(2026, 6, 9)), source("ghe", watermark=utc(2026, 6, 9))
    assert found(at(utc(2026, 6, 9), told, promise(), sources=[good, other])) == {("p", "running"): 0.8}
    assert found(at(utc(2026, 6, 9), told, promise(), sources=[good, replace(other, **wrong)])) == {}


def test_what_is_counted_minute_by_minute_is_known_from_its_first_day_on() -> None:
    """Who scrapes cannot look back, whatever its source was asked for; a second SLI of the source was heard before."""
    told = [
        sli("b", 1.0, 1.0, utc(2026, 6, 1)),
        sli("a", 3.0, 1.0, utc(2026, 6, 4, 12)),
        sli("a", 2.0, 0.0, utc(2026, 6, 5)),
    ]
    of = objective(SLI, "0.99", slo="a", where={"id": "a"})
    seen = at(utc(2026, 6, 9), told, promise(slo="a", target=0.7), of=of)
    assert found(seen) == {("p", "running"): 0.8333333333333334}
    assert found(seen, PROMISE_SINCE) == {("p", "running"): 1780531200.0}
    late = [sli("a", 3.0, 1.0, utc(2026, 6, 30, 12))]
    seen = at(utc(2026, 6, 30, 18), late, promise(slo="a", target=0.7, zone="Europe/Berlin"), of=of)
    assert found(seen, PROMISE_SINCE) == {("p", "running"): 1782777600.0}
    sliced = objective(SLI, "0.99", slo="a", where={"id": "a"}, no_data=NoData.EXCLUDE)
    seen = at(utc(2026, 6, 9), told, promise(slo="a", target=0.7), of=sliced)
    assert found(seen, PROMISE_SINCE) == {("p", "running"): 1780574340.0}


def test_a_source_that_gives_other_slis_alone_does_not_matter() -> None:
    """That it is stale, or was first read yesterday, says nothing of an SLI that another one tells."""
    told = [sli("a", 3.0, 1.0, utc(2026, 6, 1, 12)), sli("b", 1.0, 1.0, utc(2026, 6, 8), instance="other")]
    sources = [
        source("eu", watermark=utc(2026, 6, 9), read_from=utc(2026, 1, 1)),
        source("other", watermark=utc(2026, 6, 9), read_from=utc(2026, 6, 8), fresh=False),
    ]
    of = objective(SLI, "0.99", slo="a", where={"id": "a"})
    seen = at(utc(2026, 6, 9), told, promise(slo="a", target=0.7), of=of, sources=sources)
    assert found(seen) == {("p", "running"): 0.75}
    assert found(seen, PROMISE_SINCE) == {("p", "running"): 1780272000.0}


def test_the_same_measure_gives_what_a_fresh_one_would() -> None:
    """Slices are kept between looks: what came since, and what is over since, is told as if they were read anew."""
    of = objective(PROBE_CHECKS, "0.99", slo="api", where={"target": "eu/readyz"}, no_data=NoData.BAD)
    told = [check(n % 3 > 0, utc(2026, 5, 31, 23, 50) + timedelta(minutes=n)) for n in range(20)]
    moments = [told[n][1].at + timedelta(minutes=1) for n in (4, 9, 10, 15)]
    scenes = [
        at(now, [one for one in told if one[1].at < now], promise(slo="api", target=0.9), of=of) for now in moments
    ]
    kept = configured(scenes[0].definitions)
    assert [values(s, PROMISE_MET, kept) for s in scenes] == [
        {("p", "running"): 0.6},
        {("p", "last"): 0.6},
        {("p", "last"): 0.6, ("p", "running"): 1.0},
        {("p", "last"): 0.6, ("p", "running"): 0.6666666666666666},
    ]
    assert [found(s) for s in scenes] == [values(s, PROMISE_MET, kept) for s in scenes]


def test_where_days_alone_are_kept_a_period_begins_at_a_midnight() -> None:
    """A quarter cut in another zone loses the part of its first day; of slices those from the first one on that is there."""
    told = [sli("a", 1.0, 1.0, utc(2026, 3, 31, 22, 30)), sli("a", 8.0, 2.0, utc(2026, 4, 1, 12))]
    told.append(sli("a", 1.0, 0.0, utc(2026, 6, 9, 12)))
    counted, sliced = (
        objective(SLI, slo="slo", where={"id": "a"}, no_data=no_data) for no_data in (None, NoData.EXCLUDE)
    )
    berlin = promise(calendar="quarter", zone="Europe/Berlin", slo="slo", target=0.9)
    seen = [
        at(utc(2026, 6, 10), told, berlin, of=of, summed=summed)
        for of in (counted, sliced)
        for summed in (None, utc(2026, 5, 6))
    ]
    assert [found(one)["p", "running"] for one in seen] == pytest.approx([10 / 13, 9 / 11, 1 / 3, 1.0])
    assert [found(one, PROMISE_SINCE)["p", "running"] for one in seen] == [
        utc(2026, 3, 31, 22).timestamp(),
        utc(2026, 4, 1).timestamp(),
        utc(2026, 3, 31, 22, 29).timestamp(),
        utc(2026, 6, 9, 11, 59).timestamp(),
    ]
