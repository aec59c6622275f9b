"""What a developer portal tells: its catalog, its templates, and how people use it (domain sections 3, 8 and 13)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, NamedTuple

from platform_meter.model.facts import Facts, Reading, Tallied, Tally, UseWord
from platform_meter.model.objective import Countable, StoredSli


class OwnerState(StrEnum):
    """What stands behind the owner of an entry; only a group with members owns anything."""

    GROUP = "group"
    """A group that the portal knows and that has members, those of groups below it among them."""
    NONE = "none"
    UNKNOWN = "unknown"
    """It names nothing that the portal knows."""
    EMPTY = "empty"
    """A group without a member."""
    PERSON = "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogEntity(Reading):
    """A portal's entry: its owner, what it lacks, and the annotations that tie other systems' objects to it (rule 2)."""

    service: str
    """Name of a component; empty for all else, which is no service."""
    team: str
    """The group that owns it; of a group itself. Empty where none is named."""
    annotations: tuple[tuple[str, str], ...] = field(default=())
    kind: str = ""
    """As the portal has it, in small letters: `component`, `api`."""
    type: str = ""
    """What sort of its kind it is: `service`, `library`; as `lifecycle` and `system` empty where it does not say."""
    lifecycle: str = ""
    system: str = ""
    owner: OwnerState = OwnerState.NONE
    missing: tuple[str, ...] = ()
    """Fields that it should have and has not, sorted; `owner` where nobody who counts owns it."""
    template: str = ""
    """The template that it was made by, where the portal noted that."""
    url: str = ""
    """Its page."""

    @property
    def complete(self) -> bool:
        """All required fields, and an owner that is an existing group with members (domain section 8)."""
        return not self.missing


class TemplateDim(NamedTuple):
    """What started templates are tallied by."""

    template: str


class TemplateOutcome(StrEnum):
    SUCCESS = "success"
    FAILED = "failed"
    CANCELLED = "cancelled"


class TemplateRunDim(NamedTuple):
    """What ended runs of templates are tallied by."""

    template: str
    outcome: TemplateOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateStarted(Tallied[TemplateDim]):
    """Somebody began to make something by a template. `actor` is a salted hash or empty."""

    verb: ClassVar[str] = "template_started"
    who: ClassVar = ("actor",)
    use_words: ClassVar = {"template": UseWord(of="template")}

    template: str
    actor: str = ""

    def tallies(self) -> tuple[Tally[TemplateDim], ...]:
        return (Tally(dim=TemplateDim(self.template)),)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateRun(Tallied[TemplateRunDim]):
    """A run of a template that ended, and what it made."""

    verb: ClassVar[str] = "template_completed"
    who: ClassVar = ("actor",)
    use_words: ClassVar = {
        "template": UseWord(of="template"),
        "outcome": UseWord(
            of="outcome",
            values={str(o): str(o) for o in TemplateOutcome},
            unusual=frozenset({"failed", "cancelled"}),
        ),
    }

    template: str
    outcome: TemplateOutcome
    started: datetime
    actor: str = ""
    repository: str = ""
    """The repository that it made, as its own source names it (`github:acme/shop`); empty where it tells of none."""

    def tallies(self) -> tuple[Tally[TemplateRunDim], ...]:
        return (
            Tally(dim=TemplateRunDim(self.template, self.outcome), amount=(self.at - self.started).total_seconds()),
        )


class VisitDim(NamedTuple):
    """What use of a portal is tallied by: the plugin it was in."""

    area: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalVisit(Tallied[VisitDim]):
    """Somebody did something in the portal that is none of the kinds below. `actor` is a salted hash or empty."""

    verb: ClassVar[str] = "view"
    who: ClassVar = ("actor",)
    use_words: ClassVar = {"area": UseWord(of="area")}

    area: str
    actor: str = ""

    def tallies(self) -> tuple[Tally[VisitDim], ...]:
        return (Tally(dim=VisitDim(self.area)),)


@dataclass(frozen=True, slots=True, kw_only=True)
class DocsView(Tallied[VisitDim]):
    """Somebody opened a page of documentation. `area` is the name of what it documents."""

    verb: ClassVar[str] = "view_docs"
    who: ClassVar = ("actor",)
    use_words: ClassVar = {"subject": UseWord(of="area")}

    area: str
    actor: str = ""

    def tallies(self) -> tuple[Tally[VisitDim], ...]:
        return (Tally(dim=VisitDim(self.area)),)


class Found(StrEnum):
    HIT = "hit"
    MISS = "miss"


class SearchDim(NamedTuple):
    """What searches are tallied by: where was searched, and whether anything was found."""

    area: str
    found: Found


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalSearch(Tallied[SearchDim]):
    """Somebody searched; what for is their own text, and kept nowhere."""

    verb: ClassVar[str] = "search"
    who: ClassVar = ("actor",)
    use_words: ClassVar = {"area": UseWord(of="area"), "result": UseWord(of="found")}

    area: str
    found: Found
    actor: str = ""

    def tallies(self) -> tuple[Tally[SearchDim], ...]:
        return (Tally(dim=SearchDim(self.area, self.found)),)


class Helpful(StrEnum):
    YES = "yes"
    NO = "no"


class VoteDim(NamedTuple):
    """What votes on documentation are tallied by."""

    area: str
    helpful: Helpful


@dataclass(frozen=True, slots=True, kw_only=True)
class DocsVote(Tallied[VoteDim]):
    """Somebody said whether a page of documentation helped."""

    who: ClassVar = ("actor",)

    area: str
    helpful: Helpful
    actor: str = ""

    def tallies(self) -> tuple[Tally[VoteDim], ...]:
        return (Tally(dim=VoteDim(self.area, self.helpful)),)


USE: tuple[type[PortalVisit | DocsView | PortalSearch | DocsVote], ...] = (
    PortalVisit,
    DocsView,
    PortalSearch,
    DocsVote,
)
"""Kinds that tell of a person in the portal."""


def _succeeded(sli: StoredSli, dim: TemplateRunDim) -> bool | None:
    """A run that somebody cancelled says nothing of the template."""
    if dim.outcome is TemplateOutcome.CANCELLED or not sli.takes("template", dim.template):
        return None
    return dim.outcome is TemplateOutcome.SUCCESS


TEMPLATE_RUNS = Countable(
    word="template_runs",
    event=TemplateRun,
    where=("system", "template"),
    good=_succeeded,
    told=lambda run: (f"template {run.template}", str(run.outcome)),
)

FACTS = Facts(
    events=(TemplateStarted, TemplateRun, PortalVisit, DocsView, PortalSearch, DocsVote), readings=(CatalogEntity,)
)
