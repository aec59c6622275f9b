"""Small things people write: durations, zones, moments, paths, addresses. `problems.decode` turns their errors into messages."""

from __future__ import annotations

import difflib
import posixpath
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import IPv6Address
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationInfo

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_LONGEST = 100 * 365 * 86400
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d|w)")
_LABEL = "[A-Za-z0-9_-]{1,63}"
_ADDRESS = re.compile(
    rf"https?://(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|{_LABEL}(?:\.{_LABEL})*\.?)(?::(?P<port>[0-9]{{1,5}}))?(?:[/?#][!-~]*)?"
)
_HOW_ADDRESS = "write https://HOST or https://HOST:PORT/PATH"


class HiddenError(ValueError):
    """What is wrong with a value that must not be shown again, since it holds a secret."""


def unfit(value: Any, what: str, instead: str) -> ValueError:
    """The error of a value that is not `what`: quoted, where it is a single one, or called empty where there is none."""
    if value is None or value == "":
        return ValueError(f"empty; {instead}")
    found = "a list" if isinstance(value, list) else "a group of keys" if isinstance(value, dict) else f"'{value}'"
    return ValueError(f"{found} is {what}; {instead}")


def parse_duration(value: Any) -> timedelta:
    """`30s`, `15m`, `8h`, `28d`, `1w` or a sum of them (`1h30m`).

    Raises:
        ValueError: anything else.
    """
    if isinstance(value, timedelta):
        return value
    text = str(value).strip()
    parts = _DURATION.findall(text)
    if not parts or "".join(n + u for n, u in parts) != text:
        raise unfit(value, "not a duration", "write a number and a unit, such as 30s, 15m, 8h or 28d")
    seconds = sum(float(n) * _UNITS[u] for n, u in parts)
    if seconds > _LONGEST:
        raise ValueError(f"'{value}' is longer than 100 years; write a shorter duration, such as 400d")
    return timedelta(seconds=seconds)


def some_time(value: timedelta) -> timedelta:
    """A duration of at least a second.

    Raises:
        ValueError: a shorter one.
    """
    if value < timedelta(seconds=1):
        raise ValueError("shorter than a second; write 1s or more")
    return value


def aware(value: datetime) -> datetime:
    """UTC where the text names no zone; a date alone is its midnight."""
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def beside(value: str, info: ValidationInfo) -> str:
    """A path of a file, read against the folder that the text stands in (validation context `base`); `~` stays home."""
    base = (info.context or {}).get("base")
    return posixpath.normpath(posixpath.join(base, value)) if base and value and not value.startswith("~") else value


def parse_zone(value: Any) -> str:
    """An IANA zone's name, checked against the zone database.

    Raises:
        ValueError: no such zone.
    """
    text = "" if value is None else str(value)
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = _near_zone(text)
        hint = f"did you mean '{near}'?" if near else "write an IANA name such as Europe/Berlin or UTC"
        raise unfit(value, "not a time zone", hint) from None
    return text


def parse_address(value: str) -> str:
    """An http or https address: host, port and path, without user, query and fragment.

    Raises:
        ValueError: anything else; a `HiddenError` where it may hold a credential.
    """
    if found := _ADDRESS.fullmatch(value):
        if "?" in value or "#" in value:
            raise HiddenError("an address ends with its path; remove what begins with ? or #")
        if int(found["port"] or 80) <= 65535 and _is_ipv6(found["ipv6"] or "::"):
            return value
    if "@" in value:
        raise HiddenError(
            f"an address carries no user and no password; {_HOW_ADDRESS}, and name the secret in its own key"
        )
    if "://" not in value and _ADDRESS.fullmatch(f"https://{value}"):
        raise ValueError(f"'{value}' begins with neither https:// nor http://; write https://{value}")
    raise unfit(value, "no address", _HOW_ADDRESS)


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True


def _near_zone(text: str) -> str:
    """A zone whose name or whose city is spelt nearly so."""
    names = available_zones()
    cities: dict[str, str] = {}
    for name in names:
        if not name.startswith(("posix/", "right/", "Etc/")):
            cities.setdefault(name.rsplit("/", 1)[-1].lower(), name)
            cities[name.lower()] = name
    words = [text[:100].lower(), text[:100].lower().replace(" ", "_"), text[:100].lower().rsplit("/", 1)[-1]]
    for word in words:
        if near := difflib.get_close_matches(word, cities, n=1, cutoff=0.75):
            return cities[near[0]]
    return ""


@cache
def available_zones() -> tuple[str, ...]:
    """Every zone's name, sorted."""
    return tuple(sorted(available_timezones()))


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Period = Annotated[Duration, AfterValidator(some_time)]
"""A duration that something waits for or looks back: never 0."""
Moment = Annotated[datetime, AfterValidator(aware)]
Zone = Annotated[str, BeforeValidator(parse_zone)]
LocalPath = Annotated[str, AfterValidator(beside)]
"""A file or folder; relative to the file that names it."""
Address = Annotated[str, AfterValidator(parse_address)]
"""Where a system answers over http or https."""


class PlacedError(ValueError):
    """What is wrong with a whole, said at one of its parts: `at` is the path of keys and indexes to it."""

    def __init__(self, text: str, *at: str | int) -> None:
        super().__init__(text)
        self.at = at


class Definition(BaseModel):
    """Base of all that people declare: unknown keys are errors, numbers are finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
