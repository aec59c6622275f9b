"""Sources of six systems on three simulated companies: what they say is what is true there, poll by poll."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

import pytest
from tests.demo import worlds

from platform_meter.demo.company.layout import ORG
from platform_meter.demo.company.pipelines import BOUGHT, DELIVERED_TO, System
from platform_meter.demo.truth import QUEUES, Truth
from platform_meter.demo.world import World
from platform_meter.model.facts import Fact
from platform_meter.model.facts.ci import Outcome, PipelineJob, PipelineRun
from platform_meter.model.facts.delivery import Change, DeployKind, Deployment, DeployResult
from platform_meter.model.facts.gitops import GitopsSync, SyncResult
from platform_meter.model.facts.tickets import TicketChange, TicketEvent
from platform_meter.sources import load
from platform_meter.testing import FakeOutside

T = TypeVar("T", bound=Fact)
HISTORY = timedelta(days=90)
FAILED_SYNCS = {1: 1, 2: 0, 3: 0}
"""By seed, of those that somebody looked at in time."""
PAUSES = (timedelta(0), timedelta(minutes=1), timedelta(minutes=7), timedelta(hours=3))
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "github": {"org": ORG},
    "gitlab": {"url": "http://gitlab.test", "group": BOUGHT},
    "jenkins": {"url": "http://jenkins.test", "user": "meter"},
    "jira": {"url": "http://jira.test", "email": "meter@example.test"},
    "argocd": {"url": "http://argocd.test", "cluster": "eu"},
    "tekton": {"cluster": "ml", "context": "ml"},
}


class Story:
    """A small company followed over four polls, the last hours of them live."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.clock = worlds.Clock()
        self.start = self.clock.at
        self.world: World = worlds.small_world(self.clock, seed=seed)
        self.facts: dict[tuple[type[Fact], str, str], Fact] = {}
        self.looks: list[datetime] = []
        checkpoints: dict[tuple[str, str], bytes | None] = {}
        callers = {
            "argocd": worlds.argocd(self.world),
            "github": worlds.github(self.world, limit=1_000_000),
            "gitlab": worlds.gitlab(self.world),
            "jenkins": worlds.jenkins(self.world),
            "jira": worlds.jira(self.world),
            "tekton": worlds.tekton(self.world),
        }
        for pause in PAUSES:
            self.clock.at += pause
            for name, caller in callers.items():
                source = load()[name]
                token = {} if name == "tekton" else {"token": {"env": "TOKEN"}}
                config = source.config.model_validate({**token, **SETTINGS[name]})
                for stream in source.connect(config, FakeOutside(caller.answer), name):
                    if stream.name == "pools":  # readings, which say nothing of what ended
                        continue
                    at = (name, stream.name)
                    for page in stream.read(checkpoints.get(at), self.start - HISTORY, self.clock.at):
                        # A watch would last until its server ends it: Tekton is listed anew.
                        checkpoints[at] = None if name == "tekton" else page.checkpoint or checkpoints.get(at)
                        self.facts |= {(type(fact), name, fact.key): fact for fact in page.facts}
            self.looks.append(self.clock.at)
        self.end = self.clock.at
        self.truth = Truth(self.world)

    def of(self, kind: type[T], *sources: str) -> list[T]:
        """What these sources told, or all of them."""
        return [
            fact
            for (_, source, _), fact in self.facts.items()
            if isinstance(fact, kind) and source in (sources or SETTINGS)
        ]


@pytest.fixture(scope="module", params=[1, 2, 3])
def story(request: pytest.FixtureRequest) -> Story:
    return Story(request.param)


def test_runs_are_the_true_ones(story: Story) -> None:
    """Every attempt that ended, with its end and its class; details are known for the 28 days before the first poll."""
    since = story.start - HISTORY
    told = {
        (fact.key, fact.outcome, fact.at.replace(microsecond=0))
        for fact in story.of(PipelineRun, "github")
        if since <= fact.at < story.end
    }
    ran = story.truth.attempts(since, story.end, details_since=story.start - timedelta(days=28))
    true = {
        (f"run/{r.run.id}/{r.attempt.number}", r.outcome, r.at.replace(microsecond=0))
        for r in ran
    }  # fmt: skip
    assert len(true) > 1_000
    assert told == true


