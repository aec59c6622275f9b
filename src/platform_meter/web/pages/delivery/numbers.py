"""The five numbers of delivery by team: as `/metrics` has them, and as they stood 28 days before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from platform_meter.measures.delivery.judged import Reach
from platform_meter.measures.delivery.numbers import value_of
from platform_meter.measures.delivery.selection import select
from platform_meter.model.catalogue.delivery import (
    DORA_DEPLOYMENTS,
    DORA_FAILURE,
    DORA_LEAD_TIME,
    DORA_OPEN,
    DORA_RECOVERY,
    DORA_REWORK,
    DORA_SAMPLES,
    DORA_UNLINKED,
)
from platform_meter.model.facts.delivery import Deployment
from platform_meter.model.measure import Labels
from platform_meter.model.metric import Metric, resolve
from platform_meter.web.view import View, percent, span

WINDOW = timedelta(days=28)
_LABEL = "28d"
STAGES = ("coding", "pickup", "review", "deploy", "total")
_METRICS = (DORA_DEPLOYMENTS, DORA_LEAD_TIME, DORA_FAILURE, DORA_RECOVERY, DORA_REWORK, DORA_SAMPLES, DORA_OPEN)
Known = Mapping[tuple[str, Labels], float | None]
"""By name of the metric and labels; what is undefined is None or not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number of a team, in words."""

    name: str
    value: str
    before: str
    """What it was 28 days before; empty where that is not known."""
    n: float | None
    """How many stand behind it."""
    of: str
    """What these are."""
    href: str
    """Where on the team's page they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Of all teams."""

    now: Known
    before: Known

    @property
    def teams(self) -> list[str]:
        """In order of name, which says nothing of them."""
        named = (DORA_SAMPLES.name, DORA_UNLINKED.name)
        return sorted({labels[0] for name, labels in self.now if name in named})

    def figures(self, team: str) -> list[Figure]:
        """The five."""
        lead, half = ("total", _LABEL, "0.5"), (_LABEL, "0.5")
        return [
            self._figure(DORA_DEPLOYMENTS, (team, _LABEL), "Deployments a day", "deployments", "deployments"),
            self._figure(DORA_LEAD_TIME, (team, *lead), "Lead time", "lead_time", "changes"),
            self._figure(DORA_FAILURE, (team, _LABEL), "Change failure", "change_failure", "judged"),
            self._figure(DORA_RECOVERY, (team, *half), "Recovery", "recovery", "recovered"),
            self._figure(DORA_REWORK, (team, _LABEL), "Rework", "rework", "deployments"),
        ]

    def stages(self, team: str) -> list[tuple[str, Sequence[float | None]]]:
        """Of each stage that is known: half take no longer, 90 % take no longer, and half 28 days before."""
        found: list[tuple[str, Sequence[float | None]]] = []
        for stage in STAGES:
            at = (team, stage, _LABEL, "0.5")
            most = (team, stage, _LABEL, "0.9")
            values = [known.get((DORA_LEAD_TIME.name, key)) for known, key in ((self.now, at), (self.now, most))]
            values.append(self.before.get((DORA_LEAD_TIME.name, at)))
            if any(value is not None for value in values):
                found.append((stage, values))
        return found

    def one(self, metric: Metric, team: str) -> float | None:
        """A number that has no window."""
        return self.now.get((metric.name, (team,)))

    def _figure(self, metric: Metric, key: Labels, name: str, samples: str, of: str) -> Figure:
        before = self.before.get((metric.name, key))
        return Figure(
            name=name,
            value=_said(metric, self.now.get((metric.name, key))),
            before="" if before is None else _said(metric, before),
            n=self.now.get((DORA_SAMPLES.name, (key[0], samples, _LABEL))),
            of=of,
            href="#failed" if metric in (DORA_FAILURE, DORA_RECOVERY) else f"#{of}",
        )


def numbers(view: View, team: str | None = None) -> Numbers:
    """As of the last tick, and the windows that ended 28 days before it, of one team or of all."""
    return Numbers(now=current(view).now, before=_before(view, team))


def current(view: View) -> Numbers:
    """As of the last tick alone, without a past: costs nothing."""
    now = {(m.name, labels): v for m in (*_METRICS, DORA_UNLINKED) for labels, v in view.rows.get(m.name, ())}
    return Numbers(now=now, before={})


def _before(view: View, team: str | None) -> Known:
    """Nothing where that window is not known whole: part of a window compares with nothing."""
    scene = view.scene
    told = Reach(scene, WINDOW).known(Deployment)
    if told is None or told.since > told.until - WINDOW:
        return {}
    metrics = {metric.name: metric for metric in _METRICS}
    return {
        (name, labels): resolve(value_of(scene, metrics[name], labels, parts))
        for (name, labels), parts in select(scene, WINDOW, team).items()
        if name in metrics and _LABEL in labels
    }


def _said(metric: Metric, value: float | None) -> str:
    if metric in (DORA_LEAD_TIME, DORA_RECOVERY):
        return span(value)
    if metric is DORA_DEPLOYMENTS:
        return "–" if value is None else f"{value:.2f}"
    return percent(value)
