"""Meter health, for the platform's engineers: are the sources read, is anything missing, whose is it, how big is it."""

from __future__ import annotations

from collections.abc import Sequence

from platform_meter.model.catalogue.meter import (
    BUILD_INFO,
    CONFIG_VALID,
    EVENTS_REJECTED,
    EVENTS_STORED,
    OBJECTS_SEEN,
    OWNERSHIP_CONFLICTS,
    SERIES_DROPPED,
    SERIES_EXPOSED,
    SOURCE_GAPS,
    SOURCE_LAST_SUCCESS,
    SOURCE_POLL_DURATION,
    SOURCE_RATE_LIMIT,
    SOURCE_REQUESTS,
    SOURCE_UP,
    STORE_BYTES,
    UNOWNED_OBJECTS,
)
from platform_meter.render.dashboards import queries as q
from platform_meter.render.dashboards.board import Board, Card, Dashboard, Variable
from platform_meter.render.dashboards.panels import (
    GOOD_UNTIL_ONE,
    Column,
    Grid,
    Query,
    Steps,
    heatmap,
    lines,
    named,
    stat,
    table,
)
from platform_meter.slo.plan import Plan

_HERE = 'source=~"$source"'
_POLLED = f"max by (source) ({q.gauge(SOURCE_UP, _HERE)})"
_RUNNING = f"max({q.gauge(CONFIG_VALID)})"
_UNOWNED: Steps = (("green", 0), ("orange", 0.05), ("red", 0.1))
_OWNER = "Objects within retention that no ownership rule gives a team; the platform's own machinery is left out."


def board(_: Sequence[Plan]) -> Board:
    return Board(
        uid="pm-meter",
        title="Meter health",
        description="For the platform's engineers: are all sources read, is anything missing, whose is it, and how big "
        "has it grown?",
        span="now-24h",
        variables=(
            Variable(name="source", label="Source", query=q.label_values(SOURCE_UP.name, "source"), several=True),
        ),
        rows=(_numbers(), *_sources(), *_tables()),
    )


def _share_unowned(by: str) -> str:
    unowned, objects = (q.total(q.gauge(m, _HERE), by) for m in (UNOWNED_OBJECTS, OBJECTS_SEEN))
    return f"{unowned} / ({objects} > 0)"


def _numbers() -> tuple[Card, ...]:
    return (
        stat(
            "Sources down",
            "Sources without a successful poll for their `stale_after` (3 polls, unless set): their gauges are absent.",
            f"count({q.gauge(SOURCE_UP)}) - sum({q.gauge(SOURCE_UP)})",
            steps=GOOD_UNTIL_ONE,
        ),
        stat(
            "Configuration",
            "Whether the last load of configuration and definitions found no problem; while it is not valid, the one "
            "before stays in force.",
            _RUNNING,
            steps=(("red", 0), ("green", 1)),
            mappings=named({"0": ("has problems", "red"), "1": ("valid", "green")}),
        ),
        stat(
            "Unowned",
            f"{_OWNER} Share of all objects of the sources chosen.",
            f"sum({q.gauge(UNOWNED_OBJECTS, _HERE)}) / (sum({q.gauge(OBJECTS_SEEN, _HERE)}) > 0)",
            unit="percentunit",
            decimals=1,
            steps=_UNOWNED,
        ),
        stat(
            "Gaps",
            "Ranges of history that could not be read, in the time range shown: past an API's result cap, pruned, or "
            "forbidden. They are missing in every number.",
            q.or_zero(q.total(q.increase(SOURCE_GAPS, q.RANGE, _HERE)), _RUNNING),
            decimals=0,
            steps=GOOD_UNTIL_ONE,
        ),
        stat(
            "Series",
            "Series exposed by all families.",
            q.total(q.gauge(SERIES_EXPOSED)),
            decimals=0,
            steps=(("green", 0), ("orange", 48_000), ("red", 60_000)),
        ),
        stat("Store", "Size of the event store.", f"max({q.gauge(STORE_BYTES)})", unit="bytes", decimals=1),
    )


