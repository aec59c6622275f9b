"""The simulated Argo CD: who may ask, and an application while it is synced, settles, and is refused."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.demo.worlds import START, Clock, argocd, small_world

from platform_meter.demo.apis.argocd.routes import KEPT
from platform_meter.demo.company.syncs import APPS, Sync
from platform_meter.demo.world import World

PATH = "/api/v1/applications"
SECOND = timedelta(seconds=1)


def test_who_may_ask(still: World) -> None:
    """A wrong token gets 401, an unknown path 404, both in the words of gRPC."""
    api = argocd(still)
    refused = api.get(PATH, Authorization="Bearer wrong")
    assert (refused.status_code, refused.json["code"]) == (401, 16)
    missing = api.get("/api/v1/nothing")
    assert (missing.status_code, missing.json["message"]) == (404, "Not Found")


def test_each_cluster_has_its_own(still: World) -> None:
    """The same applications, deployed by either to its own cluster, each with an id that no other has and its last ten syncs."""
    both = [argocd(still, cluster).get(PATH).json["items"] for cluster in ("eu", "us")]
    assert [[item["metadata"]["name"] for item in items] for items in both] == [list(APPS), list(APPS)]
    longest = max(len(item["status"]["history"]) for items in both for item in items)
    assert longest == KEPT < max(len(syncs) for syncs in still.history.syncs.values())
    uids = {item["metadata"]["uid"] for items in both for item in items}
    assert len(uids) == 2 * len(APPS)


def test_a_revision_was_pushed_before_its_sync(still: World) -> None:
    """A minute and a half; what no application ever had, Git does not know."""
    api = argocd(still)
    name, entry = next(
        (item["metadata"]["name"], item["status"]["history"][-1])
        for item in api.get(PATH).json["items"]
        if item["status"]["history"]
    )
    commit = api.get(f"{PATH}/{name}/revisions/{entry['revision']}/metadata").json
    pushed, began = (datetime.fromisoformat(text) for text in (commit["date"], entry["deployStartedAt"]))
    assert began - pushed == 90 * SECOND
    assert api.get(f"{PATH}/{name}/revisions/abc/metadata").status_code == 404


def test_a_sync_and_what_comes_of_it() -> None:
    """Running and out of sync; then synced at its revision and not yet healthy; then healthy, and in the history."""
    clock = Clock()
    world = small_world(clock)
    clock.at = START + timedelta(hours=3)
    world.now()
    syncs = world.history.syncs

    def shown(sync: Sync, moment: datetime) -> dict[str, Any]:
        clock.at = moment
        items = argocd(world, sync.app.cluster).get(PATH).json["items"]
        found: dict[str, Any] = next(i["status"] for i in items if i["metadata"]["name"] == sync.app.name)
        return found

    one = next(s for of in syncs.values() for s in of if s.started > START and not s.failed and s.number > 1)
    status = shown(one, one.started)
    assert (status["operationState"]["phase"], status["sync"]["status"]) == ("Running", "OutOfSync")
    assert "finishedAt" not in status["operationState"]
    status = shown(one, one.ended)
    assert (status["operationState"]["phase"], status["health"]["status"]) == ("Succeeded", "Progressing")
    assert status["sync"] == {"status": "Synced", "revision": one.revision}
    status = shown(one, one.healthy)
    assert status["health"]["status"] == "Healthy"
    assert (status["history"][-1]["id"], status["history"][-1]["revision"]) == (one.number, one.revision)

    bad = next(s for of in syncs.values() for s in of if s.started > START and s.failed)
    status = shown(bad, bad.ended)
    assert (status["operationState"]["phase"], status["sync"]["status"]) == ("Failed", "OutOfSync")
    assert status["history"][-1]["id"] == bad.number - 1
    by = status["operationState"]["operation"]["initiatedBy"]
    assert by == ({"automated": True} if bad.app.automated else {"username": bad.actor})
