"""How often intervals of effects hold the truth, and how often no change is called one, by simulation.

python -m tests.measures.impact.test_impact_coverage DRAWS
makes the table of docs/correctness.md.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Mapping

import pytest

from platform_meter.measures.impact import series
from platform_meter.measures.impact.by_unit import Medians, Sides, against
from platform_meter.measures.impact.comparing import durations, ratios
from platform_meter.measures.impact.effect import Effect

Draw = Callable[[random.Random, float], Effect | None]
"""An effect of data in which the change is as said."""


def _durations(n: int) -> Draw:
    def draw(rng: random.Random, change: float) -> Effect | None:
        before, after = ([rng.lognormvariate(3, 1) for _ in range(n)] for _ in range(2))
        return durations(before, [(1 + change) * value for value in after], seed=str(rng.random()))

    return draw


def _ratios(n: int) -> Draw:
    def draw(rng: random.Random, change: float) -> Effect | None:
        before, after = (sum(rng.random() < share for _ in range(n)) for share in (0.3, 0.3 + change))
        return ratios(before, n, after, n)

    return draw


def _units(n: int) -> Draw:
    def group(rng: random.Random, factor: float) -> list[Sides]:
        levels = [rng.lognormvariate(3, 0.5) for _ in range(n)]
        return [
            Sides(
                before=[level * rng.lognormvariate(0, 0.6) for _ in range(12)],
                after=[level * factor * rng.lognormvariate(0, 0.6) for _ in range(12)],
            )
            for level in levels
        ]

    def draw(rng: random.Random, change: float) -> Effect | None:
        return against(group(rng, 1 + change), group(rng, 1.0), Medians, seed=str(rng.random()))

    return draw


def _weeks(n: int, part: float) -> Draw:
    def draw(rng: random.Random, change: float) -> Effect | None:
        off, points = rng.gauss(0, 3), []
        for t in range(2 * n + 2):
            off = part * off + rng.gauss(0, 3)
            line = 80 + 0.5 * t
            points.append((float(t), (line * (1 + change) if t >= n + 2 else line) + off))
        return series.effect([one for one in points if one[0] not in (n, n + 1)], n + 2.0)

    return draw


CASES: Mapping[str, Draw] = {
    "durations, 8 on each side": _durations(8),
    "durations, 40 on each side": _durations(40),
    "ratios, 8 on each side": _ratios(8),
    "ratios, 60 on each side": _ratios(60),
    "durations of 8 units against 8": _units(8),
    "durations of 20 units against 20": _units(20),
    "5 weeks on each side, independent": _weeks(5, 0.0),
    "5 weeks on each side, each like the last by half": _weeks(5, 0.5),
    "13 weeks on each side, independent": _weeks(13, 0.0),
    "13 weeks on each side, each like the last by half": _weeks(13, 0.5),
}
CHANGES = (0.0, -0.2)


def told(name: str, change: float, draws: int) -> tuple[float, float]:
    """The shares of draws whose interval holds the change, and in which nothing is claimed."""
    rng = random.Random(f"{name}/{change}")
    found = [effect for _ in range(draws) if (effect := CASES[name](rng, change)) is not None]
    held = [e for e in found if e.interval is not None and not e.interval.excludes(change)]
    quiet = [e for e in found if e.interval is None or not e.interval.excludes(0) or e.chance > 0.05]
    return len(held) / len(found), len(quiet) / len(found)


@pytest.mark.parametrize(
    ("name", "draws", "least"),
    [
        ("durations, 8 on each side", 15, 0.8),
        ("ratios, 60 on each side", 100, 0.9),
        ("13 weeks on each side, independent", 40, 0.85),
    ],
)
def test_intervals_hold_the_change_and_no_change_is_hardly_ever_claimed(name: str, draws: int, least: float) -> None:
    """About 19 times in 20; docs/correctness.md has more draws."""
    assert told(name, -0.2, draws)[0] >= least
    assert told(name, 0.0, draws)[1] >= least


def table(draws: int) -> str:
    """For the docs."""
    lines = []
    for name in CASES:
        held = [told(name, change, draws) for change in CHANGES]
        cells = (held[0][0], held[1][0], 1 - held[0][1], 1 - held[1][1])
        lines.append(f"| {name} | " + " | ".join(f"{100 * cell:.1f} %" for cell in cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(table(int(sys.argv[1])) + "\n")
