"""What one node of Kong counted, by route: its plugin prometheus has it on `/metrics` of the Status or the Admin API."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from platform_meter.model.facts import Ref
from platform_meter.model.facts.traffic import GatewayLatency, GatewayRequests, latency_within
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.scrape import LONGEST, Family, Grown, Scrape
from platform_meter.sources.kit.slicing import begun
from platform_meter.sources.kong.lists import DEFAULT, SYSTEM, Place, Routes

PATH = "/metrics"
_ROUTE = ("workspace", "service", "route")
REQUESTS = Family(name="kong_http_requests_total", keep=(*_ROUTE, "code", "source"))
BUCKETS = Family(name="kong_request_latency_ms_bucket", keep=(*_ROUTE, "le"))
SUMS = Family(name="kong_request_latency_ms_sum", keep=_ROUTE)
"""All of a request, from its first byte to the last one of its answer."""
NODE = ("kong_node_info", "node_id")
"""The sample and its label by which a node says who it is."""
MILLISECONDS = 1_000
_CODE = 3
"""Digits of a status."""


@dataclass(slots=True)
class Counted:
    """What was counted of one route."""

    ref: Ref
    good: float = 0.0
    bad: float = 0.0
    up_to: dict[float, float] = field(default_factory=lambda: defaultdict(float))
    """Requests by the seconds that they took at most."""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One address at which a node tells what it counted."""

    name: str
    place: Place
    own: bool
    """Only what Kong itself failed is bad."""
    slice: timedelta
    """Between two scrapes."""

    def scrape(self, sieve: Sieve, checkpoint: bytes | None, now: datetime) -> Grown:
        """What was answered since the last scrape.

        Raises:
            SourceError: the page can't be had.
            Unexpected: it is none of metrics, not a whole one, or too large.
        """
        scrape = Scrape(
            path=PATH,
            families=(REQUESTS, BUCKETS, SUMS),
            becomes=GatewayRequests,
            named=NODE,
            longest=max(LONGEST, 3 * self.slice),
        )
        return scrape.read(sieve, checkpoint, now)

    @staticmethod
    def knows(grown: Grown, routes: Routes) -> bool:
        """Whether every route that something was counted of is one of these."""
        return all(routes.find(workspace, route) for _, (workspace, _, route, *_) in grown.amounts)

    def facts(self, grown: Grown, routes: Routes, now: datetime) -> Iterator[GatewayRequests | GatewayLatency]:
        """What was counted of each route, since the slice before the one that runs."""
        at = begun(now, self.slice)
        for one in self._counted(grown, routes):
            about, key = one.ref, f"{one.ref.id}/{self.name}/{grown.key}"
            if one.good or one.bad:
                yield GatewayRequests(
                    key=f"requests/{key}", at=at, about=about, gateway=self.place.gateway, good=one.good, bad=one.bad
                )
            if within := latency_within(one.up_to):
                yield GatewayLatency(
                    key=f"latency/{key}",
                    at=at,
                    about=about,
                    gateway=self.place.gateway,
                    within=within,
                    seconds=one.seconds,
                )

    def _counted(self, grown: Grown, routes: Routes) -> list[Counted]:
        found: dict[str, Counted] = {}
        for (family, (workspace, service, route, *words)), amount in sorted(grown.amounts.items()):
            ref = routes.find(workspace, route) or self._unlisted(workspace, route or service)
            one = found.setdefault(ref.id, Counted(ref))
            if family == REQUESTS.name:
                verdict = is_bad(*words, own=self.own)
                one.bad += amount if verdict else 0.0
                one.good += amount if verdict is False else 0.0
            elif family == BUCKETS.name:
                one.up_to[math.inf if words[0] == "+Inf" else float(words[0]) / MILLISECONDS] += amount
            else:
                one.seconds += amount / MILLISECONDS
        return [found[id_] for id_ in sorted(found)]

    def _unlisted(self, workspace: str, name: str) -> Ref:
        """A route that was deleted before anybody listed it, or of a workspace that is not read."""
        return Ref(system=SYSTEM, kind="route", id=self.place.id("" if workspace == DEFAULT else workspace, name))


def is_bad(code: str, answered_by: str, *, own: bool) -> bool | None:
    """Whether a request was not served; None where the client is why: 4xx, and 499 among them, who went away.

    5xx is bad whoever gave it. With `own` only where Kong did, as it does for a service that it can't reach.
    """
    if len(code) != _CODE or not code.isdigit() or code[0] not in "1235":
        return None
    return code[0] == "5" and (answered_by != "service" or not own)
