"""Series under Sloth's names: what they are, and that they say what ours say."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from tests.slo.foreign import test_sloth
from tests.support.prometheus import promtool
from tests.support.slos import ALL, RATIO, STORED, planned

from platform_meter.model.generated import HEADER
from platform_meter.render.rules import groups
from platform_meter.render.rules.sloth import labels, sloth_groups, window_text
from platform_meter.render.rules.text import Group, rules_text

SHOP = {"sloth_id": "shop-Requests.Good", "sloth_service": "shop", "sloth_slo": "Requests.Good"}


def added(those: tuple[Group, ...]) -> dict[str, tuple[str, dict[str, str]]]:
    """Expression and labels of each rule of the group that is added."""
    return {rule.record: (rule.expr, dict(rule.labels)) for rule in those[-1].rules}


def test_an_slo_of_sloths_has_its_names_again() -> None:
    """Id, service and name as Sloth writes them, and every series that Sloth records of such an SLO."""
    plan = planned(test_sloth.FILE)
    found = added(sloth_groups(plan))
    assert labels(plan) == SHOP
    assert list(found) == [
        *(f"slo:sli_error:ratio_rate{window}" for window in ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d")),
        "slo:error_budget:ratio",
        "slo:time_period:days",
        "slo:current_burn_rate:ratio",
        "slo:period_burn_rate:ratio",
        "slo:period_error_budget_remaining:ratio",
        "sloth_slo_info",
    ]
    assert found["slo:sli_error:ratio_rate5m"] == (
        'sum(slo:burn:rate{slo="shop-requests-good",window="5m"} * 0.001)',
        {**SHOP, "sloth_window": "5m"},
    )
    assert found["slo:time_period:days"] == ("vector(30)", SHOP)
    assert found["slo:period_error_budget_remaining:ratio"] == (
        'sum(slo:budget_remaining:ratio{slo="shop-requests-good",period="30d"})',
        SHOP,
    )
    assert found["sloth_slo_info"] == (
        "vector(1)",
        {
            **SHOP,
            "owner": "team-shop",
            "tier": "2",
            "generated": "true",
            "kind": "availability",
            "sloth_mode": "platform-meter",
            "sloth_objective": "99.9",
        },
    )


def test_other_slos_have_names_of_the_same_form() -> None:
    """Their own name is id and name."""
    assert labels(planned(RATIO)) == {
        "sloth_id": "shop-requests",
        "sloth_service": "shop",
        "sloth_slo": "shop-requests",
    }


def test_the_objective_stays_one_series() -> None:
    """It has the same name here and there, so it has the labels of both; no other rule of ours is changed."""
    plan = planned(test_sloth.FILE)
    ours = [rule for group in groups(plan) for rule in group.rules]
    them = [rule for group in sloth_groups(plan)[:-1] for rule in group.rules]
    differing = [(mine, theirs) for mine, theirs in zip(ours, them, strict=True) if mine != theirs]
    ((mine, theirs),) = differing
    assert (mine.record, theirs) == ("slo:objective:ratio", replace(mine, labels={"slo": plan.slo, **SHOP}))
    assert "slo:objective:ratio" not in added(sloth_groups(plan))


@pytest.mark.parametrize(
    ("length", "text"), [(5 / 1440, "5m"), (1 / 12, "2h"), (3, "3d"), (7, "1w"), (28, "4w"), (30, "30d"), (365, "1y")]
)
def test_windows_as_sloth_writes_them(length: float, text: str) -> None:
    """As Prometheus writes durations: whole weeks and years as such."""
    assert window_text(timedelta(days=length)) == text


def test_windows_that_no_alert_needs_come_from_tiles() -> None:
    """Sloth records all windows, whether a page or a ticket reads them or not."""
    without = planned(test_sloth.FILE.replace("page_alert: {", "page_alert: {disable: true, "))
    assert [window.label for window in without.windows] == ["2h", "6h", "1d", "3d"]
    expr, _ = added(sloth_groups(without))["slo:sli_error:ratio_rate5m"]
    tiles = [
        f'sum(sum_over_time(slo:{kind}_events:tile5m{{slo="shop-requests-good"}}[5m]))' for kind in ("bad", "total")
    ]
    assert expr == f"clamp({tiles[0]} / ({tiles[1]} > 0), 0, 1)"


def test_what_the_exporter_counts_has_the_windows_that_it_has() -> None:
    """It has no tiles to make others of."""
    plan = planned(STORED)
    named = [name for name in added(sloth_groups(plan)) if name.startswith("slo:sli_error:ratio_rate")]
    assert named == [f"slo:sli_error:ratio_rate{w.label}" for w in plan.windows] + ["slo:sli_error:ratio_rate4w"]


def test_windows_stay_under_the_period() -> None:
    """An SLO over a day has none of 3 days."""
    plan = planned(RATIO)
    assert "slo:sli_error:ratio_rate3d" in added(sloth_groups(plan))
    short = replace(plan, period=timedelta(days=1), period_label="1d")
    assert [n for n in added(sloth_groups(short)) if n.startswith("slo:sli_error")][-2:] == [
        "slo:sli_error:ratio_rate6h",
        "slo:sli_error:ratio_rate1d",
    ]


def test_promtool_accepts_them(tmp_path: Path) -> None:
    """Rules of every kind of SLO."""
    plans = [planned(text) for text in (*ALL.values(), test_sloth.FILE)]
    path = tmp_path / "sloth.rules.yml"
    path.write_text(HEADER + rules_text(group for plan in plans for group in sloth_groups(plan)))
    assert "SUCCESS" in promtool("check", "rules", path)
    assert max(len(group.rules) for plan in plans for group in sloth_groups(plan)) <= 20


SAME = {
    **{
        f"slo:sli_error:ratio_rate{window}": f'slo:burn:rate{{window="{window}"}} * 0.001'
        for window in ("5m", "30m", "1h", "2h", "6h", "1d")
    },
    "slo:sli_error:ratio_rate30d": "1 - slo:sli:ratio",
    "slo:error_budget:ratio": "1 - slo:objective:ratio",
    "slo:time_period:days": "vector(30)",
    "slo:current_burn_rate:ratio": 'slo:burn:rate{window="5m"}',
    "slo:period_burn_rate:ratio": "1 - slo:budget_remaining:ratio",
    "slo:period_error_budget_remaining:ratio": "slo:budget_remaining:ratio",
    "sloth_slo_info": "vector(1)",
}
"""Series of Sloth's, and what they are of ours."""


