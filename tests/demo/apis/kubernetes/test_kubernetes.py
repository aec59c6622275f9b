from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import pytest
from tests.demo.worlds import START, Caller, Clock, kubernetes, small_world

from platform_meter.demo.apis.kubernetes.routes import LIMITED_TOKEN
from platform_meter.demo.apis.kubernetes.words import matcher
from platform_meter.demo.company.cluster import ClusterState
from platform_meter.demo.company.scenarios import Scenario, Trouble
from platform_meter.demo.truth import Truth
from platform_meter.demo.world import World

PODS = "/api/v1/pods"


def lines(api: Caller, path: str) -> list[Any]:
    return [json.loads(line) for line in api.get(path).data.splitlines()]


def ticking(scenario: Scenario | None = None) -> tuple[Clock, World]:
    """A world in which each look at the clock moves it on by five seconds, so that watches end by themselves."""
    clock = Clock(step=timedelta(seconds=5))
    return clock, small_world(clock, scenario)


def test_who_may_ask(still: World) -> None:
    """401 without a known token and 403 beyond its rights are Status bodies; probes are open to all."""
    api = kubernetes(still)
    none = api.get(PODS, Authorization="")
    assert (none.status_code, none.json["kind"], none.json["reason"]) == (401, "Status", "Unauthorized")
    few = api.get("/apis/apps/v1/deployments", Authorization=f"Bearer {LIMITED_TOKEN}")
    assert (few.status_code, few.json["reason"]) == (403, "Forbidden")
    assert few.json["message"] == (
        'deployments is forbidden: User "system:serviceaccount:meter:limited" cannot list resource "deployments" '
        'in API group "apps" at the cluster scope'
    )
    assert api.get(PODS, Authorization=f"Bearer {LIMITED_TOKEN}").status_code == 200
    assert api.get("/api/v1/secrets").json["message"] == "the server could not find the requested resource"
    assert api.get("/readyz", Authorization="").data == b"ok"
    assert api.get("/version", Authorization="").json["gitVersion"] == "v1.31.4"


def test_it_tells_by_which_name_it_signs_tokens(still: World) -> None:
    """To those with a token, as a real one does."""
    api, path = kubernetes(still), "/.well-known/openid-configuration"
    assert api.get(path, Authorization="").status_code == 401
    assert api.get(path).json["issuer"] == "https://kubernetes.default.svc.cluster.local"


def test_what_people_told_the_meshes(still: World) -> None:
    """Each in its own group, which the API tells of with the others: one for each namespace or service with members."""
    groups = {row["name"]: row["preferredVersion"]["version"] for row in kubernetes(still).get("/apis").json["groups"]}
    assert (groups["apps"], groups["security.istio.io"], groups["linkerd.io"]) == ("v1", "v1", "v1alpha2")
    for cluster, path, proxy in (
        ("eu", "/apis/security.istio.io/v1/peerauthentications", "istio-proxy"),
        ("us", "/apis/linkerd.io/v1alpha2/serviceprofiles", "linkerd-proxy"),
    ):
        api = kubernetes(still, cluster)
        inside = {
            pod["metadata"]["namespace"]
            for pod in api.get(PODS).json["items"]
            if any(container["name"] == proxy for container in pod["spec"]["containers"])
        }
        assert {item["metadata"]["namespace"] for item in api.get(path).json["items"]} == inside != set()


def test_lists_in_pages() -> None:
    """All pages of a list show one moment, whatever happens meanwhile; a token that is too old gets 410 Expired."""
    clock, world = ticking()
    api = kubernetes(world)
    whole = api.get(PODS).json
    first = api.get(f"{PODS}?limit=10").json
    version, names, body = first["metadata"]["resourceVersion"], [], first
    while True:
        names += [item["metadata"]["name"] for item in body["items"]]
        assert body["metadata"]["resourceVersion"] == version
        token = body["metadata"].get("continue")
        if not token:
            break
        assert body["metadata"]["remainingItemCount"] == len(whole["items"]) - len(names)
        clock.at += timedelta(minutes=1)
        body = api.get(f"{PODS}?limit=10&continue={token}").json
    assert names == [item["metadata"]["name"] for item in whole["items"]]
    old = first["metadata"]["continue"]
    for _ in range(20):
        clock.at += timedelta(minutes=1)
        api.get(PODS)
    gone = api.get(f"{PODS}?continue={old}")
    assert (gone.status_code, gone.json["reason"], gone.json["code"]) == (410, "Expired", 410)
    assert api.get(f"{PODS}?continue=nonsense").status_code == 400


