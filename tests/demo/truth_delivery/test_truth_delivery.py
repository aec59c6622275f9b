"""The company's second judgement of its delivery, on stories of a few lines each, worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from tests.demo.worlds import START, Clock, small_world

from platform_meter.demo.company.layout import Repo
from platform_meter.demo.company.records import Deployment, Incident, Pull, Step, Ticket
from platform_meter.demo.company.tickets import PROGRESS, RESOLVED
from platform_meter.demo.truth_delivery.happened import Reach, Release
from platform_meter.demo.truth_delivery.judgement import Judgement
from platform_meter.demo.truth_delivery.numbers import Delivery, quantile
from platform_meter.demo.world import World
from platform_meter.model.facts.delivery import DeployKind, DeployResult

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
"""A Monday."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
REACH = Reach(since=START - timedelta(days=90), until=START, details=START - timedelta(days=90))


class Story:
    """One service, and what people say happened to it."""

    def __init__(self) -> None:
        self.world = small_world(Clock())
        history = self.world.history
        history.extend(START)
        self.repo = next(repo for repo in self.world.company.repos if repo.service)
        for past in (history.deployment, history.main, history.incidents, history.tickets, history.builds):
            past.clear()
        self.pulls: list[Pull] = []

    @property
    def team(self) -> str:
        return self.repo.team

    def merge(self, at: datetime, *, title: str = "a change", body: str = "", hotfix: bool = False) -> Pull:
        """A change of two hours of work, an hour of waiting and an hour of review."""
        number = len(self.pulls) + 1
        pull = Pull(
            number=number,
            id=number,
            repo=self.repo,
            author="u-1",
            bot=title == "bump",
            title=title,
            branch="a",
            labels=("hotfix",) if hotfix else (),
            commits=(at - 4 * HOUR,),
            opened=at - 2 * HOUR,
            reviewer="u-2",
            reviewed=at - HOUR,
            merged=at,
            closed=at,
            body=body,
        )
        self.pulls.append(pull)
        self.world.history.main[self.repo.name].append((at, pull))
        return pull

    def deploy(
        self,
        at: datetime,
        version: Pull | str,
        *,
        where: str = "eu",
        kind: DeployKind = DeployKind.PLANNED,
        result: DeployResult = DeployResult.SUCCESS,
    ) -> Deployment:
        """It took ten minutes, and ended then."""
        made = Deployment(
            id=len(self.world.history.deployment) + 1,
            repo=self.repo,
            environment=f"production-{where}",
            sha=version if isinstance(version, str) else version.merge_sha,
            ref="main",
            creator="u-1",
            created=at - timedelta(minutes=10),
            statuses=(("success" if result is DeployResult.SUCCESS else "failure", at),),
            result=result,
            kind=kind,
        )
        self.world.history.deployment[made.id] = made
        return made

    def breaks(
        self, at: datetime, end: datetime | None, *, cause: Deployment | None = None, named: str = "", into: int = 0
    ) -> Incident:
        steps = () if end is None else ((end, "merged" if into else "resolved", "u-1"),)
        made = Incident(
            number=len(self.world.history.incidents) + 1,
            repo=self.repo,
            title="down",
            priority="P1",
            begun=at,
            steps=steps,
            cause=cause.id if cause else 0,
            named=named,
            into=into,
        )
        self.world.history.incidents.append(made)
        return made

    def judged(self, reach: Reach = REACH) -> list[Release]:
        return Judgement(self.world, reach).releases

    def numbers(self, reach: Reach = REACH) -> Delivery:
        return Delivery(Judgement(self.world, reach), reach, timedelta(days=28))

    def links(self) -> list[tuple[str, datetime | None]]:
        """Rule and release of each incident."""
        found = Judgement(self.world, REACH).outages
        return [(outage.link, outage.release.at if outage.release else None) for outage in found]


@pytest.fixture
def story() -> Story:
    return Story()


def names(release: Release) -> list[str]:
    return [change.name.partition("#")[2] for change in release.changes]


