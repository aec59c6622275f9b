"""Generated tests of every form of query, and of every SLO that people copy, run by promtool of both releases."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

import pytest
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
