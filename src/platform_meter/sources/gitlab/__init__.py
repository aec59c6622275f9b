"""GitLab: pipelines, jobs and their queue, deployments and merged merge requests of a group's projects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import Struct, field

from platform_meter.model.access import Access, Pace, SecretHeaders
from platform_meter.model.facts import Event, Fact
from platform_meter.model.facts.ci import PipelineActive, PipelineJob, PipelineRun
from platform_meter.model.facts.delivery import Change, Deployment, Repository
from platform_meter.model.outcomes import with_own
from platform_meter.model.progress import Progress
from platform_meter.model.proposal import Proposal, Settings, Surroundings
from platform_meter.model.source import Answer, Area, Forbidden, Outside, Page, Source, Stream, Unexpected
from platform_meter.model.typed import decode
from platform_meter.sources.gitlab.config import Config
from platform_meter.sources.gitlab.facts import repository
from platform_meter.sources.gitlab.lists import PER_PAGE, Deployments, Visit, readers
from platform_meter.sources.gitlab.outcomes import RULES
from platform_meter.sources.gitlab.queue import Pipelines, active
from platform_meter.sources.gitlab.rows import Project, more
from platform_meter.sources.gitlab.webhooks import RECEIVER
from platform_meter.sources.kit.cursor import Cursor
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.sweep import Object, Sweep, Told
from platform_meter.sources.kit.walk import Walk

__all__ = ["SOURCE", "Config"]

KEPT = timedelta(days=7)
"""How long the place in a project is kept that is not listed any more."""
LIVELY = timedelta(days=1)
"""A project where something happened since then is read in each poll."""
AT_ONCE = 8


class ProjectState(Struct, omit_defaults=True):
    """The place in one project's lists."""

    seen: datetime
    """When it was listed last."""
    activity: datetime | None = None
    """GitLab's last activity as it was listed when the project was visited; pushes and merges move it, pipelines don't."""
    visited: datetime | None = None
    stirred: datetime | None = None
    """When something in it changed last."""
    pipelines: Pipelines = field(default_factory=Pipelines)
    deployments: Deployments = field(default_factory=Deployments)
    merge_requests: Cursor = field(default_factory=Cursor)

    @property
    def failing(self) -> bool:
        return any(c.failing or c.began for c in (self.pipelines, self.deployments, self.merge_requests))


class State(Struct, omit_defaults=True):
    """The checkpoint."""

    first: datetime
    """The first poll of all: the jobs of older pipelines are not worth a call each."""
    projects: dict[str, ProjectState] = field(default_factory=dict)
    """By id, which stays when a project is renamed or moved."""


