"""The operator on a real API server: objects come, change, break, are mended and go; two of it; rights that are missing."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.operator.objects import config_map, pyrra, sloth
from tests.support.kube_api import KubeApi
from tests.support.places import ROOT
from tests.support.waiting import PATIENCE, until

from platform_meter.model.access import Access, Secret, Token
from platform_meter.operator.cluster import Cluster
from platform_meter.operator.kinds import CONFIG_MAP, EVENT, LEASE, PYRRA, RULE, SLOTH, Kind
from platform_meter.operator.leading import NAME, SECONDS
from platform_meter.operator.loop import Keeper
from platform_meter.operator.wanted import Settings
from platform_meter.runtime.outside.credentials import credentials
from platform_meter.runtime.service import utc_now

CRDS = ("sloth-prometheusservicelevels", "pyrra-servicelevelobjectives", "prometheus-operator-prometheusrules")
ROLE = next(
    document
    for document in yaml.safe_load_all((ROOT / "deploy/kubernetes/operator.yaml").read_text("utf-8"))
    if document["kind"] == "ClusterRole"
)
BROKEN = {"ci.yaml": "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: ci-green}\nspec: {servic: ci}\n"}


@pytest.fixture(scope="module")
def api(kube_api: KubeApi, tmp_path_factory: pytest.TempPathFactory) -> KubeApi:
    """With the kinds installed; before, they are missed in words."""
    keeper = keeper_of(kube_api, kube_api.token, tmp_path_factory.mktemp("bare"), "default")
    if kube_api.call("GET", RULE.path()).status_code == 404:
        assert keeper.look().refused == 1
    for name in CRDS:
        text = Path(os.environ["PLATFORM_METER_CONTRACTS"], "crds", f"{name}.yaml").read_text("utf-8")
        response = kube_api.call(
            "POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", yaml.safe_load(text)
        )
        assert response.ok or response.status_code == 409, response.text
    for kind in (SLOTH, PYRRA, RULE):
        until(lambda kind=kind: kube_api.call("GET", kind.path()).ok)  # type: ignore[misc]
    assert keeper.look().refused == 0
    return kube_api


@pytest.fixture
def space(api: KubeApi, request: pytest.FixtureRequest) -> str:
    """A namespace of the test's own."""
    name = str(request.node.name).replace("_", "-").removeprefix("test-")[:50].strip("-")
    api.create("/api/v1/namespaces", metadata={"name": name})
    return name


def keeper_of(api: KubeApi, token: str, folder: Path, namespace: str) -> Keeper:
    """In this process, with this token."""
    file = folder / "token"
    file.write_text(token)
    access = Access(url=api.url, credential=Token(secret=Secret(file=str(file))), ca_file=api.ca_file)
    cluster = Cluster(credentials(access, clock=utc_now))
    return Keeper(cluster, Settings(), namespace=namespace, clock=utc_now)


