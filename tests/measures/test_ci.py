"""CI measures."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from tests.support.history import MemoryHistory, owner, source

from platform_meter.measures import ci
from platform_meter.model.catalogue.ci import (
    PIPELINE_APPROVAL,
    PIPELINE_QUEUE_DURATION,
    PIPELINE_RUN_DURATION,
    PIPELINE_RUNS,
)
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Event, Fact, Ref
from platform_meter.model.facts.ci import Outcome, PipelineActive, PipelineJob, PipelineRun, PipelineRunners
from platform_meter.model.history import Owner, SourceState
from platform_meter.model.measure import Gauging, Scene
from platform_meter.model.metric import Ratio, Sample, merge, resolve
from platform_meter.testing import adds_up

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
GITHUB = source("github", watermark=NOW)
DAY = timedelta(days=1)
Told = tuple[str, Owner, Fact]
S = TypeVar("S", bound=Struct)


def run(
    key: str,
    outcome: Outcome,
    *,
    group: str = "",
    days: float = 1,
    team: str = "pay",
    instance: str = "github",
    pool: str = "",
    updated: datetime | None = None,
) -> Told:
    """A run of the team's only pipeline; its own group unless named."""
    about = Ref(system="github", kind="repository", id=f"acme/{team}")
    fact = PipelineRun(
        key=key,
        at=NOW - timedelta(days=days),
        about=about,
        updated=updated,
        pipeline="ci",
        outcome=outcome,
        ran=timedelta(seconds=90),
        group=group or key,
        pool=pool,
    )
    return (instance, owner(team), fact)


def runs(outcomes: Iterable[Outcome], **said: object) -> list[Told]:
    return [run(f"{o}{i}{sorted(said.items())}", o, **said) for i, o in enumerate(outcomes)]  # type: ignore[arg-type]  # keywords of run


def scene(told: Iterable[Told], *sources: SourceState, minimum: int = 1) -> Scene:
    history = MemoryHistory(told, sources=sources or [GITHUB])
    return Scene(history=history, definitions=Definitions(), now=NOW, minimum=minimum)


def values(compute: Callable[[Scene], Iterable[Sample]], at: Scene) -> dict[tuple[str, ...], float | None]:
    for measure in ci.MEASURES.standing:
        if isinstance(measure, Gauging) and measure.compute is compute:
            adds_up(measure, at)
    return {s.labels: resolve(s.value) for s in compute(at)}


def event(told: Told) -> PipelineRun:
    fact = told[2]
    assert isinstance(fact, PipelineRun)
    return fact


def test_a_run_counts_by_system_team_and_outcome_and_observes_its_duration() -> None:
    """The system is the source's type, whatever the instance is called; without a pool it is unknown."""
    state = source("github-eu", "github", watermark=NOW)
    found = list(ci.count_run(event(run("1", Outcome.USER_FAILURE, pool="linux")), owner("s", "pay"), state))
    assert [(i.metric, i.labels, i.amount) for i in found] == [
        (PIPELINE_RUNS, ("github", "pay", "user_failure"), 1.0),
        (PIPELINE_RUN_DURATION, ("github", "linux"), 90.0),
    ]
    found = list(ci.count_run(event(run("1", Outcome.SUCCESS)), owner("s", "pay"), state))
    assert found[1].labels == ("github", "unknown")


def test_a_skipped_run_is_counted_without_a_duration() -> None:
    """It never ran: a share of zeros would pull every quantile down."""
    found = list(ci.count_run(event(run("1", Outcome.SKIPPED)), owner("s", "pay"), GITHUB))
    assert [(i.metric, i.labels) for i in found] == [(PIPELINE_RUNS, ("github", "pay", "skipped"))]


def test_a_wait_for_a_person_stands_apart() -> None:
    """It is no part of the run's duration, and no run without one observes 0."""
    fact = replace(event(run("1", Outcome.SUCCESS)), approval=timedelta(hours=49))
    found = list(ci.count_run(fact, owner("pay"), GITHUB))
    assert [(i.metric, i.labels, i.amount) for i in found[1:]] == [
        (PIPELINE_RUN_DURATION, ("github", "unknown"), 90.0),
        (PIPELINE_APPROVAL, ("github",), 176_400.0),
    ]


