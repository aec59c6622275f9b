"""What NGINX tells of itself: connections and requests in total, from `stub_status` or prometheus-nginx-exporter.

Neither tells what became of a request, so nothing is said of good and bad ones; but of connections that were accepted
and could not be handled, for want of `worker_connections` or open files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from platform_meter.model.facts import Ref
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.facts.use import Usage
from platform_meter.model.source import Outside, Page
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.scrape import LONGEST, Family, Scrape
from platform_meter.sources.nginx.config import SYSTEM

ACCEPTED = Family(name="nginx_connections_accepted")
HANDLED = Family(name="nginx_connections_handled")
REQUESTS = Family(name="nginx_http_requests_total")
FAMILIES = (ACCEPTED, HANDLED, REQUESTS)
GIVES = frozenset({Usage, SliCount})
_STUB = re.compile(rb"\s*(\d+)\s+(\d+)\s+(\d+)\s*")


class Stub(Sieve):
    """Reads `stub_status` as the page that the exporter makes of it; any other page stays as it is."""

    def lines(self, path: str, **more: Any) -> Iterator[Sequence[bytes]]:
        groups = super().lines(path, **more)
        first = next(groups, [])
        if not first or not first[0].startswith(b"Active connections:"):
            yield first
            yield from groups
            return
        lines = [line for group in (first, *groups) for line in group]
        found = next((found for line in lines if (found := _STUB.fullmatch(line))), None)
        numbers = found.groups() if found else ()
        yield [f"{family.name} ".encode() + number for family, number in zip(FAMILIES, numbers, strict=False)]


def read(
    gateway: str,
    path: str,
    every: timedelta,
    outside: Outside,
    checkpoint: bytes | None,
    _since: datetime,
    now: datetime,
) -> Iterator[Page]:
    """One look, with what was counted since the last one."""
    scrape = Scrape(path=path, families=FAMILIES, becomes=Usage, longest=max(LONGEST, 3 * every))

    def pages(sieve: Sieve) -> Iterator[Page]:
        grown = scrape.read(sieve, checkpoint, now)
        counted = {family: amount for (family, _), amount in grown.amounts.items()}
        yield Page(facts=tuple(_facts(gateway, counted, grown.key, every, now)), checkpoint=grown.checkpoint)

    return Stub.over(outside, pages)


def _facts(
    gateway: str, counted: Mapping[str, float], key: str, every: timedelta, now: datetime
) -> Iterator[Usage | SliCount]:
    about = Ref(system=SYSTEM, kind="gateway", id=gateway)
    requests, accepted = counted.get(REQUESTS.name, 0.0), counted.get(ACCEPTED.name, 0.0)
    if requests:
        yield Usage(key=f"served/{key}", at=now, about=about, action="served", amount=requests)
    if accepted:
        good = min(counted.get(HANDLED.name, 0.0), accepted)
        sli = f"{gateway}/connections"
        yield SliCount(
            key=f"connections/{key}", at=now, about=about, sli=sli, good=good, bad=accepted - good, width=every
        )
