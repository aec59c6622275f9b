"""Practices as streams: switched on by settings, each failing alone, over one look at the workloads."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import yaml
from pydantic import ValidationError
from tests.sources.kubernetes.kubernetes_server import Cluster, thing
from tests.sources.kubernetes.practices.told import DEPLOYMENTS, NAMESPACES, NOW, config, told, workload
from tests.support.places import ROOT

from platform_meter.measures.adoption.standing import KINDS as WORDS
from platform_meter.model.facts import Ref
from platform_meter.model.facts.practices import FACTS, Quota
from platform_meter.model.source import Forbidden, Unreachable
from platform_meter.sources.kubernetes import RESOURCES, SOURCE
from platform_meter.sources.kubernetes.practices import KINDS, installed
from platform_meter.testing.outside import Call, FakeOutside, Reply

QUOTAS = "/api/v1/resourcequotas"
SINCE = NOW - timedelta(days=1)
QUOTA = thing("small", "shop", spec={"hard": {"pods": "10"}})


def cluster() -> Cluster:
    made = Cluster().put(NAMESPACES, thing("shop"), thing("tmp-1"))
    made.put(DEPLOYMENTS, workload("web", labels={"team": "pay", "noise": "x"}), workload("old", "tmp-1"))
    return made.put(QUOTAS, QUOTA, thing("tmp", "tmp-1", spec={"hard": {"pods": "1"}}))


def test_a_reading_is_about_the_workload_as_its_inventory_names_it() -> None:
    """With the same labels and links, so that it has the same owner; what is left out of the inventory is left out here."""
    settings = {"labels": ["team"], "skip_namespaces": ["tmp-*"]}
    streams = SOURCE.connect(config("quotas", **settings), FakeOutside(cluster()), "eu")
    (page,) = next(s for s in streams if s.name == "quotas").read(None, SINCE, NOW)
    about = Ref(
        system="kubernetes",
        kind="workload",
        id="eu/shop/Deployment/web",
        labels=(("team", "pay"),),
        links=("kubernetes:eu/shop",),
    )
    quota = Quota(about=about, cluster="eu", namespace="shop", workload_kind="Deployment", by=("small",))
    assert page.facts == (quota,)
    first = next(s for s in streams if s.name == "deployments").read(None, SINCE, NOW)
    assert {fact.about for page in first for fact in page.facts} == {about}


def test_settings_switch_each_on_by_the_word_that_files_count_it_by() -> None:
    """No stream without its word; words are the same in a Capability file, and none is missing."""
    assert {WORDS[word] for word in KINDS} | {WORDS["goldenimages"]} == set(FACTS.readings)
    names = [s.name for s in SOURCE.connect(config("monitors", "quotas", "monitors"), FakeOutside(Cluster()), "eu")]
    assert names[-2:] == ["monitors", "quotas"]
    assert "goldenimages" not in names
    with pytest.raises(
        ValidationError, match="no practice is called 'quota'; write some of admissionpolicies, argodest"
    ):
        config("quota")


def test_one_look_at_the_workloads_serves_all_practices_for_five_minutes() -> None:
    """Then they are looked at again."""
    outside = FakeOutside(cluster())
    streams = [s for s in SOURCE.connect(config("quotas", "autoscalers"), outside, "eu") if s.name in KINDS]
    for passed, looks in ((0, 1), (4, 1), (6, 2)):
        for stream in streams:
            list(stream.read(None, SINCE, NOW + timedelta(minutes=passed)))
        assert sum(call.path == DEPLOYMENTS for call in outside.calls) == looks


def test_one_look_that_fails_is_the_failure_of_all_practices_for_a_minute() -> None:
    """A cluster that hangs holds up one of them; then it is looked at again."""
    outside = FakeOutside(cluster(), fail_at=0, error=Unreachable("down"))
    streams = [s for s in SOURCE.connect(config("quotas", "autoscalers"), outside, "eu") if s.name in KINDS]
    for stream in streams:
        with pytest.raises(Unreachable, match="down"):
            list(stream.read(None, SINCE, NOW + timedelta(seconds=20)))
    assert len(outside.calls) == 1
    for stream in streams:
        list(stream.read(None, SINCE, NOW + timedelta(seconds=80)))
    assert sum(call.path == DEPLOYMENTS for call in outside.calls) == 1


def test_what_may_not_be_read_stops_no_other() -> None:
    """Its own stream fails, and says of nothing that it is over."""

    def answer(call: Call) -> Reply:
        return Reply(status=403) if call.path == QUOTAS else cluster()(call)

    streams = {s.name: s for s in SOURCE.connect(config("quotas", "autoscalers"), FakeOutside(answer), "eu")}
    with pytest.raises(Forbidden):
        list(streams["quotas"].read(None, SINCE, NOW))
    (page,) = streams["autoscalers"].read(None, SINCE, NOW)
    assert page.complete == streams["autoscalers"].gives


def test_check_names_what_may_not_be_read_and_passes_over_what_is_not_installed() -> None:
    """A cluster without the Gateway API has no routes, and lacks no right."""

    def answer(call: Call) -> Reply:
        return Reply(status=403) if call.path == QUOTAS else cluster()(call)

    settings = config("quotas", "gatewayroutes", "monitors")
    assert list(SOURCE.check(settings, FakeOutside(answer))) == [
        'the credential may not list resourcequotas (apiGroups: [""]); grant it as deploy/kubernetes/rbac.yaml does'
    ]
    found = installed(FakeOutside(cluster()), settings.covering)
    assert [str(resource) for resource in found] == ["resourcequotas", "services"]


def test_a_resource_that_moves_within_a_list_is_told_once() -> None:
    """A list whose pages expire is begun again; nothing of its first beginning is left."""
    made, calls = cluster(), list[Call]()

    def answer(call: Call) -> Reply:
        calls.append(call)
        if call.path == QUOTAS and "continue" in call.params and not any(c.params.get("seen") for c in calls):
            made.delete(QUOTAS, "small").put(QUOTAS, thing("new", "shop", spec={"hard": {"pods": "1"}}))
            made.forget()
            calls.append(Call(method="GET", path="", params={"seen": True}))
        return made(call)

    made.put(QUOTAS, thing("third", "shop", spec={"hard": {"pods": "1"}}))
    outside: Any = answer
    assert told(outside, "quotas")["shop/Deployment/web"] == ("new", "third")


def test_the_shipped_role_grants_what_is_read() -> None:
    """Every resource of every practice, with `list` alone where nothing is watched."""
    documents = yaml.safe_load_all((ROOT / "deploy" / "kubernetes" / "rbac.yaml").read_text("utf-8"))
    role = next(made for made in documents if made["kind"] == "ClusterRole")
    granted = {
        (group, name, verb)
        for rule in role["rules"]
        for group in rule.get("apiGroups", ())
        for name in rule["resources"]
        for verb in rule["verbs"]
    }
    resources = (*RESOURCES, *(resource for kind in KINDS.values() for resource in kind.resources))
    assert {(r.group, r.name, verb) for r in resources for verb in r.verbs} <= granted
