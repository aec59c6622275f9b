"""What a file asks for and nothing in the store has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.support.adoption import NOW, Told, capability, days_ago, repository, use
from tests.support.history import MemoryHistory, owner, source

from platform_meter.measures.adoption.unmatched import unmatched
from platform_meter.model.facts import Ref
from platform_meter.model.facts.ci import Outcome, PipelineRun
from platform_meter.model.facts.use import Usage

SOURCES = [source("kong", watermark=NOW), source("github", watermark=NOW)]


def runs(*pipelines: str) -> list[Told]:
    """A run of each of these workflows."""
    about = Ref(system="github", kind="repository", id="pay")
    return [
        (
            "github",
            owner("pay"),
            PipelineRun(
                key=name,
                at=days_ago(1),
                about=about,
                pipeline=name,
                outcome=Outcome.SUCCESS,
                ran=NOW - days_ago(0.01),
                group=name,
            ),
        )
        for name in pipelines
    ]


def by_run(**select: Any) -> Any:
    return {"source": "github", "verb": "run", "select": select}


@pytest.mark.parametrize(
    ("select", "told"),
    [
        ({"pipeline": ["build.yml"]}, []),
        ({"pipeline": ["no-such-workflow", "b*"]}, ["has pipeline no-such-workflow; there are: build.yml, test.yml."]),
        ({"trigger": ["push"]}, ["has a trigger."]),
    ],
)
def test_a_word_that_no_use_has(select: Any, told: list[str]) -> None:
    """Each value that no use of the last 28 days has, with those there are; a word that none of them has."""
    cap = capability(adopted=by_run(**select), active=by_run())
    found = unmatched(cap, MemoryHistory(runs("build.yml", "test.yml"), sources=SOURCES), NOW)
    assert found == [f"No use run in github {text}" for text in told]


def test_nothing_is_told_by_nothing() -> None:
    """Without any use, and without any object, no value is wrong."""
    cap = capability(
        adopted={"source": "github", "count": "repositories", "select": {"visibility": ["x"]}},
        active=by_run(pipeline=["x"]),
    )
    assert unmatched(cap, MemoryHistory(sources=SOURCES), NOW) == []


def test_what_is_asked_twice_is_told_once_and_of_its_own_verb() -> None:
    """Use under another verb has no say."""
    instance, whose, fact = use("pay", days_ago(1))
    assert isinstance(fact, Usage)
    told: list[Told] = [
        (instance, whose, replace(fact, subject="home")),
        (instance, whose, replace(fact, key="2", action="login", subject="docs")),
    ]
    by = {"source": "kong", "verb": "request", "select": {"subject": ["docs"]}}
    assert unmatched(capability(adopted=by, active=by), MemoryHistory(told, sources=SOURCES), NOW) == [
        "No use request in kong has subject docs; there are: home."
    ]


def test_a_label_or_field_that_no_object_has() -> None:
    """Fields of the reading and labels of the object, by one name; at most eight values are shown."""
    held: list[Told] = [
        ("github", owner("pay"), repository("pay", name=f"r{n}", visibility=f"v{n:02}")) for n in range(10)
    ]
    history = MemoryHistory(held, sources=SOURCES)

    def told(**select: Any) -> list[str]:
        adopted = {"source": "github", "count": "repositories", "select": select}
        return unmatched(capability(adopted=adopted), history, NOW)

    assert told(archived=["false"], visibility=["v*"]) == []
    assert told(archived=["true"]) == ["No repositories in github has archived true; there are: false."]
    assert told(gateway=["kong"]) == ["No repositories in github has a gateway."]
    assert told(visibility=["v09", "x", "y"]) == [
        "No repositories in github has visibility x or y; there are: v00, v01, v02, v03, v04, v05, v06, v07 and more."
    ]
