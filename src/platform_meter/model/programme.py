"""What a product manager declares: personas, promises, campaigns, interventions, roadmaps (domain sections 10, 12, 14)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from platform_meter.model import months
from platform_meter.model.scalars import Address, Definition, Period, PlacedError, Zone


class PainMatch(Definition):
    """Feedback that tells of the pain point: tickets by label, feedback by theme (globs)."""

    ticket_label: tuple[str, ...] = ()
    feedback_theme: tuple[str, ...] = ()


class PainPoint(Definition):
    id: str = Field(examples=["slow-ci"])
    match: PainMatch = Field(examples=["{ticket_label: [ci-slow]}"])


class Persona(Definition):
    kind: Literal["Persona"]
    id: str = Field(examples=["app-developer"])
    title: str = ""
    pain_points: tuple[PainPoint, ...] = ()


class TicketPromise(Definition):
    """A promise about a queue's SLA: this share of its cycles is met."""

    queue: str = Field(examples=["jira-platform"])
    sla: str = Field(examples=["resolution"])
    """Id of one of the queue's SLAs."""
    ratio: float = Field(gt=0, lt=1, examples=["0.9"])


class PromisePeriod(Definition):
    """The calendar period that is judged."""

    calendar: Literal["month", "quarter", "year"] = "month"
    zone: Zone = "UTC"

    def around(self, moment: datetime, back: int = 0) -> tuple[datetime, datetime]:
        """Start and end, in UTC, of the period that the moment lies in, or of the one so many periods before it.

        Both are midnights of the zone, so that a month has an hour more or less where clocks change in it.
        """
        return months.around(moment, self.calendar, ZoneInfo(self.zone), back)

    def called(self, moment: datetime) -> str:
        """The period that the moment lies in, as people call it: `March 2026`, `Q1 2026`, `2026`."""
        return months.called(moment, self.calendar, ZoneInfo(self.zone))


class Promise(Definition):
    """An SLA: what was promised to whom. Looser than its SLO, judged per calendar period, reported; never alerts."""

    kind: Literal["Promise"]
    id: str = Field(examples=["gateway-telemetry"])
    title: str = ""
    audience: tuple[str, ...] = ()
    """Personas."""
    slo: str | None = None
    ticketing: TicketPromise | None = None
    target: float | None = Field(default=None, gt=0, lt=1)
    """Ratio promised of the SLO; a queue's stands in `ticketing.ratio`."""
    period: PromisePeriod = PromisePeriod()

    @model_validator(mode="after")
    def _one(self) -> Promise:
        if (self.slo is None) == (self.ticketing is None):
            raise ValueError("a promise is about one thing; write either slo: NAME or ticketing: {queue, sla, ratio}")
        if self.slo is not None and self.target is None:
            raise PlacedError("a promise about an SLO needs its target; write target: 0.985", "slo")
        if self.ticketing is not None and self.target is not None:
            raise PlacedError("a promise about tickets has its target in ticketing.ratio; remove target", "target")
        return self

    @property
    def promised(self) -> float:
        """The ratio promised, 0..1, wherever it is written."""
        found = self.ticketing.ratio if self.ticketing else self.target
        return found or 0.0


class Reach(Definition):
    invited: int = Field(ge=0, examples=["120"])
    attended: int = Field(ge=0, examples=["64"])

    @model_validator(mode="after")
    def _part(self) -> Reach:
        if self.attended > self.invited:
            raise PlacedError(f"{self.attended} attended of {self.invited} invited; correct one of the two", "attended")
        return self


class Campaign(Definition):
    """Internal marketing: its reach, and its effect as an annotation and a before and after."""

    kind: Literal["Campaign"]
    id: str = Field(examples=["gateway-roadshow"])
    title: str = ""
    at: date
    capability: str | None = None
    audience: tuple[str, ...] = ()
    """Personas."""
    reach: Reach | None = None


