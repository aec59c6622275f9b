"""The SLO files of this repository, as plans."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from platform_meter.measures import catalogue
from platform_meter.slo.check import read_slos
from platform_meter.slo.plan import Plan, plan

REPOSITORY = Path(__file__).parents[2]
DEFINITIONS = REPOSITORY / "slo-definitions"


@cache
def our_plans() -> tuple[Plan, ...]:
    """Every SLO that this repository holds; they must have no problem."""
    files = [(str(path), path.read_text()) for path in sorted(DEFINITIONS.glob("*.yaml"))]
    checked = read_slos(files, tuple(catalogue.ALL))
    assert checked.problems == ()
    return tuple(plan(spec) for spec in checked.specs)
