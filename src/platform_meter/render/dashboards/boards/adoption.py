"""Adoption, for the platform's product manager: who uses what, who stopped, and who never began."""

from __future__ import annotations

from collections.abc import Sequence

from platform_meter.model.catalogue.adoption import (
    ACTIVE_UNITS,
    ADOPTION_ACTIVE_RATIO,
    ADOPTION_DEPTH_RATIO,
    ADOPTION_FORECAST,
    ADOPTION_GOAL,
    ADOPTION_GOAL_FORECAST,
    ADOPTION_GOAL_GAP,
    ADOPTION_GOAL_NEEDED,
    ADOPTION_RATIO,
    ADOPTION_SELF_SERVICE,
    ADOPTION_TRANSITIONS,
    ADOPTION_UNITS,
    CHURN,
    COHORT_RETENTION,
    STANDARD_UNITS,
    STICKINESS,
    TEAM_BREADTH,
    TEAM_CAPABILITY_STATE,
    TEAM_INDEX,
    TEAM_STANDARD_RATIO,
)
from platform_meter.model.metric import Metric
from platform_meter.render.dashboards import queries as q
from platform_meter.render.dashboards.board import Board, Card, Dashboard, Variable
from platform_meter.render.dashboards.panels import (
    Column,
    Grid,
    Query,
    bar_gauge,
    lines,
    matrix,
    named,
    stat,
    table,
)
from platform_meter.slo.plan import Plan

_HERE = 'capability=~"$capability"'
_VOLUNTARY = f'{_HERE},mandated="false"'
_FREE = 'mandated="false"'
_MONTH = f'{_HERE},window="28d"'
_STATES = (
    "States, the first that fits: not eligible, churned, active (enough use in the capability's window), dormant (was "
    "active), adopted idle (set up, not used), eligible."
)
_RULES = (
    "What counts as adopted and as active stands in each Capability file; a line begins with the first day that has a "
    "whole window of its use behind it."
)


def board(_: Sequence[Plan]) -> Board:
    return Board(
        uid="pm-adoption",
        title="Adoption",
        description="For the platform's product manager: who uses which capability, who stopped, and who never began?",
        span="now-30d",
        refresh="5m",
        variables=(
            Variable(
                name="capability",
                label="Capability",
                query=q.label_values(ADOPTION_UNITS.name, "capability"),
                several=True,
            ),
        ),
        rows=(
            _numbers(),
            *_course(),
            (_kept_to(), _forecast()),
            (_goals(),),
            *_now(),
            (_stayed(), _teams_by_standard()),
            (_by_team(),),
        ),
    )


def _numbers() -> tuple[Card, ...]:
    left = '"dormant|churned|left_eligibility"'
    known = f"count({q.gauge(ADOPTION_UNITS, _HERE)})"
    return (
        stat(
            "Measured",
            "Capabilities that are measured.",
            f"count(count by (capability) ({ADOPTION_UNITS.name}{{{_HERE}}}))",
        ),
        stat(
            "Mean adoption",
            "Adopted and eligible / eligible units, as a mean over the voluntary capabilities chosen. Mandated ones are "
            f"left out: nobody chose them. {_RULES}",
            f"avg({q.gauge(ADOPTION_RATIO, _VOLUNTARY)})",
            unit="percentunit",
            decimals=0,
        ),
        stat(
            "Mean active",
            f"Active / eligible units, as a mean over the voluntary capabilities chosen. {_RULES}",
            f"avg({q.gauge(ADOPTION_ACTIVE_RATIO, _VOLUNTARY)})",
            unit="percentunit",
            decimals=0,
        ),
        stat(
            "Highest churn",
            "Share of the units active 28 days ago, still eligible, that are not active now; of the capability that "
            "lost most.",
            f"max({q.gauge(CHURN, _MONTH)})",
            unit="percentunit",
            decimals=0,
            steps=(("green", 0), ("orange", 0.1), ("red", 0.25)),
        ),
        stat(
            "Became active",
            "Units that entered active in the time range shown, for the first time or again, between daily snapshots.",
            q.or_zero(
                q.total(q.increase(ADOPTION_TRANSITIONS, q.RANGE, f'{_HERE},transition=~"new|resurrected"')), known
            ),
            decimals=0,
            steps=(("green", 0),),
        ),
        stat(
            "Stopped",
            "Units that became dormant or churned, or left eligibility while active, in the time range shown. Straight "
            "from active to churned counts as both.",
            q.or_zero(q.total(q.increase(ADOPTION_TRANSITIONS, q.RANGE, f"{_HERE},transition=~{left}")), known),
            decimals=0,
            steps=(("green", 0), ("orange", 1)),
        ),
    )