class EffectMetric(Definition):
    """What should change: the time from a journey's start to one of its stages, or a metric that is judged by its values."""

    time_to: str | None = None
    """Stage of the journey."""
    journey: str | None = None
    """Capability whose journey it is."""
    name: str | None = None
    """A metric of the catalogue."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Only what has these."""
    better: Literal["lower", "higher"] | None = None
    """Which direction is an improvement; None: as the metric has it."""

    @model_validator(mode="after")
    def _one(self) -> EffectMetric:
        if (self.time_to is None) != (self.journey is None) or (self.time_to is None) == (self.name is None):
            raise ValueError("write either {time_to: STAGE, journey: CAPABILITY} or {name: METRIC, better: lower}")
        if self.time_to is not None and self.labels:
            raise PlacedError("labels are those of a metric by name; remove them", "labels")
        return self

    @property
    def measured(self) -> tuple[str, dict[str, str]]:
        """The metric, and what of it."""
        if self.time_to is not None:
            return "platform_time_to_first_seconds", {"journey": self.journey or "", "milestone": self.time_to}
        return self.name or "", self.labels

    @property
    def called(self) -> str:
        """As it stands in a label: `platform_active_units{capability=ci}`."""
        name, labels = self.measured
        told = ",".join(f"{label}={value}" for label, value in sorted(labels.items()))
        return f"{name}{{{told}}}" if told else name


class Windows(Definition):
    pre: Period = timedelta(days=90)
    washout: Period = timedelta(days=14)
    """Left out after the change, while it spreads."""
    post: Period = timedelta(days=90)

    @property
    def whole(self) -> timedelta:
        """From the first moment before to the last one after."""
        return self.pre + self.washout + self.post


class Intervention(Definition):
    """A change whose effect is judged before against after (domain section 12)."""

    kind: Literal["Intervention"]
    id: str = Field(examples=["gateway-template-v2"])
    title: str = ""
    at: date
    """The day on which it was made; of the day itself everything is after."""
    metric: EffectMetric | None = Field(default=None, examples=["{time_to: STAGE, journey: CAPABILITY}"])
    metrics: tuple[EffectMetric, ...] = ()
    """Several, which are corrected for how many they are (Holm)."""
    windows: Windows = Windows()
    units: tuple[str, ...] = ()
    """Teams or services it touched; none means all, or all but `control_units`."""
    control_units: tuple[str, ...] = ()
    """Those it did not touch, for comparison."""

    @property
    def judged(self) -> tuple[EffectMetric, ...]:
        """What it should change."""
        return (self.metric,) if self.metric is not None else self.metrics

    @model_validator(mode="after")
    def _some(self) -> Intervention:
        if (self.metric is None) == (not self.metrics):
            raise ValueError(
                "an intervention should change something; write either metric: {time_to: STAGE, journey: CAPABILITY}, or "
                "several as metrics: [{name: METRIC}, {name: METRIC}]"
            )
        seen: set[str] = set()
        for i, one in enumerate(self.metrics):
            if one.called in seen:
                raise PlacedError(f"'{one.called}' stands twice; remove one", "metrics", i)
            seen.add(one.called)
        return self

    @model_validator(mode="after")
    def _apart(self) -> Intervention:
        for i, unit in enumerate(self.control_units):
            if unit in self.units:
                raise PlacedError(f"'{unit}' is among the units too; keep it in one of the two", "control_units", i)
        return self


class ItemText(Definition):
    """One item of a roadmap that stands in its file."""

    id: str = Field(examples=["gateway-v2"])
    title: str = ""
    period: str = ""
    """What it is planned for: `2026-Q3`, `Q3 2026`, `2026-07`, `2026-H2`, `2026`."""
    since: date | None = None
    """The first day on which it was planned for this period; without it, the day on which that is first seen."""
    target: date | None = None
    status: Literal["planned", "started", "done", "dropped"] = "planned"
    done: date | None = None
    """The day on which it was done."""
    feedback: tuple[str, ...] = ()
    """What it answers: source and name of a ticket or of feedback, `jira:HELP-7`."""
    themes: tuple[str, ...] = ()
    """Themes of feedback that it answers."""
    url: Address | None = None

    @model_validator(mode="after")
    def _done(self) -> ItemText:
        if self.status == "done" and self.done is None:
            raise PlacedError("an item that is done says since when; write done: 2026-08-14", "status")
        if self.done is not None and self.status != "done":
            raise PlacedError(f"done says that it is, and status that it is {self.status}; write status: done", "done")
        for i, name in enumerate(self.feedback):
            if not all(name.partition(":")[::2]):
                raise PlacedError(f"'{name}' names no source; write it like jira:HELP-7", "feedback", i)
        return self


