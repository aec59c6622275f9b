"""What a source is: it reads one outside system and says facts. It knows nothing of metrics or schedules.

A source promises one thing: it may repeat, it must not skip. The poller keeps the overlap, the store drops what it
has already counted. Adding one takes a folder in `sources/`, its test with a `CASE`, and a section in `docs/sources.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel

from platform_meter.model.access import Access
from platform_meter.model.definitions import Definitions
from platform_meter.model.endpoint import Endpoint, Look
from platform_meter.model.facts import Fact, Reading
from platform_meter.model.objective import Asked
from platform_meter.model.programme import RoadmapSource
from platform_meter.model.progress import Progress
from platform_meter.model.proposal import Proposal, Surroundings
from platform_meter.model.push import Receiver
from platform_meter.model.scalars import Definition, Duration, Period

C = TypeVar("C", bound=BaseModel)
T = TypeVar("T")
TicketWord = Literal["clock", "request_type"]
"""What Ticketing files may take of a source and many tell only on request: the tool's own clocks, the form of a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One step of a poll: facts and the place to go on, saved together in one transaction or not at all."""

    facts: Sequence[Fact] = ()
    checkpoint: bytes | None = None
    """Where to go on; opaque to all but the source. None leaves the last one."""
    gone: Sequence[tuple[type[Reading], str]] = ()
    """Readings (type, key) that stopped being true, as a watch reports them."""
    complete: frozenset[type[Reading]] = frozenset()
    """Reading types of which this stream has now said all since the poll began: what it did not repeat is over."""
    caught_up: bool = False
    """A watch has now said all that stood; what follows is news. One round of all sources ends here."""
    progress: Progress | None = None
    """None says nothing new of it."""
    again: timedelta | None = None
    """A watch that has nothing to watch: after so long it is called again. None is at once."""
    rejected: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Rows that were left out since the last page, by kind of fact and reason (`platform_meter_events_rejected_total`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A range of history that the system can't or won't tell any more (`platform_meter_source_gaps_total`)."""

    start: datetime
    end: datetime
    reason: str
    """A bounded word: result_cap, expired, pruned, forbidden, unreadable."""
    text: str = ""
    what: str = ""
    """Whose history it is, such as one list of one repository; empty where nothing can read it later."""

    def lies_in(self, what: str, start: datetime, end: datetime) -> bool:
        """Whether it is one of `what` and no part of it is outside of this range."""
        return self.what == what != "" and start <= self.start and self.end <= end


Poll = Callable[[bytes | None, datetime, datetime], Iterator[Page]]
"""(checkpoint, read everything since, now) -> pages. `since` already includes the overlap."""


class Mode(StrEnum):
    POLL = "poll"
    """Called every `every`, ends by itself."""
    WATCH = "watch"
    """Runs on a thread of its own; when it ends or fails it is called again with the last checkpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One independently scheduled read of a source, with a checkpoint of its own."""

    name: str
    read: Poll
    gives: frozenset[type[Fact]]
    """Kinds of fact it may say. What is known of a kind is as old as the streams that give it, whatever others do."""
    mode: Mode = Mode.POLL
    every: timedelta | None = None
    """Of a poll the time between two, None taking the source's `every`; of a watch the longest it says nothing while
    all is well."""
    behind: timedelta = timedelta(0)
    """How long before its start a poll's reading ends: what happened since then is not known yet, and no window holds it."""
    sli: str = ""
    """The one SLI whose counts it gives: how far that one is known hangs on no other stream. Empty: any."""
    probe: bool = False
    """It asks whether the system answers, and goes on while the quota of all other calls is used up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Generic[T]):
    """A decoded response. `changed` is False when the validators of the last answer still hold (304): body is None."""

    body: T | None
    headers: Mapping[str, str]
    changed: bool = True
    etag: str = ""
    odd: int = 0
    """Rows that were left out of the body (`sources.kit.rows`): a page's length is theirs too."""


BLOCK = 1 << 20
"""Bytes of a file that are read at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """A file of another program, as it was when it was looked for."""

    path: str
    id: str
    """Of this machine's file system: stays when the file is renamed, and is another one of a file that was made anew."""
    size: int
    """Bytes as they lie there, packed or not."""
    changed: datetime


class Outside(Protocol):
    """The only way out. Auth, TLS, timeouts, retries, quota, `Retry-After`, breaker and size bounds are its business.

    All calls raise the errors below and nothing else. Paths are relative to the source's base URL, or whole URLs of
    the same host. `params` values are sent as they are written; None leaves one out. Threads may share it.
    """

    @property
    def at_once(self) -> int:
        """How many calls are worth making side by side: what the system allows (`Access.pace`), else one."""
        ...

    def get(
        self,
        path: str,
        type_: type[T],
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        etag: str = "",
    ) -> Answer[T]:
        """GET and decode JSON as `type_` (msgspec). With `etag`, sends If-None-Match and may answer unchanged."""
        ...

    def post(
        self, path: str, type_: type[T], *, body: Any, headers: Mapping[str, str] | None = None, form: bool = False
    ) -> Answer[T]:
        """POST a JSON body to a *reading* endpoint (Jira search) and decode the answer; as `form`, a mapping as a page's form."""
        ...

    def text(
        self, path: str, *, params: Mapping[str, Any] | None = None, timeout: float | None = None
    ) -> tuple[int, str]:
        """GET plain text (probes, /metrics). Any HTTP status is an answer here, not an error; one try only."""
        ...

    def lines(
        self,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 330.0,
    ) -> Iterator[Sequence[bytes]]:
        """GET an answer of any length in lines (watches, large `/metrics`); each item is the lines that came together.

        The first come at once, more of them about a second later, so that many small changes are few items and no line
        waits for the next one. Ends when the server ends it, or with `TimedOut` once it is silent for `timeout` seconds;
        `stop` ends it from our side.
        """
        ...

    def look(self, endpoint: Endpoint, *, timeout: float) -> Look:
        """One probe of any endpoint, wherever it is, without a credential; what it did within `timeout` seconds is told.

        No answer is no error, but `Severed` is: it failed on our side and tells nothing of the endpoint.
        """
        ...

    def gap(self, gap: Gap) -> None:
        """Say that a range of history is not readable. Counted once per range."""
        ...

    def filled(self, what: str, start: datetime, end: datetime) -> None:
        """Say that all of this range was read after all: gaps of `what` within it are none any more. They stay counted."""
        ...

    def hashed(self, person: str) -> str:
        """A salted hash of a person's id; the only form in which people are kept."""
        ...

    def beside(self, name: str) -> Outside:
        """The way to another address that the source's `Access.beside` has under this name."""
        ...

    def files(self, folder: str, *patterns: str) -> Sequence[FoundFile]:
        """Files in a folder of this machine whose names fit one of these globs; the one that was changed last comes last."""
        ...

    def blocks(self, file: FoundFile, start: int = 0) -> Iterator[bytes]:
        """What it held when it was found, from byte `start` on, in blocks of `BLOCK` but the last; unpacked where it is a gzip.

        `start` is counted in what is unpacked. Raises `Moved` where another file has its name by now, or where it is
        still being packed.
        """
        ...


class SourceError(Exception):
    """A call failed; the subclasses are grouped by what the runner does next. The text is for an operator."""


class Unreachable(SourceError):
    """No answer, or 5xx after all retries: try again at the next poll."""


class TimedOut(Unreachable):
    """No answer in time, as against a refused connection or a 5xx."""


class Moved(Unreachable):
    """A file is not what it was when it was found; look for it again."""


class Severed(Unreachable):
    """No answer for a reason on our side of the connection: certificate, name, proxy, route. It tells nothing of theirs."""


class Refused(SourceError):
    """The credential is not accepted (401) or can't be used. `retry`: when the next call is let through, if not at once."""

    def __init__(self, text: str, retry: datetime | None = None) -> None:
        super().__init__(text)
        self.retry = retry


class Forbidden(Refused):
    """403: the credential is accepted and lacks a permission, which the text names where the system does."""


class Limited(SourceError):
    """The quota is used up: wait until `until`."""

    def __init__(self, text: str, until: datetime) -> None:
        super().__init__(text)
        self.until = until


class Expired(SourceError):
    """410 or an invalid cursor: the source starts again without its checkpoint."""


class Unexpected(SourceError):
    """An answer we can't read (bad JSON, another shape, 4xx). `status` is 0 when it was a 2xx.

    `answer` is what was said, where it is JSON of another shape: asked again, it would be the same.
    """

    def __init__(self, text: str, status: int = 0, answer: Answer[bytes] | None = None) -> None:
        super().__init__(text)
        self.status, self.answer = status, answer


class SourceConfig(Definition):
    """Settings every source has. A source's own Config subclasses this."""

    every: Period = timedelta(minutes=1)
    """Time between two polls."""
    reconcile: Period | None = None
    """Time between two polls while what they would tell is pushed; as soon as nothing came for so long, `every` holds again."""
    timeout: Period = timedelta(seconds=30)
    """For one request."""
    lookback: Duration | None = None
    """How far each poll overlaps the last; default two polls, at least 15 min."""
    stale_after: Period | None = None
    """Gauges disappear after this long without a success of what they rest on; default three polls, where a poll takes
    longer than `every` three times as long as the last one took."""
    history: Period = timedelta(days=90)
    """How far the first poll reaches back."""

    @property
    def overlap(self) -> timedelta:
        """How far two polls overlap: the setting, else two polls, at least 15 min (domain section 4)."""
        return max(2 * self.every, timedelta(minutes=15)) if self.lookback is None else self.lookback


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking(Generic[C]):
    """How SLO files ask a source to count: with its name as `metricSource.type`."""

    spec: type[BaseModel]
    """What `metricSource.spec` may say of all events, and of the good or the bad ones."""
    level: type[BaseModel] | None = None
    """What it may say of a level that is held against a bound in each minute; None: levels can't be asked for."""
    settings: Callable[[C, Sequence[Asked]], C]
    """(settings, what is asked) -> the settings with these SLIs too, each called by its `id`; its counts are `SliCount`s
    of the stream `sli/ID`. Raises `ValueError` where both parts do not go together; the text is for who wrote the file.
    """
    behind: Callable[[C], timedelta]
    """How long after its end a minute is read."""
    good_late: timedelta = timedelta(0)
    """How long after its end a minute without good events is told, where these are asked for: they may be on their way."""


class Area(StrEnum):
    """Which part of a platform a system belongs to, in the order in which pages and tables have them."""

    CI_CD = "CI/CD"
    CLUSTERS = "Clusters"
    GATEWAYS = "Gateways"
    MESH = "Mesh"
    OBSERVABILITY = "Observability"
    TICKETS = "Tickets and incidents"
    PORTAL = "Portal"
    PEOPLE = "People"
    OTHER = "Other"
    """Of an installed package that says none of these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source(Generic[C]):
    """One outside system's type."""

    name: str
    """Config `type`, `source` label, docs row."""
    title: str
    """The system as its maker writes it: `GitHub`."""
    reads: str
    """What is read there, for the tables of README and docs/sources.md."""
    needs: str
    """The least that its credential must be allowed, for the same."""
    config: type[C]
    gives: frozenset[type[Fact]]
    """The contract test holds it to this."""
    access: Callable[[C], Access]
    connect: Callable[[C, Outside, str], Sequence[Stream]]
    """(settings, way out, instance name) -> streams."""
    check: Callable[[C, Outside], Sequence[str]]
    """A small real call; one line per missing permission, empty when all is well."""
    area: Area = Area.OTHER
    """What it is shown with."""
    people: bool = False
    """Whether its `Usage` tells who it was, as a salted hash; without that nobody can be a unit of adoption."""
    priorities: Callable[[C, Outside], Collection[str]] = lambda _, __: ()
    """What the tool calls the priorities of its tickets, in the words of the settings; nothing where it does not tell."""
    receives: Receiver[C] | None = None
    """How it is pushed to at `/api/v1/events/<instance>`; None: it is not."""
    declared: Callable[[Definitions], Mapping[str, C]] = lambda _: {}
    """Settings of instances that definitions ask for beside those of the configuration, by the name of the instance."""
    asked: Asking[C] | None = None
    """How SLO files ask it to count; None: they can't."""
    targets: Callable[[C, str], Collection[str] | None] = lambda _, __: None
    """(settings, instance name) -> targets of the probe checks that it makes; None where the checks alone tell."""
    roadmaps: Callable[[C, Sequence[RoadmapSource]], C] | None = None
    """(settings, files of roadmaps that stand there) -> the settings with these too; None: none can stand there."""
    on_request: Mapping[TicketWord, str] = field(default_factory=dict)
    """What Ticketing files may take of its tickets where a switch among its settings is on, and the name of that one; empty
    of what it tells anyhow. Forms of requests that are not in here it never tells."""
    propose: Callable[[Surroundings], Proposal | None] = lambda _: None
    """What `platform-meter init` writes of it; None for nothing."""


class Placed(Protocol):
    """A type of source, or one that is configured."""

    @property
    def area(self) -> Area:
        """What it is shown with."""
        ...


P = TypeVar("P", bound=Placed)


def by_area(sources: Iterable[P]) -> Mapping[Area, Sequence[P]]:
    """Those that there are, by what they are shown with; in order."""
    found: dict[Area, list[P]] = {area: [] for area in Area}
    for source in sources:
        found[source.area].append(source)
    return {area: of for area, of in found.items() if of}
