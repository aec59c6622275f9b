"""Durations told by bounds."""

from __future__ import annotations

import pytest

from platform_meter.web.bounds import Took, bound_words, failed_words

BOUNDS = (0.25, 1.0, 60.0)


def took(**amounts: float) -> Took:
    found = Took()
    for bucket, amount in amounts.items():
        found.add(bucket.removeprefix("le_").replace("_", "."), amount)
    return found


def test_a_share_is_exact_at_each_bound() -> None:
    """What is past a bound is in no share of it; what came under one bound twice is added up."""
    found = took(le_0_25=3.0, le_1=5.0)
    found.add("0.25", 1.0)
    found.add("+Inf", 1.0)
    assert found.total == 10.0
    assert (found.within(0.25), found.within(1.0), found.within(60.0)) == (0.4, 0.9, 0.9)


def test_the_smallest_bound_that_holds_a_share() -> None:
    """Reached exactly it holds it; past the last bound nothing but that is known."""
    found = took(le_0_25=5.0, le_1=4.0)
    found.add("+Inf", 1.0)
    assert [found.most(share, BOUNDS) for share in (0.5, 0.51, 0.9, 0.95)] == ["250 ms", "1 s", "1 s", "over 60 s"]


def test_sums_that_are_a_hair_off_reach_the_bound_too() -> None:
    """Amounts are floats: 63 tenths of 70 tenths, each added by itself, are a little less than 0.9 of them."""
    found = took()
    for n in range(70):
        found.add("1" if n < 63 else "60", 0.1)
    assert found.within(1.0) == pytest.approx(0.9)
    assert found.most(0.9, BOUNDS) == "1 s"


@pytest.mark.parametrize(("amount", "said"), [(4.0, "–"), (5.0, "250 ms")])
def test_too_few_tell_nothing(amount: float, said: str) -> None:
    """Below five there is neither a share nor a bound."""
    found = took(le_0_25=amount)
    assert found.most(0.5, BOUNDS) == said
    assert (found.within(1.0) is None) == (said == "–")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.005, "5 ms"), (0.25, "250 ms"), (2.5, "2.5 s"), (60, "60 s"), (120, "2 min"), (600, "10 min")],
)
def test_bounds_are_told_with_all_of_their_digits(seconds: float, said: str) -> None:
    """In the unit that people say."""
    assert bound_words(seconds) == said


@pytest.mark.parametrize(
    ("share", "said"),
    [(None, "–"), (0.0, "0.0 %"), (0.00061, "0.061 %"), (0.00999, "0.999 %"), (0.01, "1.0 %"), (1.0, "100.0 %")],
)
def test_small_shares_have_more_digits(share: float | None, said: str) -> None:
    """Below one percent, where they differ there."""
    assert failed_words(share) == said
