"""Jenkins: builds of all jobs, wherever they stand, and what waits for an executor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fnmatch import fnmatchcase
from typing import Literal

import msgspec
from msgspec import Struct, field

from platform_meter.model.access import Access, Basic, Secret
from platform_meter.model.facts import Event
from platform_meter.model.facts.ci import PipelineActive, PipelineJob, PipelineRun
from platform_meter.model.outcomes import LoggedRule, with_own
from platform_meter.model.progress import Progress
from platform_meter.model.proposal import Proposal, Surroundings
from platform_meter.model.scalars import Address
from platform_meter.model.source import (
    Area,
    Forbidden,
    Gap,
    Outside,
    Page,
    Refused,
    Source,
    SourceConfig,
    Stream,
    Unexpected,
)
from platform_meter.model.typed import decode
from platform_meter.sources.jenkins.builds import Told, Visit
from platform_meter.sources.jenkins.facts import Place, active
from platform_meter.sources.jenkins.outcomes import RULES
from platform_meter.sources.jenkins.rows import JOBS, NODES, QUEUE, Item, Items, Nodes, Queue, Timed
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.sweep import Object, Sweep
from platform_meter.sources.kit.sweep import Told as Step

ITEMS = 500
"""Jobs in one page of a folder's list."""
KEPT = timedelta(days=7)
"""How long the place in a job is kept that is not listed any more."""


class Config(SourceConfig):
    url: Address
    """Address of the server, with its path prefix."""
    user: str
    """The account of the token."""
    token: Secret
    """Its API token."""
    jobs: tuple[str, ...] = ("*",)
    """Globs of names of jobs, with their folders."""
    details: Literal["recent", "failed", "none"] = "recent"
    """Whose stages and logs are read, at a call each: of all builds that ended since the first poll, of failed ones, or none."""
    outcomes: tuple[LoggedRule, ...] = ()
    """Rules of one's own, before those of `outcomes.py`."""

    def selects(self, name: str) -> bool:
        return any(fnmatchcase(name, glob) for glob in self.jobs)


class JobState(Struct, omit_defaults=True):
    seen: date
    """When it was listed last."""
    builds: Told = field(default_factory=Told)


class State(Struct, omit_defaults=True):
    """The checkpoint."""

    first: datetime
    """The first poll of all: older builds are history, whose details are not worth a call each."""
    jobs: dict[str, JobState] = field(default_factory=dict)
    hidden: dict[str, datetime] = field(default_factory=dict)
    """Folders that can't be read, and since when."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A job in the list."""

    place: Place
    last: Timed | None


