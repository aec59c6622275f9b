"""Window gauges of SLOs over stored events: what counts, over which window, and when there is no number."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.history import source
from tests.support.objectives import DAY, HOUR, NOW, Told, ago, check, objective, pod, run, scene, sli, values
from tests.support.tickets import MONDAY, PROJECT, created, hours, reopened, resolved, ticketing

from platform_meter.measures.objectives.days import DailyCounts, recent_bad
from platform_meter.measures.objectives.windows import configured
from platform_meter.model.catalogue.slos import (
    SLO_BUDGET_REMAINING,
    SLO_BURN,
    SLO_DATA_AGE,
    SLO_INFO,
    SLO_OBJECTIVE,
    SLO_PERIOD,
    SLO_SLI,
    SLO_WINDOW_EVENTS,
)
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Event, Ref, Tallied
from platform_meter.model.facts.ci import PIPELINE_RUNS, Outcome
from platform_meter.model.facts.delivery import (
    DEPLOYMENTS,
    DeployKind,
    Deployment,
    DeploymentDim,
    DeployResult,
    DeployWay,
)
from platform_meter.model.facts.kubernetes import (
    API_LATENCY,
    API_REQUESTS,
    NODE_MINUTES,
    POD_STARTS,
    ApiLatency,
    ApiRequests,
    VerbClass,
)
from platform_meter.model.facts.probes import PROBE_CHECKS
from platform_meter.model.facts.slis import SLI
from platform_meter.model.facts.tickets import SLA_CYCLES, SlaCycle, SlaResult
from platform_meter.model.objective import Countable, NoData, StoredSli, Unknown

RUNS = [
    *(run(Outcome.SUCCESS, ago(minutes=n)) for n in range(1, 7)),
    run(Outcome.USER_FAILURE, ago(minutes=10)),
    run(Outcome.INFRA_FAILURE, ago(minutes=20)),
    run(Outcome.UNKNOWN, ago(minutes=30)),
    run(Outcome.CANCELLED, ago(minutes=31)),
    run(Outcome.SKIPPED, ago(minutes=32)),
    run(Outcome.INFRA_FAILURE, ago(days=3)),
]


def test_failures_of_users_are_good_and_those_nobody_could_class_are_left_out() -> None:
    """Domain section 7: valid = success + user + infrastructure failures; cancelled and skipped runs are not valid."""
    at = scene(RUNS, objective(PIPELINE_RUNS))
    assert values(at, SLO_WINDOW_EVENTS) == {
        ("x", "1h", "good"): 7.0,
        ("x", "1h", "bad"): 1.0,
        ("x", "28d", "good"): 7.0,
        ("x", "28d", "bad"): 2.0,
    }


def test_unclassified_failures_can_count_as_bad() -> None:
    """Then they are in the valid ones too."""
    at = scene(RUNS, objective(PIPELINE_RUNS, unknown=Unknown.BAD))
    found = values(at, SLO_WINDOW_EVENTS)
    assert (found["x", "1h", "good"], found["x", "1h", "bad"]) == (7.0, 2.0)


def test_slos_over_one_kind_share_what_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten over runs, two over the pods of clusters: each window of each source is asked for once."""
    eu, us = (objective(POD_STARTS, slo=name, threshold=60.0, where={"cluster": name}) for name in ("eu", "us"))
    many = [objective(PIPELINE_RUNS, slo=f"runs-{n}", unknown=list(Unknown)[n % 2]) for n in range(10)]
    told = [*RUNS, pod(1.0, ago(minutes=5)), pod(90.0, ago(minutes=5)), pod(90.0, ago(minutes=5), cluster="us")]
    at = scene(told, *many, eu, us, sources=[source("gh", watermark=NOW), source("eu", watermark=NOW)])
    asked: list[tuple[str, timedelta]] = []
    counts = at.history.counts

    def noted(kind: type[Tallied[Any]], name: str, start: datetime, end: datetime) -> Any:
        asked.append((f"{kind.__name__} {name}", end - start))
        return counts(kind, name, start, end)

    monkeypatch.setattr(at.history, "counts", noted)
    found = values(at, SLO_WINDOW_EVENTS)
    assert sorted(asked) == [
        ("PipelineRun eu", HOUR),
        ("PipelineRun eu", 28 * DAY),
        ("PipelineRun gh", HOUR),
        ("PipelineRun gh", 28 * DAY),
        ("PodStarted eu", HOUR),
        ("PodStarted eu", 28 * DAY),
        ("PodStarted gh", 28 * DAY),
    ], "gh gave no pod of these clusters"
    assert [(found["eu", "1h", r], found["us", "1h", r]) for r in ("good", "bad")] == [(1.0, 0.0), (1.0, 1.0)]
    assert [found[f"runs-{n}", "1h", "bad"] for n in range(4)] == [1.0, 2.0, 1.0, 2.0]


