"""Alerts beyond burn: what is wrong with the numbers themselves, and what they show that no SLO watches (domain section 15).

All are tickets. Every replica of the exporter serves the same, so `max without (instance, pod)` comes first. What is
absent never fires: a source that was never configured, a past that Prometheus does not hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
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
from platform_meter.model.generated import HEADER
from platform_meter.model.links import NOWHERE, Links
from platform_meter.model.metric import Metric
from platform_meter.render.artifact import Artifact
from platform_meter.render.dashboards.queries import selector, total
from platform_meter.render.rules.alert_text import escape
from platform_meter.render.rules.text import Group, Rule, rules_text
from platform_meter.slo.burnrate import Level

NAME = "platform_meter"
"""Of the files; no service is called so, since a service's name has no underscore."""
FAMILY_CAP = 10_000
"""Series of one family, unless `caps` of the configuration says otherwise."""
TOTAL_CAP = 60_000
"""Series in all, unless `caps` of the configuration says otherwise."""
NEAR = 0.9
"""Share of a cap from which on it is near."""

SOURCE_DOWN = "PlatformMeterSourceDown"
NEVER_READ = "PlatformMeterSourceNeverRead"
GAPS = "PlatformMeterGapsGrowing"
CONTRADICTION = "PlatformMeterCountsContradict"
UNOWNED = "PlatformMeterUnownedShare"
UNCLASSIFIED = "PlatformMeterUnclassifiedFailures"
CONFIG = "PlatformMeterConfigInvalid"
NEAR_CAP = "PlatformMeterNearSeriesCap"
DROPPED = "PlatformMeterSeriesDropped"
GONE = "PlatformMeterGone"
SILENT = "PlatformInstancesSilent"
CERTIFICATE = "PlatformCertificateEnds"
UNMEASURED = "PlatformClusterUnmeasured"
AT_RISK = "PlatformTicketsAtRisk"
BACKLOG = "PlatformBacklogAging"
ADOPTION = "PlatformAdoptionFell"
GOAL = "PlatformAdoptionGoalOutOfReach"

_PLACES = {
    SILENT: ("/gateways", "pm-gateways"),
    CERTIFICATE: ("/gateways", "pm-gateways"),
    UNMEASURED: ("/clusters", "pm-clusters"),
    AT_RISK: ("/support", "pm-support"),
    BACKLOG: ("/support", "pm-support"),
    ADOPTION: ("/adoption", "pm-adoption"),
    GOAL: ("/adoption", "pm-adoption"),
}
"""Page and dashboard of the alerts that are not about the meter itself."""
_TENTH = 'quantile="0.9"'
_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_RENEWED = timedelta(days=14)
"""What is renewed by itself is renewed earlier: one of 90 days a month before its end, one of 47 days 15 days before."""

_CONTRADICT = 'reason="contradiction"'
_SILENT = 'state="silent"'
_HIGH = 'bound="high"'


def meter_alerts(links: Links = NOWHERE) -> Artifact:
    """`platform_meter.rules.yml`: one group, the same whatever the SLO files say."""
    return Artifact(path=f"{NAME}.rules.yml", text=HEADER + rules_text([meter_group(links)]))


def meter_group(links: Links = NOWHERE) -> Group:
    """The group of that file."""
    rules = (*_sources(), *_numbers(), *_exporter(), *_platform(), *_people())
    linked = tuple(replace(rule, annotations={**rule.annotations, **_linked(rule.alert, links)}) for rule in rules)
    return Group(name="platform-meter", interval=_MINUTE, rules=linked)


