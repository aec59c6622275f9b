"""Zendesk: metric events to the cycles of SLA clocks, and the feed that tells whose have moved."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from tests.sources.zendesk.test_zendesk import NOW, SETTINGS, SINCE, about, hours, small_world
from tests.sources.zendesk.zendesk_server import Row, metric, ticket

from platform_meter.model.facts.tickets import ToolClock
from platform_meter.sources.zendesk import SOURCE, Config
from platform_meter.sources.zendesk.clocks import MetricEvent, clock_events
from platform_meter.sources.zendesk.rows import Ticket
from platform_meter.testing import Reply
from platform_meter.testing.outside import Call, FakeOutside

HOUR = timedelta(hours=1)
BUSINESS = {"target": 60, "target_in_seconds": 5400, "business_hours": True}
CALENDAR = {"target": 60, "business_hours": False}
LASTED = {"calendar": 90, "business": 30}
START = [metric(1, hours(9), "activate"), metric(2, hours(9), "apply_sla", sla=BUSINESS)]


def clocks(*rows: Row) -> list[ToolClock]:
    events = msgspec.convert([{"ticket_id": 1, **row} for row in rows], list[MetricEvent])
    one = msgspec.convert(ticket(1, hours(9), hours(1)), Ticket)
    return clock_events(one, events, NOW, "Platform", about())


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ([], {"goal": 1.5 * HOUR}),
        ([metric(3, hours(8), "pause"), metric(4, hours(8), "update_status", status=LASTED)],
         {"paused": True, "elapsed": HOUR / 2, "updated": hours(8)}),
        ([metric(3, hours(8), "pause"), metric(4, hours(8), "update_status", status=LASTED), metric(5, hours(7), "activate")],
         {"paused": False, "elapsed": None, "updated": hours(7), "at": hours(9)}),
        ([metric(3, hours(8), "fulfill"), metric(4, hours(8), "update_status", status=LASTED)],
         {"stopped": hours(8), "elapsed": HOUR / 2, "breached": False}),
        ([metric(3, hours(8), "apply_sla", sla=CALENDAR), metric(4, hours(7), "fulfill"),
          metric(5, hours(7), "update_status", status=LASTED)],
         {"goal": HOUR, "elapsed": 1.5 * HOUR}),
        ([metric(3, hours(8), "fulfill"), metric(4, hours(6), "activate")], {"stopped": None, "at": hours(9)}),
        ([metric(3, hours(8), "breach")], {"breached": True, "breached_at": hours(8)}),
        ([metric(3, hours(8), "breach"), metric(4, hours(8), "breach", deleted=True)],
         {"breached": False, "breached_at": None}),
        ([metric(3, hours(-1), "breach")], {"breached": False, "breached_at": hours(-1)}),
        ([metric(3, hours(8), "apply_sla", sla=None)], {"valid": False, "goal": None}),
        ([metric(3, hours(8), "measure")], {"stopped": None, "updated": hours(8)}),
    ],
    ids=[
        "runs", "paused", "runs again", "in time", "another target, of calendar time", "solved and opened again",
        "late", "late no more", "will be late", "target taken away", "a kind of event that is not known",
    ],
)  # fmt: skip
def test_a_cycle(more: list[Row], expected: dict[str, Any]) -> None:
    """As its events tell it, in order of time."""
    (told,) = clocks(*more, *START)
    assert {name: getattr(told, name) for name in expected} == expected


def test_what_is_no_cycle_of_a_policy() -> None:
    """A metric without a target, and one whose beginning is not known."""
    assert clocks(metric(1, hours(9), "activate"), metric(2, hours(8), "fulfill")) == []
    assert clocks(*START[1:]) == []


def test_a_first_reply_is_another_clock_than_a_next_one() -> None:
    """Other metrics are called as they are."""
    rows = [
        *(metric(n, hours(9), kind, instance=instance, sla=CALENDAR) for instance in (1, 2) for n, kind in
          enumerate(("activate", "apply_sla"), 2 * instance)),
        metric(7, hours(9), "activate", "requester_wait_time"),
        metric(8, hours(9), "apply_sla", "requester_wait_time", sla=CALENDAR),
    ]  # fmt: skip
    assert {told.key: told.clock for told in clocks(*rows)} == {
        "1/sla/reply_time/1": "first_reply_time",
        "1/sla/reply_time/2": "next_reply_time",
        "1/sla/requester_wait_time/1": "requester_wait_time",
    }


def read(
    world: Any, checkpoint: bytes | None, later: timedelta = timedelta(0)
) -> tuple[FakeOutside, bytes | None, int]:
    """One poll of the clocks: its calls, its checkpoint, and how many rows it left out."""
    outside = FakeOutside(world)
    stream = SOURCE.connect(Config.model_validate(SETTINGS), outside, "test")[1]
    pages = list(stream.read(checkpoint, SINCE, NOW + later))
    held = [page.checkpoint for page in pages if page.checkpoint]
    return outside, held[-1], sum(sum(page.rejected.values()) for page in pages)


def tickets_read(outside: FakeOutside) -> list[str]:
    return [call.path for call in outside.calls if call.path.startswith("/api/v2/tickets/")]


def test_a_ticket_is_read_once_a_poll_and_again_with_news_alone() -> None:
    """However many pages of the feed tell of it; the last second of the feed is not read twice."""
    first, checkpoint, _ = read(small_world(), None)
    again, _, _ = read(small_world(), checkpoint)
    assert tickets_read(first) == ["/api/v2/tickets/101"]
    assert len(first.calls) > 3
    assert [call.path for call in again.calls] == ["/api/v2/incremental/ticket_metric_events"]
    late = small_world()
    late.tickets[0]["metric_events"]["reply_time"].append(metric(9, hours(-1), "breach", instance=2))
    passed, _, _ = read(late, checkpoint, timedelta(hours=2))
    assert tickets_read(passed) == ["/api/v2/tickets/101"]


def test_a_feed_that_never_says_that_it_ends_is_read_to_its_end() -> None:
    """The official description has no such word."""
    world = small_world()

    def silent(call: Call) -> Reply:
        reply = world(call)
        body = {k: v for k, v in reply.body.items() if k != "end_of_stream"} if isinstance(reply.body, dict) else None
        return Reply(body=body, status=reply.status)

    outside, checkpoint, _ = read(silent, None)
    whole, same, _ = read(small_world(), None)
    assert tickets_read(outside) == tickets_read(whole)
    assert checkpoint == same


def test_a_second_that_is_longer_than_a_page_is_a_gap() -> None:
    """The feed can't get past it by itself; what comes later is read."""
    world = small_world()
    world.tickets[0]["metric_events"]["reply_time"] += [metric(n, hours(50), "measure") for n in range(20, 30)]
    outside, _, _ = read(world, None)
    assert [gap.reason for gap in outside.gaps] == ["result_cap"]
    assert outside.calls[-1].params == {"start_time": int(hours(30).timestamp())}


def test_clocks_that_may_not_be_read_are_a_gap_and_absent_ones_are_counted() -> None:
    """All else goes on."""
    world = small_world()
    world.refused = {"/api/v2/tickets/101"}
    outside, _, _ = read(world, None)
    assert [gap.text for gap in outside.gaps] == [
        "ticket 101: its SLA clocks can't be read: GET /api/v2/tickets/101: 403"
    ]
    bare = small_world()
    held = bare.tickets[0]["metric_events"]

    def without(call: Call) -> Reply:
        bare.tickets[0]["metric_events"] = held if "metric_events" in call.path else None
        return bare(call)

    assert read(without, None)[2] == 1
