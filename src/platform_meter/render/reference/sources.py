"""The tables of sources in README and `docs/sources.md`: what each source says of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from platform_meter.model.source import Source, by_area


def marks(what: str) -> tuple[str, str]:
    """Between which a page has what is generated."""
    return f"<!-- {what}: generated, see `make generate` -->", f"<!-- /{what} -->"


BEGIN, END = marks("sources")


def put(page: str, table: str, what: str = "sources") -> str:
    """The page with this table between its two marks.

    Raises:
        ValueError: the page has no such marks.
    """
    first, last = marks(what)
    before, begin, rest = page.partition(first)
    _, end, after = rest.partition(last)
    if not (begin and end):
        raise ValueError(f"there is no {first} with {last} behind it")
    return f"{before}{first}\n{table}{last}{after}"


def short(sources: Iterable[Source[Any]]) -> str:
    """For README: which systems, and what is read there, by area."""
    return _table(("source", "reads"), _grouped(sources, lambda source: (source.title, source.reads)))


def whole(sources: Iterable[Source[Any]]) -> str:
    """For `docs/sources.md`: also the kinds of fact, and the least that its credential must be allowed."""
    head = ("source", "reads", "gives", "least permissions")
    return _table(head, _grouped(sources, _row))


def _grouped(
    sources: Iterable[Source[Any]], row: Callable[[Source[Any]], tuple[str, ...]]
) -> Iterator[tuple[str, ...]]:
    """A row for each, and one that names the area before those of it."""
    for area, of in by_area(sources).items():
        rows = [row(source) for source in of]
        yield (f"**{area}**", *("" for _ in rows[0][1:]))
        yield from rows


def _row(source: Source[Any]) -> tuple[str, ...]:
    kinds = ", ".join(sorted(kind.__name__ for kind in source.gives))
    return (f"[`{source.name}`](#{source.name})", source.reads, kinds, source.needs)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "".join(f"{line}\n" for line in _lines(head, rows))


def _lines(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    for cells in (head, tuple("---" for _ in head), *rows):
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