def _sources() -> tuple[tuple[Card, ...], ...]:
    return (
        (
            lines(
                "Since the last good poll",
                "Time since a poll of each source last succeeded.",
                Query(
                    expr=f"time() - max by (source, source_instance) ({q.gauge(SOURCE_LAST_SUCCESS, _HERE)})",
                    legend="{{source_instance}}",
                ),
                unit="s",
            ),
            lines(
                "API calls",
                "Calls a second to the sources' APIs by outcome; limited ones were refused for quota.",
                Query(
                    expr=q.total(q.rate(SOURCE_REQUESTS, q.RATE, _HERE), "source, outcome"),
                    legend="{{source}} {{outcome}}",
                ),
                unit="reqps",
            ),
            lines(
                "API quota left",
                "Share of the API quota left; the least of all instances of the source. Sources that tell none are absent.",
                Query(expr=f"min by (source) ({q.gauge(SOURCE_RATE_LIMIT, _HERE)})", legend="{{source}}"),
                unit="percentunit",
                most=1,
            ),
        ),
        (
            lines(
                "Events stored",
                "New events in each step, by source and kind.",
                Query(
                    expr=q.total(q.increase(EVENTS_STORED, q.STEP, _HERE), "source, kind"),
                    legend="{{source}} {{kind}}",
                ),
                unit="short",
                bars=True,
                stacked=True,
                step="15m",
            ),
            heatmap(
                "Duration of polls",
                "Polls by how long they took, all sources chosen.",
                q.buckets(SOURCE_POLL_DURATION, q.STEP, where=_HERE),
                step="15m",
            ),
            lines(
                "Unowned objects",
                f"{_OWNER} Above 10 % no number by team is to be trusted.",
                Query(expr=_share_unowned("source"), legend="{{source}}"),
                unit="percentunit",
                steps=_UNOWNED,
            ),
        ),
        (
            lines(
                "Series by family",
                "The ten families with the most series.",
                Query(expr=f"topk(10, {q.total(q.gauge(SERIES_EXPOSED), 'family')})", legend="{{family}}"),
                unit="short",
            ),
            lines(
                "Refused or missing",
                "In each step: events refused, ranges of history not read, label sets folded into `_other` or dropped.",
                Query(
                    expr=q.or_zero(q.total(q.increase(EVENTS_REJECTED, q.STEP, _HERE)), _RUNNING),
                    legend="events refused",
                ),
                Query(expr=q.or_zero(q.total(q.increase(SOURCE_GAPS, q.STEP, _HERE)), _RUNNING), legend="gaps"),
                Query(
                    expr=q.or_zero(q.total(q.increase(SERIES_DROPPED, q.STEP)), _RUNNING),
                    legend="label sets folded or dropped",
                ),
                unit="short",
                bars=True,
                step="15m",
            ),
        ),
    )


def _tables() -> tuple[tuple[Card, ...], ...]:
    def by_instance(expr: str) -> str:
        return f"max by (source, source_instance) ({expr})"

    def by_source(expr: str) -> str:
        return q.or_zero(q.total(expr, "source"), _POLLED)

    return (
        (
            table(
                "Sources",
                "Each configured source: whether it is read, and since when not.",
                Grid(words={"source": "Type", "source_instance": "Source"}),
                Column(
                    name="State",
                    expr=by_instance(q.gauge(SOURCE_UP, _HERE)),
                    mappings=tuple(named({"0": ("down", "red"), "1": ("up", "green")})),
                ),
                Column(
                    name="Since the last good poll",
                    expr=f"time() - {by_instance(q.gauge(SOURCE_LAST_SUCCESS, _HERE))}",
                    unit="s",
                ),
            ),
            table(
                "Missing by source type",
                "In the time range shown: calls that failed or were refused for quota, gaps in history, events refused.",
                Grid(words={"source": "Type"}),
                Column(
                    name="Calls failed",
                    expr=by_source(q.increase(SOURCE_REQUESTS, q.RANGE, f'{_HERE},outcome!="ok"')),
                    decimals=0,
                ),
                Column(name="Gaps", expr=by_source(q.increase(SOURCE_GAPS, q.RANGE, _HERE)), decimals=0),
                Column(
                    name="Events refused",
                    expr=by_source(q.increase(EVENTS_REJECTED, q.RANGE, _HERE)),
                    decimals=0,
                ),
            ),
        ),
        (
            table(
                "Objects and their owners",
                f"{_OWNER} Disputed: ownership rules name different teams; the earlier rule wins.",
                Grid(words={"source": "Type", "kind": "Kind"}, sort="Unowned", falling=True),
                Column(name="Objects", expr=q.total(q.gauge(OBJECTS_SEEN, _HERE), "source, kind")),
                Column(name="Unowned", expr=q.total(q.gauge(UNOWNED_OBJECTS, _HERE), "source, kind")),
                Column(
                    name="Unowned share",
                    expr=_share_unowned("source, kind"),
                    unit="percentunit",
                    decimals=1,
                    steps=_UNOWNED,
                ),
                Column(name="Disputed", expr=q.total(q.gauge(OWNERSHIP_CONFLICTS, _HERE), "source, kind")),
            ),
            table(
                "Versions",
                "Versions that answer; more than one while replicas are being replaced.",
                Grid(words={"version": "Version"}),
                Column(name="Replicas", expr=f"count by (version) ({BUILD_INFO.name})"),
            ),
        ),
    )


DASHBOARD = Dashboard(board)
