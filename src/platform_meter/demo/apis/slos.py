"""SLO files of teams whose names follow from the seed: over events that a source counts by the minute."""

from __future__ import annotations

from collections.abc import Mapping


def slo(id_: str, *, title: str, owner: str, service: str, said: str, target: float) -> Mapping[str, object]:
    """An OpenSLO document over 28 days; the SLI that it counts is called as it is."""
    raw = {"type": "stored", "spec": {"events": "sli", "where": {"id": id_}}}
    return {
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": {
            "name": id_,
            "displayName": title,
            "annotations": {"platform-meter.io/owner": owner, "platform-meter.io/bad-events": "requests failed"},
        },
        "spec": {
            "service": service,
            "description": said,
            "budgetingMethod": "Occurrences",
            "timeWindow": [{"duration": "28d", "isRolling": True}],
            "indicator": {
                "metadata": {"name": id_},
                "spec": {"ratioMetric": {"rawType": "success", "raw": {"metricSource": raw}}},
            },
            "objectives": [{"displayName": title, "target": target}],
        },
    }
