"""`slo backtest` on a real Prometheus with days behind it: what fired is what its own rules say, and the budget is the truth."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from click.testing import CliRunner
from tests.support.prometheus import Prometheus, prometheus
from tests.support.real_source import utc_now
from tests.support.slos import RATIO, replaced

from platform_meter.cli import main

STEP = 30
DAYS, OUTAGE, LONG = 6, timedelta(days=4, hours=3), timedelta(minutes=30)
"""Days of scrapes, from when to the outage, and how long it lasts."""
EACH = 30
"""Requests between two scrapes."""
GAP = timedelta(minutes=10)
"""Without a scrape, within the outage: what failed meanwhile is seen after it."""


def _history(begin: int, end: int) -> Iterator[str]:
    out = begin + int(OUTAGE.total_seconds())
    over = out + int(LONG.total_seconds())
    unseen = range(out + 600, out + 600 + int(GAP.total_seconds()))
    yield "# TYPE http_requests counter"
    for code, failing in (("200", False), ("503", True)):
        count = 0
        for moment in range(begin, end + 1, STEP):
            count += EACH * (failing is (out < moment <= over))
            if moment not in unseen:
                yield f'http_requests_total{{code="{code}"}} {count} {moment}'
    yield "# EOF\n"


def test_what_would_have_fired_and_what_was_left(tmp_path: Path) -> None:
    """Half an hour of failures, of which ten minutes were not scraped: a page before and after, and all of it in the budget."""
    end = int(utc_now().timestamp()) // 60 * 60
    begin = end - DAYS * 86_400
    slos = tmp_path / "slos"
    slos.mkdir()
    (slos / "a.yaml").write_text(replaced(RATIO, ("30d", "28d")), "utf-8")
    with prometheus(tmp_path / "prometheus", {}, history="\n".join(_history(begin, end))) as server:
        said = _backtest(server, slos, tmp_path / "kept")
    failed = LONG / timedelta(seconds=STEP) * EACH
    out = datetime.fromtimestamp(begin, UTC) + OUTAGE
    assert f"{failed:,.0f} of " in said[1]
    pages = [line for line in said if " 1h, for " in line]
    began = (out + timedelta(minutes=1), out + timedelta(minutes=20))  # in the gap there is nothing to page for
    assert pages == [f"    {at:%Y-%m-%d %H:%M} 1h, for {long} min" for at, long in zip(began, (14, 15), strict=True)]
    every = DAYS * 86_400 / STEP * EACH
    left = 1 - failed / every / 0.001
    told = float(said[2].split("%")[0].strip()) / 100
    assert abs(told - left) < 0.01 * abs(left)
    assert any(line.split()[:2] == ["99", "%"] for line in said)


def _backtest(server: Prometheus, slos: Path, keep: Path) -> list[str]:
    options = ["--slos", str(slos), "--prometheus", server.url, "--last", f"{DAYS}d", "--keep", str(keep)]
    done = CliRunner().invoke(main, ["slo", "backtest", *options, "--objective", "99%"])
    assert done.exit_code == 0, done.output
    return done.stdout.splitlines()
