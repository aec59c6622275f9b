"""Daily states: each day of something is stored once, whole, and stays as it is; charts read how many were in which."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, func, select

from platform_meter.model.history import UnitState
from platform_meter.store.database import Transaction
from platform_meter.store.schema import state_counts, states

_MORE = "+"
"""Before a word in the place of a state: so many units it was true of, whatever their states."""
_IS_STATE = state_counts.c.state.not_like(f"{_MORE}%")


def put(tx: Transaction, what: str, day: date, of: Sequence[UnitState], more: Mapping[str, int]) -> bool:
    """Keep the states of a day, and of how many units `more` was true; False where it has some already, or where none are given."""
    place = {"what": what, "day": day.isoformat()}
    taken = select(state_counts.c.n).where(*(state_counts.c[name] == value for name, value in place.items()))
    if not of or tx.conn.execute(taken.limit(1)).first() is not None:
        return False
    rows = [{**place, "unit": one.unit, "state": one.state, "ever": ",".join(sorted(one.ever))} for one in of]
    tx.conn.execute(states.insert(), rows)
    counted = {**Counter(one.state for one in of), **{_MORE + word: n for word, n in more.items()}}
    tx.conn.execute(state_counts.insert(), [{**place, "state": state, "n": n} for state, n in sorted(counted.items())])
    tx.changed("states")
    return True


def read(conn: Connection, what: str, start: date, end: date) -> list[UnitState]:
    """By day then unit."""
    query = select(states).where(_these(states, what, start, end)).order_by(states.c.day, states.c.unit)
    return [_state(row) for row in conn.execute(query)]


def _state(row: Row[Any]) -> UnitState:
    return UnitState(
        day=date.fromisoformat(row.day),
        what=row.what,
        unit=row.unit,
        state=row.state,
        ever=frozenset(filter(None, row.ever.split(","))),
    )


def moved(conn: Connection, what: str, first: date, last: date) -> tuple[list[UnitState], list[UnitState]]:
    """Units in another state on the one day than on the other, or on one of them alone: as on each, by unit."""

    def on(day: date, than: date) -> list[UnitState]:
        of, other = states.c, states.alias("other")
        same = (
            select(other.c.unit)
            .where(other.c.what == what, other.c.day == than.isoformat())
            .where(other.c.unit == of.unit, other.c.state == of.state)
        )
        query = select(states).where(of.what == what, of.day == day.isoformat(), ~same.exists()).order_by(of.unit)
        return [_state(row) for row in conn.execute(query)]

    return on(first, last), on(last, first)


def counts(conn: Connection, what: str, start: date, end: date) -> Mapping[date, Mapping[str, int]]:
    """Units in each state by day, in order of day."""
    columns = select(state_counts.c.day, state_counts.c.state, state_counts.c.n)
    found: dict[date, dict[str, int]] = {}
    for day, state, n in conn.execute(
        columns.where(_these(state_counts, what, start, end), _IS_STATE).order_by(state_counts.c.day)
    ):
        found.setdefault(date.fromisoformat(day), {})[state] = n
    return found


def counted(conn: Connection, what: str, word: str, start: date, end: date) -> Mapping[date, int]:
    """Of how many units the word was true, by day, in order of day."""
    of = state_counts.c
    asked = select(of.day, of.n).where(_these(state_counts, what, start, end), of.state == _MORE + word)
    return {date.fromisoformat(day): n for day, n in conn.execute(asked.order_by(of.day))}


def months(conn: Connection, what: str, state: str) -> Mapping[str, frozenset[tuple[int, int]]]:
    """By unit the months on a day of which it was in this state."""
    of = states.c
    month = func.substr(of.day, 1, len("2026-01"))
    found: defaultdict[str, set[tuple[int, int]]] = defaultdict(set)
    for unit, text in conn.execute(select(of.unit, month).where(of.what == what, of.state == state).distinct()):
        year, _, number = text.partition("-")
        found[unit].add((int(year), int(number)))
    return {unit: frozenset(all_) for unit, all_ in found.items()}


def unchanged_since(conn: Connection, what: str) -> Mapping[str, date]:
    """By unit of the newest day: the first day after the last one on which it was in another state."""
    last = last_day(conn, what)
    if last is None:
        return {}
    of, now = states.c, states.alias("now")
    same = select(now.c.unit, now.c.state).where(now.c.what == what, now.c.day == last.isoformat()).subquery()
    here = states.join(same, of.unit == same.c.unit)
    other = (
        select(of.unit, func.max(of.day).label("day"))
        .select_from(here)
        .where(of.what == what, of.state != same.c.state)
        .group_by(of.unit)
        .subquery()
    )
    first = (
        select(of.unit, func.min(of.day))
        .select_from(here.outerjoin(other, of.unit == other.c.unit))
        .where(of.what == what, of.day > func.coalesce(other.c.day, ""))
        .group_by(of.unit)
    )
    return {unit: date.fromisoformat(day) for unit, day in conn.execute(first)}


def last_day(conn: Connection, what: str) -> date | None:
    """The newest day that has states; None before the first."""
    day = conn.execute(select(func.max(state_counts.c.day)).where(state_counts.c.what == what)).scalar()
    return None if day is None else date.fromisoformat(day)


def prune(tx: Transaction, before: date) -> None:
    """Forget the days before one."""
    last = before.isoformat()
    old = tx.conn.execute(select(state_counts.c.what).where(state_counts.c.day < last).distinct()).scalars().all()
    for what in old:
        for table in (states, state_counts):
            tx.conn.execute(table.delete().where(table.c.what == what, table.c.day < last))
    if old:
        tx.changed("states")


def check(conn: Connection) -> list[str]:
    """Days whose counts are not those of their states, one line for each `what`."""
    of = (states.c.what, states.c.day, states.c.state)
    counted = {(what, day, state): n for what, day, state, n in conn.execute(select(*of, func.count()).group_by(*of))}
    told = {(what, day, state): n for what, day, state, n in conn.execute(select(state_counts).where(_IS_STATE))}
    return [
        f"{what}: counts of states differ from the states"
        for what in sorted({p[0] for p, _ in counted.items() ^ told.items()})
    ]


def _these(table: Table, what: str, start: date, end: date) -> ColumnElement[bool]:
    return (table.c.what == what) & (table.c.day >= start.isoformat()) & (table.c.day < end.isoformat())
