"""What a report says, apart from how it looks: sections of paragraphs, bullets and tables, all of it plain words."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

NOT_ENOUGH = "not enough data"
"""What is said where there is no number; never 0."""
_FORM = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Characters that control how others are shown, and show nothing themselves."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str


@dataclass(frozen=True, slots=True)
class Bullets:
    items: Sequence[str]


@dataclass(frozen=True, slots=True)
class Table:
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    """Each as long as the head; what a line is about comes first."""


Block = Paragraph | Bullets | Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    title: str
    blocks: Sequence[Block]
    brief: Sequence[str] = ()
    """What of it is worth a line where there is room for a few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    title: str
    lead: str
    """Which days it is about, and against what they are held."""
    week: str
    """As ISO 8601 names it: `2026-W48`."""
    made: datetime
    """When, UTC."""
    sections: Sequence[Section]
    href: str = ""
    """Its page, where it is known under which address people reach us."""

    @property
    def brief(self) -> Sequence[str]:
        """The few lines that are worth most."""
        return [line for section in self.sections for line in section.brief]


def plain(text: str) -> str:
    """On one line, without characters that would change how the rest is shown."""
    kept = (" " if c in "\n\r\t\v\f\x85\u2028\u2029" else c for c in text)
    return " ".join("".join(c for c in kept if unicodedata.category(c) not in _FORM).split())
