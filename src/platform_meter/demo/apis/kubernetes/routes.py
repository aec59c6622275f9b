"""The Kubernetes API of one simulated cluster: lists in pages, watches as JSON lines, Status bodies for errors."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from threading import Event, Lock
from typing import Any

import msgspec

from platform_meter.demo.apis.kubernetes.manifests import KIND, manifest
from platform_meter.demo.apis.wsgi import Api, Refusal, Reply, Request, encode
from platform_meter.demo.company.cluster import KINDS, ClusterState
from platform_meter.demo.company.objects import Key
from platform_meter.demo.world import World

SINGULAR = {"namespaces": "Namespace", "nodes": "Node", "pods": "Pod", **KIND}
WATCH_SECONDS = 1800
BEAT = 0.25
BOOKMARK = timedelta(seconds=20)
PAGES_KEPT = 16
"""Lists whose later pages can still be asked for."""
TOKEN = "kube_demo"  # noqa: S105 - opens nothing but the simulation
LIMITED_TOKEN = "kube_pods_only"  # noqa: S105 - a credential that may read pods and nothing else

_REQUIREMENT = re.compile(r"\s*(!?)([\w./-]+)\s*(?:(==|=|!=)\s*([\w.-]*)|(in|notin)\s*\(([^)]*)\))?\s*(?:,|$)")


def group(kind: str) -> str:
    """API group and version of a kind: v1, apps/v1, batch/v1."""
    return "batch/v1" if kind == "cronjobs" else "apps/v1" if kind in KIND else "v1"


def _status(code: int, reason: str, message: str) -> dict[str, Any]:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }


def _refuse(code: int, reason: str, message: str) -> Refusal:
    return Refusal(Reply(body=encode(_status(code, reason, message)), status=code, type="application/json"))


def matcher(selector: str) -> Callable[[dict[str, str]], bool]:
    """Whether labels meet a selector: equality and set forms.

    Raises:
        ValueError: it can't be read.
    """
    rules: list[tuple[str, str, tuple[str, ...]]] = []
    at = 0
    while at < len(selector):
        found = _REQUIREMENT.match(selector, at)
        if not found or found.end() == at:
            raise ValueError(f"unable to parse requirement: found {selector[at:]!r}")
        no, key, sign, value, word, values = found.groups()
        if word:
            rules.append((key, word, tuple(v.strip() for v in values.split(","))))
        elif sign:
            rules.append((key, "notin" if sign == "!=" else "in", (value,)))
        else:
            rules.append((key, "absent" if no else "exists", ()))
        at = found.end()

    def meets(labels: dict[str, str]) -> bool:
        checks: dict[str, Callable[[str, tuple[str, ...]], bool]] = {
            "in": lambda key, wanted: labels.get(key) in wanted,
            "notin": lambda key, wanted: labels.get(key) not in wanted,
            "exists": lambda key, _: key in labels,
            "absent": lambda key, _: key not in labels,
        }
        return all(checks[op](key, wanted) for key, op, wanted in rules)

    return meets


class KubernetesApi(Api):
    """`stop` ends all watches; `beat` is the time in seconds between two looks while one waits."""

    def __init__(self, world: World, cluster: str, stop: Event | None = None, beat: float = BEAT) -> None:
        self._world = world
        self._name = cluster
        self._state: ClusterState = world.clusters[cluster]
        self._stop, self._beat = stop or Event(), beat
        self._pages: dict[tuple[str, int], list[tuple[Key, dict[str, Any]]]] = {}
        self._lock = Lock()
        routes: dict[str, Any] = {"GET /readyz": self._ready, "GET /livez": self._live, "GET /version": self._version}
        for kind in KINDS:
            root = f"/{'apis/' if '/' in group(kind) else 'api/'}{group(kind)}"
            routes[f"GET {root}/{kind}"] = partial(self._list, kind=kind)
            if kind in {"namespaces", "nodes"}:
                routes[f"GET {root}/{kind}/<name>"] = partial(self._one, kind=kind)
            else:
                path = f"{root}/namespaces/<namespace>/{kind}"
                routes[f"GET {path}"] = partial(self._list, kind=kind)
                routes[f"GET {path}/<name>"] = partial(self._one, kind=kind)
        super().__init__(routes)

    def answer(self, request: Request, handle: Callable[[], Reply]) -> Reply:
        kind, _, token = request.header("Authorization").partition(" ")
        known = {TOKEN, LIMITED_TOKEN}
        probing = request.path in {"/readyz", "/livez", "/version"}  # anybody may ask these, as in a real cluster
        if not probing and (kind != "Bearer" or token not in known):
            raise _refuse(401, "Unauthorized", "Unauthorized")
        resource = next((part for part in reversed(request.path.split("/")) if part in KINDS), "")
        if token == LIMITED_TOKEN and resource and resource != "pods":
            verb = "watch" if request.query.get("watch") in {"1", "true"} else "list"
            raise _refuse(
                403,
                "Forbidden",
                f'{resource} is forbidden: User "system:serviceaccount:meter:limited" cannot {verb} resource '
                f'"{resource}" in API group "{group(resource).rpartition("/")[0]}" at the cluster scope',
            )
        return handle()

    def missing(self, request: Request) -> Reply:
        del request
        raise _refuse(404, "NotFound", "the server could not find the requested resource")

    def _ready(self, request: Request) -> Reply:
        del request
        if self._state.ready(self._world.now()):
            return Reply(body=b"ok", type="text/plain; charset=utf-8")
        text = b"[+]ping ok\n[+]log ok\n[-]etcd failed: reason withheld\nreadyz check failed\n"
        return Reply(body=text, status=500, type="text/plain; charset=utf-8")

    def _live(self, request: Request) -> Reply:
        del request
        return Reply(body=b"ok", type="text/plain; charset=utf-8")

    def _version(self, request: Request) -> Reply:
        del request
        version = self._state.cluster.version
        major, minor = version.removeprefix("v").split(".")[:2]
        return Reply(body=encode({"major": major, "minor": minor, "gitVersion": version, "platform": "linux/amd64"}))

    def _one(self, request: Request, name: str, kind: str, namespace: str = "") -> Reply:
        del request
        self._state.advance(self._world.now())
        found = dict(self._state.snapshot(kind)[1]).get((namespace, name))
        if found is None:
            raise _refuse(404, "NotFound", f'{kind} "{name}" not found')
        return Reply(body=encode(manifest(found)), type="application/json")

    def _filter(self, request: Request, namespace: str | None) -> Callable[[dict[str, Any]], bool]:
        try:
            meets = matcher(request.query.get("labelSelector", ""))
        except ValueError as error:
            raise _refuse(400, "BadRequest", str(error)) from None
        if request.query.get("fieldSelector"):
            text = request.query["fieldSelector"]
            raise _refuse(400, "BadRequest", f"field label not supported: {text}")

        def wanted(thing: dict[str, Any]) -> bool:
            metadata = thing["metadata"]
            return (namespace is None or metadata.get("namespace") == namespace) and meets(metadata["labels"])

        return wanted

    def _list(self, request: Request, kind: str, namespace: str | None = None) -> Reply:
        wanted = self._filter(request, namespace)
        if request.query.get("watch") in {"1", "true"}:
            return self._watch(request, kind, wanted)
        version, after, items = self._page_from(request, kind)
        limit = request.number("limit", 0, 0, 10_000)
        found = [(key, thing) for key, thing in items if wanted(thing) and (after is None or key > after)]
        page = found[:limit] if limit else found
        metadata: dict[str, Any] = {"resourceVersion": str(version)}
        if len(page) < len(found):
            metadata["continue"] = _token(version, page[-1][0])
            metadata["remainingItemCount"] = len(found) - len(page)
        # in a list the items do not say their kind
        bare = [{k: v for k, v in thing.items() if k not in {"kind", "apiVersion"}} for _, thing in page]
        body = {"kind": f"{SINGULAR[kind]}List", "apiVersion": group(kind), "metadata": metadata, "items": bare}
        return Reply(body=encode(body), type="application/json")

    def _page_from(self, request: Request, kind: str) -> tuple[int, Key | None, list[tuple[Key, dict[str, Any]]]]:
        """(version, the key to go on after, objects): all pages of a list show the same moment."""
        token = request.query.get("continue", "")
        if not token:
            self._state.advance(self._world.now())
            version, standing = self._state.snapshot(kind)
            items = [(key, manifest(change)) for key, change in standing]
            with self._lock:
                self._pages[kind, version] = items
                while len(self._pages) > PAGES_KEPT:
                    del self._pages[next(iter(self._pages))]
            return version, None, items
        try:
            version, key = _untoken(token)
        except (ValueError, msgspec.DecodeError):
            raise _refuse(400, "BadRequest", "continue key is not valid") from None
        with self._lock:
            kept = self._pages.get((kind, version))
        if kept is None:
            raise _refuse(
                410,
                "Expired",
                "The provided continue parameter is too old to display a consistent list result. You must start a new "
                "list without the continue parameter.",
            )
        return version, key, kept

    def _watch(self, request: Request, kind: str, wanted: Callable[[dict[str, Any]], bool]) -> Reply:
        seconds = request.number("timeoutSeconds", WATCH_SECONDS, 1, 7200)
        return Reply(body=self._stream(request, kind, wanted, seconds), type="application/json")

    def _stream(
        self, request: Request, kind: str, wanted: Callable[[dict[str, Any]], bool], seconds: int
    ) -> Iterator[bytes]:
        version = request.number("resourceVersion", 0, 0, 10**15)
        begun = marked = self._world.now()
        bookmarks = request.query.get("allowWatchBookmarks") in {"1", "true"}
        self._state.advance(begun)
        if not version:
            version, items = self._state.snapshot(kind)
            for _, change in items:
                if wanted(thing := manifest(change)):
                    yield _line("ADDED", thing)
        while True:
            now = self._world.now()
            reached = self._state.advance(now)
            changes = self._state.changes(kind, version)
            if changes is None:
                yield _line("ERROR", _status(410, "Expired", f"too old resource version: {version} ({reached})"))
                return
            for change in changes:
                if wanted(thing := manifest(change)):
                    yield _line(change.type, thing)
            version = max(version, reached, *(change.version for change in changes))
            over = now - begun >= timedelta(seconds=seconds) or self._stop.is_set()
            if bookmarks and (over or now - marked >= BOOKMARK):
                marked = now
                yield _line("BOOKMARK", self._bookmark(kind, version))
            if over:
                return
            self._stop.wait(self._beat)

    def _bookmark(self, kind: str, version: int) -> dict[str, Any]:
        metadata = {"resourceVersion": str(version), "creationTimestamp": None}
        return {
            "kind": SINGULAR[kind],
            "apiVersion": group(kind),
            "metadata": metadata,
            "spec": {},
            "status": {},
        }


def _line(type_: str, thing: dict[str, Any]) -> bytes:
    return encode({"type": type_, "object": thing}) + b"\n"


def _token(version: int, key: Key) -> str:
    return base64.urlsafe_b64encode(encode([version, *key])).decode()


def _untoken(token: str) -> tuple[int, Key]:
    version, namespace, name = msgspec.json.decode(base64.urlsafe_b64decode(token), type=tuple[int, str, str])
    return version, (namespace, name)
