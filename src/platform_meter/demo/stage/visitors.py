"""Who sends what people do in the portal: events in Backstage's own shape, signed, to the exporter."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from platform_meter.demo.apis.portal.routes import SECRET
from platform_meter.demo.company.layout import Company
from platform_meter.demo.company.portal import Visit, visits

PAST = timedelta(days=35)
"""A little more than the longest window that counts people."""
MOST = 1_000
"""Events in one body."""
EVERY = timedelta(seconds=30)
TIMEOUT = 10
"""Seconds for one request."""

Post = Callable[[bytes, Mapping[str, str]], None]
"""Sends a body with its headers.

Raises:
    OSError: it was not taken.
"""


class Visitors:
    """Tells of what people did since it told last, the past with the first time."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._told = company.start - PAST

    def tell(self, now: datetime, post: Post) -> int:
        """Send all that came until now, and say how much that was; what was not taken is sent again the next time.

        Raises:
            OSError: a body was not taken.
        """
        found = visits(self._company, self._told, now)
        for some in _several(found):
            body = json.dumps([event(visit) for visit in some]).encode()
            post(body, signed(body, some[0].id, now))
        self._told = now
        return len(found)


def _several(found: list[Visit]) -> Iterator[list[Visit]]:
    for start in range(0, len(found), MOST):
        yield found[start : start + MOST]


def event(visit: Visit) -> dict[str, Any]:
    """As Backstage's analytics API makes it, with what a collector adds."""
    told: dict[str, Any] = {"action": "navigate", "subject": "/catalog", "context": {"pluginId": visit.area}}
    if visit.did in ("docs", "vote"):
        told["subject"], told["context"] = f"/docs/default/component/{visit.area}", {"pluginId": "techdocs"}
    if visit.did == "search":
        told |= {"action": "search", "subject": "how to", "value": visit.value}
    if visit.did == "vote":
        told |= {"action": "helpful", "value": visit.value}
    return {**told, "timestamp": visit.at.isoformat(), "userEntityRef": f"user:default/{visit.person}", "id": visit.id}


def signed(body: bytes, id_: str, now: datetime) -> dict[str, str]:
    """Headers of Standard Webhooks."""
    seconds = f"{now.timestamp():.0f}"
    mac = hmac.new(base64.b64decode(SECRET), f"{id_}.{seconds}.".encode() + body, hashlib.sha256)
    return {
        "content-type": "application/json",
        "webhook-id": id_,
        "webhook-timestamp": seconds,
        "webhook-signature": f"v1,{base64.b64encode(mac.digest()).decode()}",
    }


def posting(address: str) -> Post:
    """To a source of an exporter (`http://127.0.0.1:9898/api/v1/events/backstage`)."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def post(body: bytes, headers: Mapping[str, str]) -> None:
        request = urllib.request.Request(address, body, dict(headers), method="POST")  # noqa: S310 - our own exporter's
        with direct.open(request, timeout=TIMEOUT) as answer:
            answer.read()

    return post


def come(visitors: Visitors, address: str, clock: Callable[[], datetime], stop: threading.Event) -> threading.Thread:
    """Have them come until the end; what an exporter does not take, such as one that begins again, it gets later."""

    def run() -> None:
        post = posting(address)
        while not stop.wait(EVERY.total_seconds()):
            try:
                visitors.tell(clock(), post)
            except OSError:  # HTTPError too: the next round sends it again
                continue

    thread = threading.Thread(target=run, name="visitors", daemon=True)
    thread.start()
    return thread
