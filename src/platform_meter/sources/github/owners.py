"""Whose a repository is by its own word (rule 5 of domain section 3).

The team that CODEOWNERS names for the whole repository, else the only team that may administer or maintain it. Both
cost calls of their own, so they are asked for after all lists were read: of most repositories in the first poll, since
snapshots of the past are made after it, and of a few in each later one.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from platform_meter.model.source import Expired, Limited, Outside, Refused, Unexpected, Unreachable
from platform_meter.sources.github.rows import Content, Team, more
from platform_meter.sources.github.state import RepoOwner, State

LOCATIONS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where GitHub looks; the first that is there holds alone."""
WHOLE = frozenset({"*", "**", "/", "/**", "**/*", "/**/*"})
"""Patterns for all of a repository; `/*` is for the files at its top only."""
FIRST = 500
"""Repositories asked in the first poll that asks any: up to four calls each."""
PER_POLL = 20
"""Those asked in each later one, so that a large organisation does not use up its quota on owners."""
AGAIN = timedelta(days=1)
"""A repository that was pushed to is asked again after this long."""
LONGEST = timedelta(days=7)
"""One that was not, too: who may administer it changes without a push."""
REFUSED = timedelta(hours=1)
"""Without the permission nobody is asked for this long: others will be refused as well."""
_TEAMS = 100


def owning_team(text: str) -> str:
    """The slug of the team that a CODEOWNERS file names for the whole repository; empty where it names none.

    The last rule for the whole wins, even one without owners. Of several owners it is the first team: people and
    addresses are no teams.
    """
    owners: list[str] = []
    for line in text.splitlines():
        pattern, *named = line.partition("#")[0].split() or [""]
        if pattern in WHOLE:
            owners = named
    teams = (slug for owner in owners if owner.startswith("@") for _, _, slug in [owner.partition("/")])
    return next((slug for slug in teams if slug), "")


def read_owners(outside: Outside, state: State, now: datetime) -> Iterator[str]:
    """Ask repositories whose they are; gives the name of each whose answer is another than before.

    No failure ends the poll: what was known stands, and what is really wrong ends it at the lists.
    """
    if state.owners_after is not None and now < state.owners_after:
        return
    for name in _due(state, now):
        repo = state.repos[name]
        owner = repo.owner
        before, asked = owner.team, (owner.read, owner.pushed)
        owner.read, owner.pushed = now, repo.pushed
        try:
            _ask(outside, name, owner, state, now)
        except Refused:
            state.owners_after = now + REFUSED
            return
        except (Limited, Unreachable):
            owner.read, owner.pushed = asked
            return
        except (Expired, Unexpected):
            continue
        if owner.team != before:
            yield name


def forget_owners(state: State) -> Iterator[str]:
    """Nobody is to be asked any more; gives the name of each that had a team."""
    for name, repo in state.repos.items():
        owned = bool(repo.owner.team)
        repo.owner = RepoOwner()
        if owned:
            yield name


def _due(state: State, now: datetime) -> list[str]:
    """Whose turn it is: those never asked, then those whose answer is the oldest."""
    new, old = list[str](), list[tuple[datetime, str]]()
    for name, repo in state.repos.items():
        asked = repo.owner.read
        if repo.runs.read is None:  # its lists can't be read, so why should its files
            continue
        if asked is None:
            new.append(name)
        elif now - asked >= (AGAIN if repo.pushed != repo.owner.pushed else LONGEST):
            old.append((asked, name))
    first = all(repo.owner.read is None for repo in state.repos.values())
    return [*sorted(new), *(name for _, name in sorted(old))][: FIRST if first else PER_POLL]


def _ask(outside: Outside, name: str, owner: RepoOwner, state: State, now: datetime) -> None:
    owner.named = _named(outside, name, owner)
    owner.team = owner.named or _maintainer(outside, name, state, now)


def _named(outside: Outside, name: str, owner: RepoOwner) -> str:
    """The team that CODEOWNERS names."""
    for path in LOCATIONS:
        etag = owner.etag if path == owner.path else ""
        try:
            answer = outside.get(f"/repos/{name}/contents/{path}", Content, etag=etag)
        except Unexpected as error:
            if error.status != 404:
                raise
            continue
        if not answer.changed or answer.body is None:
            return owner.named
        owner.path, owner.etag = path, answer.etag
        return owning_team(_text(answer.body))
    owner.path, owner.etag = "", ""
    return ""


def _text(file: Content) -> str:
    """A file's text; empty where GitHub gives none, as for what is larger than 1 MB."""
    if file.encoding != "base64":
        return ""
    try:
        return base64.b64decode(file.content).decode("utf-8-sig", "replace")
    except binascii.Error as error:
        raise Unexpected(f"a file's content is no base64: {error}") from error


def _maintainer(outside: Outside, name: str, state: State, now: datetime) -> str:
    """The only team that may administer or maintain; empty without the permission to list teams."""
    if state.teams_after is not None and now < state.teams_after:
        return ""
    try:
        answer = outside.get(f"/repos/{name}/teams", list[Team], params={"per_page": _TEAMS})
    except Refused:
        state.teams_after = now + AGAIN
        return ""
    except Unexpected as error:
        if error.status != 404:  # GitHub hides what a token may not see
            raise
        return ""
    teams = answer.body or []
    return (
        ""
        if more(answer.headers, len(teams) + answer.odd, _TEAMS)
        else _only(team.slug for team in teams if team.maintains)
    )


def _only(names: Iterable[str]) -> str:
    found = list(names)
    return found[0] if len(found) == 1 else ""
