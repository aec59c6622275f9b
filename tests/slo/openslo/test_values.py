"""Single values of an OpenSLO file, seen alone."""

from __future__ import annotations

import pytest

from platform_meter.slo.openslo.values import LONGEST_NAME, parse_name


@pytest.mark.parametrize(("name", "shown"), [("A" * 60, "A" * 60), ("A" * 61, "A" * 60 + "…")])
def test_of_a_long_name_the_beginning_is_shown(name: str, shown: str) -> None:
    """A message stays readable whatever was written."""
    with pytest.raises(ValueError, match=f"^'{shown}' is no name; write lower-case letters"):
        parse_name(name)


def test_the_longest_name_is_one() -> None:
    """One character more is not."""
    assert parse_name("a" * LONGEST_NAME) == "a" * LONGEST_NAME
    with pytest.raises(ValueError, match="is no name"):
        parse_name("a" * (LONGEST_NAME + 1))
