"""Instance-minutes as an SLI counts them."""

from __future__ import annotations

import pytest

from platform_meter.model.facts.instances import REPORTED, InstanceKind, minutes_of
from platform_meter.model.facts.slis import SliDim, Verdict
from platform_meter.model.objective import StoredSli


@pytest.mark.parametrize(
    ("where", "good"),
    [
        ({}, True),
        ({"cluster": "eu"}, True),
        ({"cluster": "eu", "kind": "gateway", "group": "kong"}, True),
        ({"cluster": "us"}, None),
        ({"kind": "agent"}, None),
        ({"group": "nginx"}, None),
    ],
)
def test_minutes_are_selected_by_cluster_kind_and_group(where: dict[str, str], good: bool | None) -> None:
    """Whatever is not named selects all."""
    dim = SliDim(minutes_of("eu", InstanceKind.GATEWAY, "kong"), Verdict.GOOD)
    assert REPORTED.good(StoredSli(events=REPORTED, where=where), dim) is good


@pytest.mark.parametrize("sli", ["web", "eu/node-ready", "eu/gateway/kong", "a/b/c/instance-minutes/d"])
def test_other_counts_are_none_of_them(sli: str) -> None:
    """They share one kind of event."""
    assert REPORTED.good(StoredSli(events=REPORTED), SliDim(sli, Verdict.GOOD)) is None


def test_the_silent_ones_are_bad() -> None:
    """By the verdict they were counted with."""
    dim = SliDim("eu/agent/otel/instance-minutes", Verdict.BAD)
    assert REPORTED.good(StoredSli(events=REPORTED), dim) is False
