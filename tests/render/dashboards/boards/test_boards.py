"""Dashboards are found: a module is all it takes."""

from __future__ import annotations

from pathlib import Path

from tests.support.added import added
from tests.support.our_slos import our_plans

from platform_meter.model.found import names
from platform_meter.render.dashboards import all_boards, boards, dashboards

WEATHER = """
from platform_meter.render.dashboards.board import Board, Dashboard

DASHBOARD = Dashboard(
    lambda plans: Board(uid="pm-weather", title=f"Weather of {len(plans)}", description="Rain?", span="now-1h", rows=())
)
"""


def test_an_added_dashboard_is_there(tmp_path: Path) -> None:
    """An invented module gives one more file, made of the SLOs there are; the others stay as they are."""
    plans = our_plans()
    before = dashboards(plans)
    with added(boards.__name__, {"weather.py": WEATHER}, tmp_path):
        after = dashboards(plans)
    (more,) = [artifact for artifact in after if artifact not in before]
    assert (more.path, f'"Weather of {len(plans)}"' in more.text) == ("pm-weather.json", True)
    assert [a for a in after if a != more] == before
    assert "pm-weather" not in {board.uid for board in all_boards(plans)}


def test_a_dashboard_is_called_as_its_module() -> None:
    """Who knows the address finds the code, and the other way round."""
    found = [board.uid for board in all_boards(our_plans())]
    assert found == [f"pm-{name.replace('_', '-')}" for name in names(boards.__name__)]
