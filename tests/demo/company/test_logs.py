from __future__ import annotations

from datetime import timedelta

import pytest
from tests.demo.worlds import START

from platform_meter.demo.company.gateways import KONG, served
from platform_meter.demo.company.layout import Company
from platform_meter.demo.company.logs import Logged, found, logged
from platform_meter.demo.company.scenarios import Scenario
from platform_meter.demo.company.traffic import Traffic

COMPANY = Company.build(1, START)
LATER = START + timedelta(minutes=10)


@pytest.fixture(scope="module")
def streams() -> tuple[Logged, ...]:
    return logged(COMPANY, Scenario())


def test_the_gateway_and_some_teams_log(streams: tuple[Logged, ...]) -> None:
    """Each stream is one owner's, and its pattern names it alone."""
    assert (streams[0].name, streams[0].team, streams[0].pattern) == (
        "logs-gateway.access-prod",
        "platform-runtime",
        "logs-gateway.access-*",
    )
    teams = {one.team for one in streams[1:]}
    assert len(teams) == len(streams) - 1 > 5
    assert teams < {team.id for team in COMPANY.teams[4:-2]}
    assert [found(streams, one.pattern) for one in streams] == [[one] for one in streams]
    assert found(streams, "logs-gateway.access-prod") == [streams[0]]
    assert found(streams, "logs-gateway") == []
    assert found(streams, "logs-*") == [*streams]
    assert found(streams, "metrics-*") == []


def test_a_document_is_a_request(streams: tuple[Logged, ...]) -> None:
    """As many of each status as the routes of the gateway answered."""
    routes = [route.answered(LATER) for route in served(COMPANY, Scenario(), KONG)]
    told = streams[0].answered(LATER)
    assert (told.good, told.missing, told.failed) == (
        sum(one.good for one in routes),
        sum(one.missing for one in routes),
        sum(one.failed for one in routes),
    )
    assert told.failed > 0


def test_the_newest_document(streams: tuple[Logged, ...]) -> None:
    """Of a stream that lives it is some seconds old; the last one fell silent nine hours before live time began."""
    ages = [LATER - one.newest(LATER) for one in streams]
    assert max(ages[:-1]) < timedelta(minutes=1)
    assert timedelta(hours=9, minutes=10) <= ages[-1] < timedelta(hours=9, minutes=11)
    assert streams[-1].answered(LATER) == streams[-1].answered(START - timedelta(hours=9))
    seldom = Traffic(service="seldom", rate=0.01, began=START - timedelta(days=1), trouble=None)
    one = Logged(name="logs-seldom-prod", team="any", requests=(seldom,))
    newest = one.newest(LATER)
    assert timedelta(seconds=1) < LATER - newest < timedelta(minutes=10)
    assert one.answered(newest) == one.answered(LATER)
    assert one.answered(newest - timedelta(seconds=1)) != one.answered(LATER)