def test_sli_burn_and_budget_follow_from_the_counts() -> None:
    """error/(1-T) per window; the budget is 1 - burn(P) and goes below 0."""
    at = scene(RUNS, objective(PIPELINE_RUNS, "0.9"))
    assert values(at, SLO_SLI) == pytest.approx({("x", "1h"): 0.875, ("x", "28d"): 7 / 9})
    assert values(at, SLO_BURN) == pytest.approx({("x", "1h"): 1.25, ("x", "28d"): 20 / 9})
    assert values(at, SLO_BUDGET_REMAINING) == pytest.approx({("x", "28d"): -11 / 9})


def test_the_vector_of_the_domain() -> None:
    """T=0.999, error 0.0144: burn 14.4."""
    told = [sli("a", 9856.0, 144.0, ago(minutes=5))]
    at = scene(told, objective(SLI, "0.999", where={"id": "a"}))
    assert values(at, SLO_BURN)["x", "1h"] == pytest.approx(14.4)


def test_what_the_file_says_is_there_even_without_data() -> None:
    """Info, objective and period; without a source there is neither a count nor an age."""
    at = scene([], objective(PIPELINE_RUNS, "0.99"))
    assert values(at, SLO_INFO) == {("x", "team-a", "ci", "events", "standard"): 1.0}
    assert values(at, SLO_OBJECTIVE) == {("x",): 0.99}
    assert values(at, SLO_PERIOD) == {("x",): 2_419_200.0}
    for metric in (SLO_WINDOW_EVENTS, SLO_SLI, SLO_BURN, SLO_BUDGET_REMAINING, SLO_DATA_AGE):
        assert values(at, metric) == {}


def test_a_window_without_valid_events_has_counts_and_no_ratio() -> None:
    """0 of 0 is undefined; that nothing happened is a fact."""
    at = scene([run(Outcome.INFRA_FAILURE, ago(days=2))], objective(PIPELINE_RUNS))
    assert values(at, SLO_WINDOW_EVENTS)["x", "1h", "bad"] == 0.0
    assert values(at, SLO_SLI) == {("x", "28d"): 0.0}
    assert values(at, SLO_BURN).keys() == {("x", "28d")}


def test_windows_end_before_the_watermark_of_each_instance() -> None:
    """[end - W, end): what happened at the end is not in it yet, what happened at its start is."""
    told = [
        run(Outcome.SUCCESS, NOW),
        run(Outcome.SUCCESS, ago(hours=1)),
        run(Outcome.INFRA_FAILURE, ago(hours=1, seconds=1)),
        run(Outcome.INFRA_FAILURE, ago(minutes=90), instance="ghe"),
    ]
    sources = [source("gh", watermark=NOW), source("ghe", watermark=ago(minutes=30))]
    found = values(scene(told, objective(PIPELINE_RUNS), sources=sources), SLO_WINDOW_EVENTS)
    assert (found["x", "1h", "good"], found["x", "1h", "bad"]) == (1.0, 1.0)


def test_a_stale_instance_takes_all_but_the_age_with_it() -> None:
    """The rest would be a number of something else; the age is that of the instance read longest ago."""
    sources = [source("gh", watermark=NOW), source("ghe", watermark=ago(hours=2), fresh=False)]
    at = scene(RUNS, objective(PIPELINE_RUNS), sources=sources)
    assert values(at, SLO_WINDOW_EVENTS) == {}
    assert values(at, SLO_BUDGET_REMAINING) == {}
    assert values(at, SLO_DATA_AGE) == {("x",): 7200.0}


