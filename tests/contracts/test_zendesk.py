"""The Zendesk source against the OpenAPI description of tickets, their audits, exports and metric events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from tests.contracts.calls import description
from tests.contracts.openapi import contract
from tests.sources.zendesk.test_zendesk import NOW, SETTINGS, SINCE, small_world

from platform_meter.sources.zendesk import SOURCE, Config
from platform_meter.sources.zendesk.clocks import Feed, One
from platform_meter.sources.zendesk.lists import CURSOR, SEARCH
from platform_meter.sources.zendesk.rows import Audits, Export, Found
from platform_meter.testing.outside import Call, FakeOutside, Reply

NAME = "zendesk.openapi.json"
AUDITS, FEED, TICKET = (
    "/api/v2/tickets/{ticket_id}/audits",
    "/api/v2/incremental/ticket_metric_events",
    "/api/v2/tickets/{ticket_id}",
)
ANSWERS: dict[str, Any] = {CURSOR: Export, SEARCH: Found, AUDITS: Audits, FEED: Feed, TICKET: One}
BESIDE = ("Audits.users", "Feed.end_of_stream")
"""What `include` brings, and a word that the vendor's pages tell of all exports."""
ELSEWHERE = {"custom_statuses", "groups", "satisfaction_ratings", "users"}
"""First words of paths that it has not."""


def polled() -> list[tuple[Call, Reply]]:
    """All calls of a first poll, a steady one and `check`, with their answers."""
    world, seen = small_world(), list[tuple[Call, Reply]]()

    def answer(call: Call) -> Reply:
        reply = world(call)
        seen.append((call, reply))
        return reply

    outside, config = FakeOutside(answer), Config.model_validate(SETTINGS)
    for stream in SOURCE.connect(config, outside, "test"):
        held = [page.checkpoint for page in stream.read(None, SINCE, NOW) if page.checkpoint]
        list(stream.read(held[-1], SINCE, NOW + timedelta(minutes=1)))
    SOURCE.check(config, outside)
    return seen


@pytest.mark.parametrize("path", ANSWERS)
def test_every_answer_of_the_description_can_be_read(path: str) -> None:
    """Of a page no field is read that it does not have, and none may be null where it is not expected.

    What is in a ticket, an audit and a metric event the description leaves open.
    """
    found = description(NAME)
    unreadable = found.unreadable(ANSWERS[path], found.schema("get", path), unknown=BESIDE)
    pages = [text for text in unreadable if "[]" not in text and not text.startswith(".ticket.")]
    assert pages == ([".ticket: may be absent"] if path == TICKET else [])


def test_every_call_is_in_the_description() -> None:
    """But for lists that are in no part held here."""
    asked = {call.path for call, _ in polled()}
    known = {path for path in asked if path.split("/")[3] not in ELSEWHERE}
    templates = {description(NAME).operation("get", path)[0] for path in known}
    assert templates == ANSWERS.keys()
    assert {path.split("/")[3] for path in asked - known} == ELSEWHERE


def test_the_server_in_memory_answers_as_the_description_says() -> None:
    """Each page of an export, of audits and of metric events."""
    held = set[str]()
    for call, reply in polled():
        if reply.status == 200 and call.path.split("/")[3] not in ELSEWHERE:
            template = description(NAME).operation("get", call.path)[0]
            assert contract(NAME).problem(template, reply.body) == ""
            held.add(template)
    assert held == ANSWERS.keys()


def test_the_example_of_an_export_is_a_page() -> None:
    """With its ticket, and where to go on."""
    example = description(NAME).schema("get", CURSOR)
    page = msgspec.convert(description(NAME).resolve(example)["example"], Export)
    (row,) = page.tickets
    assert (page.after_cursor, page.end_of_stream) == ("MTU3NjYxMzUzOS4wfHw0Njd8", True)
    assert (row.id, row.status, row.priority, row.type, row.group_id) == (35436, "open", "high", "incident", 98738)
    assert row.updated_at == datetime(2011, 5, 5, 10, 38, 52, tzinfo=UTC)
