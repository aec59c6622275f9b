"""GitHub: workflow runs, jobs, deployments, merged pull requests and issues of an organisation.

One stream sweeps all repositories, the one visited longest ago first, so that even a sweep that always ends early
(quota) gets everywhere. The lists are read in `runs`, `deployments`, `poll` and `tickets`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from functools import partial
from itertools import islice
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from platform_meter.model.facts import Event, Fact, Ref
from platform_meter.model.facts.ci import PipelineActive, PipelineJob, PipelineRun
from platform_meter.model.facts.delivery import Change, Deployment, Repository
from platform_meter.model.facts.tickets import TicketEvent
from platform_meter.model.proposal import Proposal, Settings, Surroundings
from platform_meter.model.scalars import Address, unfit
from platform_meter.model.source import (
    Access,
    Answer,
    Outside,
    Page,
    Refused,
    Secret,
    Source,
    SourceConfig,
    Stream,
    Token,
    Unexpected,
)
from platform_meter.sources.github.deployments import read_deployments
from platform_meter.sources.github.facts import SYSTEM, about, repository
from platform_meter.sources.github.owners import forget_owners, read_owners
from platform_meter.sources.github.poll import PER_PAGE, Visit, read_pulls
from platform_meter.sources.github.rows import Repo, more
from platform_meter.sources.github.runs import IDLE, UNAPPROVED, read_runs
from platform_meter.sources.github.state import Cursor, RepoState, State, dump, load
from platform_meter.sources.github.sweep import Reader, Sweep
from platform_meter.sources.github.tickets import missing_issues, read_backlog, read_issues
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.walk import Walk

PAGE_FACTS = 1_000
"""Facts that make a page worth its transaction."""
REPO_FACTS = 100
"""Facts that do so at the end of a repository: less waits for the next one."""
PAGE_REPOSITORIES = 100
"""Repositories after which the place is kept although they told less."""
_NEVER = datetime.min.replace(tzinfo=UTC)


def is_login(text: str) -> str:
    """An organisation's name as it stands in its address.

    Raises:
        ValueError: it is empty, or more than the name.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", text):
        raise unfit(text, "no organisation", "write its name alone, such as acme")
    return text


class Config(SourceConfig):
    org: Annotated[str, AfterValidator(is_login)] = Field(examples=["acme"])
    url: Address = "https://api.github.com"
    """For GitHub Enterprise Server: https://HOST/api/v3."""
    token: Secret
    repositories: tuple[str, ...] = ("*",)
    """Globs of repository names (without the organisation). Archived ones are listed but not polled."""
    jobs: Literal["recent", "failed", "none"] = "recent"
    """Whose jobs are read, a call for each run: those of all new runs, of failed ones, or none."""
    issues: tuple[str, ...] = ()
    """Globs of repositories whose issues are tickets."""
    codeowners: bool = True
    """Read CODEOWNERS, or else who may administer, to find whose a repository is."""
    infra_steps: tuple[str, ...] = ()
    """Globs of step names that the platform answers for, beside GitHub's own."""
    bots: tuple[str, ...] = ()
    """Logins of machine users that GitHub takes for people."""
    agents: tuple[str, ...] = ()
    """Logins of those whose comments are answers; none means members, owners and collaborators, as GitHub says."""

    @property
    def overlap(self) -> timedelta:
        return self.lookback or max(2 * self.every, timedelta(minutes=15))

    def selects(self, full_name: str) -> bool:
        return _matches(full_name, self.repositories)


def _matches(full_name: str, globs: Sequence[str]) -> bool:
    name = full_name.partition("/")[2].lower()
    return any(fnmatchcase(name, glob.lower()) for glob in globs)


def access(config: Config) -> Access:
    return Access(
        url=config.url,
        credential=Token(secret=config.token),
        headers={"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"},
        rate_headers=("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"),
    )