def test_builds_on_jenkins_and_gitlab_are_the_true_ones(story: Story) -> None:
    """Every build that ended, with its end, commit and class; why it failed is known for 28 days before the first poll."""
    since, young = story.start - HISTORY, story.start - timedelta(minutes=15)
    told = {
        (run.key.partition("/")[2].rsplit("/", 1)[0], run.at, run.sha, run.outcome, run.ran.total_seconds())
        for run in story.of(PipelineRun, "gitlab", "jenkins")
        if since <= run.at < story.end
    }
    true = set()
    for build in story.truth.builds(since, story.end):
        if build.pipeline.system is System.TEKTON:
            continue
        on_jenkins = build.pipeline.system is System.JENKINS
        decides = build.ended if on_jenkins else build.created
        known = decides >= young - timedelta(days=28)
        read = decides >= young or (known and build.failed)
        name = f"{build.pipeline.name}/{build.number}" if on_jenkins else str(build.id)
        outcome = build.outcome if known or not build.failed else Outcome.UNKNOWN
        true.add((name, build.ended, build.sha, outcome, float(sum(build.seconds) + (0 if read else build.paused))))
    assert Counter(how for *_, how, _ in true).keys() == {
        Outcome.SUCCESS,
        Outcome.USER_FAILURE,
        Outcome.INFRA_FAILURE,
        Outcome.CANCELLED,
        Outcome.UNKNOWN,
    }
    assert told == true


def test_waits_on_jenkins_and_gitlab_are_the_true_ones(story: Story) -> None:
    """How long each build that ended since the first poll waited for its agent, and for a person."""
    told = {
        (job.pool, job.queued)
        for job in story.of(PipelineJob, "gitlab", "jenkins")
        if story.start <= job.at < story.end and job.queued
    }
    builds = [b for b in story.truth.builds(story.start, story.end) if b.pipeline.system is not System.TEKTON]
    assert told == {(build.pipeline.pool, timedelta(seconds=build.queued)) for build in builds}
    approvals = sorted(
        run.approval for run in story.of(PipelineRun, "jenkins") if run.approval and run.at >= story.start
    )
    assert approvals == sorted(timedelta(seconds=build.paused) for build in builds if build.paused)
    assert len(approvals) > 3


def test_runs_on_tekton_are_the_true_ones(story: Story) -> None:
    """Those that were not pruned before the first poll, with what their tasks tell of each failure, and their waits."""
    builds = [
        build
        for build in story.truth.builds(story.start - HISTORY, story.end, first=story.start)
        if build.pipeline.system is System.TEKTON
    ]
    told = {(run.pipeline, run.sha, run.at, run.outcome) for run in story.of(PipelineRun, "tekton")}
    assert told == {(build.pipeline.name, build.sha, build.ended, build.outcome) for build in builds}
    assert {outcome for *_, outcome in told} >= {Outcome.SUCCESS, Outcome.USER_FAILURE}
    queued = sorted(job.queued.total_seconds() for job in story.of(PipelineJob, "tekton") if job.queued)
    of_tekton = [b for of in story.world.history.builds.values() for b in of if b.pipeline.system is System.TEKTON]
    # Of a run that goes on some tasks have ended; one whose pod could not be made has no step that ever started.
    began = [b for b in of_tekton if b in builds or b.created >= story.start]
    first = [(b, next(b.stages())) for b in began if b.outcome is not Outcome.INFRA_FAILURE]
    assert queued == sorted(float(b.queued) for b, stage in first if stage.ended <= story.end)


def test_syncs_of_argocd_are_the_true_ones(story: Story) -> None:
    """Each that was an application's last one when somebody looked, with its end, how it ended and who began it."""
    told = {(s.about.id, s.started, s.at, s.result, s.automated) for s in story.of(GitopsSync, "argocd")}
    syncs = [sync for sync in story.truth.syncs(story.looks) if sync.app.cluster == "eu"]
    assert told == {
        (
            f"argocd/{sync.app.name}",
            sync.started,
            sync.ended,
            SyncResult.FAILED if sync.failed else SyncResult.SUCCESS,
            sync.app.automated,
        )
        for sync in syncs
    }
    assert sum(sync.failed for sync in syncs) == FAILED_SYNCS[story.seed]
    served = {(d.about.id, d.environment, d.sha, d.at) for d in story.of(Deployment, "argocd")}
    assert served == {
        (f"argocd/{sync.app.name}", f"eu/{sync.app.name}", sync.revision, sync.healthy)
        for sync in story.truth.syncs(story.looks, settled=True)
        if sync.app.cluster == "eu"
    }
    assert 5 < len(served) <= len(told) - FAILED_SYNCS[story.seed]


