"""Measures: stored rows and a moment in, samples of declared metrics out. One module per part of the domain."""

from __future__ import annotations

import importlib
import pkgutil

from platform_meter.model.definitions import Definitions
from platform_meter.model.measure import Measure


def load(definitions: Definitions) -> tuple[Measure, ...]:
    """Every measure of every module here, in order of module name.

    A module names its own in `MEASURES`, or, where they depend on what people declared, gives them by
    `configured(definitions)`.
    """
    found: list[Measure] = []
    for info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{info.name}")
        found.extend(
            module.configured(definitions) if hasattr(module, "configured") else getattr(module, "MEASURES", ())
        )
    return tuple(found)
