"""What stands behind a number as people and programs read it: each fact in a line, with its owner and its own page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any

from platform_meter.explain import Explained
from platform_meter.model.facts import Event, Reading
from platform_meter.model.history import ObjectRow, UnitState
from platform_meter.model.measure import Piece, Scene

UNSAID = frozenset(
    {
        "key",
        "at",
        "since",
        "updated",
        "about",
        "url",
        "group",
        "aliases",
        "today",
        "actor",
        "requester",
        "respondent",
        "person",
        "people",
        "codeowner",
    }
)
"""Fields of facts that are said elsewhere, tell nobody anything, or are people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldFact:
    """One fact behind a number."""

    kind: str
    at: datetime | None
    """When it happened, or since when it stands; None where nobody knows."""
    source: str
    object: str
    """As Ownership rules write it, or the unit of an adoption."""
    service: str
    team: str
    rule: str
    """The ownership rule that says whose it is."""
    url: str
    """Its own page in the system that told it; empty where it has none."""
    adds: float
    part: float
    details: Mapping[str, Any]
    """What else the fact says, by its own words."""


def facts(scene: Scene, found: Explained) -> Iterator[ToldFact]:
    """The facts that are listed, in their order."""
    wanted = {piece.object for piece in found.pieces}
    objects = {row.id: row for row in scene.history.objects() if row.id in wanted} if wanted - {None} else {}
    for piece in found.pieces:
        row = None if piece.object is None else objects.get(piece.object)
        yield _told(scene, piece, row, nameless=found.labels.get("unit") == "person")


def as_json(scene: Scene, found: Explained) -> dict[str, Any]:
    """All of it, for programs: times in UTC, durations in seconds."""
    return {
        "metric": found.metric.name,
        "labels": dict(found.labels),
        "value": found.value,
        "facts": found.count,
        "adds": found.adds,
        "part": found.part,
        "notes": list(found.notes),
        "listed": [{f.name: _plain(getattr(fact, f.name)) for f in fields(fact)} for fact in facts(scene, found)],
    }


def as_text(scene: Scene, found: Explained) -> Iterator[str]:
    """The same in lines for people, times in the configured zone."""
    labels = ", ".join(f"{name}={value}" for name, value in found.labels.items())
    value = "absent" if found.value is None else f"{found.value:,.6g}"
    yield f"{found.metric.name}{{{labels}}} is {value}"
    yield f"  {found.metric.help}"
    for note in found.notes:
        yield f"  note: {note}"
    if found.count:
        ratio = f", of which {found.part:,.6g} are its part" if found.part else ""
        yield f"  {found.count:,} facts, which add up to {found.adds:,.6g}{ratio}:"
    for fact in facts(scene, found):
        at = f"{fact.at.astimezone(scene.zone):%Y-%m-%d %H:%M:%S}" if fact.at else " " * 19
        details = " ".join(f"{name}={_short(value)}" for name, value in fact.details.items())
        owner = f"{fact.service}, {fact.team} by rule {fact.rule}" if fact.rule else fact.team
        page = f"  {fact.url}" if fact.url else ""
        yield f"  {at}  {fact.adds:,.6g}  {fact.kind} {fact.object}  {details}  [{owner}]{page}".replace("  []", "")
    if found.count > len(found.pieces):
        yield f"  and {found.count - len(found.pieces):,} earlier ones"


def _told(scene: Scene, piece: Piece, row: ObjectRow | None, *, nameless: bool) -> ToldFact:
    """`nameless`: its unit is a person, who is nobody here; only how many there are may be known."""
    fact = piece.fact
    at: datetime | None = None
    kind, url, object_ = row.kind if row else "", "", row.name if row else piece.what
    details: dict[str, Any] = {}
    owner = row.owner if row else None
    if isinstance(fact, Event | Reading):
        kind, url, object_ = type(fact).__name__, getattr(fact, "url", ""), fact.about.name
        at = fact.at if isinstance(fact, Event) else fact.since
        details = _details(fact)
        if isinstance(fact, Event) and piece.object is not None:
            owner = scene.history.owner(piece.object, fact.at)
    elif isinstance(fact, UnitState):
        kind, object_ = fact.state, "" if nameless else fact.unit
    return ToldFact(
        kind=kind,
        at=at,
        source=piece.source,
        object=object_,
        service=owner.service if owner else "",
        team=owner.team if owner else "",
        rule=owner.rule if owner else "",
        url=url,
        adds=piece.adds,
        part=piece.part,
        details=details,
    )


def _details(fact: Event | Reading) -> dict[str, Any]:
    said = ((f.name, getattr(fact, f.name)) for f in fields(fact) if f.name not in UNSAID)
    return {name: _plain(value) for name, value in said if value not in (None, "", (), False)}


def _plain(value: Any) -> Any:
    """As JSON has it."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    return value


def _short(value: Any) -> str:
    text = f"{value:,.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
