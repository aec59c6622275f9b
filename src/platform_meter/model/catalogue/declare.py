"""How a metric is declared: its labels in one text, and what bounds their values said once for all metrics."""

from __future__ import annotations

from collections.abc import Mapping

from platform_meter.model.metric import Metric, MetricType

BOUNDS: Mapping[str, str] = {
    "source": "source types",
    "source_instance": "configured sources",
    "kind": "kinds of object or event of the source",
    "outcome": "success, user_failure, infra_failure, cancelled, skipped, unknown",
    "reason": "a closed list per source",
    "family": "declared metrics",
    "service": "services, _unowned",
    "team": "teams, _unowned",
    "system": "source types",
    "tier": "declared tiers",
    "org": "declared orgs",
    "persona": "declared personas",
    "pool": "runner pools, the first label of each job's runner",
    "state": "a closed list",
    "window": "windows of the metric",
    "environment": "Environment files and _other; without any, names of the sources, _other past the cap",
    "result": "a closed list",
    "way": "deployments_api, job, rollout, push",
    "target": "configured probes",
    "cluster": "configured clusters",
    "verb_class": "read, list, write",
    "capability": "Capability files",
    "unit": "team, service, person",
    "mandated": "true, false",
    "transition": "5 transitions",
    "queue": "Ticketing files",
    "category": "components or labels of the queue, _other past the cap",
    "priority": "priorities of the queue",
    "age": "5 age classes",
    "sla": "SLAs of the queue",
    "quantile": "quantiles of the metric",
    "version": "1",
    "slo": "SLO files",
    "profile": "3 profiles",
    "period": "1 per SLO",
    "project": "projects of the sources",
    "sync": "synced, out_of_sync, unknown",
    "health": "healthy, progressing, degraded, suspended, missing, unknown",
}


def counter(
    name: str,
    labels: str,
    help_: str,
    *,
    fold: str | None = None,
    cap: int = 10_000,
    bounds: Mapping[str, str] = BOUNDS,
) -> Metric:
    """Declare a counter; `bounds` names those of its labels that mean something else here than elsewhere."""
    return _metric(MetricType.COUNTER, name, labels, help_, (), fold, cap, bounds)


def gauge(
    name: str,
    labels: str,
    help_: str,
    *,
    fold: str | None = None,
    cap: int = 10_000,
    bounds: Mapping[str, str] = BOUNDS,
) -> Metric:
    """Declare a gauge; for `bounds` see `counter`."""
    return _metric(MetricType.GAUGE, name, labels, help_, (), fold, cap, bounds)


def histogram(
    name: str,
    labels: str,
    help_: str,
    *,
    buckets: tuple[float, ...],
    fold: str | None = None,
    cap: int = 10_000,
    bounds: Mapping[str, str] = BOUNDS,
) -> Metric:
    """Declare a histogram with these upper bounds, without +Inf; for `bounds` see `counter`."""
    return _metric(MetricType.HISTOGRAM, name, labels, help_, buckets, fold, cap, bounds)


def _metric(
    type_: MetricType,
    name: str,
    labels: str,
    help_: str,
    buckets: tuple[float, ...],
    fold: str | None,
    cap: int,
    bounds: Mapping[str, str],
) -> Metric:
    names = tuple(labels.split())
    return Metric(
        name=name,
        type=type_,
        help=help_,
        labels=names,
        bounds={n: bounds[n] if n in bounds else BOUNDS[n] for n in names},
        buckets=buckets,
        fold=("team" if "team" in names else "") if fold is None else fold,
        cap=cap,
    )
