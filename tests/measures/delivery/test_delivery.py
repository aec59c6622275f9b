"""The family of delivery."""

from __future__ import annotations

from platform_meter.measures.delivery import MEASURES
from platform_meter.testing.measures import measures_held_to_contract


def test_it_keeps_to_the_contract() -> None:
    """Each metric is declared and measured once."""
    measures_held_to_contract(MEASURES)
