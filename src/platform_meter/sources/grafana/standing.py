"""Dashboards and alert rules as they stand, with what says whose they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from platform_meter.model.facts import Ref
from platform_meter.model.facts.observability import AlertRule, Dashboard, Used
from platform_meter.model.source import Forbidden, Outside, Page
from platform_meter.sources.grafana.config import SYSTEM
from platform_meter.sources.grafana.lists import DASHBOARDS, Folders, folders, found, views
from platform_meter.sources.grafana.rows import DashboardRow, Ruler, RuleRow
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.tags import owning

PROVISIONING = "/api/v1/provisioning/alert-rules"
RULER = "/api/ruler/grafana/api/v1/rules"
"""What may be read with less: by whoever may see rules."""
FOLDER = "folder"


def dashboards(tags: Sequence[str], outside: Sieve) -> Iterator[Page]:
    """All that the token may see.

    What stands is never read off the list of views, which is in an order that changes while it is read.
    """
    paths, viewed = folders(outside), views(outside)
    told: dict[str, Dashboard] = {}
    for row in found(outside, DASHBOARDS, list[DashboardRow]):
        pairs = (tag.replace("=", ":", 1).partition(":")[::2] for tag in row.tags or ())
        about = _ref("dashboard", row.uid, paths.path(row.folder_uid, row.folder_title), owning(pairs, tags))
        told[row.uid] = Dashboard(about=about, used=_used(viewed.get(row.uid)))
    yield Page(facts=tuple(told.values()), complete=frozenset({Dashboard}))


def _used(seen: float | None) -> Used:
    if seen is None:
        return Used.UNKNOWN
    return Used.YES if seen > 0 else Used.NO


def alert_rules(tags: Sequence[str], outside: Sieve) -> Iterator[Page]:
    """All that the token may see but those that are paused, which watch nothing, and recording rules."""
    paths = folders(outside)
    facts = tuple(alert_rule(row, tags, paths) for row in rules(outside) if not row.paused and row.record is None)
    yield Page(facts=facts, complete=frozenset({AlertRule}))


def rules(outside: Outside) -> Iterable[RuleRow]:
    """By the provisioning API, else by the ruler, where only the former is forbidden.

    Raises:
        Forbidden: by the ruler too.
    """
    try:
        return outside.get(PROVISIONING, list[RuleRow]).body or ()
    except Forbidden:
        groups = outside.get(RULER, Ruler).body or {}
    return [
        RuleRow(
            uid=rule.grafana_alert.uid,
            folder_uid=rule.grafana_alert.namespace_uid,
            labels=rule.labels,
            paused=rule.grafana_alert.is_paused,
            record=rule.grafana_alert.record,
        )
        for folder in groups.values()
        for group in folder
        for rule in group.rules
    ]


def alert_rule(row: RuleRow, tags: Sequence[str], paths: Folders) -> AlertRule:
    pairs = (row.labels or {}).items()
    return AlertRule(about=_ref("alert_rule", row.uid, paths.path(row.folder_uid), owning(pairs, tags)))


def _ref(kind: str, uid: str, folder: str, labels: dict[str, str]) -> Ref:
    pairs = {**labels, FOLDER: folder} if folder else labels
    id_ = f"{folder}/{uid}" if folder else uid
    return Ref(system=SYSTEM, kind=kind, id=id_, labels=tuple(sorted(pairs.items())))