def test_a_watch_tells_every_change() -> None:
    """A list and the changes that a watch tells after it add up to the list at its end."""
    clock, world = ticking()
    api = kubernetes(world)
    start = api.get(PODS).json
    pods = {item["metadata"]["uid"]: item["metadata"]["resourceVersion"] for item in start["items"]}
    before = set(pods)
    version = int(start["metadata"]["resourceVersion"])
    clock.step = timedelta(seconds=30)
    changes = lines(api, f"{PODS}?watch=true&timeoutSeconds=900&resourceVersion={version}")
    clock.step = timedelta()
    for change in changes:
        metadata = change["object"]["metadata"]
        assert int(metadata["resourceVersion"]) > version
        version = int(metadata["resourceVersion"])
        if change["type"] == "DELETED":
            del pods[metadata["uid"]]
        else:
            assert (metadata["uid"] in pods) is (change["type"] == "MODIFIED")
            pods[metadata["uid"]] = metadata["resourceVersion"]
    assert {change["type"] for change in changes} == {"ADDED", "MODIFIED", "DELETED"}
    assert pods == {i["metadata"]["uid"]: i["metadata"]["resourceVersion"] for i in api.get(PODS).json["items"]}
    assert len(before - set(pods)) >= 10


def test_bookmarks_and_the_beginning() -> None:
    """A watch from nothing begins with all that stands; bookmarks carry the version, the last one at the end."""
    _, world = ticking()
    api = kubernetes(world)
    found = lines(api, f"{PODS}?watch=true&timeoutSeconds=60&allowWatchBookmarks=true")
    added = [change["object"]["metadata"]["name"] for change in found if change["type"] == "ADDED"]
    assert len(added) >= len(api.get(PODS).json["items"])
    assert found[-1]["type"] == "BOOKMARK"
    assert found[-1]["object"]["kind"] == "Pod"
    silent = lines(
        api,
        f"/api/v1/namespaces?watch=1&timeoutSeconds=30&resourceVersion={found[-1]['object']['metadata']['resourceVersion']}",
    )
    assert silent == []


def test_a_watch_from_too_long_ago() -> None:
    """A version whose changes are forgotten gets an ERROR line with a 410 Status, as the watch cache writes it."""
    clock, world = ticking()
    (eu, _) = world.company.clusters
    forgetful = MappingProxyType({eu.name: ClusterState(eu, world.history, log=10)})
    api = kubernetes(replace(world, clusters=forgetful))
    version = api.get(PODS).json["metadata"]["resourceVersion"]
    clock.at += timedelta(minutes=10)
    found = lines(api, f"{PODS}?watch=true&resourceVersion={version}&timeoutSeconds=5")
    assert [(c["type"], c["object"]["code"], c["object"]["reason"]) for c in found] == [("ERROR", 410, "Expired")]


def test_deployments_bring_new_pods() -> None:
    """A rollout to a cluster replaces the pods of its workload one for one."""
    clock, world = ticking()
    api = kubernetes(world)
    standing = {item["metadata"]["name"]: item for item in api.get("/apis/apps/v1/deployments").json["items"]}
    world.history.extend(START + timedelta(hours=8))
    rollout = next(
        d
        for d in world.history.deployment.values()
        if d.created > START and d.environment == "production-eu" and d.repo.name in standing and d.result == "success"
    )
    name, space = rollout.repo.name, rollout.repo.team
    path = f"/api/v1/namespaces/{space}/pods?labelSelector=app.kubernetes.io/name={name}"

    def pods() -> dict[str, str]:
        items = api.get(path).json["items"]
        jobless = [i for i in items if i["metadata"]["ownerReferences"][0]["kind"] == "ReplicaSet"]
        return {i["metadata"]["name"]: i["metadata"]["creationTimestamp"] for i in jobless}

    wanted = standing[name]["spec"]["replicas"]
    clock.at = rollout.created
    clock.step = timedelta()
    assert len(pods()) >= wanted
    clock.at = rollout.created + timedelta(minutes=2)
    began = rollout.created.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert len([created for created in pods().values() if created >= began]) == wanted


