"""A small company for adoption tests: teams send requests through a gateway (kong) and own repositories (github)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.support.history import BEGINNING, MemoryHistory, owner, source

from platform_meter.model.definitions import Capability, Definitions, Service, Team
from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.delivery import Repository
from platform_meter.model.facts.use import Usage
from platform_meter.model.history import Owner, UnitState
from platform_meter.model.measure import Scene

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
"""A Wednesday noon; the watermark unless a test says otherwise."""
TODAY = NOW.date()
EVENTFUL = {"source": "kong", "verb": "request"}
"""An `adopted` that rests on events."""

Told = tuple[str, Owner, Fact]


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def use(
    unit: str, at: datetime, *, team: str = "", amount: float = 1.0, actor: str = "", action: str = "request"
) -> Told:
    """One use by the service `unit` (its team is named alike unless given)."""
    about = Ref(system="kong", kind="route", id=unit)
    key = f"{unit}/{at.isoformat()}/{actor}/{action}"
    return ("kong", owner(unit, team), Usage(key=key, at=at, about=about, action=action, amount=amount, actor=actor))


def repository(
    unit: str, *, team: str = "", name: str = "", archived: bool = False, visibility: str = ""
) -> Repository:
    labels = (("visibility", visibility),) if visibility else ()
    return Repository(about=Ref(system="github", kind="repository", id=name or unit, labels=labels), archived=archived)


def owned(
    unit: str, start: datetime, until: datetime | None = None, *, team: str = "", name: str = ""
) -> tuple[str, Owner, Repository, datetime, datetime | None]:
    """A repository of `unit` that stands from `start` on."""
    return ("github", owner(unit, team), repository(unit, name=name), start, until)


def capability(**changed: Any) -> Capability:
    """Teams adopt by a repository and are active by one request in 28 days, unless changed."""
    said: dict[str, Any] = {
        "kind": "Capability",
        "id": "gateway",
        "unit": "team",
        "owner": "platform",
        "eligible": {"any": [{"team": {}}]},
        "adopted": {"source": "github", "count": "repositories"},
        "active": {"source": "kong", "verb": "request"},
    }
    return Capability.model_validate(said | changed)


def teams(*ids: str, **said: Any) -> tuple[Team, ...]:
    return tuple(Team(kind="Team", id=id_, **said) for id_ in ids)


def service(id_: str, team: str, **said: Any) -> Service:
    return Service.model_validate({"kind": "Service", "id": id_, "team": team} | said)


def scene(
    *capabilities: Capability,
    told: Iterable[Told] = (),
    held: Iterable[tuple[str, Owner, Repository, datetime, datetime | None]] = (),
    teams_: Sequence[Team] = (),
    services: Sequence[Service] = (),
    taken: Sequence[UnitState] = (),
    now: datetime = NOW,
    watermark: datetime | None = None,
    since: datetime = BEGINNING,
    read_from: datetime = BEGINNING,
    fresh: bool = True,
    zone: str = "UTC",
) -> Scene:
    sources = [
        source(name, watermark=watermark or now, fresh=fresh, since=since, read_from=read_from)
        for name in ("kong", "github")
    ]
    history = MemoryHistory(told, sources=sources, held=held, taken=taken)
    definitions = Definitions(capabilities=capabilities, teams=tuple(teams_), services=tuple(services))
    return Scene(history=history, definitions=definitions, now=now, zone=ZoneInfo(zone))


def was(
    unit: str, state: str, *, day: date = TODAY - timedelta(days=1), active: bool = False, adopted: bool = False
) -> UnitState:
    """A unit's row of yesterday's snapshot."""
    ever = {"active": active or state == "active", "adopted": adopted}
    words = frozenset(word for word, true in ever.items() if true)
    return UnitState(day=day, what="adoption/gateway", unit=unit, state=state, ever=words)
