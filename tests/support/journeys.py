"""Teams on their way to a gateway, as a portal tells it: they read about it, make one, and call it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.history import MemoryHistory, owner, source

from platform_meter.model.definitions import Capability, Definitions, Service, Team
from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.use import Usage
from platform_meter.model.history import Owner
from platform_meter.model.measure import Scene

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
DAY = timedelta(days=1)
READ = NOW - 120 * DAY
Told = tuple[str, Owner, Fact]


def journey(**changed: Any) -> Capability:
    """Read about it, make one, call it a hundred times: within two weeks."""
    said = {
        "kind": "Capability",
        "id": "gateway",
        "unit": "team",
        "owner": "platform",
        "eligible": {"any": [{"service": {}}]},
        "adopted": {"source": "portal", "verb": "create"},
        "active": {"source": "portal", "verb": "call"},
        "journey": {"start": {"source": "portal", "verb": "view_docs", "subject": "gateway/*"}, "window": "14d"},
        "stages": [
            {"id": "created", "when": {"source": "portal", "verb": "create", "subject": "gate*"}},
            {"id": "live", "when": {"source": "portal", "verb": "call", "min_amount": 100}},
        ],
    }
    return Capability.model_validate({**said, **changed})


def told(team: str, **when: float | tuple[float, float]) -> list[Told]:
    """Use by a team's service, so many days ago: `view=20, create=18, call=(15, 250)`, the last with its amount."""
    words = {"view": ("view_docs", "gateway/start"), "create": ("create", "gateway"), "call": ("call", "")}
    found: list[Told] = []
    for verb, said in when.items():
        back, amount = said if isinstance(said, tuple) else (said, 1.0)
        action, subject = words[verb]
        about = Ref(system="portal", kind="service", id=f"{team}-api")
        use = Usage(
            key=f"{team}/{verb}/{back}", at=NOW - back * DAY, about=about, action=action, amount=amount, subject=subject
        )
        found.append(("portal", owner(f"{team}-api", team), use))
    return found


COMPANY = [
    *told("a", view=40, create=39, call=(38, 250)),
    *told("b", view=40, create=30, call=(20, 250)),  # live after its two weeks
    *told("c", view=30, create=29, call=(28, 99)),  # never called it enough
    *told("d", view=20),
    *told("e", view=20, create=25),  # made one before it read about it
    *told("f", view=10, create=8),  # has time left
    *told("g", view=100, create=95),  # nobody knows whether it read about it before
]


def scene(facts: Sequence[Told] = COMPANY, capability: Capability | None = None, **states: Any) -> Scene:
    teams = sorted({whose.team for _, whose, _ in facts})
    definitions = Definitions(
        capabilities=(capability or journey(),),
        teams=tuple(Team(kind="Team", id=team) for team in teams),
        services=tuple(Service(kind="Service", id=f"{team}-api", team=team) for team in teams),
    )
    known = replace(source("portal", watermark=NOW, read_from=READ), **states)
    return Scene(history=MemoryHistory(facts, sources=[known]), definitions=definitions, now=NOW)
