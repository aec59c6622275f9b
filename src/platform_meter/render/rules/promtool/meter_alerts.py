"""promtool tests of the alerts beyond burn: each is silent up to its bound and fires past it, once for all replicas."""

from __future__ import annotations

from datetime import timedelta

from platform_meter.model.catalogue.adoption import (
    ADOPTION_ACTIVE_RATIO,
    ADOPTION_GOAL_FORECAST,
    ADOPTION_GOAL_NEEDED,
)
from platform_meter.model.catalogue.ci import PIPELINE_RUNS
from platform_meter.model.catalogue.instances import INSTANCES
from platform_meter.model.catalogue.kubernetes import CLUSTER_MEASURED
from platform_meter.model.catalogue.meter import (
    BUILD_INFO,
    CONFIG_VALID,
    EVENTS_REJECTED,
    OBJECTS_SEEN,
    SERIES_DROPPED,
    SERIES_EXPOSED,
    SOURCE_GAPS,
    SOURCE_LAST_SUCCESS,
    SOURCE_UP,
    UNOWNED_OBJECTS,
)
from platform_meter.model.catalogue.probes import PROBE_CERTIFICATE_EXPIRY
from platform_meter.model.catalogue.support import TICKET_AT_RISK, TICKET_BACKLOG_AGE
from platform_meter.model.metric import Metric
from platform_meter.render.artifact import Artifact
from platform_meter.render.rules import meter_alerts as m
from platform_meter.render.rules.promtool.text import Expected, Test, labels_text, tests_text

_STEP = timedelta(hours=1)
"""Between samples, and between evaluations: every wait and window is a number of hours, or shorter than one."""
_REPLICAS = ({"instance": "a"}, {"instance": "b"})


def meter_alert_tests() -> Artifact:
    """`platform_meter.test.yml`, one test for each alert."""
    tests = (*_sources(), *_numbers(), *_exporter(), *_platform(), *_people())
    return Artifact(path=f"{m.NAME}.test.yml", text=tests_text(f"{m.NAME}.rules.yml", _STEP, tests, []))


Series = tuple[str, str]


def _sources() -> list[Test]:
    known, new = {"source": "github", "source_instance": "github"}, {"source": "jira", "source_instance": "new"}
    read = [_series(SOURCE_LAST_SUCCESS, "100x20", **known, **replica) for replica in _REPLICAS]
    up = [_series(SOURCE_UP, "1x3 0x16", **known, **replica) for replica in _REPLICAS]
    # Configured later than the other one went down.
    never = [_series(SOURCE_UP, "_x8 0x12", **new, **replica) for replica in _REPLICAS]
    gaps = [
        _series(SOURCE_GAPS, "4x30 5x4", source="github", reason="result_cap"),
        _series(SOURCE_GAPS, "_x31 2x4", source="github", reason="pruned"),
        _series(SOURCE_GAPS, "7x35", source="jira", reason="forbidden"),
    ]
    odd = [
        _series(EVENTS_REJECTED, values, source="prometheus", kind="SliCount", reason=reason)
        for reason, values in (("contradiction", "2x30 3x4"), ("invalid", "0x30 9x4"))
    ]
    return [
        _test(m.SOURCE_DOWN, "a source that was read is down", [*read, *up, *never], calm=3, fires=5),
        _test(m.NEVER_READ, "a source was not read in six hours", [*read, *up, *never], calm=13, fires=15),
        _test(m.GAPS, "gaps that grew, or are new, in a day", gaps, calm=30, fires=32, count=2),
        _test(m.CONTRADICTION, "good or bad above the total within a day", odd, calm=30, fires=32),
    ]


def _numbers() -> list[Test]:
    objects = [
        *(_series(OBJECTS_SEEN, "100x8", source="github", kind=kind) for kind in ("repository", "team")),
        _series(UNOWNED_OBJECTS, "10x8", source="github", kind="team"),
        _series(UNOWNED_OBJECTS, "10x3 11x4", source="github", kind="repository"),
    ]
    runs = [
        _series(PIPELINE_RUNS, values, system=system, team=team, outcome=outcome)
        for system, team, outcome, values in (
            ("github", "shop", "unknown", "9x180 10x10 11x6"),
            ("github", "pay", "user_failure", "5x180 8x16"),
            ("github", "pay", "infra_failure", "5x180 6x16"),
            ("github", "pay", "success", "5x180 500x16"),
            # One of four: too few to judge by.
            ("jenkins", "shop", "unknown", "0x180 1x16"),
            ("jenkins", "shop", "user_failure", "0x180 3x16"),
        )
    ]
    return [
        _test(m.UNOWNED, "more than a tenth of all objects without owner", objects, calm=3, fires=5),
        _test(m.UNCLASSIFIED, "more than a fifth of a week's failures unclassified", runs, calm=190, fires=193),
    ]


