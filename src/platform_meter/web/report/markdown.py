"""A report as Markdown (CommonMark with the tables of GitHub). Whatever a name holds, it stays text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from platform_meter.web.report.content import Block, Bullets, Paragraph, Report, Table, plain

_ACTIVE = re.compile(r"([\\`*_{}\[\]<>|~&$@])")
"""Characters that make something of a text wherever they stand, here or in what a wiki adds."""
_FIRST = re.compile(r"^([-+=#:]|[0-9]{1,9}(?=[.)](?: |$)))")
"""What makes something of a line at its beginning."""
_ADDRESS = re.compile(r"(?i)(www)(\.)|([a-z]+)(:)(?=//)|(mailto|xmpp)(:)")
"""What becomes a link by itself."""


def escaped(text: str) -> str:
    """Words that read as they are, and make nothing else."""
    text = _ACTIVE.sub(r"\\\1", plain(text))
    text = _ADDRESS.sub(lambda found: "\\".join(part for part in found.groups() if part), text)
    return _FIRST.sub(_held, text)


def _held(found: re.Match[str]) -> str:
    # A number is no punctuation, so that what follows it is held back.
    first = found[1]
    return f"{first}\\" if first[0].isdigit() else f"\\{first}"


def markdown(report: Report) -> str:
    """The whole report."""
    return "\n\n".join(_parts(report)) + "\n"


def _parts(report: Report) -> Iterator[str]:
    yield f"# {escaped(report.title)}"
    yield escaped(report.lead)
    for section in report.sections:
        yield f"## {escaped(section.title)}"
        for block in section.blocks:
            yield _block(block)
    if report.href:
        yield f"<{report.href}>"


def _block(block: Block) -> str:
    match block:
        case Paragraph(text):
            return escaped(text)
        case Bullets(items):
            return "\n".join(f"- {escaped(item)}" for item in items)
        case Table(head, rows):
            lines = [[escaped(cell) for cell in row] for row in (head, *rows)]
            lines.insert(1, ["---"] * len(head))
            return "\n".join(f"| {' | '.join(line)} |" for line in lines)
