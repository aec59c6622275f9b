"""The dashboards as files: today's schema, a sound layout, the same bytes each time, and the committed ones up to date."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
import yaml
from tests.support.grafana import Json, load
from tests.support.our_slos import REPOSITORY, our_plans

from platform_meter.demo.company.scenarios import Trouble
from platform_meter.model.generated import dashboard_mark
from platform_meter.render.dashboards import all_boards, dashboards, may_be_empty
from platform_meter.render.dashboards.finish import finish

KINDS = {"stat", "timeseries", "table", "bargauge", "heatmap", "text"}
OUTDATED = {
    "aliasColors",
    "cacheTimeout",
    "displayMode.table",
    "editable.panel",
    "intervalFactor",
    "nullPointMode",
    "renderer",
    "seriesOverrides",
    "span",
    "valueName",
    "xaxis",
    "yaxes",
}
"""Keys of panels before Grafana 8."""
HEIGHT = {"stat": 4}
ARTIFACTS = dashboards(our_plans())
BOARDS = [load(artifact.text) for artifact in ARTIFACTS]
each_board = pytest.mark.parametrize("board", BOARDS, ids=[b["uid"] for b in BOARDS])
each_panel = pytest.mark.parametrize(
    "panel",
    [panel for board in BOARDS for panel in board["panels"]],
    ids=[f"{board['uid']}/{panel['title']}" for board in BOARDS for panel in board["panels"]],
)


def nodes(value: Any) -> Iterator[Json]:
    """Every object within a JSON value."""
    if isinstance(value, dict):
        yield value
        for one in value.values():
            yield from nodes(one)
    elif isinstance(value, list):
        for one in value:
            yield from nodes(one)


def test_there_is_one_dashboard_for_each_audience() -> None:
    """Dashboards, each at an address that never changes."""
    assert [(b["uid"], b["title"]) for b in BOARDS] == [
        ("pm-adoption", "Adoption"),
        ("pm-ci", "CI/CD"),
        ("pm-clusters", "Clusters and GitOps"),
        ("pm-delivery", "Delivery"),
        ("pm-gateways", "Gateway and mesh"),
        ("pm-journey", "Journey"),
        ("pm-meter", "Meter health"),
        ("pm-observability", "Observability"),
        ("pm-portal", "Portal and catalog"),
        ("pm-roadmap", "Roadmap and impact"),
        ("pm-satisfaction", "Satisfaction"),
        ("pm-slo-detail", "SLO detail"),
        ("pm-slo-overview", "SLO overview"),
        ("pm-support", "Support"),
    ]
    assert [a.path for a in ARTIFACTS] == [f"{b['uid']}.json" for b in BOARDS]


@each_board
def test_a_dashboard_is_of_the_classic_schema(board: Json) -> None:
    """What file provisioning takes: no id of an instance, no rows, a schema of Grafana 10.3 or later; marked as generated."""
    assert board["id"] is None
    assert board["schemaVersion"] >= 39
    assert board["tags"] == ["platform-meter"]
    assert board["editable"] is False
    assert set(board) & {"rows", "__inputs", "hideControls", "sharedCrosshair", "style", "gnetId", "dashboard"} == set()
    assert board["description"].startswith("For ")
    assert board["description"].endswith(dashboard_mark(board["uid"]))


@each_board
def test_everything_asks_the_chosen_datasource(board: Json) -> None:
    """The first variable chooses a Prometheus, and all panels, targets, variables and annotations name it."""
    variables = board["templating"]["list"]
    assert (variables[0]["name"], variables[0]["type"], variables[0]["query"]) == (
        "datasource",
        "datasource",
        "prometheus",
    )
    named = [
        n["datasource"]
        for part in ("panels", "templating", "annotations")
        for n in nodes(board[part])
        if "datasource" in n
    ]
    built_in = {"type": "grafana", "uid": "-- Grafana --"}
    assert [d for d in named if d not in (built_in, {"type": "prometheus", "uid": "${datasource}"})] == []
    asking = [p for p in board["panels"] if p["type"] != "text"]
    assert all("datasource" in p and all("datasource" in t for t in p["targets"]) for p in asking)
    assert all("datasource" in v for v in variables if v["type"] == "query")


@each_board
def test_panels_are_numbered_in_reading_order_and_fill_their_rows(board: Json) -> None:
    """Ids 1, 2, 3...; rows of 24 columns without a hole or an overlap; numbers on top, tables and words last."""
    panels = board["panels"]
    assert [p["id"] for p in panels] == list(range(1, len(panels) + 1))
    titles = [p["title"] for p in panels] + [a["name"] for a in board["annotations"]["list"]]
    assert len(set(titles)) == len(titles)
    rows: dict[int, list[dict[str, int]]] = {}
    for panel in panels:
        rows.setdefault(panel["gridPos"]["y"], []).append(panel["gridPos"])
    assert list(rows) == sorted(rows)
    below = 0
    for y, places in rows.items():
        assert y == below
        assert places[0]["x"] == 0
        assert all(right["x"] == left["x"] + left["w"] for left, right in pairwise(places))
        assert places[-1]["x"] + places[-1]["w"] == 24
        assert len({p["h"] for p in places}) == 1
        below = y + places[0]["h"]
    order = [{"stat": 0, "table": 2, "text": 2}.get(p["type"], 1) for p in panels if p["type"] != "bargauge"]
    assert order == sorted(order)
    assert {p["gridPos"]["y"] for p in panels if p["type"] == "stat"} == {0}


@each_panel
def test_a_panel_is_of_a_present_kind_and_explained(panel: Json) -> None:
    """Kinds that Grafana 11 has, with its options and without keys of older ones; a description in sentences; a unit."""
    assert panel["type"] in KINDS
    assert panel["pluginVersion"] == "11.0.0"
    assert re.fullmatch(r"[A-Z(].{15,}\.", panel["description"]), panel["description"]
    assert {key for node in nodes(panel) for key in node} & OUTDATED == set()
    assert (
        "null" not in {value for node in nodes(panel["fieldConfig"]) if isinstance(value := node.get("value"), str)}
        if ("fieldConfig" in panel)
        else True
    )
    if panel["type"] == "text":
        return
    refs = [t["refId"] for t in panel["targets"]]
    assert refs == [chr(ord("A") + n) for n in range(len(refs))]
    assert refs
    assert all(t["instant"] is not t["range"] and t["expr"] and t["legendFormat"] for t in panel["targets"])
    if panel["type"] in {"stat", "timeseries", "bargauge"}:
        assert panel["fieldConfig"]["defaults"]["unit"]


@each_panel
def test_thresholds_begin_at_minus_infinity_and_rise(panel: Json) -> None:
    """Step 0 is JSON null; the others rise."""
    for node in nodes(panel.get("fieldConfig", {})):
        if "steps" in node:
            first, *rest = [step["value"] for step in node["steps"]]
            assert first is None
            assert rest == sorted(rest)
            assert {key for step in node["steps"] for key in step} == {"color", "value"}


@each_panel
def test_tables_name_columns_that_they_have(panel: Json) -> None:
    """Overrides and sorting point at columns by the names that the table gives them."""
    if panel["type"] != "table":
        return
    steps = {step["id"]: step["options"] for step in panel["transformations"]}
    if "organize" not in steps:
        assert set(steps) == {"groupingToMatrix"}
        return
    shown = set(steps["organize"]["renameByName"].values())
    assert {o["matcher"]["options"] for o in panel["fieldConfig"]["overrides"]} <= shown
    assert {s["displayName"] for s in panel["options"]["sortBy"]} <= shown


def test_the_same_slos_give_the_same_bytes() -> None:
    """Neither a second run nor the order of the plans changes a byte."""
    assert dashboards(our_plans()) == ARTIFACTS
    assert dashboards(tuple(reversed(our_plans()))) == ARTIFACTS
    assert all(a.text.endswith("}\n") for a in ARTIFACTS)


def test_without_slos_there_are_dashboards_too() -> None:
    """A platform without any SLO file yet gets the same eight."""
    assert [a.path for a in dashboards(())] == [a.path for a in ARTIFACTS]


def test_the_committed_dashboards_are_those_that_are_generated() -> None:
    """`platform-meter generate` would change nothing and leave no file over."""
    folder = REPOSITORY / "dashboards" / "generated"
    assert {p.name: p.read_text() for p in folder.iterdir()} == {a.path: a.text for a in ARTIFACTS}


def test_panels_that_may_be_empty_exist_and_name_a_scenario() -> None:
    """The list is short, and each entry says which trouble of the demo company fills the panel."""
    found = may_be_empty()
    for board in BOARDS:
        titles = {p["title"] for p in board["panels"]} | {a["name"] for a in board["annotations"]["list"]}
        assert set(found[board["uid"]]) <= titles
    scenarios = {scenario for panels in found.values() for scenario in panels.values()}
    assert scenarios <= set(Trouble) - {Trouble.NONE}
    assert sum(map(len, found.values())) <= 5


def test_every_board_shows_numbers_first() -> None:
    """The first row is numbers alone; `finish` takes the widths from there."""
    for board in all_boards(our_plans()):
        assert {c.panel.to_json_data()["type"] for c in board.rows[0]} == {"stat"}
        assert finish(board).path == f"{board.uid}.json"


def test_grafana_finds_dashboards_and_datasource() -> None:
    """Provisioning lies where Grafana looks, and points at the folder and the server that docker-compose.yml gives it."""
    folder = REPOSITORY / "dashboards" / "provisioning"
    providers = yaml.safe_load((folder / "dashboards" / "platform-meter.yml").read_text())["providers"]
    sources = yaml.safe_load((folder / "datasources" / "platform-meter.yml").read_text())["datasources"]
    grafana = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())["services"]["grafana"]
    assert "./dashboards/provisioning:/etc/grafana/provisioning:ro" in grafana["volumes"]
    assert f"./dashboards/generated:{providers[0]['options']['path']}:ro" in grafana["volumes"]
    assert (sources[0]["type"], sources[0]["url"], sources[0]["isDefault"]) == (
        "prometheus",
        "http://127.0.0.1:9090",
        True,
    )


def test_every_dashboard_is_described() -> None:
    """docs/dashboards.md begins with a section for each dashboard, in an order for readers."""
    text = (REPOSITORY / "docs" / "dashboards.md").read_text()
    assert sorted(re.findall(r"^## (.+)$", text, re.MULTILINE)[: len(BOARDS)]) == sorted(b["title"] for b in BOARDS)
    assert all(b["uid"] in text for b in BOARDS)
