"""What happened to the tickets of one page: their changes and their comments, each asked for once for all of them.

Both lie in tables of their own, which hold those of all tickets and are often closed to accounts that read tickets.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from platform_meter.model.source import Forbidden
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.servicenow.lists import Rows, Table
from platform_meter.sources.servicenow.rows import Audit, Entry, Record, names_of

AUDITED = ("state", "priority", "severity", "assignment_group", "assigned_to")
_SIZE = 500
R = TypeVar("R", Audit, Entry)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Of one ticket."""

    audits: Sequence[Audit] | None = ()
    """None where they can't be read."""
    entries: Sequence[Entry] | None = ()


class _Told(Generic[R]):
    """One of the two tables."""

    def __init__(self, table: Table[R], by: str, more: str) -> None:
        self._table: Table[R] = table
        self._by, self._more = by, more
        self.refused = ""
        """Why none of it can be read."""

    def of(self, ids: Sequence[str]) -> Mapping[str, list[R] | None]:
        """Rows by ticket; None of one of which not all may be seen."""
        if self.refused or not ids:
            return dict.fromkeys(ids)
        before = self._table.hidden
        found: defaultdict[str, list[R]] = defaultdict(list)
        try:
            for page in self._table.all(f"{self._by}IN{','.join(ids)}^{self._more}"):
                for row in page:
                    value: str = getattr(row, self._by).raw
                    found[value].append(row)
        except Forbidden as error:
            self.refused = str(error)
            return dict.fromkeys(ids)
        if self._table.hidden == before:
            return {id_: found[id_] for id_ in ids}
        if len(ids) == 1 or not found:
            return dict.fromkeys(ids)
        # Of one ticket of the page at least something is hidden: each is asked for alone.
        return {id_: rows for each in ids for id_, rows in self.of([each]).items()}


@dataclass(slots=True)
class Histories:
    """Of one poll; a table that refuses is not asked twice."""

    outside: Sieve
    _audits: _Told[Audit] = field(init=False)
    _entries: _Told[Entry] = field(init=False)

    def __post_init__(self) -> None:
        audits = Table(self.outside, "sys_audit", Rows[Audit], names_of(Audit), _SIZE)
        entries = Table(self.outside, "sys_journal_field", Rows[Entry], names_of(Entry), _SIZE)
        self._audits = _Told(audits, "documentkey", f"fieldnameIN{','.join(AUDITED)}")
        self._entries = _Told(entries, "element_id", "elementINcomments,work_notes")

    def of(self, tasks: Iterable[Record]) -> Mapping[str, History]:
        ids = [*dict.fromkeys(task.id for task in tasks)]
        audits, entries = self._audits.of(ids), self._entries.of(ids)
        return {id_: History(audits=audits[id_], entries=entries[id_]) for id_ in ids}

    @property
    def refused(self) -> str:
        """Why no history or no comments can be read, for people; empty while both can."""
        said = {"sys_audit": self._audits.refused, "sys_journal_field": self._entries.refused}
        return "; ".join(f"{table}: {error}" for table, error in said.items() if error)
