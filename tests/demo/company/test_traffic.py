from __future__ import annotations

from datetime import timedelta

from tests.demo.worlds import START

from platform_meter.demo.company.layout import Company
from platform_meter.demo.company.scenarios import Scenario, Trouble
from platform_meter.demo.company.traffic import serving, traffic

COMPANY = Company.build(1, START, teams=8, services=24)


def test_errors_while_the_cluster_is_slow() -> None:
    """In cluster-slow about a fifth of what services of eu answer is an error; before it begins hardly any is."""
    begin = START + timedelta(hours=1)
    slow = Scenario(trouble=Trouble.CLUSTER_SLOW, begin=begin)
    found = [traffic(COMPANY, slow, s) for s in serving(COMPANY)]
    sick = [t for t in found if t.trouble]
    assert sick
    assert len(sick) < len(found)
    for one in sick:
        before, start, end = (one.codes(at) for at in (START, begin, begin + timedelta(hours=2)))
        assert start["500"] - before["500"] < 0.01 * (start["200"] - before["200"]) + 2
        bad, all_ = end["500"] - start["500"], sum(end.values()) - sum(start.values())
        assert 0.19 < bad / all_ < 0.22
        assert all(end[code] >= start[code] for code in end)


def test_errors_end_with_the_trouble() -> None:
    """After a trouble of an hour the errors that it caused stay counted, and hardly any come on top."""
    begin = START + timedelta(hours=1)
    end = begin + timedelta(hours=1)
    passing = Scenario(trouble=Trouble.CLUSTER_SLOW, begin=begin, end=end)
    sick = next(t for t in (traffic(COMPANY, passing, s) for s in serving(COMPANY)) if t.trouble)
    before, over, later = (sick.codes(at) for at in (begin, end, end + timedelta(hours=1)))
    assert over["500"] - before["500"] > 0.19 * (over["200"] - before["200"])
    assert 0 <= later["500"] - over["500"] < 0.001 * (later["200"] - over["200"]) + 2
