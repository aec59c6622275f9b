"""The page of one source: its streams, what it told by kind, what it cost, and what is not known or not owned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from platform_meter.model.facts import Event, Reading
from platform_meter.model.metric import UNOWNED
from platform_meter.store import GapRow, StreamState, Told
from platform_meter.web.pages.sources.state import DAY, SILENT, Books, One, age, clock, every, promise, within
from platform_meter.web.view import Tile, View, percent, span, whole

GAPS = 50
SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLine:
    """One stream."""

    name: str
    state: str
    level: str
    read: str
    """When it last succeeded, and how long that holds."""
    took: str
    next: str
    polls: int
    said: str
    """How far its first import is, or what went wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KindLine:
    """What is known of one kind of fact."""

    name: str
    newest: str
    day: str
    standing: str
    read: str
    """How long ago is what is not read yet."""
    within: str
    """How old that may be before what rests on it is absent."""
    state: str
    level: str


def detail(view: View, name: str) -> Mapping[str, Any] | None:
    one = next((one for one in every(Books(view)) if one.name == name), None)
    if one is None:
        return None
    owned = Counter(row.kind for row in one.objects)
    unowned, conflicts = (sorted(rows, key=lambda row: row.name) for rows in (one.unowned, one.conflicts))
    lacking = Counter(row.kind for row in unowned)
    disagree = Counter(row.kind for row in conflicts)
    return {
        "one": one,
        "tiles": _tiles(one),
        "streams": [_stream(one, state) for state in _streams(one)],
        "kinds": _kinds(view, one),
        "calls": [(f"in {time}", made) for time, made in (("the last hour", one.hour), ("24 hours", one.day))],
        "objects": [(kind, n, lacking[kind], disagree[kind]) for kind, n in sorted(owned.items())],
        "unowned": unowned[:SHOWN],
        "unowned_more": max(0, len(unowned) - SHOWN),
        "conflicts": conflicts[:SHOWN],
        "conflicts_more": max(0, len(conflicts) - SHOWN),
        "gaps": ranges(view, view.records.gaps(GAPS, name)),
        "gaps_more": max(0, one.gaps - GAPS),
        "rejected": [(kind, why, n) for type_, kind, why, n in view.records.rejected() if type_ == one.state.type],
        "several": sum(other.type == one.state.type for other in view.history.sources()) > 1,
        "no_owner": UNOWNED,
    }


def ranges(view: View, gaps: Iterable[GapRow]) -> list[dict[str, str]]:
    """Ranges of history that could not be read, in words."""
    day = "%Y-%m-%d %H:%M"
    return [
        {
            "source": gap.source,
            "start": gap.start.astimezone(view.zone).strftime(day),
            "end": gap.end.astimezone(view.zone).strftime(day),
            "reason": gap.reason,
            "text": gap.text,
        }
        for gap in gaps
    ]


def _tiles(one: One) -> list[Tile]:
    hour, day, low = one.hour, one.day, one.quotas[0] if one.quotas else None
    return [
        Tile(name="State", value=str(one.health), more=one.holder or "polled by this process", level=one.level),
        Tile(name="Last good read", value=one.age, more="of the stream that is the nearest to stale"),
        Tile(
            name="Calls in an hour",
            value=whole(hour.all if hour else None),
            more=hour.bad if hour else "no call was counted in 24 h",
            level="warn" if hour and hour.bad else "",
        ),
        Tile(name="Calls in 24 hours", value=whole(day.all if day else None), more=day.bad if day else ""),
        Tile(
            name="Quota left",
            value=percent(low.share if low else None),
            more=low.words if low else "its API tells none",
            level=low.level if low else "",
        ),
        Tile(
            name="Objects without owner",
            value=whole(len(one.unowned) if one.objects else None),
            more=f"of {len(one.objects):,}" if one.objects else "it has told of none that could have one",
            href="#ownership",
        ),
    ]


def _streams(one: One) -> list[StreamState | str]:
    """Those that were polled, and names of those that never were; what is configured no more is left out."""
    known = {state.stream: state for state in one.streams}
    return [known.get(name, name) for name in sorted(one.extra.streams)]


def _stream(one: One, state: StreamState | str) -> StreamLine:
    view = one.books.view
    if isinstance(state, str):
        due = one.extra.next.get(state)
        return StreamLine(
            name=state,
            state="starting",
            level="soft",
            read="never",
            took="–",
            next="–" if due is None else clock(view, due),
            polls=0,
            said="It was not looked at yet.",
        )
    since, holds = age(view, state), promise(one.extra.streams.get(state.stream), state.took)
    late = since is not None and holds is not None and since > holds
    word, level = ("up", "good") if not late else ("stale", "bad")
    if state.watermark is None:
        word, level = ("importing", "warn") if state.progress else ("starting", "soft")
    if state.last_error:
        word, level = "failing", "bad" if late or since is None else "warn"
    due = one.extra.next.get(state.stream)
    progress = dict(view.progress(one.name)).get(state.stream, "")
    failed = f"{clock(view, state.last_error_at)}: {state.last_error}" if state.last_error_at else state.last_error
    if late and not failed:
        failed = SILENT
    return StreamLine(
        name=state.stream,
        state=word,
        level=level,
        read="never" if since is None else within(since, holds),
        took="–" if state.took is None else span(state.took.total_seconds()),
        next="–" if due is None or one.holder else clock(view, due),
        polls=state.polls,
        said=" ".join(said for said in (progress, failed) if said),
    )


def _kinds(view: View, one: One) -> list[KindLine]:
    kinds: frozenset[type[Event | Reading]] = frozenset().union(*(s.gives for s in one.extra.streams.values()))
    by_name = {kind.__name__: kind for kind in kinds}
    return [_kind(view, one, by_name[told.kind], told) for told in view.records.told(one.name, kinds, view.now - DAY)]


def _kind(view: View, one: One, kind: type[Event | Reading], told: Told) -> KindLine:
    """Of a kind that was never read whole nothing is known, and none is no number."""
    state = next((s for s in view.history.sources(kind) if s.instance == one.name), None)
    read, happens = state.watermark if state else None, issubclass(kind, Event)
    word, level = (
        ("fresh", "good") if state and state.fresh else ("stale", "bad") if read else ("not whole yet", "soft")
    )
    newest = ago(view, told.newest) if told.newest else "none" if read and happens else "–"
    return KindLine(
        name=told.kind,
        newest=newest,
        day=whole(told.since) if happens and (read or told.since) else "–",
        standing=whole(told.standing) if not happens and (read or told.standing) else "–",
        read=ago(view, read) if read else "never",
        within=span(_within(one, kind)),
        state=word,
        level=level,
    )


def _within(one: One, kind: type[Event | Reading]) -> float | None:
    """Of the stream that gives it and holds for the shortest time; with how long before its start a reading ends."""
    took = {state.stream: state.took for state in one.streams}
    giving = [s for s in one.extra.streams.values() if kind in s.gives]
    holds = ((promise(s, took.get(s.name)) or 0.0) + s.behind.total_seconds() for s in giving)
    return min(holds, default=None)


def ago(view: View, moment: datetime) -> str:
    return f"{span((view.now - moment).total_seconds())} ago"
