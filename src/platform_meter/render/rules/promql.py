"""PromQL that rules and alerts share: one series, and how full a window of tiles is."""

from __future__ import annotations

import math
from datetime import timedelta

from platform_meter.slo.plan import TILE, Window
from platform_meter.slo.promql import duration_text, quote

LOOKS = 672
"""Looks at a period's history: every hour of 28 days. Looking at every tile of the period costs twelve times as much."""
LOOKS_OF_A_HALF = 168
"""Looks at whether half of a period has tiles: every 4 hours of 28 days."""
LOOKS_OF_A_ROW = 72
"""The same for the long window of an alert: every hour of 3 days, every tile of 6 hours."""
_JUST = "6m"
"""One tile and a bit."""
_STEPS = tuple(timedelta(minutes=m) for m in (5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 720))


def series(name: str, slo: str, **labels: str) -> str:
    """A selector of one series: `slo:burn:rate{slo="x",window="1h"}`."""
    pairs = ",".join(f"{key}={quote(value)}" for key, value in {"slo": slo, **labels}.items())
    return f"{name}{{{pairs}}}"


def every(window: timedelta, looks: int) -> timedelta:
    """How often tiles are looked at to count them: about so many times a window, but no oftener than there are tiles."""
    return min(_STEPS, key=lambda step: abs(window / looks - step))


def half_full(total_tile: str, window: Window, looks: int) -> str:
    """PromQL: something from half of the window on. Before, one failure is a large part of all there is."""
    step = every(window.length, looks)
    tiles = f"{total_tile}[{window.label}]"
    if step != TILE:
        tiles = f"{looked(total_tile)}[{window.label}:{duration_text(step)}]"
    return f"count_over_time({tiles}) >= {half(window, step)}"


def looked(what: str) -> str:
    """What was written at this moment or just before: the look-back of releases differs by the edge, and a group may be late."""
    return f"last_over_time({what}[{_JUST}])"


def half(window: Window, tile: timedelta) -> int:
    """Tiles in half of the window: with fewer a young SLO would alert on its first hiccup."""
    return math.ceil(window.length / tile / 2)