def test_system_chooses_sources_by_their_type() -> None:
    """A stale source of another system is not this SLO's business."""
    told = [*RUNS, run(Outcome.INFRA_FAILURE, ago(minutes=1), instance="jenkins")]
    sources = [source("gh", "github", watermark=NOW), source("jenkins", watermark=NOW, fresh=False)]
    at = scene(told, objective(PIPELINE_RUNS, where={"system": "github"}), sources=sources)
    assert values(at, SLO_WINDOW_EVENTS)["x", "1h", "bad"] == 1.0


def test_pods_are_good_up_to_the_threshold_inclusive() -> None:
    """60 s is a bucket bound, so that exactly 60 s is good and a second more is not."""
    told = [pod(s, ago(minutes=5)) for s in (1.0, 60.0, 60.5, 5000.0)]
    at = scene(told, objective(POD_STARTS, threshold=60.0))
    found = values(at, SLO_WINDOW_EVENTS)
    assert (found["x", "1h", "good"], found["x", "1h", "bad"]) == (2.0, 2.0)


def test_pods_of_another_cluster_do_not_count() -> None:
    """Nor does it matter that its source is stale."""
    told = [pod(1.0, ago(minutes=5)), pod(90.0, ago(minutes=5), cluster="us", instance="us")]
    sources = [source("eu", watermark=NOW), source("us", watermark=NOW, fresh=False)]
    at = scene(told, objective(POD_STARTS, threshold=60.0, where={"cluster": "eu"}), sources=sources)
    found = values(at, SLO_WINDOW_EVENTS)
    assert (found["x", "1h", "good"], found["x", "1h", "bad"]) == (1.0, 0.0)


def test_node_minutes_are_those_of_the_cluster() -> None:
    """Amounts, not numbers of readings: 11 of 12 nodes ready for two minutes."""
    told = [sli("eu/node-ready", 11.0, 1.0, ago(minutes=m)) for m in (1, 2)]
    told += [sli("us/node-ready", 1.0, 9.0, ago(minutes=1), instance="us"), sli("shop", 5.0, 5.0, ago(minutes=1))]
    at = scene(told, objective(NODE_MINUTES, where={"cluster": "eu"}))
    found = values(at, SLO_WINDOW_EVENTS)
    assert (found["x", "1h", "good"], found["x", "1h", "bad"]) == (22.0, 2.0)


@pytest.mark.parametrize(("countable", "kind"), [(API_REQUESTS, ApiRequests), (API_LATENCY, ApiLatency)])
@pytest.mark.parametrize(
    ("where", "good", "bad"),
    [({}, 165.0, 9.0), ({"cluster": "eu"}, 65.0, 5.0), ({"cluster": "eu", "verb_class": "list"}, 5.0, 2.0)],
)
def test_requests_of_an_api_server_are_amounts(
    countable: Countable[Any, Any], kind: Any, where: dict[str, str], good: float, bad: float
) -> None:
    """As many as were counted between two looks, of one cluster and class of verb or of all."""

    def counted(cluster: str, verbs: VerbClass, good: float, bad: float, minutes: int) -> Told:
        about = Ref(system="kubernetes", kind="cluster", id=cluster)
        key, at = f"{cluster} {verbs} {minutes}", ago(minutes=minutes)
        return "eu", kind(key=key, at=at, about=about, cluster=cluster, verb_class=verbs, good=good, bad=bad)

    told = [
        counted("eu", VerbClass.READ, 40.0, 2.0, 1),
        counted("eu", VerbClass.READ, 20.0, 1.0, 2),
        counted("eu", VerbClass.LIST, 5.0, 2.0, 2),
        counted("us", VerbClass.WRITE, 100.0, 4.0, 3),
    ]
    found = values(scene(told, objective(countable, where=where)), SLO_WINDOW_EVENTS)
    assert (found["x", "1h", "good"], found["x", "1h", "bad"]) == (good, bad)


