"""One name for each status, priority and resolution of a tool: the one that the Ticketing file writes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from platform_meter.model.facts.tickets import Alias

NONE = "none"
"""The label value of a ticket without priority, severity or category."""


class Names:
    """Other names of values, as a tool's own answers have told them.

    A tool calls one thing by several names: before and after a rename, in the account's language and in its own. The
    file knows one of them, and that one holds; without it the name that the event says.
    """

    def __init__(self, aliases: Iterable[Alias] = ()) -> None:
        self._others: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self._later: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        """What is said of a value under another name: what was told before a rename bears the old one."""
        self.learn(aliases)

    def learn(self, aliases: Iterable[Alias]) -> bool:
        """Whether any of them is new."""
        new = False
        for field, name, other in aliases:
            known = self._others[field, name]
            new |= other not in known
            known.add(other)
            self._later[field, other].add(name)
        return new

    def aliases(self) -> tuple[Alias, ...]:
        """All that was learned, in order."""
        return tuple(
            Alias(field, name, other)
            for (field, name), others in sorted(self._others.items())
            for other in sorted(others)
        )

    def of(self, field: str, name: str, words: Collection[str]) -> str:
        """The name in the words of a file."""
        if name in words or not self._others:
            return name
        # A name that one thing has now and another had before is the former's.
        known = self._others.get((field, name)) or self._later.get((field, name), set())
        return min((other for other in known if other in words), default=name)
