"""What SLO files ask of sources that count. The messages stand in tests/slo/cases/asked.txt."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.slos import ASKED, replaced

from platform_meter import sources
from platform_meter.model.facts.probes import PROBE_CHECKS
from platform_meter.model.facts.slis import SLI
from platform_meter.model.objective import Asked, Bound, NoData, StoredSli
from platform_meter.slo.check import Checked, read_slos
from platform_meter.slo.plan import plan
from platform_meter.slo.stored import stored_objective

SOURCE = """---
apiVersion: openslo/v1
kind: DataSource
metadata: {name: logs}
spec: {type: Elasticsearch, connectionDetails: {url: "https://logs.example"}}
"""
BY_DOCUMENT = ("type: elasticsearch, ", "metricSourceRef: logs, ")


def checked(text: str) -> Checked:
    found = read_slos([("slo.yaml", text)], asking=sources.asking())
    assert found.problems == ()
    return found


def test_an_slo_asks_in_the_words_of_the_source() -> None:
    """Each value as the source reads it, and nothing that is not written; the SLO counts what comes of it."""
    (spec,) = checked(ASKED).specs
    assert spec.asked == Asked(
        name="logged",
        type="elasticsearch",
        total={"index": "logs-*", "query": "*"},
        part={"index": "logs-*", "query": {"range": {"status": {"gte": 500}}}},
        part_is_good=False,
    )
    assert spec.sli == StoredSli(events=SLI, where={"id": "elasticsearch:logged"})
    found = stored_objective(plan(spec))
    assert found is not None
    assert (found.sli, plan(spec).asked) == (spec.sli, spec.asked)


@pytest.mark.parametrize(
    ("pairs", "after", "instance", "likely", "warnings"),
    [
        ((), "", "", "", 0),
        ((("type: elasticsearch, ", "type: elasticsearch, metricSourceRef: logs-eu, "),), "", "logs-eu", "", 0),
        ((BY_DOCUMENT,), SOURCE, "", "logs", 0),
        ((BY_DOCUMENT,), replaced(SOURCE, ("{name: logs}", "{name: logs, annotations: {platform-meter.io/source: eu}}")), "eu", "", 0),
        ((("type: elasticsearch, ", "type: elasticsearch, metricSourceRef: logs-eu, "),), SOURCE, "logs-eu", "", 0),
    ],
    ids=["none", "by-name", "by-document", "by-annotation", "beside-documents"],
)  # fmt: skip
def test_which_source_is_asked(
    pairs: tuple[tuple[str, str], ...], after: str, instance: str, likely: str, warnings: int
) -> None:
    """The one that the metric names, that its DataSource says it is, or that is called as this; else it is to be found."""
    found = checked(replaced(ASKED, *pairs) + after)
    (spec,) = found.specs
    assert spec.asked is not None
    assert (spec.asked.type, spec.asked.instance, spec.asked.likely) == ("elasticsearch", instance, likely)
    assert len(found.warnings) == warnings


def test_an_sli_of_its_own_is_asked_for_by_each_slo_that_names_it() -> None:
    """Under the name of that one."""
    start, end = ASKED.index("  indicator:"), ASKED.index("  objectives:")
    sli = "---\napiVersion: openslo/v1\nkind: SLI\nmetadata: {name: errors}\nspec:\n" + ASKED[start:end].partition(
        "spec:\n"
    )[2].replace("      ", "  ")
    slo = ASKED[:start] + "  indicatorRef: errors\n" + ASKED[end:]
    specs = checked(f"{slo}---\n{replaced(slo, ('logged', 'again'))}{sli}").specs
    assert [spec.asked.id if spec.asked else "" for spec in specs] == ["elasticsearch:again", "elasticsearch:logged"]


def test_objectives_of_a_document_share_one_count() -> None:
    """That of the first, so that the source is asked once."""
    two = "[{displayName: low, target: 0.9}, {displayName: high, target: 0.999}]"
    specs = checked(replaced(ASKED, ("[{target: 0.999}]", two))).specs
    assert [spec.slo for spec in specs] == ["logged-high", "logged-low"]
    assert [spec.asked.id if spec.asked else "" for spec in specs] == 2 * ["elasticsearch:logged-low"]


def test_slices_of_what_is_asked_for() -> None:
    """Good from a share of good events on, and without any what the file says."""
    text = replaced(
        ASKED,
        ("Occurrences", "Timeslices"),
        ("{name: logged}", "{name: logged, annotations: {platform-meter.io/no-data: good}}"),
        ("[{target: 0.999}]", "[{target: 0.99, timeSliceTarget: 0.95, timeSliceWindow: 1m}]"),
    )
    (spec,) = checked(text).specs
    assert (spec.slice, str(spec.slice_target), str(spec.no_data)) == (timedelta(minutes=1), "0.95", "good")


LEVEL = """apiVersion: openslo/v1
kind: SLO
metadata: {name: took, annotations: {platform-meter.io/no-data: good}}
spec:
  service: shop
  budgetingMethod: Timeslices
  indicator:
    spec:
      thresholdMetric:
        metricSource:
          type: CloudWatch
          spec: {namespace: AWS/ApplicationELB, metricName: TargetResponseTime, stat: p99, dimensions: [{name: LoadBalancer, value: app/a/1}]}
  objectives:
    - {displayName: slow, op: lte, value: 0.5, target: 0.99, timeSliceWindow: 5m}
    - {displayName: slower, op: lt, value: 2, target: 0.999, timeSliceWindow: 1m}
