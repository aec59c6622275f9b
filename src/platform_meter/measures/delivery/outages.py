"""Outages: records of incidents that name each other are one, and of others one way tells a service's (domain section 6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from platform_meter.measures.delivery.book import Broken, Record
from platform_meter.measures.delivery.counts import service_of
from platform_meter.measures.delivery.release import Outage
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts.incidents import Severity
from platform_meter.model.measure import best_ways
from platform_meter.model.metric import UNOWNED

_WORST = tuple(Severity)
"""From the worst on; what nobody told is the least."""


def outages(incidents: Iterable[Record[Broken]], definitions: Definitions) -> list[Outage]:
    """What counts as one incident each, in order of their start."""
    ways = definitions.delivery.incident_ways
    valid = [record for record in incidents if record.part.valid]
    joined = (_outage(records, ways) for records in _joined(valid))
    found = [outage for outage in joined if outage is not None]
    told = [(outage.service, min(ways.index(r.part.way) for r in outage.records)) for outage in found]
    best = best_ways(told)
    kept = (outage for outage, (service, way) in zip(found, told, strict=True) if way == best[service])
    return sorted(kept, key=lambda outage: (outage.start, outage.first.order))


def _joined(records: Sequence[Record[Broken]]) -> list[list[Record[Broken]]]:
    """Records in groups: two are in one where one names the other, or both are in one with a third."""
    groups = list(range(len(records)))

    def group(place: int) -> int:
        while groups[place] != place:
            groups[place] = groups[groups[place]]
            place = groups[place]
        return place

    by_id: defaultdict[str, list[int]] = defaultdict(list)
    for place, record in enumerate(records):
        for id_ in {*record.part.ids, record.part.url} - {""}:
            by_id[id_].append(place)
    for place, record in enumerate(records):
        for word in record.part.mentions:
            for other in by_id.get(word, ()):
                groups[group(other)] = group(place)
    found: defaultdict[int, list[Record[Broken]]] = defaultdict(list)
    for place, record in enumerate(records):
        found[group(place)].append(record)
    return list(found.values())


def _outage(records: Sequence[Record[Broken]], ways: Sequence[str]) -> Outage | None:
    """One of these records: of the service that the first of them by way knows. None where nobody told its start."""
    starts = [start for record in records if (start := record.part.start) is not None]
    if not starts:
        return None
    ordered = sorted(records, key=lambda r: (r.owner.service == UNOWNED, ways.index(r.part.way), r.order))
    first = ordered[0]
    return Outage(
        records=ordered,
        service=service_of(first.owner, first.object),
        start=min(starts),
        end=max((record.part.resolved for record in ordered if record.part.resolved is not None), default=None),
        severity=min((record.part.severity for record in ordered), key=_WORST.index),
    )
