"""People's texts inside a Grafana text panel, shown as they are written."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

_READ_BY_GRAFANA = {ord(c): f"&#{ord(c)};" for c in "$[]{}"}
"""`$name`, `${name}` and `[[name]]` are variables to Grafana, in HTML too; as character references they are text."""


def words(text: str) -> str:
    """HTML that shows exactly this text; white space is kept as one space."""
    return html.escape(" ".join(text.split())).translate(_READ_BY_GRAFANA)


def html_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of texts; a cell that is a web address becomes a link."""
    lines = ["<table>", f"<tr>{''.join(f'<th>{words(cell)}</th>' for cell in head)}</tr>"]
    lines += [f"<tr>{''.join(f'<td>{_cell(cell)}</td>' for cell in row)}</tr>" for row in rows]
    return "\n".join([*lines, "</table>"])


def _cell(text: str) -> str:
    shown = words(text)
    return f'<a href="{shown}">{shown}</a>' if _is_address(text) else shown


def _is_address(text: str) -> bool:
    try:
        found = urlsplit(text)
    except ValueError:
        return False
    return found.scheme in {"http", "https"} and bool(found.netloc)
