"""Readings into the store: each holds from the poll that first said it to the poll that no longer does."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Row, bindparam, select

from platform_meter.model.catalogue.meter import EVENTS_REJECTED
from platform_meter.model.facts import Fact, Reading, Ref
from platform_meter.model.facts.kubernetes import Workload
from platform_meter.model.source import Page
from platform_meter.store import codec
from platform_meter.store.counters import Additions
from platform_meter.store.database import Transaction, batches
from platform_meter.store.objects import Objects
from platform_meter.store.schema import objects as objects_table
from platform_meter.store.schema import readings
from platform_meter.store.values import Round


def write(
    tx: Transaction,
    poll: Round,
    page: Page,
    facts: Sequence[Fact],
    *,
    moment: int,
    objects: Objects,
    additions: Additions,
) -> Counter[str]:
    """Open, keep and close readings as of `moment` as the page says, and settle whose namespaces are. `facts` are those of
    the page that may be stored.

    Gives the number of refused ones by reason.
    """
    by_kind: dict[type[Reading], dict[str, Reading]] = {kind: {} for kind in page.complete}
    rejected = Counter[str]()
    for reading in (fact for fact in facts if isinstance(fact, Reading)):
        reason = _refused(reading)
        if reason:
            rejected[reason] += 1
            additions.count(EVENTS_REJECTED, (poll.type, type(reading).__name__, reason), 1)
        else:
            by_kind.setdefault(type(reading), {})[reading.key] = reading
    gone: dict[type[Reading], set[str]] = defaultdict(set)
    for kind, key in page.gone:
        gone[kind].add(key)
    for kind in sorted({*by_kind, *gone}, key=lambda k: k.__name__):
        write_kind = _Kind(tx, poll, kind, moment, objects)
        write_kind.hold(by_kind.get(kind, {}), stamp=kind not in page.complete)
        write_kind.end(gone[kind] - by_kind.get(kind, {}).keys())
        if kind in page.complete:
            write_kind.end_unsaid(by_kind[kind])
        if write_kind.moved:
            tx.changed(kind.__name__, "readings")
            if kind is Workload:
                objects.settle(tx, poll.instance, write_kind.moved)
    return rejected


def _refused(reading: Reading) -> str:
    if reading.since is not None and reading.since.tzinfo is None:
        return "naive"
    return "invalid" if "\0" in reading.key else ""


class _Kind:
    """Readings of one kind in one stream."""

    def __init__(self, tx: Transaction, poll: Round, kind: type[Reading], moment: int, objects: Objects) -> None:
        self._tx, self._poll, self._kind, self._moment, self._objects = tx, poll, kind, moment, objects
        self.moved: set[str] = set()
        """Names of the objects whose readings began, changed or ended."""

    def hold(self, said: Mapping[str, Reading], *, stamp: bool) -> None:
        """These hold now. What is unchanged stays as it is; `stamp` notes that this poll repeated it."""
        if not said:
            return
        refs: dict[tuple[str, str], tuple[Ref, int]] = {
            (r.about.kind, r.about.name): (r.about, self._moment) for r in said.values()
        }
        found = self._objects.ensure(self._tx, self._poll.instance, refs)
        held = {row.key: row for some in batches(list(said)) for row in self._open(readings.c.key.in_(some))}
        ended, opened, amended, same = [], [], [], []
        for key, reading in said.items():
            body, object_ = codec.encode(reading), found[reading.about.kind, reading.about.name]
            row = held.get(key)
            if row is not None and row.body == body and row.object == object_.id:
                same.append(row.id)
                continue
            self.moved.add(object_.name)
            if row is not None and row.start >= self._moment:
                amended.append({"its_id": row.id, "body": body, "object": object_.id, "poll": self._poll.number})
                continue
            if row is not None:
                ended.append(row.id)
            opened.append(
                {
                    "id": self._tx.next(),
                    "source": self._poll.instance,
                    "stream": self._poll.stream,
                    "kind": self._kind.__name__,
                    "key": key,
                    "object": object_.id,
                    "body": body,
                    "start": self._moment,
                    "poll": self._poll.number,
                }
            )
        self._close(ended)
        if amended:
            self._tx.conn.execute(readings.update().where(readings.c.id == bindparam("its_id")), amended)
        if opened:
            self._tx.conn.execute(readings.insert(), opened)
        if stamp:
            for some in batches(same):
                self._tx.conn.execute(readings.update().where(readings.c.id.in_(some)).values(poll=self._poll.number))

    def end(self, keys: set[str]) -> None:
        """These stopped being true, as a watch says."""
        for some in batches(sorted(keys)):
            self._end(self._open(readings.c.key.in_(some)))

    def end_unsaid(self, said: Mapping[str, Reading]) -> None:
        """All was said: what neither this page nor an earlier one of this poll repeated is over."""
        before = self._open(readings.c.poll < self._poll.number)
        self._end([row for row in before if row.key not in said])

    def _open(self, condition: ColumnElement[bool]) -> Sequence[Row[int, str, int, bytes, int, str]]:
        columns = (
            readings.c.id,
            readings.c.key,
            readings.c.object,
            readings.c.body,
            readings.c.start,
            objects_table.c.name,
        )
        return self._tx.conn.execute(
            select(*columns)
            .join(objects_table, objects_table.c.id == readings.c.object)
            .where(
                readings.c.kind == self._kind.__name__,
                readings.c.source == self._poll.instance,
                readings.c.stream == self._poll.stream,
                readings.c.until.is_(None),
                condition,
            )
        ).all()

    def _end(self, rows: Sequence[Row[int, str, int, bytes, int, str]]) -> None:
        self.moved.update(row.name for row in rows)
        self._close([row.id for row in rows if row.start < self._moment])
        for some in batches([row.id for row in rows if row.start >= self._moment]):
            # It held for no time at all.
            self._tx.conn.execute(readings.delete().where(readings.c.id.in_(some)))

    def _close(self, ids: Sequence[int]) -> None:
        for some in batches(ids):
            self._tx.conn.execute(readings.update().where(readings.c.id.in_(some)).values(until=self._moment))
