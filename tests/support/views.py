"""A page's view over an in-memory history, and what its HTML holds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

from tests.support import company
from tests.support.company import Table
from tests.support.history import MemoryHistory
from werkzeug.test import Client

from platform_meter.model.definitions import Definitions
from platform_meter.model.metric import Metric
from platform_meter.runtime.push import Delivery, NoReceiver, Signed
from platform_meter.runtime.tick.exposition import Exposition
from platform_meter.store import Written
from platform_meter.web.app import Site, make_app
from platform_meter.web.view import View

Rows = Mapping[str, Sequence[tuple[tuple[str, ...], float]]]


def rows(*said: tuple[Metric, tuple[str, ...], float]) -> Rows:
    """Exposed rows by metric name."""
    found: dict[str, list[tuple[tuple[str, ...], float]]] = {}
    for metric, labels, value in said:
        found.setdefault(metric.name, []).append((labels, value))
    return found


def view(now: datetime, history: MemoryHistory | None = None, **more: Any) -> View:
    """A view in UTC with nothing in it but what is said."""
    said: dict[str, Any] = {"definitions": Definitions(), "rows": {}, "streams": (), "gaps": ()}
    return View(now=now, zone=ZoneInfo("UTC"), history=history or MemoryHistory(), **{**said, **more})


def site(seen: View, **more: Any) -> Site:
    """A site that shows this view and is well."""

    @contextmanager
    def look() -> Iterator[View]:
        yield seen

    usual = {"exposition": Exposition, "view": look, "health": str, "unready": str, "reload": list, "inbox": Taking}
    return Site(**{**usual, "explain": lambda _metric, _labels: {}, **more})


class Taking:
    """An inbox of one source of type `push`, which has seen all that is pushed."""

    most = 1024

    def signed(self, _delivery: Delivery) -> Signed:
        return Signed.NOTHING

    def refused(self, _delivery: Delivery) -> None:
        return None

    def take(self, delivery: Delivery) -> Written:
        if delivery.to:
            raise NoReceiver(f"no source is called '{delivery.to}'")
        return Written(repeated=1)


def html(seen: View, path: str) -> str:
    answer = Client(make_app(site(seen))).get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


def examples(seen: View, path: str) -> list[str]:
    """What a page shows to be copied into a file."""
    return [unescape(text) for text in re.findall(r"<pre><code>(.*?)</code></pre>", html(seen, path), re.DOTALL)]


def tables(seen: View, path: str) -> dict[str, Table]:
    return company.tables(html(seen, path))
