"""Budgets of a month of hard traffic, read from a real Prometheus that runs the generated rules (design section 8).

Thirty days of counters are put in place as blocks, tiles are backfilled by promtool as their group would have written
them, and the long windows are recorded live.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.prometheus import Prometheus, program, prometheus, promtool
from tests.support.slos import RATIO, replaced

from platform_meter.render.rules import groups, rules
from platform_meter.slo.check import read_slos
from platform_meter.slo.plan import Plan, plan

SCRAPE = timedelta(seconds=60)
DAYS = 30
MINUTES = DAYS * 24 * 60
PHASE = 17.3
"""Scrapes and rules never run in step."""
BEFORE = (5_000_000.0, 5000.0)
"""Good and bad when the month begins: counters that have lived a while. Near 0 `increase` extrapolates less, and how much
less depends on the phase: no counter was below 0."""
PATIENCE = 60.0


def rps(minute: int) -> float:
    """1 to 100 requests a second over the day, least at midnight."""
    return 1 + 99 * math.sin(math.pi * (minute % 1440 + 0.5) / 1440) ** 4


def hour(day: int, start: float, length: float) -> Callable[[int], bool]:
    """Whether a minute lies in these hours of this day."""
    first = (day * 24 + start) * 60
    return lambda minute: first <= minute < first + length * 60


def peak(minute: int) -> tuple[float, float]:
    """An hour of 50 % errors when traffic is highest."""
    n = rps(minute) * 60
    return n, n / 2 if hour(12, 11.5, 1)(minute) else 0.0


def trough(minute: int) -> tuple[float, float]:
    """The same hour at midnight."""
    n = rps(minute) * 60
    return n, n / 2 if hour(11, 23.5, 1)(minute) else 0.0


def office(minute: int) -> tuple[float, float]:
    """One request in 20 minutes from 8 to 20 o'clock, and one failure in the month."""
    asked = minute % 20 == 7 and 8 <= minute // 60 % 24 < 20
    return float(asked), float(minute == (15 * 24 + 9) * 60 + 7)


def nights(minute: int) -> tuple[float, float]:
    """20 % errors in the four quietest hours of every day."""
    n = rps(minute) * 60
    return n, n / 5 if minute // 60 % 24 in (22, 23, 0, 1) else 0.0


def idle(minute: int) -> tuple[float, float]:
    """Not one request for twenty days in the middle, never a failure, and so no series of failures."""
    return (0.0 if hour(5, 0, 20 * 24)(minute) else 60.0), 0.0


TRACES = {"peak": peak, "trough": trough, "office": office, "nights": nights, "idle": idle}
LEFT = {"peak": -0.816, "trough": 0.982, "office": 0.074, "nights": 0.047, "idle": 1.0}
"""What is left of the budget, as a share: 1 - bad / all / 0.001, by hand."""


@pytest.mark.parametrize("name", TRACES)
def test_the_truth_is_as_the_design_says(name: str) -> None:
    """Counting every request of the trace gives the budget that is written above."""
    counted = [TRACES[name](minute) for minute in range(MINUTES)]
    left = 1 - sum(b for _, b in counted) / sum(n for n, _ in counted) / 0.001
    assert round(left, 3) == LEFT[name]


Samples = list[tuple[float, float]]


def increase(samples: Samples, at: float, window: float) -> float:
    """What `increase(x[window])` gives at this time, as Prometheus extrapolates; the counter never falls."""
    inside = [(t, v) for t, v in samples if at - window <= t <= at]
    if len(inside) < 2 or inside[-1][1] == inside[0][1]:
        return 0.0
    (first, low), (last, high) = inside[0], inside[-1]
    between = (last - first) / (len(inside) - 1)
    since_zero = (last - first) * low / (high - low)
    before, after = min(first - (at - window), since_zero), at - last
    seen = sum(gap if gap < 1.1 * between else between / 2 for gap in (before, after))
    return (high - low) * (last - first + seen) / (last - first)


