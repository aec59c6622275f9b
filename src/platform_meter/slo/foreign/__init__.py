"""SLO files of other tools, read unchanged: one module for each language, each with its `DIALECT`."""

from __future__ import annotations

from functools import cache

from platform_meter.model.found import found
from platform_meter.problems import Document
from platform_meter.slo.foreign.dialect import Dialect, Translated

__all__ = ["dialects", "translated"]


@cache
def dialects() -> tuple[Dialect, ...]:
    """Every language there is, by module."""
    return found(__name__, Dialect)


def translated(document: Document) -> Translated | None:
    """A document of another tool as OpenSLO v1; None where it is of none of them."""
    speaker = next((one for one in dialects() if one.speaks(document)), None)
    return None if speaker is None else speaker.translate(document)