def _exporter() -> list[Test]:
    families = [_series(SERIES_EXPOSED, "9000x3 9001x5", family="one")]
    families += [_series(SERIES_EXPOSED, "9000x8", family=name) for name in ("two", "three", "four", "five", "six")]
    valid = [_series(CONFIG_VALID, values, **r) for r, values in zip(_REPLICAS, ("1x8", "1x3 0x4"), strict=True)]
    dropped = _series(SERIES_DROPPED, "3x30 4x4", family="one")
    return [
        _test(m.GONE, "the exporter is gone", [_series(BUILD_INFO, "1x3", version="1")], calm=3, fires=5),
        _test(m.CONFIG, "one of two replicas could not load its configuration", valid, calm=3, fires=5),
        _test(m.NEAR_CAP, "one family, and all together, near their caps", families, calm=3, fires=5, count=2),
        _test(m.DROPPED, "label sets passed a cap", [dropped], calm=30, fires=31),
    ]


def _platform() -> list[Test]:
    gateways = [
        _series(INSTANCES, values, kind="gateway", cluster="eu", state=state, **replica)
        for replica in _REPLICAS
        for state, values in (("reporting", "3x3 2x4"), ("silent", "0x3 1x4"))
    ]
    # Time begins at 0: 14 days are left of the first at the hour 3, and more than that of the second all along.
    ends = [
        _series(PROBE_CERTIFICATE_EXPIRY, f"{at}x8", target=target, **replica)
        for replica in _REPLICAS
        for target, at in (("portal", 1_220_400), ("wiki", 9_000_000))
    ]
    cloud = {"provider": "eks", "account": "acme", "region": "eu-central-1"}
    listed = [
        _series(CLUSTER_MEASURED, "_x10 0x10 _x20", name="old", version="1.29", **cloud),
        _series(CLUSTER_MEASURED, "_x21 0x19", name="old", version="1.30", **cloud),
        _series(CLUSTER_MEASURED, "1x40", name="eu", version="1.32", **cloud),
    ]
    return [
        _test(m.SILENT, "one of three gateways is not heard from", gateways, calm=3, fires=5),
        _test(m.CERTIFICATE, "a certificate with less than 14 days", ends, calm=4, fires=5),
        _test(m.UNMEASURED, "a cluster that nobody reads for a day, upgraded meanwhile", listed, calm=33, fires=35),
    ]


def _people() -> list[Test]:
    clocks = [
        _series(TICKET_AT_RISK, "0x3 2x3", queue="help", sla="resolution", priority="P1", **replica)
        for replica in _REPLICAS
    ]
    clocks.append(_series(TICKET_AT_RISK, "5x6", queue="help", sla="resolution", priority="P2"))
    ages = [
        _series(TICKET_BACKLOG_AGE, "36000x700 72000x3 72001x4", queue="help", quantile="0.9"),
        _series(TICKET_BACKLOG_AGE, "36000x700 99000x7", queue="help", quantile="1.0"),
    ]
    ci, portal = ({"capability": name, "unit": "team", "mandated": "false"} for name in ("ci", "portal"))
    active = [
        _series(ADOPTION_ACTIVE_RATIO, "0.6x680 0.5x3 0.49x4", **ci),
        _series(ADOPTION_ACTIVE_RATIO, "0.1x680 0.9x7", **portal),
    ]
    goal = {"capability": "ci", "by": "2027-03-31"}
    goals = [
        _series(ADOPTION_GOAL_NEEDED, "0.8x60", **goal),
        # What is possible falls below what is needed at 3 h; what is likely was below it all along.
        _series(ADOPTION_GOAL_FORECAST, "0.8x2 0.79x57", **goal, bound="high"),
        _series(ADOPTION_GOAL_FORECAST, "0.5x60", **goal, bound="point"),
    ]
    return [
        _test(m.AT_RISK, "a P1 ticket about to be late", clocks, calm=3, fires=4),
        _test(m.BACKLOG, "a backlog twice as old as usual", ages, calm=703, fires=706),
        _test(m.ADOPTION, "more than ten points fewer active than 28 days ago", active, calm=683, fires=686),
        _test(m.GOAL, "a goal above all that is expected, for a day", goals, calm=26, fires=29),
    ]


def _series(metric: Metric, values: str, **labels: str) -> Series:
    return f"{metric.name}{labels_text(**labels)}", values


def _test(alert: str, name: str, series: list[Series], *, calm: int, fires: int, count: int = 1) -> Test:
    """Silent in the hour `calm`, in which the bound is reached, and firing in the hour `fires`."""
    firing = f"count(ALERTS{labels_text(alertname=alert, alertstate='firing', level='ticket')})"
    return Test(
        name=f"{alert}: {name}",
        step=_STEP,
        series=tuple(series),
        expected=(
            Expected(expr=firing, at=calm * _STEP, value=None),
            Expected(expr=firing, at=fires * _STEP, value=count),
        ),
    )
