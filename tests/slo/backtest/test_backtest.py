"""Which objectives are tried."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from tests.slo.backtest.test_line import line
from tests.slo.backtest.test_replay import DAY, PLAN
from tests.support.slos import RATIO

from platform_meter.slo.backtest import backtest, proposals
from platform_meter.slo.check import read_slos

(SPEC,) = read_slos([("a.yaml", RATIO)]).specs


def test_neighbours_are_tried_where_nobody_asks() -> None:
    """Two on each side, of those that people write."""
    assert proposals(SPEC, ()) == tuple(map(Decimal, ("0.995", "0.998", "0.9995", "0.9999")))
    assert proposals(replace(SPEC, objective=Decimal("0.5")), ()) == (Decimal("0.9"), Decimal("0.95"))


def test_those_asked_for_are_tried_once() -> None:
    """Beside its own."""
    asked = [Decimal("0.97"), Decimal("0.999"), Decimal("0.97")]
    assert proposals(SPEC, asked) == (Decimal("0.97"),)


def test_each_objective_has_its_own_alerts() -> None:
    """At 90 % an outage burns ten times too fast at most, so only the slower page fires."""
    past = line([60.0] * (2 * DAY), [60.0 if DAY <= n < DAY + 240 else 0.0 for n in range(2 * DAY)])
    lines = list(backtest(PLAN, SPEC, past, [Decimal("0.9")]))
    (row,) = (text for text in lines if text.startswith("    90 %"))
    assert row.split()[-2] == "1"
