"""Rules as text, as series, and as promtool reads them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.cases import hold, parts
from tests.support.prometheus import current, promtool
from tests.support.slos import ALL, RATIO, SLICES, THRESHOLD, planned, replaced

from platform_meter.model.generated import HEADER
from platform_meter.render.rules import groups, rules
from platform_meter.render.rules.alert_text import escape
from platform_meter.render.rules.text import Group, rules_text
from platform_meter.slo.plan import Counters, Plan
from platform_meter.slo.promql import quote, read_count

CASES = sorted(Path(__file__).with_name("cases").glob("*.txt"))


def all_plans() -> list[Plan]:
    """One plan of each kind."""
    return [planned(text) for text in ALL.values()]


def shown(plan: Plan, pattern: str) -> str:
    """The rules whose group, name and labels match, as text."""
    found = []
    for group in groups(plan):
        chosen = tuple(
            r for r in group.rules if re.search(pattern, f"{group.name} {r.record}{r.alert} {_said(r.labels)}")
        )
        if chosen:
            found.append(replace(group, rules=chosen))
    return rules_text(found)


def _said(labels: object) -> str:
    return str(labels).replace("'", "")


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.stem)
def test_each_case_is_written_in_full(case: Path) -> None:
    """The rules of one idea, byte for byte."""
    known = parts(case)
    hold(case, shown(planned(known["slo.yaml"]), known["show"].strip()))


def test_the_case_folder_is_read() -> None:
    """An empty folder of cases would prove nothing."""
    assert {c.stem for c in CASES} >= {"raw_windows", "tiles", "long_windows", "slices", "stored"}


def test_promtool_counts_the_rules_that_were_written(tmp_path: Path) -> None:
    """Every file is valid, without duplicates, and holds exactly the rules of its plans; one file a service."""
    plans = [*all_plans(), planned(replaced(RATIO, ("shop-requests", "second")))]
    artifacts = rules(plans)
    assert [a.path for a in artifacts] == [f"{s}.rules.yml" for s in ("ci", "latency", "queue", "shop", "slices")]
    written = sum(len(g.rules) for p in plans for g in groups(p))
    found = 0
    for artifact in artifacts:
        path = tmp_path / artifact.path
        path.write_text(artifact.text)
        said = promtool("check", "rules", path)
        assert "SUCCESS" in said
        found += int(re.findall(r"(\d+) rules found", said)[0])
        assert artifact.text.startswith(HEADER)
        assert len(list(yaml.safe_load_all(artifact.text))) == 1
    assert found == written


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("no_data", ["exclude", "hold"])
def test_at_most_twenty_series_an_slo(kind: str, no_data: str) -> None:
    """Recorded series with budget, coverage and counts (design section 7): 20 for counters and slices, 18 for stored events."""
    found = planned(ALL[kind].replace("no-data: exclude", f"no-data: {no_data}"))
    recorded = [r for g in groups(found) for r in g.rules if r.record]
    copied = {"slo:burn:rate": len(found.windows), "slo:bad_events:count": len(found.bad_counts)}
    series = sum(copied.get(r.record, 1) if kind == "stored" else 1 for r in recorded)
    assert series == {"ratio": 20, "latency": 20, "slices": 20, "threshold": 20, "stored": 18}[kind]


@pytest.mark.parametrize("text", ALL.values(), ids=ALL)
def test_a_second_run_gives_the_same_bytes(text: str) -> None:
    """The order of files and of plans changes nothing."""
    assert rules([planned(text)]) == rules([planned(text)])
    plans = all_plans()
    assert rules(plans) == rules(reversed(plans))


@pytest.mark.parametrize("text", ALL.values(), ids=ALL)
def test_what_is_read_as_an_instant_vector_is_written_often(text: str) -> None:
    """Every window and count is written at least every 2 min; only tiles and slices wait longer (domain section 5)."""
    for group in groups(planned(text)):
        often = group.interval.total_seconds() <= 120
        assert often or all(":tile" in r.record for r in group.rules)


@pytest.mark.parametrize("text", ALL.values(), ids=ALL)
def test_alerts_read_only_slo_series_and_stand_after_them(text: str) -> None:
    """In its group an alert comes after every rule that writes what it reads."""
    for group in groups(planned(text)):
        written: set[str] = set()
        later = {f"{r.record}{dict(r.labels)}" for r in group.rules if r.record}
        for rule in group.rules:
            if rule.record:
                written.add(f"{rule.record}{dict(rule.labels)}")
            elif rule.alert == "SLOBurn":
                read = set(re.findall(r"([A-Za-z0-9_:]+)\{", rule.expr))
                assert read <= {"slo:burn:rate", "slo:bad_events:count", "slo:bad_events:tile5m", "ALERTS"}
                assert later <= written


ODD = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=20) | st.sampled_from(
    ["{{ $value }}", 'a"b', "a\\b", "`", "{{window}}", "#x", "- a: b", "é\u2028", "%", "a\nb", "'", "null", "1e3"]
)


@settings(max_examples=50)
@given(value=ODD, runbook=ODD)
def test_odd_texts_survive(value: str, runbook: str) -> None:
    """Label values and annotations come out of the YAML as they went in, whatever quotes and templates they hold."""
    selector = f"a_total{{b={quote(value)}}}"
    sound = planned(RATIO)
    assert isinstance(sound.sli, Counters)
    (artifact,) = rules([replace(sound, sli=replace(sound.sli, total=read_count(selector)), runbook=runbook)])
    found = yaml.safe_load(artifact.text)["groups"][0]["rules"]
    assert found[1]["expr"].endswith(f" / (sum(increase({selector}[5m])) > 0) >= -0.2 <= 1.2, 0, 1) / 0.001")
    tile = yaml.safe_load(artifact.text)["groups"][1]["rules"][0]["expr"]
    assert tile.count(f"last_over_time({selector}[5m] offset 30s)") == 5
    alert = next(r for r in found if r.get("alert") == "SLOBurn")
    assert alert["annotations"].get("runbook_url", "") == escape(runbook)


def test_templates_in_texts_are_shown_not_run(tmp_path: Path) -> None:
    """promtool renders an annotation with `{{` in it to the very text that was written."""
    nasty = 'see {{ $labels.slo }} & "run\\books"'
    found = planned(RATIO, ("io/owner: team-shop", "io/runbook: '" + nasty.replace("'", "''") + "'"))
    (artifact,) = rules([found])
    (tmp_path / artifact.path).write_text(artifact.text)
    test = {
        "rule_files": [artifact.path],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": "other", "values": "0x30"}],
                "alert_rule_test": [
                    {
                        "eval_time": "20m",
                        "alertname": "SLONoData",
                        "exp_alerts": [
                            {
                                "exp_labels": {
                                    "slo": "shop-requests",
                                    "level": "ticket",
                                    "severity": "ticket",
                                    "service": "shop",
                                },
                                "exp_annotations": {
                                    "summary": "shop-requests has had no data for 10m: an outage would not be seen",
                                    "display_name": "shop-requests",
                                    "runbook_url": nasty,
                                },
                            }
                        ],
                    }
                ],
            }
        ],
    }
    (tmp_path / "test.yml").write_text(yaml.safe_dump(test))
    assert "SUCCESS" in promtool("test", "rules", tmp_path / "test.yml")


HELD = """
rule_files: [slices.rules.yml]
evaluation_interval: 1m
tests:
- interval: 1m
  input_series:
  - {series: 'http_requests_total{code="500"}', values: '0+10x20 _x20'}
  promql_expr_test:
  - {expr: 'count_over_time(slo:bad_events:tile1m[15m])', eval_time: 20m, exp_samples: [{labels: '{slo="shop-minutes"}', value: 16}]}
  - {expr: 'slo:bad_events:tile1m', eval_time: 23m, exp_samples: [{labels: 'slo:bad_events:tile1m{slo="shop-minutes"}', value: 1}]}
  - {expr: 'slo:bad_events:tile1m', eval_time: 26m, exp_samples: []}
