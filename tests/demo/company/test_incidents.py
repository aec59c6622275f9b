from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest
from tests.demo.worlds import START

from platform_meter.demo.company.history import History
from platform_meter.demo.company.incidents import LABEL, watched
from platform_meter.demo.company.layout import BAD_RELEASES, Company
from platform_meter.demo.company.records import Deployment, Incident, Pull
from platform_meter.demo.company.releases import STRUCK, struck
from platform_meter.model.facts.delivery import DeployKind, DeployResult

LATER = START + timedelta(days=30)


@pytest.fixture(scope="module", params=[1, 2, 3])
def story(request: pytest.FixtureRequest) -> History:
    """The 90 days of a company in full size."""
    history = History(Company.build(request.param, START))
    history.extend(START)
    return history


def whats(incident: Incident) -> list[str]:
    return [what for _, what, _ in incident.steps]


def pulls(story: History) -> list[Pull]:
    return [thing for things in story.pulls.values() for thing in things if isinstance(thing, Pull)]


def production(story: History) -> list[Deployment]:
    every = story.deployment.values()
    return [d for d in every if d.environment.startswith("production") and d.result is DeployResult.SUCCESS]


def test_amounts(story: History) -> None:
    """Some hundred and fifty to three hundred incidents, a third to two thirds of which a deployment broke."""
    assert 150 < len(story.incidents) < 320
    caused = [one for one in story.incidents if one.cause]
    assert 1 / 4 < len(caused) / len(story.incidents) < 2 / 3
    assert min(Counter(one.named for one in caused)[word] for word in ("sha", "address", "")) >= 10


def test_they_stand_in_order(story: History) -> None:
    """Numbers go up with time, ids are nobody else's, and each is of a service that somebody watches."""
    assert [one.number for one in story.incidents] == list(range(1, len(story.incidents) + 1))
    assert [one.begun for one in story.incidents] == sorted(one.begun for one in story.incidents)
    assert len({one.id for one in story.incidents}) == len(story.incidents)
    assert {one.repo for one in story.incidents} <= set(watched(story.company))


def test_what_a_deployment_broke_came_after_it(story: History) -> None:
    """In the same repository, and its title names it where it says that it does."""
    for one in story.incidents:
        if one.cause:
            cause = story.deployment[one.cause]
            assert cause.repo is one.repo
            assert cause.ended < one.begun
            assert (one.named == "sha") is (f"since {cause.sha[:12]}" in one.title)
            assert (one.named == "address") is one.title.endswith(cause.address)
        else:
            assert "since" not in one.title


def test_ways_to_end(story: History) -> None:
    """Steps follow each other; some are open still, some come back, some are acknowledged for many hours."""
    for one in story.incidents:
        moments = [one.begun, *(at for at, _, _ in one.steps)]
        assert moments == sorted(moments)
    seen = Counter(tuple(whats(one)) for one in story.incidents)
    assert seen.keys() == {
        ("acknowledged",),
        ("acknowledged", "resolved"),
        ("acknowledged", "resolved", "reopened", "resolved"),
        ("merged",),
    }
    assert seen["acknowledged", "resolved"] > len(story.incidents) / 2
    long = [
        one for one in story.incidents if one.ended_at(LATER) and one.steps[-1][0] - one.begun > timedelta(hours=12)
    ]
    assert 0.03 < len(long) / len(story.incidents) < 0.3


def test_acknowledged_is_not_ended_and_reopened_is_open() -> None:
    """An end holds until it is opened again."""
    history = History(Company.build(1, START))
    history.extend(START)
    one = next(i for i in history.incidents if "reopened" in whats(i))
    moments = [at for at, _, _ in one.steps]
    assert [one.ended_at(at) for at in moments] == [None, moments[1], None, moments[3]]
    assert one.ended_at(one.begun) is None


def test_merged_ones_are_told_twice(story: History) -> None:
    """A second alert of the same service, while the first incident is open."""
    twins = [one for one in story.incidents if one.into]
    assert len(twins) >= 3
    for twin in twins:
        first = story.incidents[twin.into - 1]
        assert first.repo is twin.repo
        assert first.begun < twin.begun < twin.steps[0][0]
        assert first.ended_at(twin.steps[0][0]) is None


def test_tickets_name_incidents(story: History) -> None:
    """Some incidents have a ticket of the platform's, which ends after they did."""
    told = [ticket for ticket in story.tickets if LABEL in ticket.labels]
    by_address = {one.address: one for one in story.incidents}
    assert 0.1 < len(told) / len(story.incidents) < 0.4
    for ticket in told:
        one = by_address[ticket.summary.removeprefix("Production: ")]
        ends = [step.at for step in ticket.steps if ("status", "In Progress", "Resolved") in step.changes]
        assert one.begun < ticket.created
        assert [one.ended_at(LATER) is not None] == [bool(ends)]
        assert all(end > (one.ended_at(LATER) or end) for end in ends)


def test_fixes_name_what_they_mend(story: History) -> None:
    """A revert always, a hotfix often; both name a change that was merged before, and go out to production."""
    by_name = {pull.name: pull for pull in pulls(story)}
    live = {d.sha for d in production(story)}
    reverts = [p for p in pulls(story) if p.title.startswith('Revert "')]
    hotfixes = [p for p in pulls(story) if p.title == "hotfix: give back what was lost"]
    assert min(len(reverts), len(hotfixes)) >= 5
    assert 0 < sum(not p.body for p in hotfixes) < len(hotfixes)
    for pull in (*reverts, *(p for p in hotfixes if p.body)):
        verb, _, name = pull.body.rpartition(" ")
        assert verb == ("Reverts" if pull in reverts else "Hotfix for")
        merged = by_name[name].merged
        assert merged is not None
        assert merged < pull.opened
    out = [p for p in (*reverts, *hotfixes) if p.merge_sha in live]
    assert len(out) / len([*reverts, *hotfixes]) > 0.6


def of_week(story: History, moments: list[datetime]) -> int:
    return sum(story.company.day(at) in BAD_RELEASES for at in moments)


def test_one_bad_release_week(story: History) -> None:
    """In the week some three weeks ago more is rolled back than in any other two, and something is reverted and mended."""
    backs = [d.created for d in production(story) if d.kind is DeployKind.ROLLBACK]
    weeks = Counter(story.company.day(at) // 7 for at in backs)
    bad = of_week(story, backs)
    usual = sorted(n for week, n in weeks.items() if not {7 * week, 7 * week + 6} & set(BAD_RELEASES))
    assert bad > 2 * usual[len(usual) // 2]
    hurried = [p for p in pulls(story) if story.company.day(p.opened) in BAD_RELEASES]
    assert any(p.title.startswith('Revert "') for p in hurried)
    assert any(p.title.startswith("hotfix: give") for p in hurried)
    assert of_week(story, [one.begun for one in story.incidents]) > len(story.incidents) / 10
    assert 18 <= (story.company.day(START) - BAD_RELEASES[0]) <= 25


def test_the_bad_week_strikes_few_teams(story: History) -> None:
    """Those that have most to release, none of the platform's."""
    repos = struck(story.company, BAD_RELEASES[0])
    teams = {repo.team for repo in repos}
    assert len(teams) == STRUCK
    assert {story.company.team[team].org for team in teams}.isdisjoint({"platform"})
    ships = [p for p in pulls(story) if p.title == "ship the new terms"]
    assert {p.repo.team for p in ships} <= teams
    assert len(ships) >= 20
