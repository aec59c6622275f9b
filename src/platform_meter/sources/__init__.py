"""Sources: one folder per outside system. There is no list of them: `load` finds each folder's `SOURCE`."""

from __future__ import annotations

from functools import cache
from typing import Any

from platform_meter.model.found import found
from platform_meter.model.source import Asking, Source

INSTALLED = "platform_meter.sources"
"""Entry points by which installed packages offer theirs."""


@cache
def load() -> dict[str, Source[Any]]:
    """Every source type by name: ours in order of name, then those of installed packages."""
    return {source.name: source for source in found(__name__, Source, group=INSTALLED)}


def asking() -> dict[str, Asking[Any]]:
    """Types of source that count what SLO files ask for, and how each is asked."""
    return {name: source.asked for name, source in load().items() if source.asked is not None}
