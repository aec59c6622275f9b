"""GitHub: workflow runs, jobs, deployments, merged pull requests and issues of an organisation.

One stream reads the `listing` of repositories, sweeps them (`sweep`), the one visited longest ago first, so that even a
sweep that always ends early (quota) gets everywhere, and asks for their `owners`. The lists of a repository are read in
`runs`, `deployments`, `poll` and `tickets`; what is pushed in `webhooks`; another stream reads roadmaps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.ci import PipelineActive, PipelineJob, PipelineRun, PipelineRunners
from platform_meter.model.facts.delivery import Change, Deployment, Repository
from platform_meter.model.facts.incidents import Incident
from platform_meter.model.facts.roadmap import RoadmapItem
from platform_meter.model.facts.tickets import TicketEvent
from platform_meter.model.progress import Progress
from platform_meter.model.proposal import Proposal, Settings, Surroundings
from platform_meter.model.source import Area, Forbidden, Outside, Page, Source, Stream, Unexpected
from platform_meter.sources.github import roadmap
from platform_meter.sources.github.config import Config, access, matches
from platform_meter.sources.github.facts import SYSTEM, repository
from platform_meter.sources.github.listing import inventory
from platform_meter.sources.github.owners import forget_owners, read_owners
from platform_meter.sources.github.poll import PER_PAGE
from platform_meter.sources.github.rows import Repo
from platform_meter.sources.github.runners import read_runners
from platform_meter.sources.github.runs import IDLE
from platform_meter.sources.github.state import State, dump, load
from platform_meter.sources.github.sweep import sweep
from platform_meter.sources.github.webhooks import RECEIVER
from platform_meter.sources.kit.cursor import Cursor
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.sweep import VISIT_FACTS

__all__ = ["SOURCE", "Config"]


def connect(config: Config, outside: Outside, instance: str) -> Sequence[Stream]:
    plans = [roadmap.stream(config, outside, instance)] if config.roadmaps else []
    return [_api(config, outside), *plans]


def _api(config: Config, outside: Outside) -> Stream:
    def pages(outside: Sieve, checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        state = load(checkpoint, now)
        if checkpoint is None:
            # The moment of the first poll decides whose jobs are read: it is kept even if nothing else works.
            yield Page(checkpoint=dump(state))
        _judge_anew(config, state)
        yield from inventory(config, outside, state, now)
        yield from sweep(config, outside, state, since, now)
        yield from _owners(config, outside, state, now)
        facts: list[Fact] = [*_active(config, state)]
        if config.runners:
            facts += read_runners(config.org, outside, state, now)
        complete = frozenset({PipelineActive, PipelineRunners} if config.runners else {PipelineActive})
        yield Page(facts=facts, checkpoint=dump(state), complete=complete)

    def read(checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        return Sieve.over(outside, lambda sieve: pages(sieve, checkpoint, since, now))

    return Stream(name="api", read=read, gives=_gives(config))


def _judge_anew(config: Config, state: State) -> None:
    """Other rules for incidents: issues that were read before may be some now, or were never any."""
    rules = config.incidents.model_dump_json() if config.incidents else ""
    if rules != state.incidents:
        state.incidents = rules
        for repo in state.repos.values():
            repo.issues, repo.backlog = Cursor(), Cursor()


def _gives(config: Config) -> frozenset[type[Fact]]:
    """The kinds that these settings switch on, beside roadmaps."""
    off: set[type[Fact]] = {RoadmapItem}
    if config.jobs == "none":
        off.add(PipelineJob)
    if not config.issues:
        off.add(TicketEvent)
    if not config.incidents:
        off.add(Incident)
    if not config.runners:
        off.add(PipelineRunners)
    return SOURCE.gives - off


def _owners(config: Config, outside: Outside, state: State, now: datetime) -> Iterator[Page]:
    """Repositories whose owner is another than it was."""
    changed = read_owners(outside, state, now) if config.codeowners else forget_owners(state)
    while names := list(islice(changed, VISIT_FACTS)):
        held = {name: state.repos[name] for name in names}
        facts = [
            repository(
                Repo(full_name=name, topics=repo.topics, created_at=repo.created, archived=repo.archived),
                repo.owner.team,
            )
            for name, repo in held.items()
        ]
        yield Page(
            facts=facts, checkpoint=dump(state), progress=Progress(what="owners of repositories", done=len(facts))
        )


def _active(config: Config, state: State) -> list[Fact]:
    """Runs that wait and run now by pool: that of the workflow's last run whose jobs were read. Idle pools are 0."""
    queued: Counter[str] = Counter()
    running: Counter[str] = Counter()
    for repo in state.repos.values():
        queued.update(dict.fromkeys(repo.runs.pools.values(), 0))
        for run in repo.runs.open.values():
            if run.state not in IDLE:
                (running if run.state == "in_progress" else queued)[repo.runs.pools.get(run.workflow, "")] += 1
    return [
        PipelineActive(
            about=Ref(system=SYSTEM, kind="pool", id=f"{config.org}/{pool or '-'}"),
            pool=pool,
            queued=queued[pool],
            running=running[pool],
        )
        for pool in sorted(queued.keys() | running.keys())
    ]


