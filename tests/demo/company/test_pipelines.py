"""Pipelines on the company's other systems: who has them, and that a build's parts add up."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, datetime, timedelta

from tests.demo.worlds import START

from platform_meter.demo.company.layout import Company
from platform_meter.demo.company.pipelines import DEPLOY, Build, System, build, pipelines
from platform_meter.model.facts.ci import Outcome

AT = datetime(2026, 5, 20, 10, tzinfo=UTC)
COMPANY = Company.build(1, START, teams=8, services=24)


def many(count: int = 3_000) -> list[Build]:
    rng, found = random.Random(1), pipelines(COMPANY)
    return [build(rng, found[n % len(found)], n, AT) for n in range(count)]


def test_ids_and_names_are_nobody_elses() -> None:
    """Each has a number and a name of its own, and a team that uses the platform to this day."""
    found = pipelines(COMPANY)
    assert len({one.id for one in found}) == len({one.name for one in found}) == len(found)
    assert {one.system for one in found} == set(System)
    assert all(one.team.org != "platform" and one.team.until > 90 for one in found)


def test_stages_follow_each_other_to_the_end() -> None:
    """From the moment an agent took it to its end, with a wait for a person before the last one alone."""
    for one in many():
        stages = list(one.stages())
        assert (stages[0].started, stages[-1].ended) == (one.started, one.ended)
        gaps = [(b.started - a.ended).total_seconds() for a, b in itertools.pairwise(stages)]
        assert sum(gaps) == one.paused
        assert all(gap == 0 for gap in gaps[:-1])
        assert [stage.failed for stage in stages] == [*[False] * (len(stages) - 1), one.failed]
        assert one.outcome is not Outcome.SUCCESS or len(stages) == len(one.names)


def test_only_a_merge_is_delivered() -> None:
    """On GitLab a merge, and after its tests; a merge is reviewed before it, by another person."""
    found = many()
    delivered = [one for one in found if one.delivery is not None]
    assert {one.pipeline.system for one in delivered} == {System.GITLAB}
    for one in delivered:
        assert one.names[-1] == DEPLOY
        assert one.merge is not None
        assert one.merge.author != one.merge.reviewer
        assert one.merge.first_commit < one.merge.opened < one.merge.reviewed < one.merge.merged < one.created
    assert len(delivered) > 100


def test_every_outcome_occurs_at_about_its_share() -> None:
    """One of a hundred fails by the platform, ten by the user, three are cancelled."""
    found = many()
    shares = {how: sum(one.outcome is how for one in found) / len(found) for how in Outcome}
    assert 0.006 < shares[Outcome.INFRA_FAILURE] < 0.02
    assert 0.08 < shares[Outcome.USER_FAILURE] < 0.12
    assert 0.02 < shares[Outcome.CANCELLED] < 0.04
    assert min(one.queued for one in found) * timedelta(seconds=1) > timedelta()
