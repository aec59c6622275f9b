"""Holds what a source asks, and what it is ready to read, against an official OpenAPI description."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from jsonschema import Draft202012Validator
from msgspec import inspect

from platform_meter.testing.outside import Call, Reply

Node = dict[str, Any]


class Description:
    def __init__(self, name: str) -> None:
        self.doc: Node = json.loads(Path(os.environ["PLATFORM_METER_CONTRACTS"], name).read_text())

    def resolve(self, node: Node) -> Node:
        while "$ref" in node:
            found: Any = self.doc
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            node = found
        return node

    def operation(self, method: str, path: str) -> tuple[str, Node]:
        """The template that a path fits, the most literal first, and its operation.

        Raises:
            AssertionError: the description knows no such call.
        """
        fits = [
            template
            for template, node in self.doc["paths"].items()
            if method in node and re.fullmatch(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(template)), path)
        ]
        assert fits, f"{method} {path} is not in the description"
        template = min(fits, key=lambda found: found.count("{"))
        return template, self.doc["paths"][template][method]

    def problems(self, call: Call) -> list[str]:
        """What is wrong with a request: parameters and body properties that are unknown or of another type."""
        template, operation = self.operation(call.method.lower(), call.path)
        node = self.doc["paths"][template]
        known = [self.resolve(p) for p in (*node.get("parameters", []), *operation.get("parameters", []))]
        query = {
            parameter["name"]: self.resolve(parameter["schema"]) for parameter in known if parameter["in"] == "query"
        }
        found = [f"{call.path}: unknown parameter {name}" for name in call.params if name not in query]
        for name, value in call.params.items():
            schema = query.get(name, {})
            value_ = value.split(",") if schema.get("type") == "array" and isinstance(value, str) else value
            found += [
                f"{call.path}: {name}: {error.message}" for error in Draft202012Validator(schema).iter_errors(value_)
            ]
        if call.body is not None:
            body = self.resolve(operation["requestBody"]["content"]["application/json"]["schema"])
            found += [f"{call.path}: {error.message}" for error in Draft202012Validator(body).iter_errors(call.body)]
        return found

    def answer(self, method: str, path: str) -> Node:
        """The 200 answer: its schema and examples."""
        _, operation = self.operation(method, path)
        content: Node = self.resolve(operation["responses"]["200"])["content"]["application/json"]
        return content

    def schema(self, method: str, path: str) -> Node:
        found: Node = self.answer(method, path)["schema"]
        return found

    def example(self, call: Call) -> Reply:
        """Answers a call with the description's own example, as a mock server does."""
        content = self.answer(call.method.lower(), call.path)
        if "example" in content:
            return Reply(body=content["example"])
        first = next(iter(content["examples"].values()))
        return Reply(body=self.resolve(first)["value"])

    # what a Struct is ready to read

    def _alternatives(self, node: Node) -> Iterator[Node]:
        """The objects that a node may be; `allOf` is one object, `oneOf` and `anyOf` are several."""
        node = self.resolve(node)
        choices = [*node.get("oneOf", []), *node.get("anyOf", [])]
        for choice in choices:
            yield from self._alternatives(choice)
        if not choices:
            merged: Node = {"properties": {}, "required": [], **node}
            for part in map(self.resolve, node.get("allOf", [])):
                merged["properties"] = {**merged["properties"], **part.get("properties", {})}
                merged["required"] = [*merged["required"], *part.get("required", [])]
                merged["type"] = part.get("type", merged.get("type"))
            yield merged

    def _nullable(self, node: Node) -> bool:
        resolved = self.resolve(node)
        parts = [*resolved.get("oneOf", []), *resolved.get("anyOf", []), *resolved.get("allOf", [])]
        return bool(resolved.get("nullable")) or any(self._nullable(part) for part in parts)

    def unreadable(self, type_: Any, schema: Node, *, unknown: Iterable[str] = (), at: str = "") -> list[str]:
        """Where an answer of this schema could fail to decode as `type_`, or a field is read that it doesn't have.

        `unknown` names fields (`Struct.field`) that only recorded answers have.
        """
        info = inspect.type_info(type_) if not isinstance(type_, inspect.Type) else type_
        found: list[str] = []
        for part in info.types if isinstance(info, inspect.UnionType) else (info,):
            for node in self._alternatives(schema):
                if isinstance(part, inspect.ListType) and node.get("type") == "array":
                    found += self.unreadable(part.item_type, node["items"], unknown=unknown, at=f"{at}[]")
                elif isinstance(part, inspect.StructType) and node.get("type") == "object":
                    found += self._fields(part, schema, node, frozenset(unknown), at)
        return sorted(set(found))

    def _fields(
        self, struct: inspect.StructType, whole: Node, node: Node, unknown: frozenset[str], at: str
    ) -> list[str]:
        found: list[str] = []
        everywhere = list(self._alternatives(whole))
        if not node["properties"] and node.get("additionalProperties") == {}:
            return [f"{at}.{f.encode_name}: may be absent" for f in struct.fields if f.required]  # it may hold anything
        for field in struct.fields:
            name = f"{at}.{field.encode_name}"
            if f"{struct.cls.__name__}.{field.name}" in unknown:
                continue
            if not any(field.encode_name in other["properties"] for other in everywhere):
                found.append(f"{name}: the description has no such field")
                continue
            inner = node["properties"].get(field.encode_name)
            if field.required and field.encode_name not in node["required"]:
                found.append(f"{name}: may be absent")
            if inner is None:
                continue
            types = field.type.types if isinstance(field.type, inspect.UnionType) else (field.type,)
            anything = any(isinstance(part, (inspect.NoneType, inspect.AnyType)) for part in types)
            if self._nullable(inner) and not anything:
                found.append(f"{name}: may be null")
            found += self.unreadable(field.type, inner, unknown=unknown, at=name)
        return found


@cache
def description(name: str) -> Description:
    return Description(name)


def recorded(path: str) -> list[Mapping[str, Any]]:
    """The records of a raw table; each has `data`."""
    text = Path(os.environ["PLATFORM_METER_CONTRACTS"], "samples", path).read_bytes()
    rows: list[Mapping[str, Any]] = msgspec.json.decode(text)
    return rows