def connect(config: Config, outside: Outside, instance: str) -> Sequence[Stream]:
    """Builds, and what waits and runs now."""
    del instance

    def builds(checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        return Sieve.over(outside, lambda sieve: _builds(config, sieve, checkpoint, since, now))

    def pools(_checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
        return Sieve.over(outside, _pools)

    return (
        Stream(name="builds", read=builds, gives=frozenset({PipelineRun, PipelineJob})),
        Stream(name="pools", read=pools, gives=frozenset({PipelineActive})),
    )


def _pools(outside: Sieve) -> Iterator[Page]:
    queue = outside.get("/queue/api/json", Queue, params={"tree": QUEUE}).body or Queue()
    nodes = outside.get("/computer/api/json", Nodes, params={"tree": NODES}).body or Nodes()
    yield Page(facts=active(queue, nodes), complete=frozenset({PipelineActive}))


def _builds(config: Config, outside: Sieve, checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
    state = decode(checkpoint, State) if checkpoint else State(first=now)
    if checkpoint is None:
        # The moment of the first poll decides whose details are read: it is kept even if nothing else works.
        yield Page(checkpoint=msgspec.json.encode(state))
    listing = Listing(config=config, outside=outside, state=state, now=now)
    jobs = {listed.place.name: listed for listed in listing.walk()}
    _settle(state, jobs, outside, now)
    # A job that turns up later is read back to `history`; all others go on from their own places.
    unread = since if now == state.first else min(since, now - config.history)
    rules = with_own(config.outcomes, RULES)

    def visit(listed: Listed) -> Object[JobState]:
        one = Visit(
            outside=outside,
            place=listed.place,
            now=now,
            since=unread,
            young=state.first - config.overlap,
            ranges=listing.ranges,
            details=config.details,
            rules=rules,
        )
        return Object(
            id=listed.place.name,
            state=state.jobs[listed.place.name],
            readers={"builds": one.read},
            start=lambda told: told.start(unread),
        )

    news = [listed for name, listed in jobs.items() if _has_news(state.jobs[name].builds, listed.last)]
    news.sort(key=lambda listed: state.jobs[listed.place.name].builds.failing is not None)
    sweep = Sweep[JobState](outside, now, partial=len(news) < len(jobs))

    def take(told: Step[JobState]) -> None:
        state.jobs[told.id] = told.state

    def page(facts: Sequence[Event], done: int) -> Page:
        progress = Progress(what="jobs with new builds", done=done, of=len(news))
        return Page(facts=facts, checkpoint=msgspec.json.encode(state), progress=progress)

    left = yield from sweep.pages([visit(listed) for listed in news], take, page)
    yield page(left, len(news))


def _has_news(told: Told, last: Timed | None) -> bool:
    return bool(told.open or told.failing) or (last is not None and (last.number, last.began) != (told.number, told.at))


def _settle(state: State, jobs: Mapping[str, Listed], outside: Sieve, now: datetime) -> None:
    """Bring the places in line with what there is: renamed, made anew, new and vanished jobs."""
    for name, listed in jobs.items():
        held = state.jobs.get(name) or _renamed(state, jobs, listed) or JobState(seen=now.date())
        told, last = held.builds, listed.last
        if last is not None and told.at is not None and last.number <= told.number and last.began > told.at:
            # A job of this name was deleted, and another one begins with 1.
            _gone(name, held, outside, now)
            held.builds = Told()
        held.seen = now.date()
        state.jobs[name] = held
    for name, held in list(state.jobs.items()):
        if name not in jobs and held.seen < (now - KEPT).date():
            _gone(name, held, outside, now)
            del state.jobs[name]


def _gone(name: str, held: JobState, outside: Sieve, now: datetime) -> None:
    """A job is no more: how its builds ended that went on is unknown."""
    begun, going = held.builds.at, len(held.builds.open)
    if begun is not None and going:
        end = min(now, datetime.combine(held.seen, time.max, UTC))
        text = f"{name} is gone, and {going} of its builds had not ended"
        outside.gap(Gap(start=begun, end=max(begun, end), reason="pruned", text=text))


def _renamed(state: State, jobs: Mapping[str, Listed], listed: Listed) -> JobState | None:
    """The place in the job that had this one's last build until now, under a name that is no more."""
    last = listed.last
    same = [
        name
        for name, held in state.jobs.items()
        if name not in jobs and last and (held.builds.number, held.builds.at) == (last.number, last.began)
    ]
    return state.jobs.pop(same[0]) if len(same) == 1 else None


@dataclass(slots=True, kw_only=True)
class Listing:
    """All jobs of the server, folder by folder."""

    config: Config
    outside: Sieve
    state: State
    now: datetime
    ranges: bool = False
    """Whether the server is a Jenkins, which gives parts of lists; Hudson does not."""

    def walk(self) -> Iterator[Listed]:
        """Every selected job. What stands in a folder that can't be read is taken as still there.

        Raises:
            SourceError: the top can't be read.
        """
        folders: list[tuple[str, str]] = [("", "")]
        while folders:
            name, kind = folders.pop()
            try:
                items = list(self._items(name))
            except (Refused, Unexpected) as error:
                if not name or (isinstance(error, Unexpected) and error.status != 404):
                    raise
                self._hide(name, error)
                continue
            self.state.hidden.pop(name, None)
            for item in items:
                full = f"{name}/{item.name}" if name else item.name
                if item.jobs is not None:
                    folders.append((full, item.class_))
                elif self.config.selects(full):
                    project = name if kind.endswith("MultiBranchProject") else ""
                    pipeline = item.class_.endswith("WorkflowJob")
                    place = Place(name=full, project=project, pipeline=pipeline, server=self.config.url.rstrip("/"))
                    yield Listed(place=place, last=item.last_build)

    def _items(self, name: str) -> Iterator[Item]:
        path, start = Place(name=name).path if name else "", 0
        while True:
            part = f"{{{start},{start + ITEMS}}}" if self.ranges else ""
            answer = self.outside.get(f"{path}/api/json", Items, params={"tree": f"{JOBS}{part}"})
            self.ranges = self.ranges or "x-jenkins" in map(str.lower, answer.headers)
            items = answer.body.jobs if answer.body else []
            yield from items
            if not part or len(items) + answer.odd < ITEMS:
                return
            start += ITEMS

    def _hide(self, name: str, error: Exception) -> None:
        since = self.state.hidden.setdefault(name, self.now)
        self.outside.gap(Gap(start=since, end=since, reason="forbidden", text=f"{name}: {error}"))
        for job, held in self.state.jobs.items():
            if job.startswith(f"{name}/"):
                held.seen = self.now.date()


def check(config: Config, outside: Outside) -> Sequence[str]:
    """One line per permission that the account lacks."""
    del config
    try:
        items = outside.get("/api/json", Items, params={"tree": "jobs[name]"}).body
    except Forbidden as error:
        return [f"{error}; give the account the permission Overall/Read"]
    problems = [] if items and items.jobs else ["no job can be seen; give the account the permission Job/Read"]
    for path in ("/queue/api/json", "/computer/api/json"):
        try:
            outside.get(path, Items, params={"tree": "jobs[name]"})
        except Forbidden as error:
            problems.append(f"{path}: {error}; give the account the permission Overall/Read")
    return problems


def access(config: Config) -> Access:
    return Access(url=config.url, credential=Basic(user=config.user, password=config.token))


def propose(around: Surroundings) -> Proposal:
    """The server that a variable names."""
    variable, address = around.variable("JENKINS_TOKEN", "JENKINS_API_TOKEN"), around.addresses.get("JENKINS_URL", "")
    token = {"env": variable or "JENKINS_TOKEN"}
    return Proposal(
        about="Builds of all jobs, and what waits for an executor. The account needs Overall/Read and Job/Read.",
        found={"jenkins": {"url": address, "user": "platform-meter", "token": token}} if address and variable else {},
        sample=("jenkins", {"url": "https://jenkins.acme.example", "user": "platform-meter", "token": token}),
        fill_in="its address and your account",
    )


SOURCE = Source(
    name="jenkins",
    title="Jenkins",
    area=Area.CI_CD,
    reads="builds of freestyle and Pipeline jobs in folders, multibranch and organisation projects; queue and executors",
    needs="Overall/Read and Job/Read",
    config=Config,
    gives=frozenset({PipelineRun, PipelineJob, PipelineActive}),
    access=access,
    connect=connect,
    check=check,
    propose=propose,
)
