"""Which journeys are measured."""

from __future__ import annotations

from tests.support.journeys import journey, scene

from platform_meter.measures.journeys import declared
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts.use import Usage
from platform_meter.model.measure import Gauging


def test_without_a_journey_nothing_is_read() -> None:
    """Capabilities that have none cost nothing."""
    (measure,) = declared(Definitions(capabilities=(journey(journey=None, stages=[]),)))
    assert isinstance(measure, Gauging)
    assert measure.reads == frozenset()
    assert list(measure.compute(scene(capability=journey(journey=None, stages=[])))) == []


def test_a_journey_reads_what_its_stages_are_told_by() -> None:
    """Kinds of event that may tell of the start or of a stage."""
    (measure,) = declared(Definitions(capabilities=(journey(),)))
    assert isinstance(measure, Gauging)
    assert Usage in measure.reads
