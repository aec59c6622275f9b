"""The values the store takes and gives. None of them knows of SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from platform_meter.model.facts import Fact, Ref
from platform_meter.model.history import Owner
from platform_meter.model.progress import Progress


class Directory(Protocol):
    """Who owns what, as people and portals say it (domain section 3)."""

    def intervals(
        self, ref: Ref, source_instance: str, linked: Mapping[str, Owner]
    ) -> Sequence[tuple[datetime | None, Owner]]:
        """Owners of an object with the moment from which each holds, in order; the first holds ever since (None).

        `linked` holds the owners now of those of `ref.links` that were ever seen.
        """
        ...

    def majority(self, owners: Sequence[Owner]) -> Owner | None:
        """The owner of a namespace by those of its workloads, if enough of them agree (rule 4)."""
        ...


Kinds = frozenset[type[Fact]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One run of one stream. A watch goes on after it ended: `replace` its `now` for each page, so that both move with it."""

    instance: str
    type: str
    stream: str
    number: int
    checkpoint: bytes | None
    since: datetime
    """Read everything that ended or changed since; already includes the overlap."""
    now: datetime
    """When it began: readings hold from here, and the watermark moves here when it ends."""
    backfill_before: datetime
    """Events before it are stored and never counted (domain section 4)."""
    first: bool = False
    """Nothing of the stream was read whole before."""
    token: int | None = None
    """The lease it runs under."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What became of a page's events. `rejected` counts refused facts by reason: future, naive, expired, invalid."""

    new: int = 0
    repeated: int = 0
    revised: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredStream:
    """One stream of a source as the configuration has it now."""

    name: str
    gives: Kinds
    every: timedelta
    """Between two successes, while all is well."""
    stale_after: timedelta | None = None
    """Age of the last success from which what it gives is stale; None is three polls, longer where one takes longer."""
    behind: timedelta = timedelta(0)
    """How long before its start a poll's reading ends."""
    sli: str = ""
    """The one SLI whose counts it gives; empty: any."""

    def patience(self, took: timedelta) -> timedelta:
        """For how long a success holds when the poll that ended with it `took` so long: the next may take as long."""
        return self.stale_after or 3 * max(self.every, took)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """One source instance as the configuration has it now."""

    instance: str
    type: str
    streams: tuple[ConfiguredStream, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterRow:
    """One counter or histogram series.

    `buckets` are a histogram's observations per bound, each bound alone and last +Inf; None for a counter. `value` is
    the counter's value or the number of observations, `sum` the sum of the observations, 0 for a counter.
    """

    metric: str
    labels: tuple[str, ...]
    value: float
    buckets: tuple[int, ...] | None
    sum: float
    first_seen: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamState:
    """How one stream does, for the Sources page."""

    instance: str
    type: str
    stream: str
    watermark: datetime | None
    last_success: datetime | None
    last_error: str
    """The text of the newest failure since the last success; empty when all is well."""
    last_error_at: datetime | None
    progress: Progress | None
    """How far the poll under way is; None between polls and where the source says nothing."""
    polls: int
    pushed: datetime | None = None
    """When something was last pushed to its source, if ever."""
    last_error_kind: str = ""
    """Of which kind the failure is: the name of its exception."""
    took: timedelta | None = None
    """How long the last complete poll ran; None before the first."""


class Calls(NamedTuple):
    """Calls to the API of one source with one outcome."""

    instance: str
    outcome: str
    at: datetime
    """Within the 5 minutes that they are counted in."""
    n: int


class Quota(NamedTuple):
    """What an API told of one of its quotas."""

    instance: str
    name: str
    """As the API calls it; empty where there is one alone."""
    limit: int
    remaining: int
    reset: datetime
    at: datetime
    """When it told that."""


class Lease(NamedTuple):
    """Who polls a source, and until when that holds without a sign of life."""

    instance: str
    holder: str
    expires: datetime


class Told(NamedTuple):
    """How much there is of one kind of fact from one source."""

    kind: str
    newest: datetime | None
    """When the newest event happened; None where there is none, or where facts of this kind only stand."""
    since: int
    """Events since the moment that was asked for."""
    standing: int
    """Readings that hold now."""


class GapRow(NamedTuple):
    """A range of history that could not be read."""

    source: str
    start: datetime
    end: datetime
    reason: str
    text: str
