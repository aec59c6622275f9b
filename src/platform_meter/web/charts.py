"""Charts as SVG made on the server. Colours come from classes in `meter.css`, since the CSP allows no inline style.

A chart is a value; its drawing, its caption and its data table are three views of it, so they can't disagree.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from markupsafe import Markup, escape

WIDTH, HEIGHT = 540, 224
"""About as wide as a figure on a wide page, so that a unit is a pixel there; a phone shows 0.6 of it."""
TEXT = 18
"""Height of letters on a phone, in units; the sheet has them smaller where there is room. Margins leave place for it."""
_RIGHT, _TOP, _BOTTOM = 14, 10, 30
_INTERVALS = 5
"""Between the lines of the grid, at most."""
_SAME = 1e-9
"""Values nearer to each other than this are one."""
_LABELS = 8
"""Below the chart, at most; a phone shows every second of them."""
_CROWDED = 45
"""Values from which on the points of a line show only under the pointer."""
_COLOURS = 8
_MARKED = {True: "cbad", False: "c2"}
"""Colour class of marks, by whether they are bad."""
_Scale = Callable[[float], float]


class Form(StrEnum):
    BARS = "bars"
    """Stacked, for counts per period."""
    LINES = "lines"


class Tone(StrEnum):
    """A colour that means the same in every chart."""

    BAD = "bad"
    """What has to be seen, however little it is: what the platform broke, who left."""
    QUIET = "quiet"
    """What the others are compared with, or nobody's concern."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Values in the order of the chart's labels; None where there is no number, which leaves a hole."""

    name: str
    values: tuple[float | None, ...]
    tone: Tone | None = None
    """Without one it has a colour of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something that happened in one of the chart's periods; a table beside the chart tells more of it."""

    place: int
    """Of the period among the labels."""
    text: str
    bad: bool = False
    """Drawn at the top, in the colour of what is bad; others stand on the axis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """What to draw. `caption` says what is counted, over what, and what a reader may wrongly assume."""

    title: str
    caption: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    form: Form = Form.LINES
    percent: bool = False
    """Shares, and the axis goes up to 100 %."""
    zoom: bool = False
    """The axis begins near the lowest value instead of at 0: for shares near 1."""
    running: bool = False
    """The last period is not over: its counts are still growing, and are drawn so."""
    digits: int = 1
    """Decimals of percentages in the data table."""
    absence: str = "No data yet."
    """What to say where there is no number at all."""
    marks: tuple[Mark, ...] = ()

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

    def tip(self, i: int, series: Series) -> str:
        """What a mark says of itself."""
        so_far = " so far" if self.last(i) else ""
        return f"{self.labels[i]}{so_far}: {series.name} {self.text(series.values[i])}"

    def last(self, i: int) -> bool:
        """Whether this period is the one that is not over."""
        return self.running and i == len(self.labels) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Round values, evenly apart, from at or below the lowest number to at or above the highest."""

    values: tuple[float, ...]
    labels: tuple[str, ...]


def axis(chart: Chart) -> Axis:
    """The vertical axis of a chart. Counts have no line between two whole numbers."""
    numbers = [v for s in chart.series for v in s.values if v is not None]
    low, high = min([0.0, *numbers]), max([0.0, *numbers])
    if chart.form is Form.BARS:
        stacks = zip(*(s.values for s in chart.series), strict=True)
        high = max((sum(v or 0.0 for v in stack) for stack in stacks), default=0.0)
    if chart.percent:
        low, high = (min(numbers, default=0.0) if chart.zoom else low), 1.0
    whole = not chart.percent and all(v == int(v) for v in numbers)
    if high - low < _SAME:
        low, high = (high - 0.01, high) if chart.percent else (low, low + 1)
    step, first, last = _steps(low, high, whole=whole)
    values = tuple(round(n * step, 12) for n in range(first, last + 1))
    shown = step * 100 if chart.percent else step
    digits = max(0, -math.floor(math.log10(shown) + 1e-9))
    if chart.percent:
        return Axis(values=values, labels=tuple(f"{v * 100:.{digits}f} %" for v in values))
    return Axis(values=values, labels=tuple(f"{v:,.{digits}f}" for v in values))


def _steps(low: float, high: float, *, whole: bool) -> tuple[float, int, int]:
    """The smallest step of 1, 2 or 5 times a power of ten that takes few enough, and its multiples at both ends."""
    power = math.floor(math.log10(high - low)) - 1
    for step in (factor * 10.0**n for n in range(power, power + 3) for factor in (1, 2, 5)):
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        if last - first <= _INTERVALS and (step >= 1 or not whole):
            return step, first, last
    raise AssertionError(f"no step from {low} to {high}")  # ten times the range takes two


