"""The simulated Argo CD of one cluster: its applications as its API lists them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from platform_meter.demo.apis.wsgi import Api, Refusal, Reply, Request, encode, stamp
from platform_meter.demo.company.records import uid_of
from platform_meter.demo.company.syncs import REPOSITORY, App, Sync
from platform_meter.demo.world import World

TOKEN = "argocd_demo"  # noqa: S105 - opens nothing but the simulation
NAMESPACE = "argocd"
KEPT = 10
"""Syncs in the history of an application."""
NOTICED = timedelta(seconds=90)
"""From a push to the sync that it leads to."""
REFUSED = "one or more objects failed to apply, reason: admission webhook denied the request"
WELL = "successfully synced (all tasks run)"


class ArgocdApi(Api):
    def __init__(self, world: World, cluster: str) -> None:
        self._world = world
        self._apps = [app for app in world.history.apps if app.cluster == cluster]
        applications = "/api/v1/applications"
        super().__init__(
            {
                f"GET {applications}": self._list,
                f"GET {applications}/<name>/revisions/<revision>/metadata": self._commit,
            }
        )

    def answer(self, request: Request, handle: Callable[[], Reply]) -> Reply:
        if request.header("Authorization") != f"Bearer {TOKEN}":
            raise self._refused(401, 16, "invalid session: token is malformed")
        return handle()

    def missing(self, request: Request) -> Reply:
        del request
        raise self._refused(404, 5, "Not Found")

    @staticmethod
    def _refused(status: int, code: int, message: str) -> Refusal:
        """`code`: as gRPC counts errors."""
        body = {"error": message, "code": code, "message": message}
        return Refusal(Reply(body=encode(body), status=status))

    def _list(self, request: Request) -> Reply:
        del request  # what `fields` leaves out would only make it smaller
        items = [self._application(app) for app in self._apps]
        version = str(int(self._world.now().timestamp()))
        return Reply(body=encode({"metadata": {"resourceVersion": version}, "items": items}))

    def _commit(self, request: Request, name: str, revision: str) -> Reply:
        """What Git tells of a revision: it was pushed a little before the sync that brought it."""
        del request
        syncs = (sync for app in self._apps if app.name == name for sync in self._world.history.syncs[app])
        found = next((sync for sync in syncs if sync.revision == revision), None)
        if found is None:
            raise self._refused(404, 5, f"unable to resolve git revision {revision}")
        date = stamp(found.started - NOTICED)
        return Reply(body=encode({"author": "platform <platform@acme.example>", "date": date, "message": "update"}))

    def _application(self, app: App) -> dict[str, Any]:
        now = self._world.now()
        syncs = [sync for sync in self._world.history.syncs[app] if sync.started <= now]
        history = [sync for sync in syncs if sync.ended <= now and not sync.failed]
        source = {"repoURL": f"https://github.com/{REPOSITORY}.git", "path": app.name, "targetRevision": "main"}
        return {
            "metadata": {
                "name": app.name,
                "namespace": NAMESPACE,
                "uid": uid_of("argocd", app.cluster, app.name),
                "creationTimestamp": stamp(self._world.company.start - timedelta(days=300)),
                "labels": {},
            },
            "spec": {
                "project": "platform",
                "destination": {"server": "https://kubernetes.default.svc", "namespace": app.name},
                "source": source,
                **({"syncPolicy": {"automated": {"prune": True}}} if app.automated else {}),
            },
            "status": {
                **_state(syncs[-1:], history[-1:], now),
                "history": [
                    {
                        "id": sync.number,
                        "revision": sync.revision,
                        "deployStartedAt": stamp(sync.started),
                        "deployedAt": stamp(sync.ended),
                        "source": source,
                    }
                    for sync in history[-KEPT:]
                ],
                "reconciledAt": stamp(now),
                "resources": [{"group": "apps", "kind": "Deployment", "name": app.name, "namespace": app.name}],
            },
        }


def _state(last: list[Sync], deployed: list[Sync], now: datetime) -> dict[str, Any]:
    """How desired and live state compare, how well it is, and the last operation."""
    settled = [sync for sync in deployed if sync.healthy <= now]
    health = {"status": "Healthy" if deployed == settled else "Progressing"}
    if deployed:
        health["lastTransitionTime"] = stamp((settled or deployed)[-1].healthy if settled else deployed[-1].ended)
    status: dict[str, Any] = {"health": health}
    for sync in last:
        over = sync.ended <= now
        outdated = not over or sync.failed
        status["sync"] = {"status": "OutOfSync" if outdated else "Synced", "revision": sync.revision}
        by = {"automated": True} if sync.app.automated else {"username": sync.actor}
        status["operationState"] = {
            "operation": {"sync": {"revision": sync.revision}, "initiatedBy": by},
            "phase": "Running" if not over else "Failed" if sync.failed else "Succeeded",
            "message": "" if not over else REFUSED if sync.failed else WELL,
            "startedAt": stamp(sync.started),
            **({"finishedAt": stamp(sync.ended), "syncResult": {"revision": sync.revision}} if over else {}),
        }
    return status
