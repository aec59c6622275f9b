"""The kinds of panel in use. Each has a title, a description that names the choices behind its numbers, and a unit.

grafanalib gives what it still says in Grafana's present terms; bar gauge and heatmap are our own classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from grafanalib import core

from platform_meter.render.dashboards.board import Card

STAT_HEIGHT, PLOT_HEIGHT, TABLE_HEIGHT = 4, 8, 9

Steps = tuple[tuple[str, float], ...]
"""Colours and the values from which they hold; the first holds from minus infinity, whatever its value."""

PLAIN: Steps = (("blue", 0),)
GOOD_UNTIL_ONE: Steps = (("green", 0), ("red", 1))
"""Any at all is bad."""
BUDGET: Steps = (("red", 0), ("orange", 0), ("green", 0.25))
"""States of the error budget policy: exhausted, caution, ok (domain section 5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of numbers in a table."""

    name: str
    expr: str
    unit: str = "none"
    decimals: int | None = None
    steps: Steps = ()
    mappings: tuple[dict[str, Any], ...] = ()
    hidden: bool = False
    """Its labels fill the row, its value is not shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Where a click on a field's value leads."""

    title: str
    url: str


class BarGauge(core.Panel):  # type: ignore[misc]  # grafanalib has no types
    """Bars, one a series; grafanalib's own writes the options of Grafana 6."""

    def to_json_data(self) -> dict[str, Any]:
        options = {
            "displayMode": "basic",
            "orientation": "horizontal",
            "namePlacement": "auto",
            "showUnfilled": True,
            "sizing": "auto",
            "minVizHeight": 16,
            "minVizWidth": 8,
            "maxVizHeight": 300,
            "valueMode": "color",
            "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": False},
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        }
        color = {"mode": "thresholds"}
        config = {"defaults": {"color": color, "mappings": []}, "overrides": []}
        return dict(self.panel_json({"type": "bargauge", "options": options, "fieldConfig": config}))


class Heatmap(core.Panel):  # type: ignore[misc]  # grafanalib has no types
    """A histogram over time out of its buckets; grafanalib's own is the one that Grafana 9 replaced."""

    def to_json_data(self) -> dict[str, Any]:
        options = {
            "calculate": False,
            "cellGap": 1,
            "cellValues": {"unit": "short"},
            "color": {
                "mode": "scheme",
                "scheme": "Oranges",
                "scale": "exponential",
                "exponent": 0.5,
                "fill": "dark-orange",
                "reverse": False,
                "steps": 64,
            },
            "exemplars": {"color": "rgba(255,0,255,0.7)"},
            "filterValues": {"le": 1e-9},
            "legend": {"show": True},
            "rowsFrame": {"layout": "auto"},
            "showValue": "never",
            "tooltip": {"mode": "single", "yHistogram": False, "showColorScale": True},
            "yAxis": {"axisPlacement": "left", "reverse": False, "unit": "s"},
        }
        hidden = {"legend": False, "tooltip": False, "viz": False}
        custom = {"hideFrom": hidden, "scaleDistribution": {"type": "linear"}}
        config = {"defaults": {"custom": custom}, "overrides": []}
        return dict(self.panel_json({"type": "heatmap", "options": options, "fieldConfig": config}))


def stat(
    title: str,
    description: str,
    expr: str,
    *,
    unit: str = "none",
    decimals: int | None = None,
    steps: Steps = PLAIN,
    mappings: Sequence[dict[str, Any]] = (),
    may_be_empty: str = "",
) -> Card:
    """One number, as it stands at the end of the time range."""
    panel = core.Stat(
        title=title,
        description=description,
        targets=_targets([Query(expr=expr)], instant=True),
        format=unit,
        decimals=decimals,
        color={"mode": "thresholds"},
        graphMode="none",
        noValue="no data",
        reduceCalc="lastNotNull",
        thresholds=_thresholds(steps),
        mappings=list(mappings),
    )
    return Card(panel=panel, height=STAT_HEIGHT, may_be_empty=may_be_empty)


def lines(
    title: str,
    description: str,
    *queries: Query,
    unit: str = "none",
    decimals: int | None = None,
    least: int | None = 0,
    most: int | None = None,
    steps: Steps = (),
    stacked: bool = False,
    bars: bool = False,
    step: str | None = None,
    width: int = 0,
    may_be_empty: str = "",
) -> Card:
    """Numbers over time. `steps` are drawn as dashed lines; `step` is the least distance between two points."""
    panel = core.TimeSeries(
        title=title,
        description=description,
        targets=_targets(queries),
        unit=unit,
        valueDecimals=decimals,
        valueMin=least,
        valueMax=most,
        thresholds=_thresholds(steps or PLAIN),
        thresholdsStyleMode="dashed" if steps else "off",
        fillOpacity=80 if bars else 40 if stacked else 0,
        drawStyle="bars" if bars else "line",
        barAlignment=-1 if bars else 0,
        stacking={"mode": "normal" if stacked else "none", "group": "A"},
        showPoints="never",
        legendCalcs=["lastNotNull"],
        tooltipMode="multi",
        tooltipSort="desc",
        interval=step,
    )
    return Card(panel=panel, height=PLOT_HEIGHT, width=width, may_be_empty=may_be_empty)


