"""DailyCounts of an SLO and its bad events: the same events as in the windows, cut otherwise."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from tests.support.history import MemoryHistory, owner, source
from tests.support.objectives import DAY, HOUR, NOW, Told, ago, check, objective, pod, run, scene, sli
from tests.support.tickets import PROJECT

from platform_meter.measures.objectives.days import DailyCounts, recent_bad
from platform_meter.measures.objectives.reach import labels
from platform_meter.measures.objectives.windows import Windows
from platform_meter.model.definitions import Definitions, Ticketing
from platform_meter.model.facts import Event
from platform_meter.model.facts.ci import PIPELINE_RUNS, Outcome
from platform_meter.model.facts.kubernetes import NODE_MINUTES, POD_STARTS
from platform_meter.model.facts.probes import PROBE_CHECKS
from platform_meter.model.facts.slis import SLI
from platform_meter.model.facts.tickets import SLA_CYCLES, SlaCycle, SlaResult
from platform_meter.model.measure import Scene
from platform_meter.model.objective import NoData, StoredObjective

MIDNIGHT = NOW.replace(hour=0)
MOMENTS = [MIDNIGHT - DAY, MIDNIGHT, MIDNIGHT + DAY]
HELP = Ticketing.model_validate(
    {
        "kind": "Ticketing",
        "id": "help",
        "source": {"type": "jira"},
        "calendar": {"days": {"mon-sun": ["00:00-24:00"]}},
        "status": {"running": ["Open"]},
        "slas": [{"id": "resolution", "goal": {"default": "4h"}}],
    }
)


def cycle(result: SlaResult, at: datetime, *, queue: str = "help", sla: str = "resolution") -> Told:
    return "jira", SlaCycle(
        key=f"{queue}/{sla}/{result}/{at.isoformat()}",
        at=at,
        about=PROJECT,
        queue=queue,
        sla=sla,
        ticket="PLAT-7",
        priority="P2",
        result=result,
        elapsed=1.0,
        goal=14_400.0,
    )


CYCLES = objective(SLA_CYCLES, where={"queue": "help", "sla": "resolution"})
CASES: list[tuple[StoredObjective, list[Told], list[tuple[float, float]]]] = [
    (
        objective(PIPELINE_RUNS),
        [
            run(Outcome.SUCCESS, MIDNIGHT - HOUR),
            run(Outcome.INFRA_FAILURE, MIDNIGHT),
            run(Outcome.USER_FAILURE, MIDNIGHT + HOUR),
            run(Outcome.SUCCESS, NOW),
        ],
        [(1, 0), (1, 1)],
    ),
    (
        objective(POD_STARTS, threshold=60.0, where={"cluster": "eu"}),
        [pod(5.0, ago(hours=1)), pod(90.0, ago(hours=20)), pod(90.0, ago(hours=1), cluster="us")],
        [(0, 1), (1, 0)],
    ),
    (
        objective(PROBE_CHECKS, no_data=NoData.BAD, where={"target": "eu/readyz"}),
        [check(True, MIDNIGHT - timedelta(minutes=2)), check(True, NOW - timedelta(minutes=1))],
        [(1, 1), (1, 719)],
    ),
    (
        objective(NODE_MINUTES, where={"cluster": "eu"}),
        [sli("eu/node-ready", 11.0, 1.0, ago(hours=1)), sli("us/node-ready", 1.0, 1.0, ago(hours=1))],
        [(0, 0), (11, 1)],
    ),
    (
        CYCLES,
        [
            cycle(SlaResult.MET, MIDNIGHT - HOUR),
            cycle(SlaResult.BREACHED, ago(hours=1)),
            cycle(SlaResult.BREACHED, ago(hours=1), queue="other"),
            cycle(SlaResult.BREACHED, ago(hours=1), sla="first_response"),
        ],
        [(1, 0), (0, 1)],
    ),
]


@pytest.mark.parametrize(("of", "told", "expected"), CASES, ids=[case[0].sli.events.word for case in CASES])
def test_each_kind_by_day(of: StoredObjective, told: list[Told], expected: list[tuple[float, float]]) -> None:
    """Half-open days; nothing past the watermark; a second look gives the same."""
    days, at = DailyCounts(), scene(told, of, ticketing=(HELP,))
    assert days.counts(at, of, MOMENTS) == expected
    assert days.counts(at, of, MOMENTS) == expected


def test_days_and_windows_are_made_of_the_same_events() -> None:
    """The days of the last 28 hold what the window of 28 days holds, when both end at midnight."""
    told = [run(outcome, MIDNIGHT - HOUR * n) for n, outcome in enumerate(list(Outcome) * 20, 1)]
    of = objective(PIPELINE_RUNS)
    at = scene(told, of, now=MIDNIGHT)
    by_day = DailyCounts().counts(at, of, [MIDNIGHT - DAY * n for n in range(28, -1, -1)])
    found = Windows([of]).of(at, of).counts
    assert found is not None
    assert (sum(d.good for d in by_day), sum(d.bad for d in by_day)) == found[[*labels(of)][-1]]


def test_other_objectives_begin_anew() -> None:
    """After a reload the slices are those of the new files."""
    days, told = DailyCounts(), [check(True, ago(minutes=2)), check(False, ago(minutes=1))]
    for target, good in (("1", 1.0), ("0.5", 1.0)):
        of = objective(PROBE_CHECKS, no_data=NoData.EXCLUDE, where={"target": "eu/readyz"}, slice_target=target)
        assert days.counts(scene(told, of), of, MOMENTS)[1] == (good, 1.0)
    wide = objective(
        PROBE_CHECKS,
        no_data=NoData.EXCLUDE,
        where={"target": "eu/readyz"},
        slice_=timedelta(minutes=5),
        slice_target="0.5",
    )
    assert days.counts(scene(told, wide), wide, MOMENTS)[1] == (1.0, 0.0)


def bad(of: StoredObjective, told: list[Told], **limits: int) -> list[tuple[str, str]]:
    at = scene(told, of, ticketing=(HELP,))
    found = recent_bad(at, of, most=limits.get("most", 5), within=timedelta(days=limits.get("days", 14)))
    return [(e.what, e.why) for e in found]


def test_bad_events_of_each_kind_in_words() -> None:
    """What it was, and why it is bad; good ones, other clusters and other queues are not there."""
    assert bad(CASES[0][0], CASES[0][1]) == [("acme/pay: ci", "infra_failure")]
    assert bad(CASES[1][0], CASES[1][1]) == [("eu/pay/Deployment/api", "ready after 90 s")]
    failed = [*CASES[2][1], check(False, ago(minutes=5))]
    assert bad(CASES[2][0], failed) == [("eu/readyz", "error after 0.10 s")]
    assert bad(CASES[3][0], CASES[3][1]) == [("eu/node-ready", "1 of 12 bad")]
    assert bad(CYCLES, CASES[4][1]) == [("PLAT-7", "P2, goal 4.0 h passed")]


def test_a_counted_minute_without_a_bad_event_is_not_listed() -> None:
    """Its tally of bad ones is 0."""
    of = objective(SLI, where={"id": "a"})
    assert bad(of, [sli("a", 3.0, 0.0, ago(minutes=2)), sli("b", 1.0, 1.0, ago(minutes=2))]) == []


def test_the_newest_bad_events_come_first_and_no_more_than_asked_for() -> None:
    """Over the borders of days, and not from before."""
    told = [run(Outcome.INFRA_FAILURE, ago(hours=n), key=f"{n}") for n in (1, 30, 60, 500)]
    of = objective(PIPELINE_RUNS)
    at = scene(told, of)
    assert [e.at for e in recent_bad(at, of, most=2, within=DAY * 14)] == [ago(hours=1), ago(hours=30)]
    assert [e.at for e in recent_bad(at, of, most=9, within=DAY * 14)] == [ago(hours=n) for n in (1, 30, 60)]


def test_bad_events_of_other_systems_are_not_listed() -> None:
    """`system` chooses here as it does for the windows."""
    told: list[tuple[str, Event]] = [
        run(Outcome.INFRA_FAILURE, ago(hours=1)),
        run(Outcome.INFRA_FAILURE, ago(hours=1), instance="j"),
    ]
    of = objective(PIPELINE_RUNS, where={"system": "github"})
    sources = [source("gh", "github", watermark=NOW), source("j", "jenkins", watermark=NOW)]
    at = Scene(
        history=MemoryHistory([(name, owner("a"), fact) for name, fact in told], sources=sources),
        definitions=Definitions(objectives=(of,)),
        now=NOW,
    )
    assert [e.source for e in recent_bad(at, of, most=5, within=DAY)] == ["gh"]
