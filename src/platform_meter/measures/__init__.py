"""Measures: stored rows and a moment in, samples of declared metrics out. One module or folder per family of the domain."""

from __future__ import annotations

from collections.abc import Mapping
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


def load(definitions: Definitions) -> tuple[Measure, ...]:
    """Every measure under these definitions."""
    return tuple(measure for family in families() for measure in (*family.standing, *family.declared(definitions)))


@cache
def metrics() -> Mapping[str, Metric]:
    """Every metric by its name: the catalogue, and what installed packages bring."""
    return {**catalogue.ALL, **{metric.name: metric for family in families() for metric in family.brings}}
