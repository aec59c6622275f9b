"""Names that tell things apart."""

from __future__ import annotations

from platform_meter.sources.kit.names import called_twice


def test_the_first_name_that_two_have_is_told() -> None:
    """None where all are told apart."""
    assert called_twice(iter(["c", "a", "b", "b", "a"])) == "a"
    assert called_twice(["a", "b"]) is None