@pytest.mark.parametrize("pages", [True, False])
def test_their_values_are_ours(pages: bool, tmp_path: Path) -> None:
    """After 18 hours with one failure in fifty, and then an hour and a half with one in four, promtool finds both the same."""
    plain = planned(test_sloth.FILE)
    plan = plain if pages else planned(test_sloth.FILE.replace("page_alert: {", "page_alert: {disable: true, "))
    # Without pages the windows of up to an hour come from tiles; what they are held against is recorded beside them.
    short = [group for group in groups(plain) if group.name.endswith(" short")]
    those = (
        [*sloth_groups(plan)] if pages else [*short, *(g for g in sloth_groups(plan) if not g.name.endswith("short"))]
    )
    (tmp_path / "sloth.rules.yml").write_text(HEADER + rules_text(those))
    tests = {
        "rule_files": ["sloth.rules.yml"],
        "evaluation_interval": "5m",
        "group_eval_order": [group.name for group in those],
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {"series": 'http_requests_total{job="shop",code="500"}', "values": "0+20x1080 21850+250x95"},
                    {"series": 'http_requests_total{job="shop",code="200"}', "values": "0+980x1080 1059150+750x95"},
                ],
                "promql_expr_test": [
                    {
                        "expr": f'abs({theirs}{{sloth_id="shop-Requests.Good"}} - on () ({ours})) < bool 0.00005',
                        "eval_time": "19h30m",
                        "exp_samples": [{"labels": "{}", "value": 1}],
                    }
                    for theirs, ours in SAME.items()
                ]
                + [
                    {
                        "expr": "slo:sli_error:ratio_rate30m > bool 0.24",
                        "eval_time": "19h30m",
                        "exp_samples": [
                            {
                                "labels": '{sloth_id="shop-Requests.Good",sloth_service="shop",sloth_slo="Requests.Good",'
                                'sloth_window="30m"}',
                                "value": 1,
                            }
                        ],
                    }
                ],
            }
        ],
    }
    path = tmp_path / "sloth.test.yml"
    path.write_text(yaml.safe_dump(tests))
    assert "SUCCESS" in promtool("test", "rules", path)