"""


def test_a_level_is_asked_for_with_the_bound_of_each_objective() -> None:
    """Each minute is good or bad, and a slice of five is as the worst of them."""
    slow, slower = checked(LEVEL).specs
    level = {
        "namespace": "AWS/ApplicationELB",
        "metric": "TargetResponseTime",
        "stat": "p99",
        "dimensions": {"LoadBalancer": "app/a/1"},
    }
    assert slow.asked == Asked(name="took-slow", type="cloudwatch", total=level, bound=Bound(operator="lte", value=0.5))
    assert slower.asked == Asked(
        name="took-slower", type="cloudwatch", total=level, bound=Bound(operator="lt", value=2.0)
    )
    assert slow.sli == StoredSli(events=SLI, where={"id": "cloudwatch:took-slow"})
    assert (slow.slice, slow.slice_target, slow.no_data) == (timedelta(minutes=5), Decimal(1), NoData.GOOD)
    found = stored_objective(plan(slow))
    assert found is not None
    assert found.slice_target == Decimal(1)


@pytest.mark.parametrize(
    ("kind", "said", "wrong"),
    [
        (
            "datadog",
            {"query": "p95:trace.http.request{service:shop}"},
            "p95:trace.http.request{service:shop} by {host} gives a series for each group",
        ),
        ("elasticsearch", {"index": "logs-*", "field": "ms", "stat": "p95"}, "'p95 by {host}' is no statistic"),
    ],
)
def test_whoever_tells_levels_is_asked_for_them(kind: str, said: dict[str, str], wrong: str) -> None:
    """By what each calls a level; what it calls a count is none."""
    cloud = "{namespace: AWS/ApplicationELB, metricName: TargetResponseTime, stat: p99, dimensions: [{name: LoadBalancer, value: app/a/1}]}"
    text = replaced(LEVEL, ("type: CloudWatch", f"type: {kind}"), (cloud, json.dumps(said)))
    slow, _ = checked(text).specs
    assert slow.asked == Asked(name="took-slow", type=kind, total=said, bound=Bound(operator="lte", value=0.5))
    (problem,) = read_slos([("slo.yaml", text.replace('"}\n', ' by {host}"}\n'))], asking=sources.asking()).problems
    assert wrong in problem.text


def test_a_probe_is_short_for_its_stored_checks() -> None:
    """Of one target."""
    start, end = ASKED.index("      ratioMetric:"), ASKED.index("  objectives:")
    raw = "      ratioMetric: {rawType: success, raw: {metricSource: {type: Probe, spec: {target: portal}}}}\n"
    text = replaced(
        ASKED[:start] + raw + ASKED[end:],
        ("Occurrences", "Timeslices"),
        ("{name: logged}", "{name: logged, annotations: {platform-meter.io/no-data: bad}}"),
        ("[{target: 0.999}]", "[{target: 0.99, timeSliceTarget: 0.5, timeSliceWindow: 1m}]"),
    )
    (spec,) = checked(text).specs
    assert (spec.sli, spec.asked) == (StoredSli(events=PROBE_CHECKS, where={"target": "portal"}), None)
