"""The same thing told in several ways."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.support.stores import NOON, Opener, Rules, counted, minutes, put

from platform_meter.measures.delivery.counts import counting as counting_of
from platform_meter.model.definitions import Definitions, Environment
from platform_meter.model.facts import Ref
from platform_meter.model.facts.delivery import Deployment, DeployResult, DeployWay
from platform_meter.model.measure import Counting
from platform_meter.store import Store

PRODUCTION = Environment(kind="Environment", id="production", match=("prod-*",))
AT_NOON = timedelta(0)
SHADOW = "platform_deployments_shadow_total"


@pytest.fixture
def store(open_store: Opener) -> Store:
    """One with the measures of delivery, where `acme/pay*` and the workloads of pay are of one service."""
    counting = counting_of(Definitions(environments=(PRODUCTION,)))
    assert isinstance(counting, Counting)
    return open_store(countings=(counting,), directory=Rules({"github:acme/pay*": "pay", "kubernetes:eu/pay/*": "pay"}))


def by_api(key: str, at: timedelta = AT_NOON, *, repository: str = "acme/pay") -> Deployment:
    about = Ref(system="github", kind="repository", id=repository)
    return Deployment(
        key=key, at=NOON + at, about=about, environment="production", sha=key, result=DeployResult.SUCCESS
    )


def by_rollout(
    key: str, at: timedelta = AT_NOON, *, environment: str = "prod-eu", workload: str = "eu/pay/api"
) -> Deployment:
    return Deployment(
        key=f"rollout/{key}",
        at=NOON + at,
        about=Ref(system="kubernetes", kind="workload", id=workload),
        environment=environment,
        sha=key,
        result=DeployResult.SUCCESS,
        way=DeployWay.ROLLOUT,
    )


def test_what_a_better_way_tells_too_counts_there_alone(store: Store) -> None:
    """Whichever source is read first, and also where both come on one page; environments are those declared."""
    put(store, [by_rollout("1"), by_api("1")])
    put(store, [by_rollout("2", minutes(1))], NOON + minutes(2), instance="eu")
    assert counted(store, "platform_deployments_total") == {("pay", "production", "success", "planned"): 1}
    assert counted(store, SHADOW) == {("pay", "production", "rollout"): 2}


def test_ways_are_compared_within_a_service_and_an_environment(store: Store) -> None:
    """An image that changes where no other way tells anything is a deployment; what has no service stands for itself."""
    put(store, [by_api("1"), by_rollout("1", environment="staging")])
    put(store, [by_api("2", repository="other/pay"), by_rollout("2", workload="eu/other/api")], NOON + minutes(1))
    assert counted(store, "platform_deployments_total") == {
        ("pay", "production", "success", "planned"): 1,
        ("pay", "_other", "success", "planned"): 1,
        ("_unowned", "production", "success", "planned"): 2,
    }
    assert counted(store, SHADOW) == {}


def test_history_tells_of_ways_too(store: Store) -> None:
    """What was read of before the first poll counts nothing, and says who tells."""
    put(store, [by_api("1", timedelta(days=-80))])
    put(store, [by_rollout("1")], NOON, instance="eu")
    assert counted(store, "platform_deployments_total") == {("pay", "production", "success", "planned"): 0}
    assert counted(store, SHADOW) == {("pay", "production", "rollout"): 1}


def test_a_way_that_nobody_uses_any_more_hides_nothing(store: Store) -> None:
    """After 91 days without a word of it."""
    put(store, [by_api("1", timedelta(days=-93))])
    put(store, [by_rollout("1")], NOON, instance="eu")
    assert counted(store, "platform_deployments_total") == {("pay", "production", "success", "planned"): 1}
