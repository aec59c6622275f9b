"""Selectors in a portal's annotations; what entries claim is tested where owners are found."""

from __future__ import annotations

from platform_meter.model.portal import Requirement, parse_selector


def test_a_selector_is_read_as_kubernetes_reads_it() -> None:
    """Equality, sets, presence; text that is none selects nothing."""
    assert parse_selector("a=b, c != d,e in (f,g),h notin (i),j,!k") == (
        Requirement("a", frozenset({"b"})),
        Requirement("c", frozenset({"d"}), negative=True),
        Requirement("e", frozenset({"f", "g"})),
        Requirement("h", frozenset({"i"}), negative=True),
        Requirement("j", frozenset()),
        Requirement("k", frozenset(), negative=True),
    )
    assert parse_selector("a in b") == ()
    assert parse_selector("") == ()
    assert parse_selector("h notin (i)")[0].holds({})
