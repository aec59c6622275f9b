"""Who sees what runs, on the Adoption page."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.support.history import MemoryHistory, owner, source
from tests.support.slos import ALL, planned
from tests.support.views import html, tables, view

from platform_meter.model.definitions import Definitions, Team
from platform_meter.model.facts import Fact, Reading, Ref
from platform_meter.model.facts.logs import LogIndex
from platform_meter.model.facts.observability import AlertMonitor, AlertRule, Dashboard, MonitorState, Used
from platform_meter.model.history import Owner
from platform_meter.web.pages.adoption import PAGE

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
TITLE = "Who sees what runs"
DECLARED = Definitions(teams=(Team(kind="Team", id="new"),))


def about(team: str, name: str) -> Ref:
    return Ref(system="tool", kind="thing", id=f"{team}/{name}")


def of(tool: str, team: str, reading: Reading) -> tuple[str, Owner, Reading]:
    return tool, owner(team, team), reading


def board(team: str, name: str, used: Used) -> tuple[str, Owner, Reading]:
    return of("grafana", team, Dashboard(about=about(team, name), used=used))


HELD = [
    board("pay", "cards", Used.YES),
    board("pay", "old", Used.NO),
    *(board("shop", f"copy-{n}", Used.NO) for n in range(7)),
    board("core", "all", Used.UNKNOWN),
    of("grafana", "pay", AlertRule(about=about("pay", "rule"))),
    of("datadog", "core", AlertMonitor(about=about("core", "1"), state=MonitorState.OK)),
    of("logs", "pay", LogIndex(about=about("pay", "logs-*"), index="logs-*", newest=None)),
]


GIVES: dict[str, frozenset[type[Fact]]] = {
    "grafana": frozenset({Dashboard, AlertRule}),
    "datadog": frozenset({AlertMonitor}),
    "logs": frozenset({LogIndex}),
}


def history(*tools: str, stale: str = "") -> MemoryHistory:
    sources = [source(name, watermark=NOW, fresh=name != stale) for name in tools]
    return MemoryHistory(HELD, sources=sources, gives=GIVES)


def test_what_each_team_has() -> None:
    """Those with the most dashboards that nobody looks at first, of which five are named; a team with nothing is there too."""
    plan = planned(ALL["ratio"])
    found = tables(view(NOW, history("grafana", "datadog", "logs"), definitions=DECLARED, plans=(plan,)), PAGE.path)
    table = found[TITLE]
    assert table.columns == (
        "Team", "Dashboards", "Alert rules", "Monitors", "Logs", "SLOs", "Nobody looks at", "Which ones",
    )  # fmt: skip
    assert table.rows == (
        (
            "shop",
            "7",
            "0",
            "0",
            "0",
            "0",
            "7",
            "shop/copy-0, shop/copy-1, shop/copy-2, shop/copy-3, shop/copy-4 and 2 more",
        ),
        ("pay", "2", "1", "0", "1", "0", "1", "pay/old"),
        ("core", "1", "0", "1", "0", "0", "0", ""),
        ("new", "0", "0", "0", "0", "0", "0", ""),
        (plan.owner, "0", "0", "0", "0", "1", "0", ""),
    )


def test_what_no_tool_tells_is_a_dash() -> None:
    """There is no source of monitors, and that of dashboards and alert rules is not fresh: 0 would be a lie."""
    found = tables(view(NOW, history("grafana", "logs", stale="grafana"), definitions=DECLARED), PAGE.path)[TITLE]
    assert found.rows == (
        ("new", "–", "–", "–", "0", "0", "–", ""),
        ("pay", "–", "–", "–", "1", "0", "–", ""),
    )


def test_without_any_tool_there_is_no_table() -> None:
    """Nobody asked for it."""
    assert TITLE not in html(view(NOW, MemoryHistory(), definitions=DECLARED), PAGE.path)
