"""The argocd source on Argo CD's official API description and on objects that its own tests and those of Rollouts hold."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012
from tests.contracts.calls import description
from tests.sources.argocd.argocd_server import API
from tests.sources.argocd.test_argocd import api_case, later_world, small_world

from platform_meter.model.facts.gitops import Health, RolloutResult
from platform_meter.sources.argocd import SOURCE
from platform_meter.sources.argocd.api import FIELDS, Applications
from platform_meter.sources.argocd.commits import Commit
from platform_meter.sources.argocd.facts import Place, gitops_app, rollout_ended
from platform_meter.sources.argocd.rows import Application, Rollout
from platform_meter.testing.case import poll, world
from platform_meter.testing.outside import Call

OFFICIAL = description("argocd.openapi.json")
LIST = "v1alpha1ApplicationList"
PLACE = Place(cluster="eu", keep=())


def samples(folder: str, kind: str) -> Iterator[dict[str, Any]]:
    """Objects of one kind, as they are in JSON."""
    for file in sorted(Path(os.environ["PLATFORM_METER_CONTRACTS"], "samples", folder).glob("*.yaml")):
        for found in yaml.load_all(file.read_text("utf-8"), yaml.BaseLoader):
            if found and found.get("kind") == kind:
                yield found


def test_what_is_asked_is_in_the_description() -> None:
    """Every field that is asked for is one of an application; `fields` itself the description does not know."""
    outside = world(api_case())
    poll(SOURCE, api_case(), outside)
    listed, *others = outside.calls
    assert (listed.path, set(listed.params)) == (API, {"fields"})
    assert API in OFFICIAL.doc["paths"]
    assert len(others) == 1
    for call in others:
        _, known = OFFICIAL.operation("get", call.path)
        assert set(call.params) <= {parameter["name"] for parameter in known["parameters"]}
    for path in FIELDS.split(","):
        node: dict[str, Any] = {"$ref": f"#/definitions/{LIST}"}
        for part in path.split("."):
            node = OFFICIAL.resolve(node)
            node = node.get("items", node) if node.get("type") == "array" else node
            node = OFFICIAL.resolve(node)["properties"][part]


def test_every_answer_of_the_description_can_be_read() -> None:
    """Metadata and what names an owner are there in every object that a cluster keeps."""
    commit = {"$ref": "#/definitions/v1alpha1RevisionMetadata"}
    assert OFFICIAL.unreadable(Commit, commit) == []
    assert OFFICIAL.unreadable(Applications, {"$ref": f"#/definitions/{LIST}"}) == [
        ".items[].metadata.ownerReferences[].kind: may be absent",
        ".items[].metadata.ownerReferences[].name: may be absent",
        ".items[].metadata: may be absent",
    ]


def test_the_server_in_memory_answers_as_the_description_says() -> None:
    """In both worlds of the case."""
    resource = DRAFT202012.create_resource(OFFICIAL.doc)
    registry: Registry[Any] = Registry().with_resource("urn:argocd", resource)
    validator = Draft202012Validator({"$ref": f"urn:argocd#/definitions/{LIST}"}, registry=registry)
    for argo in (small_world(), later_world()):
        body = argo(Call(method="GET", path=API)).body
        assert len(body["items"]) >= 5
        assert [error.message for error in validator.iter_errors(body)] == []


def test_every_sample_application_is_read() -> None:
    """One without a status stands as unknown."""
    found = [
        gitops_app(msgspec.convert({"metadata": {}, **sample}, Application, strict=False), PLACE)
        for sample in samples("argocd", "Application")
    ]
    assert {(app.health, app.auto_sync) for app in found} == {(Health.UNKNOWN, True), (Health.DEGRADED, False)}


def test_every_sample_rollout_is_read() -> None:
    """Aborted ones at the time that they say; one whose version is the stable one was promoted."""
    rollouts = [
        msgspec.convert(sample, Rollout, strict=False)
        for folder in ("argocd", "argo-rollouts")
        for sample in samples(folder, "Rollout")
    ]
    assert len(rollouts) >= 10
    said = {(one.metadata.name, e.result, e.at) for one in rollouts if (e := rollout_ended(one, PLACE))}
    assert said >= {
        ("rollout-canary", RolloutResult.ABORTED, datetime(2020, 11, 6, 10, 8, 32, tzinfo=UTC)),
        ("rollout-bluegreen", RolloutResult.PROMOTED, datetime(2020, 11, 6, 9, 13, 9, tzinfo=UTC)),
    }
    aborted = {one.metadata.name for one in rollouts if one.status.abort and one.status.aborted_at}
    assert {name for name, result, _ in said if result is RolloutResult.ABORTED} == aborted
