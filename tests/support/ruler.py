"""A ruler that keeps rules as the reference of Mimir's HTTP API says: listed as YAML, set and deleted one group at a time.

Names are decoded from the path, durations come back as Prometheus writes them, and a tenant without rules is a 404.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import yaml
from tests.support.http import Reply, Seen, Server, serving

MOST = 20
"""Rules in a group, as Mimir has it where nobody says otherwise."""


@dataclass
class Kept:
    """What the ruler keeps: tenants, namespaces, groups."""

    server: Server
    api: str
    token: str = ""
    """What `Authorization` has to say; "" lets everybody in."""
    most: int = MOST
    tenants: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    """Method, namespace and group of every change, in order."""

    def answer(self, seen: Seen) -> Reply:
        if self.token and seen.headers.get("authorization") != self.token:
            return Reply(401, body=b"no org id")
        spaces = self.tenants.setdefault(seen.headers.get("x-scope-orgid", "anonymous"), {})
        if seen.path != self.api and not seen.path.startswith(f"{self.api}/"):
            return Reply(404, body=b"404 page not found")
        names = [unquote(name) for name in seen.path.removeprefix(self.api).split("/")[1:]]
        match seen.method, names:
            case "GET", []:
                return self._listed(spaces)
            case "POST", [space]:
                return self._set(spaces, space, seen)
            case "DELETE", [space, group]:
                return self._deleted(spaces, space, group)
        return Reply(405)

    def _listed(self, spaces: dict[str, dict[str, Any]]) -> Reply:
        if not spaces:
            return Reply(404, body=b"no rule groups found\n")
        found = {space: list(groups.values()) for space, groups in spaces.items()}
        return Reply(headers={"Content-Type": "application/yaml"}, body=yaml.safe_dump(found).encode())

    def _set(self, spaces: dict[str, dict[str, Any]], space: str, seen: Seen) -> Reply:
        if seen.headers.get("content-type") != "application/yaml":
            return Reply(400, body=b"unable to decode rule group payload")
        group = yaml.safe_load(seen.body)
        if (many := len(group["rules"])) > self.most:
            return Reply(400, body=f"per-user rules per rule group limit (limit: {self.most} actual: {many})".encode())
        group["query_offset"] = "0s"  # some releases say what was left out
        for rule in group["rules"]:
            if rule.get("for") == "1m":
                rule["for"] = "60s"  # the same duration
        spaces.setdefault(space, {})[group["name"]] = group
        self.changed.append(f"POST {space} {group['name']}")
        return Reply(202, body=b'{"status":"success","data":null,"errorType":"","error":""}')

    def _deleted(self, spaces: dict[str, dict[str, Any]], space: str, group: str) -> Reply:
        if group not in spaces.get(space, {}):
            return Reply(404, body=b"group does not exist\n")
        del spaces[space][group]
        if not spaces[space]:
            del spaces[space]
        self.changed.append(f"DELETE {space} {group}")
        return Reply(202, body=b'{"status":"success","data":null,"errorType":"","error":""}')


@contextmanager
def ruling(api: str = "/prometheus/config/v1/rules", **more: Any) -> Iterator[Kept]:
    """A ruler on a free loopback port."""
    with serving() as server:
        kept = Kept(server, api, **more)
        server.otherwise = kept.answer
        yield kept
