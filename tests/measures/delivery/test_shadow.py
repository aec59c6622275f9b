"""Two ways that tell of the same deployments, and do not agree."""

from __future__ import annotations

from typing import Any

from tests.support.delivery import NOW, SHOP, deployed, scene
from tests.support.history import MemoryHistory, source

from platform_meter.measures.delivery.shadow import Disagreement, disagreements
from platform_meter.model.definitions import Definitions
from platform_meter.model.delivering import Delivery
from platform_meter.model.facts.delivery import Deployment, DeployResult, DeployWay
from platform_meter.model.measure import Scene

API, JOB = DeployWay.DEPLOYMENTS_API, DeployWay.JOB


def told(hours: float, way: DeployWay, environment: str = "production", **more: Any) -> Deployment:
    return deployed(hours, f"{int(hours):040x}", environment, way=way, key=f"{way}/{hours}/{environment}", **more)


def test_ways_that_agree_are_not_told() -> None:
    """Nor one way alone, nor what is no production, failed, or lies before the week."""
    facts = [told(600, API), told(600.1, JOB), told(601, API, "staging"), told(602, JOB, result=DeployResult.FAILED)]
    assert disagreements(scene(*facts, told(400, JOB))) == []
    assert disagreements(scene(told(600, API), told(601, API))) == []


def test_ways_that_differ_are_told_with_their_numbers() -> None:
    """The one that counts is the first; also one that tells nothing more of what it told before."""
    facts = [told(600, API), told(620, API), told(600.1, JOB)]
    (one,) = disagreements(scene(*facts))
    assert one == Disagreement("pay", "shop", "production", {API: 2, JOB: 1})
    first = Definitions(deliveries=(Delivery(kind="Delivery", id="delivery", deployments=(JOB,)),))
    (one,) = disagreements(scene(*facts, definitions=first))
    assert list(one.told) == [JOB, API]
    (one,) = disagreements(scene(told(300, JOB), told(300.1, API), told(600, API)))
    assert one.told == {API: 1, JOB: 0}


def test_of_a_stale_source_nothing_is_compared() -> None:
    """It has not told yet what the others did."""
    facts = [("github", SHOP, told(600, API)), ("argo", SHOP, told(610, JOB)), ("argo", SHOP, told(611, JOB))]
    sources = (source("github", watermark=NOW, fresh=False), source("argo", watermark=NOW))
    stale = Scene(history=MemoryHistory(facts, sources=sources), definitions=Definitions(), now=NOW)
    assert disagreements(stale) == []
