"""What a portal's facts add to rollups, and which runs of templates an SLO takes for good."""

from __future__ import annotations

import pytest
from tests.support.portal import Told, entity, ran, search, view, visit, votes

from platform_meter.model.dims import Dim
from platform_meter.model.facts import Tallied, Tally
from platform_meter.model.facts.portal import (
    TEMPLATE_RUNS,
    CatalogEntity,
    Found,
    Helpful,
    SearchDim,
    TemplateOutcome,
    TemplateRun,
    TemplateRunDim,
    TemplateStarted,
    VisitDim,
    VoteDim,
)
from platform_meter.model.objective import StoredSli

RUN = ran("1", "failed")[2]
assert isinstance(RUN, TemplateRun)
STARTED = TemplateStarted(key="1", at=RUN.started, about=RUN.about, template="new-service")


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (STARTED, Tally(dim=("new-service",))),
        (RUN, Tally(dim=TemplateRunDim("new-service", TemplateOutcome.FAILED), amount=60.0)),
        (visit("a", 1)[2], Tally(dim=VisitDim("catalog"))),
        (view("a", 1, "gateway")[2], Tally(dim=VisitDim("gateway"))),
        (search("a", 1, "miss")[2], Tally(dim=SearchDim("search", Found.MISS))),
        (votes("ci", 1, "no")[0][2], Tally(dim=VoteDim("ci", Helpful.NO))),
    ],
    ids=["started", "ended", "visit", "view", "search", "vote"],
)
def test_what_an_event_adds_to_rollups(told: Tallied[Dim], expected: Tally[Dim]) -> None:
    """One under the words that bound it; of a run the seconds that it took."""
    assert told.tallies() == (expected,)
    assert type(told.tallies()[0].dim) is told.dim()


@pytest.mark.parametrize(
    ("outcome", "template", "good"),
    [
        ("success", "new-service", True),
        ("failed", "new-service", False),
        ("cancelled", "new-service", None),
        ("success", "new-gateway", None),
    ],
)
def test_a_run_is_good_where_it_made_what_it_should(outcome: str, template: str, *, good: bool | None) -> None:
    """One that somebody cancelled says nothing of its template; `where` chooses templates."""
    sli = StoredSli(events=TEMPLATE_RUNS, where={"template": "new-service"})
    assert TEMPLATE_RUNS.good(sli, TemplateRunDim(template, TemplateOutcome(outcome))) is good
    assert isinstance(RUN, TemplateRun)
    assert TEMPLATE_RUNS.told(RUN) == ("template new-service", "failed")


@pytest.mark.parametrize(("told", "complete"), [(entity("a"), True), (entity("a", "component", "owner"), False)])
def test_an_entry_is_complete_that_lacks_nothing(told: Told, *, complete: bool) -> None:
    """The source says what it lacks, by its settings."""
    assert isinstance(told[2], CatalogEntity)
    assert told[2].complete is complete