def _goals() -> Card:
    def share(metric: Metric, more: str = "") -> str:
        return q.total(q.gauge(metric, f"{_HERE}{more}"), "capability, by")

    def column(name: str, expr: str) -> Column:
        return Column(name=name, expr=expr, unit="percentunit", decimals=0)

    return table(
        "Goals",
        "Each goal by its day: the share to be reached, what is missing of it, what is needed at the moment of the "
        "forecast (the day itself; of one more than 13 weeks away what an even pace has in 13 weeks), and the forecast "
        "for that moment. Four futures in five lie between low and high.",
        Grid(words={"capability": "Capability", "by": "By"}),
        column("Goal", share(ADOPTION_GOAL)),
        column("Missing", share(ADOPTION_GOAL_GAP)),
        column("Needed", share(ADOPTION_GOAL_NEEDED)),
        column("Low", share(ADOPTION_GOAL_FORECAST, ',bound="low"')),
        column("Forecast", share(ADOPTION_GOAL_FORECAST, ',bound="point"')),
        column("High", share(ADOPTION_GOAL_FORECAST, ',bound="high"')),
    )


def _forecast() -> Card:
    return lines(
        "Adopted units in 13 weeks",
        "Forecast of the units that will have adopted, as it was made on each day, by its bound.",
        Query(
            expr=q.total(q.gauge(ADOPTION_FORECAST, f'{_HERE},horizon="13w"'), "capability, bound"),
            legend="{{capability}} {{bound}}",
        ),
        unit="short",
    )


def _stayed() -> Card:
    return matrix(
        "Who stayed",
        "Of the units that began in a month the share that was active in each month after it; the mean of the capabilities "
        "chosen. A month with fewer than five goes with the next one.",
        f"avg by (cohort, age) ({q.gauge(COHORT_RETENTION, _HERE)})",
        row="cohort",
        column="age",
        unit="percentunit",
    )


def _course() -> tuple[tuple[Card, ...], ...]:
    by_capability = "{{capability}}"
    return (
        (
            lines(
                "Adoption by capability",
                f"Adopted and eligible / eligible units. {_RULES}",
                Query(expr=q.total(q.gauge(ADOPTION_RATIO, _HERE), "capability"), legend=by_capability),
                unit="percentunit",
                most=1,
            ),
            lines(
                "Active by capability",
                f"Active / eligible units. {_RULES}",
                Query(expr=q.total(q.gauge(ADOPTION_ACTIVE_RATIO, _HERE), "capability"), legend=by_capability),
                unit="percentunit",
                most=1,
            ),
        ),
        (
            lines(
                "Units by state",
                f"Units of the capabilities chosen, without those that are not eligible or exempt. {_STATES}",
                Query(
                    expr=q.total(q.gauge(ADOPTION_UNITS, f'{_HERE},state!~"not_eligible|exempt"'), "state"),
                    legend="{{state}}",
                ),
                unit="short",
                stacked=True,
            ),
            lines(
                "Transitions a day",
                "Units that changed their state between daily snapshots. Entering: new, resurrected. Leaving: dormant, "
                "churned, left_eligibility. The first snapshot makes none.",
                Query(
                    expr=q.total(q.increase(ADOPTION_TRANSITIONS, q.STEP, _HERE), "transition"),
                    legend="{{transition}}",
                ),
                unit="short",
                bars=True,
                stacked=True,
                step="1d",
            ),
        ),
        (
            lines(
                "Units with any use",
                "Eligible units with any use in 28 and in 7 days; less use than active asks for counts too.",
                Query(
                    expr=q.total(q.gauge(ACTIVE_UNITS, _HERE), "capability, window"),
                    legend="{{capability}} {{window}}",
                ),
                unit="short",
            ),
            lines(
                "Depth by capability",
                "Mean over eligible teams of their deployables on the capability / their eligible deployables.",
                Query(expr=q.total(q.gauge(ADOPTION_DEPTH_RATIO, _HERE), "capability"), legend=by_capability),
                unit="percentunit",
                most=1,
            ),
        ),
    )


