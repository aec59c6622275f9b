"""What people's documents hold, as typed values: amounts, moments and names. What can't be read makes its row odd."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from platform_meter.sources.documents.pointer import shape
from platform_meter.sources.kit.pushed import LONGEST
from platform_meter.sources.kit.rows import sound

MOST = 1e15
"""An amount is no larger: up to there every whole number is told from the next one."""
_NUMBER = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?")
_STAMP = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)?")
_MILLISECONDS = 1e11
"""From here on a number of seconds would lie beyond the year 5138, and is one of milliseconds, of 1973 and later."""
_SAMPLE = datetime(2026, 11, 28, 23, 47, 51, tzinfo=UTC)
_LIKE_A_NUMBER = re.compile(r"\s*[-+.,]?[0-9]")
_SHOWN = 60
_LARGE = 1e30
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Odd(ValueError):
    """A row that is left out and counted; `reason` is a bounded word."""

    def __init__(self, text: str, reason: str = "invalid") -> None:
        super().__init__(text)
        self.reason = reason


def amount(value: Any) -> float:
    """A number from 0 on, also as a text; true is 1 and false is 0.

    Raises:
        Odd: anything else.
    """
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, int | float) and 0 <= value <= MOST:
        return float(value)
    raise Odd(f"{shown(value)} is no amount; write a number from 0 on, without separators of thousands")


def name(value: Any) -> str:
    """What something is called: a text, or a whole number.

    Raises:
        Odd: anything else.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < MOST else None
    text = value.strip() if isinstance(value, str) else ""
    if not text or len(text) > LONGEST or not text.isprintable():
        raise Odd(
            f"{shape(value)} stands where a name should; write a text of 1 to {LONGEST} letters"
        )  # who it is, is not told
    return text


def word(value: Any) -> str:
    """A single value as settings list it.

    Raises:
        Odd: it is none.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) or (isinstance(value, int) and abs(value) < MOST):
        return str(value).strip()
    raise Odd(f"{shown(value)} is no single value; write a text, a whole number, true or false")


def moment(value: Any, form: str, zone: str) -> datetime:
    """In UTC. Without a form: RFC 3339, or a number of seconds or milliseconds since 1970.

    Raises:
        Odd: it is none, it has no zone, or the clocks of its zone showed it twice or never.
    """
    try:
        return sound(_read(value, form, zone), "at").astimezone(UTC)
    except Odd:
        raise
    except (ValueError, OverflowError, OSError):
        how = f"as {form}" if form else "such as 2026-05-04T12:00:00Z, or name its `format`"
        raise Odd(f"{shown(value)} is no moment; write it {how}") from None


def _read(value: Any, form: str, zone: str) -> datetime:
    text = value.strip() if isinstance(value, str) else ""
    if form:
        at = datetime.strptime(str(value) if isinstance(value, int) else text, form)  # noqa: DTZ007 - the zone comes next
        return at if at.tzinfo is not None else _in_zone(at, zone, value)
    if _NUMBER.fullmatch(text):
        value = float(text)
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return _EPOCH + timedelta(seconds=value if value < _MILLISECONDS else value / 1_000)
    found = _STAMP.fullmatch(text)
    if found is None:
        raise ValueError(text)
    if not found[2]:
        raise Odd(f"{shown(value)} has no zone; name `format` and `zone`", "naive")
    return datetime.fromisoformat(text.upper())


def _in_zone(at: datetime, zone: str, value: Any) -> datetime:
    here = at.replace(tzinfo=ZoneInfo(zone))
    if here.utcoffset() != here.replace(fold=1).utcoffset():
        raise Odd(f"{shown(value)} is there twice or never in {zone}; write moments with their zone", "ambiguous")
    return here


def is_form(text: str) -> str:
    """A form of `strptime` that names a whole day.

    Raises:
        ValueError: it does not.
    """
    how = "write for example '%d.%m.%Y %H:%M'"
    try:
        read = datetime.strptime(_SAMPLE.strftime(text), text)  # noqa: DTZ007 - of the day alone
    except (ValueError, re.error) as error:
        raise ValueError(f"'{text}' can't be read back ({error}); {how}") from None
    if read.date() != _SAMPLE.date():
        raise ValueError(f"'{text}' names no year, month and day; {how}")
    return text


def has_zone(form: str) -> bool:
    """Whether moments of this form name their zone themselves."""
    return "%z" in form.replace("%%", "")


def shown(value: Any) -> str:
    """What was found: a number, or a short text that begins as one does. Any other may be a person, and only what it is is told."""
    if isinstance(value, str):
        text = f"'{value}'" if _LIKE_A_NUMBER.match(value) else ""
    else:
        plain = isinstance(value, float) or (isinstance(value, int) and abs(value) < _LARGE)
        text = f"'{value}'" if plain else ""
    return text if 0 < len(text) <= _SHOWN else shape(value)
