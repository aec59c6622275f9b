"""Generated promtool tests of the alerts beyond burn, run by promtool against the generated rules."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from tests.support.prometheus import promtool

from platform_meter.render.rules.meter_alerts import meter_alerts
from platform_meter.render.rules.promtool.meter_alerts import meter_alert_tests

ALERTS = re.findall(r"- alert: (\w+)", meter_alerts().text)


def run(folder: Path, rules: str) -> None:
    """promtool on our tests and these rules."""
    (folder / meter_alerts().path).write_text(rules)
    file = folder / meter_alert_tests().path
    file.write_text(meter_alert_tests().text)
    promtool("test", "rules", file)


def test_the_rules_pass(tmp_path: Path) -> None:
    """Silent in the hour in which the bound is reached, firing after it was passed."""
    run(tmp_path, meter_alerts().text)


def test_every_alert_is_seen_silent_and_firing() -> None:
    """One test for each."""
    tests = yaml.safe_load(meter_alert_tests().text)["tests"]
    assert sorted(test["name"].partition(":")[0] for test in tests) == sorted(ALERTS)
    for test in tests:
        silent, firing = test["promql_expr_test"]
        assert f'alertname="{test["name"].partition(":")[0]}"' in silent["expr"]
        assert silent["expr"] == firing["expr"]
        assert (silent["exp_samples"], len(firing["exp_samples"])) == ([], 1)


@pytest.mark.parametrize("expr", ["vector(1) > 2", "vector(1)"])
def test_alerts_that_never_or_always_fire_fail_every_test(expr: str, tmp_path: Path) -> None:
    """Tests that pass on anything prove nothing."""
    wrong = re.sub(r"expr: >-\n(?:      .+\n)+", f"expr: {expr}\n", meter_alerts().text)
    with pytest.raises(AssertionError) as raised:
        run(tmp_path, wrong)
    assert set(re.findall(r'alertname=\\?"(\w+)', str(raised.value))) == set(ALERTS)
