"""What a product manager declares: surveys, promises, campaigns, interventions, roadmaps (domain sections 10, 12, 14)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from platform_meter.model.access import Secret
from platform_meter.model.scalars import Address, Definition, LocalPath, Period, PlacedError, Zone


class SurveySource(Definition):
    """Where answers come from. The own form at `/survey/<id>` needs neither path nor url."""

    type: Literal["csv", "http_json", "google_forms", "typeform", "form"]
    path: LocalPath | None = None
    """File of a csv, google_forms or typeform export."""
    url: Address | None = None
    """Address of http_json."""
    token: Secret | None = None

    @model_validator(mode="after")
    def _place(self) -> SurveySource:
        needs = {"http_json": "url", "form": ""}.get(self.type, "path")
        if needs and not getattr(self, needs):
            sample = "https://surveys.example.org/answers" if needs == "url" else "surveys/answers.csv"
            raise PlacedError(f"answers of type {self.type} need a {needs}; write {needs}: {sample}", "type")
        return self


class Question(Definition):
    """One question. `sus` names its ten fields in order; the others one field each."""

    id: str = Field(examples=["nps"])
    type: Literal["nps", "csat", "sus", "likert", "text"]
    field: str | None = None
    """Column or key of the answer; the question's id by default."""
    fields: tuple[str, ...] = ()
    """The ten columns of a SUS, in order."""
    scale: int = Field(default=5, ge=2, le=11)
    """Highest answer of csat and likert; the lowest is 1."""

    @model_validator(mode="after")
    def _fields(self) -> Question:
        if self.type == "sus" and len(self.fields) != 10:
            raise PlacedError(
                f"a SUS has ten fields, found {len(self.fields)}; write fields: [q1, q2, ..., q10]", "type"
            )
        if self.type != "sus" and self.fields:
            raise PlacedError(f"only a sus has fields; write field: for {self.type}", "fields")
        return self


class Survey(Definition):
    kind: Literal["Survey"]
    id: str = Field(examples=["platform-nps"])
    title: str = ""
    source: SurveySource
    wave: Literal["month", "quarter", "half", "year"] = "quarter"
    """One answer per person and wave counts: the last."""
    segment_by: tuple[Literal["persona", "team", "org"], ...] = ()
    respondent: str = "email"
    """Field that names the person; kept as a salted hash only."""
    at: str = "submitted_at"
    """Field that holds when the answer was given."""
    questions: tuple[Question, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _unique(self) -> Survey:
        seen: set[str] = set()
        for i, question in enumerate(self.questions):
            if question.id in seen:
                raise PlacedError(f"question '{question.id}' stands twice; give it another id", "questions", i, "id")
            seen.add(question.id)
        return self


class TicketPromise(Definition):
    """A promise about a queue's SLA: this share of its cycles is met."""

    queue: str = Field(examples=["jira-platform"])
    sla: Literal["first_response", "resolution"]
    ratio: float = Field(gt=0, lt=1, examples=["0.9"])


_MONTHS = {"month": 1, "quarter": 3, "year": 12}


class PromisePeriod(Definition):
    """The calendar period that is judged."""

    calendar: Literal["month", "quarter", "year"] = "month"
    zone: Zone = "UTC"

    def around(self, moment: datetime, back: int = 0) -> tuple[datetime, datetime]:
        """Start and end, in UTC, of the period that the moment lies in, or of the one so many periods before it.

        Both are midnights of the zone, so that a month has an hour more or less where clocks change in it.
        """
        local = moment.astimezone(ZoneInfo(self.zone))
        length = _MONTHS[self.calendar]
        first = (local.year * 12 + local.month - 1) // length * length - back * length
        return self._month(first), self._month(first + length)

    def _month(self, number: int) -> datetime:
        """When the month begins, counted from the year 0."""
        year, month = divmod(number, 12)
        return datetime(year, month + 1, 1, tzinfo=ZoneInfo(self.zone)).astimezone(UTC)

    def called(self, moment: datetime) -> str:
        """The period that the moment lies in, as people call it: `March 2026`, `Q1 2026`, `2026`."""
        local = moment.astimezone(ZoneInfo(self.zone))
        if self.calendar == "month":
            return f"{local:%B %Y}"
        return f"Q{(local.month + 2) // 3} {local.year}" if self.calendar == "quarter" else str(local.year)


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
    """What should change: the time from a journey's start to one of its stages, or a declared metric."""

    time_to: str | None = None
    """Stage of the journey."""
    journey: str | None = None
    """Capability whose journey it is."""
    name: str | None = None
    """A metric of the catalogue."""
    labels: dict[str, str] = Field(default_factory=dict)
    better: Literal["lower", "higher"] = "lower"
    """Which direction is an improvement."""

    @model_validator(mode="after")
    def _one(self) -> EffectMetric:
        if (self.time_to is None) != (self.journey is None) or (self.time_to is None) == (self.name is None):
            raise ValueError("write either {time_to: STAGE, journey: CAPABILITY} or {name: METRIC, better: lower}")
        return self


class Windows(Definition):
    pre: Period = timedelta(days=90)
    washout: Period = timedelta(days=14)
    """Left out after the change, while it spreads."""
    post: Period = timedelta(days=90)


class Intervention(Definition):
    """A change whose effect is judged before against after (domain section 12)."""

    kind: Literal["Intervention"]
    id: str = Field(examples=["gateway-template-v2"])
    title: str = ""
    at: date
    metric: EffectMetric = Field(examples=["{time_to: STAGE, journey: CAPABILITY}"])
    windows: Windows = Windows()
    units: tuple[str, ...] = ()
    """Teams or services it touched; none means all."""
    control_units: tuple[str, ...] = ()
    """Those it did not touch, for comparison."""


class RoadmapItems(Definition):
    """Where roadmap items stand."""

    type: Literal["jira", "github_project", "github_milestones", "yaml"]
    instance: str | None = None
    """Config key, where several sources of the type are configured."""
    project: str | None = None
    """`acme/7` of github_project, `acme/payments` of github_milestones, `PLAT` of jira."""
    select: str = ""
    """JQL of jira."""
    path: LocalPath | None = None
    """File of yaml."""

    @model_validator(mode="after")
    def _place(self) -> RoadmapItems:
        needs = "path" if self.type == "yaml" else "project"
        if not getattr(self, needs) and not (self.type == "jira" and self.select):
            sample = {"yaml": "roadmap.yaml", "jira": "PLAT"}.get(self.type, "acme/7")
            raise PlacedError(f"a roadmap of type {self.type} needs a {needs}; write {needs}: {sample}", "type")
        return self


class FeedbackLinks(Definition):
    """How an item names the feedback it answers."""

    links: bool = True
    """Linked tickets count."""
    label: str = ""
    """Label glob whose rest is the theme: `feedback:*`."""


class RoadmapSource(Definition):
    kind: Literal["RoadmapSource"]
    id: str = Field(examples=["roadmap"])
    title: str = ""
    source: RoadmapItems = Field(examples=["{type: github_project, project: acme/7}"])
    period_field: str = Field(examples=["Quarter"])
    """Field with the period an item is committed to."""
    target_field: str | None = None
    """Field with the target date."""
    feedback: FeedbackLinks = FeedbackLinks()