"""


def test_a_held_slice_is_held_three_times_at_most(tmp_path: Path) -> None:
    """After the last slice with data the state goes on for three slices, then nothing counts."""
    (artifact,) = rules([planned(SLICES, ("exclude", "hold"))])
    (tmp_path / artifact.path).write_text(artifact.text)
    (tmp_path / "held.test.yml").write_text(HELD)
    assert "SUCCESS" in promtool("test", "rules", tmp_path / "held.test.yml")


FROM_0 = """
rule_files: [shop.rules.yml]
evaluation_interval: 5m
tests:
- interval: 30s
  input_series:
  - {series: 'http_requests_total{code="200"}', values: '0+0.1x2200'}
  - {series: 'http_requests_total{code="500"}', values: '0x1800 1x119 2x119 3x160'}
  promql_expr_test:
  - {expr: 'slo:bad_events:count{window="6h"}', eval_time: 15h10m, exp_samples: [{labels: 'slo:bad_events:count{slo="shop-requests",window="6h"}', value: 1}]}
  - {expr: 'count by (window) (ALERTS{alertname="SLOBurn"})', eval_time: 15h10m, exp_samples: []}
  - {expr: 'count by (window) (ALERTS{alertname="SLOBurn",window="1d"})', eval_time: 16h10m, exp_samples: [{labels: '{window="1d"}', value: 1}]}
  - {expr: 'count by (window) (ALERTS{alertname="SLOBurn",window="6h"})', eval_time: 16h10m, exp_samples: []}
  - {expr: 'count by (window) (ALERTS{alertname="SLOBurn",window="6h"})', eval_time: 17h10m, exp_samples: [{labels: '{window="6h"}', value: 1}]}
