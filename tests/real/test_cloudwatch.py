"""CloudWatch as moto's server has it, put there by boto3 and read by the source over its own way out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from tests.real.conftest import REGION
from tests.support.real_source import connected, utc_now

from platform_meter.model.facts.slis import SliCount
from platform_meter.model.objective import Asked, Bound
from platform_meter.sources.cloudwatch import SOURCE
from platform_meter.sources.cloudwatch.config import Config, with_asked

BALANCER = {"LoadBalancer": "app/checkout/1"}
SPACE = "AWS/ApplicationELB"
ASKED = Asked(
    name="balancer",
    type="cloudwatch",
    total={"namespace": SPACE, "metric": ("RequestCount", "HTTPCode_ELB_5XX_Count"), "dimensions": BALANCER},
    part={
        "namespace": SPACE,
        "metric": ("HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"),
        "dimensions": BALANCER,
    },
    part_is_good=False,
)


def put(cloudwatch: Any, at: datetime, **counts: float) -> None:
    """What a balancer counted in one minute, and in one of its zones."""
    named = [{"Name": name, "Value": value} for name, value in BALANCER.items()]
    zone = [*named, {"Name": "AvailabilityZone", "Value": "a"}]
    rows = [
        {"MetricName": metric, "Dimensions": by, "Timestamp": at, "Value": value, "Unit": "Count"}
        for metric, value in counts.items()
        for by in (named, zone)
    ]
    cloudwatch.put_metric_data(Namespace=SPACE, MetricData=rows)


@pytest.mark.usefixtures("amazon")
def test_what_an_slo_file_asks_for_is_counted() -> None:
    """As an assumed role: check, errors of the balancer and behind it, a minute that nobody called, one that is corrected."""
    cloudwatch = boto3.client("cloudwatch")
    now = utc_now()
    minute = now.replace(second=0, microsecond=0) - timedelta(minutes=10)
    put(cloudwatch, minute, RequestCount=10, HTTPCode_Target_5XX_Count=2, HTTPCode_ELB_5XX_Count=1)
    put(cloudwatch, minute + timedelta(minutes=2), RequestCount=4)

    settings = Config.model_validate({"region": REGION, "role": "arn:aws:iam::123456789012:role/meter"})
    with connected(SOURCE, with_asked(settings, [ASKED])) as meter:
        assert meter.check() == []
        counts = meter.stream("sli/cloudwatch:balancer")
        counts.run(now, since=timedelta(days=2))
        told = {e.at - minute: e for e in counts.events.values() if isinstance(e, SliCount)}
        assert {after / timedelta(minutes=1): (e.good, e.bad) for after, e in told.items()} == {1: (8, 3), 3: (4, 0)}

        put(cloudwatch, minute, HTTPCode_Target_5XX_Count=1)
        again = [fact for page in counts.run(now + timedelta(minutes=1)) for fact in page.facts]
        (late,) = [fact for fact in again if isinstance(fact, SliCount) and fact.at == minute + timedelta(minutes=1)]
        assert (late.good, late.bad) == (7, 4)
        first = told[timedelta(minutes=1)]
        assert (late.key, (late.updated or now) > (first.updated or now)) == (first.key, True)
        assert set(meter.outcomes) == {"ok"}
        assert counts.checkpoint is not None
        assert datetime.fromtimestamp(int(counts.checkpoint), UTC) <= now - timedelta(minutes=2)

    took = {"namespace": SPACE, "metric": "TargetResponseTime", "dimensions": BALANCER, "stat": "Maximum"}
    level = Asked(name="took", type="cloudwatch", total=took, bound=Bound(operator="lt", value=0.5))
    put(cloudwatch, minute, TargetResponseTime=0.4)
    put(cloudwatch, minute + timedelta(minutes=1), TargetResponseTime=0.5)
    with connected(SOURCE, with_asked(settings, [level])) as meter:
        assert meter.check() == []
        minutes = meter.stream("sli/cloudwatch:took")
        minutes.run(now, since=timedelta(hours=1))
        assert [(e.good, e.bad) for e in minutes.events.values() if isinstance(e, SliCount)] == [(1, 0), (0, 1)]
        put(cloudwatch, minute, TargetResponseTime=0.6)
        again = [fact for page in minutes.run(now + timedelta(minutes=1)) for fact in page.facts]
        assert [(e.at - minute, e.bad) for e in again if isinstance(e, SliCount)] == [(timedelta(minutes=1), 1)]

    elsewhere = {**ASKED.total, "dimensions": {"LoadBalancer": "app/nobody/1"}}
    wrong = Asked(name="wrong", type="cloudwatch", total=elsewhere, part=ASKED.part, part_is_good=False)
    with connected(SOURCE, with_asked(settings, [wrong])) as meter:
        (said,) = meter.check()
        assert "had no value in two weeks; it has AvailabilityZone, LoadBalancer or LoadBalancer" in said