def job(queued: timedelta | None) -> PipelineJob:
    return PipelineJob(
        key="1",
        at=NOW,
        about=Ref(system="github", kind="repository", id="acme/pay"),
        run="1",
        pool="",
        outcome=Outcome.SUCCESS,
        ran=timedelta(seconds=5),
        queued=queued,
    )


def test_queue_time_is_that_of_jobs_a_runner_took() -> None:
    """No runner, no queue time: 0 would hide the worst waits."""
    (found,) = ci.count_job(job(timedelta(seconds=42)), owner("pay"), GITHUB)
    assert (found.metric, found.labels, found.amount) == (
        PIPELINE_QUEUE_DURATION,
        ("github", "unknown"),
        42.0,
    )
    assert list(ci.count_job(job(None), owner("pay"), GITHUB)) == []


@pytest.mark.parametrize("failure", [Outcome.USER_FAILURE, Outcome.INFRA_FAILURE, Outcome.UNKNOWN])
def test_flaky_is_a_failure_of_any_class_and_later_a_success(failure: Outcome) -> None:
    """1 of 4 groups: success then failure is no flake, nor failure alone, nor success alone."""
    told = [
        run("1", failure, group="flaky", days=3),
        run("2", Outcome.CANCELLED, group="flaky", days=2.5),
        run("3", Outcome.SUCCESS, group="flaky", days=2),
        run("4", Outcome.SUCCESS, group="broken later", days=3),
        run("5", failure, group="broken later", days=2),
        run("6", failure, group="broken", days=2),
        run("7", Outcome.SUCCESS, group="good", days=2),
    ]
    assert values(ci.flaky, scene(told)) == {("github", "pay", "28d"): 0.25, ("github", "pay", "91d"): 0.25}


def test_groups_of_cancelled_and_skipped_runs_are_groups() -> None:
    """Domain section 7 divides by all groups with an ended run, however it ended."""
    told = [
        run("1", Outcome.CANCELLED, group="a"),
        run("2", Outcome.SKIPPED, group="b"),
        run("3", Outcome.USER_FAILURE, group="c", days=2),
        run("4", Outcome.SUCCESS, group="c"),
    ]
    assert values(ci.flaky, scene(told)) == {("github", "pay", "28d"): 1 / 3, ("github", "pay", "91d"): 1 / 3}


def test_the_same_group_name_in_two_pipelines_is_two_groups() -> None:
    """A failure of one repository and a success of another make no flake."""
    told = [
        run("1", Outcome.USER_FAILURE, group="g", days=3, team="a"),
        run("2", Outcome.SUCCESS, group="g", days=2, team="b"),
    ]
    assert values(ci.flaky, scene(told)) == {
        ("github", "a", "28d"): 0.0,
        ("github", "a", "91d"): 0.0,
        ("github", "b", "28d"): 0.0,
        ("github", "b", "91d"): 0.0,
    }


def test_windows_end_at_the_watermark_and_are_half_open() -> None:
    """A run at the watermark is not yet in, one 28 days before it is, one a second earlier only in 91 days."""
    told = [
        run("1", Outcome.SUCCESS, days=0),
        run("2", Outcome.SUCCESS, days=28),
        run("3", Outcome.USER_FAILURE, days=28 + 1 / 86400, group="3"),
        run("4", Outcome.SUCCESS, days=27, group="3"),
    ]
    assert {s.labels[2]: s.value for s in ci.flaky(scene(told))} == {
        "28d": Ratio(part=0, whole=2, minimum=1),
        "91d": Ratio(part=1, whole=2, minimum=1),
    }


