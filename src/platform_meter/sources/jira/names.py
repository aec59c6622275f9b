"""What statuses, priorities, resolutions and types are called: their ids lead, today's names follow.

A rename writes no history, and fields speak the account's language where the changelog speaks the Jira's own. So what
the changelog says is put in today's names by id, and what it was called there stays known as another name of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping

from platform_meter.model.facts.tickets import Alias
from platform_meter.sources.jira.rows import Item, Named

NAMED = ("status", "priority", "resolution", "issuetype")
"""Fields whose values have ids and names of their own."""


class Names:
    """Of one poll. `listed` tells all that the Jira has of one field, by id; it is asked where an issue shows too little.

    `told` is what each was called in earlier polls, by field and id, and is kept up to date.
    """

    def __init__(
        self,
        listed: Callable[[str], Mapping[str, str]] = lambda _: {},
        told: dict[str, dict[str, str]] | None = None,
    ) -> None:
        self._listed = listed
        self._told = {} if told is None else told
        self._asked: set[str] = set()
        self._today: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._others: defaultdict[tuple[str, str], set[str]] = defaultdict(set)

    def ends(self, field: str, today: Named | None, last: Item) -> bool:
        """Whether the last change of a field is the one to the value that it has today."""
        then, id_ = last.to_string or "", last.after or ""
        if today is None or not today.name:
            return not then and not id_
        if today.id and id_:
            self._know(field, today.id, today.name)
            return today.id == id_
        if not id_:
            return today.name == then
        if id_ not in self._today[field]:
            self._know(field, id_, today.name)
        return self.of(field, id_, then) == today.name

    def of(self, field: str, id_: str | None, text: str | None) -> str:
        """Today's name of a value of the changelog; as it stands there where nobody knows its id."""
        if not id_ or field not in NAMED:
            return text or ""
        if id_ not in self._today[field] and field not in self._asked:
            self._asked.add(field)
            for known, name in self._listed(field).items():
                self._know(field, known, name)
        name = self._today[field].get(id_) or text or ""
        if text and text != name:
            self._others[field, name].add(text)
        return name

    def _know(self, field: str, id_: str, name: str) -> None:
        """It is called so today; what it was called before stays known."""
        self._today[field][id_] = name
        before = self._told.setdefault(field, {}).get(id_, name)
        if before != name:
            self._others[field, name].add(before)
        self._told[field][id_] = name

    def saw(self, field: str, value: Named | None) -> None:
        """An issue shows what a value is called today."""
        if value is not None and value.id and value.name:
            self._know(field, value.id, value.name)

    def aliases(self, field: str, name: str) -> tuple[Alias, ...]:
        """Other names of a value, as far as changelogs have told."""
        return tuple(Alias(field, name, other) for other in sorted(self._others.get((field, name), ())))
