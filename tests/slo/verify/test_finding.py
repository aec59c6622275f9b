from __future__ import annotations

from tests.support.slos import LATENCY, RATIO, SLICES, STORED, THRESHOLD, planned

from platform_meter.slo.verify.finding import queries


def test_the_queries_of_an_slo() -> None:
    """Those that Prometheus counts or judges, by what they count; of what this exporter counts there is none."""
    parts = [list(queries(planned(text))) for text in (RATIO, LATENCY, SLICES, THRESHOLD, STORED)]
    assert parts == [["total", "bad"], ["total", "good"], ["total", "bad"], [""], []]
