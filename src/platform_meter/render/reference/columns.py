"""The tables of `docs/sql.md`: a view for each kind of event, and what its columns hold."""

from __future__ import annotations

from collections.abc import Iterable

from platform_meter.model.columns import Column, columns, name
from platform_meter.model.facts import event_kinds


def views() -> str:
    """Each view: what one row of it is, and its own columns."""
    head = ("| view | one row | its own columns |", "| --- | --- | --- |")
    rows = (f"| `{name(kind)}` | {_first_line(kind)} | {_told(columns(kind))} |" for kind in event_kinds().values())
    return "".join(f"{line}\n" for line in (*head, *rows))


def _told(those: Iterable[Column]) -> str:
    return "<br>".join(f"`{column.name}`: {column.holds}" for column in those)


def _first_line(kind: type) -> str:
    """The first sentence of what it says of itself, on one line."""
    said = " ".join((kind.__doc__ or "").split("\n\n")[0].split())
    return said.split(". ")[0].rstrip(".").replace("|", "\\|") + "."
