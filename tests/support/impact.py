"""Runs of pipelines before and after a change: so many a day, each as long as it is said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.history import MemoryHistory, owner, source

from platform_meter.model.definitions import Campaign, Capability, Definitions, Intervention, Service, Team
from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.ci import Outcome, PipelineRun
from platform_meter.model.history import Owner
from platform_meter.model.measure import Scene

AT = datetime(2026, 6, 1, tzinfo=UTC)
"""The day of the change."""
DAY = timedelta(days=1)
NOW = AT + 40 * DAY
RUN = "platform_pipeline_run_duration_seconds"
Told = tuple[str, Owner, Fact]


def runs(team: str, *said: tuple[float, float], pool: str = "large", outcome: Outcome = Outcome.SUCCESS) -> list[Told]:
    """Of one team, each (days after the change, seconds)."""
    about = Ref(system="github", kind="repository", id=f"acme/{team}")
    return [
        (
            "github",
            owner(f"{team}-api", team),
            PipelineRun(
                key=f"{team}/{n}/{day:g}",
                at=AT + day * DAY,
                about=about,
                pipeline="build",
                outcome=outcome,
                ran=timedelta(seconds=seconds),
                group=f"{n}",
                pool=pool,
            ),
        )
        for n, (day, seconds) in enumerate(said)
    ]


def both(before: Sequence[float], after: Sequence[float]) -> Iterator[tuple[float, float]]:
    """One a day: the last of `before` on the day before the change, the first of `after` ten days after it."""
    yield from ((n - len(before) + 0.5, seconds) for n, seconds in enumerate(before))
    yield from ((10.5 + n, seconds) for n, seconds in enumerate(after))


def change(**more: Any) -> Intervention:
    """Ten days of washout between two times of 30."""
    said = {
        "kind": "Intervention",
        "id": "runners",
        "at": "2026-06-01",
        "metric": {"name": RUN},
        "windows": {"pre": "30d", "washout": "10d", "post": "30d"},
    }
    return Intervention.model_validate({**said, **more})


def builds(**more: Any) -> Capability:
    said = {
        "kind": "Capability",
        "id": "builds",
        "unit": "team",
        "owner": "platform",
        "eligible": {"any": [{"team": {}}]},
        "adopted": {"source": "github", "verb": "run"},
        "active": {"source": "github", "verb": "run"},
    }
    return Capability.model_validate({**said, **more})


def scene(
    facts: Sequence[Told],
    *changes: Intervention,
    campaigns: Sequence[Campaign] = (),
    capabilities: Sequence[Capability] = (),
    now: datetime = NOW,
    read_from: datetime = AT - 200 * DAY,
    fresh: bool = True,
) -> Scene:
    """A store with these runs, read up to `now`."""
    definitions = Definitions(
        interventions=changes,
        campaigns=tuple(campaigns),
        capabilities=tuple(capabilities),
        teams=tuple(Team(kind="Team", id=team) for team in sorted({whose.team for _, whose, _ in facts})),
        services=tuple(
            Service(kind="Service", id=whose.service, team=whose.team)
            for whose in sorted({whose for _, whose, _ in facts}, key=lambda one: one.service)
        ),
    )
    read = source("github", watermark=now, read_from=read_from, fresh=fresh)
    return Scene(history=MemoryHistory(facts, sources=[read]), definitions=definitions, now=now)
