"""`check` as a whole: which files, and what it hands on. The messages stand in tests/problems/cases."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.problems.fake_sources import TYPES

from platform_meter.model.facts.ci import PIPELINE_RUNS
from platform_meter.problems import render
from platform_meter.runtime.files.check import check, examine
from platform_meter.runtime.files.config import load_config
from platform_meter.sources import load

SLO = """apiVersion: openslo/v1
kind: SLO
metadata: {name: ci, annotations: {platform-meter.io/owner: a}}
spec:
  service: builds
  budgetingMethod: Occurrences
  indicator: {spec: {ratioMetric: {rawType: success, raw: {metricSource: {type: stored, spec: {events: pipeline_runs}}}}}}
  objectives: [{target: 0.9}]
"""


def test_a_configuration_that_is_not_there_names_the_way_out(tmp_path: Path) -> None:
    """Without a file the only problem is that."""
    path = tmp_path / "platform-meter.yaml"
    assert [render(p) for p in check(path, [], {})] == [
        f"{path}:1:1: there is no such file; write one with `platform-meter init`, or name yours with -c"
    ]


def test_a_configuration_that_is_a_folder_says_so(tmp_path: Path) -> None:
    """What can't be read is told with the system's reason."""
    assert [p.text for p in check(tmp_path, [], {})] == [
        "cannot be read: Is a directory; correct the path or its permissions"
    ]


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b"])
def test_what_is_no_path_is_not_there(tmp_path: Path, name: str) -> None:
    """Whether it stands in the configuration, is the configuration, or is one more file."""
    config = tmp_path / "platform-meter.yaml"
    config.write_text(f"definitions: {json.dumps(name)}\n", "utf-8")
    said = [p.text.partition(";")[0] for p in check(config, [Path(name)], {})]
    assert said == [
        "there is no such folder (paths start at this file's folder)",
        "there is no such file or folder",
    ]
    assert [p.text.partition(";")[0] for p in check(Path(name), [], {})] == ["there is no such file"]


def test_a_prometheus_that_tells_of_another_system_makes_it_known(tmp_path: Path) -> None:
    """What its usage is said to be of may stand in ownership rules."""
    config = tmp_path / "platform-meter.yaml"
    usage = "{action: request, query: 'sum by (service) (increase(x[{{window}}]))', by: [service], kind: service, system: kong}"
    config.write_text(f"sources: {{p: {{type: prometheus, url: 'http://p', usage: [{usage}]}}}}\n", "utf-8")
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        '{kind: Ownership, rules: [{match: "kong:pay", team: t}, {match: "kung:pay", team: t}]}\n', "utf-8"
    )
    assert [p.text for p in check(config, [rules], {})] == [
        "no source has the type or name 'kung'; did you mean 'kong'?"
    ]


def test_a_sound_installation_has_values_and_no_problems(tmp_path: Path) -> None:
    """Configuration, definitions and SLO files, each once, though the folder is named twice."""
    config = tmp_path / "platform-meter.yaml"
    config.write_text("sources: {acme: {type: github, org: acme, token: {env: T}}}\n", "utf-8")
    folder = tmp_path / "slo-definitions"
    folder.mkdir()
    (folder / "a.yaml").write_text(f"{{kind: Team, id: a}}\n---\n{SLO}", "utf-8")
    found = examine(config, [folder, config], {"T": "x"}, source_types=TYPES)
    assert found.problems == ()
    assert found.config is not None
    assert list(found.config.sources) == ["acme"]
    assert [t.id for t in found.definitions.teams] == ["a"]
    assert [Path(path).name for path, _ in found.slo_files] == ["a.yaml"]


def test_an_slo_over_stored_events_reaches_the_measures(tmp_path: Path) -> None:
    """It comes as a plan, as an objective in the definitions, and with what is worth knowing about it."""
    file = tmp_path / "ci.yaml"
    file.write_text(SLO, "utf-8")
    found = examine(None, [file])
    (objective,) = found.definitions.objectives
    assert (objective.slo, objective.service, objective.owner) == ("ci", "builds", "a")
    assert (objective.sli.events, objective.period) == (PIPELINE_RUNS, timedelta(days=28))
    assert [p.slo for p in found.plans] == ["ci"]
    assert [w.text.partition(":")[0] for w in found.warnings] == ["the page alert over 1h is left out"]


def test_an_slo_over_queries_is_no_business_of_the_measures(tmp_path: Path) -> None:
    """Prometheus counts it: it is a plan alone."""
    file = tmp_path / "web.yaml"
    file.write_text(
        SLO.replace(
            "{rawType: success, raw: {metricSource: {type: stored, spec: {events: pipeline_runs}}}}",
            "{bad: {metricSource: {type: prometheus, spec: {query: 'errors_total'}}},"
            " total: {metricSource: {type: prometheus, spec: {query: 'requests_total'}}}}",
        ).replace("name: ci", "name: web"),
        "utf-8",
    )
    found = examine(None, [file])
    assert found.problems == ()
    assert [p.slo for p in found.plans] == ["web"]
    assert found.definitions.objectives == ()


def test_more_files_are_held_against_the_rest(tmp_path: Path) -> None:
    """A path on the command line joins the folder; one that is not there is a problem."""
    config = tmp_path / "platform-meter.yaml"
    config.write_text("", "utf-8")
    more = tmp_path / "more.yaml"
    more.write_text("{kind: Team, id: a}\n---\n{kind: Service, id: s, team: b}\n", "utf-8")
    found = check(config, [more, tmp_path / "none"], {})
    assert [(Path(p.path).name, p.line, p.text) for p in found] == [
        ("more.yaml", 3, "no team is called 'b'; write one of: a"),
        ("none", 1, "there is no such file or folder; correct the path"),
    ]


def test_definitions_can_be_checked_without_a_configuration(tmp_path: Path) -> None:
    """Then nothing is said about sources that may be configured elsewhere."""
    file = tmp_path / "c.yaml"
    file.write_text("{kind: Ticketing, id: q, source: {type: sap}, calendar: {days: {}}, status: {}}\n", "utf-8")
    assert check(None, [file], {}) == []


def test_what_does_not_do_yet_what_one_may_expect_is_said(tmp_path: Path) -> None:
    """`clock: source` is accepted, and a warning at its place says that it is computed."""
    file = tmp_path / "c.yaml"
    file.write_text(
        "kind: Ticketing\nid: q\nsource: {type: github}\ncalendar: {days: {mon-fri: ['09:00-17:00']}}\nstatus: {}\n"
        "slas:\n  - {id: resolution, goal: {default: 8h}, clock: source}\n",
        "utf-8",
    )
    found = examine(None, [file])
    assert (found.problems, [(w.line, w.column, w.text) for w in found.warnings]) == (
        (),
        [(7, 50, "source 'github' does not tell its tool's own SLA clocks; this one is computed")],
    )


_PIECES = [
    "(",
    ")",
    "[5m]",
    "{",
    "}",
    "-",
    "+ a ",
    "a",
    "sum(",
    "sum by (s) (",
    "[{{window}}]",
    " or ",
    "@ ",
    "\\",
    "'",
]


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(_PIECES), st.integers(1, 3000)), max_size=8))
def test_any_query_in_the_configuration_is_well_or_told(pieces: list[tuple[str, int]]) -> None:
    """However deep or long it is: soon, with its line, and the rest of the file is looked at all the same."""
    query = "".join(piece * times for piece, times in pieces)
    usage = {"action": "a", "by": ["s"], "kind": "service", "query": query}
    metrics = {"type": "prometheus", "url": "http://p:9090", "usage": [usage]}
    text = f"zone: Nowhere\nsources:\n  metrics: {json.dumps(metrics)}\n"
    began = time.monotonic()
    loaded = load_config(text, "c.yaml", {"prometheus": load()["prometheus"].config})
    assert time.monotonic() - began < 10
    assert {p.line for p in loaded.problems} <= {1, 3}
    assert "'Nowhere' is not a time zone" in loaded.problems[0].text
    assert len(loaded.problems) <= 2


PROBED = SLO.replace("Occurrences", "Timeslices").replace("{target: 0.9}", "{target: 0.9, timeSliceTarget: 0.5, timeSliceWindow: 1m}").replace(
    "platform-meter.io/owner: a", "platform-meter.io/no-data: bad"
).replace("{type: stored, spec: {events: pipeline_runs}}", "{type: probe, spec: {target: TARGET}}")  # fmt: skip
PORTAL = "{type: probes, targets: [{name: portal, url: 'http://portal.example'}]}"
LOGS = "{type: elasticsearch, url: 'http://127.0.0.1:9200', health: true}"
BLACKBOX = "{type: prometheus, url: 'http://127.0.0.1:9090', probes: [{name: web, select: '{job=\"blackbox\"}'}]}"


@pytest.mark.parametrize(
    ("target", "sources", "said"),
    [
        ("portal", {"probes": PORTAL}, []),
        ("potral", {"probes": PORTAL}, ["a.yaml:7:103: no source of the configuration checks 'potral'; did you mean 'portal'?"]),
        ("logs/health", {"probes": PORTAL, "logs": LOGS}, []),
        ("logs/helth", {"logs": LOGS}, ["a.yaml:7:103: no source of the configuration checks 'logs/helth'; did you mean 'logs/health'?"]),
        ("logs/health", {"probes": PORTAL, "logs": LOGS.replace("health: true", "health: false")}, ["a.yaml:7:103: no source of the configuration checks 'logs/health'; write one of: portal"]),
        ("potral", {"probes": PORTAL, "blackbox": BLACKBOX}, []),
        ("potral", {}, []),
    ],
    ids=["there", "misspelt", "of-a-cluster", "misspelt-of-a-cluster", "switched-off", "only-checks-tell", "nobody-checks"],
)  # fmt: skip
def test_a_target_that_nobody_checks_is_told(
    tmp_path: Path, target: str, sources: dict[str, str], said: list[str]
) -> None:
    """Where settings tell all that are checked; what blackbox_exporter checks its series tell."""
    (tmp_path / "slo-definitions").mkdir()
    (tmp_path / "slo-definitions" / "a.yaml").write_text(PROBED.replace("TARGET", target), "utf-8")
    config = tmp_path / "platform-meter.yaml"
    named = "".join(f"  {name}: {settings}\n" for name, settings in sources.items())
    config.write_text(f"sources:\n{named}" if named else "{}\n", "utf-8")
    assert [render(p).splitlines()[0].rpartition("slo-definitions/")[2] for p in check(config, [], {})] == said


@pytest.mark.parametrize(
    ("period", "detail", "needs"), [("28d", "29d", 0), ("30d", "30d", 31), ("90d", "35d", 91), ("90d", "91d", 0)]
)
def test_slices_are_judged_for_as_long_as_their_events_are_kept(
    tmp_path: Path, period: str, detail: str, needs: int
) -> None:
    """Which SLO it is stands there, and what to write; what is counted by events goes on from sums of days."""
    (tmp_path / "slo-definitions").mkdir()
    counted = SLO.replace("events: pipeline_runs", "events: gateway_requests").replace(
        "  service: builds", f"  service: builds\n  timeWindow: [{{duration: {period}, isRolling: true}}]"
    )
    sliced = counted.replace("Occurrences", "Timeslices").replace("name: ci,", "name: sliced,")
    sliced = sliced.replace("owner: a", "owner: a, platform-meter.io/no-data: exclude")
    sliced = sliced.replace("{target: 0.9}", "{target: 0.9, timeSliceTarget: 0.95, timeSliceWindow: 5m}")
    (tmp_path / "slo-definitions" / "a.yaml").write_text(counted, "utf-8")
    (tmp_path / "slo-definitions" / "b.yaml").write_text(sliced, "utf-8")
    path = tmp_path / "platform-meter.yaml"
    path.write_text(f"store: {{detail: {detail}}}\n", "utf-8")
    said = [(Path(p.path).name, p.text) for p in check(path, [], {})]
    text = (
        f"its slices are judged over {period}, and the store keeps what tells them for {detail[:-1]} days; "
        f"write store: {{detail: {needs}d}} in the configuration, or count events (`Occurrences`)"
    )
    assert said == ([("b.yaml", text)] if needs else [])
    path.write_text("store: {detail: 28d}\n", "utf-8")
    assert [p.text for p in check(path, [], {}) if p.path == str(path)] == [
        "windows of 28 days count what is kept in detail; write 29d or more"
    ]
