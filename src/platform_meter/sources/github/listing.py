"""The organisation's list of repositories, and whose place is whose: GitHub's id stays when the name does not.

A repository that is not in the list keeps its place for a week: a list that shifts while its pages are read, or a token
that sees nothing for a moment, must not have its whole history read again.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

from platform_meter.model.facts.delivery import Repository
from platform_meter.model.progress import Progress
from platform_meter.model.source import Answer, Outside, Page, Unexpected
from platform_meter.sources.github.config import Config
from platform_meter.sources.github.facts import repository
from platform_meter.sources.github.poll import PER_PAGE
from platform_meter.sources.github.rows import Repo, more
from platform_meter.sources.github.state import RepoState, State, dump
from platform_meter.sources.kit.walk import Walk

KEPT = timedelta(days=7)
"""A place is kept for so long after its repository was listed last."""
PER_LISTED_PAGE = timedelta(seconds=6)
"""For each further page the list is asked for so much later: a long list takes 600 calls an hour at most."""


def inventory(config: Config, outside: Outside, state: State, now: datetime) -> Iterator[Page]:
    """All repositories, where the list of them changed; `state.repos` are those to visit.

    Raises:
        Unexpected: it is empty all of a sudden.
    """
    repos = _listing(config, outside, state, now)
    if repos is None:
        return
    if not repos and state.repos:
        state.emptied = state.emptied or now
        if now - state.emptied < KEPT:
            held = len(state.repos)
            yield Page(checkpoint=dump(state))
            raise Unexpected(
                f"organisation {config.org}: its list of repositories is empty, and it had {held}; see whether the "
                f"token still may see them ('Metadata: read'). It is believed from {state.emptied + KEPT:%Y-%m-%d} on"
            )
    state.emptied = None
    repos = [repo for repo in repos if config.selects(repo.full_name)]
    _place(state, repos, now)
    yield Page(
        facts=[repository(repo, _team(state, repo)) for repo in repos],
        checkpoint=dump(state),
        complete=frozenset({Repository}),
        progress=Progress(what=f"repositories of {config.org}", done=state.whole, of=len(state.repos)),
    )


def _team(state: State, repo: Repo) -> str:
    held = state.repos.get(repo.full_name)
    return held.owner.team if held is not None else ""


def _place(state: State, repos: list[Repo], now: datetime) -> None:
    """Give each repository its place, by id, or by name where none is known; keep those that have none to go to."""
    held = {_key(name, repo): repo for name, repo in state.repos.items()} | state.lost
    placed: dict[str, RepoState] = {}
    for repo in repos:
        found = (held.pop(str(repo.id), None) if repo.id else None) or held.pop(repo.full_name, None)
        # One that was archived since the last poll is read once more.
        if repo.archived and found is None:
            continue
        placed[repo.full_name] = _listed(found or RepoState(), repo, now)
    for place in held.values():
        place.lost = place.lost or now
    state.repos = placed
    state.lost = {key: place for key, place in held.items() if place.lost is None or now - place.lost < KEPT}


def _key(name: str, repo: RepoState) -> str:
    return str(repo.id) if repo.id else name


def _listed(place: RepoState, repo: Repo, now: datetime) -> RepoState:
    """The place with what the list says of its repository."""
    pushed = repo.pushed_at or ""
    if pushed != place.pushed and place.visited is not None:
        place.stirred = now
    place.id, place.lost = repo.id, None
    place.topics, place.has_issues, place.archived = repo.topics, repo.has_issues, repo.archived
    place.created, place.pushed = repo.created_at, pushed
    return place


def _listing(config: Config, outside: Outside, state: State, now: datetime) -> list[Repo] | None:
    """Every repository of the organisation; None when no page of the list changed since it was asked for last."""
    repos: list[Repo] = []
    etags: list[str] = []
    same = state.globs == [*config.repositories]
    further = len(state.repos) // PER_PAGE
    if same and state.listed and not state.emptied and now - state.listed < further * PER_LISTED_PAGE:
        return None
    state.listed = now
    # Other globs select from the whole list, so it has to be read.
    conditional = bool(state.listing) and same
    number = 1
    walk = Walk(f"/orgs/{config.org}/repos")
    while True:
        etag = state.listing[number - 1] if conditional else ""
        params = {"sort": "created", "direction": "desc", "per_page": PER_PAGE, "page": number}
        answer = outside.get(f"/orgs/{config.org}/repos", list[Repo], params=params, etag=etag)
        if not answer.changed:
            if number == len(state.listing):
                state.emptied = None
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
    if not repos and state.repos:
        return repos
    # Without a validator on each page, "unchanged" could not be told next time.
    state.listing, state.globs = etags if all(etags) else [], [*config.repositories]
    return repos


def _names(answer: Answer[list[Repo]]) -> tuple[str, ...]:
    return tuple(repo.full_name for repo in answer.body or ())
