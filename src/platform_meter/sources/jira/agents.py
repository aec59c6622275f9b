"""Who answers tickets: accounts, members of groups and holders of a role in a project, as `agents` names them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from msgspec import Struct

from platform_meter.model.source import Answer, Outside
from platform_meter.sources.jira.rows import Person
from platform_meter.sources.kit.walk import Walk

GROUP, ROLE = "group:", "role:"
_SIZE = 50


class _Members(Struct, rename="camel"):
    values: list[Person] = []
    total: int = 0
    is_last: bool = False


class _Group(Struct, rename="camel"):
    name: str = ""


class _Actor(Struct, rename="camel"):
    type: str = ""
    name: str = ""
    """Data Center: of the account or the group."""
    actor_user: Person | None = None
    actor_group: _Group | None = None


class _Role(Struct):
    actors: list[_Actor] = []


class Agents:
    """Of one poll; groups and roles are asked for once in it.

    Who may not be known is an error of the poll: without agents every ticket would look unanswered.
    """

    def __init__(self, outside: Outside, version: str, named: Iterable[str]) -> None:
        self._outside, self._root, self._named = outside, f"/rest/api/{version}", tuple(named)
        self._groups: dict[str, frozenset[str]] = {}
        self._roles: dict[tuple[str, str], frozenset[str] | None] = {}

    def of(self, project: str) -> frozenset[str] | None:
        """Ids of all accounts that answer in a project; None where `agents` names nobody.

        Raises:
            Forbidden, Unexpected: a group or a role can't be read.
        """
        if not self._named:
            return None
        found: set[str] = set()
        for name in self._named:
            if name.startswith(GROUP):
                found |= self.group(name.removeprefix(GROUP))
            elif name.startswith(ROLE):
                found |= self.role(project, name.removeprefix(ROLE)) or frozenset()
            else:
                found.add(name)
        return frozenset(found)

    def group(self, name: str) -> frozenset[str]:
        """Ids of the members of a group."""
        if name not in self._groups:
            self._groups[name] = frozenset(id_ for person in self._members(name) for id_ in person.ids)
        return self._groups[name]

    def _members(self, name: str) -> list[Person]:
        path = f"{self._root}/group/member"
        found: list[Person] = []
        walk, total = Walk(path), 0
        while True:
            params = {"groupname": name, "startAt": len(found), "maxResults": _SIZE}
            answer = walk.page(
                _digest, partial(self._outside.get, path, _Members, params=params), of=total - len(found)
            )
            page = answer.body or _Members(is_last=True)
            found, total = found + page.values, page.total
            if page.is_last or not page.values:
                return found

    def role(self, project: str, name: str) -> frozenset[str] | None:
        """Ids of those who hold a role in a project; None where it has no role of that name."""
        if (project, name) not in self._roles:
            self._roles[project, name] = self._holders(project, name)
        return self._roles[project, name]

    def _holders(self, project: str, name: str) -> frozenset[str] | None:
        path = f"{self._root}/project/{project}/role"
        address = (self._outside.get(path, dict[str, str]).body or {}).get(name)
        if address is None:
            return None
        role = self._outside.get(f"{path}/{address.rpartition('/')[2]}", _Role).body or _Role()
        found: set[str] = set()
        for actor in role.actors:
            if "group" in actor.type:
                found |= self.group(actor.actor_group.name if actor.actor_group else actor.name)
            else:
                found |= actor.actor_user.ids if actor.actor_user else frozenset({actor.name} - {""})
        return frozenset(found)


def _digest(answer: Answer[_Members]) -> tuple[frozenset[str], ...]:
    return tuple(person.ids for person in answer.body.values) if answer.body else ()
