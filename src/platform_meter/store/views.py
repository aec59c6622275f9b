"""Views for people who ask in SQL: one for each kind of event (`model.columns`), each row with its owner at that time.

They are stored queries: they cost nothing until somebody reads one. Where their definition changed they are made anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256

from sqlalchemy import Connection, inspect, select

from platform_meter.model.columns import Column, Holds, columns, name
from platform_meter.model.facts import Event, event_kinds
from platform_meter.store import codec
from platform_meter.store.schema import insert, meta

KEY = "views"
"""In `meta`: the digest of the definitions that the views were made of."""
_BEGINS = "pm_v"


def stale(conn: Connection) -> bool:
    """Whether the views are others than this platform-meter makes, or not there."""
    return conn.execute(select(meta.c.value).where(meta.c.key == KEY)).scalar() != _digest(conn)


def drop(conn: Connection) -> None:
    """Remove them. Tables they read can be changed after that."""
    for view in inspect(conn).get_view_names():
        if view.startswith(_BEGINS):
            conn.exec_driver_sql(f'DROP VIEW "{view}"')


def create(conn: Connection) -> None:
    """Make them, where there are none."""
    for text in _texts(conn):
        conn.exec_driver_sql(text)
    new = insert(conn, meta).values(key=KEY, value=_digest(conn))
    conn.execute(new.on_conflict_do_update(index_elements=["key"], set_={"value": new.excluded.value}))


def _digest(conn: Connection) -> str:
    return sha256("\n".join(_texts(conn)).encode()).hexdigest()


def _texts(conn: Connection) -> Iterator[str]:
    engine = _PostgreSql() if conn.dialect.name == "postgresql" else _Sqlite()
    return (_view(engine, kind) for kind in event_kinds().values())


class _Sqlite:
    """Bodies are bytes there, which its JSON functions take for something else."""

    doc = "CAST(e.body AS TEXT)"

    def field(self, key: str) -> str:
        return f"json_extract({self.doc}, '$.{key}')"

    def moment(self, ms: str) -> str:
        """As ISO 8601 to the millisecond, which its own functions read, and which sorts as it runs."""
        days = f"strftime('%Y-%m-%dT%H:%M:%S', {ms} / 1000 - (({ms} % 1000) < 0), 'unixepoch')"
        return f"{days} || printf('.%03dZ', (({ms} % 1000) + 1000) % 1000)"

    def value(self, column: Column) -> str:
        text = self.field(column.name)
        if column.holds is Holds.TIME:
            return f"strftime('%Y-%m-%dT%H:%M:%fZ', {text})"
        if column.holds is not Holds.SECONDS:
            return text
        days = f"CASE WHEN instr({text}, 'D') THEN CAST(substr({text}, instr({text}, 'P') + 1) AS INTEGER) ELSE 0 END"
        rest = f"CASE WHEN instr({text}, 'T') THEN CAST(substr({text}, instr({text}, 'T') + 1) AS REAL) ELSE 0.0 END"
        sign = f"CASE WHEN substr({text}, 1, 1) = '-' THEN -1 ELSE 1 END"
        return f"CASE WHEN {text} IS NOT NULL THEN ({sign}) * (({days}) * 86400 + ({rest})) END"

    def truth(self, value: bool) -> str:
        return str(int(value))


class _PostgreSql:
    doc = "convert_from(e.body, 'UTF8')::json"

    def field(self, key: str) -> str:
        return f"{self.doc} ->> '{key}'"

    def moment(self, ms: str) -> str:
        return f"timestamptz 'epoch' + {ms} * interval '1 millisecond'"

    def value(self, column: Column) -> str:
        text = f"({self.field(column.name)})"
        if column.holds is Holds.SECONDS:
            length = f"extract(epoch FROM ltrim({text}, '-')::interval)::double precision"
            return f"CASE WHEN left({text}, 1) = '-' THEN -1 ELSE 1 END * {length}"
        types = {
            Holds.TIME: "::timestamptz",
            Holds.WHOLE: "::bigint",
            Holds.NUMBER: "::double precision",
            Holds.TRUTH: "::boolean",
        }
        return text + types.get(column.holds, "")

    def truth(self, value: bool) -> str:
        return str(value).lower()


def _view(engine: _Sqlite | _PostgreSql, kind: type[Event]) -> str:
    told = ("e.source", "e.key", engine.moment("e.at"), engine.value(Column(name="updated", holds=Holds.TIME)))
    whose = ("o.name", "o.kind", "w.service", "w.team")
    names = ("source", "key", "at", "updated", "object", "object_kind", "service", "team")
    own = ((_valued(engine, column), column.name) for column in columns(kind))
    chosen = ", ".join(f'{value} AS "{called}"' for value, called in (*zip((*told, *whose), names, strict=True), *own))
    since = "SELECT max(x.start) FROM owners x WHERE x.object = e.object AND x.start <= e.at"
    parts = (
        f'CREATE VIEW "{name(kind)}" AS SELECT {chosen}',
        "FROM events e LEFT JOIN objects o ON o.id = e.object",
        f"LEFT JOIN owners w ON w.object = e.object AND w.start = ({since})",
        f"WHERE e.kind = '{kind.__name__}'",
    )
    return " ".join(parts)


def _valued(engine: _Sqlite | _PostgreSql, column: Column) -> str:
    value, default = engine.value(column), column.default
    if default is None:
        return value
    if isinstance(default, bool):
        said = engine.truth(default)
    elif isinstance(default, timedelta):
        said = repr(default.total_seconds())
    elif isinstance(default, int | float):
        said = repr(default)
    else:
        text = str(default) if isinstance(default, str) else codec.encode_text(default)
        said = "'" + text.replace("'", "''") + "'"
    return f"COALESCE({value}, {said})"
