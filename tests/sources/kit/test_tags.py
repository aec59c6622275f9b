"""Tags that say whose things are."""

from __future__ import annotations

from platform_meter.sources.kit.tags import owning


def test_wanted_names_and_the_service_alone_are_kept() -> None:
    """One with several values says nothing, the same one twice is one, and one without a value is none."""
    pairs = [("team", "pay"), ("team", "pay"), ("squad", "a"), ("squad", "b"), ("service", "checkout"), ("env", "prod")]
    found = owning([*pairs, ("org", "")], ("team", "squad", "org"))
    assert found == {"team": "pay", "app.kubernetes.io/name": "checkout"}
