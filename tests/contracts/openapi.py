"""Reads official descriptions, of an API or of a cluster's resource, as JSON Schema, so that answers can be held against them."""

from __future__ import annotations

import json
import os
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import best_match
from referencing import Registry
from referencing.jsonschema import DRAFT202012

DOC = "urn:openapi"
_FORMATS = FormatChecker(formats=())


def _moment(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


def _uri(value: object) -> bool:
    return not isinstance(value, str) or value == "" or "://" in value


_FORMATS.checks("date-time", raises=ValueError)(_moment)
_FORMATS.checks("uri")(_uri)


def _json_schema(node: Any) -> Any:
    """OpenAPI 3.0's `nullable` in the words of JSON Schema; all else is the same."""
    if isinstance(node, list):
        return [_json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    found = {key: _json_schema(value) for key, value in node.items() if key != "nullable"}
    found.pop("example", None)
    return {"anyOf": [found, {"type": "null"}]} if node.get("nullable") is True else found


def _closed(node: Any) -> Any:
    """The same, but an object has no property that is not named, unless it says that it may."""
    if isinstance(node, list):
        return [_closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    found = {key: _closed(value) for key, value in node.items()}
    if node.get("type") == "object" and "properties" in node and "x-kubernetes-preserve-unknown-fields" not in node:
        found.setdefault("additionalProperties", False)
    return found


def _problem(schema: Any, body: Any, registry: Registry[Any]) -> str:
    error = best_match(Draft202012Validator(schema, registry=registry, format_checker=_FORMATS).iter_errors(body))
    return f"{error.json_path}: {error.message[:300]}" if error else ""


class Contract:
    """One description of an API, as OpenAPI 3 or as Swagger 2.

    `loosen` names properties, by schema, that the real system is known to leave null; `closed` allows no property that
    the description does not name.
    """

    def __init__(self, name: str, loosen: tuple[tuple[str, str], ...] = (), *, closed: bool = False) -> None:
        doc = json.loads(Path(os.environ["PLATFORM_METER_CONTRACTS"], name).read_text())
        for schema, prop in loosen:
            doc["components"]["schemas"][schema]["properties"][prop]["nullable"] = True
        self.paths: dict[str, Any] = doc["paths"]
        self._body = "schema" if "swagger" in doc else "content/application~1json/schema"
        resource = DRAFT202012.create_resource(_json_schema(_closed(doc) if closed else doc))
        self._registry: Registry[Any] = Registry().with_resource(DOC, resource)

    def problem(self, path: str, body: Any, *, method: str = "get", status: str = "200") -> str:
        """What is wrong with a JSON body that answers this path; empty when nothing is."""
        answer = self.paths[path][method]["responses"][status]
        if "$ref" in answer:
            pointer = answer["$ref"].removeprefix("#")
        else:
            pointer = f"/paths/{path.replace('~', '~0').replace('/', '~1')}/{method}/responses/{status}"
        return _problem({"$ref": f"{DOC}#{pointer}/{self._body}"}, body, self._registry)


@cache
def contract(name: str, loosen: tuple[tuple[str, str], ...] = (), *, closed: bool = False) -> Contract:
    return Contract(name, loosen, closed=closed)


class Resource:
    """One version of a resource that a project defines for clusters. It has the properties that are named there, and no others."""

    def __init__(self, name: str, version: str) -> None:
        text = Path(os.environ["PLATFORM_METER_CONTRACTS"], "crds", f"{name}.yaml").read_text("utf-8")
        (defined,) = yaml.safe_load_all(text)
        (found,) = (one for one in defined["spec"]["versions"] if one["name"] == version)
        self._schema = _closed(found["schema"]["openAPIV3Schema"])

    def problem(self, body: Any) -> str:
        """What is wrong with an object; empty when nothing is."""
        return _problem(self._schema, body, Registry())
