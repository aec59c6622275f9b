"""Budgets of a month of hard traffic, read from a real Prometheus that runs the generated rules (design section 8).

Thirty days of counters are put in place as blocks, tiles are backfilled by promtool as their group would have written
them, and the long windows are recorded live.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.prometheus import Prometheus, prometheus, promtool
from tests.support.slos import RATIO, replaced
from tests.support.waiting import until

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


GAPS = tuple((day * 24 + 10) * 60 for day in (3, 7, 11, 15, 19, 23))
"""Minutes in which a gap begins."""


def failing_gaps(minute: int) -> tuple[float, float]:
    """Six times two minutes in which everything fails, scrapes too."""
    n = rps(minute) * 60
    return n, n if any(first <= minute < first + 2 for first in GAPS) else 0.0


def lost(minute: int) -> tuple[float, float]:
    """An hour of 50 % errors; one scrape in ten is lost, at random."""
    n = rps(minute) * 60
    return n, n / 2 if hour(12, 11.5, 1)(minute) else 0.0


def unscraped(minute: int) -> tuple[float, float]:
    """Fifty minutes in which half fails, and no scrape comes through."""
    n = rps(minute) * 60
    return n, n / 2 if hour(9, 12, 5 / 6)(minute) else 0.0


def restarts(minute: int) -> tuple[float, float]:
    """A process that begins again every 7 hours, once in a gap of ten minutes, with 20 % errors in the four quietest hours."""
    n = rps(minute) * 60
    return n, n / 5 if minute // 60 % 24 in (22, 23, 0, 1) else 0.0


TRACES = {
    "peak": peak,
    "trough": trough,
    "office": office,
    "nights": nights,
    "idle": idle,
    "failing-gaps": failing_gaps,
    "lost": lost,
    "unscraped": unscraped,
    "restarts": restarts,
}
LEFT = {
    "peak": -0.816,
    "trough": 0.982,
    "office": 0.074,
    "nights": 0.047,
    "idle": 1.0,
    "failing-gaps": 0.363,
    "lost": -0.816,
    "unscraped": -0.506,
    "restarts": 0.047,
}
"""What is left of the budget, as a share: 1 - bad / all / 0.001, by hand."""
RESTART = 7 * 60
"""Minutes of life of the process of `restarts`."""
_CHANCE = random.Random(7)
LOST = frozenset(minute for minute in range(MINUTES) if _CHANCE.random() < 0.1)


def is_scraped(name: str, minute: int) -> bool:
    """Whether the scrape at the end of this minute came through."""
    match name:
        case "failing-gaps":
            return not any(first < minute <= first + 2 for first in GAPS)
        case "lost":
            return minute not in LOST
        case "unscraped":
            return not hour(9, 12, 5 / 6)(minute - 1)
        case "restarts":  # one of the restarts lies in it
            return not 59 * RESTART - 4 <= minute < 59 * RESTART + 6
        case _:
            return True


@pytest.mark.parametrize("name", TRACES)
def test_the_truth_is_as_the_design_says(name: str) -> None:
    """Counting every request of the trace gives the budget that is written above."""
    counted = [TRACES[name](minute) for minute in range(MINUTES)]
    left = 1 - sum(b for _, b in counted) / sum(n for n, _ in counted) / 0.001
    assert round(left, 3) == LEFT[name]


def history(start: float) -> str:
    """A month of scrapes of every trace, as OpenMetrics text."""
    lines = []
    for name, trace in TRACES.items():
        good, bad = BEFORE
        goods, bads = [], []
        for minute in range(MINUTES):
            at = f"{start + minute * 60 + PHASE:.3f}"
            if name == "restarts" and minute and minute % RESTART == 0:
                good, bad = 0.0, 0.0
            if is_scraped(name, minute):
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


def backfill(
    folder: Path,
    name: str,
    config: dict[str, Any],
    chosen: dict[str, Any],
    start: float,
    end: float,
    programs: Path | None = None,
) -> None:
    """Write these recording rules' past beside the counters', as promtool does for operators."""
    path = folder / f"{name}.yml"
    path.write_text(yaml.safe_dump(chosen))
    with prometheus(folder, config, programs=programs) as server:
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
            folder=programs,
        )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, programs: Path | None) -> Iterator[Prometheus]:
    """A Prometheus, old and current, with the month behind it and the long windows recorded."""
    folder = tmp_path_factory.mktemp("budgets")
    end = float(int(time.time()) // 60 * 60)  # noqa: TID251 - the rules of a real server look back from now
    start = end - MINUTES * 60
    (artifact,) = rules(plans())
    written = yaml.safe_load(artifact.text)
    empty: dict[str, Any] = {"global": {"scrape_interval": "60s"}}
    with prometheus(folder, empty, history=history(start), programs=programs):
        pass
    tiles = [g for g in written["groups"] if g["name"].endswith(" tiles")]
    for place, name in enumerate(("total", "bad")):  # the second reads the first
        part = {"groups": [{**g, "rules": g["rules"][place : place + 1]} for g in tiles]}
        backfill(folder, name, empty, part, start, end, programs)
    live = [{**g, "interval": "1s"} for g in written["groups"] if g["name"].endswith(" long")]
    (folder / "live.yml").write_text(yaml.safe_dump({"groups": live}))
    with prometheus(folder, {**empty, "rule_files": [str(folder / "live.yml")]}, programs=programs) as running:
        until(lambda: len(running.query("slo:budget_remaining:ratio")) == len(TRACES))
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
    names = [g.name for g in groups(plans()[0])]
    assert names == ["slo failing-gaps short", "slo failing-gaps tiles", "slo failing-gaps long"]
