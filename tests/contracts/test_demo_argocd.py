"""The simulated Argo CD against the official description of its API, and against the definition of its resource."""

from __future__ import annotations

import pytest
from tests.contracts.openapi import Resource, contract
from tests.demo.worlds import Caller, Clock, argocd, small_world

LIST = "/api/v1/applications"
COMMIT = "/api/v1/applications/{name}/revisions/{revision}/metadata"
OFFICIAL = contract("argocd.openapi.json", closed=True)


@pytest.mark.parametrize("cluster", ["eu", "us"])
def test_applications_keep_to_the_official_descriptions(cluster: str) -> None:
    """While a sync goes on, once it has ended and once all is healthy; there is no property that is not described."""
    clock = Clock()
    world = small_world(clock)
    defined = Resource("argo-cd-application", "v1alpha1")
    phases, synced, health = set(), set(), set()
    syncs = [sync for app, of in world.history.syncs.items() if app.cluster == cluster for sync in of]
    several = [*[sync for sync in syncs if sync.failed][-2:], *[sync for sync in syncs if not sync.failed][-6:]]
    for clock.at in (at for sync in several for at in (sync.started, sync.ended, sync.healthy)):
        listed = argocd(world, cluster).get(LIST).json
        assert OFFICIAL.problem(LIST, listed) == ""
        for app in listed["items"]:
            kept = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", **app}  # as a cluster keeps it
            assert defined.problem(kept) == "", app["metadata"]["name"]
            phases.add(app["status"]["operationState"]["phase"])
            synced.add(app["status"]["sync"]["status"])
            health.add(app["status"]["health"]["status"])
    assert phases == {"Running", "Succeeded", "Failed"}
    assert synced == {"Synced", "OutOfSync"}
    assert health == {"Healthy", "Progressing"}


def test_a_commit_keeps_to_the_official_description() -> None:
    """The one of each sync that is kept."""
    api = argocd(small_world(Clock()))
    kept = [(app["metadata"]["name"], sync) for app in api.get(LIST).json["items"] for sync in app["status"]["history"]]
    assert len(kept) == 60
    for name, sync in kept:
        answer = api.get(COMMIT.format(name=name, revision=sync["revision"]))
        assert answer.status_code == 200
        assert OFFICIAL.problem(COMMIT, answer.json) == ""


@pytest.mark.parametrize(
    ("path", "call", "status"),
    [
        (LIST, "/api/v1/nothing", 404),
        (COMMIT, COMMIT.format(name="gateway", revision="abc"), 404),
    ],
)
def test_refusals_keep_to_the_official_description(path: str, call: str, status: int) -> None:
    """What is not there is said in the documented shape."""
    answer = argocd(small_world(Clock())).get(call)
    assert answer.status_code == status
    assert OFFICIAL.problem(path, answer.json, status="default") == ""


def test_who_has_no_token_is_told_so_in_the_documented_shape() -> None:
    """401."""
    api = argocd(small_world(Clock()))
    answer = Caller(api.app, {}, api.base).get(LIST)
    assert answer.status_code == 401
    assert OFFICIAL.problem(LIST, answer.json, status="default") == ""
