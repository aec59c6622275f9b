"""The status page's JSON: how each component stands now."""

from __future__ import annotations

from collections.abc import Callable

from platform_meter.demo.apis.wsgi import Api, Refusal, Reply, Request, encode, stamp
from platform_meter.demo.company.status import states
from platform_meter.demo.world import World

TOKEN = "status_demo"  # noqa: S105 - opens nothing but the simulation
PATH = "/api/v2/components.json"


class StatusApi(Api):
    def __init__(self, world: World) -> None:
        self._world = world
        super().__init__({f"GET {PATH}": self._components})

    def answer(self, request: Request, handle: Callable[[], Reply]) -> Reply:
        if request.header("Authorization") != f"Bearer {TOKEN}":
            raise Refusal(Reply(body=encode({"error": "who asks?"}), status=401))
        return handle()

    def missing(self, request: Request) -> Reply:
        raise Refusal(Reply(body=encode({"error": f"nothing at {request.path}"}), status=404))

    def _components(self, request: Request) -> Reply:
        del request
        now = self._world.now()
        rows = [
            {"id": component.id, "name": component.name, "status": state, "position": place}
            for place, (component, state) in enumerate(states(self._world.clusters, self._world.scenario, now), 1)
        ]
        page = {"id": "acme", "name": "Platform status", "updated_at": stamp(now)}
        return Reply(body=encode({"page": page, "components": rows}))
