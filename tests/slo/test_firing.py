"""When a burn alert holds: PromQL and Python say the same, and the slow ticket does not flap where events are rare."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from tests.slo.backtest.test_line import line
from tests.support.policies import with_condition
from tests.support.prometheus import promtool
from tests.support.slos import RATIO, planned, replaced

from platform_meter.slo.backtest.replay import replay
from platform_meter.slo.burnrate import Level
from platform_meter.slo.firing import condition, holds, stays

PAGE, _, _, SLOW = planned(RATIO).alerts
LONG, SHORT, BAD, FIRES = 'b{w="3d"}', 'b{w="6h"}', 'n{w="3d"}', 'f{w="3d"}'
TABLE = [  # long, short, bad events, fires already; whether it holds, and whether it holds where nobody tells that
    (1.1, 1.1, 5, False, True, True),
    (1.1, 1.1, 1, False, False, None),  # too few bad events to begin with
    (1.1, 0.6, 5000, True, True, None),
    (1.1, 0.6, 5000, False, False, None),
    (1.1, 0.4, 5000, True, False, False),  # the short window is clearly below
    (1.1, 0.0, 118, True, True, None),  # 107.3 allowed over 3 d, so 8.9 over 6 h: none there is 2.99 deviations
    (1.1, 0.0, 119, True, False, False),  # 108.2 allowed, 9.02 over 6 h: 3.003 deviations
    (0.95, 0.6, 5000, True, True, None),
    (0.85, 0.6, 5000, True, False, False),  # clearly below: 5,882 allowed
    (0.85, 0.6, 80, True, True, None),  # 94.1 allowed; 14.1 fewer is 1.46 deviations
    (0.85, 0.6, 90, True, False, False),  # 105.9 allowed; 15.9 fewer is 1.54 deviations
    (0.3, 0.0, 2, True, False, False),  # 6.7 allowed; 1.81 deviations
    (0.5, 0.0, 1, True, True, None),  # 2 allowed; 0.7 deviations
    (0.0, 0.0, 0, True, False, False),
    (1.1, None, 5000, True, True, None),  # no events in the short window
    (1.1, None, 5000, False, False, None),
]


PAGES = [  # long, short, bad events; whether it holds
    (14.5, 14.5, 5, True),  # many
    (14.3, 500.0, 5, False),
    (14.5, 14.5, 4, False),  # 276 events an hour, so 23 in 5 minutes, of which 1.45 % is one in three
    (14.5, 87.1, 3, True),  # 207 events an hour: 17.2 in 5 minutes, of which 8.71 % is more than one and a half
    (14.5, 86.9, 3, False),
    (500.0, 1000.0, 2, False),  # too few
    (43.2, 20.0, 3, False),  # 69 events an hour: 5.8 in 5 minutes, of which 2 % is none
    (43.3, 20.0, 3, True),  # more than three times the factor
]
SELDOM = [  # the same at 99 %, where 3 events an hour are allowed to fail in 300
    (14.5, 20.0, 4, True),  # 27.6 events an hour: 2.3 in 5 minutes, too few to tell
    (14.5, 20.0, 4.4, False),  # 30.3 events an hour: 2.53
]


@pytest.mark.parametrize(("long", "short", "bad", "holds_"), PAGES)
def test_few_bad_events_page_where_two_lie_together(long: float, short: float, bad: float, holds_: bool) -> None:
    """By chance they lie anywhere in the long window; in an outage they are the last ones."""
    assert holds(PAGE, long=long, short=short, bad=bad, fires=False) is holds_


@pytest.mark.parametrize(("long", "short", "bad", "holds_"), SELDOM)
def test_a_short_window_of_few_events_does_not_tell(long: float, short: float, bad: float, holds_: bool) -> None:
    """There the next failure of an outage may come after its end."""
    alert = planned(replaced(RATIO, ("target: 0.999", "target: 0.99"))).alerts[0]
    assert holds(alert, long=long, short=short, bad=bad, fires=False) is holds_


def test_whoever_asks_for_few_bad_events_gets_them() -> None:
    """Or for many; and tickets are as they were."""
    for asked, tells in (("2", None), ("3", 0.03), ("5", None)):
        alert = planned(
            replaced(RATIO, ("owner: team-shop", f'owner: team-shop\n    platform-meter.io/min-bad: "{asked}"'))
        ).alerts[0]
        assert alert.tells_from == (tells and pytest.approx(tells))
    assert [alert.tells_from for alert in planned(RATIO).alerts[2:]] == [None, None]


def test_false_pages_at_exactly_the_allowed_error() -> None:
    """Per 28 days at an event a minute, over 20 seeds: below 1 (domain section 5), where without looking twice they are 2."""
    one = planned(replaced(RATIO, ("30d", "28d")))
    pages = replace(one, alerts=tuple(alert for alert in one.alerts if alert.level is Level.PAGE))
    plain = replace(pages, alerts=tuple(replace(alert, tells_from=None) for alert in pages.alerts))
    found = [0, 0]
    for seed in range(20):
        chance = np.random.default_rng(seed)
        valid = chance.poisson(1, 28 * 1440)
        past = line(valid.tolist(), chance.binomial(valid, 0.001).tolist())
        for which, each in enumerate((pages, plain)):
            found[which] += len(replay(each, past).fired)
    assert found[0] / 20 < 1
    assert found[1] / 20 > 1.5


def test_no_outage_pages_later_than_without_looking_twice() -> None:
    """A hundred full outages at an event a minute, each from a random minute on."""
    one = planned(replaced(RATIO, ("30d", "28d")))
    plain = replace(one, alerts=tuple(replace(alert, tells_from=None) for alert in one.alerts))
    for seed in range(100):
        chance = np.random.default_rng(seed)
        valid = chance.poisson(1, 600)
        start = int(chance.integers(300, 500))
        past = line(valid.tolist(), [float(count) if n >= start else 0.0 for n, count in enumerate(valid.tolist())])
        first, second = (min(f.start for f in replay(p, past).times(Level.PAGE)) for p in (one, plain))
        assert first == second, seed


@pytest.mark.parametrize(("long", "short", "bad", "fires", "holds_", "unknown"), TABLE)
def test_the_slow_ticket(
    long: float, short: float | None, bad: float, fires: bool, holds_: bool, unknown: bool | None
) -> None:
    """It begins over the factor and ends when both windows are clearly below; where nobody tells, nothing is claimed."""
    assert holds(SLOW, long=long, short=short, bad=bad, fires=fires) is holds_
    assert holds(SLOW, long=long, short=short, bad=bad, fires=None) is unknown


def test_what_waits_fires_as_prometheus_says() -> None:
    """How long its condition has held no number tells; what does not hold fires in no case."""
    alert = planned(with_condition(RATIO, "threshold: 2, lookbackWindow: 1h, alertAfter: 5m")).alerts[0]
    for told in (True, False, None):
        assert holds(alert, long=3.0, short=3.0, bad=5, fires=told) is told
        assert holds(alert, long=3.0, short=1.0, bad=5, fires=told) is False


def test_prometheus_says_the_same(tmp_path: Path) -> None:
    """Each row of both tables, evaluated by promtool."""
    tests = []
    table = [(SLOW, *row[:5]) for row in TABLE] + [(PAGE, *row[:3], False, row[3]) for row in PAGES]
    for row, (alert, long, short, bad, fires, holds_) in enumerate(table):
        series = {LONG: long, SHORT: short, BAD: bad, FIRES: 1 if fires else None}
        fed = [
            {"series": name.replace("{w", f'{{slo="{row}",window'), "values": str(value)}
            for name, value in series.items()
            if value is not None
        ]
        expr = condition(alert, long=LONG, short=SHORT, bad=BAD, fires=FIRES).replace("{w", "{window")
        found = [{"labels": f'b{{slo="{row}",window="3d"}}', "value": long}] if holds_ else []
        tests.append(
            {"input_series": fed, "promql_expr_test": [{"expr": expr, "eval_time": "0m", "exp_samples": found}]}
        )
    file = tmp_path / "same.yml"
    file.write_text(yaml.safe_dump({"tests": tests}))
    promtool("test", "rules", file)


def test_other_rows_end_as_they_begin() -> None:
    """Pages have no hysteresis: at their factor no SLO lives."""
    assert (stays(PAGE), stays(SLOW)) == (False, True)
    assert holds(PAGE, long=14.5, short=14.5, bad=5, fires=False) is True
    assert holds(PAGE, long=14.5, short=14.3, bad=3, fires=True) is False
    assert holds(PAGE, long=14.5, short=14.5, bad=2, fires=True) is False
    assert "ALERTS" not in condition(PAGE, long=LONG, short=SHORT, bad=BAD, fires="ALERTS")


def test_nobody_tells() -> None:
    """Without a count nothing is known; without a burn there were no events, and nothing holds."""
    assert holds(SLOW, long=2, short=2, bad=None, fires=True) is None
    assert holds(SLOW, long=None, short=2, bad=9, fires=True) is False
    assert holds(PAGE, long=20, short=None, bad=9, fires=True) is False


def month(a_minute: float, allowed: float, seed: int) -> Iterator[tuple[float, float, float]]:
    """Burn over 3 d and 6 h, and bad events of 3 d, every 5 min of 28 days after the first three, at just the allowed error."""
    chance = random.Random(seed)
    events, bad = [0.0], [0]
    gap = 0.0
    for step in range(31 * 288):
        failed = 0
        gap -= 5
        while gap < 0:  # failures come one by one, at random times
            failed += 1
            gap += -math.log(chance.random()) / (a_minute * allowed)
        events.append((step + 1) * 5 * a_minute)
        bad.append(bad[-1] + failed)
    for at in range(864, len(bad)):
        long, short = ((bad[at] - bad[at - n]) / (events[at] - events[at - n]) / allowed for n in (864, 72))
        yield long, short, bad[at] - bad[at - 864]


@pytest.mark.parametrize(
    ("a_minute", "allowed", "before"),
    [
        (60, 0.001, 3),
        (30, 0.001, 8),
        (6, 0.001, 18),
        (1, 0.001, 14),
        (0.03, 0.1, 13),
        (0.003, 0.1, 5),
        (0.0003, 0.1, 0),
    ],
)
def test_at_just_the_allowed_error_it_does_not_flap(a_minute: float, allowed: float, before: int) -> None:
    """From a failure every 17 minutes to one in three weeks, the ticket comes 3 times in 28 days or less, in the mean of 6 months.

    With the shares 0.9 and 0.5 alone it came more than `before` times.
    """
    came = plain = 0
    for seed in range(6):
        fires = fired = False
        for long, short, bad in month(a_minute, allowed, seed):
            now = holds(SLOW, long=long, short=short, bad=bad, fires=fires) is True
            came += now and not fires
            was = bad >= 2 and (min(long, short) > 1 or (fired and long > 0.9 and short > 0.5))
            plain += was and not fired
            fires, fired = now, was
    assert came / 6 <= 3
    assert plain / 6 > before
