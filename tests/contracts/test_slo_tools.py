"""Objects of Sloth and Pyrra: every key of the official schemas is known, and what tests read is such an object."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel
from tests.contracts.openapi import Resource
from tests.slo.foreign import test_pyrra, test_sloth

from platform_meter.slo.foreign import pyrra, sloth

SLOTH, PYRRA = ("sloth-prometheusservicelevels", "v1"), ("pyrra-servicelevelobjectives", "v1alpha1")


def schema(name: str, version: str) -> Any:
    text = Path(os.environ["PLATFORM_METER_CONTRACTS"], "crds", f"{name}.yaml").read_text("utf-8")
    versions = {one["name"]: one for one in yaml.safe_load(text)["spec"]["versions"]}
    return versions[version]["schema"]["openAPIV3Schema"]


def unknown(model: type[BaseModel], described: Any, at: str = "") -> Iterator[str]:
    """Keys of a schema that a model does not have."""
    fields = {info.alias or name: info for name, info in model.model_fields.items()}
    for key, below in described.get("properties", {}).items():
        if key not in fields:
            yield f"{at}/{key}"
            continue
        for inner in models(fields[key].annotation):
            yield from unknown(inner, below.get("items", below), f"{at}/{key}")


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from models(part)


def test_every_key_of_sloths_objects_is_known() -> None:
    """None of it is refused; SLOs are looked at one by one."""
    whole = schema(*SLOTH)
    slos = whole["properties"]["spec"]["properties"]["slos"]["items"]
    assert list(unknown(sloth.OBJECTS.object, whole)) == []
    assert list(unknown(sloth.OBJECTS.slo, slos)) == []
    assert list(unknown(sloth.FILES.slo, slos)) != [], "files spell them otherwise"


def test_every_key_of_pyrras_objects_is_known() -> None:
    """And so is that of burn rates by traffic, which came after this schema."""
    assert list(unknown(pyrra.Keys, schema(*PYRRA))) == []


@pytest.mark.parametrize(("crd", "text"), [(SLOTH, test_sloth.OBJECT), (PYRRA, test_pyrra.OBJECT)])
def test_what_is_read_in_tests_is_such_an_object(crd: tuple[str, str], text: str) -> None:
    """By the schema that the tool itself installs."""
    assert Resource(*crd).problem(yaml.safe_load(text)) == ""
