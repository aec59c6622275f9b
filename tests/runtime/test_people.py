"""People as they are kept."""

from __future__ import annotations

from platform_meter.runtime.people import hashed


def test_a_person_is_the_same_under_one_salt_and_nobody_under_another() -> None:
    """Nothing of the name is left."""
    assert hashed(b"salt", "ada") == hashed(b"salt", "ada")
    assert len({hashed(b"salt", "ada"), hashed(b"other", "ada"), hashed(b"salt", "bob")}) == 3
    assert "ada" not in hashed(b"salt", "ada")
