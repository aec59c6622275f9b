"""What an SLO counts of CI."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from platform_meter.model.facts import Ref
from platform_meter.model.facts.ci import QUEUE_WAITS, Outcome, PipelineActive, PipelineJob
from platform_meter.model.objective import StoredSli

AT = datetime(2026, 6, 10, 12, tzinfo=UTC)


def job(seconds: float | None, pool: str = "linux") -> PipelineJob:
    return PipelineJob(
        key="1",
        at=AT,
        about=Ref(system="github", kind="repository", id="acme/pay"),
        run="r",
        pool=pool,
        outcome=Outcome.SUCCESS,
        ran=timedelta(minutes=1),
        queued=None if seconds is None else timedelta(seconds=seconds),
    )


def good(found: PipelineJob, **where: str) -> bool | None:
    (tally,) = found.tallies()
    return QUEUE_WAITS.good(StoredSli(events=QUEUE_WAITS, where=where, threshold=300.0), tally.dim)


@pytest.mark.parametrize(
    ("seconds", "bucket", "kept"),
    [
        (0, "5", True),
        (5, "5", True),
        (300, "300", True),
        (300.001, "600", False),
        (14400, "14400", False),
        (14401, "+Inf", False),
        (None, "", None),
    ],
)
def test_a_wait_is_good_up_to_its_threshold(seconds: float | None, bucket: str, kept: bool | None) -> None:
    """Exact at each bound; a job that no runner took has no wait, and is neither good nor bad."""
    (tally,) = job(seconds).tallies()
    assert (tally.dim, tally.amount) == (("linux", bucket), float(seconds or 0))
    assert good(job(seconds)) is kept


def test_an_slo_may_be_of_one_pool() -> None:
    """What does not tell its pool is in `unknown`."""
    assert good(job(400), pool="linux") is False
    assert good(job(400, "gpu"), pool="linux") is None
    assert good(job(1, ""), pool="unknown") is True


def test_a_bad_wait_says_where_and_how_long() -> None:
    """As the SLO's page lists it."""
    assert QUEUE_WAITS.told(job(4000, "gpu")) == ("acme/pay: job in gpu", "waited 4,000 s for a runner")


def test_readings_of_one_pool_stand_beside_each_other() -> None:
    """What one job adds takes the place of neither the pool nor another job."""
    about = Ref(system="tekton", kind="pool", id="eu")
    keys = [PipelineActive(about=about, of=of, pool="eu", queued=1, running=0).key for of in ("", "a", "b")]
    assert keys == ["pool/eu", "pool/eu/a", "pool/eu/b"]
