"""Plain JSON: deployments, changes and incidents as one `curl` sends them. docs/push.md has the schema."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    StrictBool,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from platform_meter.model.facts import Event
from platform_meter.model.facts.delivery import MOST_CHANGES, Change, DeployKind, Deployment, DeployResult, DeployWay
from platform_meter.model.facts.incidents import MOST_MENTIONS, Incident, IncidentWay, Severity
from platform_meter.model.push import Unreadable
from platform_meter.sources.kit.pushed import LONGEST, SKEW
from platform_meter.sources.kit.rows import FIRST
from platform_meter.sources.push.facts import about, is_commit
from platform_meter.sources.push.problems import SHOWN, near, refuse_all, shown, told

MOST = 1_000
"""Things in one request."""
_STAMP = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:?\d\d)")


def _moment(value: Any, info: ValidationInfo) -> datetime:
    """RFC 3339 with a zone, not in the future.

    Raises:
        ValueError: anything else.
    """
    text = value if isinstance(value, str) else ""
    instead = "write it with its zone, such as 2026-05-04T12:00:00Z"
    if not _STAMP.fullmatch(text):
        raise ValueError(f"{shown(value)} is no moment; {instead}")
    try:
        at = datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{shown(value)} is no moment; {instead}") from None
    if not FIRST <= at <= (info.context or {})["now"] + SKEW:
        raise ValueError(f"{shown(value)} has not been yet, or long ago; {instead}")
    return at


def _commit(value: str) -> str:
    """A whole commit.

    Raises:
        ValueError: anything else.
    """
    if not is_commit(value.lower()) or len(value) != len("0" * 40):
        raise ValueError(f"{shown(value)} is no whole commit; write all 40 digits, as `git rev-parse HEAD` prints them")
    return value.lower()


Text = Annotated[str, Field(min_length=1, max_length=LONGEST, pattern=r"^[^\x00-\x1f]+$")]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Commit = Annotated[str, AfterValidator(_commit)]
Address = Annotated[str, Field(max_length=2_000, pattern=r"^https?://[^\s\x00-\x1f]+$")]
Names = Annotated[tuple[Text, ...], Field(max_length=MOST_MENTIONS)]


class _Thing(BaseModel):
    """What all of them have."""

    model_config = {"extra": "forbid", "frozen": True}

    id: Text | None = Field(None, examples=["release-17"])
    """Its own name: what is sent again with the same one is the same."""
    service: Text | None = Field(None, examples=["payments"])
    """Whose it is, as the Service file names it."""
    repository: Text | None = Field(None, examples=["acme/payments"])
    """Whose it is, as GitHub or GitLab names it; with `service`, beside it."""
    updated_at: Moment | None = None
    """Which of two with one id is newer; without it, the latest moment that each tells."""
    url: Address = Field("", examples=["https://ci.example/releases/17"])
    """Its own page."""

    @classmethod
    def lacking(cls, value: Mapping[str, Any]) -> Iterator[str]:
        """What is missing of keys of which one has to be there."""
        if not value.get("service") and not value.get("repository"):
            yield 'it names neither `service` nor `repository`; write one of them, such as "service": "payments"'

    def updated(self, *moments: datetime | None) -> datetime:
        return self.updated_at or max(at for at in moments if at is not None)


class PlainDeployment(_Thing):
    """A rollout that ended."""

    environment: Text = Field(examples=["production"])
    sha: Commit = Field("", examples=["c0ffee0000000000000000000000000000000001"])
    """Commit that was rolled out; without it, no lead time."""
    version: Text | None = Field(None, examples=["1.4.0"])
    """Its version or image digest."""
    finished_at: Moment = Field(examples=["2026-05-04T12:00:00Z"])
    started_at: Moment | None = None
    result: DeployResult = DeployResult.SUCCESS
    kind: DeployKind = DeployKind.PLANNED
    after: Commit = ""
    """Commit that served before it."""
    changes: Annotated[tuple[Commit, ...], Field(max_length=MOST_CHANGES)] = ()
    """Commits in `sha` and not in `after`, oldest first."""

    @classmethod
    def lacking(cls, value: Mapping[str, Any]) -> Iterator[str]:
        yield from super().lacking(value)
        if not value.get("sha") and not value.get("version"):
            yield "it names neither `sha` nor `version`; write what was rolled out, best its commit"

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.changes and not self.after:
            raise ValueError("it has `changes` without `after`; write the commit that served before them")
        if self.started_at is not None and self.started_at > self.finished_at:
            raise ValueError("`started_at` lies after `finished_at`; change one of them")
        return self

    def event(self) -> Deployment:
        ref = about(self.service, self.repository)
        made = f"{ref.id}/{self.environment}/{self.sha or self.version}/{self.finished_at:%Y-%m-%dT%H:%M:%S.%fZ}"
        return Deployment(
            key=f"deployment/{self.id or made}",
            at=self.finished_at,
            about=ref,
            updated=self.updated(self.finished_at),
            environment=self.environment,
            sha=self.sha,
            result=self.result,
            kind=self.kind,
            version=self.version or "",
            started=self.started_at,
            way=DeployWay.PUSH,
            after=self.after,
            changes=self.changes,
            url=self.url,
        )


class PlainChange(_Thing):
    """A merged change."""

    sha: Commit = Field(examples=["c0ffee0000000000000000000000000000000001"])
    """The commit that its merge made."""
    merged_at: Moment = Field(examples=["2026-05-04T11:00:00Z"])
    opened_at: Moment | None = None
    first_commit_at: Moment | None = None
    first_review_at: Moment | None = None
    """The first by another person."""
    name: Text = Field("", examples=["acme/payments#12"])
    """What people call it."""
    branch: Text = ""
    """What it was merged into."""
    labels: Names = ()
    bot: StrictBool = False
    """Whether a machine made it."""
    reverts: Names = ()
    """Changes that it takes back, by name or commit; it is a revert then."""
    fixes: Names = ()
    """Changes that it mends, by name or commit; it is a hotfix then."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.opened_at is not None and self.opened_at > self.merged_at:
            raise ValueError("`opened_at` lies after `merged_at`; change one of them")
        return self

    def event(self) -> Change:
        kinds = {"revert" if self.reverts else "", "hotfix" if self.fixes else ""} - {""}
        return Change(
            key=f"change/{self.id or self.sha}",
            at=self.merged_at,
            about=about(self.service, self.repository),
            updated=self.updated(self.merged_at),
            sha=self.sha,
            opened=self.opened_at,
            first_commit=self.first_commit_at,
            first_review=self.first_review_at,
            labels=tuple(sorted({*self.labels, *kinds})),
            bot=self.bot,
            name=self.name,
            branch=self.branch,
            undoes=self.reverts,
            mends=self.fixes,
            url=self.url,
        )