def _now() -> tuple[tuple[Card, ...], ...]:
    def units(state: str) -> str:
        return q.total(q.gauge(ADOPTION_UNITS, f'{_HERE},state=~"{state}"'), "capability")

    def ratio(expr: str) -> str:
        return q.total(expr, "capability")

    return (
        (
            table(
                "Capabilities",
                f"Each capability now: units that are eligible, adopted share, active share, depth, stickiness (mean "
                "units with any use per business day / units with any use in 28 days), churn of 28 days, self-service (journeys "
                f"that came to their end without a ticket of its category / those that came to it). {_RULES}",
                Grid(words={"capability": "Capability", "unit": "Unit", "mandated": "Mandated"}),
                Column(name="Eligible", expr=units("churned|active|dormant|adopted_idle|eligible")),
                Column(
                    name="Adopted",
                    expr=q.total(q.gauge(ADOPTION_RATIO, _HERE), "capability, unit, mandated"),
                    unit="percentunit",
                    decimals=0,
                ),
                Column(
                    name="Active",
                    expr=ratio(q.gauge(ADOPTION_ACTIVE_RATIO, _HERE)),
                    unit="percentunit",
                    decimals=0,
                ),
                Column(name="Depth", expr=ratio(q.gauge(ADOPTION_DEPTH_RATIO, _HERE)), unit="percentunit", decimals=0),
                Column(name="Stickiness", expr=ratio(q.gauge(STICKINESS, _MONTH)), unit="percentunit", decimals=0),
                Column(name="Churn", expr=ratio(q.gauge(CHURN, _MONTH)), unit="percentunit", decimals=0),
                Column(
                    name="Self-service",
                    expr=ratio(q.gauge(ADOPTION_SELF_SERVICE, _HERE)),
                    unit="percentunit",
                    decimals=0,
                ),
            ),
        ),
        (
            matrix(
                "Teams by capability",
                "The state of each eligible team. Where the unit is smaller than a team: the first present of active, "
                "dormant, idle, churned, eligible.",
                f"max by (team, capability) ({q.gauge(TEAM_CAPABILITY_STATE, _HERE)})",
                row="team",
                column="capability",
                mappings=named(
                    {
                        "0": ("eligible", "#8080804D"),
                        "1": ("idle", "yellow"),
                        "2": ("active", "green"),
                        "3": ("dormant", "orange"),
                        "4": ("churned", "red"),
                    }
                ),
                height=12,
                width=14,
            ),
            bar_gauge(
                "Units by state now",
                f"Units of the capabilities chosen. {_STATES} Exempt ones leave the denominator.",
                Query(expr=q.total(q.gauge(ADOPTION_UNITS, _HERE), "state"), legend="{{state}}"),
                unit="short",
            ),
        ),
    )


_JUDGED = "Units that are exempt, or of which nothing could be judged, are in neither part."


def _kept_to() -> Card:
    def units(state: str) -> str:
        return q.total(q.gauge(STANDARD_UNITS, f'{_HERE},state=~"{state}"'), "capability")

    return lines(
        "Standards kept to",
        f"Units that pass a standard / those that pass or fail; standards are mandated capabilities that objects tell of. "
        f"{_JUDGED}",
        Query(expr=f"{units('passes')} / ({units('passes|fails')} > 0)", legend="{{capability}}"),
        unit="percentunit",
        most=1,
    )


def _by_team() -> Card:
    return table(
        "Teams",
        "How much of the platform each team uses, of what nobody has to use. Breadth: capabilities that it is active in / "
        "those that it could use. Index: its deployables on these capabilities / those that could be, over all of them.",
        Grid(words={"team": "Team"}),
        *(
            Column(
                name=name,
                expr=f"max by (team) ({q.gauge(metric, _FREE)})",
                unit="percentunit",
                decimals=0,
            )
            for name, metric in (("Breadth", TEAM_BREADTH), ("Index", TEAM_INDEX))
        ),
    )


def _teams_by_standard() -> Card:
    return matrix(
        "Teams by standard",
        f"Units of each team that pass / those that pass or fail. {_JUDGED} The page Compliance names them.",
        f"max by (team, capability) ({q.gauge(TEAM_STANDARD_RATIO, _HERE)})",
        row="team",
        column="capability",
        unit="percentunit",
        decimals=0,
        steps=(("red", 0), ("orange", 0.9), ("green", 1)),
    )


DASHBOARD = Dashboard(board)
