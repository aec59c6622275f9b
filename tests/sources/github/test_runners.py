"""Runners of the organisation's own."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.sources.github.github_server import Github, Row, runner
from tests.sources.github.test_github import MINUTE, NOW, Told

from platform_meter.model.facts.ci import PipelineRunners
from platform_meter.model.source import Unexpected, Unreachable
from platform_meter.sources.github import SOURCE
from platform_meter.testing.outside import Call, FakeOutside, Reply

HOUR = timedelta(hours=1)
GROUPS: list[Row] = [{"id": 1, "name": "Default"}, {"id": 2, "name": "builders"}]


def _found(told: Told) -> dict[str, tuple[int, int, int]]:
    """Idle, busy and offline ones, by pool, of the last poll."""
    facts = [fact for page in told.pages[-1:] for fact in page.facts if isinstance(fact, PipelineRunners)]
    return {fact.pool: (fact.idle, fact.busy, fact.offline) for fact in facts}


def _complete(told: Told) -> bool:
    return PipelineRunners in told.pages[-1].complete


def test_pools_are_groups_or_all_labels() -> None:
    """Of the group that everybody has it is the labels that somebody gave; one offline is neither idle nor busy."""
    world = Github([], groups=GROUPS)
    world.runners = [
        runner(1, "gpu", "large"),
        runner(2, "gpu", "large", status="offline", busy=True),
        runner(3, group=2, busy=True),
        runner(4, "arm", group=2),
        runner(5),
        runner(6, "lost", group=9),
    ]
    told = Told(world, codeowners=False, runners=True)
    told.poll(NOW)
    assert _found(told) == {"gpu,large": (1, 0, 1), "builders": (1, 1, 0), "Default": (1, 0, 0), "lost": (1, 0, 0)}
    assert _complete(told)


def test_all_pages_are_read() -> None:
    """Of 250 runners, three calls, and one for the groups."""
    told = Told(Github([], groups=GROUPS, runners=[runner(n, group=2) for n in range(250)]), runners=True)
    told.poll(NOW)
    assert _found(told) == {"builders": (250, 0, 0)}
    assert len(told.asked("/actions/")) == 4


@pytest.mark.parametrize("status", [403, 404])
def test_without_the_permission_the_rest_goes_on(status: int) -> None:
    """There are none then, not those of before; it is tried again after an hour."""
    world = Github([], groups=GROUPS, runners=[runner(1)])
    told = Told(world, codeowners=False, runners=True)
    told.poll(NOW)
    told.world = lambda call: Reply(status=status) if "/actions/" in call.path else world(call)
    for minutes, calls in ((1, 1), (2, 0), (60, 0), (61, 1)):
        told.poll(NOW + minutes * MINUTE)
        assert (_found(told), _complete(told), len(told.asked("/actions/"))) == ({}, True, calls)
    told.world = world
    told.poll(NOW + 122 * MINUTE)
    assert _found(told) == {"Default": (1, 0, 0)}


@pytest.mark.parametrize("error", [Unreachable("502"), Unexpected("odd")])
def test_another_failure_fails_the_poll(error: Exception) -> None:
    """Behind all that could be read."""
    world = Github([])

    def answer(call: Call) -> Reply:
        if "/actions/" in call.path:
            raise error
        return world(call)

    told = Told(world, codeowners=False, runners=True)
    told.world = answer
    with pytest.raises(type(error)):
        told.poll(NOW)


def test_check_says_which_permission_lacks() -> None:
    """And how to do without."""
    told = Told(Github([]), runners=True)

    def answer(call: Call) -> Reply:
        if call.path.endswith("/repos"):
            return Reply(body=[{"full_name": "acme/api"}])
        return Reply(status=403) if call.path.endswith("/actions/runners") else Reply(body=[])

    assert SOURCE.check(told.config, FakeOutside(answer)) == [
        (
            "organisation acme: its runners can't be read; give the token the organisation permission "
            "'Self-hosted runners: read', or leave `runners` out"
        )
    ]
