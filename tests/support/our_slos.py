"""The SLO files of this repository, as plans."""

from __future__ import annotations

from functools import cache

from tests.support.places import ROOT

from platform_meter.model import catalogue
from platform_meter.slo.check import read_slos
from platform_meter.slo.plan import Plan, plan

REPOSITORY = ROOT
DEFINITIONS = REPOSITORY / "slo-definitions"


@cache
def our_plans() -> tuple[Plan, ...]:
    """Every SLO that this repository holds; they must have no problem."""
    files = [(str(path), path.read_text()) for path in sorted(DEFINITIONS.glob("*.yaml"))]
    checked = read_slos(files, tuple(catalogue.ALL))
    assert checked.problems == ()
    return tuple(plan(spec) for spec in checked.specs)
