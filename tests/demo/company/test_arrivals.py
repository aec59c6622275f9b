from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import islice, pairwise, takewhile

from tests.demo.worlds import START

from platform_meter.demo.company.arrivals import EVERY, RUSHES, SLOT, arrivals
from platform_meter.demo.company.layout import BAD_RELEASES, Company
from platform_meter.demo.company.scenarios import Scenario

COMPANY = Company.build(1, START)


def test_days_then_slots() -> None:
    """In order of time through the history and on; live time has a run in every slot."""
    found = list(takewhile(lambda a: a.at < START + 300 * SLOT, arrivals(COMPANY, Scenario())))
    assert all(one.at <= other.at for one, other in pairwise(found))
    assert found[0].at < START - timedelta(days=89)
    live = Counter(one.kind for one in found if one.at >= START)
    assert live == {kind: 300 // every for kind, every in EVERY.items()} | {"ticket": 10, "incident": 2}


def test_releases_in_a_hurry_come_in_the_bad_week_alone() -> None:
    """Some each working day."""
    found = [one for one in islice(arrivals(COMPANY, Scenario()), 45_000) if one.at < START]
    days = Counter(COMPANY.day(one.at) for one in found if one.kind == "rush")
    assert days.keys() <= set(BAD_RELEASES)
    assert max(days.values()) >= RUSHES
    assert sum(days.values()) > 3 * RUSHES


def test_seeds_are_nobody_elses() -> None:
    """Each arrival draws from a source of its own."""
    found = [(one.seed, one.kind) for one in islice(arrivals(COMPANY, Scenario()), 5_000)]
    assert len(set(found)) == len(found)