def _sources() -> Sequence[Rule]:
    """Whether the systems that everything rests on are read, and read whole."""
    down = f"{_seen(SOURCE_UP)} == 0"
    read = f"on (source, source_instance) {_seen(SOURCE_LAST_SUCCESS)}"
    return (
        _rule(
            SOURCE_DOWN,
            f"{down}\nand {read}",
            "The source {{ $labels.source_instance }} could not be read for its stale_after, three polls if nobody set it, "
            "so its gauges are absent",
            wait=_MINUTE,
        ),
        _rule(
            NEVER_READ,
            f"{down}\nunless {read}",
            "The source {{ $labels.source_instance }} has not been read whole in six hours since it was configured; "
            "platform-meter sources test says what it lacks",
            wait=6 * _HOUR,
        ),
        _rule(
            GAPS,
            f"{_grown(SOURCE_GAPS, '1d')} > 0",
            "{{ $value }} more ranges of the history of {{ $labels.source }} could not be read in a day "
            "({{ $labels.reason }}), so what is counted there is too little",
        ),
        _rule(
            CONTRADICTION,
            f"{_grown(EVENTS_REJECTED, '1d', _CONTRADICT)} > 0",
            "{{ $value }} slices of SLIs of {{ $labels.source }} were left out in a day, since good or bad was above the "
            "total, so their SLOs count too little: good and bad have to be a part of total",
        ),
    )


def _numbers() -> Sequence[Rule]:
    """Whether numbers by team, and the platform success of CI, can be believed."""
    failures = 'outcome=~"user_failure|infra_failure|unknown"'
    unknown = _grown(PIPELINE_RUNS, "7d", 'outcome="unknown"', by="system")
    return (
        _rule(
            UNOWNED,
            f"{total(_seen(UNOWNED_OBJECTS))} / ({total(_seen(OBJECTS_SEEN))} > 0) > 0.1",
            "{{ $value | humanizePercentage }} of all objects have no owner, so what happens to them is missing from "
            "every team's numbers",
            wait=_HOUR,
        ),
        _rule(
            UNCLASSIFIED,
            # Fewer failures than that are no share of anything.
            f"({unknown})\n/ ({_grown(PIPELINE_RUNS, '7d', failures, by='system')} >= 5) > 0.2",
            "{{ $value | humanizePercentage }} of the failures of {{ $labels.system }} in seven days could not be "
            "classified, so its platform success is not to be trusted",
            wait=_HOUR,
        ),
    )


def _exporter() -> Sequence[Rule]:
    """Whether the exporter itself is well."""
    known = f"{BUILD_INFO.name}"
    sizes = f"max by (family) ({SERIES_EXPOSED.name})"
    return (
        _rule(
            GONE,
            f"count(last_over_time({known}[1d])) unless count({known})",
            "Prometheus has no series of platform-meter any more: nothing that it measures is known now",
            wait=10 * _MINUTE,
        ),
        _rule(
            CONFIG,
            # One replica that could not load it is enough.
            f"min without (instance, pod) ({CONFIG_VALID.name}) == 0",
            "The configuration or a definition has problems, so the exporter runs on with what it had loaded before; "
            "platform-meter check names them",
            wait=5 * _MINUTE,
        ),
        _rule(
            NEAR_CAP,
            f"sum({sizes}) > {NEAR * TOTAL_CAP:g}\nor {sizes} > {NEAR * FAMILY_CAP:g}",
            "{{ $value }} series of {{ or $labels.family `all families` }} are near their cap; past it label values "
            "become _other",
            wait=_HOUR,
        ),
        _rule(
            DROPPED,
            f"{_grown(SERIES_DROPPED, '1d')} > 0",
            "{{ $value }} label sets of {{ $labels.family }} passed the cap in a day and are only counted as _other, "
            "or not at all",
        ),
    )


