"""A problem in a text: where, what, and what to write instead; drawn under the line it is about."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace

_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""Where YAML ends a line."""
_WIDEST = 160
_BEFORE = 60
_MOST = 12
_NEAR = 0.65
"""Likeness from which a known word may be what was meant."""
_LONGEST_TEXT = 600


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place to point at: line and column from 1, and how many characters."""

    line: int
    column: int
    length: int = 1


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
    secrets: tuple[Span, ...] = ()
    """What of the file may be a secret that stands where it should not; it is never drawn."""


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


def masked(problems: Iterable[Problem]) -> list[Problem]:
    """The same problems, where none quotes a line with what any of them calls a secret: that is asterisks."""
    all_ = list(problems)
    secrets = {(p.path, span) for p in all_ for span in p.secrets}
    out = []
    for problem in all_:
        line = problem.source_line
        for path, span in secrets:
            if (path, span.line) == (problem.path, problem.line):
                start, end = span.column - 1, span.column - 1 + span.length
                line = line[:start] + "*" * len(line[start:end]) + line[end:]
        out.append(replace(problem, source_line=line))
    return out


def render(problem: Problem) -> str:
    """`file:line:column: text`, and under it the line with its number and a mark below what is meant."""
    (problem,) = masked([problem])
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
    if near := nearest(word, words):
        return f"; did you mean '{near}'?"
    if not words:
        return ""
    more = f" and {len(words) - _MOST} more" if len(words) > _MOST else ""
    return f"; write one of: {', '.join(words[:_MOST])}{more}"


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that may have been meant; empty where none is near."""
    return next(iter(difflib.get_close_matches(word[:100], sorted(set(known)), n=1, cutoff=_NEAR)), "")


def _printable(text: str) -> str:
    """Nothing in a file can move the cursor or hide a character: a tab is a space, the rest is a mark."""
    return "".join(c if c.isprintable() else " " if c == "\t" else "\ufffd" for c in text)


def _cells(text: str) -> int:
    """Columns on a terminal: wide characters take two, combining ones none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
