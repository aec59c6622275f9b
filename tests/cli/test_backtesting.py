"""`slo backtest`: what it asks to be told, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.http import Reply, serving
from tests.support.slos import RATIO, STORED

from platform_meter.cli import main


@pytest.fixture
def slos(tmp_path: Path) -> Path:
    folder = tmp_path / "slos"
    folder.mkdir()
    (folder / "a.yaml").write_text(f"{RATIO}---\n{STORED}", "utf-8")
    return folder


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--objective", "99.9"], "99.9 is a percentage where a share is meant; write 0.999"),
        (["--objective", "100%"], "an objective of 100 % leaves no budget"),
        (["--last", "5m"], "is no whole number of seconds in 1h to 400d"),
        (["--prometheus", "nowhere"], "--prometheus"),
        (["shop-request"], "no SLO is called 'shop-request'; did you mean 'shop-requests'?"),
    ],
)
def test_what_makes_no_sense_is_refused(slos: Path, more: list[str], said: str) -> None:
    """Before anything is asked for."""
    options = ["slo", "backtest", "--slos", str(slos), "--prometheus", "http://127.0.0.1:1", *more]
    done = CliRunner().invoke(main, options)
    assert done.exit_code == 2
    assert said in " ".join(done.output.split())


def test_a_past_without_events_and_what_prometheus_does_not_count(slos: Path) -> None:
    """Both are said, SLO by SLO; progress goes elsewhere."""
    with serving() as server:
        server.on("/api/v1/query_range", Reply(body=b'{"status":"success","data":{"result":[]}}'))
        options = ["slo", "backtest", "--slos", str(slos), "--prometheus", server.url, "--last", "1d"]
        done = CliRunner().invoke(main, options)
    assert done.exit_code == 0, done.output
    one, two, three = done.stdout.splitlines()
    assert one.endswith(": counted by the exporter, not by Prometheus")
    assert (two.split(": ")[0], three) == ("shop-requests", "  no events in this time")
    assert "2 of 2 shop-requests" in done.stderr


def test_a_server_that_is_not_there_is_one_sentence(slos: Path) -> None:
    """No traceback."""
    done = CliRunner().invoke(
        main, ["slo", "backtest", "--slos", str(slos), "--prometheus", "http://127.0.0.1:1", "shop-requests"]
    )
    assert done.exit_code == 1
    assert "the Prometheus of --prometheus: " in done.stderr
