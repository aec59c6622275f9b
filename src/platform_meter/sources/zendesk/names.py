"""What queues and statuses are called today, by their ids. Each is asked for when its name is wanted first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

from platform_meter.model.facts import Ref
from platform_meter.model.facts.tickets import Alias
from platform_meter.sources.zendesk.config import LISTS, Queue
from platform_meter.sources.zendesk.rows import SYSTEM, CustomStatus

UNASSIGNED = "none"
"""The queue of a ticket that is in none yet."""


class Called:
    """Of one poll. `told` is what statuses were called in earlier polls, by id, and is kept up to date."""

    def __init__(
        self,
        queue: Queue,
        name: Callable[[str], str] = lambda _: "",
        statuses: Callable[[], Mapping[str, CustomStatus]] = dict,
        told: dict[str, list[str]] | None = None,
    ) -> None:
        self._queue, self._name, self._list_statuses = queue, name, statuses
        self._names = dict[str, str]()
        self._told = {} if told is None else told

    @cached_property
    def _statuses(self) -> Mapping[str, CustomStatus]:
        found = self._list_statuses()
        for id_, made in found.items():
            if not made.default and made.agent_label not in (before := self._told.setdefault(id_, [])):
                before.append(made.agent_label)
        return found

    def queue(self, id_: str) -> str:
        """Its name, or its id where nobody tells one."""
        return self._called(id_) or id_ or UNASSIGNED

    def _called(self, id_: str) -> str:
        if id_ and id_ not in self._names:
            self._names[id_] = self._name(id_)
        return self._names.get(id_, "")

    def ref(self, id_: str, group: str) -> Ref:
        """The object that a ticket in a queue is about, with the group that it is assigned to."""
        name = self._called(id_)
        links = (f"{SYSTEM}:{LISTS['group']}/{group}",) if group and self._queue != "group" else ()
        return Ref(
            system=SYSTEM,
            kind=self._queue,
            id=f"{LISTS[self._queue]}/{id_ or UNASSIGNED}",
            labels=(("name", name),) if name else (),
            links=links,
        )

    def status(self, word: str, id_: str) -> str:
        """What a ticket's status is called: by its own name where people made it, else by Zendesk's word for it."""
        made = self._statuses.get(id_) if id_ else None
        # A ticket keeps its own status when it is closed, and the word tells that.
        if made is None or made.default or made.status_category != word:
            return word
        return made.agent_label or word

    def aliases(self, name: str) -> tuple[Alias, ...]:
        """What a status that people made was called before it was renamed."""
        ids = (id_ for id_, made in self._statuses.items() if made.agent_label == name and not made.default)
        before = {other for id_ in ids for other in self._told.get(id_, ()) if other != name}
        return tuple(Alias("status", name, other) for other in sorted(before))
