"""GitHub and Jira sources on the simulated company: what they say is what is true there, poll by poll."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

import pytest
from tests.demo import worlds

from platform_meter.demo.company.layout import ORG
from platform_meter.demo.truth import QUEUES, Truth
from platform_meter.demo.world import World
from platform_meter.model.facts import Fact
from platform_meter.model.facts.ci import PipelineJob, PipelineRun
from platform_meter.model.facts.delivery import Change, Deployment
from platform_meter.model.facts.tickets import TicketChange, TicketEvent
from platform_meter.sources import load
from platform_meter.testing import Answering, Call, FakeOutside, Reply

T = TypeVar("T", bound=Fact)
HISTORY = timedelta(days=90)
PAUSES = (timedelta(0), timedelta(minutes=1), timedelta(minutes=7), timedelta(hours=3))
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "github": {"org": ORG},
    "jira": {"url": "http://jira.test", "email": "meter@example.test"},
}


def _answering(caller: worlds.Caller) -> Answering:
    def answer(call: Call) -> Reply:
        query = f"?{urlencode(call.params)}" if call.params else ""
        got = caller.post(call.path, call.body) if call.method == "POST" else caller.get(call.path + query)
        return Reply(body=got.data, status=got.status_code, headers=dict(got.headers))

    return answer


class Story:
    """A small company followed over four polls, the last hours of them live."""

    def __init__(self) -> None:
        self.clock = worlds.Clock()
        self.start = self.clock.at
        self.world: World = worlds.small_world(self.clock)
        self.facts: dict[tuple[type[Fact], str], Fact] = {}
        checkpoints: dict[str, bytes | None] = {}
        callers = {"github": worlds.github(self.world, limit=1_000_000), "jira": worlds.jira(self.world)}
        for pause in PAUSES:
            self.clock.at += pause
            for name, caller in callers.items():
                source = load()[name]
                config = source.config.model_validate({"token": {"env": "TOKEN"}, **SETTINGS[name]})
                (stream,) = source.connect(config, FakeOutside(_answering(caller)), name)
                for page in stream.read(checkpoints.get(name), self.start - HISTORY, self.clock.at):
                    checkpoints[name] = page.checkpoint or checkpoints.get(name)
                    self.facts |= {(type(fact), fact.key): fact for fact in page.facts}
        self.end = self.clock.at
        self.truth = Truth(self.world)

    def of(self, kind: type[T]) -> list[T]:
        return [fact for fact in self.facts.values() if isinstance(fact, kind)]


@pytest.fixture(scope="module")
def story() -> Story:
    return Story()


def test_runs_are_the_true_ones(story: Story) -> None:
    """Every attempt that ended, with its end and its class; details are known for the 28 days before the first poll."""
    since = story.start - HISTORY
    told = {
        (fact.key, fact.outcome, fact.at.replace(microsecond=0))
        for fact in story.of(PipelineRun)
        if since <= fact.at < story.end
    }
    ran = story.truth.attempts(since, story.end, details_since=story.start - timedelta(days=28))
    true = {
        (f"run/{r.run.id}/{r.attempt.number}", r.outcome, r.at.replace(microsecond=0))
        for r in ran
    }  # fmt: skip
    assert len(true) > 1_000
    assert told == true


def test_queue_times_are_the_true_ones(story: Story) -> None:
    """Jobs that ended since the first poll: how long each waited, by pool. They are told when their run has ended."""
    end = story.end - timedelta(hours=1)
    told: dict[str, list[float]] = {}
    for job in story.of(PipelineJob):
        if job.queued is not None and story.start <= job.at < end:
            told.setdefault(job.pool, []).append(job.queued.total_seconds())
    true = story.truth.queue_seconds(story.start, end)
    assert sum(map(len, true.values())) > 500
    assert {pool: sorted(found) for pool, found in told.items()} == {
        pool: sorted(found) for pool, found in true.items()
    }


def test_deployments_are_the_true_ones(story: Story) -> None:
    """Deployments that ended, by result and kind: rollbacks are found by what served before."""
    told = Counter(
        (d.about.id.partition("/")[2], d.environment, d.result, d.kind)
        for d in story.of(Deployment)
        if story.start - HISTORY <= d.at < story.end
    )
    true = Counter(
        (d.repo.name, d.environment, d.result, d.kind)
        for d in story.truth.deployments_ended(story.start - HISTORY, story.end)
    )
    assert sum(true.values()) > 100
    assert told == true


def test_merged_changes_are_the_true_ones(story: Story) -> None:
    """Every merged pull request at its moment."""
    told = sorted(change.at for change in story.of(Change) if story.start - HISTORY <= change.at < story.end)
    true = sorted(at.replace(microsecond=0) for at, _ in story.truth.merged(story.start - HISTORY, story.end))
    assert len(true) > 100
    assert told == true


def test_tickets_are_the_true_ones(story: Story) -> None:
    """Tickets by queue, category and the priority they were born with, whatever they have today; the help desk's by their type."""
    told = Counter(
        (QUEUES[t.queue], t.issue_type if t.queue == "HELP" else t.category, t.priority)
        for t in story.of(TicketEvent)
        if t.change is TicketChange.CREATED and story.start - HISTORY <= t.at < story.end
    )
    true: Counter[tuple[str, str | None, str | None]] = Counter()
    for (queue, category, priority, _), n in story.truth.tickets_created(story.start - HISTORY, story.end).items():
        true[queue, category, priority] += n
    assert sum(true.values()) > 50
    assert told == true
