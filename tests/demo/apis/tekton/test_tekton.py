"""The simulated Tekton: lists in pages, changes by watch, runs that are pruned."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from tests.demo.worlds import START, Clock, small_world, tekton

from platform_meter.demo.apis.tekton.routes import ROOT
from platform_meter.demo.company.pipelines import KEPT, Build, System
from platform_meter.demo.world import World
from platform_meter.model.facts.ci import Outcome

SECOND = timedelta(seconds=1)


def builds(world: World) -> list[Build]:
    return [build for of in world.history.builds.values() for build in of if build.pipeline.system is System.TEKTON]


def watched(world: World, plural: str, since: int, *, seconds: int = 1) -> list[tuple[str, Any]]:
    """Type and object of each line until the server ends the watch."""
    path = f"{ROOT}/{plural}?watch=true&resourceVersion={since}&timeoutSeconds={seconds}"
    lines = tekton(world).get(path).data.splitlines()
    return [(found["type"], found["object"]) for found in map(msgspec.json.decode, lines)]


def test_who_may_ask(still: World) -> None:
    """A wrong token gets 401, an unknown path 404, both as a Status; the group says in which version it is served."""
    api = tekton(still)
    assert api.get("/apis", Authorization="Bearer wrong").json["reason"] == "Unauthorized"
    assert api.get("/api/v1/pods").json["reason"] == "NotFound"
    (group,) = api.get("/apis").json["groups"]
    assert (group["name"], group["preferredVersion"]["version"]) == ("tekton.dev", "v1")


def test_a_list_in_pages_is_the_list(still: World) -> None:
    """Runs that ended at most 12 hours ago, once each, whatever the size of a page; a selector chooses."""
    api, now = tekton(still), still.now()
    whole = api.get(f"{ROOT}/pipelineruns").json["items"]
    assert len(whole) == sum(build.created <= now < build.ended + KEPT for build in builds(still)) > 3
    first = api.get(f"{ROOT}/pipelineruns?limit=2").json
    rest = api.get(f"{ROOT}/pipelineruns?limit=100&continue={first['metadata']['continue']}").json
    assert [*first["items"], *rest["items"]] == whole
    name = whole[0]["metadata"]["name"]
    tasks = api.get(f"{ROOT}/namespaces/models/taskruns?labelSelector=tekton.dev/pipelineRun={name}").json["items"]
    assert {task["metadata"]["labels"]["tekton.dev/pipelineRun"] for task in tasks} == {name}
    assert api.get(f"{ROOT}/namespaces/other/taskruns").json["items"] == []


def test_a_watch_tells_beginning_end_and_pruning() -> None:
    """ADDED as a run comes, MODIFIED as it ends, DELETED as it is pruned, each from the version before it on."""
    clock = Clock(step=SECOND)
    world = small_world(clock)
    clock.at = START + timedelta(hours=2)
    world.now()
    build = next(b for b in builds(world) if b.created > START and b.outcome is Outcome.USER_FAILURE)

    def seen(moment: Any) -> tuple[str, str]:
        clock.at = moment - SECOND
        lines = watched(world, "pipelineruns", int(moment.timestamp()) - 1)
        assert lines[-1][0] == "BOOKMARK"
        name = f"{build.pipeline.name}-{build.number:05d}"
        ((type_, run),) = [(t, o) for t, o in lines[:-1] if o["metadata"]["name"] == name]
        return type_, run["status"]["conditions"][0]["status"]

    assert seen(build.created) == ("ADDED", "Unknown")
    assert seen(build.ended) == ("MODIFIED", "False")
    assert seen(build.ended + KEPT) == ("DELETED", "False")


def test_a_watch_from_too_long_ago_is_refused(still: World) -> None:
    """With the error by which a reader lists anew."""
    ((type_, status),) = watched(still, "pipelineruns", 1)
    assert (type_, status["code"]) == ("ERROR", 410)
