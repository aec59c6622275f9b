"""Measures: stored rows and a moment in, samples of declared metrics out. One module or folder per family of the domain."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache

from platform_meter.model import catalogue
from platform_meter.model.definitions import Definitions
from platform_meter.model.found import found
from platform_meter.model.measure import Measure, Measures
from platform_meter.model.metric import Metric

INSTALLED = "platform_meter.measures"
"""Entry points by which installed packages offer theirs."""


@cache
def families() -> tuple[Measures, ...]:
    """The measures of every family, ours in order of name and then those of installed packages."""
    return found(__name__, Measures, group=INSTALLED)


def load(definitions: Definitions, on: Collection[str] = ()) -> tuple[Measure, ...]:
    """Every measure under these definitions, but for families that a setting which is not `on` would switch on."""
    some = [family for family in families() if not family.setting or family.setting in on]
    return tuple(measure for family in some for measure in (*family.standing, *family.declared(definitions)))


def silent(on: Collection[str] = ()) -> frozenset[str]:
    """Metrics of families that are switched off: what the store has of them is not served."""
    off = [family for family in families() if family.setting and family.setting not in on]
    return frozenset(metric.name for family in off for metric in family.brings)


@cache
def metrics() -> Mapping[str, Metric]:
    """Every metric by its name: the catalogue, and what installed packages bring."""
    return {**catalogue.ALL, **{metric.name: metric for family in families() for metric in family.brings}}
