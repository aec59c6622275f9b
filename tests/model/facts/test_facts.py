"""What facts say of themselves: names, keys, and what they add to rollups."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_meter.model import facts
from platform_meter.model.dims import Dim
from platform_meter.model.facts import Event, Reading, Ref, Tallied, Tally, event_kinds, reading_kinds
from platform_meter.model.facts.ci import Outcome, OutcomeDim, PipelineJob, PipelineRun, QueueDim
from platform_meter.model.facts.delivery import (
    Change,
    ChangeDim,
    DeployKind,
    Deployment,
    DeploymentDim,
    DeployResult,
    DeployWay,
)
from platform_meter.model.facts.kubernetes import POD_START_BUCKETS, PodStartDim, PodStarted, pod_start_bucket
from platform_meter.model.facts.practices import Practice
from platform_meter.model.facts.probes import ProbeCheck, ProbeDim, ProbeResult
from platform_meter.model.facts.slis import SliCount, SliDim, Verdict
from platform_meter.model.facts.tickets import (
    MOST_LABELS,
    CycleDim,
    Role,
    SlaCycle,
    SlaResult,
    TicketChange,
    TicketDim,
    TicketEvent,
    ticket_labels,
)
from platform_meter.model.facts.use import Usage, UsageDim
from platform_meter.model.found import names

AT = datetime(2026, 6, 1, tzinfo=UTC)
REF = Ref(system="github", kind="repository", id="acme/pay")
MINUTE = timedelta(minutes=1)
CYCLE = SlaCycle(
    key="1", at=AT, about=REF, queue="q", sla="resolution", ticket="T-1", priority="P1", result=SlaResult.MET,
    elapsed=90.0, goal=100.0,
)  # fmt: skip


def test_a_name_is_system_and_id() -> None:
    """What Ownership rules match; the key of a reading is its kind and id."""
    assert REF.name == "github:acme/pay"
    assert Reading(about=REF).key == "repository/acme/pay"


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            PipelineRun(key="1", at=AT, about=REF, pipeline="ci", outcome=Outcome.USER_FAILURE, ran=MINUTE, group="g"),
            [Tally(dim=OutcomeDim(Outcome.USER_FAILURE), amount=60.0)],
        ),
        (
            PipelineJob(key="1", at=AT, about=REF, run="1", pool="linux", outcome=Outcome.SUCCESS, ran=MINUTE),
            [Tally(dim=QueueDim("linux", ""))],
        ),
        (
            Deployment(
                key="1", at=AT, about=REF, environment="production", sha="a", result=DeployResult.FAILED, kind=DeployKind.HOTFIX
            ),
            [Tally(dim=DeploymentDim("production", DeployResult.FAILED, DeployKind.HOTFIX, DeployWay.DEPLOYMENTS_API))],
        ),
        (Change(key="1", at=AT, about=REF, sha="a", opened=AT), [Tally(dim=ChangeDim("merge"))]),
        (
            TicketEvent(key="1", at=AT, about=REF, queue="q", ticket="T-1", change=TicketChange.REOPENED),
            [Tally(dim=TicketDim(TicketChange.REOPENED))],
        ),
        (CYCLE, [Tally(dim=CycleDim("resolution", "P1", SlaResult.MET), amount=90.0)]),
        (Usage(key="1", at=AT, about=REF, action="request", amount=12.5), [Tally(dim=UsageDim("request"), amount=12.5)]),
        (
            PodStarted(key="1", at=AT, about=REF, cluster="eu", owner_kind="job", seconds=60.0),
            [Tally(dim=PodStartDim("job", "60"), amount=60.0)],
        ),
        (
            ProbeCheck(key="1", at=AT, about=REF, target="eu/readyz", result=ProbeResult.TIMEOUT, seconds=5.0),
            [Tally(dim=ProbeDim("eu/readyz", ProbeResult.TIMEOUT), amount=5.0)],
        ),
        (
            SliCount(key="1", at=AT, about=REF, sli="shop", good=98.0, bad=2.0, width=MINUTE),
            [Tally(dim=SliDim("shop", Verdict.GOOD), amount=98.0), Tally(dim=SliDim("shop", Verdict.BAD), n=0, amount=2.0)],
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Event) else "",
)  # fmt: skip
def test_what_an_event_adds_to_rollups(event: Tallied[Dim], expected: list[Tally[Dim]]) -> None:
    """One event under bounded words of its kind, with its amount; good and bad together are one count."""
    assert list(event.tallies()) == expected
    assert {type(tally.dim) for tally in event.tallies()} == {event.dim()}
    assert sum(tally.n for tally in event.tallies()) == 1


def test_every_kind_of_fact_is_listed_by_its_name() -> None:
    """The store keeps kinds by name: one that is missing could not be read back."""
    named = {
        name: kind
        for module in names(facts.__name__)
        for name, kind in vars(importlib.import_module(f"{facts.__name__}.{module}")).items()
        if isinstance(kind, type)
        and issubclass(kind, Event | Reading)
        and kind not in (Event, Tallied, Reading, Practice)
    }
    assert named == event_kinds() | reading_kinds()
    assert not event_kinds().keys() & reading_kinds().keys()


@pytest.mark.parametrize(
    ("seconds", "bucket"),
    [(0.0, "1"), (1.0, "1"), (1.001, "2.5"), (60.0, "60"), (60.001, "120"), (600.0, "600"), (600.1, "+Inf")],
)
def test_a_bound_belongs_to_its_bucket(seconds: float, bucket: str) -> None:
    """As Prometheus counts `le`: at the bound is inside."""
    assert pod_start_bucket(seconds) == bucket


@given(st.floats(0, 1e6))
def test_the_bucket_is_the_smallest_that_holds(seconds: float) -> None:
    """No smaller bound would do."""
    bound = float(pod_start_bucket(seconds).replace("+Inf", "inf"))
    assert seconds <= bound
    assert not [b for b in POD_START_BUCKETS if seconds <= b < bound]


@given(st.lists(st.text(max_size=3), max_size=60))
def test_labels_of_a_ticket_are_a_bounded_sorted_set(names: list[str]) -> None:
    """Whatever their order and however often: the same tuple, without empty ones."""
    found = ticket_labels(names)
    assert found == ticket_labels(reversed(names)) == tuple(sorted(set(found)))
    assert len(found) <= MOST_LABELS
    assert set(found) <= set(names) - {""}


def test_only_asking_is_use_of_support() -> None:
    """That an agent answers a ticket is no use by the team that asked."""
    assert TicketEvent.use_only == ("change", "created")
    assert (PipelineRun.verb, Deployment.verb, Change.verb, TicketEvent.verb) == ("run", "deploy", "merge", "ticket")
    assert (PipelineJob.verb, SlaCycle.verb, PodStarted.verb, ProbeCheck.verb, SliCount.verb) == ("",) * 5


def test_use_is_what_people_did_and_what_came_of_it() -> None:
    """Where a file says nothing of them: not what a timer or a bot did, nor what failed, was skipped or cancelled."""
    unusual = {
        (kind.verb, name): word.unusual for kind in event_kinds().values() for name, word in kind.use_words.items()
    }
    assert unusual == {
        ("run", "pipeline"): set(),
        ("run", "result"): {"user_failure", "infra_failure", "cancelled", "skipped", "unknown"},
        ("run", "trigger"): {"schedule"},
        ("deploy", "environment"): set(),
        ("deploy", "kind"): set(),
        ("deploy", "result"): {"failed"},
        ("merge", "actor"): {"bot"},
        ("synced", "actor"): set(),
        ("synced", "dry_run"): {"yes"},
        ("synced", "project"): set(),
        ("synced", "result"): {"failed", "error"},
        ("ticket", "actor"): {"bot"},
        ("ticket", "queue"): set(),
        ("request", "cluster"): set(),
        ("request", "gateway"): set(),
        ("template_started", "template"): set(),
        ("template_completed", "template"): set(),
        ("template_completed", "outcome"): {"failed", "cancelled"},
        ("view", "area"): set(),
        ("view_docs", "subject"): set(),
        ("search", "area"): set(),
        ("search", "result"): set(),
        ("", "subject"): set(),
    }


def test_words_of_use_are_texts_in_a_file() -> None:
    """Truth and roles read as who acted; other texts are themselves."""
    merged, asked = Change.use_words["actor"], TicketEvent.use_words["actor"]
    assert [merged.said(bot) for bot in (False, True)] == ["person", "bot"]
    assert [asked.said(role) for role in Role] == ["person", "person", "bot"]
    assert PipelineRun.use_words["result"].said(Outcome.SUCCESS) == "success"
    assert PipelineRun.use_words["pipeline"].said("build.yml") == "build.yml"
    assert Usage.use_fields() == ("at", "amount", "action", "actor", "subject")
