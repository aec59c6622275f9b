"""What values are called: ids lead, today's names in the account's language follow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from itertools import islice

from platform_meter.model.facts.tickets import Alias
from platform_meter.model.source import Forbidden
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.servicenow.lists import Rows, Table
from platform_meter.sources.servicenow.rows import Choice, Member, Named, Task, Value, names_of

CHOICES = ("state", "priority", "severity")
GROUP = "group:"
_MANY, _AT_ONCE = 200, 50
_USUAL = "en"


class Names:
    """Of one poll of one table. Lists of choices and groups are asked for where tickets themselves show too little."""

    def __init__(self, outside: Sieve, table: str) -> None:
        self._table = table
        self._choices = Table(outside, "sys_choice", Rows[Choice], names_of(Choice), _MANY)
        self._groups = Table(outside, "sys_user_group", Rows[Named], names_of(Named), _MANY)
        self._called: dict[tuple[str, str], str] = {}
        self._listed = False

    def saw(self, task: Task) -> None:
        """A ticket shows what its values are called today."""
        for field in CHOICES:
            value: Value = getattr(task, field)
            if value.raw:
                self._called[field, value.raw] = value.shown
        if task.assignment_group.raw:
            self._called[GROUP, task.assignment_group.raw] = task.assignment_group.shown

    def of(self, field: str, raw: str) -> str:
        """Today's name of a value; the value itself where nobody tells."""
        if raw and (field, raw) not in self._called and not self._listed:
            self._listed = True
            self._list()
        return self._called.get((field, raw), raw)

    def aliases(self, field: str, raw: str) -> tuple[Alias, ...]:
        """A Ticketing file may write the value too, which is the same in every language."""
        word = "status" if field == "state" else field
        name = self.of(field, raw)
        return (Alias(word, name, raw),) if raw and name != raw else ()

    def group(self, id_: str) -> str:
        return self._called.get((GROUP, id_), id_)

    def know(self, groups: Iterable[str]) -> None:
        """Look up what these groups are called."""
        unknown = sorted({id_ for id_ in groups if id_ and (GROUP, id_) not in self._called})
        while unknown:
            part, unknown = unknown[:_AT_ONCE], unknown[_AT_ONCE:]
            self._called |= {(GROUP, id_): id_ for id_ in part}
            try:
                found = [row for page in self._groups.all(f"sys_idIN{','.join(part)}") for row in page]
            except Forbidden:
                return
            self._called |= {(GROUP, row.id): row.name.shown for row in found if row.name.shown}

    def _list(self) -> None:
        """In the language that tickets are shown in; names of the table's own choices go before those of what it extends."""
        query = f"nameIN{self._table},task^elementIN{','.join(CHOICES)}^inactive=false"
        try:
            found = [row for page in self._choices.all(query) for row in page]
        except Forbidden:
            return
        agree = Counter(row.language.raw for row in found if self._called.get(row.place) == row.label.shown)
        language = agree.most_common(1)[0][0] if agree else _USUAL
        spoken = (row for row in found if row.language.raw == language)
        for row in sorted(spoken, key=lambda row: row.name.raw != self._table):
            self._called.setdefault(row.place, row.label.shown)


def members(outside: Sieve, group: str, most: int = 10_000) -> Collection[str]:
    """Logins of the members of a group.

    Raises:
        Forbidden: the account may not read them.
    """
    table = Table(outside, "sys_user_grmember", Rows[Member], names_of(Member), _MANY)
    rows = (row for page in table.all(f"group.name={group}") for row in page)
    return {row.login.raw.lower() for row in islice(rows, most) if row.login.raw}
