"""VictoriaMetrics: vmalert takes the files of Prometheus, and MetricsQL counts in them what PromQL counts."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from tests.support.our_slos import our_plans
from tests.support.processes import Server, free_ports
from tests.support.slos import ALL, LATENCY, RATIO, SLICES, planned
from tests.support.waiting import PATIENCE

from platform_meter.render.rules import groups, rules
from platform_meter.render.rules.meter_alerts import meter_alerts
from platform_meter.slo.plan import Plan

START = datetime(2026, 3, 1, tzinfo=UTC)
CALM, OUTAGE = timedelta(hours=30), timedelta(hours=1)
"""So long all windows but that of 3 days have enough tiles."""
_SCRAPE = timedelta(seconds=30)
_EVENTS = 3000
"""A scrape."""


def vmalert(folder: Path) -> tuple[int, str]:
    """Load every file, with its expressions and templates, and end."""
    done = subprocess.run(
        ["vmalert", f"-rule={folder}/*.rules.yml", "-dryRun", "-rule.validateTemplates", "-rule.validateExpressions"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_vmalert_loads_all_that_is_generated(tmp_path: Path) -> None:
    """Rules of this repository, of each kind of SLO, and the meter's own alerts."""
    plans = [*our_plans(), *(planned(text) for text in ALL.values())]
    for number, plan in enumerate(plans):
        (artifact,) = rules([plan])
        (tmp_path / f"{number}-{artifact.path}").write_text(artifact.text)
    (tmp_path / "meter.rules.yml").write_text(meter_alerts().text)
    code, said = vmalert(tmp_path)
    assert code == 0, said


@pytest.mark.parametrize(
    ("now", "broken"), [("0 *", "0 * ("), ("{{ $labels.source_instance }}", "{{ $labels.source_instance")]
)
def test_vmalert_reads_expressions_and_templates(now: str, broken: str, tmp_path: Path) -> None:
    """What is broken is refused, so what is taken was read."""
    text = meter_alerts().text
    assert now in text
    (tmp_path / "meter.rules.yml").write_text(text.replace(now, broken))
    code, said = vmalert(tmp_path)
    assert (code != 0, "failed to parse" in said) == (True, True), said


@dataclass
class Victoria:
    """A VictoriaMetrics, and what is asked of it."""

    url: str

    def keep(self, series: Iterable[tuple[Mapping[str, str], list[float], list[float]]]) -> None:
        """Series with their values and times, seen by every question from then on."""
        lines = [
            json.dumps({"metric": labels, "values": values, "timestamps": [int(t * 1000) for t in times]})
            for labels, values, times in series
        ]
        self._call("POST", "/api/v1/import", data="\n".join(lines))
        self._call("GET", "/internal/force_flush")

    def evaluate(self, plan: Plan) -> None:
        """Each recording rule of an SLO in its order, over the whole time at its group's interval."""
        for group in groups(plan):
            for rule in group.rules:
                if rule.record:
                    found = self.over(rule.expr, group.interval)
                    self.keep(
                        ({**labels, **rule.labels, "__name__": rule.record}, values, times)
                        for labels, values, times in found
                    )

    def over(self, expr: str, step: timedelta) -> Iterator[tuple[dict[str, str], list[float], list[float]]]:
        asked = {
            "query": expr,
            "start": START.timestamp(),
            "end": (START + CALM + OUTAGE).timestamp(),
            "step": f"{step.total_seconds():g}s",
        }
        for one in self._call("POST", "/api/v1/query_range", data=asked).json()["data"]["result"]:
            labels = {name: value for name, value in one["metric"].items() if name != "__name__"}
            yield labels, [float(value) for _, value in one["values"]], [at for at, _ in one["values"]]

    def at(self, expr: str, after: timedelta) -> dict[str, float]:
        """Values by the label `window`."""
        asked = {"query": expr, "time": (START + after).timestamp()}
        found = self._call("POST", "/api/v1/query", data=asked).json()["data"]["result"]
        return {one["metric"].get("window", ""): float(one["value"][1]) for one in found}

    def _call(self, method: str, path: str, **more: Any) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            response = session.request(method, f"{self.url}{path}", timeout=PATIENCE, **more)
        assert response.ok, response.text
        return response


@pytest.fixture
def victoria(tmp_path: Path) -> Iterator[Victoria]:
    """VictoriaMetrics as Debian has it, empty."""
    (port,) = free_ports(1)
    found = Victoria(f"http://127.0.0.1:{port}")
    settings = ["-search.disableCache", "-search.latencyOffset=0s", "-retentionPeriod=100y"]
    command = [
        "victoria-metrics",
        f"-httpListenAddr=127.0.0.1:{port}",
        f"-storageDataPath={tmp_path / 'data'}",
        *settings,
    ]

    def is_ready() -> bool:
        try:
            return found._call("GET", "/health").ok
        except OSError:
            return False

    server = Server(command, tmp_path / "log", is_ready)
    server.start()
    yield found
    server.stop()


def counted(bad: float, worse: float) -> tuple[list[float], list[float], list[float]]:
    """Good and bad events as counters, and when they were scraped: one share is bad, and in the outage another."""
    good_events, bad_events, times = [0.0], [0.0], [START.timestamp()]
    for n in range(1, int((CALM + OUTAGE) / _SCRAPE) + 1):
        share = bad if n * _SCRAPE <= CALM else worse
        good_events.append(good_events[-1] + _EVENTS * (1 - share))
        bad_events.append(bad_events[-1] + _EVENTS * share)
        times.append(START.timestamp() + n * _SCRAPE.total_seconds())
    return good_events, bad_events, times


@pytest.mark.parametrize("kind", ["ratio", "latency", "slices"])
def test_metricsql_counts_what_promql_counts(kind: str, victoria: Victoria) -> None:
    """Burn, counts and budget to the event while all is calm; in an outage the page's condition holds, and not before."""
    plan, allowed = {
        "ratio": (planned(RATIO), 0.001),
        "latency": (planned(LATENCY), 0.01),
        "slices": (planned(SLICES), 0.005),
    }[kind]
    share = 0.0 if kind == "slices" else allowed / 2
    good, bad, times = counted(share, 0.25)
    if kind == "latency":
        all_ = [a + b for a, b in zip(good, bad, strict=True)]
        named = [({"__name__": "http_seconds_bucket", "le": "0.5"}, good), ({"__name__": "http_seconds_count"}, all_)]
    else:
        named = [({"__name__": "http_requests_total", "code": code}, n) for code, n in (("200", good), ("500", bad))]
    victoria.keep((labels, values, times) for labels, values in named)
    victoria.evaluate(plan)
    calm = CALM - timedelta(minutes=10)
    burn = victoria.at("slo:burn:rate", calm)
    assert burn == pytest.approx(dict.fromkeys(("5m", "30m", "1h", "2h", "6h", "1d"), share / allowed), abs=1e-6)
    assert victoria.at("slo:budget_remaining:ratio", calm) == pytest.approx({"": 1 - share / allowed}, abs=1e-3)
    (page,) = [
        rule for group in groups(plan) for rule in group.rules if rule.alert and rule.labels.get("window") == "1h"
    ]
    assert victoria.at(page.expr, calm) == {}
    assert victoria.at(page.expr, CALM + OUTAGE - timedelta(minutes=10)) != {}
