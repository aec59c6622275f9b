"""What pages are made from."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.support.history import MemoryHistory, owner, source
from tests.support.stores import run
from tests.support.views import rows, view

from platform_meter.model.catalogue.adoption import CHURN, STICKINESS
from platform_meter.model.facts.ci import Outcome, PipelineRun
from platform_meter.model.history import SourceState
from platform_meter.model.progress import Progress
from platform_meter.store import StreamState
from platform_meter.web.view import Health, View, brief, first_of, percent, safe, sentence, span, such, whole

NOW = datetime(2026, 3, 29, 22, 30, tzinfo=UTC)
"""Half past midnight of the next day in Berlin, after the night in which summer time began."""


def test_days_are_those_of_the_zone() -> None:
    """Today is the zone's; midnight is the zone's too, an hour earlier once summer time has begun."""
    berlin = replace(view(NOW), zone=ZoneInfo("Europe/Berlin"))
    assert berlin.days(3) == [date(2026, 3, 28), date(2026, 3, 29), date(2026, 3, 30)]
    assert berlin.midnight(date(2026, 3, 29)) == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert berlin.midnight(date(2026, 3, 30)) == datetime(2026, 3, 29, 22, tzinfo=UTC)
    assert view(NOW).days(1) == [date(2026, 3, 29)]


def test_rows_are_found_by_their_labels() -> None:
    """One series by some of its labels; what is not exposed is None, never 0."""
    seen = view(
        NOW,
        rows=rows((CHURN, ("ci", "service", "28d"), 0.25), (CHURN, ("cd", "service", "28d"), 0.5)),
    )
    assert next(iter(seen.get(CHURN))) == ({"capability": "ci", "unit": "service", "window": "28d"}, 0.25)
    assert seen.one(CHURN, capability="cd") == 0.5
    assert seen.one(CHURN, capability="mesh") is None
    assert seen.one(STICKINESS, capability="ci") is None


def test_events_are_counted_by_day_and_dim_from_fresh_sources() -> None:
    """Each day's events by outcome; a stale source's are left out."""
    told = [
        ("gh", owner("pay"), run("1", NOW - timedelta(days=1))),
        ("gh", owner("pay"), run("2", NOW - timedelta(minutes=5))),
        ("gh", owner("pay"), run("3", NOW - timedelta(minutes=4), outcome=Outcome.CANCELLED)),
        ("old", owner("pay"), run("4", NOW - timedelta(minutes=4))),
    ]
    sources = [source("gh", watermark=NOW), replace(source("old", watermark=NOW), fresh=False)]
    seen = view(NOW, MemoryHistory(told, sources=sources))
    assert [{dim.outcome.value: n for dim, n in day.items()} for day in seen.daily(PipelineRun, seen.days(2))] == [
        {"success": 1},
        {"success": 1, "cancelled": 1},
    ]


def test_what_does_not_count_is_left_out_of_days() -> None:
    """By object and dim."""
    told = [("gh", owner("pay"), run("1", NOW)), ("gh", owner("pay"), run("2", NOW, outcome=Outcome.CANCELLED))]
    seen = view(NOW, MemoryHistory(told, sources=[source("gh", watermark=NOW)]))
    valid = seen.daily(PipelineRun, seen.days(1), lambda _, dim: dim.outcome is Outcome.CANCELLED)
    assert [{dim.outcome.value: n for dim, n in day.items()} for day in valid] == [{"cancelled": 1}]


def test_a_kind_is_known_where_a_fresh_source_gives_it() -> None:
    """And what is lacking is said by name, or that nothing gives it."""
    fresh, stale = source("gh", watermark=NOW), source("old", watermark=NOW, fresh=False)

    def seen(*sources: SourceState) -> View:
        return view(NOW, MemoryHistory(sources=sources, gives={"jira": frozenset()}))

    assert (seen(fresh).known(PipelineRun), seen(fresh).lacking(PipelineRun)) == (True, "")
    assert (seen(stale).known(PipelineRun), seen(stale).lacking(PipelineRun)) == (False, "no fresh data from old")
    assert (seen(fresh, stale).known(PipelineRun), seen(fresh, stale).lacking()) == (True, "no fresh data from old")
    other = seen(source("jira", watermark=NOW))
    assert (other.known(PipelineRun), other.lacking(PipelineRun)) == (False, "no configured source gives it")
    assert seen().lacking() == "no source is configured"


def stream(**said: Any) -> StreamState:
    return StreamState(
        **{
            "instance": "gh",
            "type": "github",
            "stream": "api",
            "watermark": None,
            "last_success": None,
            "last_error": "",
            "last_error_at": None,
            "progress": None,
            "polls": 1,
            **said,
        }
    )


@pytest.mark.parametrize(
    ("state", "streams", "health"),
    [
        (source("gh", watermark=NOW), [stream(last_error="502")], Health.UP),
        (source("gh", watermark=None, fresh=False), [], Health.STARTING),
        (source("gh", watermark=None, fresh=False), [stream(), stream(last_success=NOW)], Health.STARTING),
        (
            source("gh", watermark=None, fresh=False),
            [stream(progress=Progress(what="repositories", done=3, of=9))],
            Health.IMPORTING,
        ),
        (source("gh", watermark=None, fresh=False), [stream(), stream(last_error="401")], Health.DOWN),
        (source("gh", watermark=None, fresh=False), [stream(instance="other", last_error="401")], Health.STARTING),
        (source("gh", watermark=NOW, fresh=False), [stream()], Health.DOWN),
    ],
)
def test_a_source_is_not_down_before_it_failed(state: SourceState, streams: list[StreamState], health: Health) -> None:
    """Until it was read whole once it starts or imports; a failure of any of its streams ends that."""
    assert view(NOW, MemoryHistory(sources=[state]), streams=streams).health(state) is health


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (0, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7199, "120 min"),
        (7200, "2.0 h"),
        (172_800, "2.0 d"),
        (250_000, "2.9 d"),
    ],
)
def test_a_duration_in_words(seconds: float | None, text: str) -> None:
    """The unit changes at two of the next one."""
    assert span(seconds) == text


def test_numbers_in_words() -> None:
    """Undefined is a dash."""
    assert (percent(None), percent(0.1234), percent(1)) == ("–", "12.3 %", "100.0 %")
    assert (whole(None), whole(1234.0)) == ("–", "1,234")
    assert (sentence("no data from x"), sentence("")) == ("No data from x.", "")


@pytest.mark.parametrize(
    ("url", "led"), [("https://a.example/1", True), ("http://a", True), ("javascript:alert(1)", False)]
)
def test_a_page_leads_to_addresses_of_the_web_alone(url: str, led: bool) -> None:
    """Whatever else a source says is no address."""
    assert safe(url) == (url if led else "")


def test_a_commit_is_told_by_its_first_digits() -> None:
    """A version as it is, however long."""
    assert brief("0123456789abcdef0123456789abcdef01234567") == "01234567"
    assert brief("release-2026-11-30-of-the-whole-platform-again") == "release-2026-11-30-of-the-whole-platform-again"


def test_the_first_names_of_many() -> None:
    """And how many more there are; of few all."""
    assert first_of(["a", "b", "c"], 2) == "a, b and 1 more"
    assert (first_of(["a", "b"], 2), first_of([], 2)) == ("a, b", "")


def test_what_a_file_selects_by() -> None:
    """Behind what it selects; nothing where it selects by nothing."""
    assert such({"environment": ("production", "eu-*"), "result": ("success",)}) == (
        ", environment production or eu-*, result success"
    )
    assert such({}) == ""