def test_instances_of_one_type_add_up() -> None:
    """1 of 2 in one instance and 0 of 2 in the other are 1 of 4; equal keys of two instances are two runs."""
    two = [source("eu", "github", watermark=NOW), source("us", "github", watermark=NOW)]
    told = [
        run("1", Outcome.UNKNOWN, instance="eu", days=3, group="x"),
        run("2", Outcome.SUCCESS, instance="eu", days=2, group="x"),
        run("3", Outcome.SUCCESS, instance="eu"),
        run("1", Outcome.SUCCESS, instance="us"),
        run("2", Outcome.SUCCESS, instance="us"),
    ]
    assert values(ci.flaky, scene(told, *two))["github", "pay", "28d"] == 0.25
    assert values(ci.unclassified, scene(told, *two))["github", "pay", "28d"] == 1.0


@pytest.mark.parametrize("broken", [source("github", watermark=NOW, fresh=False), source("github", watermark=None)])
def test_a_stale_or_never_polled_source_gives_nothing(broken: SourceState) -> None:
    """Absent, not the last value."""
    reading = PipelineActive(about=Ref(system="github", kind="pool", id="linux"), pool="linux", queued=1, running=2)
    told = [run("1", Outcome.UNKNOWN), ("github", owner("pay"), reading)]
    at = scene(told, broken)
    assert values(ci.flaky, at) == {}
    assert values(ci.unclassified, at) == {}
    assert (values(ci.ACTIVE.compute, at) == {}) is not broken.fresh


def test_under_the_minimum_of_samples_the_ratio_is_absent() -> None:
    """4 groups are not enough to speak of a share, 5 are."""
    assert values(ci.flaky, scene(runs([Outcome.SUCCESS] * 4), minimum=5))["github", "pay", "28d"] is None
    assert values(ci.flaky, scene(runs([Outcome.SUCCESS] * 5), minimum=5))["github", "pay", "28d"] == 0.0


def test_unclassified_is_unknown_over_all_failures() -> None:
    """1 unknown of 4 failures; successes and cancelled runs are in neither."""
    told = runs(
        [
            Outcome.UNKNOWN,
            Outcome.USER_FAILURE,
            Outcome.USER_FAILURE,
            Outcome.INFRA_FAILURE,
            Outcome.SUCCESS,
            Outcome.CANCELLED,
            Outcome.SKIPPED,
        ]
    )
    assert values(ci.unclassified, scene(told)) == {("github", "pay", "28d"): 0.25, ("github", "pay", "91d"): 0.25}


def test_two_small_teams_folded_together_are_recomputed() -> None:
    """1 of 1 and 0 of 3 are 1 of 4 over the union."""
    told = [run("1", Outcome.UNKNOWN, team="a"), *runs([Outcome.USER_FAILURE] * 3, team="b")]
    ratios = [s.value for s in ci.unclassified(scene(told)) if s.labels[2] == "28d"]
    assert resolve(merge(ratios)) == 0.25


def test_runs_now_add_up_by_pool() -> None:
    """Queued and running of every reading of a pool, by system."""
    ref = Ref(system="github", kind="repository", id="a")
    other = Ref(system="github", kind="repository", id="b")
    told: list[Told] = [
        ("github", owner("a"), PipelineActive(about=ref, pool="linux", queued=2, running=3)),
        ("github", owner("b"), PipelineActive(about=other, pool="linux", queued=0, running=1)),
    ]
    assert values(ci.ACTIVE.compute, scene(told)) == {
        ("github", "linux", "queued"): 2.0,
        ("github", "linux", "running"): 4.0,
    }


@given(
    st.lists(st.tuples(st.sampled_from(list(Outcome)), st.integers(0, 3), st.integers(1, 95)), max_size=20),
    st.randoms(),
)
def test_order_and_repetition_change_nothing(said: list[tuple[Outcome, int, int]], dice: random.Random) -> None:
    """Facts come in any order and more than once; a late correction of a key wins wherever it comes."""
    told = [run(str(i), o, group=f"g{g}", days=d) for i, (o, g, d) in enumerate(said)]
    corrected = [run("0", Outcome.INFRA_FAILURE, group="g0", updated=NOW)]
    first = scene([*told, *corrected])
    shuffled = [*told, *corrected, *told[:5]]
    dice.shuffle(shuffled)
    second = scene(shuffled)
    assert list(ci.flaky(first)) == list(ci.flaky(second))
    assert list(ci.unclassified(first)) == list(ci.unclassified(second))
    assert all(0 <= v <= 1 for v in values(ci.flaky, first).values() if v is not None)


