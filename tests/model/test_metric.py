"""Metric values: quantiles, merging, resolving."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_meter.model.metric import Ratio, Spread, Value, merge, quantile, resolve

numbers = st.lists(st.integers(-1000, 1000).map(float), min_size=1, max_size=20)


def test_the_quantile_vector_of_the_domain() -> None:
    """[1, 2, 4, 8]: p50 3.0, p90 6.8; the ends are the extremes."""
    values = [8.0, 1.0, 4.0, 2.0]
    assert quantile(values, 0.5) == 3.0
    assert quantile(values, 0.9) == pytest.approx(6.8)
    assert (quantile(values, 0), quantile(values, 1)) == (1.0, 8.0)
    assert quantile([7.0], 0.9) == 7.0


@pytest.mark.parametrize(
    ("values", "q", "text"),
    [
        ([], 0.5, "a quantile needs values and 0 <= q <= 1; got 0 values, q=0.5"),
        ([1.0], 1.5, "a quantile needs values and 0 <= q <= 1; got 1 values, q=1.5"),
        ([1.0], -0.1, "a quantile needs values and 0 <= q <= 1; got 1 values, q=-0.1"),
    ],
)
def test_a_quantile_of_nothing_is_an_error(values: list[float], q: float, text: str) -> None:
    """Callers that may have nothing use Spread, which is absent then."""
    with pytest.raises(ValueError, match=f"^{text}$"):
        quantile(values, q)


@given(numbers, st.floats(0, 1), st.randoms())
def test_a_quantile_lies_between_the_extremes_whatever_the_order(
    values: list[float], q: float, dice: random.Random
) -> None:
    """Order of the values changes nothing."""
    shuffled = values.copy()
    dice.shuffle(shuffled)
    assert quantile(shuffled, q) == quantile(values, q)
    assert min(values) <= quantile(values, q) <= max(values)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (3.5, 3.5),
        (2, 2.0),
        (Ratio(part=1, whole=4), 0.25),
        (Ratio(part=0, whole=4), 0.0),
        (Ratio(part=0, whole=0), None),
        (Ratio(part=1, whole=4, minimum=5), None),
        (Ratio(part=1, whole=5, minimum=5), 0.2),
        (Spread(values=(1.0, 2.0, 4.0, 8.0), q=0.5), None),
        (Spread(values=(1.0, 2.0, 4.0, 8.0), q=0.5, minimum=4), 3.0),
        (Spread(values=(), q=0.5, minimum=0), None),
    ],
)
def test_what_is_undefined_is_absent(value: Value, number: float | None) -> None:
    """0/0 and too few samples are None: never 0, never NaN."""
    assert resolve(value) == number


def test_merging_recomputes_over_the_union() -> None:
    """Sums add, ratios add part and whole, spreads pool their samples and keep quantile and minimum."""
    assert merge([1.0, 2.0, 3]) == 6.0
    assert merge([Ratio(part=1, whole=1, minimum=5), Ratio(part=0, whole=4, minimum=5)]) == Ratio(
        part=1, whole=5, minimum=5
    )
    spread = merge([Spread(values=(1.0, 8.0), q=0.5, minimum=3), Spread(values=(2.0, 4.0), q=0.5, minimum=3)])
    assert spread == Spread(values=(1.0, 8.0, 2.0, 4.0), q=0.5, minimum=3)
    assert resolve(spread) == 3.0


def test_values_of_different_kinds_do_not_merge() -> None:
    """A count and a ratio have no common union."""
    with pytest.raises(TypeError, match=r"^only values of one kind can be merged$"):
        merge([1.0, Ratio(part=1, whole=2)])
    with pytest.raises(TypeError, match=r"^only values of one kind can be merged$"):
        merge([Spread(values=(1.0,), q=0.5), Ratio(part=1, whole=2)])


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=8))
def test_merging_in_any_grouping_gives_the_same(parts: list[tuple[int, int]]) -> None:
    """Folding two at a time or all at once is one ratio, and it lies between its members."""
    ratios: list[Value] = [Ratio(part=min(a, b), whole=b) for a, b in parts]
    left = ratios[0]
    for ratio in ratios[1:]:
        left = merge([left, ratio])
    assert left == merge(ratios)
    known = [v for r in ratios if (v := resolve(r)) is not None]
    whole = resolve(merge(ratios))
    assert (whole is None) is (not known)
    if whole is not None:
        assert min(known) - 1e-12 <= whole <= max(known) + 1e-12