"""


def test_the_guard_counts_the_first_failure_of_a_new_counter(tmp_path: Path) -> None:
    """From 0 on the first tile counts a failure as one; two are enough for a ticket, three for a page."""
    (artifact,) = rules([planned(RATIO)])
    (tmp_path / artifact.path).write_text(artifact.text)
    (tmp_path / "guard.test.yml").write_text(FROM_0)
    assert "SUCCESS" in promtool("test", "rules", tmp_path / "guard.test.yml")


FROM_0_RAW = """
rule_files: [shop.rules.yml]
evaluation_interval: 30s
tests:
- interval: 30s
  input_series:
  - {series: 'http_requests_total{code="200"}', values: '0+0.5x300'}
  - {series: 'http_requests_total{code="500"}', values: '0x200 1x1 2x1 3x90'}
  promql_expr_test:
  - {expr: 'slo:bad_events:count{window="1h"} >= bool 3', eval_time: 102m30s, exp_samples: [{labels: '{slo="shop-requests",window="1h"}', value: 1}]}
  - {expr: 'count by (window) (ALERTS{alertname="SLOBurn",window="1h"})', eval_time: 101m30s, exp_samples: []}
  - {expr: 'count by (window) (ALERTS{alertname="SLOBurn",window="1h"})', eval_time: 102m30s, exp_samples: [{labels: '{window="1h"}', value: 1}]}