def _platform() -> Sequence[Rule]:
    """What is silent, what ends soon, what nobody looks at."""
    left = f"{_seen(PROBE_CERTIFICATE_EXPIRY)} - time()"
    names = "provider, account, region, name"
    return (
        _rule(
            SILENT,
            f"{_seen(INSTANCES, _SILENT)} > 0",
            "{{ $value }} expected instances in {{ $labels.cluster }} ({{ $labels.kind }}) have not been heard from for a "
            "quarter of an hour",
            wait=15 * _MINUTE,
        ),
        _rule(
            CERTIFICATE,
            f"{left} < {_RENEWED.total_seconds():g}",
            "The certificate that {{ $labels.target }} serves "
            "{{ if lt $value 0.0 }}has ended{{ else }}ends in {{ $value | humanizeDuration }}{{ end }}, and nobody has "
            "renewed it",
            wait=_HOUR,
        ),
        _rule(
            UNMEASURED,
            # Without the version: a cluster that is upgraded is the same one.
            f"max by ({names}) ({CLUSTER_MEASURED.name}) == 0",
            "The cluster {{ $labels.name }} of {{ $labels.provider }} ({{ $labels.account }}, {{ $labels.region }}) has been "
            "there for a day and no source reads it, so it is missing from every number",
            wait=_DAY,
        ),
    )


def _people() -> Sequence[Rule]:
    """What waits, and who leaves."""
    urgent = _seen(TICKET_AT_RISK, 'priority="P1"')
    hours = f"{_seen(TICKET_BACKLOG_AGE, _TENTH)} / 3600"
    active = ADOPTION_ACTIVE_RATIO.name
    return (
        _rule(
            AT_RISK,
            f"{urgent} > 0",
            "{{ $value }} P1 tickets of {{ $labels.queue }} are past their goal or about to be ({{ $labels.sla }})",
        ),
        _rule(
            BACKLOG,
            f"{hours} > 2 * quantile_over_time(0.5, ({hours})[28d:1h])",
            'A tenth of the open tickets of {{ $labels.queue }} has waited for more than {{ $value | printf "%.0f" }} '
            "business hours, twice as long as is usual there",
            wait=_HOUR,
        ),
        _rule(
            ADOPTION,
            f"max by (capability) ({active} offset 28d) - max by (capability) ({active}) > 0.1",
            "The active share of the units that could use {{ $labels.capability }} is "
            "{{ $value | humanizePercentage }} of them lower than 28 days ago",
            wait=_HOUR,
        ),
        _rule(
            GOAL,
            f"{_best(ADOPTION_GOAL_NEEDED)} - {_best(ADOPTION_GOAL_FORECAST, _HIGH)} > 0",
            "The goal of {{ $labels.capability }} by {{ $labels.by }} is out of reach: even if all goes well its share will be "
            "{{ $value | humanizePercentage }} of the eligible units short",
            wait=_DAY,
        ),
    )


def _best(metric: Metric, where: str = "") -> str:
    return f"max by (capability, by) ({_seen(metric, where)})"


def _rule(name: str, expr: str, summary: str, *, wait: timedelta = timedelta(0)) -> Rule:
    labels = {"level": Level.TICKET, "severity": Level.TICKET}
    return Rule(alert=name, labels=labels, annotations={"summary": summary}, expr=expr, wait=wait)


def _linked(alert: str, links: Links) -> dict[str, str]:
    """Links of an alert, as far as the addresses are known."""
    page, board = _PLACES.get(alert, ("/sources", "pm-meter"))
    found = {"page_url": links.page(page), "dashboard_url": links.board(board), "runbook_url": links.runbook(alert)}
    return {name: escape(link) for name, link in found.items() if link}


def _seen(metric: Metric, where: str = "", ago: str = "") -> str:
    """A metric as any replica says it, now or so long ago."""
    then = f" offset {ago}" if ago else ""
    return f"max without (instance, pod) ({selector(metric.name, where)}{then})"


def _grown(metric: Metric, window: str, where: str = "", *, by: str = "") -> str:
    """What a counter grew in `window`, two samples a series: the store keeps counters, so they never begin anew.

    A series that was not there before grew from 0.
    """
    now, then = _seen(metric, where), _seen(metric, where, window)
    if by:
        now, then = total(now, by), total(then, by)
    return f"{now} - ({then} or 0 * {now})"
