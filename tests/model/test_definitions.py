"""The kinds people write: capabilities, ownership, teams and services, and where each kind goes."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from tests.support.adoption import capability

from platform_meter.model.definitions import (
    KINDS,
    Active,
    Definition,
    Definitions,
    Ownership,
    OwnershipRule,
    Service,
    Team,
)
from platform_meter.model.scalars import PlacedError

JOURNEY = {"start": {"source": "github", "verb": "merge"}}
STAGE = {"id": "live", "when": {"source": "kong", "verb": "request"}}


def test_every_kind_has_a_place_of_its_own() -> None:
    """Each kind people may write goes into one list of Definitions; SLOs come by another way."""
    places = [place for _, place in KINDS.values()]
    assert sorted(places) == sorted(f.name for f in fields(Definitions) if f.name != "objectives")
    assert len(set(places)) == len(places)
    for name, (model, _) in KINDS.items():
        assert model.__name__ == name
        assert model.model_fields["kind"].annotation is not None


def test_a_capability_by_default() -> None:
    """Active is once in 28 days, churned after 56 without; a journey is strict and has 60 days."""
    found = capability(journey=JOURNEY, stages=[STAGE])
    assert (found.active.window, found.active.min_days, found.active.min_amount) == (timedelta(days=28), 1, 1)
    assert found.inactive == timedelta(days=56)
    assert found.journey is not None
    assert (found.journey.order, found.journey.window) == ("strict", timedelta(days=60))
    assert (found.mandated, found.exempt) == (False, ())


@pytest.mark.parametrize(("verb", "expected"), [("run", ("run",)), (["run", "deploy"], ("run", "deploy"))])
def test_one_verb_or_several(verb: object, expected: tuple[str, ...]) -> None:
    """Any of them is use."""
    assert Active.model_validate({"source": "github", "verb": verb}).verbs == expected


@pytest.mark.parametrize(
    ("changed", "text", "at"),
    [
        (
            {"adopted": {"source": "github"}},
            "write either count: WORD (objects that stand) or verb: WORD (use that happened)",
            (),
        ),
        (
            {"adopted": {"source": "github", "count": "repositories", "verb": "run"}},
            "write either count: WORD (objects that stand) or verb: WORD (use that happened)",
            (),
        ),
        (
            {"stages": [STAGE]},
            "stages are those of a journey; write journey: {start: {source: NAME, verb: WORD}}",
            ("stages",),
        ),
        (
            {"journey": JOURNEY, "stages": [STAGE, STAGE]},
            "stage 'live' stands twice; give it another id",
            ("stages", 1, "id"),
        ),
        (
            {"journey": JOURNEY, "stages": [{"id": "x", "when": {"source": "kong"}}]},
            "a stage lacks its verb; write when: {source: NAME, verb: WORD}",
            ("when",),
        ),
        (
            {"journey": JOURNEY, "stages": [{"id": "x", "when": {"verb": "request", "source": 7.0}}]},
            "a stage lacks its source; write when: {source: NAME, verb: WORD}",
            ("when",),
        ),
        (
            {"active": {"source": "kong", "verb": "request", "window": "91d"}, "churned": {"inactive": "90d"}},
            (
                "inactive is shorter than active.window, so a unit would be churned while it is active; write at least "
                "that window, or leave inactive out for twice the window"
            ),
            ("churned", "inactive"),
        ),
    ],
)
def test_a_capability_that_does_not_fit(changed: dict[str, Any], text: str, at: tuple[str | int, ...]) -> None:
    """One sentence with what to write, at the part that is to be changed."""
    with pytest.raises(ValidationError) as raised:
        capability(**changed)
    (found,) = raised.value.errors()
    cause = found["ctx"]["error"]
    assert (str(cause), cause.at if isinstance(cause, PlacedError) else ()) == (text, at)


def test_silence_is_twice_the_window_unless_it_is_written() -> None:
    """Whoever uses a thing once a quarter is not lost after two months."""
    quarterly = {"source": "kong", "verb": "request", "window": "91d"}
    assert capability(active=quarterly).inactive == timedelta(days=182)
    assert capability(active=quarterly, churned={"inactive": "91d"}).inactive == timedelta(days=91)


@pytest.mark.parametrize(
    "changed",
    [
        {"eligible": {"any": []}},
        {"active": {"source": "github", "verb": "run", "min_days": 0}},
        {"active": {"source": "github", "verb": "run", "min_amount": 0}},
        {"active": {"source": "github", "verb": "run", "window": "0s"}},
        {"unit": "org"},
    ],
)
def test_bounds_of_a_capability(changed: dict[str, Any]) -> None:
    """Somebody is eligible, and use is at least once in some time, by one of three units."""
    with pytest.raises(ValidationError):
        capability(**changed)


@pytest.mark.parametrize("match", ["acme/payments", ":acme/payments", "github:", "*:acme/payments"])
def test_an_ownership_rule_names_a_system(match: str) -> None:
    """`system:id`: a name alone would mean something else in each tool."""
    said = f"'{match}' names no system; write system:id, such as github:acme/payments-*"
    with pytest.raises(ValidationError) as raised:
        OwnershipRule.model_validate({"match": match, "team": "pay"})
    cause = raised.value.errors()[0]["ctx"]["error"]
    assert (str(cause), cause.at) == (said, ("match",))


def test_an_ownership_rule_names_an_owner() -> None:
    """A service, a team or both."""
    with pytest.raises(ValidationError, match="a rule names whose the objects are; write service: NAME, team: NAME"):
        OwnershipRule.model_validate({"match": "github:acme/*"})
    assert OwnershipRule.model_validate({"match": "github:acme/*", "service": "pay"}).team is None


def test_the_same_match_may_stand_twice_at_two_times() -> None:
    """A handover has its date; without one nobody could say which rule holds."""
    since = {"match": "github:acme/*", "team": "new", "since": "2026-05-01"}
    ever = {"match": "github:acme/*", "team": "old"}
    found = Ownership.model_validate({"kind": "Ownership", "rules": [ever, since]})
    assert [rule.since for rule in found.rules] == [None, datetime(2026, 5, 1, tzinfo=UTC)]
    with pytest.raises(ValidationError, match=r"'github:acme/\*' stands twice; keep one, or give each its since"):
        Ownership.model_validate({"kind": "Ownership", "rules": [ever, since, ever | {"team": "other"}]})


def test_a_service_is_in_production_unless_said() -> None:
    """`type` in the file is what selectors call `kind`."""
    found = Service.model_validate({"kind": "Service", "id": "pay", "team": "team-pay", "type": "library"})
    assert (found.kind, found.kind_, found.lifecycle) == ("Service", "library", "production")


def test_a_team_is_not_smaller_than_nobody() -> None:
    """Its size is unknown or a number of people."""
    assert Team.model_validate({"kind": "Team", "id": "a"}).members_count is None
    with pytest.raises(ValidationError):
        Team.model_validate({"kind": "Team", "id": "a", "members_count": -1})


@pytest.mark.parametrize("model", [model for model, _ in KINDS.values()], ids=lambda m: m.__name__)
def test_a_misspelt_key_is_an_error(model: type[Definition]) -> None:
    """In every kind: a default nobody asked for would be worse."""
    with pytest.raises(ValidationError) as raised:
        model.model_validate({"kind": model.__name__, "id": "x", "tilte": "y"})
    assert ("extra_forbidden", ("tilte",)) in {(e["type"], e["loc"]) for e in raised.value.errors()}
