from __future__ import annotations

from collections import Counter

import pytest
from tests.demo.worlds import START

from platform_meter.demo.company.boards import boards, rules, teams
from platform_meter.demo.company.layout import PLATFORM_TEAMS, Company


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_some_have_much_and_some_nothing(seed: int) -> None:
    """Teams without a folder, folders with one dashboard and with five, dashboards that nobody looks at, and a paused rule."""
    company = Company.build(seed, START)
    have = {team.id for team in teams(company)}
    assert {*PLATFORM_TEAMS} < have < {team.id for team in company.teams}
    assert len(have) < 0.9 * sum(team.until > 90 for team in company.teams)
    there = list(boards(company))
    assert len({one.uid for one in there}) == len(there)
    in_folders = Counter(one.team for one in there if one.folder == one.team and one.team)
    assert in_folders.keys() == have
    assert {1, 5} <= set(in_folders.values()) <= {1, 2, 3, 4, 5}
    unseen = sum(not one.views for one in there)
    assert 0.2 < unseen / len(there) < 0.6
    told = list(rules(company))
    assert {one.team for one in told} < have
    assert 0 < sum(one.paused for one in told) < len(told) / 2


def test_what_is_whose() -> None:
    """In the shared folder one of each platform team; three copies lie nowhere and are nobody's."""
    company = Company.build(1, START, teams=8, services=24)
    shared = [one.team for one in boards(company) if one.folder == "Shared"]
    assert shared == [*PLATFORM_TEAMS]
    nobodys = [(one.uid, one.folder, one.views) for one in boards(company) if not one.team]
    assert nobodys == [("copy-0", "", 0), ("copy-1", "", 1), ("copy-2", "", 2)]
