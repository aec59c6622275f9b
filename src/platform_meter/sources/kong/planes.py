"""Data planes that a control plane heard from, against those that there should be (domain section 14)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from platform_meter.model.facts import Ref
from platform_meter.model.facts.instances import InstanceKind, Instances, minutes_of
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.source import Page
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kong.lists import SYSTEM, Place, pages
from platform_meter.sources.kong.rows import DataPlane, Listed

PATH = "/clustering/data-planes"
HEARD = timedelta(minutes=2)
"""Who gave a sign of life since then reports."""
MINUTE = timedelta(minutes=1)


def read(expected: int, place: Place, outside: Sieve, now: datetime) -> Iterator[Page]:
    """How many report now, and what that makes of this minute.

    Kong lists a data plane for two weeks after it was heard from last, so its list does not say how many there should be.
    """
    cluster, kind = place.cluster or place.gateway, InstanceKind.GATEWAY
    reporting = _reporting(outside, now)
    about = Ref(system=SYSTEM, kind="instances", id=f"{cluster}/{kind}/{place.gateway}")
    standing = Instances(
        about=about,
        cluster=cluster,
        instance_kind=kind,
        group=place.gateway,
        expected=expected,
        reporting=reporting,
    )
    if reporting is None:
        yield Page(facts=(standing,), complete=frozenset({Instances}))
        return
    good, end = min(reporting, expected), now.replace(second=0, microsecond=0)
    minute = SliCount(
        key=f"{about.id}/{int(end.timestamp())}",
        at=end,
        about=about,
        sli=minutes_of(cluster, kind, place.gateway),
        good=float(good),
        bad=float(expected - good),
        width=MINUTE,
    )
    yield Page(facts=(standing, minute), complete=frozenset({Instances}))


def _reporting(outside: Sieve, now: datetime) -> int | None:
    """How many gave a sign of life of late, by Kong's own clock; None where one of them can't be read."""
    count = 0
    for page in pages(outside, PATH, Listed[DataPlane]):
        if page.odd:
            return None
        since = (_clock(page.headers) or now) - HEARD
        count += sum(row.last_seen >= since.timestamp() for row in (page.body.data if page.body else ()))
    return count


def _clock(headers: Mapping[str, str]) -> datetime | None:
    try:
        found = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