def tiled(bad: list[float], start: float, scrape: float, phase: float) -> float:
    """Bad events of these scrapes as tiles count them that end at this phase; the counter stands at `start` before."""
    samples, counted = [(0.0, start)], start
    for n, more in enumerate(bad, 1):
        counted += more
        samples.append((n * scrape, counted))
    ends = int(len(bad) * scrape // 300)
    return sum(increase(samples, n * 300 + phase, 300 + scrape) * 300 / (300 + scrape) for n in range(ends + 1))


PHASES = [n * 7.3 + 0.1 for n in range(41)]
"""Of tiles against scrapes, over the whole length of a tile; they are never in step to the millisecond."""


@pytest.mark.parametrize("phase", PHASES)
def test_an_outage_is_counted_right_at_every_phase(phase: float) -> None:
    """A counter that has lived a while: the failures of the peak hour are tiled to 0.1 %, which is a fifth of a point."""
    around = range((12 * 24 + 10) * 60, (12 * 24 + 14) * 60)
    failed = [peak(minute)[1] for minute in around]
    assert abs(tiled(failed, BEFORE[1], 60, phase) / sum(failed) - 1) < 0.001


@pytest.mark.parametrize("scrape", [15, 30, 60])
@pytest.mark.parametrize("phase", PHASES)
def test_a_counter_from_0_loses_little_and_once(scrape: int, phase: float) -> None:
    """It counts too little in its first tile alone, by less than s/(300+s) of what that one holds (docs/slo-format.md)."""
    calm, first, later = [0.0] * (1200 // scrape), [8.0], [0.0] * (600 // scrape)
    lost = 8.0 - tiled([*calm, *first, *later], 0.0, scrape, phase)
    assert -1e-9 < lost < 8.0 * scrape / (300 + scrape) + 1e-9
    second = tiled([*calm, *first, *later, 8.0, *later], 0.0, scrape, phase)
    assert round(16.0 - second, 9) == round(lost, 9)


def history(start: float) -> str:
    """A month of scrapes of every trace, as OpenMetrics text."""
    lines = []
    for name, trace in TRACES.items():
        good, bad = BEFORE
        goods, bads = [], []
        for minute in range(MINUTES):
            at = f"{start + minute * 60 + PHASE:.3f}"
            goods.append(f'http_requests_total{{trace="{name}",code="200"}} {good:.3f} {at}\n')
            bads.append(f'http_requests_total{{trace="{name}",code="500"}} {bad:.3f} {at}\n')
            n, failed = trace(minute)
            good, bad = good + n - failed, bad + failed
        lines += goods
        if name != "idle":
            lines += bads
    return "".join(lines) + "# EOF\n"


def plans() -> list[Plan]:
    """One SLO a trace: 99.9 % over 30 d."""
    files = []
    for name in TRACES:
        text = replaced(
            RATIO,
            ("name: shop-requests", f"name: {name}"),
            ("'http_requests_total'", f"'http_requests_total{{trace=\"{name}\"}}'"),
            ('{code=~"5.."}', f'{{trace="{name}",code=~"5.."}}'),
        )
        files.append((f"{name}.yaml", text))
    checked = read_slos(files, scrape=SCRAPE)
    assert checked.problems == ()
    return [plan(spec, scrape=SCRAPE) for spec in checked.specs]


def backfill(folder: Path, name: str, config: dict[str, Any], chosen: dict[str, Any], start: float, end: float) -> None:
    """Write these recording rules' past beside the counters', as promtool does for operators."""
    path = folder / f"{name}.yml"
    path.write_text(yaml.safe_dump(chosen))
    with prometheus(folder, config) as server:
        promtool(
            "tsdb",
            "create-blocks-from",
            "--max-block-duration=256h",
            "rules",
            f"--url={server.url}",
            f"--start={start:.0f}",
            f"--end={end:.0f}",
            f"--output-dir={server.data}",
            path,
        )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus with the month behind it and the long windows recorded."""
    program("promtool")
    folder = tmp_path_factory.mktemp("budgets")
    end = float(int(time.time()) // 60 * 60)  # noqa: TID251 - the rules of a real server look back from now
    start = end - MINUTES * 60
    (artifact,) = rules(plans())
    written = yaml.safe_load(artifact.text)
    empty: dict[str, Any] = {"global": {"scrape_interval": "60s"}}
    with prometheus(folder, empty, history=history(start)):
        pass
    tiles = [g for g in written["groups"] if g["name"].endswith(" tiles")]
    for place, name in enumerate(("total", "bad")):  # the second reads the first
        part = {"groups": [{**g, "rules": g["rules"][place : place + 1]} for g in tiles]}
        backfill(folder, name, empty, part, start, end)
    live = [{**g, "interval": "1s"} for g in written["groups"] if g["name"].endswith(" long")]
    (folder / "live.yml").write_text(yaml.safe_dump({"groups": live}))
    with prometheus(folder, {**empty, "rule_files": [str(folder / "live.yml")]}) as running:
        until = time.monotonic() + PATIENCE
        while len(running.query("slo:budget_remaining:ratio")) < len(TRACES):
            assert time.monotonic() < until, "the rules recorded no budget"
            time.sleep(0.1)
        yield running


@pytest.mark.parametrize("name", TRACES)
def test_the_budget_is_right_to_a_point(server: Prometheus, name: str) -> None:
    """Uneven traffic, rare events and idle weeks: within one point of the truth."""
    ((labels, left),) = server.query(f'slo:budget_remaining:ratio{{slo="{name}"}}')
    assert labels == {"__name__": "slo:budget_remaining:ratio", "slo": name, "period": "30d"}
    assert abs(left - LEFT[name]) < 0.01


def test_nothing_is_ever_nan(server: Prometheus) -> None:
    """Of all series that rules write, none holds a NaN, now or at any time of the month."""
    found = server.query('{__name__=~"slo:.+"}')
    assert {m["slo"] for m, _ in found} == set(TRACES)
    assert [m for m, value in found if math.isnan(value)] == []
    for tile in ("slo:bad_events:tile5m", "slo:total_events:tile5m"):
        month = server.query(f"sum_over_time({tile}[30d])")
        assert {m["slo"] for m, _ in month} == set(TRACES)
        assert not any(math.isnan(value) for _, value in month)


def test_single_events_are_counted_once(server: Prometheus) -> None:
    """1,080 requests and one failure, each 20 minutes from the next: the tiles count what there was."""
    ((_, total),) = server.query('slo:total_events:count{slo="office",window="30d"}')
    ((_, bad),) = server.query('slo:bad_events:count{slo="office",window="30d"}')
    assert (round(total), round(bad, 2)) == (1080, 1.0)


def test_the_groups_are_the_generated_ones() -> None:
    """What runs here is what `generate` writes: three groups an SLO."""
    assert [g.name for g in groups(plans()[0])] == ["slo idle short", "slo idle tiles", "slo idle long"]
