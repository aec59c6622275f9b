"""Order, repetition and paging of facts change nothing that can be counted."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.stores import NOON, begin, configured, counted, minutes, open_at, run, tallies, total

from platform_meter.model.facts.ci import Outcome, PipelineRun
from platform_meter.model.source import Page
from platform_meter.store import Store

DAY = timedelta(days=1)
NOW = NOON + DAY
_DAYS = [datetime(2026, 5, 30, tzinfo=ZoneInfo("Europe/Berlin")) + n * DAY for n in range(3)]

_OUTCOMES = st.sampled_from(list(Outcome))


@st.composite
def _once(draw: st.DrawFn, key: str) -> list[PipelineRun]:
    """Versions of one event, each changed at another moment."""
    changes = draw(st.lists(st.integers(0, 300), min_size=1, max_size=3, unique=True))
    return [
        run(
            key,
            NOON - DAY + timedelta(seconds=draw(st.integers(0, 86_400))),
            repository=f"acme/pay-{draw(st.integers(0, 2))}",
            outcome=draw(_OUTCOMES),
            seconds=draw(st.integers(0, 10**7)) / 1000,
            updated=NOON + timedelta(seconds=change),
        )
        for change in changes
    ]


@st.composite
def _histories(draw: st.DrawFn) -> tuple[list[PipelineRun], list[list[PipelineRun]]]:
    """Versions of events, and pages that say them all in some order, some more than once."""
    versions = [v for n in range(draw(st.integers(1, 12))) for v in draw(_once(str(n)))]
    said = draw(st.permutations(versions + draw(st.lists(st.sampled_from(versions), max_size=8))))
    cuts = sorted(draw(st.lists(st.integers(0, len(said)), max_size=4)))
    pages = [list(said[a:b]) for a, b in zip([0, *cuts], [*cuts, len(said)], strict=True)]
    return versions, pages


def _ingest(store: Store, pages: Sequence[Sequence[PipelineRun]]) -> int:
    store.end_poll(begin(store, NOON - DAY), now=NOON - DAY)
    poll = begin(store, NOW)
    return sum(store.write(poll, Page(facts=page), now=NOW).new for page in pages)


def _told(store: Store) -> dict[str, Any]:
    windows = [(-2.0, 1.0), (-0.7, 0.01), (-0.5, -0.25)]
    with store.history(NOW, [configured()]) as history:
        return {
            "counts": [tallies(store, NOON + low * DAY, NOON + high * DAY) for low, high in windows],
            "events": [r.event for r in history.rows(PipelineRun, NOON - 2 * DAY, NOW)],
            "runs": total(store),
            "stored": counted(store, "platform_meter_events_total"),
            "days": [tallies(store, day, day + DAY) for day in _DAYS],
        }


@settings(max_examples=40)
@given(_histories())
def test_order_repetition_and_paging_change_nothing(case: tuple[list[PipelineRun], list[list[PipelineRun]]]) -> None:
    """Pages in any order leave the newest versions, their rollups, and each event counted once."""
    versions, pages = case
    newest = {v.key: v for v in sorted(versions, key=lambda v: v.updated or v.at)}
    with tempfile.TemporaryDirectory() as folder:
        store = open_at(f"sqlite:///{folder}/any.db", zone="Europe/Berlin")
        plain = open_at(f"sqlite:///{folder}/plain.db", zone="Europe/Berlin")
        assert _ingest(store, pages) == len(newest)
        _ingest(plain, [list(newest.values())])
        told = _told(store)
        assert told == _told(plain)
        assert told["runs"] == len(newest)
        assert store.check() == []
        store.close()
        plain.close()


@settings(max_examples=20)
@given(_histories())
def test_counters_never_fall(case: tuple[list[PipelineRun], list[list[PipelineRun]]]) -> None:
    """Page by page, corrections included."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_at(f"sqlite:///{folder}/any.db")
        store.end_poll(begin(store, NOON - DAY), now=NOON - DAY)
        poll, before = begin(store, NOW), dict[tuple[str, tuple[str, ...]], float]()
        for page in case[1]:
            store.write(poll, Page(facts=page), now=NOW + minutes(1))
            now = {(r.metric, r.labels): r.value for r in store.counters()}
            assert all(now[series] >= value for series, value in before.items())
            before = now
        store.close()
