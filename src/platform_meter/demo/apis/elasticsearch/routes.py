"""Elasticsearch's API of the simulated company: searches, types of fields, health; with an API key."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence

from platform_meter.demo.apis.elasticsearch.search import STATUS, TIME, NotUnderstood, answer
from platform_meter.demo.apis.wsgi import Api, Refusal, Reply, Request, encode
from platform_meter.demo.company.logs import Logged, found, logged
from platform_meter.demo.company.scenarios import Trouble
from platform_meter.demo.world import World

KEY = base64.b64encode(b"meter:elasticsearch_demo").decode()
TYPE = "application/vnd.elasticsearch+json;compatible-with=8"
TYPES = {TIME: "date", STATUS: "long"}


def refuse(status: int, type_: str, reason: str) -> Refusal:
    error = {"type": type_, "reason": reason}
    body = {"error": {"root_cause": [error], **error}, "status": status}
    return Refusal(Reply(body=encode(body), status=status, type=TYPE))


class ElasticsearchApi(Api):
    """One cluster, whose data streams are those of the company."""

    def __init__(self, world: World) -> None:
        self._world, self._streams = world, logged(world.company, world.scenario)
        super().__init__(
            {
                "POST /<index>/_search": self._search,
                "GET /<index>/_field_caps": self._fields,
                "GET /_cluster/health": self._health,
            }
        )

    def answer(self, request: Request, handle: Callable[[], Reply]) -> Reply:
        if request.header("Authorization") != f"ApiKey {KEY}":
            raise refuse(401, "security_exception", f"unable to authenticate for REST request [{request.path}]")
        return handle()

    def missing(self, request: Request) -> Reply:
        raise refuse(400, "illegal_argument_exception", f"no handler found for uri [{request.path}]")

    def _named(self, index: str) -> Sequence[Logged]:
        streams = found(self._streams, index)
        if not streams and not index.endswith("*"):
            raise refuse(404, "index_not_found_exception", f"no such index [{index}]")
        return streams

    def _search(self, request: Request, index: str) -> Reply:
        streams = self._named(index)
        try:
            said = answer(streams, request.json, self._world.now())
        except NotUnderstood as error:
            raise refuse(400, "parsing_exception", str(error)) from None
        shards = {"total": len(streams), "successful": len(streams), "skipped": 0, "failed": 0}
        return Reply(body=encode({"took": 3, "timed_out": False, "_shards": shards, **said}), type=TYPE)

    def _fields(self, request: Request, index: str) -> Reply:
        """One data stream has one index behind it."""
        asked = request.query.get("fields", "")
        type_ = TYPES.get(asked)
        known = {"type": type_, "metadata_field": False, "searchable": True, "aggregatable": True}
        indices = [f".ds-{one.name}-000001" for one in self._named(index)]
        fields = {asked: {type_: known}} if type_ and indices else {}
        return Reply(body=encode({"indices": indices, "fields": fields}), type=TYPE)

    def _health(self, request: Request) -> Reply:
        """Copies are missing while the cluster of machines under it is slow."""
        del request
        slow = self._world.scenario.holds(Trouble.CLUSTER_SLOW, self._world.now())
        shards = len(self._streams)
        body = {
            "cluster_name": "logs",
            "status": "yellow" if slow else "green",
            "timed_out": False,
            "number_of_nodes": 3,
            "number_of_data_nodes": 3,
            "active_primary_shards": shards,
            "active_shards": shards if slow else 2 * shards,
            "relocating_shards": 0,
            "initializing_shards": 0,
            "unassigned_shards": shards if slow else 0,
            "delayed_unassigned_shards": 0,
            "number_of_pending_tasks": 0,
            "number_of_in_flight_fetch": 0,
            "task_max_waiting_in_queue_millis": 0,
            "active_shards_percent_as_number": 50.0 if slow else 100.0,
        }
        return Reply(body=encode(body), type=TYPE)
