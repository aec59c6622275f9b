"""How often intervals hold the true value, by simulation; docs/correctness.md has the table of more draws.

python -m tests.measures.surveys.test_statistics_coverage DRAWS
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pytest

from platform_meter.measures.intervals import Interval, Score, difference
from platform_meter.measures.surveys.statistics import csat, likert, nps, sus

Draw = Callable[[random.Random, int], Score]


@dataclass(frozen=True, kw_only=True)
class Truth:
    """A population, what is true of it, and how a survey of it is drawn."""

    name: str
    value: float
    draw: Draw


def _nps(promoters: float, detractors: float) -> Truth:
    weights = (promoters, 1 - promoters - detractors, detractors)

    def draw(rng: random.Random, n: int) -> Score:
        return nps(rng.choices((10.0, 8.0, 3.0), weights, k=n))

    return Truth(name=f"{promoters:.0%} / {detractors:.0%}", value=100 * (promoters - detractors), draw=draw)


def _scale(weights: Sequence[float], of: Callable[[Sequence[float]], Score], value: float) -> Truth:
    answers = [float(n) for n in range(1, len(weights) + 1)]
    return Truth(name=str(weights), value=value, draw=lambda rng, n: of(rng.choices(answers, weights, k=n)))


def _sus(good: float) -> Truth:
    """Of each of the 40 steps of a person so many are made; people differ."""

    def draw(rng: random.Random, n: int) -> Score:
        people = []
        for _ in range(n):
            likes = min(1.0, max(0.0, rng.betavariate(6 * good, 6 * (1 - good))))
            steps = [sum(rng.random() < likes for _ in range(4)) for _ in range(10)]
            people.append([1.0 + step if i % 2 == 0 else 5.0 - step for i, step in enumerate(steps)])
        return sus(people)

    return Truth(name=f"{good:.0%}", value=good, draw=draw)


SKEWED, EVEN = (1, 1, 3, 8, 12), (2, 4, 6, 5, 3)
NPS = (_nps(0.5, 0.2), _nps(0.7, 0.1), _nps(0.2, 0.5), _nps(0.9, 0.0))
CSAT = (
    _scale(SKEWED, lambda answers: csat(answers, 5), 20 / 25),
    _scale(EVEN, lambda answers: csat(answers, 5), 8 / 20),
)
LIKERT = (
    _scale(SKEWED, lambda answers: likert(answers, 5), (1 * 0 + 1 * 1 + 3 * 2 + 8 * 3 + 12 * 4) / 25 / 4),
    _scale(EVEN, lambda answers: likert(answers, 5), (2 * 0 + 4 * 1 + 6 * 2 + 5 * 3 + 3 * 4) / 20 / 4),
)
SUS = (_sus(0.7), _sus(0.85))
CASES: Mapping[str, tuple[Sequence[Truth], Sequence[int]]] = {
    "NPS": (NPS, (8, 20, 60, 200)),
    "CSAT": (CSAT, (8, 20, 60, 200)),
    "Likert index": (LIKERT, (8, 20, 60, 200)),
    "SUS": (SUS, (8, 20, 30, 60)),
}


def held(interval: Interval | None, value: float) -> bool:
    return interval is not None and not interval.excludes(value)


def coverage(truth: Truth, n: int, draws: int) -> float:
    """The share of surveys of n people whose interval holds the true value; one without an interval holds nothing."""
    rng = random.Random(f"{truth.name}/{n}")
    return sum(held(truth.draw(rng, n).interval, truth.value) for _ in range(draws)) / draws


def quiet(truth: Truth, n: int, draws: int) -> float:
    """The share of pairs of waves of the same people's opinion that are called no change."""
    rng = random.Random(f"two/{truth.name}/{n}")
    return sum(held(difference(truth.draw(rng, n), truth.draw(rng, n)), 0.0) for _ in range(draws)) / draws


@pytest.mark.parametrize(
    ("score", "n", "least"),
    [
        ("NPS", 8, 0.93),
        ("NPS", 20, 0.93),
        ("CSAT", 8, 0.91),
        ("CSAT", 20, 0.91),
        ("Likert index", 20, 0.89),
        ("SUS", 30, 0.91),
    ],
)
def test_intervals_hold_the_true_value_about_as_often_as_they_say(score: str, n: int, least: float) -> None:
    """In 95 of 100; of few answers a little less often."""
    truths, _ = CASES[score]
    for truth in truths:
        assert least <= coverage(truth, n, 400), truth.name


def test_waves_of_one_opinion_are_hardly_ever_called_a_change() -> None:
    """In about 1 of 20 pairs."""
    for truth in (*NPS, *CSAT):
        assert quiet(truth, 20, 400) >= 0.91, truth.name


def table(draws: int) -> str:
    """For the docs: the lowest and the highest coverage over the populations."""
    lines = []
    for score, (truths, sizes) in CASES.items():
        cells = []
        for n in sizes:
            found = [100 * coverage(truth, n, draws) for truth in truths]
            cells.append(f"{min(found):.1f} to {max(found):.1f}")
        lines.append(
            f"| {score} | " + " | ".join(f"n={n}: {cell} %" for n, cell in zip(sizes, cells, strict=True)) + " |"
        )
    for score, (truths, sizes) in CASES.items():
        found = [100 * quiet(truth, sizes[1], draws) for truth in truths]
        lines.append(f"| two waves, {score} | n={sizes[1]} each: {min(found):.1f} to {max(found):.1f} % | | | |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(table(int(sys.argv[1])) + "\n")
