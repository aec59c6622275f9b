"""GitHub: workflow runs, jobs, deployments, merged pull requests and issues of an organisation.

One stream sweeps all repositories, the one read longest ago first, so that even a sweep that always ends early (quota)
gets everywhere. The lists are read in `_github_runs`, `_github_deployments` and `_github_poll`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any, Literal

import msgspec
from msgspec import Struct
from pydantic import Field

from platform_meter.model.facts import (
    Change,
    Deployment,
    Event,
    Fact,
    PipelineActive,
    PipelineJob,
    PipelineRun,
    Ref,
    Repository,
    TicketEvent,
)
from platform_meter.model.source import (
    Access,
    Expired,
    Gap,
    Outside,
    Page,
    Refused,
    Secret,
    Source,
    SourceConfig,
    Stream,
    Unexpected,
)
from platform_meter.sources._github_deployments import read_deployments
from platform_meter.sources._github_facts import SYSTEM, about, repository
from platform_meter.sources._github_owners import forget_owners, read_owners
from platform_meter.sources._github_poll import PER_PAGE, Visit, read_issues, read_pulls
from platform_meter.sources._github_rows import Repo, more
from platform_meter.sources._github_runs import read_runs
from platform_meter.sources._github_state import Cursor, RepoState, State, dump, load

PAGE_FACTS = 1_000
"""Facts that make a page worth its transaction."""
REPO_FACTS = 100
"""Facts that do so at the end of a repository: less waits for the next one."""
_NEVER = datetime.min.replace(tzinfo=UTC)


class Config(SourceConfig):
    org: str = Field(examples=["acme"])
    url: str = "https://api.github.com"
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
        token=config.token,
        headers={"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"},
        rate_headers=("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"),
    )


def connect(config: Config, outside: Outside, instance: str) -> Sequence[Stream]:
    del instance

    def read(checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        state = load(checkpoint, now)
        if checkpoint is None:
            # The moment of the first poll decides whose jobs are read: it is kept even if nothing else works.
            yield Page(checkpoint=dump(state))
        yield from _inventory(config, outside, state)
        yield from _sweep(config, outside, state, since, now)

    return [Stream(name="api", read=read)]


def _listing(config: Config, outside: Outside, state: State) -> list[Repo] | None:
    """Every repository of the organisation; None when no page of the list changed since the last poll."""
    repos: list[Repo] = []
    etags: list[str] = []
    # Other globs select from the whole list, so it has to be read.
    conditional = bool(state.listing) and state.globs == [*config.repositories]
    number = 1
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
        got = answer.body or []
        repos += got
        etags.append(answer.etag)
        if not more(answer.headers, len(got), PER_PAGE):
            break
        number += 1
    # Without a validator on each page, "unchanged" could not be told next time.
    state.listing, state.globs = etags if all(etags) else [], [*config.repositories]
    return [repo for repo in repos if config.selects(repo.full_name)]


def _inventory(config: Config, outside: Outside, state: State) -> Iterator[Page]:
    repos = _listing(config, outside, state)
    if repos is None:
        return
    polled = {repo.full_name: repo for repo in repos if not repo.archived}
    state.repos = {name: state.repos.get(name) or RepoState() for name in polled}
    for name, repo in polled.items():
        held = state.repos[name]
        held.topics, held.has_issues = repo.topics, repo.has_issues
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
            repository(Repo(full_name=name, topics=repo.topics, created_at=repo.created), repo.owner.team)
            for name, repo in held.items()
        ]
        yield Page(facts=facts, checkpoint=dump(state), progress=f"owners of {len(facts)} repositories")


def _sweep(config: Config, outside: Outside, state: State, since: datetime, now: datetime) -> Iterator[Page]:
    # A repository that turns up later is read back to `history`; all others go on from their own cursors.
    unread = since if now == state.first else min(since, now - config.history)
    facts: list[Event] = []
    failed: list[Unexpected] = []
    for name, repo in sorted(state.repos.items(), key=lambda item: (item[1].runs.read or _NEVER, item[0])):
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
        )
        for step in _read(config, visit, repo, failed):
            facts += step
            if len(facts) >= PAGE_FACTS:
                oldest = min(fact.at for fact in step) if step else now
                yield Page(facts=facts, checkpoint=dump(state), progress=f"{oldest:%Y-%m-%d} of {name}")
                facts = []
        if len(facts) >= REPO_FACTS:
            yield Page(facts=facts, checkpoint=dump(state), progress=name)
            facts = []
    if facts:
        yield Page(facts=facts, checkpoint=dump(state))
    yield from _owners(config, outside, state, now)
    yield Page(
        facts=_active(config, state),
        checkpoint=dump(state),
        complete=frozenset({PipelineActive}),
    )
    if failed:
        raise failed[0]


def _read(config: Config, visit: Visit, repo: RepoState, failed: list[Unexpected]) -> Iterator[list[Event]]:
    """Every list of one repository.

    One that is gone (404, 410) or can't be understood goes back to its last cursor and is tried again at the next poll;
    the latter is kept in `failed`, so that one repository's odd answer stops no other.
    """
    lists: dict[str, Callable[[Visit, Any], Iterator[list[Event]]]] = {
        "runs": read_runs,
        "deployments": read_deployments,
        "pulls": read_pulls,
    }
    if repo.has_issues and _matches(visit.ref.id, config.issues):
        lists["issues"] = read_issues
    for name, read in lists.items():
        cursor: Cursor = getattr(repo, name)
        kept = msgspec.msgpack.encode(cursor)
        try:
            yield from read(visit, cursor)
        except (Expired, Unexpected) as error:
            before = msgspec.msgpack.decode(kept, type=type(cursor))
            setattr(repo, name, before)
            if isinstance(error, Unexpected) and error.status != 404:
                failed.append(error)
            elif isinstance(error, Unexpected):
                # Renamed or deleted since it was listed, or hidden from this token.
                text = f"{visit.ref.id}: {error}"
                visit.outside.gap(Gap(start=visit.start(before), end=visit.now, reason="forbidden", text=text))


def _active(config: Config, state: State) -> list[Fact]:
    """Runs that wait and run now by pool: that of the workflow's last run whose jobs were read. Idle pools are 0."""
    queued: Counter[str] = Counter()
    running: Counter[str] = Counter()
    for repo in state.repos.values():
        queued.update(dict.fromkeys(repo.runs.pools.values(), 0))
        for run in repo.runs.open.values():
            (running if run.running else queued)[repo.runs.pools.get(run.workflow, "")] += 1
    return [
        PipelineActive(
            about=Ref(system=SYSTEM, kind="pool", id=f"{config.org}/{pool or '-'}"),
            pool=pool,
            queued=queued[pool],
            running=running[pool],
        )
        for pool in sorted(queued.keys() | running.keys())
    ]


class _Limits(Struct):
    resources: dict[str, Any]


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
        outside.get("/rate_limit", _Limits)
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


SOURCE = Source(
    name="github",
    config=Config,
    gives=frozenset({Repository, PipelineRun, PipelineJob, PipelineActive, Deployment, Change, TicketEvent}),
    access=access,
    connect=connect,
    check=check,
)
