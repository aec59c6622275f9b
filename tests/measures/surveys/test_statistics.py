"""Scores and their intervals: the vectors of domain section 16, scipy's answers, and what is true of every interval."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from platform_meter.measures.intervals import Score, difference, wilson
from platform_meter.measures.surveys.statistics import csat, likert, nps, sus


def rounded(score: Score, digits: int = 1) -> tuple[float, float | None, float | None]:
    low, high = (score.interval.low, score.interval.high) if score.interval else (None, None)
    return (
        round(score.point, digits),
        None if low is None else round(low, digits),
        None if high is None else round(high, digits),
    )


@pytest.mark.parametrize(
    ("promoters", "passives", "detractors", "expected"),
    [
        (9, 6, 5, (20.0, -15.4, 50.2)),
        (10, 0, 0, (100.0, 47.5, 100.0)),
        (45, 30, 25, (20.0, 3.8, 35.1)),
        (0, 0, 10, (-100.0, -100.0, -47.5)),
        (0, 8, 0, (0.0, -21.8, 21.8)),
    ],
)
def test_nps_has_the_adjusted_interval_and_the_plain_point(
    promoters: int, passives: int, detractors: int, expected: tuple[float, float, float]
) -> None:
    """The vectors of domain section 16; promoters begin at 9, detractors end at 6."""
    answers = [9.0] * promoters + [7.0] * (passives // 2) + [8.0] * (passives - passives // 2) + [6.0] * detractors
    assert rounded(nps(answers)) == expected


def test_csat_is_the_share_of_the_two_best_answers() -> None:
    """Of ten answers up to 5, seven are 4 or 5; of the same up to 7 none is 6 or 7."""
    answers = [5.0, 5.0, 5.0, 4.0, 4.0, 4.0, 4.0, 3.0, 2.0, 1.0]
    assert rounded(csat(answers, 5), 4) == (0.7, 0.3968, 0.8922)
    assert rounded(csat(answers, 7), 4) == (0.0, 0.0, 0.2775)
    assert rounded(csat([1.0] * 7 + [0.0] * 3, 1), 4) == (0.7, 0.3968, 0.8922)


def test_sus_of_one_person() -> None:
    """The vector of domain section 16: 85, here of 1; one person has no interval."""
    assert sus([[4, 2, 5, 1, 4, 2, 5, 2, 4, 1]]) == Score(n=1, point=0.85, interval=None)


def people(steps: Sequence[int]) -> list[list[float]]:
    """Ten answers of each person that make so many of the 40 steps."""
    answers = []
    for step in steps:
        each = [min(4, max(0, step - 4 * i)) for i in range(10)]
        answers.append([1.0 + part if i % 2 == 0 else 5.0 - part for i, part in enumerate(each)])
    return answers


def test_sus_of_many_has_a_t_interval() -> None:
    """From 30 people on, as scipy has it."""
    steps = [int(s) for s in np.random.default_rng(7).integers(10, 40, 31)]
    found = sus(people(steps))
    mean, error = np.mean(steps) / 40, stats.sem(steps) / 40
    low, high = stats.t.interval(0.95, 30, loc=mean, scale=error)
    assert found.interval is not None
    assert (found.point, found.interval.low, found.interval.high) == pytest.approx((mean, low, high), abs=1e-8)


SKEWED = [5, 5, 5, 5, 5, 4, 4, 5, 3, 1, 5, 2]
SUS = [31, 40, 22, 35, 38, 12, 33, 29, 36, 40, 27, 34]


@pytest.mark.parametrize("kind", ["likert", "sus"])
def test_small_samples_have_the_interval_that_scipy_draws(kind: str) -> None:
    """BCa: of 50,000 samples scipy finds within a step what is computed here without drawing any."""
    steps = [a - 1 for a in SKEWED] if kind == "likert" else SUS
    most = 4 if kind == "likert" else 40
    found = likert([float(a) for a in SKEWED], 5) if kind == "likert" else sus(people(SUS))
    theirs = stats.bootstrap((steps,), np.mean, n_resamples=50_000, method="BCa", rng=np.random.default_rng(1))
    low, high = theirs.confidence_interval
    step = 1 / len(steps) / most
    assert found.interval is not None
    assert found.point == pytest.approx(np.mean(steps) / most)
    assert (found.interval.low, found.interval.high) == pytest.approx((low / most, high / most), abs=1.01 * step)


def test_answers_that_are_all_the_same_have_no_bootstrap_interval() -> None:
    """Nothing says then how far they might have been from each other."""
    assert likert([4.0] * 12, 5) == Score(n=12, point=0.75, interval=None)
    assert sus(people([20] * 12)) == Score(n=12, point=0.5, interval=None)


def test_a_difference_from_something_without_interval_has_none() -> None:
    """All answers of one wave were the same."""
    assert difference(likert([4.0] * 5, 5), likert([float(a) for a in SKEWED], 5)) is None


def test_no_answers_no_score() -> None:
    """There is no number then, not 0."""
    for made in (lambda: nps([]), lambda: csat([], 5), lambda: sus([]), lambda: likert([], 5), lambda: wilson(0, 0)):
        with pytest.raises(ValueError, match=r"a score needs answers|a share of nothing"):
            made()


@given(st.lists(st.integers(1, 5).map(float), min_size=5, max_size=60))
def test_an_interval_holds_its_share_and_stays_in_bounds(answers: list[float]) -> None:
    """Shares from 0 to 1; order changes nothing."""
    for score in (csat(answers, 5), likert(answers, 5)):
        assert 0 <= score.point <= 1
        if score.interval is not None:
            assert 0 <= score.interval.low <= score.point + 1e-9
            assert score.point - 1e-9 <= score.interval.high <= 1
    again = likert(answers[::-1], 5)
    assert (again.point, again.interval) == (likert(answers, 5).point, likert(answers, 5).interval)