def connect(config: Config, outside: Outside, instance: str) -> Sequence[Stream]:
    del instance

    def pages(outside: Sieve, checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        state = load(checkpoint, now)
        if checkpoint is None:
            # The moment of the first poll decides whose jobs are read: it is kept even if nothing else works.
            yield Page(checkpoint=dump(state))
        yield from _inventory(config, outside, state)
        yield from _sweep(config, outside, state, since, now)

    def read(checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        return Sieve.over(outside, lambda sieve: pages(sieve, checkpoint, since, now))

    return [Stream(name="api", read=read, gives=_gives(config))]


def _gives(config: Config) -> frozenset[type[Fact]]:
    """The kinds that these settings switch on."""
    off: set[type[Fact]] = set()
    if config.jobs == "none":
        off.add(PipelineJob)
    if not config.issues:
        off.add(TicketEvent)
    return SOURCE.gives - off


def _listing(config: Config, outside: Outside, state: State) -> list[Repo] | None:
    """Every repository of the organisation; None when no page of the list changed since the last poll."""
    repos: list[Repo] = []
    etags: list[str] = []
    # Other globs select from the whole list, so it has to be read.
    conditional = bool(state.listing) and state.globs == [*config.repositories]
    number = 1
    walk = Walk(f"/orgs/{config.org}/repos")
    while True:
        etag = state.listing[number - 1] if conditional else ""
        params = {"sort": "created", "direction": "desc", "per_page": PER_PAGE, "page": number}
        answer = outside.get(f"/orgs/{config.org}/repos", list[Repo], params=params, etag=etag)
        if not answer.changed:
            if number == len(state.listing):
                return None
            number += 1
            continue
        if conditional and number > 1:
            # A later page changed: the pages before it have to be read after all.
            conditional, number = False, 1
            continue
        conditional = False
        ask = partial(outside.get, f"/orgs/{config.org}/repos", list[Repo], params=params)
        answer = walk.other(answer, _names, ask)
        walk.saw(_names(answer))
        got = answer.body or []
        repos += got
        etags.append(answer.etag)
        if not more(answer.headers, len(got) + answer.odd, PER_PAGE):
            break
        number += 1
    # Without a validator on each page, "unchanged" could not be told next time.
    state.listing, state.globs = etags if all(etags) else [], [*config.repositories]
    return [repo for repo in repos if config.selects(repo.full_name)]


def _names(answer: Answer[list[Repo]]) -> tuple[str, ...]:
    return tuple(repo.full_name for repo in answer.body or ())


def _inventory(config: Config, outside: Outside, state: State) -> Iterator[Page]:
    repos = _listing(config, outside, state)
    if repos is None:
        return
    # One that was archived since the last poll is read once more.
    polled = {repo.full_name: repo for repo in repos if not repo.archived or repo.full_name in state.repos}
    state.repos = {name: state.repos.get(name) or RepoState() for name in polled}
    for name, repo in polled.items():
        held = state.repos[name]
        held.topics, held.has_issues, held.archived = repo.topics, repo.has_issues, repo.archived
        held.created, held.pushed = repo.created_at, repo.pushed_at or ""
    owners = {name: held.owner.team for name, held in state.repos.items()}
    yield Page(
        facts=[repository(repo, owners.get(repo.full_name, "")) for repo in repos],
        checkpoint=dump(state),
        complete=frozenset({Repository}),
        progress=f"{len(repos)} repositories of {config.org}",
    )


def _owners(config: Config, outside: Outside, state: State, now: datetime) -> Iterator[Page]:
    """Repositories whose owner is another than it was."""
    changed = read_owners(outside, state, now) if config.codeowners else forget_owners(state)
    while names := list(islice(changed, REPO_FACTS)):
        held = {name: state.repos[name] for name in names}
        facts = [
            repository(
                Repo(full_name=name, topics=repo.topics, created_at=repo.created, archived=repo.archived),
                repo.owner.team,
            )
            for name, repo in held.items()
        ]
        yield Page(facts=facts, checkpoint=dump(state), progress=f"owners of {len(facts)} repositories")


def _sweep(config: Config, outside: Sieve, state: State, since: datetime, now: datetime) -> Iterator[Page]:
    # A repository that turns up later is read back to `history`; all others go on from their own cursors.
    unread = since if now == state.first else min(since, now - config.history)
    sweep, facts, visited = Sweep(), list[Event](), 0
    try:
        for name, repo in sorted(state.repos.items(), key=_turn):
            visit = Visit(
                outside=outside,
                ref=about(name, repo.topics),
                now=now,
                since=unread,
                overlap=config.overlap,
                first=state.first,
                jobs=config.jobs,
                infra_steps=config.infra_steps,
                bots=config.bots,
                agents=config.agents,
                tickets=state.tickets,
            )
            readers = _readers(config, name, repo)
            for step in sweep.visit(visit, repo, readers):
                facts += step
                if len(facts) >= PAGE_FACTS:
                    oldest = min(fact.at for fact in step) if step else now
                    yield Page(facts=facts, checkpoint=dump(state), progress=f"{oldest:%Y-%m-%d} of {name}")
                    facts, visited = [], 0
            visited += 1
            if repo.archived and _at_rest(repo, readers, now):
                del state.repos[name]
            if len(facts) >= REPO_FACTS or visited >= PAGE_REPOSITORIES:
                yield Page(facts=facts, checkpoint=dump(state), progress=name)
                facts, visited = [], 0
        for gone in _gone(config, outside, state, now):
            facts.append(gone)
        sweep.settle(outside)
    except Exception:
        # What was read up to here is paid for: the next poll goes on behind it.
        yield Page(facts=facts, checkpoint=dump(state))
        raise
    if facts:
        yield Page(facts=facts, checkpoint=dump(state))
    yield from _owners(config, outside, state, now)
    yield Page(
        facts=_active(config, state),
        checkpoint=dump(state),
        complete=frozenset({PipelineActive}),
    )


def _gone(config: Config, outside: Outside, state: State, now: datetime) -> Iterator[Event]:
    """Open issues that are no more."""
    queues = {name for name, repo in state.repos.items() if "issues" in _readers(config, name, repo)}
    return missing_issues(outside, state.tickets, queues, now)


def _turn(item: tuple[str, RepoState]) -> tuple[bool, datetime, str]:
    """Those that failed last time come after all others."""
    name, repo = item
    return repo.failing, repo.visited or _NEVER, name


def _readers(config: Config, name: str, repo: RepoState) -> Mapping[str, Reader]:
    readers: dict[str, Reader] = {"runs": read_runs, "deployments": read_deployments, "pulls": read_pulls}
    if repo.has_issues and _matches(name, config.issues):
        readers |= {"issues": read_issues, "backlog": read_backlog}
    return readers


def _at_rest(repo: RepoState, readers: Mapping[str, Reader], now: datetime) -> bool:
    """Whether nothing more can come of an archived repository: this poll read all of it, and no run goes on."""
    cursors: list[Cursor] = [getattr(repo, name) for name in readers]
    whole = all(cursor.read == now and cursor.failing is None for cursor in cursors)
    return whole and all(run.state == UNAPPROVED for run in repo.runs.open.values())


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
        except Refused:
            return True
        except Unexpected as error:
            if error.status == 404:
                # GitHub hides what a token may not see; but an empty repository has no contents.
                return not path.endswith("/contents")
            raise
        return False

    try:
        repos = outside.get(f"/orgs/{config.org}/repos", list[Repo], params={"per_page": PER_PAGE}).body or []
    except Refused as error:
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
    if config.codeowners:
        # The files at the top, since CODEOWNERS itself may well be missing.
        wanted += [
            (name, "contents", "CODEOWNERS", "Contents: read"),
            (name, "teams", "teams, asked where there is no CODEOWNERS,", "Administration: read"),
        ]
    queues = (repo.full_name for repo in polled if repo.has_issues and _matches(repo.full_name, config.issues))
    wanted += [(queue, "issues", "issues", "Issues: read") for queue in list(queues)[:1]]
    return [
        f"repository {repo}: its {what} can't be read; give the token the repository permission '{permission}'"
        for repo, path, what, permission in wanted
        if lacks(f"/repos/{repo}/{path}", Any)
    ]


_REMOTE = re.compile(r"(?:(?:https?|ssh)://)?github\.com[:/]([A-Za-z0-9][A-Za-z0-9-]*)/\S+")


def propose(around: Surroundings) -> Proposal:
    """A section for each owner of a git remote on github.com, that of `origin` first."""
    variable = around.variable("GITHUB_TOKEN", "GH_TOKEN") or "GITHUB_TOKEN"

    def settings(org: str) -> Settings:
        return {"org": org, "token": {"env": variable}}

    remotes = ((name != "origin", _REMOTE.fullmatch(address)) for name, address in around.remotes)
    orgs = dict.fromkeys(org for _, org in sorted((other, match[1]) for other, match in remotes if match))
    return Proposal(
        about="GitHub Actions, deployments and pull requests. The token needs to read metadata, actions, deployments and\n"
        "pull requests; contents and administration too, to find whose a repository is (docs/sources.md).",
        found={f"github-{org.lower()}": settings(org) for org in orgs},
        sample=("github-acme", settings("acme")),
        fill_in="your organisation",
    )


SOURCE = Source(
    name="github",
    title="GitHub",
    reads="repositories, workflow runs and jobs, deployments, merged pull requests, issues of an organisation",
    needs="fine-grained token: Metadata, Actions, Deployments, Pull requests, (for owners) Contents and Administration, "
    "(for tickets) Issues and the organisation's Members, all read",
    config=Config,
    gives=frozenset({Repository, PipelineRun, PipelineJob, PipelineActive, Deployment, Change, TicketEvent}),
    access=access,
    connect=connect,
    check=check,
    propose=propose,
)
