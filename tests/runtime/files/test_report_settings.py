"""The section `report` of the configuration."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from platform_meter.runtime.files.report_settings import MailSettings, ReportSettings

MAIL: dict[str, Any] = {"host": "smtp.example.org", "from": "meter@example.org", "to": "pm@example.org"}


@pytest.mark.parametrize(("tls", "port"), [("starttls", 587), ("tls", 465), ("none", 25)])
def test_the_port_follows_from_tls(tls: str, port: int) -> None:
    """Unless it is written; one address needs no brackets."""
    settings = MailSettings.model_validate(MAIL | {"tls": tls})
    assert (settings.at, settings.to) == (port, ("pm@example.org",))
    assert MailSettings.model_validate(MAIL | {"tls": tls, "port": 2525}).at == 2525


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"user": "meter"}, "write both user and password, or neither"),
        ({"password": {"env": "P"}}, "write both user and password, or neither"),
        (
            {"user": "meter", "password": {"env": "P"}, "tls": "none"},
            "a password is sent over TLS alone; write tls: starttls",
        ),
        ({"to": []}, "empty; write at least one, or leave out the key"),
        ({"to": ["pm"]}, "'pm' is no mail address; write one as platform@example.org"),
        ({"from": "a@b.org\nBcc: all@b.org"}, "is no mail address"),
        ({"to": ["a@b.org, c@d.org"]}, "is no mail address"),
        ({"host": "smtp.example.org/x"}, "String should match pattern"),
    ],
)
def test_what_will_not_do_is_refused(more: dict[str, Any], text: str) -> None:
    """With what to write instead."""
    with pytest.raises(ValidationError) as error:
        ReportSettings.model_validate({"mail": MAIL | more})
    assert text in str(error.value)


@pytest.mark.parametrize(
    ("now", "last"),
    [
        ("2026-07-06T06:00+00:00", "2026-07-06T08:00+02:00"),
        ("2026-07-06T05:59+00:00", "2026-06-29T08:00+02:00"),
        ("2026-07-12T22:30+00:00", "2026-07-06T08:00+02:00"),
        ("2026-10-26T06:59+00:00", "2026-10-19T08:00+02:00"),
        ("2026-10-26T07:00+00:00", "2026-10-26T08:00+01:00"),
    ],
)
def test_a_day_and_a_time_of_the_zone(now: str, last: str) -> None:
    """The same time on the wall, before and after clocks change."""
    settings = ReportSettings.model_validate({"every": "monday 08:00", "mail": MAIL})
    assert settings.every is not None
    found = settings.every.last(datetime.fromisoformat(now), ZoneInfo("Europe/Berlin"))
    assert found == datetime.fromisoformat(last)


@pytest.mark.parametrize("text", ["monday", "8:00", "mon 08:00", "monday 8:00", "monday 24:00", "1w"])
def test_no_day_and_time(text: str) -> None:
    """It says how one is written."""
    with pytest.raises(ValidationError, match=r"is no day and time; write it as monday 08:00"):
        ReportSettings.model_validate({"every": text, "mail": MAIL})


def test_a_time_without_a_place() -> None:
    """A report that is due and goes nowhere is a mistake."""
    with pytest.raises(ValidationError, match="the report goes nowhere; write mail"):
        ReportSettings.model_validate({"every": "monday 08:00"})
