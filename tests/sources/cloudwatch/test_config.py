"""What settings, and SLO files, may say of metrics in CloudWatch."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from platform_meter.model.objective import Asked, Bound
from platform_meter.sources.cloudwatch.config import Config, Counted, Level, SliQuery, with_asked
from platform_meter.sources.kit.cloudwatch import Query

TOTAL: dict[str, Any] = {"namespace": "AWS/SQS", "metric": "NumberOfMessagesSent", "dimensions": {"QueueName": "in"}}


def test_metrics_are_asked_for_with_all_their_dimensions() -> None:
    """One or several names, which share the rest; the statistic is a sum unless samples are what is counted."""
    both = Counted.model_validate({**TOTAL, "metric": ["Sent", "Kept"]})
    assert both.queries == (
        Query(namespace="AWS/SQS", metric="Sent", dimensions=(("QueueName", "in"),), statistic="Sum"),
        Query(namespace="AWS/SQS", metric="Kept", dimensions=(("QueueName", "in"),), statistic="Sum"),
    )
    alone = Counted(namespace="Acme", metric=("Done",), stat="SampleCount")
    assert alone.queries == (Query(namespace="Acme", metric="Done", dimensions=(), statistic="SampleCount"),)


def test_words_of_other_tools_are_read() -> None:
    """`metricName` and a list of dimensions, as OpenSLO's example and Amazon's own tools write them."""
    named = [{"name": "QueueName", "value": "in"}]
    assert Counted.model_validate({"namespace": "N", "metricName": "M", "dimensions": named}) == Counted(
        namespace="N", metric=("M",), dimensions={"QueueName": "in"}
    )
    pascal = [{"Name": "QueueName", "Value": "in"}]
    assert Counted.model_validate({"namespace": "N", "metric": "M", "dimensions": pascal}).dimensions == {
        "QueueName": "in"
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"region": "eu-west-1"}, "the region is that of the source"),
        ({"stat": "p99"}, "Input should be 'Sum' or 'SampleCount'"),
        ({"metric": []}, "at least 1 item"),
        ({"namespace": " "}, "empty; write it as the cloud's console shows it"),
        ({"dimensions": [{"name": "a"}]}, "a dimension is its name and its value"),
        ({"metricName": "M"}, "Extra inputs are not permitted"),
    ],
)
def test_what_counts_nothing_is_refused(change: dict[str, Any], said: str) -> None:
    """A level, no metric, half a dimension, a region that its source has, one metric twice."""
    with pytest.raises(ValidationError, match=said):
        Counted.model_validate({**TOTAL, **change})


def test_slis_are_told_apart_and_have_one_part() -> None:
    """By their ids."""
    sli = {"id": "in", "bad": {**TOTAL, "metric": "Lost"}, "total": TOTAL}
    with pytest.raises(ValidationError, match="slis and levels have in twice; remove one, or tell them apart"):
        Config.model_validate({"region": "eu-central-1", "slis": [sli, sli]})
    with pytest.raises(ValidationError, match="exactly one of good and bad"):
        SliQuery.model_validate({"id": "in", "total": TOTAL})


def test_slo_files_add_slis() -> None:
    """Behind those of the settings, called so that they meet none of these."""
    config = Config.model_validate(
        {"region": "eu-central-1", "slis": [{"id": "in", "good": {**TOTAL, "metric": "Got"}, "total": TOTAL}]}
    )
    asked = Asked(name="queue", type="cloudwatch", total=TOTAL, part={**TOTAL, "metric": ("Lost",)}, part_is_good=False)
    found = with_asked(config, [asked])
    assert [sli.id for sli in found.slis] == ["in", "cloudwatch:queue"]
    assert found.slis[1] == SliQuery.model_validate(
        {"id": "cloudwatch:queue", "bad": {**TOTAL, "metric": "Lost"}, "total": TOTAL}
    )
    assert found.slis[1].part.metric == ("Lost",)
    assert with_asked(config, [Asked(**{**_fields(asked), "part_is_good": True})]).slis[1].good is not None
    with pytest.raises(ValueError, match="slis of the source has 'cloudwatch:queue', as this SLO's counts are called"):
        with_asked(found, [asked])


def test_slo_files_add_levels() -> None:
    """With the bound of their objective."""
    level = {"namespace": "AWS/ApplicationELB", "metric": "TargetResponseTime", "stat": "p99.9"}
    bound = Bound(operator="gte", value=0.5)
    asked = Asked(name="took", type="cloudwatch", total=level, bound=bound)
    found = with_asked(Config(region="eu-central-1"), [asked])
    assert (found.slis, [(one.id, one.bound, one.level.query) for one in found.levels]) == (
        (),
        [
            (
                "cloudwatch:took",
                bound,
                Query(namespace="AWS/ApplicationELB", metric="TargetResponseTime", dimensions=(), statistic="p99.9"),
            )
        ],
    )
    with pytest.raises(ValidationError, match="'fast' is no statistic; write Average"):
        Level.model_validate({**level, "stat": "fast"})
    with pytest.raises(ValueError, match="'cloudwatch:took', as this SLO's counts are called"):
        with_asked(found, [asked])


def _fields(asked: Asked) -> dict[str, Any]:
    return {name: getattr(asked, name) for name in ("name", "type", "total", "part", "part_is_good")}
