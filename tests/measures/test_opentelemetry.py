"""CI and repositories under the names of OpenTelemetry's conventions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.support.history import MemoryHistory, owner, source
from tests.support.views import view

from platform_meter import measures
from platform_meter.measures.opentelemetry import MEASURES, REPOSITORIES_NOW, WORKERS_NOW, count_run
from platform_meter.model.conventions import CONVENTIONS, REPOSITORIES, RUN_DURATION, SETTING, WORKERS
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Ref
from platform_meter.model.facts.ci import Outcome, PipelineRun, PipelineRunners
from platform_meter.model.facts.delivery import Repository
from platform_meter.model.history import Owner
from platform_meter.model.metric import Increment, Sample

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)


def run(outcome: Outcome, executing: timedelta | None = timedelta(seconds=90)) -> PipelineRun:
    return PipelineRun(
        key="1",
        at=NOW,
        about=Ref(system="github", kind="repository", id="acme/pay"),
        pipeline="acme/pay/ci.yml",
        outcome=outcome,
        ran=timedelta(minutes=5),
        group="g",
        executing=executing,
    )


@pytest.mark.parametrize(
    ("outcome", "result", "error"),
    [
        (Outcome.SUCCESS, "success", ""),
        (Outcome.USER_FAILURE, "failure", "user_failure"),
        (Outcome.INFRA_FAILURE, "error", "infra_failure"),
        (Outcome.UNKNOWN, "failure", "unknown"),
        (Outcome.CANCELLED, "cancellation", ""),
    ],
)
def test_a_run_counts_while_it_was_executed(outcome: Outcome, result: str, error: str) -> None:
    """By its pipeline and result; what failed has a type of error."""
    assert list(count_run(run(outcome), owner("pay"), source("github", watermark=NOW))) == [
        Increment(metric=RUN_DURATION, labels=("acme/pay/ci.yml", "executing", result, error), amount=90.0)
    ]


def test_what_was_not_executed_or_is_not_known_to_be_counts_nothing() -> None:
    """A skipped run, and one whose system does not tell when its first task began."""
    state = source("github", watermark=NOW)
    assert list(count_run(run(Outcome.SKIPPED), owner("pay"), state)) == []
    assert list(count_run(run(Outcome.SUCCESS, None), owner("pay"), state)) == []


def test_workers_by_state() -> None:
    """Of all pools of fresh sources; where nobody reads any there is no number, not 0."""

    def pool(name: str, source_: str = "github") -> tuple[str, Owner, PipelineRunners]:
        about = Ref(system=source_, kind="pool", id=name)
        return source_, owner("ci"), PipelineRunners(about=about, pool=name, idle=3, busy=2, offline=0)

    states = [source("github", watermark=NOW), source("old", watermark=NOW, fresh=False)]
    seen = MemoryHistory([pool("a"), pool("b"), pool("c", "old")], sources=states)
    assert list(WORKERS_NOW.compute(view(NOW, seen).scene)) == [
        Sample(metric=WORKERS, labels=("available",), value=6.0),
        Sample(metric=WORKERS, labels=("busy",), value=4.0),
        Sample(metric=WORKERS, labels=("offline",), value=0.0),
    ]
    assert list(WORKERS_NOW.compute(view(NOW, MemoryHistory([pool("c", "old")], sources=states)).scene)) == []


def test_repositories_by_organisation() -> None:
    """Of fresh sources; a group within a group is its own."""
    told = [
        (name, owner("pay"), Repository(about=Ref(system=name, kind="repository", id=id_)))
        for name, id_ in (("github", "acme/a"), ("github", "acme/b"), ("gitlab", "acme/web/c"), ("old", "x/y"))
    ]
    states = [
        source("github", watermark=NOW),
        source("gitlab", watermark=NOW),
        source("old", watermark=NOW, fresh=False),
    ]
    assert list(REPOSITORIES_NOW.compute(view(NOW, MemoryHistory(told, sources=states)).scene)) == [
        Sample(metric=REPOSITORIES, labels=("github", "acme"), value=2.0),
        Sample(metric=REPOSITORIES, labels=("gitlab", "acme/web"), value=1.0),
    ]


def test_a_setting_switches_them_on() -> None:
    """Without it they are not measured, and what was counted before is not served."""
    off, on = measures.load(Definitions()), measures.load(Definitions(), {SETTING})
    assert [one for one in MEASURES.standing if one in off] == []
    assert [one for one in MEASURES.standing if one in on] == list(MEASURES.standing)
    assert len(on) == len(off) + 3
    assert measures.silent() == {
        "cicd_pipeline_run_duration_seconds",
        "cicd_worker_count",
        "vcs_repository_count",
    }
    assert measures.silent({SETTING}) == frozenset()


def test_what_is_served_is_in_the_table() -> None:
    """Each convention once, and none is served that the table does not have."""
    assert len({one.name for one in CONVENTIONS}) == len(CONVENTIONS) == 15
    assert [one.metric for one in CONVENTIONS if one.metric] == list(MEASURES.brings)
