from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.demo.worlds import START

from platform_meter.demo.company.history import History
from platform_meter.demo.company.layout import Company
from platform_meter.demo.company.scenarios import Scenario, Trouble
from platform_meter.demo.company.traffic import runs_in
from platform_meter.demo.company.watching import Check, Metric, told_there, watched, watched_service

COMPANY = Company.build(1, START, teams=8, services=24)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_it_is_a_service_of_a_team_that_stays(seed: int) -> None:
    """It answers requests, and its team is none of the platform's."""
    company = Company.build(seed, START, teams=8, services=24)
    service = watched_service(company)
    assert service.type in {"service", "website"}
    assert service.team in {team.id for team in company.teams[4:-2]}


def test_it_counts_what_the_service_tells_by_itself() -> None:
    """All requests of an hour, and those that failed: the growth of its own counters."""
    one = watched(COMPANY, Scenario())
    before, after = one.traffic.codes(START), one.traffic.codes(START + HOUR)
    assert one.counted(Metric.HITS, START, START + HOUR) == sum(after.values()) - sum(before.values()) > 1_000
    assert one.counted(Metric.ERRORS, START, START + HOUR) == after["500"] - before["500"] > 0


def test_monitors_stand_as_the_service_does() -> None:
    """Errors alert while it is sick, load warns in the middle of the day; of a machine that is gone nothing comes."""
    well = watched(COMPANY, Scenario())
    noon, midnight = START.replace(hour=12), START.replace(hour=0)
    assert {check: well.state(check, noon) for check in Check} == {
        "errors": "OK",
        "latency": "OK",
        "load": "Warn",
        "host": "No Data",
        "draft": "No Data",
    }
    assert well.state(Check.LOAD, midnight) == "OK"
    slow = Scenario(trouble=Trouble.CLUSTER_SLOW, begin=START)
    company = next(c for seed in range(1, 9) if stands(c := Company.build(seed, START, teams=8, services=24)))
    assert watched(company, slow).state(Check.ERRORS, START + HOUR) == "Alert"


def stands(company: Company) -> bool:
    return runs_in(company, watched_service(company), company.clusters[0].name)


def test_an_incident_is_told_there_too() -> None:
    """The service broke three hours before live time began; what is merged into another is in one place alone."""
    history = History(COMPANY)
    history.extend(START)
    there = list(told_there(COMPANY, history.incidents, START))
    assert START - timedelta(hours=3) in {one.begun for one in there}
    assert {one.repo.name for one in there} == {watched_service(COMPANY).id}
    second = replace(there[-1], into=there[-1].number)
    assert list(told_there(COMPANY, [*there, second], START)) == there
    soon = START - timedelta(hours=3) + timedelta(seconds=59)
    assert len(list(told_there(COMPANY, history.incidents, soon))) == len(there) - 1  # it is declared a minute later
