"""When bad or good events cannot be a part of all events, and when only who counts them knows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_meter.slo.part import Verdict, judge
from platform_meter.slo.promql import quote, read_count

ALL = "write a total of all events, those that are bad among them"
SWAPPED = "are the two swapped? write a total of all events, and what makes one bad"


def judged(part: str, total: str, word: str = "bad") -> Verdict:
    return judge(read_count(part), read_count(total), word)


@pytest.mark.parametrize(
    ("part", "total"),
    [
        ('x{code=~"5.."}', "x"),
        ('x{code=~"5..",m!="OPTIONS"}', 'x{m!="OPTIONS"}'),
        ('x{code=~"500|503"}', 'x{code=~"5.."}'),
        ('x{code="500"}', 'x{code!~"4.."}'),
        ('x{code=~"5.*"}', 'x{code=~"5.*|4.*"}'),
        ('x_bucket{le="0.5"}', "x_count"),
        ('x_bucket{le="0.5"}', 'x_bucket{le="+Inf"}'),
        ('sum(increase(x{a="b"}[{{window}}])) + sum(increase(y[{{window}}]))', "y"),
    ],
)
def test_a_part_is_a_part(part: str, total: str) -> None:
    """Nothing is said of what is sound, nor of what is no plain selector."""
    assert judged(part, total) == Verdict()


@pytest.mark.parametrize(
    ("part", "total", "said"),
    [
        ("x", "x", "bad and total are the same query, so no event is ever good; write what makes one bad"),
        ("x", 'x{code=~"5.."}', f'bad is more than total, which asks for code=~"5.." too; {SWAPPED}'),
        (
            'x{code=~"5.."}',
            'x{code!~"5.."}',
            f'no event is in both: bad asks for code=~"5.." and total for code!~"5.."; {ALL}',
        ),
        (
            'x{code="500"}',
            'x{code!~"5.."}',
            f'no event is in both: bad asks for code="500" and total for code!~"5.."; {ALL}',
        ),
        (
            r'x{code=~"5[0-9]{2}"}',
            r'x{code=~"2\\d\\d|3.*"}',
            'no event is in both: bad asks for code=~"5[0-9]{2}" and total for code=~"2\\d\\d|3.*"; ' + ALL,
        ),
        (
            'x_bucket{le="5"}',
            'x_bucket{le="1"}',
            'bad counts what takes up to 5 and total what takes up to 1; write le="+Inf" in total',
        ),
    ],
)
def test_what_cannot_be_a_part_is_wrong(part: str, total: str, said: str) -> None:
    """The same query, more than all, nothing in common: each with what to write instead."""
    assert judged(part, total) == Verdict(wrong=said)


@pytest.mark.parametrize(
    ("part", "total", "said"),
    [
        ("e", "r", "bad counts e and total counts r; see that every event of the first is in the second"),
        (
            'x{code=~"5.."}',
            'x{m!="OPTIONS"}',
            'total asks for m!="OPTIONS" and bad does not, so that bad may be more; ask for it there too',
        ),
        (
            'x{code=~"(5|4).."}',
            'x{code!~"4.."}',
            'total asks for code!~"4.." and bad does not, so that bad may be more; ask for it there too',
        ),
    ],
)
def test_what_may_be_a_part_is_worth_a_note(part: str, total: str, said: str) -> None:
    """Another metric, or a matcher that total has alone: allowed."""
    assert judged(part, total) == Verdict(note=said)


@given(st.text(max_size=20), st.text(max_size=20), st.sampled_from(["=", "!=", "=~", "!~"]))
def test_any_matcher_is_judged(one: str, other: str, operator: str) -> None:
    """Whatever people match, it is judged at once; what is in both is never told as in neither."""
    try:
        part, total = read_count(f"x{{a={quote(one)}}}"), read_count(f"x{{a{operator}{quote(other)}}}")
    except ValueError:
        return
    said = judge(part, total, "bad").wrong
    if one == other and operator == "=":
        assert "same query" in said
