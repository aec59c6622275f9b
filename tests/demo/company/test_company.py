from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.demo.worlds import START

from platform_meter.demo.company.days import ZONE
from platform_meter.demo.company.history import History
from platform_meter.demo.company.layout import BAD_WEEK, Company
from platform_meter.demo.company.records import Pull
from platform_meter.demo.company.tickets import OPEN, PROGRESS, RESOLVED
from platform_meter.model.facts.ci import Outcome
from platform_meter.model.facts.delivery import DeployKind, DeployResult

SMALL = Company.build(1, START, teams=8, services=24)


@pytest.fixture(scope="module", params=[1, 2, 3])
def whole(request: pytest.FixtureRequest) -> History:
    """A company in full size with its 90 days."""
    history = History(Company.build(request.param, START))
    history.extend(START)
    return history


def test_plausible_amounts(whole: History) -> None:
    """Whatever the seed: about 16,000 runs, 680 that stay failed, 2,000 deployments, 6,000 pull requests, 1,600 tickets."""
    failed = [r for r in whole.run.values() if r.attempts[-1].conclusion in {"failure", "timed_out"}]
    assert 14_000 < len(whole.run) < 18_000
    assert 500 < len(failed) < 1_000
    assert 1_500 < len(whole.deployment) < 2_400
    assert 5_000 < sum(len(things) for things in whole.pulls.values()) < 7_500
    assert 1_200 < len(whole.tickets) < 2_000
    assert max(len(runs) for runs in whole.runs.values()) > 1_000  # more than one search may list


def test_plausible_shares(whole: History) -> None:
    """Nine of ten runs are well, users fail more often than the platform, some runs are flaky, few rollouts fail."""
    attempts = [a for r in whole.run.values() for a in r.attempts]
    shares = {k: n / len(attempts) for k, n in Counter(a.outcome for a in attempts).items()}
    assert 0.85 < shares[Outcome.SUCCESS] < 0.94
    assert 0.04 < shares[Outcome.USER_FAILURE] < 0.08
    assert 0.01 < shares[Outcome.INFRA_FAILURE] < 0.03
    flaky = [r for r in whole.run.values() if len(r.attempts) > 1 and r.attempts[-1].conclusion == "success"]
    assert 0.01 < len(flaky) / len(whole.run) < 0.06
    results = Counter(d.result for d in whole.deployment.values())
    assert 0.02 < results[DeployResult.FAILED] / results.total() < 0.12
    assert {d.kind for d in whole.deployment.values()} == {DeployKind.PLANNED, DeployKind.HOTFIX, DeployKind.ROLLBACK}


def test_week_and_growth(whole: History) -> None:
    """Weekends and holidays are quiet, the last month is busier than the first, and one week is bad."""
    days = Counter(r.created.astimezone(ZONE).date() for r in whole.run.values())
    epoch = whole.company.epoch
    usual = sum(days[epoch + timedelta(days=n)] for n in range(90)) / 90
    labour_day = START.date().replace(month=5, day=1)
    saturday = labour_day + timedelta(days=1)
    assert days[labour_day] < usual / 3
    assert days[saturday] < usual / 3
    assert sum(days[epoch + timedelta(days=n)] for n in range(62, 90)) > sum(
        days[epoch + timedelta(days=n)] for n in range(28)
    )
    bad = [a.outcome for r in whole.run.values() for a in r.attempts if whole.company.day(a.ended) in BAD_WEEK]
    assert 0.1 < bad.count(Outcome.INFRA_FAILURE) / len(bad) < 0.25


@settings(max_examples=10)
@given(cuts=st.lists(st.integers(min_value=-90 * 86_400, max_value=1_800), max_size=6))
def test_the_story_does_not_depend_on_how_it_is_asked(cuts: list[int]) -> None:
    """Extended in any steps, back and forth, the story up to a moment is the same."""
    until = START + timedelta(seconds=1_800)
    whole, cut = History(SMALL), History(SMALL)
    whole.extend(until)
    for seconds in cuts:
        cut.extend(START + timedelta(seconds=seconds))
    cut.extend(until)
    assert cut.run == whole.run
    assert cut.deployment == whole.deployment
    assert cut.inactive == whole.inactive
    assert cut.pulls == whole.pulls
    assert cut.main == whole.main
    assert cut.tickets == whole.tickets
    assert cut.incidents == whole.incidents


