"""How much of people's PromQL is read at all."""

from __future__ import annotations

import time
from contextlib import suppress

import promql_parser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_meter.model.promql import LONGEST, bounded

PIECES = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "-",
    "+",
    "a",
    "1",
    "[5m]",
    "sum",
    "sum by ",
    " or ",
    " offset ",
    "@ ",
    ",",
    '"',
    "\\",
]
"""What queries are made of, and what a parser may trip over."""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a" * (LONGEST + 1), "longer than 5000 characters"),
        ("(" * 51 + "a" + ")" * 51, "brackets nested deeper than 50 levels"),
        ("-" * 251 + "a", "too deep to read: more than 250 operators"),
        ("a" + " or a" * 251, "too deep to read: more than 250 operators"),
        ("a" + "\n+\na" * 251, "too deep to read: more than 250 operators"),
    ],
)
def test_nobody_writes_such_queries(text: str, said: str) -> None:
    """Each bound has its words, and the way out."""
    with pytest.raises(ValueError, match="record a part of the query by a rule of its own") as caught:
        bounded(text)
    assert str(caught.value).startswith(said)


def test_what_stands_in_a_text_or_a_comment_counts_as_text() -> None:
    """Brackets and signs in quotes are nobody's depth."""
    text = f'a{{b="{"(" * 300}{"-" * 300}"}} # {"(" * 300}'
    assert bounded(text) == text


@settings(max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(PIECES), st.integers(1, 400)), max_size=12))
def test_what_is_within_bounds_is_read_or_refused_soon(pieces: list[tuple[str, int]]) -> None:
    """No query that the bounds let through crashes the parser or keeps it for longer than a blink."""
    text = "".join(piece * times for piece, times in pieces)
    try:
        bounded(text)
    except ValueError:
        return
    began = time.monotonic()
    with suppress(ValueError):  # told where it stands
        promql_parser.parse(text)
    assert time.monotonic() - began < 5