def test_a_rollout_that_two_tools_tell_of_counts_once() -> None:
    """By the way that the file names; another environment and what never served elsewhere are no part of it."""
    about = Ref(system="github", kind="repository", id="acme/pay")

    def rolled(way: DeployWay, result: DeployResult, environment: str = "prod-eu") -> Told:
        event = Deployment(
            key=f"{way} {result} {environment}", at=ago(minutes=5), about=about, environment=environment, sha="abc",
            result=result, way=way,
        )  # fmt: skip
        return "gh", event

    told = [rolled(way, result) for way in (DeployWay.GITOPS, DeployWay.DEPLOYMENTS_API) for result in DeployResult]
    told.append(rolled(DeployWay.GITOPS, DeployResult.FAILED, "staging"))
    where = {"way": "gitops", "environment": "prod-*"}
    found = values(scene(told, objective(DEPLOYMENTS, where=where)), SLO_WINDOW_EVENTS)
    assert (found["x", "1h", "good"], found["x", "1h", "bad"]) == (1.0, 1.0)


def test_a_counted_sli_is_found_by_its_id() -> None:
    """Amounts may be fractions: `increase` estimates."""
    told = [sli("a", 10.5, 0.25, ago(minutes=1)), sli("b", 1.0, 1.0, ago(minutes=1))]
    found = values(scene(told, objective(SLI, where={"id": "a"})), SLO_WINDOW_EVENTS)
    assert (found["x", "1h", "good"], found["x", "1h", "bad"]) == (10.5, 0.25)


def test_a_probe_is_judged_minute_by_minute() -> None:
    """One failed check of two makes the minute bad at a target of 1; minutes nobody checked are left out."""
    told = [check(True, ago(seconds=s)) for s in (30, 60, 90, 120, 150)] + [check(False, ago(seconds=180))]
    at = scene(told, objective(PROBE_CHECKS, no_data=NoData.EXCLUDE, where={"target": "eu/readyz"}))
    found = values(at, SLO_WINDOW_EVENTS)
    assert (found["x", "1h", "good"], found["x", "1h", "bad"]) == (2.0, 1.0)


def test_the_slice_under_way_is_not_judged_yet() -> None:
    """At 12:00:40 the last whole minute is 11:59."""
    now = NOW + timedelta(seconds=40)
    told = [check(True, ago(seconds=10)), check(False, NOW + timedelta(seconds=10))]
    at = scene(told, objective(PROBE_CHECKS, no_data=NoData.EXCLUDE, where={"target": "eu/readyz"}), now=now)
    found = values(at, SLO_WINDOW_EVENTS)
    assert (found["x", "1h", "good"], found["x", "1h", "bad"]) == (1.0, 0.0)


def test_a_probe_of_another_cluster_may_be_silent() -> None:
    """The source that gives the target's checks is the SLO's source; the other one may be stale."""
    told = [check(True, ago(minutes=5)), check(True, ago(minutes=5), target="us/readyz", instance="us")]
    sources = [source("eu", watermark=NOW), source("us", watermark=NOW, fresh=False)]
    wanted = objective(PROBE_CHECKS, no_data=NoData.BAD, where={"target": "eu/readyz"})
    assert values(scene(told, wanted, sources=sources), SLO_WINDOW_EVENTS)["x", "1h", "good"] == 1.0


HELP = ticketing()
ANSWERED = objective(SLA_CYCLES, where={"queue": "help", "sla": "resolution"}, windows=(7 * DAY,))


def test_sla_cycles_are_judged_when_they_are_decided() -> None:
    """One met, one passed its goal though it is open still; tickets closed as spam are not valid."""
    told: list[Told] = [
        ("jira", event)
        for event in (
            created(ticket="PLAT-1"),
            resolved(hours(2), ticket="PLAT-1"),
            created(ticket="PLAT-2"),
            created(ticket="PLAT-3"),
            resolved(hours(1), "Spam", ticket="PLAT-3"),
        )
    ]
    at = scene(told, ANSWERED, ticketing=(HELP,), now=hours(48))
    assert values(at, SLO_WINDOW_EVENTS) == {
        ("x", "7d", "good"): 1.0,
        ("x", "7d", "bad"): 1.0,
        ("x", "28d", "good"): 1.0,
        ("x", "28d", "bad"): 1.0,
    }