def test_live_time_always_brings_runs() -> None:
    """At any hour a new run begins at least every 28 s, and pull requests, releases and tickets within ten minutes."""
    history = History(SMALL)
    night = START + timedelta(hours=14)
    history.extend(night + timedelta(minutes=10))
    runs = [r.created for r in history.run.values() if r.created > START]
    assert max(b - a for a, b in pairwise(runs)) <= timedelta(seconds=28)
    assert any(d.created > night for d in history.deployment.values())
    assert any(t.created > night for t in history.tickets)
    assert any(p.opened > night for things in history.pulls.values() for p in things)


def test_one_rollout_at_a_time_and_regions_together(whole: History) -> None:
    """A repository rolls out one version at a time; regions of one release begin in the same second."""
    both = 0
    for deployments in whole.deployments.values():
        for one, other in pairwise(deployments):
            together = {one.environment, other.environment} == {"production-eu", "production-us"}
            if together and one.created == other.created:
                assert one.sha == other.sha
                both += 1
            else:
                assert other.created > one.ended
    assert both > 50


def test_a_rollback_deploys_what_served_before(whole: History) -> None:
    """Each rollback's version had served in its environment before another one did; no other deployment goes back."""
    for deployments in whole.deployments.values():
        served: dict[str, list[str]] = {}
        for d in deployments:
            shas = served.setdefault(d.environment, [])
            back = d.sha in shas and shas[-1] != d.sha
            assert back is (d.kind is DeployKind.ROLLBACK)
            if d.result is DeployResult.SUCCESS:
                shas.append(d.sha)


def test_jobs_fill_their_attempt(whole: History) -> None:
    """An attempt ends with its last job; a failed one has exactly one failed job, with a step to blame."""
    for run in list(whole.run.values())[:4000]:
        for attempt in run.attempts:
            jobs = run.jobs(attempt)
            if attempt.conclusion == "startup_failure":
                assert jobs == ()
                continue
            assert max(job.ended for job in jobs) == attempt.ended
            assert all(one.ended == other.created for one, other in pairwise(jobs))
            bad = [job for job in jobs if job.conclusion not in {"success", "skipped"}]
            if attempt.conclusion in {"failure", "timed_out", "cancelled"}:
                assert [(job.conclusion, bool(job.broken)) for job in bad] == [(attempt.conclusion, True)]
            else:
                assert bad == []
    ids = [job.id for run in whole.run.values() for attempt in run.attempts for job in run.jobs(attempt)]
    assert len(ids) == len(set(ids))


def test_pull_requests_go_forward_in_time(whole: History) -> None:
    """First commit before opening, opening before review, review before merge; what merges stands on main in order."""
    for things in whole.pulls.values():
        for pull in (thing for thing in things if isinstance(thing, Pull)):
            moments = [*pull.commits, pull.opened, pull.reviewed, pull.merged]
            known = [moment for moment in moments if moment is not None]
            assert known == sorted(known)
            assert pull.reviewer != pull.author
        assert [thing.number for thing in things] == list(range(1, len(things) + 1))
    for merged in whole.main.values():
        assert [at for at, _ in merged] == sorted(at for at, _ in merged)


def test_tickets_step_from_status_to_status(whole: History) -> None:
    """Every change of a field starts from what the change before left; some tickets come back after they were resolved."""
    reopened = 0
    for ticket in whole.tickets:
        fields = {"status": OPEN, "priority": ticket.priority}
        moments = [step.at for step in ticket.steps]
        assert moments == sorted(moments)
        assert moments[0] > ticket.created
        for step in ticket.steps:
            for field, before, after in step.changes:
                assert fields.get(field, "") == before
                fields[field] = after
                reopened += (field, before, after) == ("status", RESOLVED, PROGRESS)
    assert reopened > 20
    assert any(len(ticket.steps) > 120 for ticket in whole.tickets)