class PlainIncident(_Thing):
    """An incident, open or resolved; sent again under its id whenever it changes."""

    id: Text = Field(examples=["INC-42"])
    started_at: Moment = Field(examples=["2026-05-04T12:10:00Z"])
    detected_at: Moment | None = None
    acknowledged_at: Moment | None = None
    """When somebody took it on, which resolves nothing."""
    resolved_at: Moment | None = None
    """Absent while it is open."""
    severity: Severity = Severity.UNKNOWN
    name: Text = ""
    """What people call it."""
    deployment: Text | None = Field(None, examples=["release-17"])
    """The deployment that broke it: its `id`, commit or version."""
    mentions: Names = ()
    """Other records of the same incident, commits and versions that it names."""
    valid: StrictBool = True
    """False for a false alarm or a duplicate."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.resolved_at is not None and self.resolved_at < self.started_at:
            raise ValueError("`resolved_at` lies before `started_at`; change one of them")
        return self

    def event(self) -> Incident:
        deployment = {self.deployment, f"deployment/{self.deployment}"} if self.deployment else set[str]()
        return Incident(
            key=f"incident/{self.id}",
            at=self.started_at,
            about=about(self.service, self.repository),
            updated=self.updated(self.started_at, self.detected_at, self.acknowledged_at, self.resolved_at),
            severity=self.severity,
            way=IncidentWay.PUSH,
            detected=self.detected_at,
            acknowledged=self.acknowledged_at,
            resolved=self.resolved_at,
            name=self.name,
            url=self.url,
            ids=tuple(sorted({"" if self.id.isdecimal() else self.id, self.url} - {""})),
            mentions=tuple(sorted({*self.mentions, *deployment})),
            valid=self.valid,
        )


KINDS: dict[str, type[PlainDeployment | PlainChange | PlainIncident]] = {
    "deployment": PlainDeployment,
    "change": PlainChange,
    "incident": PlainIncident,
}


def events(tree: Any, now: datetime) -> Sequence[Event]:
    """What an object, or a list of such, says: each has one or more of the keys of `KINDS`.

    Raises:
        Unreadable: all that is wrong with it, a line each.
    """
    things = tree if isinstance(tree, list) else [tree]
    if len(things) > MOST:
        raise Unreadable(f"{len(things)} things in one request; send at most {MOST} at once")
    found: list[Event] = []
    refuse_all(_read(things, now, found, listed=isinstance(tree, list)))
    return found


def _read(things: Sequence[Any], now: datetime, found: list[Event], *, listed: bool) -> Iterator[str]:
    """Put what they say into `found`, and tell what is wrong with them."""
    for number, thing in enumerate(things):
        where = f"[{number}]" if listed else ""
        for word, value, wrong in _parts(thing):
            at = f"{where}.{word}".strip(".")
            if wrong:
                yield f"{at or 'the body'}: {wrong}"
                continue
            model = KINDS[word]
            for text in model.lacking(value) if isinstance(value, dict) else ():
                yield f"{at}: {text}"
            try:
                found.append(model.model_validate(value, context={"now": now}).event())
            except ValidationError as error:
                yield from (told(at, one, model) for one in error.errors())


def _parts(thing: Any) -> Iterator[tuple[str, Any, str]]:
    """Its keys with their values, and what is wrong with a key."""
    instead = 'write {"deployment": {...}}, {"change": {...}} or {"incident": {...}}, or a list of such'
    if not isinstance(thing, dict) or not thing:
        yield "", thing, f"{shown(thing)} says nothing; {instead}"
        return
    for word, value in thing.items():
        yield word[:SHOWN], value, "" if word in KINDS else f"unknown key{near(word, KINDS)}; {instead}"