def test_cycles_follow_the_tickets() -> None:
    """Asked again with another answer, and with nothing new: two met, then one of them reopened and breached."""
    told: list[Told] = [
        ("jira", event)
        for event in (
            created(ticket="PLAT-1"),
            resolved(hours(2), ticket="PLAT-1"),
            created(ticket="PLAT-2"),
            resolved(hours(2), ticket="PLAT-2"),
            reopened(hours(3), ticket="PLAT-2"),
        )
    ]
    looks = [scene(told[:4], ANSWERED, ticketing=(HELP,), now=hours(n)) for n in (48, 48)]
    looks.append(scene(told, ANSWERED, ticketing=(HELP,), now=hours(48)))
    kept, measures = looks[0].kept, configured(looks[0].definitions)
    found = [values(replace(at, kept=kept), SLO_WINDOW_EVENTS, measures) for at in looks]
    assert [(each["x", "7d", "good"], each["x", "7d", "bad"]) for each in found] == [(2.0, 0.0), (2.0, 0.0), (1.0, 1.0)]


def test_a_queue_is_read_whole_or_not_at_all() -> None:
    """An instance in which no cycle was decided yet is its source all the same: while it is stale there is no number."""
    late = source("later", "jira", watermark=hours(1), fresh=False)
    decided = SlaCycle(
        key="1", at=hours(2), about=PROJECT, queue="help", sla="resolution", ticket="PLAT-1", priority="P2",
        result=SlaResult.MET, elapsed=1.0, goal=2.0,
    )  # fmt: skip
    told: list[Told] = [("jira", event) for event in (created(), resolved(hours(2)), decided)]
    sources = [source("jira", watermark=hours(4)), late]
    assert not values(scene(told, ANSWERED, sources=sources, ticketing=(HELP,), now=hours(4)), SLO_WINDOW_EVENTS)


def test_reopening_takes_a_good_cycle_back() -> None:
    """Domain section 9: with `reopen: continue` the clock goes on, and it is not decided."""
    told: list[Told] = [("jira", e) for e in (created(), resolved(hours(2)), reopened(hours(3)))]
    found = values(scene(told, ANSWERED, ticketing=(HELP,), now=hours(4)), SLO_WINDOW_EVENTS)
    assert (found["x", "7d", "good"], found["x", "7d", "bad"]) == (0.0, 0.0)


def test_cycles_of_another_sla_do_not_count() -> None:
    """The first response was breached long before the resolution was due."""
    told: list[Told] = [("jira", created()), ("jira", resolved(hours(20)))]
    at = scene(told, ANSWERED, ticketing=(HELP,), now=MONDAY + DAY)
    found = values(at, SLO_WINDOW_EVENTS)
    assert (found["x", "7d", "good"], found["x", "7d", "bad"]) == (1.0, 0.0)


def test_a_second_look_sees_what_a_first_one_would() -> None:
    """What is kept between looks is counted again when an event came, a watermark moved or a source went stale."""
    wanted = (
        objective(PIPELINE_RUNS),
        objective(PROBE_CHECKS, slo="p", no_data=NoData.HOLD, where={"target": "eu/readyz"}),
    )
    measures = configured(Definitions(objectives=wanted))
    told: list[Told] = [*RUNS, check(True, ago(minutes=3))]
    steps = [
        (told, NOW),
        ([*told, check(False, ago(minutes=1))], NOW),
        ([*told, check(False, ago(minutes=1))], NOW + timedelta(minutes=40)),
        ([*told, check(False, ago(minutes=1)), run(Outcome.INFRA_FAILURE, NOW)], NOW + HOUR),
    ]
    for facts, now in steps:
        at = scene(facts, *wanted, now=now)
        for metric in (SLO_WINDOW_EVENTS, SLO_BUDGET_REMAINING, SLO_DATA_AGE):
            assert values(at, metric, measures) == values(at, metric)


