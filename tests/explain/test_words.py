"""What stands behind a number, as people and programs read it."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.support.history import MemoryHistory, owner, source

from platform_meter.explain import Explained
from platform_meter.explain.words import UNSAID, as_json, as_text
from platform_meter.model.catalogue.adoption import ADOPTION_UNITS
from platform_meter.model.catalogue.ci import PIPELINE_RUNS
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Event, Reading, Ref, event_kinds, reading_kinds
from platform_meter.model.facts.ci import Outcome, PipelineRun
from platform_meter.model.history import UnitState
from platform_meter.model.measure import Piece, Scene

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
RUN = PipelineRun(
    key="7.1",
    at=NOW - timedelta(hours=1),
    about=Ref(system="github", kind="repository", id="acme/pay"),
    pipeline="ci",
    outcome=Outcome.USER_FAILURE,
    ran=timedelta(seconds=90),
    group="secret-of-nobody",
    reason="test",
    url="https://github.example/acme/pay/actions/runs/7",
)
HISTORY = MemoryHistory([("gh", owner("pay", "money"), RUN)], sources=(source("gh", "github", watermark=NOW),))
SCENE = Scene(history=HISTORY, definitions=Definitions(), now=NOW, zone=ZoneInfo("Europe/Berlin"))
FOUND = Explained(
    metric=PIPELINE_RUNS,
    labels={"system": "github", "team": "money", "outcome": "user_failure"},
    value=3.0,
    pieces=[Piece(source="gh", object=0, fact=RUN)],
    count=3,
    adds=3.0,
    part=0.0,
    notes=["something is missing"],
)


def test_people_read_one_fact_a_line() -> None:
    """When in their zone, what it adds, what it was, whose by which rule, and where its own page is."""
    assert list(as_text(SCENE, FOUND)) == [
        "platform_pipeline_runs_total{system=github, team=money, outcome=user_failure} is 3",
        f"  {PIPELINE_RUNS.help}",
        "  note: something is missing",
        "  3 facts, which add up to 3:",
        (
            "  2026-06-10 13:00:00  1  PipelineRun github:acme/pay  pipeline=ci outcome=user_failure ran=90 attempt=1 "
            "reason=test  [pay, money by rule 1 test]  https://github.example/acme/pay/actions/runs/7"
        ),
        "  and 2 earlier ones",
    ]


def test_programs_read_the_same() -> None:
    """Times in UTC, durations in seconds; what is listed, and what there is in all."""
    told = as_json(SCENE, FOUND)
    (listed,) = told.pop("listed")
    assert told == {
        "metric": "platform_pipeline_runs_total",
        "labels": {"system": "github", "team": "money", "outcome": "user_failure"},
        "value": 3.0,
        "facts": 3,
        "adds": 3.0,
        "part": 0.0,
        "notes": ["something is missing"],
    }
    assert listed == {
        "kind": "PipelineRun",
        "at": "2026-06-10T11:00:00Z",
        "source": "gh",
        "object": "github:acme/pay",
        "service": "pay",
        "team": "money",
        "rule": "1 test",
        "url": "https://github.example/acme/pay/actions/runs/7",
        "adds": 1.0,
        "part": 0.0,
        "details": {"pipeline": "ci", "outcome": "user_failure", "ran": 90.0, "attempt": 1, "reason": "test"},
    }


def test_units_of_an_adoption_are_named_and_people_are_not() -> None:
    """Of people only how many there are comes out."""

    def named(unit: str) -> list[str]:
        state = UnitState(day=date(2026, 6, 10), what="adoption/ci", unit="u-1", state="active")
        found = Explained(
            metric=ADOPTION_UNITS,
            labels={"capability": "ci", "unit": unit, "state": "active"},
            value=1.0,
            pieces=[Piece(fact=state)],
            count=1,
            adds=1.0,
            part=0.0,
        )
        return [fact["object"] for fact in as_json(SCENE, found)["listed"]]

    assert named("team") == ["u-1"]
    assert named("person") == [""]


def test_no_field_that_may_hold_a_person_is_said() -> None:
    """Such fields have one of these names in every kind of fact."""
    people = {
        "actor",
        "author",
        "reporter",
        "assignee",
        "requester",
        "respondent",
        "person",
        "people",
        "codeowner",
        "user",
        "email",
    }
    kinds: list[type[Event | Reading]] = [*event_kinds().values(), *reading_kinds().values()]
    held = {f.name for kind in kinds for f in fields(kind)}
    assert held & people <= UNSAID
