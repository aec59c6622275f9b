"""Nobody in clear: the simulated company's people against every byte that the exporter keeps of it, and every page."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from sqlalchemy import text
from tests.support.company import Running
from tests.support.stores import Rules

from platform_meter.demo.company.layout import mail
from platform_meter.model.facts.people import Membership
from platform_meter.store import Store
from platform_meter.store.database import Database
from platform_meter.store.schema import metadata
from platform_meter.web.pages import pages

_HANDLE = re.compile(rb"[\w.+-]+@acme\.[a-z]+|\bu-[0-9a-f]{4}\b", re.IGNORECASE)
"""Who works there, by handle and by mail address, as the simulated systems write them."""
_READ = 5_000
"""Rows at once: a store is larger than what tests may hold."""


def kept(url: str) -> Iterator[tuple[str, bytes]]:
    """Every value of every table, unpacked, with its table and column."""
    database = Database(url)
    try:
        with database.read() as conn:
            for table in metadata.tables:
                found = conn.execute(text(f"SELECT * FROM {table}"))
                columns = [f"{table}.{column}" for column in found.keys()]  # noqa: SIM118 - it iterates over rows
                for rows in found.partitions(_READ):
                    yield from ((where, _plain(v)) for row in rows for where, v in zip(columns, row, strict=True))
    finally:
        database.close()


def _plain(value: object) -> bytes:
    if not isinstance(value, bytes):
        return str(value).encode()
    try:
        return zlib.decompress(value)
    except zlib.error:
        return value


def named(values: Iterator[tuple[str, bytes]]) -> Mapping[str, set[bytes]]:
    """Who is named in clear, by where."""
    found: dict[str, set[bytes]] = {}
    for where, value in values:
        if names := _HANDLE.findall(value):
            found.setdefault(where, set()).update(names)
    return found


def test_nobody_is_kept_or_shown_in_clear(imported: Running) -> None:
    """In no fact, place to go on from, owner or sum of the whole company, and on no page; who acts is kept all the same."""
    company = imported.world.company
    everybody = {name for team in company.teams for person in team.people for name in (person, mail(person))}
    assert all(_HANDLE.fullmatch(name.encode()) for name in everybody)
    assert named(kept(imported.service.config.store.url)) == {}
    assert named((page.path, imported.page(page.path).encode()) for page in pages()) == {}
    with imported.service.history() as history:
        (known,) = {len(held.reading.people) for held in history.readings(Membership)}
    assert known == len(("login", "mail"))


def test_somebody_in_clear_would_be_found(tmp_path: Path) -> None:
    """Packed or not, in any column of any table: of a store that holds one."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    Store.open(url, zone="UTC", countings=(), directory=Rules()).close()
    database = Database(url)
    with database.write() as conn:
        conn.execute(text("INSERT INTO meta (key, value) VALUES ('place', '{\"after\":\"U-1A2B\"}')"))
        packed = {"body": zlib.compress(b"asked by u-00ff@acme.example")}
        conn.execute(text("INSERT INTO folds (name, made_under, body) VALUES ('x', 'y', :body)"), packed)
    database.close()
    assert named(kept(url)) == {"meta.value": {b"U-1A2B"}, "folds.body": {b"u-00ff@acme.example"}}