def test_regions_are_one_deployment_within_a_day(story: Story) -> None:
    """Dated by the first; the same version a day later is another one, as is what goes there once more."""
    a = story.merge(NOON)
    story.deploy(NOON + HOUR, a)
    story.deploy(NOON + 2 * HOUR, a, where="us")
    story.deploy(NOON + 3 * HOUR, a)
    story.deploy(NOON + 28 * HOUR, a, where="us")
    story.deploy(NOON + 29 * HOUR, a, where="us", result=DeployResult.FAILED)
    assert [(r.at, len(r.parts)) for r in story.judged()] == [
        (NOON + HOUR, 2),
        (NOON + 3 * HOUR, 1),
        (NOON + 28 * HOUR, 1),
    ]


def test_what_a_deployment_brings(story: Story) -> None:
    """All since the one before; the first and a rollback bring nothing, and a change comes once."""
    a, b, c, d = (story.merge(NOON + n * HOUR) for n in range(4))
    story.deploy(NOON + 10 * HOUR, a)
    story.deploy(NOON + 11 * HOUR, c)
    story.deploy(NOON + 12 * HOUR, a, kind=DeployKind.ROLLBACK)
    story.deploy(NOON + 13 * HOUR, d)
    story.deploy(NOON + 13 * HOUR, d, where="us")
    assert b.number == 2
    assert [names(r) for r in story.judged()] == [[], ["2", "3"], [], ["4"]]


def test_what_nobody_compared(story: Story) -> None:
    """Of two versions of which the older is no merged change, only the change itself is known to have come."""
    a, b = story.merge(NOON), story.merge(NOON + HOUR)
    story.deploy(NOON + 2 * HOUR, "0" * 40)
    story.deploy(NOON + 3 * HOUR, b)
    assert a.number == 1
    assert [names(r) for r in story.judged()] == [[], ["1", "2"]]
    late = Reach(since=REACH.since, until=START, details=START)
    assert [names(r) for r in story.judged(late)] == [[], ["2"]]


def test_lead_times(story: Story) -> None:
    """By stage, to the deployment; changes of bots and what nobody saw are left out."""
    story.deploy(NOON, story.merge(NOON - DAY))
    story.merge(NOON + HOUR, title="bump")
    story.deploy(NOON + 5 * HOUR, story.merge(NOON + 2 * HOUR))
    assert story.numbers().lead_times(story.team) == {
        "coding": [7200.0],
        "pickup": [3600.0],
        "review": [3600.0],
        "deploy": [10_800.0],
        "total": [25_200.0],
    }
    late = Reach(since=REACH.since, until=START, details=START)
    assert story.numbers(late).lead_times(story.team) == {"deploy": [10_800.0]}


def test_a_rollback_fails_what_it_undoes(story: Story) -> None:
    """All that served since that version did; they have recovered when it is there."""
    a, b, c = (story.merge(NOON + n * HOUR) for n in range(3))
    for n, version in enumerate((a, b, c)):
        story.deploy(NOON + (10 + n) * HOUR, version)
    story.deploy(NOON + 20 * HOUR, a, kind=DeployKind.ROLLBACK)
    end = NOON + 20 * HOUR
    assert [r.failure for r in story.judged()] == [None, (NOON + 11 * HOUR, end), (NOON + 12 * HOUR, end), None]
    assert [r.rework for r in story.judged()] == [False, False, False, True]


@pytest.mark.parametrize(
    ("title", "body", "hotfix", "failed"),
    [
        ('Revert "a change"', "Reverts {0}", False, 1),
        ("hotfix: b", "Hotfix for {0}", True, 1),
        ("hotfix: b", "", True, 2),
        ("b", "", False, None),
    ],
)
def test_a_fix_fails_what_it_mends(story: Story, title: str, body: str, hotfix: bool, failed: int | None) -> None:
    """The deployment of the change that it names; a hotfix that names none the one before it."""
    story.deploy(NOON, story.merge(NOON - DAY))
    bad = story.merge(NOON)
    story.deploy(NOON + HOUR, bad)
    story.deploy(NOON + 2 * HOUR, story.merge(NOON + HOUR))
    fix = story.merge(NOON + 3 * HOUR, title=title, body=body.format(bad.name), hotfix=hotfix)
    story.deploy(NOON + 4 * HOUR, fix)
    found = story.judged()
    assert [n for n, r in enumerate(found) if r.failure] == ([] if failed is None else [failed])
    assert [r.rework for r in found] == [False, False, False, failed is not None]
    if failed is not None:
        assert found[failed].failure == (found[failed].at, NOON + 4 * HOUR)


