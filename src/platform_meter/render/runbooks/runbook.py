"""What a runbook page says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Runbook:
    """What to know of one alert; each text is a sentence in Markdown."""

    alert: str
    means: tuple[str, ...]
    look: tuple[str, ...]
    """Where to look, in this order."""
    do: tuple[str, ...]
    ends: tuple[str, ...]
    """When it is over by itself."""
