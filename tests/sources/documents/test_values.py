"""Amounts, moments and names as people's documents write them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from platform_meter.sources.documents.values import Odd, amount, has_zone, is_form, moment, name, shown, word

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "number"),
    [(0, 0.0), (12, 12.0), (1.5, 1.5), (True, 1.0), (False, 0.0), ("12", 12.0), (" 1.5e3 ", 1500.0), (1e15, 1e15)],
)
def test_amounts(value: Any, number: float) -> None:
    """Numbers, also as texts, and true and false."""
    assert amount(value) == number


@pytest.mark.parametrize(
    "value",
    [
        -1,
        "-1",
        "",
        " ",
        None,
        [],
        {},
        "1,000",
        "1_000",
        "nan",
        "inf",
        float("nan"),
        float("inf"),
        2e15,
        "1e999",
        "0x10",
        "٣",
    ],
)
def test_what_is_no_amount(value: Any) -> None:
    """Nothing is guessed: a separator of thousands may be a decimal point."""
    with pytest.raises(Odd, match="is no amount; write a number from 0 on") as caught:
        amount(value)
    assert caught.value.reason == "invalid"


@pytest.mark.parametrize(
    ("value", "form", "zone"),
    [
        ("2026-05-04T12:00:00Z", "", ""),
        ("2026-05-04t14:00:00.000+02:00", "", ""),
        ("2026-05-04 12:00:00.000000000Z", "", ""),
        (1777896000, "", ""),
        (1777896000.0, "", ""),
        (1777896000000, "", ""),
        ("1777896000", "", ""),
        ("1777896000000", "", ""),
        ("04.05.2026 14:00", "%d.%m.%Y %H:%M", "Europe/Berlin"),
        ("04.05.2026 14:00 +0200", "%d.%m.%Y %H:%M %z", ""),
        (2026050412, "%Y%m%d%H", "UTC"),
    ],
)
def test_moments(value: Any, form: str, zone: str) -> None:
    """All of them noon in UTC."""
    at = moment(value, form, zone)
    assert (at, at.tzinfo) == (NOON, UTC)


@pytest.mark.parametrize(
    ("value", "form", "zone", "reason"),
    [
        ("2026-05-04T12:00:00", "", "", "naive"),
        ("2026-05-04", "", "", "invalid"),
        ("2026-13-04T12:00:00Z", "", "", "invalid"),
        ("noon", "", "", "invalid"),
        ("", "", "", "invalid"),
        (None, "", "", "invalid"),
        (True, "", "", "invalid"),
        ([], "", "", "invalid"),
        (0, "", "", "invalid"),
        (-5, "", "", "invalid"),
        (1777896000000000, "", "", "invalid"),
        (10**400, "", "", "invalid"),
        (float("inf"), "", "", "invalid"),
        ("0001-01-01T00:00:00+14:00", "", "", "invalid"),
        ("2026-05-04", "%d.%m.%Y", "UTC", "invalid"),
        ("25.10.2026 02:30", "%d.%m.%Y %H:%M", "Europe/Berlin", "ambiguous"),
        ("29.03.2026 02:30", "%d.%m.%Y %H:%M", "Europe/Berlin", "ambiguous"),
    ],
)
def test_what_is_no_moment(value: Any, form: str, zone: str, reason: str) -> None:
    """Without a zone, of no day, in microseconds, or of an hour that clocks show twice or never."""
    with pytest.raises(Odd) as caught:
        moment(value, form, zone)
    assert caught.value.reason == reason


@pytest.mark.parametrize(("value", "text"), [("shop", "shop"), (" a b ", "a b"), (17, "17"), ("x" * 200, "x" * 200)])
def test_names(value: Any, text: str) -> None:
    """Texts, and the whole numbers that ids are."""
    assert name(value) == text


@pytest.mark.parametrize("value", ["", "  ", "a\nb", "x" * 201, "\udcff", None, True, 1.5, 10**15, [], {}])
def test_what_is_no_name(value: Any) -> None:
    """And who it may have been is not told."""
    with pytest.raises(Odd, match=r"^[a-z0-9 ]+ stands where a name should; write a text of 1 to 200 letters$"):
        name(value)


def test_single_values_are_words() -> None:
    """As settings list them; what stands for none is none of them."""
    assert [word(value) for value in ("up", " up ", 1, True, False, "")] == ["up", "up", "1", "true", "false", ""]
    none: tuple[Any, ...] = (None, 1.5, [], {}, 10**16)
    for value in none:
        with pytest.raises(Odd, match="is no single value"):
            word(value)


@pytest.mark.parametrize("form", ["%d.%m.%Y %H:%M", "%Y-%m-%d", "%Y%m%d%H%M%S", "%Y-%j", "%d/%b/%Y:%H:%M:%S %z"])
def test_forms_name_a_whole_day(form: str) -> None:
    """Whatever else they name."""
    assert is_form(form) == form


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ("%H:%M", "'%H:%M' names no year, month and day"),
        ("%Y-%m", "'%Y-%m' names no year, month and day"),
        ("noon", "'noon' names no year, month and day"),
        ("%Y-%m-%d %s", "'%Y-%m-%d %s' can't be read back"),
        ("%Y-%Y-%m-%d", "'%Y-%Y-%m-%d' can't be read back"),
    ],
)
def test_forms_that_name_no_day(form: str, says: str) -> None:
    """With an example."""
    with pytest.raises(ValueError, match=r"write for example '%d\.%m\.%Y %H:%M'") as caught:
        is_form(form)
    assert says in str(caught.value)


def test_a_form_that_names_its_zone() -> None:
    """A percent sign by itself names nothing."""
    assert [has_zone(form) for form in ("%Y %z", "%Y", "%Y %%z")] == [True, False, False]


def test_what_was_found_is_short() -> None:
    """Numbers, and texts that begin as one; a long text, or one that may be somebody, is not repeated."""
    told = ("1,5", " -1 EUR", "4 May", "1" * 99, "jane", "", 1, 1.5, True, None, {"a": 1}, [1], 10**5000)
    assert [shown(value) for value in told] == [
        "'1,5'",
        "' -1 EUR'",
        "'4 May'",
        "a text",
        "a text",
        "a text",
        "'1'",
        "'1.5'",
        "'True'",
        "null",
        "an object with a",
        "a list of 1",
        "a number",
    ]
