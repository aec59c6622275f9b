"""What is pushed, as typed values: JSON of a known shape, moments that have been, and whose something is.

What can't be read is told to who sent it: where, what was found, what to send instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec

from platform_meter.model.facts import Ref
from platform_meter.model.push import Unreadable
from platform_meter.model.source import Page
from platform_meter.model.typed import decode

T = TypeVar("T")
SKEW = timedelta(minutes=5)
"""So far ahead of ours may another machine's clock be."""
_NONE: Mapping[str, str] = MappingProxyType({})
LESS = timedelta(milliseconds=1)
"""A delivery knows less of a state than a poll that sees the same: it is told as changed so much earlier."""
LONGEST = 200
"""Letters of a name: keys are made of several, and an index holds no longer ones."""
SERVICE_LABEL = "app.kubernetes.io/name"
"""Of a service that is named as its Service file names it: so it has its owner without an Ownership file (domain section 3)."""


def decoded(body: bytes, type_: type[T]) -> T:
    """The body of a request.

    Raises:
        Unreadable: it is no JSON, or of another shape.
    """
    try:
        return decode(body, type_)
    except msgspec.ValidationError as error:
        raise Unreadable(f"the body has another shape: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(f"the body is no JSON: {error}; send application/json in UTF-8") from None


def shaped(tree: Any, type_: type[T], where: str) -> T:
    """A part of a body that was decoded before.

    Raises:
        Unreadable: it is of another shape.
    """
    try:
        return decode(msgspec.json.encode(tree), type_)
    except (msgspec.ValidationError, RecursionError) as error:
        raise Unreadable(f"{where} has another shape: {error}") from None


def past(at: datetime, now: datetime, where: str) -> datetime:
    """The moment in UTC.

    Raises:
        Unreadable: it is still to come, which no event is.
    """
    if at > now + SKEW:
        raise Unreadable(f"{where} is {at:%Y-%m-%dT%H:%M:%SZ}, which is still to come; set the sender's clock or zone")
    return at.astimezone(UTC)


def nothing(checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
    """The stream of a source that is only pushed to: what was pushed is stored, so all is known up to now."""
    del checkpoint, since, now
    yield Page()


def service_ref(system: str, name: str, *, links: tuple[str, ...] = (), labels: Mapping[str, str] = _NONE) -> Ref:
    """A service as who pushes names it; its owner is that of the Service file with the last part of its name."""
    pairs = {**labels, SERVICE_LABEL: name.rpartition("/")[2]}
    return Ref(system=system, kind="service", id=name, labels=tuple(sorted(pairs.items())), links=links)


def repository_links(name: str) -> tuple[str, ...]:
    """A repository as the sources of GitHub and GitLab name it: its owner there is its owner here."""
    return (f"github:{name}", f"gitlab:{name}")
