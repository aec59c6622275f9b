"""What is pushed is read as what it says it is, or told why not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from msgspec import Struct

from platform_meter.model.facts import Ref
from platform_meter.model.push import Unreadable
from platform_meter.sources.kit.pushed import decoded, nothing, past, repository_links, service_ref, shaped

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


class Hook(Struct):
    id: int
    name: str = ""
    more: Any = None


def test_a_body_is_decoded() -> None:
    """Keys that nobody asked for are passed over."""
    assert decoded(b'{"id": 7, "other": "x"}', Hook) == Hook(id=7)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "the body is no JSON: Input data was truncated; send application/json in UTF-8"),
        (
            b"payload=%7B%7D",
            "the body is no JSON: JSON is malformed: invalid character (byte 0); send application/json in UTF-8",
        ),
        (
            b'{"id": 7, "name": "\xff"}',
            "the body is no JSON: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte; send",
        ),
        (b'{"id": 7, "more": ' + b"[" * 100_000, "the body is no JSON: maximum recursion depth exceeded"),
        (b'{"id": "7"}', "the body has another shape: Expected `int`, got `str` - at `$.id`"),
        (b"[]", "the body has another shape: Expected `object`, got `array`"),
    ],
)
def test_a_body_that_cant_be_read_says_why(body: bytes, text: str) -> None:
    """Whatever it is."""
    with pytest.raises(Unreadable) as caught:
        decoded(body, Hook)
    assert str(caught.value).startswith(text)


def test_a_part_of_a_body_says_where_it_is() -> None:
    """As the sender wrote it."""
    assert shaped({"id": 7}, Hook, "[3].data") == Hook(id=7)
    with pytest.raises(Unreadable) as caught:
        shaped({"id": None}, Hook, "[3].data")
    assert str(caught.value) == "[3].data has another shape: Expected `int`, got `null` - at `$.id`"


def test_moments_are_told_in_utc() -> None:
    """And may be five minutes ahead of our clock."""
    ahead = (NOW + timedelta(minutes=5)).astimezone(timezone(timedelta(hours=2)))
    found = past(ahead, NOW, "at")
    assert (found, found.tzinfo) == (datetime(2026, 5, 4, 12, 5, tzinfo=UTC), UTC)


def test_what_is_to_come_has_not_happened() -> None:
    """It would stand behind the end of every window."""
    with pytest.raises(Unreadable) as caught:
        past(NOW + timedelta(minutes=6), NOW, "startsAt")
    assert (
        str(caught.value) == "startsAt is 2026-05-04T12:06:00Z, which is still to come; set the sender's clock or zone"
    )


def test_a_service_carries_its_own_name_as_a_label() -> None:
    """The last part of it: a Service file of that name makes it its own, without an Ownership file."""
    assert service_ref("push", "daemonset/payments", labels={"team": "pay"}, links=("github:acme/pay",)) == Ref(
        system="push",
        kind="service",
        id="daemonset/payments",
        labels=(("app.kubernetes.io/name", "payments"), ("team", "pay")),
        links=("github:acme/pay",),
    )
    assert repository_links("acme/pay") == ("github:acme/pay", "gitlab:acme/pay")


def test_a_source_that_is_only_pushed_to_has_said_all() -> None:
    """One empty page: what is known goes on to now."""
    (page,) = nothing(None, NOW, NOW)
    assert (page.facts, page.checkpoint) == ((), None)
