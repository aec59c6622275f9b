"""Where a resource is served, as the API itself tells it."""

from __future__ import annotations

from typing import Any

import pytest

from platform_meter.model.source import Unexpected
from platform_meter.sources.kit.kubernetes_objects import Resource, served
from platform_meter.testing.outside import FakeOutside, Reply

ROLLOUTS = Resource(name="rollouts", group="argoproj.io", versions=("v1", "v1beta1", "v1alpha1"))


def groups(name: str = "argoproj.io", preferred: str = "v1alpha1", *others: str) -> dict[str, Any]:
    versions = [{"groupVersion": f"{name}/{v}", "version": v} for v in (preferred, *others)]
    return {"kind": "APIGroupList", "groups": [{"name": name, "versions": versions, "preferredVersion": versions[0]}]}


@pytest.mark.parametrize(
    ("told", "paths"),
    [
        (groups(), ["/apis/argoproj.io/v1alpha1/rollouts"]),
        (
            groups("argoproj.io", "v1beta1", "v2", "v1"),
            ["/apis/argoproj.io/v1beta1/rollouts", "/apis/argoproj.io/v1/rollouts"],
        ),
        (groups("argoproj.io", "v2", "v1"), ["/apis/argoproj.io/v1/rollouts"]),
        (groups("apps", "v1"), []),
    ],
    ids=["one", "preferred first", "preferred can't be read", "not installed"],
)
def test_the_served_version_is_found(told: dict[str, Any], paths: list[str]) -> None:
    """Of those that can be read the one that the server prefers, then the others; none without its group."""
    assert list(served(FakeOutside({"/apis": told}), ROLLOUTS)) == paths


def test_only_versions_that_cannot_be_read_are_told() -> None:
    """It is there, and nothing of it can be taken for known."""
    with pytest.raises(
        Unexpected, match=r"serves v2, v3 of argoproj.io; of rollouts only v1, v1beta1, v1alpha1 can be read"
    ):
        list(served(FakeOutside({"/apis": groups("argoproj.io", "v3", "v2")}), ROLLOUTS))


def test_where_nobody_may_ask_each_version_is_tried() -> None:
    """A hardened cluster keeps its groups to itself."""
    assert list(served(FakeOutside({"/apis": Reply(status=403)}), ROLLOUTS)) == [
        "/apis/argoproj.io/v1/rollouts",
        "/apis/argoproj.io/v1beta1/rollouts",
        "/apis/argoproj.io/v1alpha1/rollouts",
    ]


def test_a_resource_that_can_be_read_in_one_version_has_one_path() -> None:
    """Nothing needs to be asked then."""
    assert Resource(name="pods").only_path == "/api/v1/pods"
    assert Resource(name="jobs", group="batch").only_path == "/apis/batch/v1/jobs"
    assert ROLLOUTS.only_path == ""
    assert (str(ROLLOUTS), str(Resource(name="pods"))) == ("rollouts.argoproj.io", "pods")
