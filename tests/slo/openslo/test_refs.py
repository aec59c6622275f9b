"""What a document names elsewhere. The messages stand in tests/slo/cases/refs*.txt."""

from __future__ import annotations

import pytest
from tests.support.slos import RATIO, replaced

from platform_meter.problems import Document, decode
from platform_meter.slo.openslo.keys import IndicatorSpec
from platform_meter.slo.openslo.refs import Named, refers, resolve


def document(text: str) -> Document:
    (found,) = decode(text, "slo.yaml", lambda _: None).others
    return found


def level(**source: str) -> IndicatorSpec:
    """An indicator with this metric source."""
    return IndicatorSpec.model_validate({"thresholdMetric": {"metricSource": {"spec": {"query": "up"}, **source}}})


@pytest.mark.parametrize(
    ("text", "waits"),
    [
        (RATIO, False),
        (replaced(RATIO, ("  objectives", "  indicatorRef: x\n  objectives")), True),
        (replaced(RATIO, ("total: {metricSource: {", "total: {metricSource: {metricSourceRef: x, ")), True),
        ("kind: SLI\nspec: {thresholdMetric: {metricSource: {metricSourceRef: x}}}", True),
        ("kind: SLI\nspec: {thresholdMetric: {metricSource: [{metricSourceRef: x}]}}", False),
    ],
)
def test_what_names_another_document_waits_for_it(text: str, waits: bool) -> None:
    """All others are read at once, and not kept."""
    assert refers(document(text)) is waits


def test_a_data_source_says_the_type() -> None:
    """Of a metric that says none itself; one with problems leaves the metric without, which is not told again."""
    named = Named(sources={"a": "prometheus", "b": None})
    found = resolve(level(metricSourceRef="a"), (), named)
    assert found.spec.thresholdMetric is not None
    assert (found.spec.thresholdMetric.metricSource.type, found.wrong, found.unsound) == ("prometheus", (), False)
    assert resolve(level(metricSourceRef="a", type="Prometheus"), (), named).wrong == ()
    found = resolve(level(metricSourceRef="b"), (), named)
    assert (found.wrong, found.unsound) == ((), True)


def test_what_names_nothing_stays_as_it_is() -> None:
    """Nothing is said of it."""
    found = resolve(level(type="prometheus"), ("spec",), Named())
    assert (found.spec, found.wrong, found.notes, found.unsound) == (level(type="prometheus"), (), (), False)
