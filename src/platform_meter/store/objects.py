"""Objects that facts are about, and whose they are. Owners are joined when read, so a correction moves every gauge."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from sqlalchemy import ColumnElement, bindparam, select

from platform_meter.model.facts import Ref
from platform_meter.model.facts.kubernetes import Namespace, Workload
from platform_meter.model.history import Owner
from platform_meter.model.metric import UNOWNED
from platform_meter.model.ownership import NOBODY
from platform_meter.store import codec
from platform_meter.store.database import Transaction, batches
from platform_meter.store.schema import BEGINNING, links, objects, owners, readings
from platform_meter.store.times import MILLISECOND, to_ms
from platform_meter.store.values import Directory

_SEEN_EVERY = timedelta(days=1) // MILLISECOND
"""`last_seen` is written when it has moved this far: it only decides about pruning, and is not worth a write per page."""
_CACHED = 50_000
_ROUNDS = 4
"""How often one object is resolved again because what it links to changed hands: ends links that run in a circle."""


@dataclass(slots=True, kw_only=True)
class Known:
    """One object as it stands in the tables."""

    id: int
    source: str
    kind: str
    name: str
    labels: tuple[tuple[str, str], ...]
    links: tuple[str, ...]
    last_seen: int
    starts: tuple[int, ...] = ()
    owners: tuple[Owner, ...] = ()

    def owner(self, at: int) -> Owner:
        owners = self.owners
        return owners[0] if len(owners) == 1 else owners[bisect_right(self.starts, at) - 1]

    @property
    def ref(self) -> Ref:
        system, _, id_ = self.name.partition(":")
        return Ref(system=system, kind=self.kind, id=id_, labels=self.labels, links=self.links)


class Objects:
    """The objects table with a cache that holds as long as no other process changed it."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self._known: dict[tuple[str, str, str], Known] = {}
        self._change = -1

    def begin(self, tx: Transaction) -> None:
        """Forget what another process may have changed since the last transaction."""
        change = tx.change("owners")
        if change != self._change or len(self._known) > _CACHED:
            self._known.clear()
        self._change = change

    def committed(self, tx: Transaction, seq: int) -> None:
        if "owners" in tx.names:
            self._change = seq

    def forget(self) -> None:
        """Drop the cache: a transaction that had changed it was undone."""
        self._known.clear()
        self._change = -1

    def ensure(
        self, tx: Transaction, source: str, refs: Mapping[tuple[str, str], tuple[Ref, int]], *, pushed: bool = False
    ) -> dict[tuple[str, str], Known]:
        """Objects by (kind, name), written and resolved where new or where labels or links changed.

        `refs` gives each with the newest moment at which it was so: older labels never replace newer ones. One that was
        `pushed` without any keeps those that it has.
        """
        absent = [name for kind, name in refs if (source, kind, name) not in self._known]
        for names in batches(absent):
            self._load(tx, (objects.c.source == source) & objects.c.name.in_(names))
        found: dict[tuple[str, str], Known] = {}
        fresh: list[Known] = []
        changed: list[Known] = []
        seen: list[Known] = []
        for (kind, name), (ref, at) in refs.items():
            known = self._known.get((source, kind, name))
            if known is None:
                known = Known(
                    id=tx.next(), source=source, kind=kind, name=name, labels=ref.labels, links=ref.links, last_seen=at
                )
                self._known[source, kind, name] = known
                fresh.append(known)
            elif at >= known.last_seen:
                kept = (known.labels, known.links) if pushed else ((), ())
                told = (ref.labels or kept[0], ref.links or kept[1])
                differs = (known.labels, known.links) != told
                if differs or at >= known.last_seen + _SEEN_EVERY:
                    (known.labels, known.links), known.last_seen = told, at
                    (changed if differs else seen).append(known)
            found[kind, name] = known
        self._save(tx, fresh, changed, seen)
        self.resolve(tx, [*fresh, *changed])
        return found

    def _save(self, tx: Transaction, fresh: Sequence[Known], changed: Sequence[Known], seen: Sequence[Known]) -> None:
        if fresh:
            tx.conn.execute(objects.insert(), [_row(k) for k in fresh])
        if changed:
            now = [{"its_id": k.id, **{c: _row(k)[c] for c in ("labels", "links", "last_seen")}} for k in changed]
            tx.conn.execute(objects.update().where(objects.c.id == bindparam("its_id")), now)
            before = links.delete().where(links.c.object == bindparam("its_id"))
            tx.conn.execute(before, [{"its_id": k.id} for k in changed])
        if seen:
            now = [{"its_id": k.id, "last_seen": k.last_seen} for k in seen]
            tx.conn.execute(objects.update().where(objects.c.id == bindparam("its_id")), now)
        linked = [{"name": name, "object": k.id} for k in (*fresh, *changed) for name in sorted(set(k.links))]
        if linked:
            tx.conn.execute(links.insert(), linked)
        if fresh or changed:
            tx.changed("owners")

    def resolve(self, tx: Transaction, todo: Sequence[Known]) -> None:
        """Ask the directory whose these are; where that changed, ask again for what links to them and for their namespace."""
        rounds: Counter[int] = Counter()
        queue = [[k for k in todo if not k.links], [k for k in todo if k.links]]
        while queue:
            now = [k for k in queue.pop(0) if rounds[k.id] < _ROUNDS]
            if not now:
                continue
            rounds.update(k.id for k in now)
            linked = self._owners_of(tx, {name for k in now for name in k.links})
            moved = [k for k in now if self._decide(tx, k, linked)]
            if moved:
                for some in batches(moved):
                    tx.conn.execute(owners.delete().where(owners.c.object.in_([k.id for k in some])))
                tx.conn.execute(owners.insert(), [row for k in moved for row in _owner_rows(k)])
                tx.changed("owners")
                queue.append(self._followers(tx, moved))

    def settle(self, tx: Transaction, source: str, workloads: Iterable[str]) -> None:
        """Ask again for the namespaces of workloads (by name) that came or went (rule 4)."""
        self.resolve(tx, self._namespaces(tx, source, workloads))

    def resolve_all(self, tx: Transaction) -> None:
        """Ask for every object: what has no links first, namespaces last, since each rests on those before it."""
        linked, plain = objects.c.links != "[]", objects.c.kind != _NAMESPACE
        for condition in (~linked & plain, linked & plain, ~plain):
            ids = tx.conn.execute(select(objects.c.id).where(condition).order_by(objects.c.id)).scalars().all()
            for some in batches(ids):
                self.resolve(tx, self._load(tx, objects.c.id.in_(some)))

    def _decide(self, tx: Transaction, known: Known, linked: Mapping[str, Owner]) -> bool:
        """Set the owners of one object; True where they differ from what they were."""
        ours = {name: linked[name] for name in known.links if name in linked}
        intervals = self.directory.intervals(known.ref, known.source, ours)
        starts = tuple(BEGINNING if start is None else to_ms(start) for start, _ in intervals)
        whose = tuple(owner for _, owner in intervals)
        if starts[:1] != (BEGINNING,) or any(a >= b for a, b in pairwise(starts)):
            raise ValueError(
                f"owners of {known.name} must come in order of time, the first without a start; got {intervals}"
            )
        if known.kind == _NAMESPACE and whose[-1].team == UNOWNED:
            agreed = self.directory.majority(self._workload_owners(tx, known))
            if agreed is not None:
                whose = (*whose[:-1], agreed)
        if (starts, whose) == (known.starts, known.owners):
            return False
        known.starts, known.owners = starts, whose
        return True

    def _load(self, tx: Transaction, condition: ColumnElement[bool]) -> list[Known]:
        """Objects from the tables, each the same value as in the cache."""
        found: list[Known] = []
        without: list[Known] = []
        for row in tx.conn.execute(select(objects).where(condition)):
            known = self._known.get((row.source, row.kind, row.name))
            if known is None:
                known = Known(
                    id=row.id,
                    source=row.source,
                    kind=row.kind,
                    name=row.name,
                    labels=codec.pairs(row.labels),
                    links=codec.strings(row.links),
                    last_seen=row.last_seen,
                )
                self._known[row.source, row.kind, row.name] = known
                without.append(known)
            found.append(known)
        for some in batches(without):
            held = owners_by_object(tx, [k.id for k in some])
            for known in some:
                intervals = held.get(known.id, [])
                known.starts, known.owners = tuple(s for s, _ in intervals), tuple(o for _, o in intervals)
        return found

    def _owners_of(self, tx: Transaction, names: set[str]) -> dict[str, Owner]:
        """Owners now by object name; of several objects of one name, the first that has one."""
        found: dict[str, Owner] = {}
        for some in batches(sorted(names)):
            for known in sorted(self._load(tx, objects.c.name.in_(some)), key=lambda k: k.id):
                if known.owners and found.get(known.name, NOBODY).team == UNOWNED:
                    found[known.name] = known.owners[-1]
        return found

    def _followers(self, tx: Transaction, moved: Sequence[Known]) -> list[Known]:
        names: dict[str, set[str]] = defaultdict(set)
        followers: dict[int, Known] = {}
        for known in moved:
            names[known.source].add(known.name)
        for some in batches([k.name for k in moved]):
            to_these = select(links.c.object).where(links.c.name.in_(some))
            followers.update((k.id, k) for k in self._load(tx, objects.c.id.in_(to_these)))
        for source, those in names.items():
            followers.update((k.id, k) for k in self._namespaces(tx, source, those))
        return list(followers.values())

    def _namespaces(self, tx: Transaction, source: str, workloads: Iterable[str]) -> list[Known]:
        names = sorted({parent for name in workloads if (parent := _namespace_of(name))})
        mine = (objects.c.source == source) & (objects.c.kind == _NAMESPACE)
        return [k for some in batches(names) for k in self._load(tx, mine & objects.c.name.in_(some))]

    def _workload_owners(self, tx: Transaction, namespace: Known) -> list[Owner]:
        standing = (
            select(readings.c.object)
            .join(objects, objects.c.id == readings.c.object)
            .where(
                objects.c.name > f"{namespace.name}/",
                objects.c.name < f"{namespace.name}0",  # "0" is what comes after "/"
                objects.c.source == namespace.source,
                readings.c.kind == Workload.__name__,
                readings.c.until.is_(None),
            )
        )
        ids = tx.conn.execute(standing).scalars().all()
        return [held[-1][1] for some in batches(ids) for held in owners_by_object(tx, some).values()]


