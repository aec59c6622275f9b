"""Kaplan-Meier: the vector of the domain, its edges, and agreement with scipy and lifelines on random data."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from lifelines.utils import qth_survival_time
from scipy.stats import CensoredData, ecdf

from platform_meter.measures.support.survival import kaplan_meier

VECTOR = [(2.0, True), (3.0, True), (3.0, False), (5.0, True), (8.0, True), (8.0, True), (9.0, False), (12.0, True)]


@pytest.mark.parametrize(
    ("t", "share"),
    [(1.9, 1.0), (2, 0.875), (3, 0.75), (4.9, 0.75), (5, 0.6), (8, 0.3), (11, 0.3), (12, 0.0), (99, 0.0)],
)
def test_the_curve_of_the_vector(t: float, share: float) -> None:
    """2, 3, 3 (open), 5, 8, 8, 9 (open), 12: S(3)=0.75, S(5)=0.6, S(8)=0.3; 1 before, flat after."""
    assert kaplan_meier(VECTOR).at(t) == pytest.approx(share)


def test_the_median_of_the_vector() -> None:
    """The first time at which half or fewer are left is 8; nine tenths are gone at 12."""
    curve = kaplan_meier(VECTOR)
    assert curve.quantile(0.5) == 8
    assert curve.quantile(0.9) == 12


def test_the_expected_breach_of_the_vector() -> None:
    """Elapsed 3 of a goal of 5: S(5)/S(3) = 0.8."""
    assert kaplan_meier(VECTOR).beyond(5, reached=3) == pytest.approx(0.8)


def test_past_all_that_ever_lasted_a_breach_is_sure() -> None:
    """Where S(elapsed) is 0 the chance is 1."""
    assert kaplan_meier(VECTOR).beyond(15, reached=12) == 1.0


def test_a_curve_that_stays_above_has_no_quantile() -> None:
    """All but one of ten are open: S stays at 0.9, so there is a first decile and no median."""
    curve = kaplan_meier([(1.0, True), *[(2.0, False)] * 9])
    assert curve.quantile(0.1) == 1.0
    assert curve.quantile(0.5) is None


def test_without_data_nothing_has_ended() -> None:
    """S is 1 everywhere and has no quantile."""
    curve = kaplan_meier([])
    assert curve.at(5.0) == 1.0
    assert curve.quantile(0.5) is None


def test_half_left_counts_as_half_whatever_the_rounding() -> None:
    """Of 6, each ended at another time, exactly half are left after the third."""
    assert kaplan_meier([(float(t), True) for t in range(1, 7)]).quantile(0.5) == 3.0


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(1, 20), st.booleans()), min_size=1, max_size=60))
def test_it_agrees_with_scipy(data: list[tuple[int, bool]]) -> None:
    """At every time the same share as `scipy.stats.ecdf`, for any mix of ended and open, with ties."""
    ended = [d for d, over in data if over]
    open_ = [d for d, over in data if not over]
    theirs = ecdf(CensoredData(uncensored=ended, right=open_)).sf
    ours = kaplan_meier((float(d), over) for d, over in data)
    times = [float(t) for t in range(22)]
    assert [ours.at(t) for t in times] == pytest.approx([float(s) for s in theirs.evaluate(times)])


@pytest.mark.parametrize("seed", range(5))
def test_its_quantiles_are_those_of_lifelines(seed: int) -> None:
    """Of a hundred with many ties, a third of them open; one that the curve never comes down to has no end in lifelines."""
    dice = random.Random(seed)
    data = [(float(dice.randint(1, 30)), dice.random() < 2 / 3) for _ in range(97)]
    data += [(40.0, False)] * (20 if seed % 2 else 1)
    theirs = KaplanMeierFitter().fit([d for d, _ in data], [over for _, over in data])
    ours = kaplan_meier(data)
    for q in (0.1, 0.5, 0.9):
        found = qth_survival_time(1 - q, theirs.survival_function_)
        assert ours.quantile(q) == (None if math.isinf(found) else found)


@given(
    st.lists(st.tuples(st.floats(0, 1e6), st.booleans()), max_size=30).flatmap(
        lambda d: st.tuples(st.just(d), st.permutations(d))
    )
)
def test_order_changes_nothing(data: tuple[list[tuple[float, bool]], list[tuple[float, bool]]]) -> None:
    """The curve is one of a set of durations."""
    given_, shuffled = data
    assert kaplan_meier(shuffled) == kaplan_meier(given_)
