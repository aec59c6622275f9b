"""promtool tests as text."""

from __future__ import annotations

from datetime import timedelta

import yaml

from platform_meter.model.generated import HEADER
from platform_meter.render.rules.promtool import text as rule_test_text
from platform_meter.render.rules.promtool.text import Expected, firing, labels_text

MINUTE = timedelta(minutes=1)


def test_labels_are_sorted_and_escaped() -> None:
    """As PromQL writes them."""
    assert labels_text(slo='a"b\\c', period="28d") == '{period="28d",slo="a\\"b\\\\c"}'
    assert labels_text() == "{}"


def test_alerts_are_counted_by_their_series() -> None:
    """So a test repeats no sentence of the alert; none firing is no sample at all."""
    assert firing("x", "SLOBurn", 5 * MINUTE, count=2, severity="page") == Expected(
        expr='count(ALERTS{alertname="SLOBurn",alertstate="firing",severity="page",slo="x"})', at=5 * MINUTE, value=2
    )
    assert firing("x", "SLOBurn", MINUTE, count=None).value is None


def test_a_file_is_what_promtool_reads() -> None:
    """Series, expressions and times, whatever characters they hold; nothing expected is an empty list.

    Groups are evaluated in their order.
    """
    text = rule_test_text.tests_text(
        "x.rules.yml",
        MINUTE,
        [
            rule_test_text.Test(
                name="an outage: pages",
                step=timedelta(seconds=30),
                series=(('e{code="500"}', "0+1x10"),),
                expected=(
                    Expected(expr="slo:burn:rate", at=timedelta(hours=1), value=14.4, labels='{slo="x"}'),
                    Expected(expr="absent(e)", at=timedelta(minutes=90), value=None),
                ),
            )
        ],
        ["short", "slo x long"],
    )
    assert text.startswith(HEADER)
    assert yaml.safe_load(text) == {
        "rule_files": ["x.rules.yml"],
        "evaluation_interval": "1m",
        "group_eval_order": ["short", "slo x long"],
        "tests": [
            {
                "name": "an outage: pages",
                "interval": "30s",
                "input_series": [{"series": 'e{code="500"}', "values": "0+1x10"}],
                "promql_expr_test": [
                    {
                        "expr": "slo:burn:rate",
                        "eval_time": "1h",
                        "exp_samples": [{"labels": '{slo="x"}', "value": 14.4}],
                    },
                    {"expr": "absent(e)", "eval_time": "1h30m", "exp_samples": []},
                ],
            }
        ],
    }