def connect(config: Config, outside: Outside, instance: str) -> Sequence[Stream]:
    del instance

    def read(checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        return Sieve.over(outside, lambda sieve: _pages(config, sieve, checkpoint, since, now))

    off: set[type[Fact]] = {PipelineJob} if config.jobs == "none" else set()
    if not config.queue:
        off.add(PipelineActive)
    return (Stream(name="api", read=read, gives=SOURCE.gives - off),)


def _pages(config: Config, outside: Sieve, checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
    state = decode(checkpoint, State) if checkpoint else State(first=now)

    def page(facts: Sequence[Fact], **more: Any) -> Page:
        return Page(facts=facts, checkpoint=msgspec.json.encode(state), **more)

    if checkpoint is None:
        # The moment of the first poll decides whose jobs are read: it is kept even if nothing else works.
        yield page(())
    projects = {str(project.id): project for project in _listing(config, outside)}
    state.projects = {id_: held for id_, held in state.projects.items() if now - held.seen < KEPT or id_ in projects}
    if state.projects and not projects:
        raise Unexpected(f"group {config.group}: no project is listed any more; see whether the token may see them")
    for id_ in projects:
        state.projects.setdefault(id_, ProjectState(seen=now)).seen = now
    yield page([repository(project) for project in projects.values()], complete=frozenset({Repository}))

    # A project that turns up later is read back to `history`; all others go on from their own cursors.
    unread = since if now == state.first else min(since, now - config.history)

    def visit(id_: str) -> Object[ProjectState]:
        one = Visit(
            outside=outside,
            project=projects[id_],
            now=now,
            since=unread,
            overlap=config.overlap,
            young=state.first - config.overlap,
            jobs=config.jobs == "recent",
            queue=config.queue,
            rules=with_own(config.outcomes, RULES),
            bots=config.bots,
            reviews=config.reviews,
            change_sets=config.change_sets,
        )
        return Object(
            id=projects[id_].path_with_namespace,
            state=state.projects[id_],
            readers=readers(one),
            start=lambda cursor: cursor.next_start(unread, config.overlap),
        )

    turn = _turn(config, state, projects, now)
    ids = {projects[id_].path_with_namespace: id_ for id_ in turn}

    def take(told: Told[ProjectState]) -> None:
        held, project, before = told.state, projects[ids[told.id]], state.projects[ids[told.id]]
        if told.ended:
            held.visited, held.activity = now, project.last_activity_at
        held.stirred = max((fact.updated or fact.at for fact in told.facts), default=before.stirred)
        state.projects[ids[told.id]] = held

    def reached(facts: Sequence[Event], done: int) -> Page:
        return page(facts, progress=Progress(what="projects", done=done, of=len(turn)))

    sweep = Sweep[ProjectState](outside, now, partial=len(turn) < len(projects))
    left = yield from sweep.pages([visit(id_) for id_ in turn], take, reached)
    yield reached(left, len(turn))
    if config.queue:
        with_ci = (id_ for id_, project in projects.items() if "pipelines" in project.lists)
        now_active = active(config.group, (state.projects[id_].pipelines for id_ in with_ci))
        yield page(now_active, complete=frozenset({PipelineActive}))


def _turn(config: Config, state: State, projects: Mapping[str, Project], now: datetime) -> list[str]:
    """Whom to visit, the one visited longest ago first; those that failed last time come after all others."""
    held = state.projects
    order = sorted(projects, key=lambda id_: (held[id_].failing, held[id_].visited or state.first - KEPT))
    return [id_ for id_ in order if _due(config, held[id_], projects[id_], now)]


def _due(config: Config, held: ProjectState, project: Project, now: datetime) -> bool:
    """Whether something may have happened there, or nobody looked for long."""
    if held.visited is None or held.failing or held.activity != project.last_activity_at:
        return True
    happened = [at for at in (held.stirred, held.activity) if at is not None]
    lively = bool(happened) and now - max(happened) < LIVELY
    going = config.queue and bool(held.pipelines.going)
    return lively or going or now - held.visited >= config.all_within


def _listing(config: Config, outside: Outside) -> Iterator[Project]:
    path, number = f"/api/v4/groups/{quote(config.group, safe='')}/projects", 1
    walk = Walk(path)
    params = {"include_subgroups": "true", "with_shared": "false", "archived": "false", "order_by": "id", "sort": "asc"}
    while True:
        ask = {**params, "per_page": PER_PAGE, "page": number}
        answer = walk.page(_ids, partial(outside.get, path, list[Project], params=ask))
        got = answer.body or []
        yield from (project for project in got if config.selects(project.path_with_namespace))
        if not more(answer.headers, len(got) + answer.odd, PER_PAGE):
            return
        number += 1


def _ids(answer: Answer[list[Project]]) -> tuple[int, ...]:
    return tuple(project.id for project in answer.body or ())


def check(config: Config, outside: Outside) -> Sequence[str]:
    """One line per thing that the token may not read."""
    try:
        projects = list(_listing(config, outside))
    except Forbidden as error:
        return [f"group {config.group}: {error}; give the token the scope read_api"]
    except Unexpected as error:
        if error.status != 404:
            raise
        return [f"group {config.group}: there is none that the token may see; write its full path, such as acme/shop"]
    if not projects:
        return [f"group {config.group}: no project that the token may see matches {', '.join(config.projects)}"]
    project, problems = projects[0], list[str]()
    for name in project.lists:
        try:
            outside.get(f"/api/v4/projects/{project.id}/{name}", list[Any], params={"per_page": 1})
        except Forbidden:
            problems.append(
                f"project {project.path_with_namespace}: its {name} can't be read; give the token the scope read_api "
                "and its user the role Reporter"
            )
    return problems


def access(config: Config) -> Access:
    """docs.gitlab.com/user/gitlab_com/rate_limits: 2,000 calls a minute; other servers set their own."""
    limited = urlsplit(config.url).hostname == "gitlab.com"
    return Access(
        url=config.url,
        credential=SecretHeaders(headers={"PRIVATE-TOKEN": config.token}),
        rate_headers=("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"),
        pace=Pace(at_once=AT_ONCE, points=1_000, per=timedelta(minutes=1), get=1, post=1)
        if limited
        else Pace(at_once=AT_ONCE),
    )


def propose(around: Surroundings) -> Proposal:
    """A section for each top group of a git remote on gitlab.com, that of `origin` first."""
    variable = around.variable("GITLAB_TOKEN", "GITLAB_PRIVATE_TOKEN") or "GITLAB_TOKEN"

    def settings(group: str) -> Settings:
        return {"group": group, "token": {"env": variable}}

    return Proposal(
        about="GitLab pipelines, deployments and merge requests. The token needs the scope read_api and the role Reporter.",
        found={f"gitlab-{group.lower()}": settings(group) for group in around.owners_on("gitlab.com")},
        sample=("gitlab-acme", settings("acme")),
        fill_in="your group",
    )


SOURCE = Source(
    name="gitlab",
    title="GitLab",
    area=Area.CI_CD,
    reads="projects, pipelines and jobs, their queue, deployments, merged merge requests of a group with its subgroups",
    needs="group access token with the role Reporter and the scope read_api",
    config=Config,
    gives=frozenset({Repository, PipelineRun, PipelineJob, PipelineActive, Deployment, Change}),
    access=access,
    connect=connect,
    check=check,
    receives=RECEIVER,
    propose=propose,
)
