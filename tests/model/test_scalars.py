"""Durations, zones, moments and paths as people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from platform_meter.model.scalars import (
    Definition,
    Duration,
    HiddenError,
    LocalPath,
    Moment,
    Period,
    PlacedError,
    Zone,
    available_zones,
    parse_address,
    parse_duration,
    parse_zone,
)


class Said(Definition):
    duration: Duration = timedelta()
    period: Period = timedelta(days=1)
    moment: Moment | None = None
    zone: Zone = "UTC"
    path: LocalPath = ""
    number: float = 0.0


def said(context: dict[str, str] | None = None, **values: Any) -> Said:
    return Said.model_validate(values, context=context)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30s", timedelta(seconds=30)),
        ("15m", timedelta(minutes=15)),
        ("1h30m", timedelta(minutes=90)),
        ("1.5h", timedelta(minutes=90)),
        ("28d", timedelta(days=28)),
        (" 2w ", timedelta(days=14)),
        ("0s", timedelta()),
        (timedelta(days=1), timedelta(days=1)),
    ],
)
def test_a_duration_is_a_sum_of_numbers_with_units(text: object, expected: timedelta) -> None:
    """A number without a unit is none; a duration that is one already stays."""
    assert parse_duration(text) == expected


@pytest.mark.parametrize("text", ["30", "5 m", "h", "1y", "-5m", "1h 30m", "5M", 30])
def test_what_is_no_duration_is_quoted(text: object) -> None:
    """With how to write one; nothing is guessed."""
    with pytest.raises(ValueError, match="is not a duration; write a number and a unit, such as 30s, 15m, 8h or 28d"):
        parse_duration(text)


@pytest.mark.parametrize("value", [None, ""])
def test_nothing_is_called_empty(value: object) -> None:
    """Not quoted as if somebody had written it."""
    with pytest.raises(ValueError, match=r"^empty; write a number and a unit, such as 30s, 15m, 8h or 28d$"):
        parse_duration(value)
    with pytest.raises(ValueError, match=r"^empty; write an IANA name such as Europe/Berlin or UTC$"):
        parse_zone(value)


def test_only_single_values_are_quoted() -> None:
    """What holds more is called what it is."""
    with pytest.raises(ValueError, match=r"^a list is not a duration; "):
        parse_duration(["5m"])
    with pytest.raises(ValueError, match=r"^a group of keys is not a duration; "):
        parse_duration({"m": 5})


@given(st.integers(0, 36_500), st.integers(0, 23), st.integers(0, 59))
def test_durations_add_up(days: int, hours: int, minutes: int) -> None:
    """Whatever the parts."""
    found = parse_duration(f"{min(days, 36_000)}d{hours}h{minutes}m")
    assert found == timedelta(days=min(days, 36_000), hours=hours, minutes=minutes)


def test_a_duration_has_an_end() -> None:
    """More than 100 years is a slip of the pen, and would overflow dates."""
    with pytest.raises(ValueError, match="'36501d' is longer than 100 years; write a shorter duration, such as 400d"):
        parse_duration("36501d")


def test_a_period_is_never_0() -> None:
    """What is waited for, or looked back on, is at least a second; a plain duration may be nothing."""
    assert said(duration="0s").duration == timedelta()
    assert said(period="1s").period == timedelta(seconds=1)
    with pytest.raises(ValidationError, match="shorter than a second; write 1s or more"):
        said(period="0.5s")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("Europe/Berln", "did you mean 'Europe/Berlin'?"),
        ("berlin", "did you mean 'Europe/Berlin'?"),
        ("new york", "did you mean 'America/New_York'?"),
        ("Mars/Olympus", "write an IANA name such as Europe/Berlin or UTC"),
        ("../../etc/passwd", "write an IANA name such as Europe/Berlin or UTC"),
    ],
)
def test_an_unknown_zone_gets_the_nearest_one(text: str, hint: str) -> None:
    """By its whole name or by its city; no file is read for a name that is none."""
    with pytest.raises(ValueError, match=re.escape(f"'{text}' is not a time zone; {hint}")):
        parse_zone(text)


def test_every_zone_of_the_database_is_known() -> None:
    """By the very name; the list is sorted for those who show it."""
    names = available_zones()
    assert {"UTC", "Europe/Berlin", "America/Sao_Paulo"} <= set(names)
    assert list(names) == sorted(names)
    assert parse_zone("Asia/Kathmandu") == "Asia/Kathmandu"


def test_a_moment_without_a_zone_is_utc() -> None:
    """A date alone is its midnight; a zone that is written stays the same moment."""
    assert said(moment="2026-05-01").moment == datetime(2026, 5, 1, tzinfo=UTC)
    assert said(moment="2026-05-01T12:00:00").moment == datetime(2026, 5, 1, 12, tzinfo=UTC)
    written = said(moment="2026-05-01T12:00:00+02:00").moment
    assert written == datetime(2026, 5, 1, 12, tzinfo=timezone(timedelta(hours=2)))


@pytest.mark.parametrize(
    "text",
    [
        "https://acme.atlassian.net",
        "http://127.0.0.1:9090/prometheus/",
        "https://prom_1.svc.:8443/api/v3",
        "http://[::1]:9090",
    ],
)
def test_an_address_is_taken_as_it_is_written(text: str) -> None:
    """Scheme, host, port and path."""
    assert parse_address(text) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty; write https://HOST or https://HOST:PORT/PATH"),
        (
            "acme.atlassian.net",
            "'acme.atlassian.net' begins with neither https:// nor http://; write https://acme.atlassian.net",
        ),
        ("localhost:80/x", "'localhost:80/x' begins with neither https:// nor http://; write https://localhost:80/x"),
        ("ftp://x", "'ftp://x' is no address; write https://HOST or https://HOST:PORT/PATH"),
        ("https://", "'https://' is no address; write https://HOST or https://HOST:PORT/PATH"),
        ("https://a:99999", "'https://a:99999' is no address; write https://HOST or https://HOST:PORT/PATH"),
        ("https://a b", "'https://a b' is no address; write https://HOST or https://HOST:PORT/PATH"),
        ("https://a..b", "'https://a..b' is no address; write https://HOST or https://HOST:PORT/PATH"),
        ("http://[::g]", "'http://[::g]' is no address; write https://HOST or https://HOST:PORT/PATH"),
    ],
)
def test_what_is_no_address_is_told_what_to_write(text: str, said: str) -> None:
    """With the address as it may have been meant, where only its scheme is missing."""
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$") as raised:
        parse_address(text)
    assert not isinstance(raised.value, HiddenError)


@pytest.mark.parametrize(
    "text",
    ["https://me:pw@acme", "me:pw@acme", "https://me@acme:80/x", "https://a/?key=pw", "https://a?key=pw", "a#pw@"],
)
def test_an_address_with_a_credential_is_not_quoted(text: str) -> None:
    """The error says that it must not be shown, and its text holds nothing of it."""
    with pytest.raises(HiddenError) as raised:
        parse_address(text)
    assert "pw" not in str(raised.value)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("secrets/token", "/etc/meter/secrets/token"),
        ("../token", "/etc/token"),
        ("/run/token", "/run/token"),
        ("~/token", "~/token"),
        ("", ""),
    ],
)
def test_a_path_stands_beside_the_file_that_names_it(path: str, expected: str) -> None:
    """Not beside whoever started the process; whole paths and homes stay."""
    assert said({"base": "/etc/meter"}, path=path).path == expected


def test_without_a_file_a_path_stays_as_it_is() -> None:
    """Text that stands nowhere has no folder."""
    assert said(path="a/../b").path == "a/../b"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_are_finite(value: float) -> None:
    """A bound that nothing reaches is a mistake."""
    with pytest.raises(ValidationError, match="finite number"):
        said(number=value)


def test_unknown_keys_are_errors_and_values_are_frozen() -> None:
    """A misspelt key would else be a default that nobody asked for."""
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        said(peroid="1d")
    with pytest.raises(ValidationError, match="Instance is frozen"):
        said().number = 1.0


def test_a_placed_error_says_where() -> None:
    """The path of keys and indexes to the part that is wrong; it is a ValueError like any other."""
    error = PlacedError("two stretches of mon overlap", "days", 0)
    assert (str(error), error.at, isinstance(error, ValueError)) == (
        "two stretches of mon overlap",
        ("days", 0),
        True,
    )
