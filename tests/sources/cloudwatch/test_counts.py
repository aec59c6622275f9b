"""Good and bad events of an SLI by the minute, as CloudWatch has them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from tests.sources.cloudwatch.cloudwatch_server import CloudWatch, epoch
from tests.sources.cloudwatch.test_cloudwatch import (
    BEGUN,
    DONE,
    ITSELF,
    NOW,
    REQUESTS,
    SETTINGS,
    SINCE,
    TARGETS,
    later_world,
    small_world,
)

from platform_meter.model.facts import Fact
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.source import Forbidden, Page, Unexpected
from platform_meter.sources.cloudwatch import SOURCE
from platform_meter.sources.cloudwatch.config import Config
from platform_meter.testing.outside import FakeOutside


def read(
    world: CloudWatch,
    sli: str = "sli/web",
    checkpoint: bytes | None = None,
    *,
    now: datetime = NOW,
    since: datetime = SINCE,
) -> tuple[list[Page], FakeOutside]:
    """What one poll of an SLI says."""
    outside = FakeOutside(world)
    (stream,) = (s for s in SOURCE.connect(Config.model_validate(SETTINGS), outside, "aws") if s.name == sli)
    return list(stream.read(checkpoint, since, now)), outside


def amounts(pages: Sequence[Page]) -> dict[str, tuple[float, float]]:
    facts: list[Fact] = [fact for page in pages for fact in page.facts]
    return {f"{fact.at:%H:%M}": (fact.good, fact.bad) for fact in facts if isinstance(fact, SliCount)}


def test_metrics_of_one_part_are_added_up() -> None:
    """Errors of the balancer by itself and of what stands behind it, bad ones asked for before all; of a minute without
    requests nothing is said, whatever failed in it.
    """
    world = small_world()
    pages, _ = read(world)
    assert amounts(pages) == {"11:31": (7.0, 3.0), "11:50": (3.0, 0.0)}
    assert world.asked == [
        [("HTTPCode_Target_5XX_Count", "Sum"), ("HTTPCode_ELB_5XX_Count", "Sum")],
        [("RequestCount", "Sum")],
    ]


def test_good_ones_are_asked_for_after_all() -> None:
    """Each event is a sample, whatever its value."""
    world = small_world()
    pages, _ = read(world, "sli/jobs")
    assert amounts(pages) == {"11:40": (6.0, 2.0)}
    assert world.asked == [[("Begun", "SampleCount")], [("Done", "SampleCount")]]


def test_good_ones_may_be_late() -> None:
    """A minute that ended just now with none is not said before it is 5 minutes old; then it was all bad."""
    world = CloudWatch(counted={BEGUN: {epoch("11:50"): 1.0, epoch("11:57"): 4.0}, DONE: {epoch("11:50"): 1.0}})
    pages, _ = read(world, "sli/jobs")
    assert amounts(pages) == {"11:50": (1.0, 0.0)}
    assert pages[-1].checkpoint == str(epoch("11:56")).encode()
    pages, _ = read(world, "sli/jobs", pages[-1].checkpoint, now=NOW + timedelta(minutes=3))
    assert amounts(pages)["11:57"] == (0.0, 4.0)


def test_a_minute_is_corrected_by_what_comes_late() -> None:
    """It is read again; of two reads the one that counted more is later."""
    first, _ = read(small_world())
    second, _ = read(later_world(), checkpoint=first[-1].checkpoint, now=NOW + timedelta(minutes=10))
    assert amounts(second) == {"11:31": (7.0, 3.0), "11:50": (2.0, 1.0), "11:59": (5.0, 0.0)}
    told = {f"{f.at:%H:%M}": f for page in (*first, *second) for f in page.facts if isinstance(f, SliCount)}
    before = {f"{f.at:%H:%M}": f for page in first for f in page.facts if isinstance(f, SliCount)}
    assert (told["11:50"].key, told["11:50"].about) == (before["11:50"].key, before["11:50"].about)
    assert (told["11:50"].updated or NOW) > (before["11:50"].updated or NOW)


def test_a_level_is_held_against_its_bound() -> None:
    """By the minute, and told again where it is another one; what is not whole is nothing here too."""
    level = {"namespace": "AWS/ApplicationELB", "metric": "TargetResponseTime", "stat": "p99"}
    config = Config.model_validate(
        {**SETTINGS, "levels": [{"id": "took", "level": level, "op": "lt", "value": 0.5}], "slis": []}
    )
    key = ("AWS/ApplicationELB", "TargetResponseTime", ())
    world = CloudWatch(counted={key: {epoch("11:40"): 0.4, epoch("11:55"): 0.5}})
    outside = FakeOutside(world)
    (stream,) = SOURCE.connect(config, outside, "aws")
    assert (stream.name, stream.sli, stream.behind) == ("sli/took", "took", timedelta(minutes=2))
    first = list(stream.read(None, SINCE, NOW))
    assert amounts(first) == {"11:40": (1.0, 0.0), "11:55": (0.0, 1.0)}
    assert world.asked == [[("TargetResponseTime", "p99")]]
    world.counted[key] |= {epoch("11:55"): 0.3, epoch("11:59"): 0.2}
    second = list(stream.read(first[-1].checkpoint, SINCE, NOW + timedelta(minutes=5)))
    assert amounts(second) == {"11:55": (1.0, 0.0), "11:59": (1.0, 0.0)}
    world.odd = frozenset({"TargetResponseTime"})
    with pytest.raises(Unexpected, match=r"answered of AWS/ApplicationELB TargetResponseTime can't be read"):
        list(stream.read(second[-1].checkpoint, SINCE, NOW + timedelta(minutes=9)))
    world.odd = frozenset()
    stopped = NOW + timedelta(days=20)
    assert amounts(list(stream.read(second[-1].checkpoint, SINCE, stopped))) == {}
    assert [(gap.end, gap.reason) for gap in outside.gaps] == [(stopped - timedelta(days=14, hours=23), "pruned")]


def test_what_is_not_whole_is_nothing() -> None:
    """A metric that can't be read, or may not be, would stand for none: the poll fails, and the minutes are read again."""
    world = small_world()
    world.odd = frozenset({"HTTPCode_ELB_5XX_Count"})
    with pytest.raises(Unexpected, match=r"answered of AWS/ApplicationELB HTTPCode_ELB_5XX_Count can't be read"):
        read(world)
    world.odd, world.forbidden = frozenset(), frozenset({"RequestCount"})
    with pytest.raises(Forbidden, match=r"cloudwatch:GetMetricData"):
        read(world)


def test_what_cloudwatch_has_no_minutes_of_is_a_gap() -> None:
    """They are joined to longer slices after 15 days, so that what a long stop missed is told by nobody."""
    stopped = str(int((NOW - timedelta(days=20)).timestamp())).encode()
    world = CloudWatch(counted={REQUESTS: {epoch("11:50"): 3.0}, TARGETS: {}, ITSELF: {}})
    pages, outside = read(world, checkpoint=stopped)
    assert amounts(pages) == {"11:50": (3.0, 0.0)}
    assert [(gap.start, gap.end, gap.reason) for gap in outside.gaps] == [
        (NOW - timedelta(days=20), NOW - timedelta(days=14, hours=23), "pruned")
    ]
    assert min(call.body["StartTime"] for call in outside.calls) >= (NOW - timedelta(days=15)).timestamp()
