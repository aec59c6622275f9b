"""The weeks before the demo began, as Prometheus would have them: an hour of the services' counters, and under them four
weeks of the 5-minute tiles that SLO rules make of such counters. So every window is full from the first minute on.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from platform_meter.demo.apis.services import target_labels
from platform_meter.demo.company.layout import Company
from platform_meter.demo.company.scenarios import Scenario
from platform_meter.demo.company.traffic import MEAN_SECONDS, serving, traffic
from platform_meter.slo import names
from platform_meter.slo.plan import TILE, Counters, Plan
from platform_meter.slo.promql import Matcher, Selector, quote

JOB = "services"
"""Name of the services' scrape job in prometheus.yml."""
TILES = timedelta(days=28)
COUNTERS = timedelta(minutes=66)
"""Windows up to an hour read them."""
SCRAPED = timedelta(minutes=1)
BLOCK = "256h"
"""One block for ten days: with promtool's own two hours, 90 days take 250 s instead of 3."""
_FITS: Mapping[str, Callable[[str, str], bool]] = {
    "=": lambda value, wanted: value == wanted,
    "!=": lambda value, wanted: value != wanted,
    "=~": lambda value, wanted: re.fullmatch(wanted, value) is not None,
    "!~": lambda value, wanted: re.fullmatch(wanted, value) is None,
}


def past(company: Company, scenario: Scenario, plans: Iterable[Plan]) -> Iterator[str]:
    """OpenMetrics up to `company.start`, for `promtool tsdb create-blocks-from openmetrics`."""
    yield from _counters(company, scenario)
    counted = [plan for plan in plans if isinstance(plan.sli, Counters)]
    for kind in ("total", "bad"):
        name = names.tile(kind, TILE)
        yield f"# TYPE {name} gauge\n"
        for plan in counted:
            series = f"{name}{{slo={quote(plan.slo)}}}"
            yield "".join(f"{series} {value} {at}\n" for at, value in _tiles(company, scenario, plan, kind))
    yield "# EOF\n"


def _counters(company: Company, scenario: Scenario) -> Iterator[str]:
    """What each service served, minute by minute; with the labels of discovery and scrape it joins what is served now."""
    count = int(COUNTERS / SCRAPED)
    moments = [company.start - SCRAPED * (count - n) for n in range(count)]
    stamps = [int(at.timestamp()) for at in moments]
    all_ = [
        (traffic(company, scenario, s), "".join(f',{k}="{v}"' for k, v in {**target_labels(s), "job": JOB}.items()))
        for s in serving(company)
    ]

    def series(name: str, values: Iterable[float]) -> str:
        return "".join(f"{name} {value:.14g} {stamp}\n" for stamp, value in zip(stamps, values, strict=True))

    yield "# TYPE http_requests counter\n"
    for one, more in all_:
        codes = [one.codes(at) for at in moments]
        for code in codes[0]:
            me = f'http_requests_total{{service="{one.service}",code="{code}"{more}}}'
            yield series(me, (found[code] for found in codes))
    # As plain series: OpenMetrics would write the bounds of a histogram otherwise than the services do, as 1.0.
    name = "http_request_duration_seconds"
    yield f"# TYPE {name}_bucket unknown\n"
    for one, more in all_:
        buckets = [one.buckets(at) for at in moments]
        for index, (le, _) in enumerate(buckets[0]):
            me = f'{name}_bucket{{service="{one.service}"{more},le="{le}"}}'
            yield series(me, (found[index][1] for found in buckets))
    for part, mean in (("sum", MEAN_SECONDS), ("count", 1.0)):
        yield f"# TYPE {name}_{part} unknown\n"
        for one, more in all_:
            values = (int(one.requests(at)) * mean for at in moments)
            yield series(f'{name}_{part}{{service="{one.service}"{more}}}', values)


def _tiles(company: Company, scenario: Scenario, plan: Plan, kind: str) -> Iterator[tuple[int, int]]:
    """Time and count of each tile of an SLO; nothing where it counts what no service here has."""
    sli = plan.sli
    if not isinstance(sli, Counters):
        return
    if sli.total.selector is None or sli.part.selector is None:
        return
    total, some = counter(company, scenario, sli.total.selector), counter(company, scenario, sli.part.selector)
    if total is None or some is None:
        return
    step = int(sli.tile.total_seconds())
    last = int(company.start.timestamp()) // step * step
    first = last - int(TILES.total_seconds())
    before: tuple[int, int] | None = None
    for at in range(first - step, last + 1, step):
        moment = datetime.fromtimestamp(at, UTC)
        now = (total(moment), some(moment))
        if before is not None:
            all_, those = now[0] - before[0], now[1] - before[1]
            yield at, all_ if kind == "total" else those if sli.bad else all_ - those
        before = now


def counter(company: Company, scenario: Scenario, selector: Selector) -> Callable[[datetime], int] | None:
    """The sum of what a selector finds among the services' counters, at any moment; None where it finds none.

    All services have the same rhythm, so that many of them are one with the sum of their rates.
    """
    found = [
        traffic(company, scenario, service)
        for service in serving(company)
        if all(
            _fits(matcher, {"service": service.id, "job": JOB, **target_labels(service)}.get(matcher.label, ""))
            for matcher in selector.matchers
            if matcher.label not in {"code", "le"}
        )
    ]
    if not found:
        return None
    one = replace(found[0], rate=sum(each.rate for each in found), trouble=None)  # trouble is never in the past
    match selector.metric:
        case "http_requests_total":
            codes = [m for m in selector.matchers if m.label == "code"]
            return lambda at: sum(n for code, n in one.codes(at).items() if all(_fits(m, code) for m in codes))
        case "http_request_duration_seconds_bucket":
            bounds = [m for m in selector.matchers if m.label == "le"]
            return lambda at: sum(n for le, n in one.buckets(at) if all(_fits(m, le) for m in bounds))
        case "http_request_duration_seconds_count":
            return lambda at: int(one.requests(at))
        case _:
            return None


def _fits(matcher: Matcher, value: str) -> bool:
    return _FITS[matcher.operator](value, matcher.value)


def write_blocks(promtool: str, lines: Iterable[str], file: Path, data: Path) -> None:
    """Put OpenMetrics lines into the data folder of a Prometheus that is not running. `file` is written and removed.

    Raises:
        RuntimeError: promtool refused them.
    """
    with file.open("w", encoding="utf-8") as out:
        out.writelines(lines)
    command = [promtool, "tsdb", "create-blocks-from", "openmetrics", f"--max-block-duration={BLOCK}"]
    done = subprocess.run([*command, str(file), str(data)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"promtool could not write the past:\n{done.stdout}{done.stderr}")
    file.unlink()
