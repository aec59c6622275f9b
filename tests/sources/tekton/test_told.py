"""What a run says of itself as it comes, changes and goes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from tests.sources.tekton.tekton_server import pending, run, task

from platform_meter.model.facts import Event
from platform_meter.model.facts.ci import PipelineActive
from platform_meter.sources.kit.sayers import Said
from platform_meter.sources.tekton.facts import in_pool
from platform_meter.sources.tekton.rows import PipelineRunRow, TaskRunRow
from platform_meter.sources.tekton.told import Told
from platform_meter.testing.outside import FakeOutside

SINCE = datetime(2026, 5, 4, tzinfo=UTC)
POOL = in_pool("eu")


def nothing(_: TaskRunRow) -> Event | None:
    return None


def waits(row: TaskRunRow) -> PipelineActive | None:
    return in_pool("eu", run=row.metadata.uid, queued=1) if row.verdict is None else None


def runs(row: TaskRunRow) -> PipelineActive | None:
    return in_pool("eu", run=row.metadata.uid, running=1) if row.verdict is None else None


def sayer(stands: Callable[[TaskRunRow], PipelineActive | None] = waits) -> Told[TaskRunRow]:
    return Told(row=nothing, stands=stands, cluster="eu", idle=True, outside=FakeOutside({}), since=SINCE)


def row(reason: str) -> TaskRunRow:
    return msgspec.convert(task("x", "test", reason), TaskRunRow)


OVER = (PipelineActive, "pool/eu/uid-x-test")


def test_how_a_run_stands_is_said_once_until_it_changes() -> None:
    """With it the pool, which is 0 by itself; a change that changes nothing is silent."""
    told = sayer()
    assert told.listed(row("Running")) == (POOL, in_pool("eu", run="uid-x-test", queued=1))
    assert told.changed(row("Running")) == ()
    told.stands = runs
    assert told.changed(row("Running")) == (in_pool("eu", run="uid-x-test", running=1),)
    assert told.changed(row("Succeeded")) == (OVER,)
    assert told.changed(row("Succeeded")) == ()


def test_an_idle_pool_is_said_by_what_has_ended() -> None:
    """Nothing waits or runs, and that is known; one of the two kinds says it."""
    assert sayer().listed(row("Succeeded")) == (POOL, OVER)
    other = sayer()
    other.idle = False
    assert other.listed(row("Succeeded")) == (OVER,)


@pytest.mark.parametrize(("reason", "gaps"), [("Running", 1), ("Succeeded", 0)])
def test_what_is_deleted_neither_waits_nor_runs(reason: str, gaps: int) -> None:
    """The pool stays. While it went on, its end is unknown."""
    told, outside = sayer(), FakeOutside({})
    told.outside = outside
    said: Said = told.deleted(row(reason))
    assert said == (OVER,)
    assert len(outside.gaps) == gaps


@pytest.mark.parametrize(
    ("found", "waits"),
    [
        (pending("x"), True),
        (pending("x") | {"status": {}}, True),
        (run("x", "Running") | {"spec": {"status": "PipelineRunPending"}}, True),
        (run("x", "Running") | {"spec": {}, "status": {}}, True),
        (run("x", "Running"), False),
        (run("x", "Succeeded"), False),
        (run("x", "Cancelled") | {"spec": {"status": "PipelineRunPending"}}, False),
    ],
)
def test_a_run_waits_to_begin_until_it_was_taken(found: dict[str, Any], waits: bool) -> None:
    """It was told to wait, or nobody looked at it yet; one that was cancelled meanwhile waits no more."""
    assert msgspec.json.decode(msgspec.json.encode(found), type=PipelineRunRow).pending is waits