def test_what_was_mended_before_it_came_did_not_fail(story: Story) -> None:
    """A change and its hotfix that go out together."""
    story.deploy(NOON, story.merge(NOON - DAY))
    bad = story.merge(NOON)
    story.deploy(NOON + 4 * HOUR, story.merge(NOON + HOUR, hotfix=True, body=f"Hotfix for {bad.name}"))
    assert [(r.failure, r.rework) for r in story.judged()] == [(None, False), (None, False)]


def test_a_fix_that_is_not_deployed_leaves_it_open(story: Story) -> None:
    """What it names failed, and has not recovered."""
    story.deploy(NOON, story.merge(NOON - DAY))
    bad = story.merge(NOON)
    story.deploy(NOON + HOUR, bad)
    story.merge(NOON + 3 * HOUR, title='Revert "a"', body=f"Reverts {bad.name}")
    assert story.numbers().open_failures(story.team) == 1
    assert story.judged()[1].failure == (NOON + HOUR, None)


@pytest.mark.parametrize("named", ["sha", "address"])
def test_what_names_a_deployment_is_its_failure(story: Story, named: str) -> None:
    """However long ago it was, and whatever came since; but not one that came later."""
    bad = story.deploy(NOON, story.merge(NOON - HOUR))
    story.deploy(NOON + 9 * DAY, story.merge(NOON + DAY))
    story.breaks(NOON + 9 * DAY + HOUR, NOON + 10 * DAY, cause=bad, named=named)
    story.breaks(NOON - 2 * DAY, NOON - DAY, cause=bad, named=named)
    assert story.links() == [("none", None), ("named", NOON)]


@pytest.mark.parametrize(("hours", "link"), [(0, "near"), (24, "near"), (24.1, "none"), (-0.1, "none")])
def test_the_nearest_deployment_within_a_day(story: Story, hours: float, link: str) -> None:
    """Of the same service, ended before the incident began."""
    story.deploy(NOON, story.merge(NOON - HOUR))
    story.breaks(NOON + hours * HOUR, None)
    assert story.links() == [(link, NOON if link == "near" else None)]


def test_an_open_incident_goes_with_the_rollback(story: Story) -> None:
    """To the deployment that was undone, not to the nearest; one that was over by then does not."""
    a, b, c = (story.merge(NOON + n * HOUR) for n in range(3))
    for n, version in enumerate((a, b)):
        story.deploy(NOON + (10 + n) * HOUR, version)
    story.breaks(NOON + 11.5 * HOUR, NOON + 11.6 * HOUR)
    story.breaks(NOON + 40 * HOUR, NOON + 49 * HOUR)
    story.deploy(NOON + 48 * HOUR, a, kind=DeployKind.ROLLBACK)
    story.deploy(NOON + 60 * HOUR, c)
    story.breaks(NOON + 100 * HOUR, None)
    assert story.links() == [("near", NOON + 11 * HOUR), ("rollback", NOON + 11 * HOUR), ("none", None)]


def test_a_remedy_does_not_end_an_incident(story: Story) -> None:
    """Both have to be over; a recovery belongs to the window in which the later one was."""
    a, b = story.merge(NOON - 41 * DAY), story.merge(NOON - 40 * DAY)
    for at, version in ((NOON - 41 * DAY, a), (NOON - 40 * DAY, b)):
        story.deploy(at, version)
    story.breaks(NOON - 40 * DAY, NOON - 39 * DAY)
    story.deploy(NOON - 40 * DAY + HOUR, a, kind=DeployKind.ROLLBACK)
    assert story.judged()[1].failure == (NOON - 40 * DAY, NOON - 39 * DAY)
    assert story.numbers().recoveries(story.team) == []
    earlier = Reach(since=REACH.since, until=NOON - 39 * DAY - HOUR, details=REACH.details)
    assert story.judged(earlier)[1].failure == (NOON - 40 * DAY, None)
    assert story.numbers(earlier).recoveries(story.team) == []


