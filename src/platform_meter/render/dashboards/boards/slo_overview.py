"""SLO overview, for SREs: budgets, burn, state, age of the data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from platform_meter.model.catalogue.slos import SLO_DATA_AGE
from platform_meter.render.dashboards import queries as q
from platform_meter.render.dashboards.board import Board, Dashboard, Variable
from platform_meter.render.dashboards.boards._marks import incidents
from platform_meter.render.dashboards.panels import (
    BUDGET,
    GOOD_UNTIL_ONE,
    Column,
    Grid,
    Link,
    Query,
    Steps,
    lines,
    matrix,
    stat,
    table,
)
from platform_meter.slo import names
from platform_meter.slo.burnrate import STANDARD
from platform_meter.slo.plan import REFERENCE, TILE, Plan
from platform_meter.slo.promql import duration_text

DETAIL = "pm-slo-detail"
_KNOWN = f'count({names.OBJECTIVE}{{slo!=""}})'
"""Sloth has a series of this name too, by other labels."""

FACTORS = sorted({row.factor for row in STANDARD})
BURN: Steps = (("green", 0), *zip(("yellow", "orange", "red", "dark-red"), FACTORS, strict=True))
"""Burn rates from which the rows of profile standard fire."""
BURN_SAID = (
    "Burn rate = error ratio / allowed error ratio: at 1 the budget lasts exactly its period. "
    f"Colours change where alerts of profile standard look: {', '.join(f'{f:g}' for f in FACTORS)}. "
    "A window without events has no burn."
)

AGE_SAID = (
    "Age of the newest successful read of its source. Of an SLI in Prometheus: for how long its window of "
    f"{duration_text(REFERENCE)}, its slices, or its tiles of {duration_text(TILE)} have held no data; after a day it is absent."
)


def age(where: str = "") -> str:
    """Age of the data behind SLOs. What the rules sum from older windows is as new as ever when a source is silent."""
    newest = (
        q.selector(names.BURN, ",".join(filter(None, (where, 'window=~"[1-5]m"')))),
        *(q.selector(names.tile("bad", length), where) for length in (timedelta(minutes=1), TILE)),
    )
    seen = " or ".join(f"timestamp({one})" for one in newest)
    return (
        f"max by (slo) ({q.gauge(SLO_DATA_AGE, where)}) "
        f"or time() - max by (slo) ({seen}) "
        f"or time() - max by (slo) (max_over_time(({seen})[1d:1m]))"
    )


def firing(level: str, where: str = "") -> str:
    """Alerts of SLOs that fire now."""
    alerts = f"{names.BURN_ALERT}|{names.NO_DATA_ALERT}|{names.BUDGET_ALERT}"
    return f'ALERTS{{alertname=~"{alerts}",alertstate="firing",level=~"{level}"{where}}}'


def board(_: Sequence[Plan]) -> Board:
    budget = q.slo(names.BUDGET)
    open_detail = Link(
        title="SLO detail",
        url=f"/d/{DETAIL}?var-slo=${{__value.text:percentencode}}&var-datasource=${{datasource}}&${{__url_time_range}}",
    )
    return Board(
        uid="pm-slo-overview",
        title="SLO overview",
        description="For SREs: is the platform inside its SLOs, and what eats the budget?",
        span="now-7d",
        variables=(
            Variable(
                name="window",
                label="Burn window",
                query=q.label_values(names.BURN, "window"),
                default="6h",
            ),
        ),
        marks=(incidents("Incidents"),),  # deployments of all teams would hide the panels
        rows=(
            (
                stat("SLOs known", "SLOs that rules are loaded for.", _KNOWN),
                stat(
                    "Budget spent",
                    "SLOs that have overspent their error budget: below 0 % left.",
                    q.or_zero(f"count({budget} < 0)", _KNOWN),
                    steps=GOOD_UNTIL_ONE,
                ),
                stat(
                    "In caution",
                    "SLOs with less than 25 % of their error budget left, none overspent.",
                    q.or_zero(f"count({budget} >= 0 < 0.25)", _KNOWN),
                    steps=(("green", 0), ("orange", 1)),
                ),
                stat(
                    "Pages firing",
                    "Burn alerts of level page that fire now.",
                    q.or_zero(f"count({firing('page')})", _KNOWN),
                    steps=GOOD_UNTIL_ONE,
                ),
                stat(
                    "Tickets firing",
                    "Alerts of level ticket that fire now: slow burn, no data, budget exhausted.",
                    q.or_zero(f"count({firing('ticket')})", _KNOWN),
                    steps=(("green", 0), ("orange", 1)),
                ),
                stat(
                    "Oldest data",
                    f"The greatest age of data among all SLOs. {AGE_SAID}",
                    f"max({age()})",
                    unit="s",
                ),
            ),
            (
                lines(
                    "Error budget left",
                    "Budget left = 1 - burn over the SLO's own period; not cut off at 0. Of a young SLO: over what there is.",
                    Query(expr=budget, legend="{{slo}}"),
                    unit="percentunit",
                    least=None,
                    steps=BUDGET,
                ),
                lines(
                    "Burn over $window",
                    f"{BURN_SAID} SLOs without this window are missing here; the table below has all windows.",
                    Query(expr=q.slo(names.BURN, where='window="$window"'), legend="{{slo}}"),
                    decimals=2,
                    steps=BURN,
                ),
            ),
            (
                table(
                    "SLOs",
                    "Objective and SLI over the SLO's period, error budget left (red: overspent, orange: under 25 %), "
                    f"highest burn of all alert windows, age of the data. Click a name for its detail. {AGE_SAID}",
                    Grid(
                        words={"slo": "SLO", "service": "Service", "owner": "Owner", "profile": "Profile"},
                        links={"SLO": open_detail},
                        sort="Budget left",
                    ),
                    Column(name="Budget left", expr=budget, unit="percentunit", decimals=1, steps=BUDGET),
                    Column(name="SLI", expr=q.slo(names.SLI), unit="percentunit", decimals=3),
                    Column(name="Objective", expr=q.slo(names.OBJECTIVE), unit="percentunit", decimals=3),
                    Column(name="Highest burn", expr=q.slo(names.BURN), decimals=2, steps=BURN),
                    Column(name="Data age", expr=age(), unit="s"),
                    Column(name="Known", expr=q.slo(names.INFO, by="slo, service, owner, profile"), hidden=True),
                ),
            ),
            (
                matrix(
                    "Burn by window",
                    f"{BURN_SAID} A page needs its long and its short window above the factor, and a least number of "
                    "bad events.",
                    q.slo(names.BURN, by="slo, window"),
                    row="slo",
                    column="window",
                    decimals=2,
                    steps=BURN,
                ),
                table(
                    "Alerts firing",
                    "Alerts of SLOs that fire now, by level and long window. Empty while none does.",
                    Grid(
                        words={"slo": "SLO", "alertname": "Alert", "level": "Level", "window": "Window"},
                        links={"SLO": open_detail},
                    ),
                    Column(name="Firing", expr=f"max by (slo, alertname, level, window) ({firing('page|ticket')})"),
                    may_be_empty="ci-outage",
                ),
            ),
        ),
    )


DASHBOARD = Dashboard(board)
