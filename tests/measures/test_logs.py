"""Measures of logs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.support.history import NOBODY, MemoryHistory, source

from platform_meter.measures import logs
from platform_meter.model.catalogue.logs import LOG_INDEX_AGE
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.logs import LogIndex
from platform_meter.model.history import Owner, SourceState
from platform_meter.model.measure import Gauging, Scene
from platform_meter.model.metric import resolve
from platform_meter.testing import adds_up

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)


def index(pattern: str, seconds: int | None, instance: str = "eu") -> tuple[str, Owner, Fact]:
    """The newest document is so old."""
    ref = Ref(system="elasticsearch", kind="index", id=pattern)
    newest = None if seconds is None else NOW - timedelta(seconds=seconds)
    return instance, NOBODY, LogIndex(about=ref, index=pattern, newest=newest)


def told(readings: list[tuple[str, Owner, Fact]], *sources: SourceState) -> dict[tuple[str, ...], float | None]:
    scene = Scene(history=MemoryHistory(readings, sources=sources), definitions=Definitions(), now=NOW)
    (gauge,) = logs.MEASURES.standing
    assert isinstance(gauge, Gauging)
    adds_up(gauge, scene)
    samples = list(gauge.compute(scene))
    assert all(sample.metric is LOG_INDEX_AGE for sample in samples)
    return {sample.labels: resolve(sample.value) for sample in samples}


def test_the_age_is_that_of_the_newest_document_until_now() -> None:
    """By source and pattern; of a pattern without documents there is none, and of two clocks none is negative."""
    eu, us = source("eu", "elasticsearch", watermark=NOW), source("us", "elasticsearch", watermark=NOW)
    found = [index("logs-*", 90), index("audit-*", None), index("ahead-*", -1), index("logs-*", 5, "us")]
    assert told(found, eu, us) == {("eu", "ahead-*"): 0.0, ("eu", "logs-*"): 90.0, ("us", "logs-*"): 5.0}


def test_of_a_source_that_fails_no_age_is_told() -> None:
    """Documents may have come since."""
    stale = source("eu", "elasticsearch", watermark=NOW, fresh=False)
    assert told([index("logs-*", 90)], stale) == {}