def test_a_slow_cluster() -> None:
    """While eu is slow, pods take more than a minute, three nodes are not ready and /readyz fails now and then."""
    clock, world = ticking(Scenario(trouble=Trouble.CLUSTER_SLOW, begin=START + timedelta(minutes=5)))
    truth, api = Truth(world), kubernetes(world)
    clock.step = timedelta()
    assert truth.nodes("eu", START) == {"ready": 11, "cordoned": 1}
    end = START + timedelta(minutes=30)
    clock.at = end
    assert truth.nodes("eu", end) == {"ready": 8, "not_ready": 3, "cordoned": 1}
    assert truth.nodes("us", end) == {"ready": 7, "cordoned": 1}
    late = [p for p in truth.pods("eu", end) if p.created > START + timedelta(minutes=6)]
    assert late
    assert all(pod.ready - pod.created > timedelta(seconds=60) for pod in late)
    quick = [p for p in truth.pods("us", end) if p.created > START + timedelta(minutes=6)]
    assert all(pod.ready - pod.created < timedelta(seconds=60) for pod in quick)
    statuses = []
    for n in range(100):
        clock.at = end + timedelta(seconds=10 * n)
        answer = api.get("/readyz")
        assert (answer.status_code == 200) is truth.probe_ok("eu", clock.at)
        statuses.append(answer.status_code)
    assert 10 <= statuses.count(500) <= 40
    clock.at = next(end + timedelta(seconds=10 * n) for n, status in enumerate(statuses) if status == 500)
    assert b"[-]etcd failed" in api.get("/readyz").data


@pytest.mark.parametrize(
    ("selector", "labels", "met"),
    [
        ("", {}, True),
        ("a=1", {"a": "1"}, True),
        ("a==1,b!=2", {"a": "1", "b": "2"}, False),
        ("a in (1, 2),!c", {"a": "2"}, True),
        ("a notin (1,2)", {"a": "1"}, False),
        ("a", {"b": "1"}, False),
        ("app.kubernetes.io/name=x", {"app.kubernetes.io/name": "x"}, True),
    ],
)
def test_selectors(selector: str, labels: dict[str, str], met: bool) -> None:
    """Equality, sets and presence, all of which must hold."""
    assert matcher(selector)(labels) is met


def test_bad_selectors(still: World) -> None:
    """A selector that can't be read gets 400."""
    answer = kubernetes(still).get(f"{PODS}?labelSelector=a=(")
    assert (answer.status_code, answer.json["reason"]) == (400, "BadRequest")


@pytest.mark.parametrize(
    ("path", "maker"), [("/apis/apps/v1/replicasets", "Deployment"), ("/apis/batch/v1/jobs", "CronJob")]
)
def test_what_stands_between_a_workload_and_its_pods_says_whose_it_is(path: str, maker: str) -> None:
    """Every pod's ReplicaSet or Job is in the list, and is a standing workload's; one is found by its name."""
    clock, world = ticking()
    api = kubernetes(world)
    clock.at += timedelta(minutes=5)  # a job runs every fifth minute
    kind = {"Deployment": "ReplicaSet", "CronJob": "Job"}[maker]
    owners = [item["metadata"]["ownerReferences"][0] for item in api.get(PODS).json["items"]]
    wanted = {owner["uid"] for owner in owners if owner["kind"] == kind}
    listed = api.get(path).json
    assert listed["kind"] == "PartialObjectMetadataList"
    assert {item["metadata"]["uid"] for item in listed["items"]} == wanted != set()
    plural = f"{path.rpartition('/')[0]}/{maker.lower()}s"
    workloads = {(w["metadata"]["namespace"], w["metadata"]["name"]) for w in api.get(plural).json["items"]}
    for item in listed["items"]:
        (owner,) = item["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["controller"]) == (maker, True)
        assert (item["metadata"]["namespace"], owner["name"]) in workloads
    first = listed["items"][0]["metadata"]
    place, name = path.rpartition("/")[::2]
    found = api.get(f"{place}/namespaces/{first['namespace']}/{name}?fieldSelector=metadata.name={first['name']}")
    assert [item["metadata"]["uid"] for item in found.json["items"]] == [first["uid"]]
