"""What alerts carry, as Prometheus renders it: promtool of both releases that rules are held to."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.prometheus import current, promtool
from tests.support.slos import RATIO, SLICES, STORED, planned

from platform_meter.model.catalogue.slos import SLO_BUDGET_REMAINING, SLO_BURN, SLO_DATA_AGE, SLO_WINDOW_EVENTS
from platform_meter.model.links import Links
from platform_meter.render.rules import groups, rules
from platform_meter.render.rules.promql import series
from platform_meter.render.rules.promtool import rule_tests
from platform_meter.slo.plan import Plan
from platform_meter.slo.spec import Alarm

LINKS = Links(
    exporter="https://meter.example", grafana="https://grafana.example", runbooks="https://docs.example/runbooks"
)
STEPS = 30
BUILDS = ("io/owner: team-ci}", "io/owner: team-ci, platform-meter.io/bad-events: builds failed}")
DAY = timedelta(days=1).total_seconds()


def given(plan: Plan, *, left: float, age: float = 0) -> list[dict[str, str]]:
    """The exporter's gauges: 6 builds an hour, all of which fail, of 1,000 in the period."""
    found = {series(SLO_BURN.name, plan.slo, window=w.label): 100.0 for w in plan.windows}
    found |= {series(SLO_WINDOW_EVENTS.name, plan.slo, window=w.label, result="bad"): 6.0 for w in plan.bad_counts}
    found[series(SLO_WINDOW_EVENTS.name, plan.slo, window="28d", result="good")] = 994
    found |= {series(SLO_BUDGET_REMAINING.name, plan.slo, period="28d"): left, series(SLO_DATA_AGE.name, plan.slo): age}
    return [{"series": name, "values": f"{value}x{STEPS}"} for name, value in found.items()]


def hold(
    plan: Plan, folder: Path, programs: Path | None, inputs: list[dict[str, str]], alert: str, exp: list[dict[str, Any]]
) -> None:
    """promtool renders these alerts at 20 min."""
    (artifact,) = rules([plan])
    (folder / artifact.path).write_text(artifact.text)
    asked = {"eval_time": "20m", "alertname": alert, "exp_alerts": exp}
    test = {"interval": "1m", "input_series": inputs, "alert_rule_test": [asked]}
    order = [group.name for group in groups(plan)]
    file = {"rule_files": [artifact.path], "evaluation_interval": "1m", "group_eval_order": order, "tests": [test]}
    (folder / "said.test.yml").write_text(yaml.safe_dump(file))
    promtool("test", "rules", folder / "said.test.yml", folder=programs)


@pytest.fixture(scope="module", params=["2.42", "3.16"])
def programs(request: pytest.FixtureRequest) -> Path | None:
    """Where promtool of the release is; None is Debian's."""
    return None if request.param == "2.42" else current()


PACE = "40% of the 28-day budget is left, and at the pace of the last {} it is gone in about {}"
"""0.4 * 1,000 * 1 % = 4 builds are left; 6 fail in an hour, and in six hours."""


def test_a_page_says_what_whose_how_bad_and_where(programs: Path | None, tmp_path: Path) -> None:
    """Labels to route by, counts, what is left and for how long, and three links."""
    plan = replace(planned(STORED, BUILDS), links=LINKS)
    links = {
        "page_url": "https://meter.example/slos/ci-success",
        "dashboard_url": "https://grafana.example/d/pm-slo-detail?var-slo=ci-success",
        "runbook_url": "https://docs.example/runbooks/SLOBurn.md",
    }
    expected = [
        {
            "exp_labels": {
                "slo": "ci-success",
                "level": level,
                "severity": level,
                "window": window,
                "service": "ci",
                "owner": "team-ci",
            },
            "exp_annotations": {
                "summary": f"ci-success burns its 28-day budget 100.0 times too fast: 6 of 6 builds failed in the last {words}",
                "display_name": "ci-success",
                "budget": PACE.format(words, gone),
                "budget_spent": f"at least {spent} % of the budget in {window}",
                **links,
            },
        }
        for level, window, words, gone, spent in (
            ("page", "1h", "hour", "40m 0s", "2.14"),
            ("page", "6h", "6 hours", "4h 0m 0s", "5.36"),
            ("ticket", "1d", "day", "16h 0m 0s", "10.7"),
            ("ticket", "3d", "3 days", "2d 0h 0m 0s", "10.7"),
        )
    ]
    hold(plan, tmp_path, programs, given(plan, left=0.4), "SLOBurn", expected)