_NAMESPACE = Namespace.__name__.lower()
"""`Ref.kind` of namespaces. Their id is cluster/namespace, the first two parts of the id of every workload in them."""


def owners_by_object(tx: Transaction, ids: Sequence[int]) -> dict[int, list[tuple[int, Owner]]]:
    """(start, owner) in order of time, by object."""
    found: dict[int, list[tuple[int, Owner]]] = defaultdict(list)
    for row in tx.conn.execute(
        select(owners).where(owners.c.object.in_(ids)).order_by(owners.c.object, owners.c.start)
    ):
        owner = Owner(service=row.service, team=row.team, rule=row.rule, conflict=row.conflict)
        found[row.object].append((row.start, owner))
    return found


def _namespace_of(workload: str) -> str:
    parts = workload.split("/", 2)
    return "/".join(parts[:2]) if len(parts) == 3 else ""


def _row(known: Known) -> dict[str, object]:
    return {
        "id": known.id,
        "source": known.source,
        "kind": known.kind,
        "name": known.name,
        "labels": codec.encode_text(known.labels),
        "links": codec.encode_text(known.links),
        "first_seen": known.last_seen,
        "last_seen": known.last_seen,
    }


def _owner_rows(known: Known) -> list[dict[str, object]]:
    return [
        {"object": known.id, "start": s, "service": o.service, "team": o.team, "rule": o.rule, "conflict": o.conflict}
        for s, o in zip(known.starts, known.owners, strict=True)
    ]