def draw(chart: Chart) -> Markup:
    """The SVG of a chart, with a title for screen readers and a tooltip on every mark."""
    count, lines = len(chart.labels), axis(chart)
    bottom, top = lines.values[0], lines.values[-1]
    left = 14 + max(_width(label) for label in lines.labels)
    plot_w, plot_h = WIDTH - left - _RIGHT, HEIGHT - _TOP - _BOTTOM
    step = plot_w / max(1, count)

    def x(i: float) -> float:
        return round(left + step * i, 1)

    def y(value: float) -> float:
        return round(_TOP + plot_h * (1 - (value - bottom) / (top - bottom)), 1)

    out = [
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(chart.title)}">',
        f"<title>{escape(chart.title)}</title>",
    ]
    for value, label in zip(lines.values, lines.labels, strict=True):
        out.append(
            f'<line class="grid" x1="{left}" x2="{WIDTH - _RIGHT}" y1="{y(value)}" y2="{y(value)}"/>'
            f'<text class="axis" x="{left - 6}" y="{y(value) + 4}" text-anchor="end">{label}</text>'
        )
    every = max(1, math.ceil(count / _LABELS))
    for n, i in enumerate(range(0, count, every)):
        some = " some" if n % 2 and count > _LABELS // 2 else ""
        half = _width(chart.labels[i]) / 2
        middle = min(max(x(i + 0.5), half), WIDTH - half)
        out.append(
            f'<text class="axis{some}" x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">{escape(chart.labels[i])}</text>'
        )
    out += _bars(chart, x, y, step) if chart.form is Form.BARS else _lines(chart, x, y)
    out += _marks(chart, x)
    out.append("</svg>")
    return Markup("".join(out))  # noqa: S704 - every text in it was escaped above


def _width(text: str) -> int:
    """About as wide as common typefaces write it in letters of TEXT, and no less for numbers."""
    narrow, wide = sum(text.count(c) for c in ",. "), text.count("%")
    return math.ceil(TEXT * (0.64 * (len(text) - narrow - wide) + 0.32 * narrow + 0.96 * wide))


def _bars(chart: Chart, x: _Scale, y: _Scale, step: float) -> list[str]:
    out = []
    base = [0.0] * len(chart.labels)
    for colour, series in _coloured(chart):
        for i, value in enumerate(series.values):
            if not value:
                continue
            low, high = y(base[i]), y(base[i] + value)
            base[i] += value
            part = " part" if chart.last(i) else ""
            out.append(
                f'<rect class="c{colour}{part}" x="{x(i + 0.1)}" y="{high}" '
                f'width="{max(1.0, round(step * 0.8, 1))}" height="{round(low - high, 1)}">'
                f"<title>{escape(chart.tip(i, series))}</title></rect>"
            )
    return out


def _lines(chart: Chart, x: _Scale, y: _Scale) -> list[str]:
    out = []
    for colour, series in _coloured(chart):
        crowded = len(series.values) >= _CROWDED or series.tone is Tone.QUIET
        points = [None if v is None else f"{x(i + 0.5)},{y(v)}" for i, v in enumerate(series.values)]
        runs: list[list[str]] = [[]]
        for i, point in enumerate(points):
            if point is None or chart.last(i):
                runs.append([])
            if point is not None and not chart.last(i):
                runs[-1].append(point)
        out += [f'<polyline class="l{colour}" points="{" ".join(r)}"/>' for r in runs if len(r) > 1]
        if chart.running and len(points) > 1 and points[-2] and points[-1]:
            out.append(f'<polyline class="l{colour} part" points="{points[-2]} {points[-1]}"/>')
        for i, (point, value) in enumerate(zip(points, series.values, strict=True)):
            if point is None or value is None:
                continue
            alone = not any(points[max(0, i - 1) : i]) and not any(points[i + 1 : i + 2])
            more = " part" if chart.last(i) else " dot" if crowded and not alone else ""
            out.append(
                f'<circle class="c{colour}{more}" cx="{x(i + 0.5)}" cy="{y(value)}" r="{4 if more == " dot" else 2.5}">'
                f"<title>{escape(chart.tip(i, series))}</title></circle>"
            )
    return out


def _marks(chart: Chart, x: _Scale) -> Iterator[str]:
    """One triangle for all of a kind in a period, which names each."""
    for place, bad in sorted({(mark.place, mark.bad) for mark in chart.marks}):
        texts = [mark.text for mark in chart.marks if (mark.place, mark.bad) == (place, bad)]
        middle, base, way = x(place + 0.5), (_TOP if bad else HEIGHT - _BOTTOM), (1 if bad else -1)
        points = f"{middle - 5},{base} {middle + 5},{base} {middle},{base + 8 * way}"
        title = escape(f"{chart.labels[place]}: {'; '.join(texts)}")
        yield f'<polygon class="{_MARKED[bad]}" points="{points}"><title>{title}</title></polygon>'


def _coloured(chart: Chart) -> Iterator[tuple[str, Series]]:
    """Each series with the end of its colour classes: its tone, or a number by its place among those without."""
    place = itertools.count()
    for series in chart.series:
        yield str(series.tone or next(place) % _COLOURS), series


def legend(chart: Chart) -> Sequence[tuple[str, str]]:
    """(colour class, name) of each series."""
    return [(f"c{colour}", series.name) for colour, series in _coloured(chart)]