def bar_gauge(
    title: str,
    description: str,
    query: Query,
    *,
    unit: str = "none",
    most: float | None = None,
    steps: Steps = PLAIN,
    width: int = 0,
    may_be_empty: str = "",
) -> Card:
    """One bar for each series, as it stands at the end of the time range."""
    panel = BarGauge(
        title=title,
        description=description,
        targets=_targets([query], instant=True),
        thresholds=_thresholds(steps),
        extraJson={"fieldConfig": {"defaults": {"unit": unit, "min": 0, "max": most}}},
    )
    return Card(panel=panel, height=PLOT_HEIGHT, width=width, may_be_empty=may_be_empty)


def heatmap(title: str, description: str, expr: str, *, step: str | None = None, width: int = 0) -> Card:
    """A histogram of seconds over time; `expr` is summed by `le`."""
    panel = Heatmap(
        title=title,
        description=description,
        targets=_targets([Query(expr=expr, legend="{{le}}")], format_="heatmap"),
        interval=step,
    )
    return Card(panel=panel, height=PLOT_HEIGHT, width=width)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """How a table is laid out: its words by the label they come from, and where a click on one leads."""

    words: dict[str, str]
    links: dict[str, Link] = field(default_factory=dict)
    """By column name."""
    sort: str = ""
    """Column to sort by; the first otherwise."""
    falling: bool = False


def table(
    title: str,
    description: str,
    grid: Grid,
    *columns: Column,
    height: int = TABLE_HEIGHT,
    width: int = 0,
    may_be_empty: str = "",
) -> Card:
    """One row for each set of labels; columns that share labels stand in one row."""
    alone = len(columns) == 1
    renamed = {f"Value #{chr(65 + n)}" if not alone else "Value": column.name for n, column in enumerate(columns)}
    order = {name: n for n, name in enumerate([*grid.words, *renamed])}
    hidden = {value: True for value, column in zip(renamed, columns, strict=True) if column.hidden}
    tidy = {"excludeByName": {"Time": True, **hidden}, "indexByName": order, "renameByName": {**grid.words, **renamed}}
    steps = [{"id": "merge", "options": {}}, {"id": "organize", "options": tidy}]
    overrides = [_override(c.name, _shown(c)) for c in columns if not c.hidden]
    overrides += [
        _override(name, [("links", [{"title": link.title, "url": link.url, "targetBlank": False}])])
        for name, link in grid.links.items()
    ]
    panel = core.Table(
        title=title,
        description=description,
        targets=_targets([Query(expr=c.expr) for c in columns], instant=True, format_="table"),
        transformations=steps,
        thresholds=_thresholds(PLAIN),
        overrides=overrides,
        sortBy=[core.TableSortByField(displayName=grid.sort or next(iter(grid.words.values())), desc=grid.falling)],
        filterable=True,
    )
    return Card(panel=panel, height=height, width=width, may_be_empty=may_be_empty)


def matrix(
    title: str,
    description: str,
    expr: str,
    *,
    row: str,
    column: str,
    unit: str = "none",
    decimals: int | None = None,
    steps: Steps = PLAIN,
    mappings: Sequence[dict[str, Any]] = (),
    height: int = TABLE_HEIGHT,
    width: int = 0,
) -> Card:
    """One row for each value of one label, one column for each of another, cells in the colour of their value."""
    turned = {"rowField": row, "columnField": column, "valueField": "Value", "emptyValue": "null"}
    defaults: dict[str, Any] = {
        "color": {"mode": "thresholds"},
        "custom": {"cellOptions": {"type": "color-background", "mode": "basic"}},
        "mappings": list(mappings),
        "unit": unit,
        "decimals": decimals,
    }
    panel = core.Table(
        title=title,
        description=description,
        targets=_targets([Query(expr=expr)], instant=True, format_="table"),
        transformations=[{"id": "groupingToMatrix", "options": turned}],
        thresholds=_thresholds(steps),
        sortBy=[core.TableSortByField(displayName=f"{row}\\{column}", desc=False)],
        extraJson={"fieldConfig": {"defaults": defaults}},
    )
    return Card(panel=panel, height=height, width=width)


def text(title: str, description: str, html: str, *, height: int = TABLE_HEIGHT) -> Card:
    """Words. They must be escaped by `words`: Grafana reads `$name` and `[[name]]` in them as variables."""
    panel = core.Text(title=title, description=description, content=html, mode=core.TEXT_MODE_HTML)
    return Card(panel=panel, height=height)


def named(values: dict[str, tuple[str, str]]) -> list[dict[str, Any]]:
    """Value mappings: a value's text and colour."""
    options = {
        value: {"text": text, "color": color, "index": n} for n, (value, (text, color)) in enumerate(values.items())
    }
    return [{"type": "value", "options": options}]


def _targets(queries: Sequence[Query], *, instant: bool = False, format_: str = "time_series") -> list[Any]:
    return [
        core.Target(
            expr=q.expr,
            legendFormat=q.legend or "__auto",
            refId=chr(65 + n),
            instant=instant,
            format=format_,
        )
        for n, q in enumerate(queries)
    ]


def _thresholds(steps: Steps) -> list[Any]:
    return [core.Threshold(color=color, index=n, value=float(value)) for n, (color, value) in enumerate(steps)]


def _shown(column: Column) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = [("unit", column.unit)]
    if column.decimals is not None:
        found.append(("decimals", column.decimals))
    if column.mappings:
        found.append(("mappings", list(column.mappings)))
    if column.steps or column.mappings:
        found.append(("custom.cellOptions", {"type": "color-text"}))
    if column.steps:
        found.append(("thresholds", {"mode": "absolute", "steps": _thresholds(column.steps)}))
    return found


def _override(name: str, properties: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": key, "value": value} for key, value in properties],
    }
