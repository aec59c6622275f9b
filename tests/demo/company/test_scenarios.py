from __future__ import annotations

from datetime import timedelta

import pytest
from tests.demo.worlds import START

from platform_meter.demo.company.history import History
from platform_meter.demo.company.incidents import LABEL
from platform_meter.demo.company.layout import Company
from platform_meter.demo.company.scenarios import Scenario, Trouble
from platform_meter.demo.company.tickets import SUMMARIES
from platform_meter.model.facts.ci import Outcome

COMPANY = Company.build(1, START, teams=8, services=24)
BEGIN = START + timedelta(minutes=30)
END = START + timedelta(hours=2)


@pytest.fixture(scope="module", params=list(Trouble))
def story(request: pytest.FixtureRequest) -> History:
    history = History(COMPANY, Scenario(trouble=request.param, begin=BEGIN))
    history.extend(END)
    return history


def test_before_it_begins_nothing_is_different(story: History) -> None:
    """A scenario changes nothing that began before it."""
    calm = History(COMPANY)
    calm.extend(END)
    before = [r.id for r in calm.run.values() if r.attempts[-1].ended < BEGIN]
    assert [calm.run[n] for n in before] == [story.run[n] for n in before]
    assert len(before) > 1_000


def test_ci_outage(story: History) -> None:
    """In an outage about 60 % of attempts fail by the platform's fault and jobs wait minutes; else neither is so."""
    attempts = [a for r in story.run.values() for a in r.attempts if BEGIN <= a.started < END]
    share = sum(a.outcome is Outcome.INFRA_FAILURE for a in attempts) / len(attempts)
    waits = sorted(queued for a in attempts for queued, _ in a.stages)
    if story.scenario.trouble is Trouble.CI_OUTAGE:
        assert 0.5 < share < 0.7
        assert waits[len(waits) // 2] > 180
    else:
        assert share < 0.05
        assert waits[len(waits) // 2] < 60


def test_ticket_flood(story: History) -> None:
    """In a flood ten times as many tickets come, half of them about one thing; else one comes every ten minutes."""
    tickets = [t for t in story.tickets if BEGIN <= t.created < END and LABEL not in t.labels]
    if story.scenario.trouble is Trouble.TICKET_FLOOD:
        assert len(tickets) == 90
        assert sum(t.summary in {SUMMARIES["ci"], SUMMARIES["onboarding"]} for t in tickets) > 40
    else:
        assert len(tickets) == 9


def test_cluster_slow(story: History) -> None:
    """While the cluster is slow, rollouts take minutes more and fail more often."""
    took = sorted(d.ended - d.created for d in story.deployment.values() if BEGIN <= d.created < END)
    if story.scenario.trouble is Trouble.CLUSTER_SLOW:
        assert took[len(took) // 2] > timedelta(minutes=4)
    else:
        assert took[len(took) // 2] < timedelta(minutes=3)


def test_a_trouble_that_ends() -> None:
    """It holds from its beginning up to its end, which no longer belongs to it; without an end it stays."""
    passing = Scenario(trouble=Trouble.CI_OUTAGE, begin=BEGIN, end=END)
    moments = (BEGIN - timedelta(seconds=1), BEGIN, END - timedelta(seconds=1), END)
    assert [passing.holds(Trouble.CI_OUTAGE, at) for at in moments] == [False, True, True, False]
    assert not passing.holds(Trouble.TICKET_FLOOD, BEGIN)
    assert Scenario(trouble=Trouble.CI_OUTAGE, begin=BEGIN).holds(Trouble.CI_OUTAGE, END)
