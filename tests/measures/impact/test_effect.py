"""Several chances held against how many they are."""

from __future__ import annotations

import pytest

from platform_meter.measures.impact.effect import holm


def test_holm_by_hand() -> None:
    """Three of 0.01, 0.04 and 0.03: three times the first, twice the third, and the second no lower than that."""
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.02]) == [0.02]
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []
