"""Syncs of the company's applications: one after the other, numbered as they succeed."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from tests.demo.worlds import START

from platform_meter.demo.company.layout import Company
from platform_meter.demo.company.syncs import APPS, BY_HAND, Sync, applications, sync

COMPANY = Company.build(1, START, teams=8, services=24)
AT = datetime(2026, 5, 20, 10, tzinfo=UTC)


def test_each_cluster_has_every_application() -> None:
    """One of them is synced by people, all others by themselves; the platform's own team has them."""
    found = applications(COMPANY)
    assert [(app.cluster, app.name) for app in found] == [(c, name) for c in ("eu", "us") for name in APPS]
    assert {app.name for app in found if not app.automated} == {BY_HAND}
    assert {app.team for app in found} == {"platform-runtime"}


def test_a_sync_waits_until_the_one_before_is_settled() -> None:
    """Nothing begins meanwhile; the first never fails, and a number is taken by what succeeds."""
    rng, app = random.Random(1), applications(COMPANY)[0]
    done: list[Sync] = []
    for minute in range(2_000):
        before = done[-1] if done else None
        begun = sync(rng, COMPANY, app, before, AT + timedelta(seconds=20 * minute))
        if begun is not None:
            assert before is None or before.healthy < begun.started
            assert begun.started < begun.ended < begun.healthy
            done.append(begun)
    assert not done[0].failed
    numbers = [one.number for one in done if not one.failed]
    assert numbers == list(range(1, len(numbers) + 1))
    assert 0.03 < sum(one.failed for one in done) / len(done) < 0.1
