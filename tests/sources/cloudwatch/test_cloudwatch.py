"""CloudWatch: the case of the contract test, and what `check` says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.sources.cloudwatch.cloudwatch_server import CloudWatch, epoch, moment
from tests.support.minutes import minute

from platform_meter.model.access import Access, Aws
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.proposal import Surroundings
from platform_meter.sources.cloudwatch import SOURCE
from platform_meter.sources.cloudwatch.config import Config
from platform_meter.testing import Case, Later
from platform_meter.testing.outside import FakeOutside, Reply

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SINCE = NOW - timedelta(minutes=40)
BALANCER = {"LoadBalancer": "app/web/1"}
WEB = {
    "id": "web",
    "bad": {
        "namespace": "AWS/ApplicationELB",
        "metric": ["HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"],
        "dimensions": BALANCER,
    },
    "total": {"namespace": "AWS/ApplicationELB", "metric": "RequestCount", "dimensions": BALANCER},
}
JOBS = {
    "id": "jobs",
    "good": {"namespace": "Acme/Jobs", "metric": "Done", "stat": "SampleCount"},
    "total": {"namespace": "Acme/Jobs", "metric": "Begun", "stat": "SampleCount"},
}
SETTINGS: dict[str, Any] = {"region": "eu-central-1", "slis": [WEB, JOBS], "delay": "2m"}
REQUESTS = ("AWS/ApplicationELB", "RequestCount", (("LoadBalancer", "app/web/1"),))
OTHERS = ("AWS/ApplicationELB", "RequestCount", (("LoadBalancer", "app/web/1"), ("AvailabilityZone", "a")))
TARGETS = ("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", (("LoadBalancer", "app/web/1"),))
ITSELF = ("AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", (("LoadBalancer", "app/web/1"),))
BEGUN, DONE = ("Acme/Jobs", "Begun", ()), ("Acme/Jobs", "Done", ())


def small_world() -> CloudWatch:
    """Errors of a load balancer by itself and of what stands behind it; a minute is cut off at each end."""
    return CloudWatch(
        counted={
            REQUESTS: {epoch("08:30"): 99.0, epoch("11:31"): 10.0, epoch("11:50"): 3.0, epoch("11:59"): 99.0},
            OTHERS: {epoch("11:31"): 7.0},
            TARGETS: {epoch("11:31"): 2.0},
            ITSELF: {epoch("11:31"): 1.0, epoch("11:45"): 4.0},
            BEGUN: {epoch("11:40"): 8.0},
            DONE: {epoch("11:40"): 6.0},
        }
    )


def later_world() -> CloudWatch:
    """Ten minutes on: one error came late, one minute contradicts itself, and one metric is forbidden."""
    world = small_world()
    world.counted[TARGETS] |= {epoch("11:50"): 1.0}
    world.counted[REQUESTS] |= {epoch("11:59"): 5.0, epoch("12:02"): 1.0}
    world.counted[ITSELF] |= {epoch("12:02"): 2.0}
    return replace(world, forbidden=frozenset({"Done"}))


def slice_(sli: str, clock: str, good: float, bad: float, seen: float) -> SliCount:
    """`seen` is what stands for the time of the last change: all events, and those asked for apart once more."""
    return minute("cloudwatch", sli, moment(clock), good, bad, updated=datetime.fromtimestamp(seen, UTC))


CASE = Case(
    settings={**SETTINGS, "lookback": "15m"},
    answers=small_world,
    now=NOW,
    since=SINCE,
    expected=[
        slice_("web", "11:31", 7.0, 3.0, 13),
        slice_("web", "11:50", 3.0, 0.0, 3),
        slice_("jobs", "11:40", 6.0, 2.0, 14),
    ],
    later=Later(
        answers=later_world,
        after=timedelta(minutes=10),
        expected=[slice_("web", "11:50", 2.0, 1.0, 4), slice_("web", "11:59", 5.0, 0.0, 5)],
        failing=frozenset({"sli/jobs"}),
        rejected=1,
    ),
    without=[({"slis": []}, frozenset({SliCount}))],
)


def checked(world: CloudWatch | Reply, **settings: object) -> list[str]:
    outside = FakeOutside(world if isinstance(world, CloudWatch) else lambda _: world)
    return list(SOURCE.check(Config.model_validate({**SETTINGS, **settings}), outside))


def test_cloudwatch_is_entered_as_whom_the_settings_name() -> None:
    """In one region; that of an address is boto3's business."""
    config = Config.model_validate({"region": "eu-central-1", "role": "r", "profile": "p"})
    assert SOURCE.access(config) == Access(
        credential=Aws(service="cloudwatch", region="eu-central-1", role="r", profile="p")
    )


def test_each_sli_is_known_as_far_as_it_was_read() -> None:
    """A stream for each, which no other one holds up; all of them end where the delay says."""
    streams = SOURCE.connect(Config.model_validate(SETTINGS), FakeOutside(small_world()), "aws")
    assert [(one.name, one.sli, one.behind) for one in streams] == [
        ("sli/web", "web", timedelta(minutes=2)),
        ("sli/jobs", "jobs", timedelta(minutes=2)),
    ]


def test_settings_that_name_metrics_are_well() -> None:
    """Nothing is said, whatever an old minute gives."""
    assert checked(small_world()) == []
    assert checked(small_world(), slis=[]) == ["nothing is read; write slis, or SLO files with type: cloudwatch"]


def test_a_total_that_cloudwatch_does_not_list_is_told() -> None:
    """With what is listed in its place. A part may never have happened."""
    world = small_world()
    del world.counted[REQUESTS], world.counted[BEGUN], world.counted[DONE]
    mend = "correct namespace, metric or dimensions"
    assert checked(world) == [
        f"sli/web: RequestCount with LoadBalancer: app/web/1 had no value in two weeks; it has AvailabilityZone, LoadBalancer: {mend}",
        f"sli/jobs: Begun with no dimensions had no value in two weeks; Acme/Jobs has no such metric here: {mend}",
    ]


def test_permissions_that_are_lacking_are_told() -> None:
    """Each by its name."""
    assert checked(Reply(status=403)) == [
        "POST /: 403; allow cloudwatch:ListMetrics to this identity, with which totals are looked for",
        "POST /: 403; allow cloudwatch:GetMetricData to this identity",
    ]


@pytest.mark.parametrize("around", [Surroundings()])
def test_init_offers_a_sample(around: Surroundings) -> None:
    """What counts in an account nothing around tells."""
    proposal = SOURCE.propose(around)
    assert proposal is not None
    assert (proposal.sample, proposal.found) == (("cloudwatch", {"region": "eu-central-1"}), {})
