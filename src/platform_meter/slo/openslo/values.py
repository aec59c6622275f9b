"""Single values of an OpenSLO file: names, objectives, periods, slices. Each error says what to write instead."""

from __future__ import annotations

import math
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
_SHORTEST_LOOKBACK = timedelta(minutes=5)


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


def parse_threshold(value: Any) -> float:
    """A burn from which on an alert fires, to the six digits that rules have.

    Raises:
        ValueError: under 1, or no number.
    """
    found = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if not math.isfinite(found):
        raise unfit(value, "no burn rate", "write a number such as 14.4")
    if found < 1:
        raise ValueError(
            f"a threshold of {value} fires inside the budget, which a burn of 1 just spends; write 1 or more"
        )
    return float(f"{found:g}")


def _length(value: Any, what: str, sample: str) -> timedelta:
    text = str(value)
    if re.fullmatch(r"\d+[MQY]", text):
        raise ValueError(f"{what} of {text} has no fixed length; write minutes, hours or days, such as {sample}")
    if not _SHORTHAND.fullmatch(text):
        raise unfit(value, f"no {what}", f"write minutes, hours or days, such as {sample}")
    return parse_window(text)


def parse_lookback(value: Any) -> timedelta:
    """The long window of a burn alert: long enough that a twelfth of it is one too.

    Raises:
        ValueError: a shorter one, or anything else.
    """
    found = _length(value, "lookbackWindow", "1h")
    if found < _SHORTEST_LOOKBACK:
        raise ValueError(f"a lookbackWindow of {value} holds too few scrapes to judge by; write 5m or more, such as 1h")
    return found


def parse_after(value: Any) -> timedelta:
    """For how long a condition has to hold; OpenSLO's default is 0m.

    Raises:
        ValueError: anything else.
    """
    return timedelta(0) if str(value) == "0m" else _length(value, "alertAfter", "5m")


def parse_over(value: Any) -> Any:
    """The operator of a burn alert, which fires above its threshold.

    Raises:
        ValueError: one that fires below.
    """
    if value in ("lt", "lte"):
        raise ValueError(f"op: {value} would fire while the budget is kept; write op: gt")
    return value


def parse_severity(value: str) -> str:
    """The word of a severity, which becomes the value of a label.

    Raises:
        ValueError: nothing, or what is no word.
    """
    if not value.strip() or not value.isprintable() or len(value) > LONGEST_NAME:
        raise unfit(value.strip()[:LONGEST_NAME], "no severity", "write a word such as page or ticket")
    return value.strip()
