"""Reads an official OpenAPI description as JSON Schema, so that answers can be held against it."""

from __future__ import annotations

import json
import os
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

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


class Contract:
    """One description. `loosen` names properties, by schema, that the real system is known to leave null."""

    def __init__(self, name: str, loosen: tuple[tuple[str, str], ...] = ()) -> None:
        doc = json.loads(Path(os.environ["PLATFORM_METER_CONTRACTS"], name).read_text())
        for schema, prop in loosen:
            doc["components"]["schemas"][schema]["properties"][prop]["nullable"] = True
        self.paths: dict[str, Any] = doc["paths"]
        resource = DRAFT202012.create_resource(_json_schema(doc))
        self._registry: Registry[Any] = Registry().with_resource(DOC, resource)

    def problem(self, path: str, body: Any, *, method: str = "get", status: str = "200") -> str:
        """What is wrong with a JSON body that answers this path; empty when nothing is."""
        answer = self.paths[path][method]["responses"][status]
        if "$ref" in answer:
            pointer = answer["$ref"].removeprefix("#")
        else:
            pointer = f"/paths/{path.replace('~', '~0').replace('/', '~1')}/{method}/responses/{status}"
        reference = f"{DOC}#{pointer}/content/application~1json/schema"
        validator = Draft202012Validator({"$ref": reference}, registry=self._registry, format_checker=_FORMATS)
        error = best_match(validator.iter_errors(body))
        return f"{error.json_path}: {error.message[:300]}" if error else ""


@cache
def contract(name: str, loosen: tuple[tuple[str, str], ...] = ()) -> Contract:
    return Contract(name, loosen)