events = st.lists(
    st.one_of(
        st.builds(run, st.sampled_from(Outcome), st.integers(0, 40_000).map(lambda m: ago(minutes=m))),
        st.builds(pod, st.floats(0, 900), st.integers(0, 40_000).map(lambda m: ago(minutes=m))),
        st.builds(check, st.booleans(), st.integers(0, 400_000).map(lambda s: ago(seconds=s))),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(events, st.randoms())
def test_order_and_repetition_change_nothing_and_good_and_bad_are_all_there_is(
    told: list[tuple[str, Event]], rng: random.Random
) -> None:
    """Counts are never negative, a longer window never holds less, and no number is NaN (`values` sees to that)."""
    wanted = (
        objective(PIPELINE_RUNS, "0.99", slo="runs", windows=(HOUR, DAY)),
        objective(POD_STARTS, "0.95", slo="pods", threshold=60.0, windows=(HOUR, DAY)),
        objective(PROBE_CHECKS, slo="probe", no_data=NoData.HOLD, where={"target": "eu/readyz"}, windows=(HOUR, DAY)),
    )
    sources = [source("gh", watermark=NOW), source("eu", watermark=NOW)]
    found = values(scene(told, *wanted, sources=sources), SLO_WINDOW_EVENTS)
    mixed = told + rng.sample(told, len(told) // 2)
    rng.shuffle(mixed)
    assert values(scene(mixed, *wanted, sources=sources), SLO_WINDOW_EVENTS) == found
    for (slo, window, result), value in found.items():
        assert value >= 0
        if window == "1h":
            assert value <= found[slo, "1d", result] <= found[slo, "28d", result]


def test_a_kind_that_is_named_nowhere_else_is_counted() -> None:
    """What it says of itself is all that windows, days and lists of bad events ask."""

    def good(_sli: StoredSli, dim: DeploymentDim) -> bool | None:
        return None if dim.kind is DeployKind.CONFIG else dim.result is DeployResult.SUCCESS

    def told(event: Deployment) -> tuple[str, str]:
        return event.environment, f"{event.result}: {event.sha}"

    def deployed(key: str, result: DeployResult, kind: DeployKind = DeployKind.PLANNED) -> Told:
        about = Ref(system="github", kind="repository", id="acme/pay")
        at = ago(minutes=int(key))
        return "gh", Deployment(key=key, at=at, about=about, environment="eu|blue", sha=key, result=result, kind=kind)

    rollouts = Countable(word="rollouts", event=Deployment, where=(), good=good, told=told)
    of = objective(rollouts)
    at = scene(
        [
            deployed("1", DeployResult.SUCCESS),
            deployed("2", DeployResult.FAILED),
            deployed("3", DeployResult.FAILED, DeployKind.CONFIG),
        ],
        of,
    )
    found = values(at, SLO_WINDOW_EVENTS)
    assert (found["x", "1h", "good"], found["x", "1h", "bad"]) == (1.0, 1.0)
    midnight = NOW.replace(hour=0)
    assert DailyCounts().counts(at, of, [midnight, midnight + DAY]) == [(1.0, 1.0)]
    assert [(e.what, e.why) for e in recent_bad(at, of, most=5, within=DAY)] == [("eu|blue", "failed: 2")]


def test_a_period_longer_than_events_are_kept_goes_on_from_days() -> None:
    """It begins with its first whole day; shorter windows are exact, and what stands behind them adds up."""
    told = [
        sli("a", 500.0, 500.0, ago(days=91, hours=-6)),
        sli("a", 90.0, 10.0, ago(days=90)),
        sli("b", 0.0, 7.0, ago(days=90)),
        sli("a", 80.0, 0.0, ago(days=20)),
        sli("a", 3.0, 1.0, ago(minutes=5)),
    ]
    of = objective(SLI, where={"id": "a"}, period=91 * DAY, label="91d")
    at = scene(told, of, summed=datetime(2026, 5, 6, tzinfo=UTC))
    assert values(at, SLO_WINDOW_EVENTS) == {
        ("x", "1h", "good"): 3.0,
        ("x", "1h", "bad"): 1.0,
        ("x", "91d", "good"): 173.0,
        ("x", "91d", "bad"): 11.0,
    }
    days = [datetime(2026, 3, 12, tzinfo=UTC), datetime(2026, 3, 13, tzinfo=UTC)]
    assert DailyCounts().counts(at, of, days) == [(90.0, 10.0)]
