"""Charts as SVG made on the server. Colours come from classes in `meter.css`, since the CSP allows no inline style.

A chart is a value; its drawing, its caption and its data table are three views of it, so they can't disagree.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from markupsafe import Markup, escape

WIDTH, HEIGHT = 720, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 12, 10, 26
_COLOURS = 8
_Scale = Callable[[float], float]


class Form(StrEnum):
    BARS = "bars"
    """Stacked, for counts per period."""
    LINES = "lines"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Values in the order of the chart's labels; None where there is no number, which leaves a hole."""

    name: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """What to draw. `caption` says what is counted, over what, and what a reader may wrongly assume."""

    title: str
    caption: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    form: Form = Form.LINES
    percent: bool = False
    bottom: float = 0.0
    """Where the axis begins: shares near 1 need a part of it alone, budgets go below 0."""
    digits: int = 1
    """Decimals of percentages in the data table."""

    def __post_init__(self) -> None:
        for one in self.series:
            if len(one.values) != len(self.labels):
                raise ValueError(f"{self.title}: {one.name} has {len(one.values)} values for {len(self.labels)} labels")

    @property
    def empty(self) -> bool:
        """No number at all: the page says so instead of drawing axes."""
        return not any(v is not None for s in self.series for v in s.values)

    def text(self, value: float | None) -> str:
        """A value for the data table."""
        if value is None:
            return "–"
        if self.percent:
            return f"{value * 100:.{self.digits}f} %"
        return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def ceiling(value: float) -> float:
    """The next round number at or above `value`: 1, 2, 2.5 or 5 times a power of ten."""
    if value <= 0:
        return 1.0
    size = 10.0 ** math.floor(math.log10(value))
    return next(size * step for step in (1, 2, 2.5, 5, 10) if size * step >= value * (1 - 1e-9))


def draw(chart: Chart) -> Markup:
    """The SVG of a chart, with a title for screen readers and a tooltip on every mark."""
    count = len(chart.labels)
    if chart.form is Form.BARS:
        peak = max((sum(s.values[i] or 0 for s in chart.series) for i in range(count)), default=0.0)
    else:
        peak = max((v for s in chart.series for v in s.values if v is not None), default=0.0)
    top = 1.0 if chart.percent else ceiling(peak)
    bottom = chart.bottom
    plot_w, plot_h = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
    step = plot_w / max(1, count)

    def x(i: float) -> float:
        return round(_LEFT + step * i, 1)

    def y(value: float) -> float:
        return round(_TOP + plot_h * (1 - (value - bottom) / (top - bottom)), 1)

    out = [
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(chart.title)}">',
        f"<title>{escape(chart.title)}</title>",
    ]
    for part in range(5):
        value = bottom + (top - bottom) * part / 4
        label = f"{value * 100:.6g} %" if chart.percent else f"{value:,.4g}"
        out.append(
            f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y(value)}" y2="{y(value)}"/>'
            f'<text class="axis" x="{_LEFT - 6}" y="{y(value) + 4}" text-anchor="end">{label}</text>'
        )
    every = max(1, math.ceil(count / 8))
    out += [
        f'<text class="axis" x="{x(i + 0.5)}" y="{HEIGHT - 8}" text-anchor="middle">{escape(chart.labels[i])}</text>'
        for i in range(0, count, every)
    ]
    out += _bars(chart, x, y, step) if chart.form is Form.BARS else _lines(chart, x, y)
    out.append("</svg>")
    return Markup("".join(out))  # noqa: S704 - every text in it was escaped above


def _bars(chart: Chart, x: _Scale, y: _Scale, step: float) -> list[str]:
    out = []
    base = [0.0] * len(chart.labels)
    for place, series in enumerate(chart.series):
        for i, value in enumerate(series.values):
            if not value:
                continue
            low, high = y(base[i]), y(base[i] + value)
            base[i] += value
            tip = f"{chart.labels[i]}: {series.name} {chart.text(value)}"
            out.append(
                f'<rect class="c{place % _COLOURS}" x="{x(i + 0.1)}" y="{high}" width="{max(1.0, round(step * 0.8, 1))}" '
                f'height="{round(low - high, 1)}"><title>{escape(tip)}</title></rect>'
            )
    return out


def _lines(chart: Chart, x: _Scale, y: _Scale) -> list[str]:
    out = []
    for place, series in enumerate(chart.series):
        runs: list[list[str]] = [[]]
        for i, value in enumerate(series.values):
            if value is None:
                runs.append([])
            else:
                runs[-1].append(f"{x(i + 0.5)},{y(value)}")
        out += [f'<polyline class="l{place % _COLOURS}" points="{" ".join(r)}"/>' for r in runs if len(r) > 1]
        for i, value in enumerate(series.values):
            if value is not None:
                tip = f"{chart.labels[i]}: {series.name} {chart.text(value)}"
                out.append(
                    f'<circle class="c{place % _COLOURS}" cx="{x(i + 0.5)}" cy="{y(value)}" r="2.5">'
                    f"<title>{escape(tip)}</title></circle>"
                )
    return out


def legend(chart: Chart) -> Sequence[tuple[str, str]]:
    """(colour class, name) of each series."""
    return [(f"c{i % _COLOURS}", s.name) for i, s in enumerate(chart.series)]
