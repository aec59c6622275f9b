"""Tags and labels that people put on things, as far as they say whose these are."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from platform_meter.sources.kit.pushed import SERVICE_LABEL

SERVICE = "service"
"""The name whose value is a service."""


def owning(pairs: Iterable[tuple[str, str]], wanted: Collection[str]) -> dict[str, str]:
    """Labels by name: the wanted ones and that of the service. One without a value, or with several, says nothing."""
    values: dict[str, set[str]] = {}
    for name, value in pairs:
        if value and (name in wanted or name == SERVICE):
            values.setdefault(SERVICE_LABEL if name == SERVICE else name, set()).add(value)
    return {name: told.pop() for name, told in values.items() if len(told) == 1}