@contextmanager
def operator(api: KubeApi, folder: Path, namespace: str) -> Iterator[subprocess.Popen[bytes]]:
    """The command, by a kubeconfig."""
    file = folder / "kubeconfig"
    ways = {
        "clusters": [{"name": "here", "cluster": {"server": api.url, "certificate-authority": api.ca_file}}],
        "users": [{"name": "me", "user": {"token": api.token}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
    }
    file.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", "current-context": "here", **ways}))
    command = [sys.executable, "-m", "platform_meter", "-v", "operator", "--namespace", namespace]
    command[1:3] = ["-c", "from platform_meter.cli import main; main(prog_name='platform-meter')"]
    environ = {name: value for name, value in os.environ.items() if name != "KUBERNETES_SERVICE_HOST"}
    with (folder / f"log-{namespace}").open("ab") as log:
        process = subprocess.Popen(
            command, cwd=folder, env={**environ, "KUBECONFIG": str(file), "NO_PROXY": "*"}, stderr=log, stdout=log
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def put(api: KubeApi, kind: Kind, space: str, value: dict[str, Any]) -> None:
    """Create it in this namespace."""
    api.create(kind.path(space), **{**value, "metadata": {**value["metadata"], "namespace": space}})


def rule(api: KubeApi, space: str, name: str) -> Any:
    """What stands; None without."""
    response = api.call("GET", RULE.path(space, name))
    return response.json() if response.ok else None


def events(api: KubeApi, space: str, name: str) -> list[tuple[str, str]]:
    """Type and message of all events about objects of this name."""
    found = api.done("GET", EVENT.path(space))["items"]
    return [(one["type"], one["message"]) for one in found if one["involvedObject"]["name"] == name]


def told(api: KubeApi, space: str, name: str, word: str) -> Callable[[], bool]:
    """Whether an event about it says this."""
    return lambda: any(word in message for _, message in events(api, space, name))


def test_life_of_objects(api: KubeApi, space: str, tmp_path: Path) -> None:
    """Each kind has its rule; a change changes it, what is broken keeps it and says so, what goes takes it along."""
    with operator(api, tmp_path, space) as process:
        put(api, SLOTH, space, sloth())
        put(api, PYRRA, space, pyrra())
        put(api, CONFIG_MAP, space, config_map())
        for name in ("shop.sloth", "api.pyrra", "slos.configmap"):
            made = until(lambda name=name: rule(api, space, name))  # type: ignore[misc]
            assert [one["manager"] for one in made["metadata"]["managedFields"]] == ["platform-meter"]
            assert made["metadata"]["ownerReferences"][0]["name"] == name.partition(".")[0]
        first = rule(api, space, "shop.sloth")
        status = until(lambda: api.done("GET", SLOTH.path(space, "shop")).get("status"))
        assert (status["promOpRulesGenerated"], status["observedGeneration"]) == (True, 1)
        assert until(lambda: api.done("GET", PYRRA.path(space, "api")).get("status")) == {"type": "PrometheusRule"}

        slos = sloth()["spec"]["slos"]
        api.patch(SLOTH.path(space, "shop"), spec={"slos": [{**slos[0], "objective": 99.5}]})
        changed = until(lambda: (found := rule(api, space, "shop.sloth"))["spec"] != first["spec"] and found)
        api.patch(SLOTH.path(space, "shop"), spec={"slos": [{**slos[0], "objective": 100.5}]})
        until(lambda: api.done("GET", SLOTH.path(space, "shop"))["status"]["observedGeneration"] == 3)
        assert api.done("GET", SLOTH.path(space, "shop"))["status"]["promOpRulesGenerated"] is False
        until(told(api, space, "shop", "the PrometheusRule written before stays as it is"))
        api.patch(CONFIG_MAP.path(space, "slos"), data=BROKEN)
        until(told(api, space, "slos", f"ConfigMap {space}/slos/ci.yaml:4:8: unknown key 'servic'"))
        assert rule(api, space, "shop.sloth") == changed

        api.patch(SLOTH.path(space, "shop"), spec={"slos": [{**slos[0], "objective": 99.9}]})
        until(lambda: rule(api, space, "shop.sloth")["spec"] == first["spec"])
        api.delete(RULE.path(space, "api.pyrra"))
        until(lambda: rule(api, space, "api.pyrra"))
        api.delete(SLOTH.path(space, "shop"))
        until(lambda: rule(api, space, "shop.sloth") is None)
        api.patch(CONFIG_MAP.path(space, "slos"), metadata={"labels": {"platform-meter.io/slo": None}})
        until(lambda: rule(api, space, "slos.configmap") is None)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    assert api.done("GET", LEASE.path(space, NAME))["spec"].get("holderIdentity", "") == ""


def test_a_rule_of_somebody_else_stays(api: KubeApi, space: str, tmp_path: Path) -> None:
    """It has the name that ours would have: the object is told, and nothing of it is changed."""
    theirs = {"groups": [{"name": "theirs", "rules": [{"record": "a:b", "expr": "vector(1)"}]}]}
    api.create(
        RULE.path(space),
        apiVersion=RULE.api_version,
        kind=RULE.name,
        metadata={"name": "shop.sloth"},
        spec=theirs,
    )
    put(api, SLOTH, space, sloth())
    keeper = keeper_of(api, api.token, tmp_path, space)
    assert keeper.look().refused == 1
    assert rule(api, space, "shop.sloth")["spec"] == theirs
    assert told(api, space, "shop", "of somebody else stands; rename or delete it")()


def test_nothing_is_written_twice(api: KubeApi, space: str, tmp_path: Path) -> None:
    """Neither by who wrote it nor by one that begins anew; events stand once."""
    put(api, SLOTH, space, sloth())
    put(api, CONFIG_MAP, space, config_map(**BROKEN))
    keeper = keeper_of(api, api.token, tmp_path, space)
    done = keeper.look()
    assert (done.objects, done.written, done.broken, done.refused) == (2, 1, 1, 0)
    before = [api.done("GET", path) for path in (RULE.path(space), SLOTH.path(space), EVENT.path(space))]
    for again in (keeper, keeper_of(api, api.token, tmp_path, space)):
        done = again.look()
        assert (done.written, done.broken, done.refused) == (0, 1, 0)
    after = [api.done("GET", path) for path in (RULE.path(space), SLOTH.path(space), EVENT.path(space))]
    assert [one["items"] for one in after] == [one["items"] for one in before]


def test_very_many_problems_are_said_as_far_as_an_event_can(api: KubeApi, space: str, tmp_path: Path) -> None:
    """And it says that there are more."""
    document = BROKEN["ci.yaml"]
    text = "---\n".join(document.replace("ci-green", f"ci-{number}") for number in range(400))
    put(api, CONFIG_MAP, space, config_map(**{"many.yaml": text}))
    assert keeper_of(api, api.token, tmp_path, space).look().refused == 0
    ((kind, message),) = events(api, space, "slos")
    assert kind == "Warning"
    assert "many.yaml:4:8: unknown key 'servic'" in message
    assert message.endswith("and more; mend these first, or run `platform-meter check` on the file")


def test_of_two_one_leads(api: KubeApi, space: str, tmp_path: Path) -> None:
    """The other takes over where the first is killed."""

    def holder() -> str:
        response = api.call("GET", LEASE.path(space, NAME))
        return str(response.json()["spec"]["holderIdentity"]) if response.ok else ""

    with operator(api, tmp_path, space) as first:
        leader = until(holder)
        with operator(api, tmp_path, space):
            put(api, SLOTH, space, sloth())
            until(lambda: rule(api, space, "shop.sloth"))
            assert holder() == leader
            first.kill()
            first.wait()
            put(api, CONFIG_MAP, space, config_map())
            until(lambda: rule(api, space, "slos.configmap"))
            lease = api.done("GET", LEASE.path(space, NAME))["spec"]
            assert lease["holderIdentity"] != leader
            assert (lease["leaseDurationSeconds"], lease["leaseTransitions"]) == (SECONDS, 1)


def test_missing_rights_are_said(api: KubeApi, space: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With the role that is shipped all goes well; without one of its verbs, that one is named, and the rest goes on."""
    meta = {"name": space}
    api.create(f"/api/v1/namespaces/{space}/serviceaccounts", metadata={"name": "op"})
    roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
    api.create(roles, metadata=meta, rules=ROLE["rules"])
    subject = {"kind": "ServiceAccount", "name": "op", "namespace": space}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": space}
    api.create(f"{roles[:-1]}bindings", metadata=meta, roleRef=reference, subjects=[subject])
    keeper = keeper_of(api, api.service_account_token(space, "op"), tmp_path, space)
    put(api, SLOTH, space, sloth())
    put(api, CONFIG_MAP, space, config_map())
    until(lambda: (done := keeper.look()).objects == 2 and done.refused == 0)
    assert rule(api, space, "shop.sloth") is not None

    less = [{**one, "verbs": [verb for verb in one["verbs"] if verb != "patch"]} for one in ROLE["rules"]]
    less = [one for one in less if one["verbs"] and one["resources"] != ["configmaps"]]
    api.patch(f"{roles}/{space}", rules=less)
    api.patch(SLOTH.path(space, "shop"), spec={"service": "store"})
    with caplog.at_level(logging.WARNING):
        until(lambda: keeper.look().refused >= 2)
        until(told(api, space, "shop", f"may not patch prometheusrules.monitoring.coreos.com in namespace {space}"))
    assert api.done("GET", SLOTH.path(space, "shop"))["status"]["promOpRulesGenerated"] is True  # nor may it say so
    assert f"may not list configmaps in namespace {space}" in caplog.text
    less = [*less, *(one for one in ROLE["rules"] if one["resources"][0].endswith("/status"))]
    api.patch(f"{roles}/{space}", rules=less)

    def may_say() -> bool:
        keeper.look()
        return api.done("GET", SLOTH.path(space, "shop"))["status"]["promOpRulesGenerated"] is False

    until(may_say)
    assert rule(api, space, "slos.configmap") is not None
