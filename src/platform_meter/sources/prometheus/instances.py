"""Instances that a Prometheus hears from, against those that are expected, minute by minute (domain section 14)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.instances import Instances, minutes_of
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.source import Page, Unexpected, Unreachable
from platform_meter.sources.kit.promql import SLICES, Asked, ask, counted, read_to, slices
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.windows import Windows
from platform_meter.sources.prometheus.config import SYSTEM, InstancesQuery, stream_name

MINUTE = timedelta(minutes=1)


def heard(query: InstancesQuery) -> str:
    """PromQL of how many instances have a sample of the last two minutes; no answer where nobody listened.

    That somebody did is asked of each of the two minutes: after a restart of the server an instance would be silent of
    which no sample was taken yet, and before its end one of which none was taken any more.
    """
    them = f"count(count by ({', '.join(query.by)}) (count_over_time({query.heard}[2m])))"
    listened = " and ".join(f"count(count_over_time({query.listening}[1m]{offset}))" for offset in ("", " offset 1m"))
    return f"({them} or vector(0)) and {listened}"


def expected(query: InstancesQuery) -> str:
    """PromQL of how many were expected throughout the last two minutes: who has just been wanted is not silent yet."""
    return f"min_over_time(({query.expected_query})[2m:30s])"


def read(
    query: InstancesQuery, delay: timedelta, outside: Sieve, checkpoint: bytes | None, since: datetime, now: datetime
) -> Iterator[Page]:
    """The minutes that ended since the last one read; of the last of them, how things stand."""
    place = read_to(checkpoint, since)
    windows = Windows(slices(place, now - delay, MINUTE), most=SLICES)
    for ends in windows:
        try:
            reporting, wanted = _numbers(outside, heard(query), ends), _wanted(query, outside, ends)
        except (Unexpected, Unreachable):
            if not windows.halve():
                raise
            continue
        facts: list[Fact] = [
            one for end in ends if (one := _minute(query, end, wanted.get(end), reporting.get(end))) is not None
        ]
        windows.whole()
        if not windows.left:
            facts.append(_standing(query, wanted.get(ends[-1]), reporting.get(ends[-1])))
        yield Page(
            facts=facts,
            checkpoint=str(ends[-1]).encode(),
            complete=frozenset() if windows.left else frozenset({Instances}),
        )


def _wanted(query: InstancesQuery, outside: Sieve, ends: range) -> dict[int, int]:
    if query.expected is not None:
        return dict.fromkeys(ends, query.expected)
    return _numbers(outside, expected(query), ends)


def _numbers(outside: Sieve, text: str, ends: range) -> dict[int, int]:
    """A number of instances by the end of its minute; absent where it is not known."""
    question = Asked(text=text, by=(), wide=ends.step, becomes=SliCount)
    amounts, odd = ask(outside, question, ends)
    if odd:
        return {}  # a series that was left out may be the one that counts
    return {end: round(amount) for end, amount in amounts.get((), {}).items() if amount >= 0}  # NaN is not


def _about(query: InstancesQuery) -> Ref:
    return Ref(system=SYSTEM, kind="instances", id=f"{query.cluster}/{query.kind}/{query.group}")


def _minute(query: InstancesQuery, end: int, wanted: int | None, reporting: int | None) -> SliCount | None:
    """Reporting and silent ones of the expected; more of them than that don't make up for a minute with fewer."""
    if wanted is None or reporting is None or wanted == 0:
        return None
    good = min(reporting, wanted)
    return SliCount(
        key=f"{stream_name(query)}/{end}",
        at=datetime.fromtimestamp(end, UTC),
        about=_about(query),
        updated=counted(good),
        sli=minutes_of(query.cluster, query.kind, query.group),
        good=float(good),
        bad=float(wanted - good),
        width=MINUTE,
    )


def _standing(query: InstancesQuery, wanted: int | None, reporting: int | None) -> Instances:
    return Instances(
        about=_about(query),
        cluster=query.cluster,
        instance_kind=query.kind,
        group=query.group,
        expected=wanted,
        reporting=reporting,
    )
