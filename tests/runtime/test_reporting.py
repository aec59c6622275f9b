"""The weekly report by itself: once a week by each way, across restarts and replicas, and again where it failed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support.http import Reply, Server, serving

from platform_meter.model.definitions import Definitions
from platform_meter.model.weeks import Week
from platform_meter.runtime.files.config import Config
from platform_meter.runtime.reporting import Letter, Reporting, sent
from platform_meter.runtime.service import Service

SUNDAY = datetime(2026, 7, 5, 12, tzinfo=UTC)
MONDAY = datetime(2026, 7, 6, 8, tzinfo=UTC)
"""When W27 is due."""


@dataclass
class Clock:
    now: datetime = SUNDAY

    def __call__(self) -> datetime:
        return self.now


def write(service: Service, week: Week) -> Letter:
    return Letter(
        week=week.label, subject="s", made=service.clock(), text="t", html="h", chat=f"report of {week.label}"
    )


@dataclass
class World:
    """Exporters on one store that tell one chat."""

    folder: Path
    server: Server
    clock: Clock = field(default_factory=Clock)
    open: list[Service] = field(default_factory=list)

    def exporter(self, holder: str = "a", **report: Any) -> tuple[Service, Reporting]:
        said = {"every": "monday 08:00", "chat": {"url": {"env": "HOOK"}}, **report}
        config = Config.model_validate(
            {
                "store": {"url": f"sqlite:///{self.folder / 'x.db'}"},
                "report": {key: value for key, value in said.items() if value},
            }
        )
        service = Service(config, Definitions(), environ={}, holder=holder, clock=self.clock)
        self.open.append(service)
        return service, Reporting(current=lambda: service, write=write, environ={"HOOK": f"{self.server.url}/hook"})

    @property
    def told(self) -> list[str]:
        return [json.loads(seen.body)["text"] for seen in self.server.seen]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with serving() as server:
        made = World(tmp_path, server)
        yield made
        for service in made.open:
            service.close()


def test_once_a_week_across_restarts_and_replicas(world: World) -> None:
    """Not before its time, nothing for the time before it was set up, and no week twice, whoever looks."""
    world.server.on("/hook", Reply(body=b"ok"))
    _, first = world.exporter()
    first.look()
    assert world.told == []
    world.clock.now = MONDAY - timedelta(minutes=1)
    first.look()
    assert world.told == []
    world.clock.now = MONDAY
    first.look()
    first.look()
    _, replica = world.exporter("b")
    replica.look()
    world.clock.now = MONDAY + timedelta(days=6)
    _, again = world.exporter()
    again.look()
    assert world.told == ["report of 2026-W27"]
    world.clock.now = MONDAY + timedelta(days=9)  # nobody ran on Monday
    replica.look()
    assert world.told == ["report of 2026-W27", "report of 2026-W28"]


def test_what_fails_is_kept_and_tried_again(world: World) -> None:
    """After ten minutes; until then everybody can read why, and afterwards nothing is wrong any more."""
    world.server.on("/hook", Reply(503), Reply(body=b"ok"))
    service, reporting = world.exporter()
    reporting.look()
    world.clock.now = MONDAY
    reporting.look()
    world.clock.now += timedelta(minutes=9)
    reporting.look()
    with service.history() as history:
        way = sent(history)["chat"]
    assert (way.week, way.error) == ("2026-W26", "the chat's webhook did not take the report (503)")
    assert len(world.told) == 1
    world.clock.now += timedelta(minutes=1)
    reporting.look()
    with service.history() as history:
        way = sent(history)["chat"]
    assert (way.week, way.error) == ("2026-W27", "")
    assert len(world.told) == 2


def test_a_way_that_fails_does_not_repeat_the_other(world: World) -> None:
    """Each way is kept by itself."""
    world.server.on("/hook", Reply(body=b"ok"))
    mail = {"host": "127.0.0.1", "port": 1, "tls": "none", "from": "a@example.org", "to": "b@example.org"}
    service, reporting = world.exporter(mail=mail)
    reporting.look()
    for minutes in (0, 10, 20):
        world.clock.now = MONDAY + timedelta(minutes=minutes)
        reporting.look()
    assert world.told == ["report of 2026-W27"]
    with service.history() as history:
        assert sent(history)["mail"].error == "the mail server 127.0.0.1:1: Connection refused"


def test_only_one_replica_sends_at_a_time(world: World) -> None:
    """While another has the turn, nothing is sent; once that is over, it is."""
    world.server.on("/hook", Reply(body=b"ok"))
    service, reporting = world.exporter()
    reporting.look()
    world.clock.now = MONDAY
    assert service.store.acquire("~report", "other", timedelta(minutes=5), MONDAY) is not None
    reporting.look()
    assert world.told == []
    world.clock.now = MONDAY + timedelta(minutes=6)
    reporting.look()
    assert world.told == ["report of 2026-W27"]


def test_without_a_time_nothing_is_sent(world: World) -> None:
    """The command alone sends then."""
    _, reporting = world.exporter(every=None)
    world.clock.now = MONDAY
    reporting.look()
    reporting.look()
    assert world.told == []
