"""What the config file may say of documents: where they are, where in them rows stand, and what each row tells.

All that can be known without a call is looked at here.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from platform_meter.model.access import Access
from platform_meter.model.facts.incidents import Severity
from platform_meter.model.scalars import Address, Definition, Duration, Period, PlacedError, Zone, beside
from platform_meter.model.source import SourceConfig
from platform_meter.sources.documents.pointer import Pointer, is_pointer
from platform_meter.sources.documents.values import MOST, has_zone, is_form
from platform_meter.sources.kit.names import called_twice
from platform_meter.sources.kit.query_api import WayIn

SYSTEM = "documents"
NOW = "now"
"""In place of where a moment stands: that of the poll."""
_PATH = re.compile(r"/[!-~]*")
_FILES = re.compile(r".*\.(csv|ndjson|jsonl)(\.gz)?")
_WORD = re.compile(r"[a-z][a-z0-9_]*")


def is_path(text: str) -> str:
    """Under the address.

    Raises:
        ValueError: it is none.
    """
    if not _PATH.fullmatch(text) or "?" in text or "#" in text:
        raise ValueError(
            f"'{text}' is no path under url; write for example /api/orders, and what follows a ? as params"
        )
    return text


def is_glob(text: str, info: ValidationInfo) -> str:
    """Files in one folder, all of them CSV or NDJSON; relative to the file that names them.

    Raises:
        ValueError: anything else.
    """
    folder, names = posixpath.split(text)
    if not _FILES.fullmatch(names):
        raise ValueError(
            f"'{names}' may be any file; end it with .csv, .ndjson or .jsonl, and .gz where they are packed"
        )
    if re.search(r"[*?[]", folder):
        raise ValueError(f"'{folder}' is several folders; write * in the names of files alone")
    return beside(text, info)


def is_moment(text: str) -> str:
    """`now`, or where a moment stands.

    Raises:
        ValueError: anything else.
    """
    return text if text == NOW else is_pointer(text)


def is_word(text: str) -> str:
    """A word of small letters.

    Raises:
        ValueError: anything else.
    """
    if not _WORD.fullmatch(text):
        raise ValueError(f"'{text}' is no word; write small letters, digits and _, beginning with a letter")
    return text


Word = Annotated[str, Field(max_length=40), AfterValidator(is_word)]
Name = Annotated[str, Field(min_length=1, max_length=100)]


class Is(Definition):
    """1 of a row whose value is one of these, else 0."""

    value: Pointer
    """Where it stands."""
    among: Annotated[tuple[str | int | bool, ...], Field(min_length=1)]
    """`[up, degraded]`."""


Amount = Annotated[float, Field(ge=0, le=MOST, strict=True)] | Pointer | Is
"""A number, where one stands, or 1 and 0 by what stands there."""


class Rows(Definition):
    """Where rows stand, and when each of them was."""

    path: Annotated[str, AfterValidator(is_path)] | None = None
    """Of a JSON document under `url`; or give `files`."""
    params: Mapping[str, str] = {}
    """Sent behind the path."""
    items: Pointer = ""
    """Where the list of rows stands in the document; an object there is a single row."""
    files: Annotated[str, AfterValidator(is_glob)] | None = None
    """CSV with a header, or NDJSON: `/var/exports/orders-*.csv`. Columns are read as `/NAME`."""
    separator: Literal[",", ";", "\t", "|"] = ","
    """Between the cells of CSV."""
    at: Annotated[str, AfterValidator(is_moment)]
    """Where a row's moment stands."""
    format: Annotated[str, AfterValidator(is_form)] | None = None
    """Of the moment, as `strptime` has it: `%d.%m.%Y %H:%M`. Else RFC 3339, or seconds or milliseconds since 1970."""
    zone: Zone | None = None
    """Of moments that do not name it: `Europe/Berlin`."""
    key: tuple[Pointer, ...] = ()
    """Where the values stand that tell rows apart."""
    by: tuple[Pointer, ...] = ()
    """Where the values stand that name what a row is about, joined by `/`."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.path is None) == (self.files is None):
            raise ValueError("rows stand either in a document at path or in files; write one of the two")
        lost = next((word for word in ("params", "items") if getattr(self, word)), None)
        if self.files is not None and lost:
            raise PlacedError(f"{lost} is of documents at a path; remove it, rows of files are their lines", lost)
        if self.files is not None and self.at == NOW:
            raise PlacedError("a file was written before; write where the moment of a row stands: /time", "at")
        if self.separator != "," and not self.tables:
            raise PlacedError("separator is of CSV; remove it", "separator")
        return self

    @model_validator(mode="after")
    def _one_zone(self) -> Self:
        named = self.format is not None and has_zone(self.format)
        if self.at == NOW and (self.format or self.zone):
            raise PlacedError("of now there is no format and no zone; remove them", "at")
        if self.format is not None and not named and self.zone is None:
            raise PlacedError("moments of this format name no zone; add zone, such as Europe/Berlin or UTC", "format")
        if self.zone is not None and (self.format is None or named):
            raise PlacedError("moments name their zone themselves; remove zone, or give a format without %z", "zone")
        return self

    @property
    def tables(self) -> bool:
        """Whether they are lines of CSV."""
        return self.files is not None and ".csv" in posixpath.basename(self.files)[-7:]

    @property
    def pointers(self) -> tuple[str, ...]:
        """All that is read of a row."""
        return (*self.by, *self.key, *(() if self.at == NOW else (self.at,)))


class SliRows(Rows):
    """Good and bad events of one SLI, counted in slices of time: a slice in each row."""

    id: Name
    """What SLO files with `metricSource.type: stored` call it; with `by`, the values there follow behind a `/`."""
    good: Amount | None = None
    """Good events. Two of `good`, `bad` and `total` are given."""
    bad: Amount | None = None
    """Bad events."""
    total: Amount | None = None
    """All valid events."""
    width: Period = timedelta(minutes=1)
    """Length of a slice."""
    stamp: Literal["start", "end"] = "start"
    """Which moment of its slice a row has."""

    @model_validator(mode="after")
    def _two_parts(self) -> Self:
        given = [word for word in ("good", "bad", "total") if getattr(self, word) is not None]
        if len(given) != 2:
            found = f"{', '.join(given)} {'are' if len(given) > 1 else 'is'} given" if given else "none is given"
            raise ValueError(
                f"an SLI needs two of good, bad and total, and {found}; write good and bad, or one and total"
            )
        if all(isinstance(getattr(self, word), float) for word in given):
            raise ValueError(f"{given[0]} and {given[1]} are the same of each row; write where one of them stands: /ok")
        if self.at == NOW and self.stamp == "end":
            raise PlacedError("of now there is no start and no end; remove stamp", "stamp")
        return self

    @property
    def stream(self) -> str:
        return f"sli/{self.id}"

    @property
    def pointers(self) -> tuple[str, ...]:
        return (*super().pointers, *_places(self.good, self.bad, self.total))


class UsageRows(Rows):
    """Use of a capability: what happened once in each row, or an amount of it."""

    action: Word
    """The verb of a Capability file."""
    by: Annotated[tuple[Pointer, ...], Field(min_length=1)]
    """Where the values stand that name whose use it is, joined by `/`: `[/repository]`."""
    kind: Word
    """Kind of the object: `repository`, `namespace`, `service`."""
    system: Word = SYSTEM
    """System whose object it is, as Ownership rules write it: `github`, `kubernetes`."""
    prefix: Annotated[str, Field(max_length=40)] = ""
    """Put before the name: `eu/` for the namespaces of a cluster."""
    amount: Amount = 1.0
    """How much it was."""
    subject: Pointer | None = None
    """Where it stands what was used, as a Capability file selects it."""
    actor: Pointer | None = None
    """Where it stands who used it; kept as a salted hash."""

    @model_validator(mode="after")
    def _happened(self) -> Self:
        if self.at == NOW:
            raise PlacedError("each poll would count the same use again; write where the moment of a row stands", "at")
        return self

    @property
    def stream(self) -> str:
        return f"usage/{self.action}/{self.system}/{self.kind}/{self.prefix}".rstrip("/")

    @property
    def pointers(self) -> tuple[str, ...]:
        told = (one for one in (self.subject, self.actor) if one is not None)
        return (*super().pointers, *_places(self.amount), *told)


class IncidentRows(Rows):
    """Incidents, each in a row that is there until it has ended."""

    id: Name
    """What tells several such entries apart."""
    by: Annotated[tuple[Pointer, ...], Field(min_length=1)]
    """Where it stands whose it is, as the Service file names it."""
    key: Annotated[tuple[Pointer, ...], Field(min_length=1)]
    """Where its own id stands."""
    resolved: Pointer
    """Where its end stands; while it is open, null, an empty text or nothing does."""
    detected: Pointer | None = None
    """Where it stands when it was noticed."""
    acknowledged: Pointer | None = None
    """Where it stands when somebody took it on."""
    severity: Pointer | None = None
    """Where it stands how bad it is."""
    severities: dict[str, Severity] = Field(default_factory=dict, examples=["{'1': critical}"])
    """What words there mean, before the table of the documentation."""
    name: Pointer | None = None
    """Where it stands what people call it."""
    url: Pointer | None = None
    """Where the address of its page stands."""
    texts: tuple[Pointer, ...] = ()
    """Where texts stand that may name deployments, versions, commits and other incidents; they are not kept."""

    @model_validator(mode="after")
    def _began(self) -> Self:
        if self.at == NOW:
            raise PlacedError("an incident began before it was read; write where its start stands", "at")
        return self

    @property
    def stream(self) -> str:
        return f"incidents/{self.id}"

    @property
    def pointers(self) -> tuple[str, ...]:
        told = (self.resolved, self.detected, self.acknowledged, self.severity, self.name, self.url)
        return (*super().pointers, *(one for one in told if one is not None), *self.texts)


class FeedbackRows(Rows):
    """What people asked for in interviews and forms, a piece of feedback in each row. No text of it is kept."""

    id: Name
    """What tells several such entries apart."""
    key: Annotated[tuple[Pointer, ...], Field(min_length=1)]
    """Where its own id stands, by which items of roadmaps name it: `SOURCE:ID`."""
    theme: Pointer
    """Where it stands what it is about, in a word or two."""
    persona: Pointer | None = None
    """Where it stands whose it is, as the Persona file is called."""
    told: Pointer | None = None
    """Where it stands when its reporter was told what became of it."""
    closed: Is | None = None
    """Which values say that nothing more will come of it."""

    @model_validator(mode="after")
    def _was(self) -> Self:
        if self.at == NOW:
            raise PlacedError("somebody said it before it was read; write where the moment of a row stands", "at")
        if self.by:
            raise PlacedError("feedback is nobody's service; remove by", "by")
        return self

    @property
    def stream(self) -> str:
        return f"feedback/{self.id}"

    @property
    def pointers(self) -> tuple[str, ...]:
        told = (one for one in (self.persona, self.told) if one is not None)
        return (*super().pointers, self.theme, *told, *_places(self.closed))


class TrainingRows(Rows):
    """Who takes which course, a person and a course in each row."""

    id: Name
    """What tells several such entries apart."""
    course: Pointer
    """Where it stands what the course is called."""
    person: Pointer
    """Where it stands who takes it; kept as a salted hash."""
    completed: Pointer | None = None
    """Where it stands when they got through; until then null, an empty text or nothing does."""

    @model_validator(mode="after")
    def _began(self) -> Self:
        if self.at == NOW:
            raise PlacedError("each poll would begin the course anew; write where the moment of a row stands", "at")
        if self.by:
            raise PlacedError("a course is nobody's service; remove by", "by")
        return self

    @property
    def stream(self) -> str:
        return f"training/{self.id}"

    @property
    def pointers(self) -> tuple[str, ...]:
        told = () if self.completed is None else (self.completed,)
        return (*super().pointers, self.course, self.person, *told)


def _places(*amounts: Amount | None) -> tuple[str, ...]:
    told = (one.value if isinstance(one, Is) else one for one in amounts)
    return tuple(one for one in told if isinstance(one, str))


Entry = SliRows | UsageRows | IncidentRows | FeedbackRows | TrainingRows


class Config(WayIn, SourceConfig):
    """Settings of one server or folder."""

    url: Address | None = None
    """Address that the paths stand under."""
    slis: tuple[SliRows, ...] = ()
    """Rows that count good and bad events."""
    usage: tuple[UsageRows, ...] = ()
    """Rows that are use of capabilities."""
    incidents: tuple[IncidentRows, ...] = ()
    """Rows that are incidents."""
    feedback: tuple[FeedbackRows, ...] = ()
    """Rows that are feedback."""
    training: tuple[TrainingRows, ...] = ()
    """Rows that tell who takes which course."""
    delay: Duration = timedelta(minutes=1)
    """A slice of an SLI is told when it ended this long ago."""

    @model_validator(mode="after")
    def _reads(self) -> Self:
        if not self.entries:
            raise ValueError("nothing is read; write slis, usage, incidents, feedback or training")
        twice = called_twice(entry.stream for entry in self.entries)
        if twice is not None:
            raise ValueError(f"{twice} is there twice; give one of them another name, or name files by one glob")
        asked = any(entry.path is not None for entry in self.entries)
        if asked and self.url is None:
            raise ValueError("a path is read and url says not where; add url: https://HOST")
        if self.url is not None and not asked:
            raise PlacedError("nothing is read there; write a path, or remove url", "url")
        return self

    @property
    def entries(self) -> tuple[Entry, ...]:
        return (*self.slis, *self.usage, *self.incidents, *self.feedback, *self.training)

    @property
    def access(self) -> Access:
        return self.access_to(self.url or "")