"""


def test_raw_windows_need_no_rounding(tmp_path: Path) -> None:
    """Over raw counters three failures of a new counter are never less than three."""
    (artifact,) = rules([planned(RATIO)])
    (tmp_path / artifact.path).write_text(artifact.text)
    (tmp_path / "guard.test.yml").write_text(FROM_0_RAW)
    assert "SUCCESS" in promtool("test", "rules", tmp_path / "guard.test.yml")


IDLE = """
rule_files: [shop.rules.yml]
evaluation_interval: 30s
tests:
- name: scraped, and without a series until the first request, after the start and after each deploy
  interval: 30s
  input_series:
  - {series: 'up{job="shop",instance="a"}', values: '1x400'}
  - {series: 'r{job="shop",instance="a",code="200"}', values: '_x100 0+9x60 stale _x200'}
  promql_expr_test: &silent
  - {expr: 'sum(ALERTS{alertname="SLONoData",alertstate="firing"})', eval_time: 40m, exp_samples: []}
  - {expr: 'sum(ALERTS{alertname="SLONoData",alertstate="firing"})', eval_time: 3h, exp_samples: []}
- name: one of two instances is scraped
  interval: 30s
  input_series:
  - {series: 'up{job="shop",instance="a"}', values: '1x400'}
  - {series: 'up{job="shop",instance="b"}', values: '0x400'}
  promql_expr_test: *silent
- name: no longer scraped; not known to Prometheus; another job is scraped
  interval: 30s
  input_series:
  - {series: 'up{job="shop",instance="a"}', values: '1x20 0x20 _x60 0x100'}
  - {series: 'up{job="cart",instance="a"}', values: '1x400'}
  promql_expr_test:
  - {expr: 'sum(ALERTS{alertname="SLONoData",alertstate="firing"})', eval_time: 19m, exp_samples: []}
  - {expr: 'sum(ALERTS{alertname="SLONoData",alertstate="firing"})', eval_time: 21m, exp_samples: [{labels: '{}', value: 1}]}
  - {expr: 'sum(ALERTS{alertname="SLONoData",alertstate="firing"})', eval_time: 40m, exp_samples: [{labels: '{}', value: 1}]}
"""


@pytest.mark.parametrize("program", [None, "3.16"])
def test_idle_is_not_without_data(program: str | None, tmp_path: Path) -> None:
    """Where `up` of its job says that the source is read, no series is no event; else nothing is known, and that is said."""
    (artifact,) = rules(
        [planned(RATIO, ("'http_requests_total'", "'r{job=\"shop\"}'"), ("http_requests_total{", "r{"))]
    )
    (tmp_path / artifact.path).write_text(artifact.text)
    (tmp_path / "idle.test.yml").write_text(IDLE)
    folder = current() if program else None
    assert "SUCCESS" in promtool("test", "rules", tmp_path / "idle.test.yml", folder=folder)


NOT_A_NUMBER = """
rule_files: [queue.rules.yml]
evaluation_interval: 1m
tests:
- interval: 1m
  input_series:
  - {series: waited, values: '10x10 0x10 40x10'}
  - {series: waiting, values: '1x10 0x10 1x10'}
  promql_expr_test:
  - {expr: 'slo:bad_events:tile5m', eval_time: 9m, exp_samples: [{labels: 'slo:bad_events:tile5m{slo="queue-age"}', value: 0}]}
  - {expr: 'slo:bad_events:tile5m', eval_time: 15m, exp_samples: []}
  - {expr: 'slo:bad_events:tile5m', eval_time: 25m, exp_samples: [{labels: 'slo:bad_events:tile5m{slo="queue-age"}', value: 1}]}
"""


def test_nan_is_no_data(tmp_path: Path) -> None:
    """A level that is not a number makes no slice, good or bad."""
    (artifact,) = rules([planned(THRESHOLD, ("query: queue_age_seconds", "query: waited / waiting"))])
    (tmp_path / artifact.path).write_text(artifact.text)
    (tmp_path / "nan.test.yml").write_text(NOT_A_NUMBER)
    assert "SUCCESS" in promtool("test", "rules", tmp_path / "nan.test.yml")


def test_groups_are_named_after_their_slo() -> None:
    """Group names are unique in a file, as Prometheus asks."""
    names = [g.name for p in all_plans() for g in groups(p)]
    assert len(names) == len(set(names))
    assert isinstance(groups(planned(RATIO))[0], Group)
