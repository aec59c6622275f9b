"""What people declare of a survey: its questions, where its answers come from, how its waves are cut (domain section 10)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from platform_meter.model.access import Secret
from platform_meter.model.months import around, called
from platform_meter.model.scalars import Address, Definition, LocalPath, PlacedError, Zone

FILES = ("csv", "google_forms", "typeform")
"""Types whose answers stand in a file."""
SUS_FIELDS = 10
SUS_SCALE = 5
_MOST_ANSWER = 10
"""Of an NPS."""
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


def is_id(text: str) -> str:
    """What can stand in an address and in the name of a source.

    Raises:
        ValueError: anything else.
    """
    if not _ID.fullmatch(text):
        raise ValueError(f"'{text}' can stand in no address; write small letters, digits, '-', '_' and '.'")
    return text


def folded(text: str) -> str:
    """An answer as it is compared with those that may be given."""
    return " ".join(text.split()).casefold()


def _theme(text: str) -> str:
    if not text.strip() or "=" in text:
        raise ValueError(f"'{text}' is no word for a theme; write one as labels of tickets have it, without =")
    return text


ThemeWord = Annotated[str, AfterValidator(_theme)]


class SurveySource(Definition):
    """Where answers come from. The own form at `/survey/<id>` needs neither path nor url."""

    type: Literal["csv", "http_json", "google_forms", "typeform", "form", "tickets"]
    path: LocalPath | None = None
    """File of a csv, google_forms or typeform export."""
    url: Address | None = None
    """Address of http_json."""
    token: Secret | None = None
    """Bearer token of http_json."""
    params: dict[str, str] = Field(default_factory=dict)
    """Of http_json: sent behind the address."""
    items: str = ""
    """Of http_json: the key under which the list of answers stands; without it the answer is the list."""
    invited: LocalPath | None = None
    """CSV of those who were asked, with the columns of `respondent` and `at`; without it there is no response ratio."""
    zone: Zone = "UTC"
    """Of moments that name none."""
    format: str = ""
    """Of moments, as `strptime` has it, where they are not read by themselves: `%d.%m.%Y %H:%M`."""
    instance: str = ""
    """Of tickets: the configured source whose ratings these are."""

    @model_validator(mode="after")
    def _place(self) -> SurveySource:
        needs = {"http_json": "url", "form": "", "tickets": "instance"}.get(self.type, "path")
        if needs and not getattr(self, needs):
            sample = {"url": "https://surveys.example.org/answers", "instance": "zendesk"}.get(
                needs, "surveys/answers.csv"
            )
            article = "an" if needs == "instance" else "a"
            raise PlacedError(f"answers of type {self.type} need {article} {needs}; write {needs}: {sample}", "type")
        more = {*({needs} if needs else ()), *({"token", "params", "items"} if self.type == "http_json" else ())}
        more |= {"invited", "zone", "format"} if self.type not in {"form", "tickets"} else set()
        for word in ("path", "url", "token", "params", "items", "invited", "format", "instance"):
            if getattr(self, word) and word not in more:
                raise PlacedError(f"answers of type {self.type} have no {word}; remove it", word)
        return self


class Question(Definition):
    """One question. `sus` names its ten fields in order; the others one field each."""

    id: str = Field(examples=["nps"])
    type: Literal["nps", "csat", "sus", "likert", "theme", "text"]
    text: str = ""
    """What the own form asks; the id by default."""
    field: str | None = None
    """Column or key of the answer; the question's id by default."""
    fields: tuple[str, ...] = ()
    """The ten columns of a SUS, in order."""
    scale: int = Field(default=5, ge=1, le=11)
    """Highest answer of csat and likert; the lowest is 1. Of a csat 1: 1 is good and 0 is bad, as ticket tools rate."""

    themes: dict[ThemeWord, tuple[str, ...]] = Field(default_factory=dict, examples=["{ci: [Faster builds], docs: []}"])
    """Of a theme: the answers that stand for each theme of feedback, beside its own word; nothing else is kept."""

    @model_validator(mode="after")
    def _chosen(self) -> Question:
        if self.type == "theme" and not self.themes:
            text = "a theme is chosen among some; write themes: {ci: [Faster builds], docs: [Better guides]}"
            raise PlacedError(text, "type")
        if self.themes and self.type != "theme":
            raise PlacedError(f"only a theme has themes; write type: theme, or remove them from {self.type}", "themes")
        stands: dict[str, str] = {}
        for theme, answers in self.themes.items():
            for answer in {folded(text) for text in (theme, *answers)}:
                if stands.setdefault(answer, theme) != theme:
                    text = f"the answer '{answer}' stands for {stands[answer]} and {theme}; keep it with one of them"
                    raise PlacedError(text, "themes", theme)
        return self

    @model_validator(mode="after")
    def _fields(self) -> Question:
        if self.type == "sus" and len(set(self.fields)) != SUS_FIELDS:
            raise PlacedError(
                f"a SUS has ten fields, found {len(set(self.fields))}; write fields: [q1, q2, ..., q10]", "type"
            )
        if self.type == "likert" and self.scale == 1:
            raise PlacedError("a scale has two steps or more; write scale: 5", "scale")
        if self.type != "sus" and self.fields:
            raise PlacedError(f"only a sus has fields; write field: for {self.type}", "fields")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Fields of its answer, of a theme one for each that may be chosen; of text there are none, since texts are not
        kept.
        """
        if self.type == "text":
            return ()
        if self.type == "theme":
            return tuple(f"{self.field or self.id}={theme}" for theme in self.themes)
        return self.fields or (self.field or self.id,)

    @property
    def scored(self) -> bool:
        """Whether its answers are numbers that make a score."""
        return self.type not in {"text", "theme"}

    @property
    def options(self) -> Mapping[str, str]:
        """Of a theme: the field of each answer that may be given, as `folded` has it."""
        named = zip(self.themes.items(), self.names, strict=False)
        return {folded(text): name for (theme, answers), name in named for text in (theme, *answers)}

    @property
    def bounds(self) -> tuple[int, int]:
        """Lowest and highest answer."""
        if self.type == "nps":
            return 0, _MOST_ANSWER
        if self.type == "theme":
            return 1, 1
        return min(1, self.scale - 1), SUS_SCALE if self.type == "sus" else self.scale


class Survey(Definition):
    kind: Literal["Survey"]
    id: Annotated[str, AfterValidator(is_id)] = Field(examples=["platform-nps"])
    title: str = ""
    source: SurveySource = Field(examples=["{type: csv, path: surveys/nps.csv}"])
    wave: Literal["month", "quarter", "half", "year"] = "quarter"
    """One answer per person and wave counts: the last."""
    segment_by: tuple[Literal["persona", "team", "org"], ...] = ()
    shown: Literal["running", "closed"] = "running"
    """Whether a wave has scores while it runs, or once it is over: two looks at one that runs tell what came between."""
    respondent: str = "email"
    """Field that names the person; kept as a salted hash only."""
    at: str = "submitted_at"
    """Field that holds when the answer was given."""
    team: str = "team"
    """Field with the person's team, where there is one."""
    persona: str = "persona"
    """Field with the person's persona, where there is one; else it is the team's."""
    questions: tuple[Question, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _unique(self) -> Survey:
        seen: set[str] = set()
        fields: dict[str, str] = {}
        for i, question in enumerate(self.questions):
            if question.id in seen:
                raise PlacedError(f"question '{question.id}' stands twice; give it another id", "questions", i, "id")
            seen.add(question.id)
            for name in question.names:
                if name in fields:
                    text = f"question '{fields[name]}' has field '{name}' already; name the field of this one"
                    raise PlacedError(text, "questions", i)
                fields[name] = question.id
        scored = [i for i, question in enumerate(self.questions) if question.type == "nps"]
        if len(scored) > 1:
            raise PlacedError("a survey has one NPS; ask for the other in a survey of its own", "questions", scored[1])
        if not fields:
            raise PlacedError("only texts are asked, which are not kept; ask for a number too", "questions")
        return self

    @property
    def instance(self) -> str:
        """The source instance that its answers come from."""
        return self.source.instance or f"survey-{self.id}"

    @property
    def called(self) -> str:
        """What facts call it: those of ticket tools are all `csat`."""
        return CSAT if self.source.type == "tickets" else self.id

    @property
    def bounds(self) -> dict[str, tuple[int, int]]:
        """Lowest and highest answer by field."""
        return {name: question.bounds for question in self.questions for name in question.names}

    def around(self, moment: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Start and end, in UTC, of the wave that the moment lies in."""
        return around(moment, self.wave, zone)

    def wave_of(self, moment: datetime, zone: ZoneInfo) -> str:
        """The wave that the moment lies in, as people call it: `March 2026`, `Q1 2026`, `H1 2026`, `2026`."""
        return called(moment, self.wave, zone)


CSAT = "csat"
"""What ticket tools' own ratings are called as a survey."""
