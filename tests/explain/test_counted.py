"""Events counted again, as they were when they came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.support.history import MemoryHistory, owner, source

from platform_meter.explain.counted import counted
from platform_meter.measures.delivery.counts import counting as counting_of
from platform_meter.model.catalogue.delivery import DEPLOYMENTS, DEPLOYMENTS_SHADOW
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Ref
from platform_meter.model.facts.delivery import DeployKind, Deployment, DeployResult, DeployWay
from platform_meter.model.measure import Counting, Labels, Scene
from platform_meter.model.metric import Metric

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SERVED = Deployment(
    key="1",
    at=NOW - DAY,
    about=Ref(system="github", kind="repository", id="acme/shop"),
    environment="production",
    sha="abc",
    result=DeployResult.SUCCESS,
    kind=DeployKind.PLANNED,
)


def found(history: MemoryHistory, metric: Metric, labels: Labels) -> Mapping[str, bool]:
    """By key, whether it counted."""
    counting = counting_of(Definitions())
    assert isinstance(counting, Counting)
    pieces = counted(Scene(history=history, definitions=Definitions(), now=NOW), counting, metric, labels)
    return {
        piece.fact.key: did for piece, did in pieces if piece.fact is not None and isinstance(piece.fact, Deployment)
    }


def test_an_event_counts_for_whoever_owned_its_object_then() -> None:
    """A service that moved leaves its past with the team it came from."""
    facts = [("gh", owner("shop", "new"), fact) for fact in (SERVED, replace(SERVED, key="2", at=NOW - 9 * DAY))]
    history = MemoryHistory(
        facts,
        sources=(source("gh", "github", watermark=NOW),),
        owned={"github:acme/shop": [(NOW - 20 * DAY, owner("shop", "old")), (NOW - 5 * DAY, owner("shop", "new"))]},
    )
    assert found(history, DEPLOYMENTS, ("old", "production", "success", "planned")) == {"2": True}
    assert found(history, DEPLOYMENTS, ("new", "production", "success", "planned")) == {"1": True}


def test_what_a_better_way_told_counts_once() -> None:
    """A rollout told by its API and by its job is behind one counter each: the rollouts, and those told twice."""
    job = replace(SERVED, key="2", way=DeployWay.JOB)
    history = MemoryHistory(
        [("gh", owner("shop", "pay"), fact) for fact in (SERVED, job)], sources=(source("gh", "github", watermark=NOW),)
    )
    assert found(history, DEPLOYMENTS, ("pay", "production", "success", "planned")) == {"1": True}
    assert found(history, DEPLOYMENTS_SHADOW, ("pay", "production", "job")) == {"2": True}


def test_what_ended_before_the_first_poll_did_not_count() -> None:
    """From the moment on at which its source began to count, it does."""
    facts = [("gh", owner("shop", "pay"), fact) for fact in (SERVED, replace(SERVED, key="2", at=NOW - 2 * DAY))]
    history = MemoryHistory(facts, sources=(source("gh", "github", watermark=NOW),), counted={"gh": SERVED.at})
    assert found(history, DEPLOYMENTS, ("pay", "production", "success", "planned")) == {"1": True, "2": False}
