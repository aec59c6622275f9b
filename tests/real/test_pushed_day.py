"""What the simulated company's tools push, and what they answer when asked: the same numbers of delivery from either and both.

All that happened in 90 days is told by polls, and again as webhooks by the same records: in any order, repeated, mixed.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import json as codec
from tests.support.company import Running, company

from platform_meter.demo.apis.github import changes, ci
from platform_meter.demo.apis.github.bodies import Bodies as GithubBodies
from platform_meter.demo.apis.pagerduty.bodies import Bodies as PagerdutyBodies
from platform_meter.demo.apis.wsgi import stamp
from platform_meter.demo.company.records import Pull
from platform_meter.measures.delivery.numbers import GAUGES
from platform_meter.model.definitions import Definitions
from platform_meter.model.delivering import Delivery
from platform_meter.model.facts import Event
from platform_meter.model.facts.delivery import Change, Deployment, Repository
from platform_meter.model.facts.incidents import Incident
from platform_meter.model.measure import Scene
from platform_meter.model.metric import resolve
from platform_meter.model.ownership import Directory
from platform_meter.model.push import Pushed
from platform_meter.model.source import Page
from platform_meter.sources import load
from platform_meter.store import Configured, ConfiguredStream, Store

KINDS: tuple[type[Event], ...] = (Deployment, Change, Incident)
INSTANCES = ("github", "pagerduty")
OPENED = Delivery.model_validate({"kind": "Delivery", "id": "delivery", "lead_time": {"start": "opened"}})
READ_ALONE = ("coding", "pickup", "review")
"""Stages that need commits or reviews, which no delivery of a merge has: polls fill them in."""
Told = list[tuple[str, Event]]
Numbers = dict[tuple[str, tuple[str, ...]], float]


@dataclass(frozen=True, kw_only=True)
class Day:
    """What was told of one company, in both ways."""

    polled: Told
    pushed: Told
    definitions: Definitions
    directory: Directory
    now: datetime


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    with company(tmp_path_factory.mktemp("day"), only={name: {} for name in INSTANCES}) as running:
        running.poll()
        with running.service.history() as history:
            rows = [
                (row.source, row.event)
                for kind in KINDS
                for row in history.rows(kind, running.first - timedelta(days=91), running.clock.at)
            ]
            owners = {h.reading.about.name: h.reading.codeowner for h in history.readings(Repository)}
        definitions = replace(running.service.definitions, deliveries=(OPENED,))
        directory = Directory.build(definitions, team_label="team", codeowners={n: o for n, o in owners.items() if o})
        since = running.first - timedelta(days=90)
        pushed = [*_of_github(running, since), *_of_pagerduty(running, since)]
        yield Day(polled=rows, pushed=pushed, definitions=definitions, directory=directory, now=running.clock.at)


def _read(running: Running, instance: str, headers: dict[str, str], body: Any) -> Told:
    receiver = load()[instance].receives
    assert receiver is not None
    settings = next(i.settings for i in running.service.instances if i.name == instance)
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    pushed = Pushed(headers=headers, body=text, at=running.clock.at, hashed=str)
    return [(instance, event) for event in receiver.read(settings, pushed)]


def _of_github(running: Running, since: datetime) -> Iterator[tuple[str, Event]]:
    """Each status of each deployment, and each pull request as it was closed."""
    history, now = running.world.history, running.clock.at
    bodies = GithubBodies(history, running.addresses.urls["github"])
    for one in list(history.deployment.values()):
        if not since <= one.created <= now:
            continue
        repository = bodies.repo(one.repo, one.created, full=True)
        for index, (state, at) in enumerate(reversed(ci.states(bodies, one, now)), 1):
            status: dict[str, Any] = {
                "action": "created",
                "deployment": ci.deployment(bodies, one, at),
                "deployment_status": ci.status(bodies, one, index, state, at),
                "repository": repository,
            }
            yield from _read(running, "github", {"x-github-event": "deployment_status"}, codec.encode(status))
    for pull in (thing for things in history.pulls.values() for thing in things):
        if not isinstance(pull, Pull) or pull.closed is None or not since <= pull.closed <= now:
            continue
        body: dict[str, Any] = {
            "action": "closed",
            "number": pull.number,
            "pull_request": changes.pull(bodies, pull, pull.closed),
            "repository": bodies.repo(pull.repo, pull.closed, full=True),
        }
        yield from _read(running, "github", {"x-github-event": "pull_request"}, codec.encode(body))


def _of_pagerduty(running: Running, since: datetime) -> Iterator[tuple[str, Event]]:
    """Each incident as it was triggered, and after each step."""
    incidents, now = running.world.history.incidents, running.clock.at
    bodies = PagerdutyBodies("", {one.number: one for one in incidents})
    names = {"merged": "resolved"}
    for one in incidents:
        steps = [(one.begun, "triggered"), *((at, names.get(what, what)) for at, what, _ in one.steps)]
        for at, what in steps:
            if since <= at <= now:
                event = {
                    "id": "01",
                    "event_type": f"incident.{what}",
                    "resource_type": "incident",
                    "occurred_at": stamp(at),
                    "data": bodies.incident(one, at, ()),
                }
                yield from _read(running, "pagerduty", {}, codec.encode({"event": event}))


def numbers(folder: Path, day: Day, told: Sequence[tuple[str, Event]], pages: int = 500) -> Numbers:
    """What a store that was told this serves, of what is not absent."""
    folder.mkdir()
    store = Store.open(f"sqlite:///{folder}/store.db", zone="UTC", countings=[], directory=day.directory)
    patience = timedelta(days=1)
    stream = ConfiguredStream(name="api", gives=frozenset(KINDS), every=timedelta(minutes=1), stale_after=patience)
    configured = [Configured(instance=name, type=name, streams=(stream,)) for name in INSTANCES]
    rounds = {
        name: store.begin_poll(name, name, "api", now=day.now, lookback=patience, history=timedelta(days=90))
        for name in INSTANCES
    }
    for start in range(0, len(told), pages):
        some = told[start : start + pages]
        for name, poll in rounds.items():
            store.write(poll, Page(facts=[event for source, event in some if source == name]), now=day.now)
    for poll in rounds.values():
        store.end_poll(poll, now=day.now)
    with store.history(day.now, configured) as history:
        samples = GAUGES.compute(Scene(history=history, definitions=day.definitions, now=day.now))
        found = {(s.metric.name, s.labels): resolve(s.value) for s in samples}
    store.close()
    return {series: value for series, value in found.items() if value is not None}


def test_pushed_alone_gives_the_same_numbers(tmp_path: Path, day: Day) -> None:
    """But for the stages that only reading knows. Rollbacks and what came with each deployment follow from what served."""
    polled = numbers(tmp_path / "polled", day, day.polled)
    pushed = numbers(tmp_path / "pushed", day, day.pushed)
    assert len({labels[0] for _, labels in polled}) > 5
    assert any(name.endswith("change_failure_ratio") and value > 0 for (name, _), value in polled.items())
    assert pushed == {series: value for series, value in polled.items() if not set(READ_ALONE) & {*series[1]}}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_both_ways_in_any_order_give_the_numbers_of_polls(tmp_path: Path, day: Day, seed: int) -> None:
    """Whatever comes first, late or again: nothing is counted twice, and nothing newer is overwritten."""
    rng = random.Random(seed)
    told = [*day.polled, *day.pushed]
    told += rng.sample(told, len(told) // 3)
    rng.shuffle(told)
    assert numbers(tmp_path / "both", day, told) == numbers(tmp_path / "polled", day, day.polled)
