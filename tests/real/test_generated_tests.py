"""Generated tests of every form of query, and of every SLO that people copy, run by promtool of both releases."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

import pytest
from tests.slo.foreign import test_pyrra, test_sloth, test_v1alpha
from tests.support.places import ROOT
from tests.support.prometheus import current, promtool
from tests.support.queries import FORMS
from tests.support.slos import RATIO, planned

from platform_meter import sources
from platform_meter.model import catalogue
from platform_meter.render.rules import rules
from platform_meter.render.rules.promtool import rule_tests
from platform_meter.slo.check import read_slos
from platform_meter.slo.plan import plan

RELEASES = ("as packed", "current")
"""One form after the other by one of them in turn: what a form asks of promtool, its neighbours ask too."""


@pytest.mark.parametrize(("form", "release"), [*zip(FORMS, cycle(RELEASES), strict=False)])
def test_generated_tests_of_a_form_pass(form: str, release: str, tmp_path: Path) -> None:
    """Outage, single failure, idle hours, silence and budget."""
    total, bad = FORMS[form]
    old = "'http_requests_total{code=~\"5..\"}'"
    one = planned(RATIO, ("'http_requests_total'", f"'{total}'"), (old, f"'{bad}'"))
    tests = rule_tests([one])
    for artifact in (*rules([one]), *tests):
        (tmp_path / artifact.path).write_text(artifact.text)
    promtool("test", "rules", *(tmp_path / t.path for t in tests), folder=current() if release == "current" else None)


@pytest.mark.parametrize("path", sorted((ROOT / "slo-library").glob("*.yaml")), ids=lambda path: path.stem)
def test_generated_tests_of_the_library_pass(path: Path, programs: Path | None, tmp_path: Path) -> None:
    """What is copied as it stands is proven as it stands."""
    files = [(path.name, path.read_text("utf-8"))]
    plans = [plan(spec) for spec in read_slos(files, tuple(catalogue.ALL), asking=sources.asking()).specs]
    for artifact in (*rules(plans), *rule_tests(plans)):
        (tmp_path / artifact.path).write_text(artifact.text)
    assert "SUCCESS" in promtool("test", "rules", *sorted(tmp_path.glob("*.test.yml")), folder=programs)


def test_generated_tests_of_other_tools_files_pass(tmp_path: Path) -> None:
    """What was written for Sloth, Pyrra and OpenSLO v1alpha; each kind of rule is tried in both releases above."""
    ratio = test_pyrra.OBJECT[test_pyrra.OBJECT.index("    ratio:") : test_pyrra.OBJECT.index("  alerting:")]
    gauge = test_pyrra.OBJECT.replace(ratio, "    bool_gauge: {metric: 'up{job=\"shop\"}'}\n")
    one = test_v1alpha.DOCUMENT[: test_v1alpha.DOCUMENT.index("    - ratioMetrics:")]
    checked = read_slos([(f"{n}.yaml", text) for n, text in enumerate((test_sloth.FILE, gauge, one))])
    plans = [plan(spec) for spec in checked.specs]
    assert len(plans) == 3
    for artifact in (*rules(plans), *rule_tests(plans)):
        (tmp_path / artifact.path).write_text(artifact.text)
    assert "SUCCESS" in promtool("test", "rules", *sorted(tmp_path.glob("*.test.yml")))


def test_native_histograms_are_counted_up_to_their_bound(tmp_path: Path) -> None:
    """Nine of ten under a quarter of a second, beside a series in which nothing happens and which has no share.

    The release that is packed feeds no histograms to tests, so it only reads the rules.
    """
    indicator = "latencyNative: {latency: 250ms, total: {metric: 'wait_seconds{job=\"shop\"}'}}"
    one = plan(test_pyrra.of(indicator))
    (artifact,) = rules([one])
    (tmp_path / artifact.path).write_text(artifact.text)
    promtool("check", "rules", tmp_path / artifact.path)
    grown = "{{schema:0 offset:-2 buckets:[9 1] sum:3 count:10}}"
    (tmp_path / "native.test.yml").write_text(f"""
rule_files: [{artifact.path}]
evaluation_interval: 1m
tests:
  - interval: 30s
    input_series:
      - series: 'wait_seconds{{job="shop",pod="a"}}'
        values: '{grown}+{grown}x240'
      - series: 'wait_seconds{{job="shop",pod="b"}}'
        values: '{grown}+{{{{schema:0 offset:-2 buckets:[0 0] sum:0 count:0}}}}x240'
    promql_expr_test:
      - expr: round(slo:burn:rate{{window=~"28m|3m"}}, 0.001)
        eval_time: 1h
        exp_samples:
          - {{labels: '{{slo="shop-errors",window="3m"}}', value: 20}}
          - {{labels: '{{slo="shop-errors",window="28m"}}', value: 20}}
      - expr: round(slo:sli:ratio, 0.001)
        eval_time: 2h
        exp_samples:
          - {{labels: '{{slo="shop-errors",window="2w"}}', value: 0.9}}
""")
    assert "SUCCESS" in promtool("test", "rules", tmp_path / "native.test.yml", folder=current())
