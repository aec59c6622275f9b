"""Delivery measures."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.support.history import owner, source

from platform_meter.measures import delivery
from platform_meter.model.catalogue.delivery import DEPLOYMENTS
from platform_meter.model.definitions import Definitions, Environment
from platform_meter.model.facts import Event, Ref
from platform_meter.model.facts.delivery import DeployKind, Deployment, DeployResult
from platform_meter.model.measure import Counting
from platform_meter.model.metric import Increment

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
REF = Ref(system="argocd", kind="app", id="shop")
ARGO = source("argocd", watermark=NOW)
PRODUCTION = Environment(kind="Environment", id="production", production=True, match=("prod-*", "live"))
STAGING = Environment(kind="Environment", id="staging")


def count(event: Event, *declared: Environment) -> list[Increment]:
    (measure,) = delivery.configured(Definitions(environments=declared))
    assert isinstance(measure, Counting)
    return list(measure.count(event, owner("shop", "pay"), ARGO))


def deployment(environment: str) -> Deployment:
    return Deployment(
        key="1",
        at=NOW,
        about=REF,
        environment=environment,
        sha="abc",
        result=DeployResult.FAILED,
        kind=DeployKind.ROLLBACK,
    )


def test_a_deployment_counts_by_team_environment_result_and_kind() -> None:
    """Where no environment is declared, each is named as its source names it."""
    (found,) = count(deployment("prod-eu"))
    assert found.metric is DEPLOYMENTS
    assert (found.labels, found.amount) == (("pay", "prod-eu", "failed", "rollback"), 1.0)


@pytest.mark.parametrize(
    ("name", "label"),
    [("prod-eu", "production"), ("live", "production"), ("staging", "staging"), ("pr-4711", "_other")],
)
def test_declared_environments_name_the_label(name: str, label: str) -> None:
    """A name that an Environment file matches, or is its id, becomes that id; any other is `_other`."""
    (found,) = count(deployment(name), PRODUCTION, STAGING)
    assert found.labels == ("pay", label, "failed", "rollback")
