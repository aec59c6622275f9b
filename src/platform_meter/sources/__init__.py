"""Sources: one folder per outside system. There is no list of them: `load` finds each folder's `SOURCE`."""

from __future__ import annotations

from functools import cache
from typing import Any

from platform_meter.model.found import found
from platform_meter.model.source import Source

INSTALLED = "platform_meter.sources"
"""Entry points by which installed packages offer theirs."""


@cache
def load() -> dict[str, Source[Any]]:
    """Every source type by name: ours in order of name, then those of installed packages."""
    return {source.name: source for source in found(__name__, Source, group=INSTALLED)}