SYSTEMS = {"jira": "jira", "github_project": "github", "github_milestones": "github"}
"""Type of the source that reads a type of roadmap."""
_PROJECTS = {
    "jira": (r"[A-Za-z][A-Za-z0-9_]*", "PLAT"),
    "github_project": (r"[^/\s]+/[1-9][0-9]*", "acme/7"),
    "github_milestones": (r"[^/\s]+/[^/\s]+", "acme/payments"),
}
"""How a type of roadmap names its project, and a sample."""


class RoadmapItems(Definition):
    """Where roadmap items stand."""

    type: Literal["jira", "github_project", "github_milestones", "yaml"]
    instance: str | None = None
    """Config key, where several sources of the type are configured."""
    project: str | None = None
    """`acme/7` of github_project, `acme/payments` of github_milestones, `PLAT` of jira."""
    select: str = ""
    """JQL of jira."""
    items: tuple[ItemText, ...] = ()
    """Of yaml: the items themselves."""

    @property
    def system(self) -> str:
        """Type of the source that reads them; empty where the file has them."""
        return SYSTEMS.get(self.type, "")

    @model_validator(mode="after")
    def _place(self) -> RoadmapItems:
        needs, article = ("items", "") if self.type == "yaml" else ("project", "a ")
        if not getattr(self, needs) and not (self.type == "jira" and self.select):
            sample = "[{id: gateway-v2, period: 2026-Q3}]" if self.type == "yaml" else _PROJECTS[self.type][1]
            raise PlacedError(f"a roadmap of type {self.type} needs {article}{needs}; write {needs}: {sample}", "type")
        if self.items and self.type != "yaml":
            raise PlacedError(f"items are of type yaml; those of {self.type} are read there", "items")
        if self.select and self.type != "jira":
            raise PlacedError("select is of type jira; remove it", "select")
        return self

    @model_validator(mode="after")
    def _project_name(self) -> RoadmapItems:
        pattern, sample = _PROJECTS.get(self.type, ("", ""))
        if self.project and pattern and not re.fullmatch(pattern, self.project):
            raise PlacedError(f"'{self.project}' is no project of {self.type}; write it like {sample}", "project")
        return self

    @model_validator(mode="after")
    def _unique(self) -> RoadmapItems:
        seen: set[str] = set()
        for i, item in enumerate(self.items):
            if item.id in seen:
                raise PlacedError(f"item '{item.id}' stands twice; give it another id", "items", i, "id")
            seen.add(item.id)
        return self


class FeedbackLinks(Definition):
    """How an item names the feedback it answers."""

    links: bool = True
    """Linked tickets count."""
    label: str = ""
    """Label whose rest is the theme, of items and of tickets: `feedback:*`."""

    @model_validator(mode="after")
    def _glob(self) -> FeedbackLinks:
        if self.label and (not self.label.endswith("*") or "*" in self.label[:-1]):
            raise PlacedError(f"'{self.label}' leaves no theme; end it with one *, such as feedback:*", "label")
        return self

    def theme(self, label: str) -> str:
        """The theme that a label names; empty for none."""
        prefix = self.label[:-1]
        return label.removeprefix(prefix) if self.label and label.startswith(prefix) else ""

    def themes(self, labels: Iterable[str]) -> tuple[str, ...]:
        """All that labels name, in order."""
        return tuple(sorted({self.theme(label) for label in labels} - {""}))


class RoadmapSource(Definition):
    kind: Literal["RoadmapSource"]
    id: str = Field(examples=["roadmap"])
    title: str = ""
    source: RoadmapItems = Field(examples=["{type: github_project, project: acme/7}"])
    period_field: str = ""
    """Field with the period that an item is planned for: its name, in Jira also its id, `fixVersions` or `sprint`."""
    target_field: str = ""
    """Field with the target date; in Jira `duedate` by default."""
    feedback: FeedbackLinks = FeedbackLinks()

    @model_validator(mode="after")
    def _fields(self) -> RoadmapSource:
        needs = self.source.type in {"jira", "github_project"}
        if needs and not self.period_field:
            raise PlacedError(
                "which field has the period of an item, nobody can guess; write period_field: Quarter", "source"
            )
        for word in ("period_field", "target_field") if not needs else ():
            if getattr(self, word):
                raise PlacedError(f"{word} is of jira and github_project; remove it", word)
        return self
