"""People's PromQL as text: its tokens, and how much of it is read. What it means is for those who parse it."""

from __future__ import annotations

import re

TOKEN = re.compile(
    r"""(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`[^`]*`)"""
    r"|(?P<comment>\#[^\n]*)|(?P<window>\{\{\s*\.?window\s*\}\})|(?P<space>\s+)"
    r"|(?P<sign>[=!]~|[=!<>]=|[-+*/%^<>=])|(?P<word>[\w:.@]+)|(?P<other>.)",
    re.DOTALL,
)
LONGEST = 5_000
"""Characters of one query."""
DEEPEST = 50
"""Brackets in each other; the parser goes one call down a bracket."""
_MOST = 250
"""Operators; the parser's time grows with the square of their number."""
_OPEN, _CLOSE = frozenset("([{"), frozenset(")]}")
_WORDS = frozenset({"and", "or", "unless", "atan2"})
_INSTEAD = "record a part of the query by a rule of its own"


def bounded(text: str) -> str:
    """The same text, which a parser may be given.

    Raises:
        ValueError: longer, deeper or of more operators than anyone writes: a parser would take minutes, or crash.
    """
    if len(text) > LONGEST:
        raise ValueError(f"longer than {LONGEST} characters; {_INSTEAD}")
    depth = operators = 0
    for match in TOKEN.finditer(text):
        depth = max(0, depth + (match[0] in _OPEN) - (match[0] in _CLOSE))
        operators += match["sign"] is not None or match[0].lower() in _WORDS
        if depth > DEEPEST:
            raise ValueError(f"brackets nested deeper than {DEEPEST} levels; {_INSTEAD}")
        if operators > _MOST:
            raise ValueError(f"too deep to read: more than {_MOST} operators; {_INSTEAD}")
    return text
