"""What is known of the pipelines that go on in a project, and of the pools that its jobs ask for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
from tests.sources.gitlab.gitlab_server import job, pipeline

from platform_meter.sources.gitlab.queue import Pipelines, active
from platform_meter.sources.gitlab.rows import Asking, PipelineRow

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def asking(id_: int, status: str, *tags: str) -> Asking:
    row = job(id_, "test", status, "11:00:00", None, tag_list=list(tags), runner=None)
    return msgspec.convert(row, Asking)


def seen(id_: int, status: str, changed: str) -> PipelineRow:
    return msgspec.convert(pipeline(id_, status, "10:00:00", changed), PipelineRow)


def loads(*projects: Pipelines) -> dict[str, tuple[int, int]]:
    return {reading.pool: (reading.queued, reading.running) for reading in active("acme", projects)}


def test_a_pipeline_goes_on_until_it_rests() -> None:
    """One that waits for a person or a time needs no runner meanwhile."""
    held = Pipelines()
    for id_, status in enumerate(("created", "waiting_for_resource", "running", "manual", "scheduled", "success")):
        held.goes_on(seen(id_, status, "11:00:00"))
    assert list(held.going) == ["0", "1", "2"]
    held.goes_on(seen(2, "manual", "11:05:00"))
    assert list(held.going) == ["0", "1"]


def test_one_that_changed_for_a_week_no_more_is_forgotten() -> None:
    """It may have been deleted, which no list tells."""
    held = Pipelines()
    held.goes_on(seen(1, "running", "12:00:00"))
    held.forget_stuck(NOW + timedelta(days=6))
    assert list(held.going) == ["1"]
    held.forget_stuck(NOW + timedelta(days=7))
    assert not held.going


def test_a_pool_is_added_up_over_projects() -> None:
    """One that is idle, and was asked for before, is 0."""
    shop, desk = Pipelines(), Pipelines()
    shop.asked_for([asking(1, "success", "kvm")])
    shop.found([asking(2, "pending", "linux"), asking(3, "running", "linux"), asking(4, "running", "linux")])
    desk.found([asking(5, "pending", "linux"), asking(6, "pending")])
    assert loads(shop, desk) == {"": (1, 0), "kvm": (0, 0), "linux": (2, 2)}
    shop.found([])
    assert loads(shop, desk) == {"": (1, 0), "kvm": (0, 0), "linux": (1, 0)}


def test_the_pools_of_what_could_not_be_read_are_left_out() -> None:
    """What is known of the others would be too little."""
    shop, desk = Pipelines(), Pipelines()
    shop.found([asking(1, "running", "linux")])
    desk.found([asking(2, "running", "linux"), asking(3, "running", "mac")])
    shop.found(None)
    assert loads(shop, desk) == {"mac": (0, 1)}
    shop.found([])
    assert loads(shop, desk) == {"linux": (0, 1), "mac": (0, 1)}
    desk.failing = (NOW, NOW)
    assert loads(shop, desk) == {}


def test_idle_pools_are_kept_up_to_a_bound_and_busy_ones_all() -> None:
    """A project that makes up tags anew for each job fills no checkpoint."""
    held = Pipelines()
    held.found([asking(id_, "running", f"t{id_:02}") for id_ in range(30)])
    assert len(held.pools) == 30
    held.found([asking(31, "pending", "t00")])
    assert list(held.pools) == [*(f"t{id_}" for id_ in range(10, 30)), "t00"]
