"""What the company's people say: two waves, the second one better."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest

from platform_meter.demo.company.days import ZONE, working
from platform_meter.demo.company.layout import Company
from platform_meter.demo.company.surveys import ballots, invitations

START = datetime(2026, 6, 10, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def company() -> Company:
    return Company.build(1, START, teams=24, services=24)


def test_there_are_two_waves_that_are_over(company: Company) -> None:
    """The two months before this one; everybody who answers was invited, and not all do."""
    told, asked = ballots(company), invitations(company)
    months = Counter(one.at.astimezone(ZONE).month for one in told)
    assert set(months) == {4, 5}
    assert {(one.person, one.at.astimezone(ZONE).month) for one in told} < {
        (one.person, one.at.astimezone(ZONE).month) for one in asked
    }
    assert all(working(one.at.astimezone(ZONE).date()) for one in asked)


def test_answers_are_on_their_scales_and_some_think_again(company: Company) -> None:
    """Each answer has an id of its own."""
    told = ballots(company)
    assert all(0 <= one.score <= 10 and 1 <= one.ease <= 5 and len(one.usable) == 10 for one in told)
    assert all(1 <= answer <= 5 for one in told for answer in one.usable)
    assert len({one.id for one in told}) == len(told)
    assert len({(one.person, one.at.month) for one in told}) < len(told)


def test_the_second_wave_likes_it_better(company: Company) -> None:
    """By more than a point of ten."""
    by_month: dict[int, list[int]] = {4: [], 5: []}
    for one in ballots(company):
        by_month[one.at.astimezone(ZONE).month].append(one.score)
    first, second = (sum(scores) / len(scores) for scores in by_month.values())
    assert second - first > 1


def test_the_same_seed_says_the_same(company: Company) -> None:
    """And another one something else."""
    again, other = (Company.build(seed, START, teams=24, services=24) for seed in (1, 2))
    assert ballots(again) == ballots(company)
    assert ballots(other) != ballots(company)
