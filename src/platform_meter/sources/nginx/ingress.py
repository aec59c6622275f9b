"""Requests through ingress-nginx, from the metrics of its controllers: by Ingress, good and bad, and how long they took."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.traffic import GatewayLatency, GatewayRequests, Route, latency_bucket
from platform_meter.model.source import Outside, Page
from platform_meter.model.typed import decode
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.scrape import LONGEST, Family, Grown, Scrape
from platform_meter.sources.kit.slicing import begun
from platform_meter.sources.nginx.config import SYSTEM
from platform_meter.sources.nginx.seen import UNKNOWN, Seen

_VALID = frozenset(str(code) for code in (*range(100, 400), *range(500, 600)))
"""What a client got wrong or gave up (4xx, 499) is valid for nobody."""
_TIMED = _VALID - {"101"}
"""A connection that becomes another protocol lasts as long as its client wants."""
_DURATION = "nginx_ingress_controller_request_duration_seconds"
REQUESTS = Family(
    name="nginx_ingress_controller_requests", keep=("namespace", "ingress", "status"), where={"status": _VALID}
)
WITHIN = Family(name=f"{_DURATION}_bucket", keep=("namespace", "ingress", "le"), where={"status": _TIMED})
SECONDS = Family(name=f"{_DURATION}_sum", keep=("namespace", "ingress"), where={"status": _TIMED})
GIVES: frozenset[type[Fact]] = frozenset({GatewayRequests, GatewayLatency, Route})


class State(msgspec.Struct):
    """The checkpoint of one page."""

    scrape: msgspec.Raw
    seen: Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingress:
    """The page of one controller, or of several that answer in turn under its address."""

    gateway: str
    cluster: str
    path: str
    name: str
    """Of the page among those of the source."""
    slice: timedelta
    """Between two looks."""

    def read(self, outside: Outside, checkpoint: bytes | None, _since: datetime, now: datetime) -> Iterator[Page]:
        """One look, with what was counted since the last one."""
        return Sieve.over(outside, lambda sieve: self._pages(sieve, checkpoint, now))

    def _pages(self, sieve: Sieve, checkpoint: bytes | None, now: datetime) -> Iterator[Page]:
        state = decode(checkpoint, State) if checkpoint else None
        scrape = Scrape(
            path=self.path,
            families=(REQUESTS, WITHIN, SECONDS),
            becomes=GatewayRequests,
            born="process_start_time_seconds",
            longest=max(LONGEST, 3 * self.slice),
        )
        grown = scrape.read(sieve, None if state is None else bytes(state.scrape), now)
        seen = Seen() if state is None else state.seen
        for family, (space, ingress, *_) in grown.told:
            if family == REQUESTS.name:
                seen.add(self._route(space, ingress), now)
        standing = tuple(Route(about=self._about(route), gateway=self.gateway) for route in seen.standing(now))
        yield Page(
            facts=(*self._facts(grown, begun(now, self.slice)), *standing),
            checkpoint=msgspec.json.encode(State(scrape=msgspec.Raw(grown.checkpoint), seen=seen)),
            complete=frozenset({Route}),
        )

    @staticmethod
    def _route(space: str, ingress: str) -> str:
        """A request that no Ingress is for has neither."""
        return f"{space}/{ingress}" if space and ingress else UNKNOWN

    def _about(self, route: str) -> Ref:
        space, _, ingress = route.partition("/")
        links = (f"kubernetes:{self.cluster}/{space}",) if ingress and self.cluster else ()
        return Ref(system=SYSTEM, kind="route", id=f"{self.gateway}/{route}", links=links)

    def _facts(self, grown: Grown, at: datetime) -> Iterator[GatewayRequests | GatewayLatency]:
        answered = defaultdict[str, list[float]](lambda: [0.0, 0.0])
        within = defaultdict[str, dict[float, float]](dict)
        seconds = dict[str, float]()
        for (family, (space, ingress, *more)), amount in grown.amounts.items():
            route = self._route(space, ingress)
            if family == REQUESTS.name:
                answered[route][more[0].startswith("5")] += amount
            elif family == WITHIN.name:
                bound = float(more[0])
                within[route][bound] = within[route].get(bound, 0.0) + amount
            else:
                seconds[route] = seconds.get(route, 0.0) + amount
        for route, (good, bad) in sorted(answered.items()):
            key = f"requests/{route}/{self.name}/{grown.key}"
            yield GatewayRequests(key=key, at=at, about=self._about(route), gateway=self.gateway, good=good, bad=bad)
        for route, bounds in sorted(within.items()):
            yield GatewayLatency(
                key=f"latency/{route}/{self.name}/{grown.key}",
                at=at,
                about=self._about(route),
                gateway=self.gateway,
                within=apart(bounds),
                seconds=seconds.get(route, 0.0),
            )


def apart(up_to: Mapping[float, float]) -> dict[str, float]:
    """How many took so long, by our bounds, from how many took so long at most, by those of the controller."""
    found, before = defaultdict[str, float](float), 0.0
    for bound, amount in sorted(up_to.items()):
        found[latency_bucket(bound)] += max(0.0, amount - before)
        before = max(before, amount)
    return {bound: amount for bound, amount in found.items() if amount}
