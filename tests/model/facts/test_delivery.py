"""Which rollouts count as good for an SLO, and what is said of a bad one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from platform_meter.model.facts import Ref
from platform_meter.model.facts.delivery import DEPLOYMENTS, DeployKind, Deployment, DeployResult, DeployWay
from platform_meter.model.objective import StoredSli

REF = Ref(system="github", kind="repository", id="acme/pay")


def deployment(
    result: DeployResult = DeployResult.SUCCESS,
    *,
    environment: str = "prod-eu",
    kind: DeployKind = DeployKind.PLANNED,
    version: str = "",
) -> Deployment:
    return Deployment(
        key="1", at=datetime(2026, 6, 1, 12, tzinfo=UTC), about=REF, environment=environment, sha="0123456789abcdef",
        result=result, kind=kind, version=version, way=DeployWay.DEPLOYMENTS_API,
    )  # fmt: skip


@pytest.mark.parametrize(("result", "good"), [(DeployResult.SUCCESS, True), (DeployResult.FAILED, False)])
@pytest.mark.parametrize(
    ("where", "counts"),
    [
        ({"way": "deployments_api"}, True),
        ({"way": "gitops"}, False),
        ({"way": "deployments_api", "environment": "prod-*"}, True),
        ({"way": "deployments_api", "environment": "prod"}, False),
        ({"way": "deployments_api", "kind": "planned"}, True),
        ({"way": "deployments_api", "kind": "hotfix"}, False),
        ({"way": "deployments_api", "system": "gitlab"}, True),
    ],
)
def test_a_rollout_counts_once_by_its_way(
    where: dict[str, str], counts: bool, result: DeployResult, good: bool
) -> None:
    """What another way, environment or kind tells is in neither; the system is a matter of its source."""
    (tally,) = deployment(result).tallies()
    assert DEPLOYMENTS.good(StoredSli(events=DEPLOYMENTS, where=where), tally.dim) is (good if counts else None)


@pytest.mark.parametrize(
    ("version", "said"), [("1.4.2", "1.4.2 never served in prod-eu"), ("", "0123456789ab never served in prod-eu")]
)
def test_a_bad_rollout_says_what_never_served(version: str, said: str) -> None:
    """Its version, or the beginning of its commit."""
    assert DEPLOYMENTS.told(deployment(DeployResult.FAILED, version=version)) == ("acme/pay", said)
