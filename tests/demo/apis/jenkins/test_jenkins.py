"""The simulated Jenkins: what `tree` wants, where jobs stand, how a build looks while it waits, runs and has ended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.demo.worlds import START, Clock, jenkins, small_world

from platform_meter.demo.apis.jenkins.routes import MULTIBRANCH
from platform_meter.demo.apis.jenkins.tree import wanted
from platform_meter.demo.company.pipelines import Build, System
from platform_meter.demo.world import World
from platform_meter.model.facts.ci import Outcome

SECOND = timedelta(seconds=1)


def path(name: str) -> str:
    return "".join(f"/job/{part}" for part in name.split("/"))


def builds(world: World) -> list[Build]:
    return [build for of in world.history.builds.values() for build in of if build.pipeline.system is System.JENKINS]


def test_a_tree_chooses_properties_and_parts_of_lists() -> None:
    """Names choose, brackets go inside, a range cuts the list before it; its class everything says unasked."""
    thing: dict[str, Any] = {
        "_class": "Folder",
        "name": "shop",
        "jobs": [{"_class": "Job", "name": f"job-{n}", "color": "blue"} for n in range(4)],
    }
    assert wanted("").of(thing) == thing
    assert wanted("jobs[name]{1,3},gone").of(thing) == {
        "_class": "Folder",
        "jobs": [{"_class": "Job", "name": "job-1"}, {"_class": "Job", "name": "job-2"}],
    }
    assert wanted("jobs[name]{3,}").of(thing)["jobs"] == [{"_class": "Job", "name": "job-3"}]


@pytest.mark.parametrize("text", ["jobs[name", "jobs(name)"])
def test_a_tree_that_can_not_be_read_is_refused(still: World, text: str) -> None:
    """With 400, and where it stops."""
    answer = jenkins(still).get(f"/api/json?tree={text}")
    assert (answer.status_code, answer.text.startswith(f"tree={text!r}")) == (400, True)


def test_who_may_ask(still: World) -> None:
    """A wrong token gets 401, what is not there 404, both as a page; each answer says that it is Jenkins."""
    api = jenkins(still)
    assert api.get("/api/json", Authorization="Basic eDp5").status_code == 401
    assert [api.get(p).status_code for p in ("/job/nobody/api/json", "/nothing", "/job/nobody/1/consoleText")] == [
        404,
        404,
        404,
    ]
    assert api.get("/api/json").headers["X-Jenkins"] == "2.479.1"


def test_jobs_stand_in_folders(still: World) -> None:
    """A folder of each team holds jobs and multibranch projects, which hold branches: walked, they are all there."""
    api = jenkins(still)
    folders, found, kinds = [""], set[str](), set[str]()
    while folders:
        name = folders.pop()
        body = api.get(f"{path(name) if name else ''}/api/json").json
        kinds.add(body["_class"])
        for item in body["jobs"]:
            full = f"{name}/{item['name']}".lstrip("/")
            if "jobs" in item:
                folders.append(full)
            else:
                found.add(full)
    assert found == {one.name for one in still.history.pipelines if one.system is System.JENKINS}
    assert MULTIBRANCH in kinds


def test_a_build_waits_runs_and_ends() -> None:
    """In the queue until an agent takes it, then building, then with result, duration, stages and console."""
    clock = Clock()
    world = small_world(clock)
    clock.at = START + timedelta(hours=2)
    world.now()
    build = next(b for b in builds(world) if b.created > START and b.failed and b.pipeline.trigger == "push")
    api, me = jenkins(world), f"{path(build.pipeline.name)}/{build.number}"

    clock.at = build.created
    assert api.get(f"{me}/api/json").status_code == 404
    assert build.id in [item["id"] for item in api.get("/queue/api/json").json["items"]]

    clock.at = build.started
    shown = api.get(f"{me}/api/json?tree=number,building,result").json
    assert (shown["building"], shown["result"]) == (True, None)
    busy = [
        executor["currentExecutable"]
        for node in api.get("/computer/api/json").json["computer"]
        for executor in node["executors"]
    ]
    assert {"number": build.number} in busy

    clock.at = build.ended
    shown = api.get(f"{me}/api/json").json
    assert (shown["building"], shown["result"]) == (False, "FAILURE")
    assert shown["duration"] == (build.ended - build.started) / timedelta(milliseconds=1)
    stages = api.get(f"{me}/wfapi/describe").json["stages"]
    assert [stage["status"] for stage in stages] == [*["SUCCESS"] * (len(stages) - 1), "FAILED"]
    said = "Cannot contact agent" if build.outcome is Outcome.INFRA_FAILURE else "script returned exit code 2"
    assert said in api.get(f"{me}/consoleText").text
    assert api.get(f"{path(build.pipeline.name)}/api/json?tree=lastBuild[number]").json["lastBuild"]["number"] >= 1


def test_all_builds_are_the_newest_first(still: World) -> None:
    """`allBuilds` has every build that began, and a range of it begins with the newest."""
    api = jenkins(still)
    name, of = max(
        ((n, b) for n, b in still.history.builds.items() if b and b[0].pipeline.system is System.JENKINS),
        key=lambda item: len(item[1]),
    )
    begun = [build.number for build in reversed(of) if build.started <= still.now()]
    whole = api.get(f"{path(name)}/api/json?tree=allBuilds[number]").json["allBuilds"]
    assert [build["number"] for build in whole] == begun
    part = api.get(f"{path(name)}/api/json?tree=allBuilds[number]{{0,2}}").json["allBuilds"]
    assert [build["number"] for build in part] == begun[:2]
