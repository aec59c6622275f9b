"""A page's view over an in-memory history, and what its HTML holds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

from tests.support import company
from tests.support.company import Table
from tests.support.history import MemoryHistory
from werkzeug.test import Client

from platform_meter.model.definitions import Definitions, Survey
from platform_meter.model.facts import Event, Reading
from platform_meter.model.metric import Metric
from platform_meter.runtime.forms import Closed
from platform_meter.runtime.push import Delivery, NoReceiver, Signed
from platform_meter.runtime.tick.exposition import Exposition
from platform_meter.store import Calls, GapRow, Lease, Quota, Told, Written
from platform_meter.web.app import Site, make_app
from platform_meter.web.view import View

Rows = Mapping[str, Sequence[tuple[tuple[str, ...], float]]]


@dataclass(frozen=True, kw_only=True)
class MemoryRecords:
    """What the store has of sources, as it is said here."""

    hour: Sequence[Calls] = ()
    day: Sequence[Calls] = ()
    left: Sequence[Quota] = ()
    held: Mapping[str, Lease] = field(default_factory=dict)
    unread: Sequence[GapRow] = ()
    kinds: Sequence[Told] = ()
    refused: Sequence[tuple[str, str, str, int]] = ()

    def calls(self, span: timedelta) -> Sequence[Calls]:
        return self.hour if span == timedelta(hours=1) else self.day

    def quotas(self) -> Sequence[Quota]:
        return self.left

    def leases(self) -> Mapping[str, Lease]:
        return self.held

    def gap_counts(self) -> Mapping[str, int]:
        return Counter(gap.source for gap in self.unread)

    def gaps(self, limit: int, instance: str = "") -> Sequence[GapRow]:
        return [gap for gap in self.unread if instance in {"", gap.source}][:limit]

    def told(self, instance: str, kinds: Collection[type[Event | Reading]], since: datetime) -> Sequence[Told]:
        assert (instance, since.tzinfo) != ("", None)
        return [told for told in self.kinds if told.kind in {kind.__name__ for kind in kinds}]

    def rejected(self) -> Sequence[tuple[str, str, str, int]]:
        return self.refused


def rows(*said: tuple[Metric, tuple[str, ...], float]) -> Rows:
    """Exposed rows by metric name."""
    found: dict[str, list[tuple[tuple[str, ...], float]]] = {}
    for metric, labels, value in said:
        found.setdefault(metric.name, []).append((labels, value))
    return found


def view(now: datetime, history: MemoryHistory | None = None, **more: Any) -> View:
    """A view in UTC with nothing in it but what is said."""
    said: dict[str, Any] = {"definitions": Definitions(), "rows": {}, "streams": (), "records": MemoryRecords()}
    return View(now=now, zone=ZoneInfo("UTC"), history=history or MemoryHistory(), **{**said, **more})


def site(seen: View, **more: Any) -> Site:
    """A site that shows this view and is well."""

    @contextmanager
    def look() -> Iterator[View]:
        yield seen

    usual = {
        "exposition": Exposition,
        "view": look,
        "health": str,
        "unready": str,
        "reload": list,
        "inbox": Taking,
        "forms": NoForms,
    }
    return Site(**{**usual, "explain": lambda _metric, _labels: {}, **more})


class NoForms:
    """Forms of which there are none."""

    def opened(self, _survey: str, _link: str) -> Survey:
        raise Closed("this is no link that was sent to anybody; open the one in your mail")


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
