"""A problem in a text: where, what, and what to write instead; drawn under the line it is about."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""Where YAML ends a line."""
_WIDEST = 160
_BEFORE = 60
_MOST = 12
_NEAR = 0.65
"""Likeness from which a known word may be what was meant."""
_LONGEST_TEXT = 600


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Problem:
    """One thing to mend. Problems sort by file and place; lines and columns count from 1, in characters."""

    path: str
    line: int
    column: int
    text: str
    """What was found and what to write instead: one line, no full stop."""
    source_line: str = ""
    """The line as written; empty where there is none to show."""
    length: int = 1
    """Characters from `column` on that the problem is about."""


@dataclass(frozen=True, slots=True)
class Text:
    """A file's text, split once, so that problems can quote its lines."""

    path: str
    lines: tuple[str, ...]

    @classmethod
    def of(cls, path: str, text: str) -> Text:
        return cls(path, tuple(_BREAK.split(text)))

    def problem(self, text: str, line: int = 1, column: int = 1, length: int = 1) -> Problem:
        """A problem at this place; what a reader finds behind the end of the text is shown at its end."""
        if line > len(self.lines):
            line, column = len(self.lines), len(self.lines[-1]) + 1
        source = self.lines[line - 1]
        return Problem(path=self.path, line=line, column=column, text=text, source_line=source, length=max(1, length))

    def masked(self, line: int, column: int, length: int) -> Text:
        """The same text with these characters as asterisks: they are a secret that stands where it should not."""
        source = self.lines[line - 1]
        hidden = source[: column - 1] + "*" * length + source[column - 1 + length :]
        return Text(self.path, (*self.lines[: line - 1], hidden, *self.lines[line:]))


def render(problem: Problem) -> str:
    """`file:line:column: text`, and under it the line with its number and a mark below what is meant."""
    text = _printable(problem.text)
    if len(text) > _LONGEST_TEXT:
        text = text[:_LONGEST_TEXT] + "…"
    head = f"{_printable(problem.path)}:{problem.line}:{problem.column}: {text}"
    line = _printable(problem.source_line)
    if not line.strip():
        return head
    start = max(0, problem.column - 1)
    cut = max(0, start - _BEFORE) if len(line) > _WIDEST else 0
    shown = ("…" if cut else "") + line[cut : cut + _WIDEST]
    at = start - cut + (1 if cut else 0)
    number = f"  {problem.line} | "
    marks = max(1, _cells(shown[at : at + problem.length]))
    return f"{head}\n{number}{shown}\n{' ' * (len(number) + _cells(shown[:at]))}{'^' * marks}"


def suggest(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown word: `; did you mean 'x'?` where one is near, else what there is."""
    words = sorted(set(known))
    if near := difflib.get_close_matches(word[:100], words, n=1, cutoff=_NEAR):
        return f"; did you mean '{near[0]}'?"
    if not words:
        return ""
    more = f" and {len(words) - _MOST} more" if len(words) > _MOST else ""
    return f"; write one of: {', '.join(words[:_MOST])}{more}"


def _printable(text: str) -> str:
    """Nothing in a file can move the cursor or hide a character: a tab is a space, the rest is a mark."""
    return "".join(c if c.isprintable() else " " if c == "\t" else "\ufffd" for c in text)


def _cells(text: str) -> int:
    """Columns on a terminal: wide characters take two, combining ones none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
