"""`slo-library/`: SLOs that people copy."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.places import ROOT

from platform_meter import sources
from platform_meter.model import catalogue
from platform_meter.render.rules import rules
from platform_meter.slo.check import read_slos
from platform_meter.slo.plan import plan

FILES = sorted((ROOT / "slo-library").glob("*.yaml"))


def test_there_are_files() -> None:
    """Else the next test would look at nothing: one for each family of systems that are read, each named in the docs."""
    names = [
        "ci",
        "cloudwatch",
        "clusters",
        "datadog",
        "delivery",
        "documents",
        "endpoints",
        "gateways",
        "gitops",
        "instances",
        "logs",
        "mesh",
        "portal",
        "support",
    ]
    assert [path.stem for path in FILES] == names
    text = (ROOT / "docs" / "slo-format.md").read_text("utf-8")
    assert [name for name in names if f"`{name}.yaml`" not in text] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_file_has_no_problem_and_becomes_rules(path: Path) -> None:
    """As it stands, without a warning; each of its SLOs pages or opens tickets."""
    found = read_slos([(path.name, path.read_text("utf-8"))], tuple(catalogue.ALL), asking=sources.asking())
    assert (found.problems, len(found.specs)) == ((), path.read_text("utf-8").count("kind: SLO\n"))
    for spec in found.specs:
        assert plan(spec).alerts
        assert rules([plan(spec)])