@pytest.mark.parametrize(
    ("left", "unseen", "said"),
    [
        (-0.5, 0, "the 28-day budget is overspent by 50%"),
        (-0.5, 0.04, "the 28-day budget is overspent by at least 50%; 96% of the period was seen"),
    ],
)
def test_a_spent_budget(left: float, unseen: float, said: str, programs: Path | None, tmp_path: Path) -> None:
    """By how much; of a period that was seen in part, by how much at least."""
    plan = planned(STORED, BUILDS)
    expected = {
        "exp_labels": {
            "slo": "ci-success",
            "period": "28d",
            "level": "ticket",
            "severity": "ticket",
            "service": "ci",
            "owner": "team-ci",
        },
        "exp_annotations": {
            "summary": "ci-success has spent its whole 28-day budget: 6 of 1000 builds failed in the last 28 days",
            "display_name": "ci-success",
            "budget": said,
        },
    }
    inputs = given(plan, left=left, age=unseen * 28 * DAY)
    hold(plan, tmp_path, programs, inputs, "SLOBudgetExhausted", [expected])


def test_at_most_where_the_period_was_seen_in_part(tmp_path: Path) -> None:
    """Nor is it said how long it lasts, which nobody can know then."""
    plan = planned(STORED, BUILDS)
    said = "at most 40% of the 28-day budget is left; 96% of the period was seen"
    with pytest.raises(AssertionError) as raised:
        hold(plan, tmp_path, None, given(plan, left=0.4, age=0.04 * 28 * DAY), "SLOBurn", [])
    assert str(raised.value).count(f'budget="{said}"') == 4


def summary(plan: Plan, alert: str) -> str:
    """The template of the first alert of this name."""
    return next(r.annotations["summary"] for g in groups(plan) for r in g.rules if r.alert == alert)


def test_what_bad_events_are_called() -> None:
    """The file's words, else the kind of stored events, else events or slices."""
    assert summary(planned(STORED), "SLOBurn").endswith("{{ end }} pipeline runs were bad in the last hour")
    assert summary(planned(RATIO), "SLOBurn").endswith("{{ end }} events were bad in the last hour")
    assert summary(planned(SLICES), "SLOBurn").endswith("{{ end }} slices were bad in the last hour")


CARRIED = """io/owner: '{{ $value }}'
    platform-meter.io/alert-labels: 'team, page.severity=critical'
    platform-meter.io/alert-annotations: |
      contact={{ $labels.slo }}
      page.runbook_url=https://wiki.example/down
    platform-meter.io/runbook: https://wiki.example/shop"""


def carried(plan: Plan) -> Mapping[str, tuple[Mapping[str, str], Mapping[str, str]]]:
    """Labels and annotations of each alert, by name and window."""
    return {
        f"{r.alert} {r.labels.get('window', '')}".strip(): (r.labels, r.annotations)
        for g in groups(plan)
        for r in g.rules
        if r.alert
    }


def test_what_the_file_adds() -> None:
    """To all alerts or to one; what it says is text, also where it looks like a template."""
    plan = planned(
        RATIO,
        ("io/owner: team-shop", CARRIED),
        ("  name: shop-requests\n", "  name: shop-requests\n  labels: {team: red}\n"),
    )
    found = carried(replace(plan, links=LINKS))
    labels, said = found["SLOBurn 1h"]
    assert (labels["team"], labels["severity"], labels["level"]) == ("red", "critical", "page")
    assert labels["owner"] == '{{ "{{" }} $value }}'
    assert (said["contact"], said["runbook_url"]) == ('{{ "{{" }} $labels.slo }}', "https://wiki.example/down")
    labels, said = found["SLONoData"]
    assert (labels["team"], labels["severity"], said["runbook_url"]) == ("red", "ticket", "https://wiki.example/shop")
    recorded = {name for g in groups(plan) for r in g.rules if r.record and r.record != "slo:info" for name in r.labels}
    assert recorded == {"slo", "window", "period"}