def check(config: Config, outside: Outside) -> Sequence[str]:
    """One line per permission that a fine-grained token lacks."""

    def lacks(path: str, type_: Any) -> bool:
        try:
            outside.get(path, type_, params={"per_page": 1})
        except Forbidden:
            return True
        except Unexpected as error:
            if error.status == 404:
                # GitHub hides what a token may not see; but an empty repository has no contents.
                return not path.endswith("/contents")
            raise
        return False

    try:
        repos = outside.get(f"/orgs/{config.org}/repos", list[Repo], params={"per_page": PER_PAGE}).body or []
    except Forbidden as error:
        return [f"organisation {config.org}: {error}; give the token the repository permission 'Metadata: read'"]
    except Unexpected as error:
        if error.status != 404:
            raise
        return [f"organisation {config.org}: there is none of this name that the token may see ('Metadata: read')"]
    polled = [repo for repo in repos if config.selects(repo.full_name) and not repo.archived]
    if not polled:
        globs = ", ".join(config.repositories)
        return [f"organisation {config.org}: no repository that the token may see ('Metadata: read') matches {globs}"]
    name = polled[0].full_name
    wanted = [
        (name, "actions/runs", "workflow runs", "Actions: read"),
        (name, "deployments", "deployments", "Deployments: read"),
        (name, "pulls", "pull requests", "Pull requests: read"),
    ]
    contents = [
        what
        for what, asked in (
            ("CODEOWNERS", config.codeowners),
            ("commits that were rolled out", config.change_sets),
        )
        if asked
    ]
    if contents:
        # The files at the top, since CODEOWNERS itself may well be missing.
        wanted.append((name, "contents", " and ".join(contents), "Contents: read"))
    if config.codeowners:
        wanted.append((name, "teams", "teams, asked where there is no CODEOWNERS,", "Administration: read"))
    queues = (repo.full_name for repo in polled if repo.has_issues and matches(repo.full_name, config.issues))
    wanted += [(queue, "issues", "issues", "Issues: read") for queue in list(queues)[:1]]
    lacking = [
        f"repository {repo}: its {what} can't be read; give the token the repository permission '{permission}'"
        for repo, path, what, permission in wanted
        if lacks(f"/repos/{repo}/{path}", Any)
    ]
    if config.runners and any(
        lacks(f"/orgs/{config.org}/actions/{path}", Any) for path in ("runner-groups", "runners")
    ):
        lacking.append(
            f"organisation {config.org}: its runners can't be read; give the token the organisation permission "
            "'Self-hosted runners: read', or leave `runners` out"
        )
    return [*lacking, *roadmap.unreadable(config, outside)]


def propose(around: Surroundings) -> Proposal:
    """A section for each owner of a git remote on github.com, that of `origin` first."""
    variable = around.variable("GITHUB_TOKEN", "GH_TOKEN") or "GITHUB_TOKEN"

    def settings(org: str) -> Settings:
        return {"org": org, "token": {"env": variable}}

    return Proposal(
        about="GitHub Actions, deployments and pull requests. The token needs to read metadata, actions, deployments and\n"
        "pull requests; contents, to tell what a deployment brought; administration too, to find whose a repository is\n"
        "(docs/sources.md).",
        found={f"github-{org.lower()}": settings(org) for org in around.owners_on("github.com")},
        sample=("github-acme", settings("acme")),
        fill_in="your organisation",
    )


SOURCE = Source(
    name="github",
    title="GitHub",
    area=Area.CI_CD,
    reads="repositories, workflow runs and jobs, deployments, merged pull requests, issues and roadmaps of an organisation",
    needs="fine-grained token: Metadata, Actions, Deployments, Pull requests, (for owners and for what deployments bring) "
    "Contents, (for owners) Administration, (for tickets) Issues and the organisation's Members, (for runners) the "
    "organisation's Self-hosted runners, (for roadmaps) Issues or the organisation's Projects, all read",
    config=Config,
    gives=frozenset(
        {
            Repository,
            PipelineRun,
            PipelineJob,
            PipelineActive,
            PipelineRunners,
            Deployment,
            Change,
            TicketEvent,
            Incident,
            RoadmapItem,
        }
    ),
    access=access,
    connect=connect,
    check=check,
    receives=RECEIVER,
    roadmaps=lambda config, files: config.model_copy(update={"roadmaps": (*config.roadmaps, *files)}),
    propose=propose,
)
