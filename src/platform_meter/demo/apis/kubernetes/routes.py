"""The Kubernetes API of one simulated cluster: lists in pages, watches as JSON lines, Status bodies for errors."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from threading import Event, Lock
from typing import Any

import msgspec

from platform_meter.demo.apis.kubernetes.manifests import KIND, MADE, made, manifest
from platform_meter.demo.apis.kubernetes.practices import COVERING
from platform_meter.demo.apis.kubernetes.words import line, matcher, refuse, status
from platform_meter.demo.apis.wsgi import Api, Reply, Request, encode
from platform_meter.demo.company.cluster import KINDS, ClusterState
from platform_meter.demo.company.objects import Key, PodState, WorkloadState
from platform_meter.demo.world import World
from platform_meter.model.typed import decode

SINGULAR = {"namespaces": "Namespace", "nodes": "Node", "pods": "Pod", **KIND}
WATCH_SECONDS = 1800
BEAT = 0.25
BOOKMARK = timedelta(seconds=20)
PAGES_KEPT = 16
"""Lists whose later pages can still be asked for."""
TOKEN = "kube_demo"  # noqa: S105 - opens nothing but the simulation
LIMITED_TOKEN = "kube_pods_only"  # noqa: S105 - a credential that may read pods and nothing else
ISSUER = "https://kubernetes.default.svc.cluster.local"
"""What clusters outside of clouds are called, but for those that were given another name."""


def group(kind: str) -> str:
    """API group and version of a kind: v1, apps/v1, batch/v1."""
    return "batch/v1" if kind == "cronjobs" else "apps/v1" if kind in KIND else "v1"


class KubernetesApi(Api):
    """The API server of one cluster.

    Args:
        world: holds it.
        cluster: its name.
        stop: ends all watches.
        beat: seconds between two looks while a watch waits.
        issuer: by which it signs tokens of service accounts.
        lets_in: whether a token is one that it takes; without it, those of this module.
    """

    def __init__(
        self,
        world: World,
        cluster: str,
        stop: Event | None = None,
        beat: float = BEAT,
        *,
        issuer: str = ISSUER,
        lets_in: Callable[[str], bool] = frozenset({TOKEN, LIMITED_TOKEN}).__contains__,
    ) -> None:
        self._world, self._signs, self._lets_in = world, issuer, lets_in
        self._name = cluster
        self._state: ClusterState = world.clusters[cluster]
        self._stop, self._beat = stop or Event(), beat
        self._pages: dict[tuple[str, int], list[tuple[Key, dict[str, Any]]]] = {}
        self._lock = Lock()
        routes: dict[str, Any] = {"GET /readyz": self._ready, "GET /livez": self._live, "GET /version": self._version}
        routes["GET /.well-known/openid-configuration"] = self._issuer
        routes["GET /apis"] = self._groups
        for resource, (version, *_) in COVERING.items():
            root = f"/{'apis' if '/' in version else 'api'}/{version}"
            routes[f"GET {root}/{resource}"] = partial(self._covering, resource=resource)
        for kind in KINDS:
            root = f"/{'apis/' if '/' in group(kind) else 'api/'}{group(kind)}"
            routes[f"GET {root}/{kind}"] = partial(self._list, kind=kind)
            if kind in {"namespaces", "nodes"}:
                routes[f"GET {root}/{kind}/<name>"] = partial(self._one, kind=kind)
            else:
                path = f"{root}/namespaces/<namespace>/{kind}"
                routes[f"GET {path}"] = partial(self._list, kind=kind)
                routes[f"GET {path}/<name>"] = partial(self._one, kind=kind)
        for kind, (api_version, *_) in MADE.items():
            routes[f"GET /apis/{api_version}/{kind}"] = partial(self._made, kind=kind)
            routes[f"GET /apis/{api_version}/namespaces/<namespace>/{kind}"] = partial(self._made, kind=kind)
        super().__init__(routes)

    def answer(self, request: Request, handle: Callable[[], Reply]) -> Reply:
        kind, _, token = request.header("Authorization").partition(" ")
        probing = request.path in {"/readyz", "/livez", "/version"}  # anybody may ask these, as in a real cluster
        if not probing and (kind != "Bearer" or not self._lets_in(token)):
            raise refuse(401, "Unauthorized", "Unauthorized")
        resource = next((part for part in reversed(request.path.split("/")) if part in KINDS), "")
        if token == LIMITED_TOKEN and resource and resource != "pods":
            verb = "watch" if request.query.get("watch") in {"1", "true"} else "list"
            raise refuse(
                403,
                "Forbidden",
                f'{resource} is forbidden: User "system:serviceaccount:meter:limited" cannot {verb} resource '
                f'"{resource}" in API group "{group(resource).rpartition("/")[0]}" at the cluster scope',
            )
        return handle()

    def missing(self, request: Request) -> Reply:
        del request
        raise refuse(404, "NotFound", "the server could not find the requested resource")

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

    def _issuer(self, request: Request) -> Reply:
        del request
        body = {"issuer": self._signs, "jwks_uri": f"{self._signs}/openid/v1/jwks"}
        return Reply(body=encode(body), type="application/json")

    def _groups(self, request: Request) -> Reply:
        """Groups of the API, each with the one version that is served; meshes bring their own."""
        del request
        known = [group(kind) for kind in KINDS] + [version for version, *_ in COVERING.values()]
        rows = []
        for name, _, version in (found.partition("/") for found in sorted({one for one in known if "/" in one})):
            served = {"groupVersion": f"{name}/{version}", "version": version}
            rows.append({"name": name, "versions": [served], "preferredVersion": served})
        body = {"kind": "APIGroupList", "apiVersion": "v1", "groups": rows}
        return Reply(body=encode(body), type="application/json")

    def _covering(self, request: Request, resource: str) -> Reply:
        """What covers workloads; there is too little of it for pages."""
        del request
        version = self._state.advance(self._world.now())
        kinds = ("deployments", "statefulsets", "daemonsets", "cronjobs")
        standing = [change.object for kind in kinds for _, change in self._state.snapshot(kind)[1]]
        api_version, kind, find = COVERING[resource]
        items = list(find([one.workload for one in standing if isinstance(one, WorkloadState)]))
        metadata = {"resourceVersion": str(version)}
        body = {"kind": kind, "apiVersion": api_version, "metadata": metadata, "items": items}
        return Reply(body=encode(body), type="application/json")

    def _one(self, request: Request, name: str, kind: str, namespace: str = "") -> Reply:
        del request
        self._state.advance(self._world.now())
        found = dict(self._state.snapshot(kind)[1]).get((namespace, name))
        if found is None:
            raise refuse(404, "NotFound", f'{kind} "{name}" not found')
        return Reply(body=encode(manifest(found)), type="application/json")

    def _filter(self, request: Request, namespace: str | None) -> Callable[[dict[str, Any]], bool]:
        try:
            meets = matcher(request.query.get("labelSelector", ""))
            fits = matcher(request.query.get("fieldSelector", ""))
        except ValueError as error:
            raise refuse(400, "BadRequest", str(error)) from None

        def wanted(thing: dict[str, Any]) -> bool:
            metadata = thing["metadata"]
            fields = {
                "metadata.name": metadata["name"],
                "spec.nodeName": thing["spec"].get("nodeName", ""),
                "status.phase": thing["status"].get("phase", ""),
            }
            here = namespace is None or metadata.get("namespace") == namespace
            return here and meets(metadata["labels"]) and fits(fields)

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

    def _made(self, request: Request, kind: str, namespace: str | None = None) -> Reply:
        """What stands between workloads and their pods, whole and by metadata alone; of fields a name can be selected."""
        self._state.advance(self._world.now())
        version, standing = self._state.snapshot("pods")
        pods = [change.object.pod for _, change in standing if isinstance(change.object, PodState)]
        name = request.query.get("fieldSelector", "").removeprefix("metadata.name=")
        found = [
            thing
            for thing in made(kind, pods)
            if namespace in {None, thing["metadata"]["namespace"]} and name in {"", thing["metadata"]["name"]}
        ]
        body = {
            "kind": "PartialObjectMetadataList",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": {"resourceVersion": str(version)},
            "items": found,
        }
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
            raise refuse(400, "BadRequest", "continue key is not valid") from None
        with self._lock:
            kept = self._pages.get((kind, version))
        if kept is None:
            raise refuse(
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
                    yield line("ADDED", thing)
        while True:
            now = self._world.now()
            reached = self._state.advance(now)
            changes = self._state.changes(kind, version)
            if changes is None:
                yield line("ERROR", status(410, "Expired", f"too old resource version: {version} ({reached})"))
                return
            for change in changes:
                if wanted(thing := manifest(change)):
                    yield line(change.type, thing)
            version = max(version, reached, *(change.version for change in changes))
            over = now - begun >= timedelta(seconds=seconds) or self._stop.is_set()
            if bookmarks and (over or now - marked >= BOOKMARK):
                marked = now
                yield line("BOOKMARK", self._bookmark(kind, version))
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


def _token(version: int, key: Key) -> str:
    return base64.urlsafe_b64encode(encode([version, *key])).decode()


def _untoken(token: str) -> tuple[int, Key]:
    version, namespace, name = decode(base64.urlsafe_b64decode(token), tuple[int, str, str])
    return version, (namespace, name)
