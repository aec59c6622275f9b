"""Waits for a person: between what a pipeline said while it waited, and the job that could run next."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from tests.sources.gitlab.gitlab_server import at, job

from platform_meter.sources.gitlab.rows import JobRow
from platform_meter.sources.gitlab.waits import keep, waited


def moment(clock: str) -> datetime:
    return datetime.fromisoformat(at(clock))


def ran(id_: int, started: str, ended: str, **more: Any) -> JobRow:
    """One that waited 5 s for a runner before it started."""
    return msgspec.convert(job(id_, f"job-{id_}", "success", "10:00:00", ended, started_at=at(started), **more), JobRow)


BUILD, SHIP, SELL = (
    ran(1, "10:00:10", "10:01:00"),
    ran(2, "11:00:05", "11:02:00"),
    ran(3, "12:00:05", "12:02:00"),
)


@pytest.mark.parametrize(
    ("seen", "minutes"),
    [
        ([], None),
        (["10:01:00"], 59),
        (["10:31:00", "10:01:00"], 59),
        (["10:01:00", "11:30:00"], 89),
        (["12:30:00"], None),
    ],
)
def test_a_wait_ends_where_the_next_job_could_run(seen: list[str], minutes: int | None) -> None:
    """Two gates are two waits. Where nobody let it go there is none."""
    expected = None if minutes is None else timedelta(minutes=minutes)
    assert waited([SELL, BUILD, SHIP], [], map(moment, seen)) == expected


def test_a_job_that_nobody_starts_ends_no_wait() -> None:
    """It has no start, and the pipeline that was cancelled instead waited for nobody's word. Others end theirs."""
    row = job(9, "clean", "manual", "10:30:00", None, started_at=None, queued_duration=None)
    clean = msgspec.convert(row, JobRow)
    assert waited([BUILD, clean], [], [moment("10:01:00")]) is None
    assert waited([BUILD, clean, SHIP], [], [moment("10:01:00")]) == timedelta(minutes=59)


def test_where_the_queue_is_unknown_the_wait_is() -> None:
    """It would hold the wait for a runner; a job after it that tells its queue tells nothing of this wait."""
    ship = ran(2, "11:00:05", "11:02:00", queued_duration=None)
    assert waited([BUILD, ship, SELL], [], [moment("10:01:00")]) is None


def test_a_wait_before_the_last_retry_belongs_to_an_attempt_before() -> None:
    """It is told of that one alone; one behind the retry is this attempt's."""
    seen = [moment("10:01:00"), moment("11:30:00")]
    assert waited([BUILD, SHIP, SELL], [SHIP], seen) == timedelta(minutes=30)
    assert waited([BUILD, SHIP, SELL], [SELL], seen) is None


def test_of_each_pipeline_some_moments_are_kept() -> None:
    """Each once, the last ten of the last fifty pipelines."""
    held: dict[str, list[datetime]] = {}
    start = moment("10:00:00")
    for minute in (0, 0, *range(11)):
        keep(held, 7, start + timedelta(minutes=minute))
    assert held == {"7": [start + timedelta(minutes=minute) for minute in range(1, 11)]}
    for id_ in range(8, 58):
        keep(held, id_, start)
    assert list(held) == [str(id_) for id_ in range(8, 58)]
