"""docs/support.md: the worked example, computed from the page's own file, events and numbers."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import yaml
from tests.support.history import MemoryHistory, owner, source
from tests.support.places import DOCS
from tests.support.tickets import comment, created, status

from platform_meter.measures.support.tickets import configured
from platform_meter.model.definitions import Definitions, Ticketing
from platform_meter.model.facts.tickets import SlaCycle, TicketEvent
from platform_meter.model.measure import Deriving, Gauging, Scene
from platform_meter.model.metric import resolve

PAGE = (DOCS / "support.md").read_text(encoding="utf-8")
BERLIN = ZoneInfo("Europe/Berlin")
EVENT = re.compile(r"^\| (\d{4}-\d\d-\d\d \d\d:\d\d) \| (PLAT-\d) \| (\w+) (.+) \|$", re.MULTILINE)
SERIES = re.compile(r"^(platform_\w+)\{(.+)\} (\d+)$", re.MULTILINE)
CYCLE = re.compile(r"^\| (jira-platform/\S+) \| (\w+) \| (\d{4}-\d\d-\d\d \d\d:\d\d) \| (\d+) \|$", re.MULTILINE)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


def event(when: str, ticket: str, verb: str, rest: str) -> TicketEvent:
    match verb:
        case "created":
            priority, first = rest.split(" ", 1)
            return created(at(when), ticket=ticket, priority=priority, status=first)
        case "comment":
            return comment(at(when), ticket=ticket)
        case _:
            return status(at(when), rest, ticket=ticket)


def example() -> Scene:
    """What the page describes, seen at the poll it names."""
    (file,) = re.findall(r"```yaml\n(.+?)```", PAGE, re.DOTALL)
    (poll,) = re.findall(r"last complete poll began on (\S+ \S+)\.", PAGE)
    return Scene(
        history=MemoryHistory(
            [("jira", owner("platform"), event(*found)) for found in EVENT.findall(PAGE)],
            sources=[source("jira", watermark=at(poll))],
        ),
        definitions=Definitions(ticketing=(Ticketing.model_validate(yaml.safe_load(file)),)),
        now=at(poll),
    )


def test_the_numbers_of_the_example_are_those_that_are_published() -> None:
    """Every line of the page, as the measures give it."""
    scene = example()
    published = {
        (s.metric.name, tuple(zip(s.metric.labels, s.labels, strict=True))): resolve(s.value)
        for measure in configured(scene.definitions)
        if isinstance(measure, Gauging)
        for s in measure.compute(scene)
    }
    lines = SERIES.findall(PAGE)
    assert len(lines) == 11
    for name, labels, value in lines:
        assert published[name, tuple(re.findall(r'(\w+)="([^"]*)"', labels))] == float(value)


def test_the_cycles_of_the_example_are_those_that_are_written() -> None:
    """All of them, with the moment and the business seconds of their decision."""
    scene = example()
    (deriving,) = (m for m in configured(scene.definitions) if isinstance(m, Deriving))
    found = [d.event for d in deriving.derive(scene)]
    written = sorted((c.key, str(c.result), c.at, c.elapsed) for c in found if isinstance(c, SlaCycle))
    assert written == [(key, result, at(when), float(seconds)) for key, result, when, seconds in CYCLE.findall(PAGE)]