def test_a_flaky_group_stays_flaky_when_it_fails_again() -> None:
    """Failure, success, failure: it was flaky once, and a lower bound counts it."""
    told = [
        run("1", Outcome.USER_FAILURE, group="g", days=4),
        run("2", Outcome.SUCCESS, group="g", days=3),
        run("3", Outcome.USER_FAILURE, group="g", days=2),
    ]
    assert values(ci.flaky, scene(told))["github", "pay", "28d"] == 1.0


def plainly(told: Iterable[Told], days: int) -> Ratio:
    """Flaky groups of the only pipeline in one window, straight from the definition."""
    groups: dict[str, list[Outcome]] = {}
    for run_ in sorted((event(t) for t in told), key=lambda r: (r.at, r.key)):
        if NOW - timedelta(days=days) <= run_.at < NOW:
            groups.setdefault(run_.group, []).append(run_.outcome)
    flaky = [g for g in groups.values() if any(o in ci.FAILURES and Outcome.SUCCESS in g[i:] for i, o in enumerate(g))]
    return Ratio(part=len(flaky), whole=len(groups), minimum=1)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(Outcome)), st.integers(0, 2), st.sampled_from([1, 5, 27, 28, 29, 60, 90, 91, 92])
        ),
        min_size=1,
        max_size=12,
    )
)
def test_one_pass_gives_both_windows_as_the_definition_does(said: list[tuple[Outcome, int, int]]) -> None:
    """However runs of a group lie on both sides of a window's beginning, each window is as if it were read alone."""
    told = [run(f"{i:02d}", o, group=f"g{g}", days=d) for i, (o, g, d) in enumerate(said)]
    found = {s.labels[2]: s.value for s in ci.flaky(scene(told))}
    wanted = {f"{days}d": plainly(told, days) for days in (28, 91)}
    assert found == {label: ratio for label, ratio in wanted.items() if ratio.whole}


def test_runs_are_read_once_for_all_windows() -> None:
    """What both windows hold is not decoded twice."""
    asked: list[tuple[float, float]] = []

    class Noting(MemoryHistory):
        def parts(
            self, kind: type[Event], shape: type[S], *span: datetime, source: str, after: int = 0
        ) -> Iterator[tuple[int, S]]:
            asked.append(((NOW - span[0]) / DAY, (NOW - span[1]) / DAY))
            return super().parts(kind, shape, *span, source=source, after=after)

    history = Noting([], sources=[GITHUB])
    assert list(ci.flaky(Scene(history=history, definitions=Definitions(), now=NOW))) == []
    assert asked == [(91.0, 28.0), (28.0, 0.0)]


def test_runners_of_a_pool_add_up_over_sources() -> None:
    """Those of a source that is not fresh are absent, not 0."""
    pool = Ref(system="github", kind="pool", id="acme/gpu")
    facts = [
        (instance, owner("a"), PipelineRunners(about=pool, pool="gpu", idle=1, busy=2, offline=3))
        for instance in ("github", "other", "old")
    ]
    sources = (GITHUB, source("other", "github", watermark=NOW), source("old", "jenkins", watermark=NOW, fresh=False))
    scene = Scene(history=MemoryHistory(facts, sources=sources), definitions=Definitions(), now=NOW)
    assert [(sample.labels, sample.value) for sample in ci.RUNNERS.compute(scene)] == [
        (("github", "gpu", "busy"), 4.0),
        (("github", "gpu", "idle"), 2.0),
        (("github", "gpu", "offline"), 6.0),
    ]
