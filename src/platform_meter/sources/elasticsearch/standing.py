"""How a cluster stands: the newest document of its indices, and whether it is healthy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Struct

from platform_meter.model.facts import Ref
from platform_meter.model.facts.logs import LogIndex
from platform_meter.model.facts.probes import ProbeCheck
from platform_meter.model.source import Outside, Page
from platform_meter.model.typed import decode
from platform_meter.sources.elasticsearch.answers import all_of, search, within
from platform_meter.sources.elasticsearch.config import SYSTEM, IndexPattern
from platform_meter.sources.kit.health import probed
from platform_meter.sources.kit.rows import Sieve

HEALTH = "/_cluster/health"
TARGET = "health"
"""Of its checks, behind the name of the source."""
SECONDS = 10.0
"""After which a cluster has not answered."""
MAY_ASK = "grant it the cluster privilege `monitor`, or write health: false"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Health(Struct):
    status: str
    """green, yellow where copies are missing, red where documents are."""


def newest(pattern: IndexPattern, outside: Sieve, now: datetime) -> Iterator[Page]:
    """The date of the newest document, those left out that are dated in the future.

    Sorted, since that looks at few documents where a maximum would look at all of them.
    """
    field = pattern.time_field
    body = {
        "size": 1,
        "_source": False,
        "query": all_of(within(field, lte=int(now.timestamp() * 1000))),
        "sort": [{field: {"order": "desc", "numeric_type": "date", "unmapped_type": "date"}}],
    }
    answer = search(outside, pattern.index, body)
    hits = answer.body.hits.hits if answer.body else []
    reading = LogIndex(
        about=Ref(system=SYSTEM, kind="index", id=pattern.index),
        index=pattern.index,
        newest=_EPOCH + timedelta(milliseconds=hits[0].sort[0]) if hits else None,
    )
    yield Page(facts=(reading,), complete=frozenset({LogIndex}))


def health(outside: Outside, instance: str, step: timedelta, now: datetime, clock: Callable[[], float]) -> Page:
    """One probe: whether the cluster answers and has all its documents. Raises as `probed`."""
    begun = clock()
    result = probed(
        outside, HEALTH, timeout=SECONDS, sound=_is_sound, lacks=f"the credential may not ask for it; {MAY_ASK}"
    )
    took, seconds = clock() - begun, max(int(step.total_seconds()), 1)
    return Page(
        facts=(
            ProbeCheck(
                key=f"health/{int(now.timestamp()) // seconds * seconds}",
                at=now,
                about=Ref(system=SYSTEM, kind="cluster", id=instance),
                target=f"{instance}/{TARGET}",
                result=result,
                seconds=took,
            ),
        )
    )


def _is_sound(text: str) -> bool:
    try:
        return decode(text, Health).status in {"green", "yellow"}
    except msgspec.DecodeError:
        return False
