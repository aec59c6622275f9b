"""Facts of incidents: when something was broken, how bad it was, and what each record of it names (domain section 6)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, NamedTuple

from platform_meter.model.facts import Facts, Tallied, Tally


class Severity(StrEnum):
    """How bad, whatever words the tool has for it."""

    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"
    UNKNOWN = "unknown"


class IncidentWay(StrEnum):
    """How an incident was told, in the order in which ways count where no record names another: the first with data, per
    service.
    """

    INCIDENTS_API = "incidents_api"
    """A tool for incidents."""
    TICKET = "ticket"
    """A ticket or issue whose label or type says that it is one."""
    PUSH = "push"
    ALERT = "alert"


class Link(StrEnum):
    """By what a failure is linked to a deployment, in the order in which the rules are tried."""

    NAMED = "named"
    """The incident names the deployment, its version or one of its commits."""
    ROLLBACK = "rollback"
    """An older version was brought back."""
    REVERT = "revert"
    """A change that came with it was reverted, or mended by a hotfix."""
    NEAR = "near"
    """It is the last one of the service before the incident, and not too old."""
    NONE = "none"


def start_of(
    at: datetime, detected: datetime | None, acknowledged: datetime | None, resolved: datetime | None
) -> datetime | None:
    """The earliest of its moments; None where that is its end."""
    first = min(moment for moment in (at, detected, acknowledged) if moment is not None)
    return None if first == resolved else first


class IncidentDim(NamedTuple):
    """What incidents are tallied by."""

    severity: Severity
    way: IncidentWay


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident(Tallied[IncidentDim]):
    """One record of one incident. `at` is its start: it is told while it is open, and its end comes as a newer version."""

    fills: ClassVar = (("severity",), ("detected",), ("acknowledged",), ("name",), ("url",), ("ids",), ("mentions",))

    severity: Severity = Severity.UNKNOWN
    way: IncidentWay = IncidentWay.INCIDENTS_API
    detected: datetime | None = None
    """When it was noticed, where that is told apart from its start."""
    acknowledged: datetime | None = None
    """When somebody took it on, which resolves nothing."""
    resolved: datetime | None = None
    """None while it is open; one that is opened again has none until it ends."""
    name: str = ""
    """What people call it: `PLAT-17`, `#42`."""
    url: str = ""
    ids: tuple[str, ...] = ()
    """By which another record may name it, its address among them."""
    mentions: tuple[str, ...] = ()
    """What its text and fields name (`named_in`): other records, deployments, versions and commits."""
    valid: bool = True
    """False where its tool says that it was none: a duplicate, a false alarm."""

    @property
    def start(self) -> datetime | None:
        """The earliest moment of it that anybody told; None where its end alone is known."""
        return start_of(self.at, self.detected, self.acknowledged, self.resolved)

    def commits(self) -> tuple[str, ...]:
        return tuple(word for word in self.mentions if _COMMIT.fullmatch(word))

    def tallies(self) -> tuple[Tally[IncidentDim], ...]:
        return (Tally(dim=IncidentDim(self.severity, self.way)),)


class LinkedDim(NamedTuple):
    """What linked incidents are tallied by."""

    severity: Severity
    link: Link


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedIncident(Tallied[LinkedDim]):
    """One incident, of however many records, and what links it to a deployment. `at` is its start.

    Written by the tick once it is over, or too old for a deployment to be near: it is counted once. Key: its first record.
    """

    severity: Severity
    link: Link

    def tallies(self) -> tuple[Tally[LinkedDim], ...]:
        return (Tally(dim=LinkedDim(self.severity, self.link)),)


MOST_MENTIONS = 100
"""Names that an event carries."""
_SHA = 40
_COMMIT = re.compile(r"[0-9a-f]{7,40}")
_ADDRESS = re.compile(r"https?://[^\s<>\"'|)\]}]+")
_WORD = re.compile(r"[A-Za-z0-9](?:[\w./#!@+:-]*[A-Za-z0-9])?")
_NAME = re.compile(
    r"[A-Za-z][A-Za-z0-9]+-\d+"  # a ticket
    r"|[\w.-]+/[\w./-]*[#!]\d+"  # a change or an issue of a repository
    r"|[\w./-]+@\S+"  # a version of something, or an image
    r"|v?\d+\.\d+(?:\.\d+)?[\w.+-]*"  # a version
)
"""Words of a text that may name a record. A number alone names too much."""


def named_in(*texts: str | None) -> tuple[str, ...]:
    """Addresses, keys of tickets, names of changes, versions and commits in these texts: each once, sorted.

    Of a commit the letters are small. At most `MOST_MENTIONS` are given.
    """
    found: set[str] = set()
    for text in texts:
        for address in _ADDRESS.findall(text or ""):
            found.add(address.rstrip(".,;:!?/"))
        rest = _ADDRESS.sub(" ", text or "")
        found.update(_named(word) for word in _WORD.findall(rest) if _NAME.fullmatch(word) or _is_commit(word))
    return tuple(sorted(found)[:MOST_MENTIONS])


def _is_commit(word: str) -> bool:
    """Whether it is a commit: a short one has letters and digits, or a date would be one and `deadbeef` too."""
    whole = _COMMIT.fullmatch(word.lower()) is not None
    return whole and (len(word) == _SHA or (any(c.isdigit() for c in word) and any(c.isalpha() for c in word)))


def _named(word: str) -> str:
    return word.lower() if _is_commit(word) else word


FACTS = Facts(events=(Incident, LinkedIncident))
