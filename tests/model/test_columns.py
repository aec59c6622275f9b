"""The columns of views over events: what is written here is what people's queries rest on."""

from __future__ import annotations

import pytest

from platform_meter.model.columns import COMMON, Column, Holds, columns, name
from platform_meter.model.facts import Event, event_kinds
from platform_meter.model.facts.ci import PipelineRun
from platform_meter.model.facts.delivery import Change, Deployment
from platform_meter.model.facts.incidents import Incident
from platform_meter.model.facts.tickets import TicketEvent


def test_the_columns_of_delivery() -> None:
    """Version 1: one may be added; one that goes, or is called otherwise, is version 2."""
    assert [column.name for column in COMMON] == [
        "source", "key", "at", "updated", "object", "object_kind", "service", "team",
    ]  # fmt: skip
    assert {column.name: column.holds for column in columns(Deployment)} == {
        "environment": Holds.TEXT,
        "sha": Holds.TEXT,
        "result": Holds.TEXT,
        "kind": Holds.TEXT,
        "version": Holds.TEXT,
        "started": Holds.TIME,
        "way": Holds.TEXT,
        "task": Holds.TEXT,
        "after": Holds.TEXT,
        "changes": Holds.JSON,
        "url": Holds.TEXT,
    }
    assert {column.name for column in columns(Change)} == {
        "sha", "opened", "first_commit", "first_review", "labels", "bot", "name", "branch", "undoes", "mends", "url",
    }  # fmt: skip
    assert {column.name for column in columns(Incident)} == {
        "severity", "way", "detected", "acknowledged", "resolved", "name", "url", "ids", "mentions", "valid",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "column"),
    [
        (PipelineRun, Column(name="ran", holds=Holds.SECONDS)),
        (PipelineRun, Column(name="approval", holds=Holds.SECONDS)),
        (PipelineRun, Column(name="attempt", holds=Holds.WHOLE, default=1)),
        (Change, Column(name="bot", holds=Holds.TRUTH, default=False)),
        (Change, Column(name="first_commit", holds=Holds.TIME)),
        (Deployment, Column(name="changes", holds=Holds.JSON, default=())),
        (TicketEvent, Column(name="labels", holds=Holds.JSON)),
    ],
)
def test_what_a_column_holds_is_what_its_field_holds(kind: type[Event], column: Column) -> None:
    """One that may be unknown too; lists and values within values are JSON."""
    assert column in columns(kind)


@pytest.mark.parametrize("kind", event_kinds().values(), ids=event_kinds())
def test_no_column_is_there_twice(kind: type[Event]) -> None:
    """A field never has the name of what every view begins with."""
    names = [column.name for column in (*COMMON, *columns(kind))]
    assert len(set(names)) == len(names)


def test_a_view_is_called_as_its_kind() -> None:
    """With the version before it."""
    assert name(PipelineRun) == "pm_v1_pipeline_run"