def test_deliveries_on_gitlab_are_the_true_ones(story: Story) -> None:
    """Deployments with their result, and merged requests with first commit and review."""
    since = story.start - HISTORY
    builds = [build for of in story.world.history.builds.values() for build in of]
    told = {(d.sha, d.environment, d.result, d.at) for d in story.of(Deployment, "gitlab") if since <= d.at < story.end}
    true = {
        (build.sha, DELIVERED_TO, DeployResult.FAILED if build.failed else DeployResult.SUCCESS, stage.ended)
        for build in builds
        if (stage := build.delivery) and since <= stage.ended < story.end and build.outcome is not Outcome.CANCELLED
    }
    assert len(true) > 50
    assert told == true
    recent = story.start - timedelta(days=27)
    assert {
        (change.sha, change.opened, change.first_commit, change.first_review, change.at)
        for change in story.of(Change, "gitlab")
        if recent <= change.at < story.end
    } == {
        (build.sha, merge.opened, merge.first_commit, merge.reviewed, merge.merged)
        for build in builds
        if (merge := build.merge) and recent <= merge.merged < story.end
    }


def test_queue_times_are_the_true_ones(story: Story) -> None:
    """Jobs that ended since the first poll: how long each waited, by pool. They are told when their run has ended."""
    end = story.end - timedelta(hours=1)
    told: dict[str, list[float]] = {}
    for job in story.of(PipelineJob, "github"):
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
        for d in story.of(Deployment, "github")
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
    told = sorted(change.at for change in story.of(Change, "github") if story.start - HISTORY <= change.at < story.end)
    true = sorted(at.replace(microsecond=0) for at, _ in story.truth.merged(story.start - HISTORY, story.end))
    assert len(true) > 100
    assert told == true


def test_first_reviews_are_the_true_ones(story: Story) -> None:
    """Of what was merged in the 28 days before the first poll, and since; none where nobody looked."""
    since = story.start - timedelta(days=27)
    told = {
        change.name: change.first_review
        for change in story.of(Change, "github")
        if since <= change.at < story.end - timedelta(hours=1)
    }
    true = {
        f"{pull.repo.full_name}#{pull.number}": pull.reviewed
        for at, pull in story.truth.merged(since, story.end - timedelta(hours=1))
    }
    assert None in true.values()
    assert len(true) > 50
    assert told == true


def test_change_sets_are_the_true_ones(story: Story) -> None:
    """On GitHub and GitLab: what main has between two commits that served one after the other; rollbacks have none."""
    history, since = story.world.history, story.start - timedelta(days=27)
    trunk = {name: [pull.merge_sha for _, pull in merged] for name, merged in history.main.items()}
    trunk |= {name: [build.sha for build in builds if build.merge] for name, builds in history.builds.items()}
    served: dict[tuple[str, str], str] = {}
    compared = 0
    gitlab = sorted(story.of(Deployment, "gitlab"), key=lambda d: int(d.key.partition("/")[2]))
    github = sorted(story.of(Deployment, "github"), key=lambda d: d.started or d.at)
    for one in (*gitlab, *github):
        name, place = one.about.id.removeprefix(f"{ORG}/"), (one.about.id, one.environment)
        if one.result is not DeployResult.SUCCESS or one.environment == "preview":
            assert (one.after, one.changes) == ("", ())
            continue
        before, served[place] = served.get(place), one.sha
        if one.kind is DeployKind.ROLLBACK or before is None or one.at < since or before not in trunk[name]:
            continue
        shas = trunk[name]
        between = shas[shas.index(before) + 1 : shas.index(one.sha) + 1]
        assert (one.after, one.changes) == (before, tuple(between))
        compared += bool(between)
    assert compared > 50


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
