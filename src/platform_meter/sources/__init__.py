"""Sources: one module per outside system. There is no list of them: `load` finds each module's `SOURCE`."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Any

from platform_meter.model.source import Source


def names() -> tuple[str, ...]:
    """Names of every source type, in order, without importing them."""
    return tuple(sorted(info.name for info in pkgutil.iter_modules(__path__) if not info.name.startswith("_")))


@cache
def load() -> dict[str, Source[Any]]:
    """Every source type by name."""
    found: dict[str, Source[Any]] = {}
    for name in names():
        source: Source[Any] = importlib.import_module(f"{__name__}.{name}").SOURCE
        found[source.name] = source
    return found