@pytest.mark.parametrize(
    ("words", "gone"),
    [
        ("no-data", {"SLONoData"}),
        ("exhausted", {"SLOBudgetExhausted"}),
        ("page, no-data", {"SLOBurn 1h", "SLOBurn 6h", "SLONoData"}),
        ("ticket", {"SLOBurn 1d", "SLOBurn 3d"}),
        ("page-6h, ticket-3d", {"SLOBurn 6h", "SLOBurn 3d"}),
    ],
)
@pytest.mark.parametrize("text", [RATIO, STORED], ids=["ratio", "stored"])
def test_alerts_that_are_left_out(text: str, words: str, gone: set[str], tmp_path: Path) -> None:
    """They alone; what is left is sound for promtool."""
    owner = "io/owner: team-shop" if text is RATIO else "io/owner: team-ci"
    left = planned(
        text,
        (
            owner,
            f"{owner}{'' if text is RATIO else ', '}"
            + ("\n    " if text is RATIO else "")
            + f"platform-meter.io/leave-out: '{words}'",
        ),
    )
    assert set(carried(planned(text))) - set(carried(left)) == gone
    (artifact,) = rules([left])
    (tmp_path / artifact.path).write_text(artifact.text)
    assert "SUCCESS" in promtool("check", "rules", tmp_path / artifact.path)


ROUTES = """
route:
  receiver: all
  routes:
    - {matchers: ['owner="team-ci"', 'severity="page"'], receiver: ci}
    - {matchers: ['team="red"'], receiver: red}
receivers: [{name: all}, {name: ci}, {name: red}]
"""


@pytest.mark.parametrize(
    ("text", "alert", "receiver"),
    [(STORED, "SLOBurn 1h", "ci"), (STORED, "SLOBurn 3d", "all"), (RATIO, "SLONoData", "all")],
)
def test_alertmanager_routes_by_owner(text: str, alert: str, receiver: str, tmp_path: Path) -> None:
    """The labels that an alert carries are enough for amtool to find the team's receiver."""
    (tmp_path / "alertmanager.yml").write_text(ROUTES)
    labels, _ = carried(planned(text))[alert]
    asked = ["amtool", "config", "routes", "test", f"--config.file={tmp_path / 'alertmanager.yml'}"]
    done = subprocess.run(
        [*asked, *(f"{k}={v}" for k, v in labels.items())], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == receiver


@pytest.mark.parametrize("text", [RATIO, STORED], ids=["ratio", "stored"])
def test_generated_tests_ask_for_no_alert_that_is_left_out(text: str, tmp_path: Path) -> None:
    """What promtool is given holds for the alerts that there are."""
    left = replace(planned(text), left_out=frozenset({Alarm.NO_DATA, Alarm.EXHAUSTED}))
    tests = rule_tests([left])
    for artifact in (*rules([left]), *tests):
        (tmp_path / artifact.path).write_text(artifact.text)
    promtool("test", "rules", *(tmp_path / one.path for one in tests))


@pytest.mark.parametrize("rows", ["page-1h, ticket-3d", "page-6h, ticket-1d"])
@pytest.mark.parametrize("text", [RATIO, SLICES, STORED], ids=["ratio", "slices", "stored"])
def test_generated_tests_hold_without_some_rows(text: str, rows: str, tmp_path: Path) -> None:
    """Whichever rows of the burn table the file leaves out: rules and their tests are of those that there are."""
    annotation = f"platform-meter.io/leave-out: '{rows}'"
    at = "    platform-meter.io/owner: team-shop\n" if text is RATIO else "annotations: {"
    plan = planned(text, (at, f"{at}    {annotation}\n" if text is RATIO else f"{at}{annotation}, "))
    assert len(plan.alerts) == 2
    tests = rule_tests([plan])
    for artifact in (*rules([plan]), *tests):
        (tmp_path / artifact.path).write_text(artifact.text)
    promtool("test", "rules", *(tmp_path / one.path for one in tests))
