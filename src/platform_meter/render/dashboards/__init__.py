"""Plans and the metric catalogue -> Grafana dashboards as files for provisioning (domain section 15).

Each panel that is rightly empty while all is well is marked with the demo scenario that fills it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from platform_meter.render.artifact import Artifact
from platform_meter.render.dashboards import adoption, ci, meter, slo_detail, slo_overview, support
from platform_meter.render.dashboards.board import Board
from platform_meter.render.dashboards.finish import finish
from platform_meter.slo.plan import Plan


def boards(plans: Sequence[Plan]) -> tuple[Board, ...]:
    """Every dashboard, in the order of domain section 15."""
    return (
        slo_overview.board(),
        slo_detail.board(plans),
        ci.board(),
        adoption.board(),
        support.board(),
        meter.board(),
    )


def dashboards(plans: Sequence[Plan]) -> list[Artifact]:
    """`<uid>.json` for every dashboard; the order of the plans changes nothing."""
    return [finish(board) for board in boards(plans)]


def may_be_empty(plans: Sequence[Plan] = ()) -> Mapping[str, Mapping[str, str]]:
    """By dashboard: the panels and marks that may be empty, each with the demo scenario that fills it."""
    return {board.uid: board.may_be_empty() for board in boards(plans)}
