"""What a source or a family of measures is held to, ours and those of installed packages alike.

A package that brings a source tests it like this, with pytest or without:

    from platform_meter.testing import Case, Later, held_to_contract

    LATER = Later(answers={...}, after=..., expected=[...], gaps=[...], rejected=1)
    CASE = Case(settings={...}, answers={...}, now=..., since=..., expected=[...], later=LATER)

    def test_contract() -> None:
        held_to_contract(SOURCE, CASE)

What does not hold is an `AssertionError` whose text says what to write instead.
"""

from __future__ import annotations

from platform_meter.testing.case import Case, Later
from platform_meter.testing.measures import adds_up, measures_held_to_contract
from platform_meter.testing.outside import Answering, Call, FakeOutside, Reply, from_paths
from platform_meter.testing.sources import CHECKS, held_to_contract

__all__ = [
    "CHECKS",
    "Answering",
    "Call",
    "Case",
    "FakeOutside",
    "Later",
    "Reply",
    "adds_up",
    "from_paths",
    "held_to_contract",
    "measures_held_to_contract",
]
