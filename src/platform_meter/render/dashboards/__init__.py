"""Plans and the metric catalogue -> Grafana dashboards as files for provisioning (domain section 15).

Each panel that is rightly empty while all is well is marked with the demo scenario that fills it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from platform_meter.model.found import found
from platform_meter.render.artifact import Artifact
from platform_meter.render.dashboards.board import Board, Dashboard
from platform_meter.render.dashboards.finish import finish
from platform_meter.slo.plan import Plan


def all_boards(plans: Sequence[Plan]) -> tuple[Board, ...]:
    """Every dashboard, in order of its module's name."""
    return tuple(one.board(plans) for one in found(f"{__name__}.boards", Dashboard))


def dashboards(plans: Sequence[Plan]) -> list[Artifact]:
    """`<uid>.json` for every dashboard; the order of the plans changes nothing."""
    return [finish(board) for board in all_boards(plans)]


def may_be_empty(plans: Sequence[Plan] = ()) -> Mapping[str, Mapping[str, str]]:
    """By dashboard: the panels and marks that may be empty, each with the demo scenario that fills it."""
    return {board.uid: board.may_be_empty() for board in all_boards(plans)}
