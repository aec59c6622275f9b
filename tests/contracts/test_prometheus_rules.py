"""Objects that `generate` writes for Prometheus' operator, held to the official definition of PrometheusRule."""

from __future__ import annotations

import pytest
import yaml
from tests.contracts.openapi import Resource
from tests.support.slos import ALL, planned

from platform_meter.render.rules import groups
from platform_meter.render.rules.objects import prometheus_rule, prometheus_rule_text

DEFINED = ("prometheus-operator-prometheusrules", "v1")


@pytest.mark.parametrize("kind", ALL)
def test_every_kind_of_slo_becomes_such_an_object(kind: str) -> None:
    """As values and as text."""
    those = groups(planned(ALL[kind]))
    defined = Resource(*DEFINED)
    assert defined.problem(prometheus_rule(those, name="shop", namespace="monitoring", labels={"release": "a"})) == ""
    assert defined.problem(yaml.safe_load(prometheus_rule_text(those, name="shop"))) == ""


def test_what_is_no_such_object_is_told() -> None:
    """The definition that is used refuses something."""
    broken = prometheus_rule(groups(planned(ALL[next(iter(ALL))])), name="shop")
    broken["spec"]["groups"][0]["interval"] = "30"
    assert "'30' does not match" in Resource(*DEFINED).problem(broken)
