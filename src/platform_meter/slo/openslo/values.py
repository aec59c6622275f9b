"""Single values of an OpenSLO file: names, objectives, periods, slices. Each error says what to write instead."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from platform_meter.model.scalars import unfit
from platform_meter.slo.burnrate import parse_window

LONGEST_NAME = 63
"""Letters of a name, as OpenSLO has it."""
_NAME = re.compile(rf"[a-z0-9]([a-z0-9-]{{0,{LONGEST_NAME - 2}}}[a-z0-9])?")
_SERVICE = re.compile(rf"[A-Za-z0-9]([A-Za-z0-9_-]{{0,{LONGEST_NAME - 2}}}[A-Za-z0-9])?")
_PERIOD = re.compile(r"[1-9][0-9]{0,4}[hdw]")
_SHORTHAND = re.compile(r"[1-9][0-9]{0,4}[mhdwMQY]")
_LONGEST = timedelta(days=400)


def parse_name(value: str) -> str:
    """A name as OpenSLO and file systems take it.

    Raises:
        ValueError: another form.
    """
    if not _NAME.fullmatch(value):
        shown = value if len(value) <= 60 else value[:60] + "…"
        raise ValueError(
            f"'{shown}' is no name; write lower-case letters, digits and dashes, at most {LONGEST_NAME}, such as checkout-availability"
        )
    return value


def parse_service(value: str) -> str:
    """A service, of which OpenSLO says no form: what every file system takes as the name of a file.

    Raises:
        ValueError: another form.
    """
    if not _SERVICE.fullmatch(value):
        shown = value if len(value) <= 60 else value[:60] + "…"
        raise ValueError(
            f"'{shown}' gives no name for the service's rule file; write letters, digits, dashes and underscores, "
            f"at most {LONGEST_NAME}, such as checkout"
        )
    return value


def _decimal(value: Any, wanted: str) -> Decimal:
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        found = Decimal("NaN")
    if isinstance(value, bool) or not found.is_finite():
        raise ValueError(f"'{value}' is no objective; write {wanted}")
    return found


def parse_target(value: Any) -> Decimal:
    """An objective between 0 and 1, in decimals as written.

    Raises:
        ValueError: a percentage, 0, 1, or no number.
    """
    found = _decimal(value, "a share such as 0.999")
    if found in (1, 100):
        raise ValueError(f"an objective of {value} leaves no budget to burn; write less than 1, such as 0.999")
    if 1 < found < 100:
        raise ValueError(
            f"{value} is a percentage where a share is meant; write {found / 100}, or targetPercent: {value}"
        )
    if not 0 < found < 1:
        raise ValueError(
            f"an objective lies between 0 and 1, both excluded; found {value}; write a share such as 0.999"
        )
    return found


def parse_percent(value: Any) -> Decimal:
    """An objective in percent, as a share.

    Raises:
        ValueError: a share, 100, or no number.
    """
    found = _decimal(value, "a percentage such as 99.9")
    if found == 100:
        raise ValueError("an objective of 100 % leaves no budget to burn; write less, such as 99.9")
    if 0 < found <= 1:
        percent = format((found * 100).normalize(), "f")
        raise ValueError(f"{value} is a share where a percentage is meant; write {percent}, or target: {value}")
    if not 1 < found < 100:
        raise ValueError(f"a percentage lies between 0 and 100, both excluded; found {value}; write one such as 99.9")
    return found / 100


def parse_period(value: Any) -> str:
    """A rolling period as written; its length is at least a day.

    Raises:
        ValueError: anything else.
    """
    text = str(value)
    if re.fullmatch(r"\d+[MQY]", text):
        raise ValueError(
            f"a rolling period of {text} is not read yet, since it has no fixed length; write days or weeks, such as 28d"
        )
    if not _PERIOD.fullmatch(text):
        raise unfit(value, "not a period", "write days or weeks, such as 28d")
    length = parse_window(text)
    if length < timedelta(days=1):
        raise ValueError(f"a period of {text} is under a day; write 1d or more, such as 28d")
    if length > _LONGEST:
        raise ValueError(
            f"a period of {text} is longer than events are kept; write {_LONGEST.days}d or less, such as 28d"
        )
    return text


def parse_calendar(value: Any) -> str:
    """A period that does not roll, as written; which ones there are is for who reads them to say.

    Raises:
        ValueError: what is no period in OpenSLO.
    """
    if not _SHORTHAND.fullmatch(str(value)):
        raise unfit(value, "not a period", "write days or weeks, such as 28d")
    return str(value)


def parse_slice(value: Any) -> timedelta:
    """1 or 5 minutes; a number alone is minutes, as OpenSLO has it.

    Raises:
        ValueError: anything else.
    """
    text = f"{value}m" if str(value).isdecimal() and not isinstance(value, bool) else str(value)
    if text not in ("1m", "5m") and _SHORTHAND.fullmatch(text):
        raise ValueError(f"a slice of {text} is not read yet; write timeSliceWindow: 1m or 5m")
    if text not in ("1m", "5m"):
        raise ValueError(f"'{value}' is no slice we measure; write timeSliceWindow: 1m or 5m")
    return parse_window(text)


def parse_min_bad(value: Any) -> int:
    """A whole number, in quotes as OpenSLO's annotations are.

    Raises:
        ValueError: anything else.
    """
    if not isinstance(value, str) or not re.fullmatch(r"[1-9][0-9]{0,5}", value):
        raise ValueError(f"'{value}' is no number of bad events; write a whole number in quotes, such as \"3\"")
    return int(value)
