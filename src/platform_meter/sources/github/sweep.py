"""The sweep over an organisation's repositories: whose turn it is, and the pages that come of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from platform_meter.model.facts import Event
from platform_meter.model.outcomes import with_own
from platform_meter.model.progress import Progress
from platform_meter.model.source import Page
from platform_meter.sources.github.config import Config, matches
from platform_meter.sources.github.deployments import read_deployments
from platform_meter.sources.github.facts import about
from platform_meter.sources.github.outcomes import RULES
from platform_meter.sources.github.poll import Visit, read_pulls
from platform_meter.sources.github.runs import UNAPPROVED, read_runs
from platform_meter.sources.github.state import RepoState, State, dump
from platform_meter.sources.github.tickets import missing_issues, read_backlog, read_issues
from platform_meter.sources.kit.cursor import Cursor
from platform_meter.sources.kit.open_tickets import Sightings
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.sweep import Object, Sweep, Told

_NEVER = datetime.min.replace(tzinfo=UTC)
_Reader = Callable[[Visit, Any], Iterator[list[Event]]]


def sweep(config: Config, outside: Sieve, state: State, since: datetime, now: datetime) -> Iterator[Page]:
    """Visit the repositories whose turn it is; after each page `state` holds exactly what was told so far.

    Raises:
        SourceError: the quota is used up, or a list can be read nowhere, or not any more.
    """
    # A repository that turns up later is read back to `history`; all others go on from their own cursors.
    unread = since if now == state.first else min(since, now - config.history)
    names = due(config, state, now)
    importing = any(state.repos[name].visited is None for name in names)
    oldest = now
    sweep = Sweep[RepoState](outside, now, partial=len(names) < len(state.repos))
    objects = [_object(config, outside, state, name, unread, now) for name in names]

    def take(told: Told[RepoState]) -> None:
        nonlocal oldest
        _take_over(config, state, told, now)
        oldest = min([oldest, *(fact.at for fact in told.facts)])

    def page(facts: Sequence[Event], _done: int = 0) -> Page:
        return Page(
            facts=facts,
            checkpoint=dump(state),
            progress=Progress(
                what=f"repositories of {config.org}",
                done=state.whole,
                of=len(state.repos),
                back_to=oldest if importing and oldest < now else None,
            ),
        )

    def missing() -> Iterator[Event]:
        queues = {name for name, repo in state.repos.items() if "issues" in _readers(config, name, repo)}
        return missing_issues(outside, state.tickets, queues, now)

    left = yield from sweep.pages(objects, take, page, missing)
    state.swept = now
    if left:
        yield page(left)


def due(config: Config, state: State, now: datetime) -> list[str]:
    """Whose turn it is, the one visited longest ago first; those that failed last time come after all others.

    It is everybody's while the time between two polls suffices for all. Else it is that of all where something may have
    happened, and of as many quiet ones as there is time for, or as it takes to come round within `all_within`.
    """
    order = sorted(state.repos, key=lambda name: _turn(name, state.repos[name]))
    if config.room is None:
        return order
    quiet = [name for name in order if not state.repos[name].lively(now)]
    since_last = config.every if state.swept is None else max(config.every, now - state.swept)
    # The round that comes to the last of them takes its time too.
    wanted = math.ceil(len(quiet) * (since_last / max(config.all_within - 2 * config.every, config.every)))
    resting = frozenset(quiet[max(config.room - (len(order) - len(quiet)), wanted) :])
    return [name for name in order if name not in resting]


def _turn(name: str, repo: RepoState) -> tuple[bool, datetime, str]:
    return repo.failing, repo.visited or _NEVER, name


def _object(
    config: Config, outside: Sieve, state: State, name: str, unread: datetime, now: datetime
) -> Object[RepoState]:
    repo, tickets = state.repos[name], Sightings(state.tickets)
    visit = Visit(
        outside=outside,
        ref=about(name, repo.topics),
        now=now,
        since=unread,
        overlap=config.overlap,
        first=state.first,
        jobs=config.jobs,
        rules=with_own(config.outcomes, RULES),
        bots=config.bots,
        agents=config.agents,
        deployments=config.deployments,
        reviews=config.reviews,
        change_sets=config.change_sets,
        tickets=tickets,
        incidents=config.incidents,
    )
    readers = {list_: partial(read, visit) for list_, read in _readers(config, name, repo).items()}
    return Object(id=name, state=repo, readers=readers, start=visit.start, rest=tickets.take)


def _take_over(config: Config, state: State, told: Told[RepoState], now: datetime) -> None:
    """Remember what is told now."""
    before, repo = state.repos[told.id], told.state
    # Whatever could be read of it: others come first in the next poll.
    repo.visited = now
    repo.stirred = max((fact.at for fact in told.facts), default=before.stirred)
    if before.stirred is not None and repo.stirred is not None:
        repo.stirred = max(before.stirred, repo.stirred)
    state.repos[told.id] = repo
    if told.ended and repo.archived and _at_rest(repo, _readers(config, told.id, repo), now):
        del state.repos[told.id]


def _readers(config: Config, name: str, repo: RepoState) -> Mapping[str, _Reader]:
    readers: dict[str, _Reader] = {"deployments": read_deployments, "runs": read_runs, "pulls": read_pulls}
    if repo.has_issues and matches(name, config.issues):
        readers |= {"issues": read_issues, "backlog": read_backlog}
    return readers


def _at_rest(repo: RepoState, readers: Mapping[str, _Reader], now: datetime) -> bool:
    """Whether nothing more can come of an archived repository: this poll read all of it, and no run goes on."""
    cursors: list[Cursor] = [getattr(repo, name) for name in readers]
    whole = all(cursor.read == now and cursor.failing is None for cursor in cursors)
    return whole and all(run.state == UNAPPROVED for run in repo.runs.open.values())