def test_a_deployment_fails_once_however_many_incidents(story: Story) -> None:
    """Two incidents on one of eight deployments are an eighth, and it has recovered when both are over."""
    moments = [NOON - n * DAY for n in range(8, 0, -1)]
    for at in moments:
        story.deploy(at, story.merge(at - HOUR))
    story.breaks(moments[3] + HOUR, moments[3] + 5 * HOUR)
    story.breaks(moments[3] + 2 * HOUR, moments[3] + 3 * HOUR)
    numbers = story.numbers()
    assert numbers.change_failure(story.team) == 0.125
    assert numbers.recoveries(story.team) == [4 * 3600.0]
    assert numbers.rework(story.team) == 0
    assert numbers.per_day(story.team) == 8 / 28


def test_what_is_too_young_is_not_judged(story: Story) -> None:
    """Deployments of the last day are in neither part of the ratio; too few of them are none."""
    moments = [START - n * HOUR for n in (100, 90, 80, 70, 60, 23)]
    for at in moments:
        story.deploy(at, story.merge(at - HOUR))
    story.breaks(START - 22 * HOUR, None)
    assert story.numbers().change_failure(story.team) == 0
    assert story.numbers().open_failures(story.team) == 1
    earlier = Reach(since=REACH.since, until=START - 40 * HOUR, details=REACH.details)
    assert story.numbers(earlier).change_failure(story.team) is None


def test_incidents_that_are_one(story: Story) -> None:
    """What was merged into another is none of its own; a ticket that names one may end it later."""
    story.deploy(NOON, story.merge(NOON - HOUR))
    first = story.breaks(NOON + HOUR, NOON + 2 * HOUR)
    story.breaks(NOON + HOUR, NOON + 1.5 * HOUR, into=1)
    story.world.history.tickets.append(ticket(story.repo, first, NOON + 3 * HOUR))
    (outage,) = Judgement(story.world, REACH).outages
    assert (outage.start, outage.end) == (NOON + HOUR, NOON + 3 * HOUR)


def ticket(repo: Repo, about: Incident, done: datetime) -> Ticket:
    return Ticket(
        number=1,
        project="PLAT",
        type="Incident",
        summary=about.address,
        team=repo.team,
        reporter="u-1",
        component="delivery",
        priority="P1",
        labels=(),
        created=about.begun,
        steps=(Step(at=done, actor="u-1", changes=(("status", PROGRESS, RESOLVED),)),),
    )


def test_incidents_without_a_deployment(story: Story) -> None:
    """Those of the last 28 days are told, whatever the window."""
    story.deploy(NOON - 20 * DAY, story.merge(NOON - 21 * DAY))
    for at in (NOON - 15 * DAY, NOON, NOON + DAY):
        story.breaks(at, at + HOUR)
    assert story.numbers().unlinked(story.team) == 2


def test_days_with_a_deployment(story: Story) -> None:
    """The median over full weeks, those without any among them; too few weeks are none."""
    for week, days in enumerate((2, 1, 3, 0, 1)):
        for day in range(days):
            at = NOON + timedelta(weeks=1 - week, days=day)
            story.deploy(at, story.merge(at - HOUR))
    since = datetime(2026, 4, 13, tzinfo=UTC)
    assert story.numbers().deploy_days(story.team, UTC, since) == pytest.approx(1 / 7)
    assert story.numbers().deploy_days(story.team, UTC, since + timedelta(seconds=1)) is None


@pytest.mark.parametrize(("q", "value"), [(0.5, 4.0), (0.9, 12.8)])
def test_quantiles(q: float, value: float) -> None:
    """Between order statistics; four values are too few."""
    assert quantile([16, 1, 2, 4, 8], q) == pytest.approx(value)
    assert quantile([1, 2, 4, 8], q) is None


def test_the_world_as_it_is(still: World) -> None:
    """GitLab's and Argo CD's deployments are among the releases; a change stands in one of them at most."""
    reach = Reach(since=START - timedelta(days=95), until=START, details=START - timedelta(days=28), looks=(START,))
    judgement = Judgement(still, reach)
    things = {release.thing.partition("/")[0] for release in judgement.releases if "/" in release.thing}
    assert things == {"bought", "eu", "us"}
    carried: Sequence[str] = [change.name for release in judgement.releases for change in release.changes]
    assert len(set(carried)) == len(carried) > 50
