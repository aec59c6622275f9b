"""A report as plain text of lines that any mail program shows whole, and in short for a chat."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from platform_meter.web.report.content import Block, Bullets, Paragraph, Report, Table, plain

WIDTH = 78
_APART = "  "
_IN_CHAT = str.maketrans(
    {"<": "‹", ">": "›", "*": "∗", "~": "∼", "`": "'", "[": "(", "]": ")", "@": "@\u2060", "|": "¦"}
)
"""What chats make links, mentions and letters of: each has a form of its own, and none a way to hold it back."""


def text(report: Report) -> str:
    """The whole report, no line longer than `WIDTH` unless a single word is."""
    return "\n\n".join(_parts(report)) + "\n"


def chat(report: Report) -> str:
    """Its title, the few lines that are worth most, and where the rest stands."""
    lines = [report.title, *(f"• {line}" for line in report.brief)]
    told = [plain(line).translate(_IN_CHAT) for line in lines]
    return "\n".join([*told, report.href] if report.href else told)


def _parts(report: Report) -> Iterator[str]:
    yield _ruled(report.title, "=")
    yield _wrapped(report.lead)
    for section in report.sections:
        yield _ruled(section.title, "-")
        for block in section.blocks:
            yield _block(block)
    if report.href:
        yield report.href


def _ruled(title: str, rule: str) -> str:
    said = _wrapped(title)
    return f"{said}\n{rule * max(map(len, said.splitlines()))}"


def _wrapped(words: str, first: str = "", then: str = "") -> str:
    return textwrap.fill(
        plain(words),
        WIDTH,
        initial_indent=first,
        subsequent_indent=then,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _block(block: Block) -> str:
    match block:
        case Paragraph(words):
            return _wrapped(words)
        case Bullets(items):
            return "\n".join(_wrapped(item, "- ", "  ") for item in items)
        case Table(head, rows):
            return _table([[plain(cell) for cell in row] for row in (head, *rows)])


def _table(rows: Sequence[Sequence[str]]) -> str:
    """In columns where they fit, else each row in words."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if sum(widths) + len(_APART) * (len(widths) - 1) <= WIDTH:
        lines = [rows[0], ["-" * width for width in widths], *rows[1:]]
        return "\n".join(_APART.join(map(str.ljust, line, widths)).rstrip() for line in lines)
    head, *others = rows
    said = (
        f"{first}: " + "; ".join(f"{name} {cell}" for name, cell in zip(head[1:], cells, strict=True) if cell)
        for first, *cells in others
    )
    return "\n".join(_wrapped(line, "- ", "  ") for line in said)
