"""What a section of a report is made from, and what a section is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from platform_meter.model.measure import Scene
from platform_meter.model.weeks import Week
from platform_meter.store import GapRow
from platform_meter.web.report.compare import Change
from platform_meter.web.report.content import Section


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One week, as the store has it."""

    week: Week
    now: Scene
    """The store as it is."""
    then: Scene
    """The store as it stood when the week was over."""
    unseen: Sequence[str]
    """SLOs that Prometheus counts: the store has nothing of them."""
    gaps: Sequence[GapRow]
    """Ranges of the week's history, or of the four before, that could not be read."""
    changes: Sequence[Change]
    """What can be held against the weeks before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One section of the report; each module in `web/report/sections/` names its own, and nothing lists them."""

    place: int
    """Where it stands."""
    tell: Callable[[Told], Section | None]
    """None where there is nothing that it could be about: nothing of the kind is declared or read."""
