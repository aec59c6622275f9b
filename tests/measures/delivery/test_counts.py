"""Delivery measures."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.support.history import MemoryHistory, owner, source

from platform_meter.measures.delivery import counts
from platform_meter.model.catalogue.delivery import DEPLOYMENTS
from platform_meter.model.definitions import Definitions, Environment
from platform_meter.model.facts import Ref
from platform_meter.model.facts.delivery import DeployKind, Deployment, DeployResult, DeployWay
from platform_meter.model.metric import Increment

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
REF = Ref(system="argocd", kind="app", id="shop")
ARGO = source("argocd", watermark=NOW)
PRODUCTION = Environment(kind="Environment", id="production", production=True, match=("prod-*", "live"))
STAGING = Environment(kind="Environment", id="staging")


def count(event: Deployment, *declared: Environment) -> list[Increment]:
    measure = counts.counting(Definitions(environments=declared))
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


def test_the_page_counts_what_the_first_way_told() -> None:
    """Per service and environment, over the last 91 days; what has no service stands for itself."""
    job = replace(deployment("production"), key="2", way=DeployWay.JOB)
    old = replace(deployment("staging"), key="3", at=NOW - timedelta(days=92))
    other = Ref(system="github", kind="repository", id="shop")
    facts = [deployment("production"), job, old]
    elsewhere = [replace(job, key="4", about=other), replace(job, key="5", about=other, environment="staging")]
    mine = owner("shop", "pay")
    history = MemoryHistory(
        [*(("argocd", mine, fact) for fact in facts), *(("gh", mine, fact) for fact in elsewhere)],
        sources=(ARGO, source("gh", watermark=NOW)),
    )
    valid = counts.first_told(history, Definitions(), NOW + timedelta(seconds=1))
    found = {
        (dim.environment, dim.way): valid(object_, dim)
        for source_ in ("argocd", "gh")
        for object_, dim in history.counts(Deployment, source_, NOW - timedelta(days=99), NOW + timedelta(seconds=1))
    }
    assert found == {
        ("production", "deployments_api"): True,
        ("production", "job"): False,
        ("staging", "deployments_api"): False,
        ("staging", "job"): True,
    }
