from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.company import company
from tests.support.http import Reply, serving
from tests.support.places import ROOT
from tests.support.slos import ASKED, replaced

from platform_meter.cli import main

SLOS = ROOT / "slo-definitions"


@pytest.fixture
def slos(tmp_path: Path) -> Path:
    """A copy of this repository's SLO files, without what is generated."""
    return Path(shutil.copytree(SLOS, tmp_path / "slos", ignore=shutil.ignore_patterns("generated")))


def run(*arguments: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(main, [str(a) for a in arguments])
    return done.exit_code, done.output


def test_the_scrape_interval_is_said(slos: Path, tmp_path: Path) -> None:
    """Tiles read one scrape late, and one more than their 5 minutes, whatever the interval; explain counts with it too."""
    assert run("generate", "--scrape", "60s", "--slos", slos, "--dashboards", tmp_path / "boards")[0] == 0
    assert "[6m] offset 1m) * 300 / 360" in (slos / "generated" / "requests.rules.yml").read_text()
    code, output = run("slo", "explain", "--slos", slos, "--scrape", "1m", "requests-availability")
    assert (code, "  scrape                 60 s" in output) == (0, True)


@pytest.mark.parametrize("traffic", ["nan", "-5", "0", "inf", "much"])
def test_traffic_is_a_number_above_0(traffic: str, slos: Path) -> None:
    """Anything else is a usage error."""
    code, output = run("slo", "explain", "--slos", slos, "--traffic", traffic, "ci-platform-success")
    assert code == 2
    assert f"'{traffic}' is no number of events an hour above 0, such as 60 or 0.5" in output


@pytest.mark.parametrize("traffic", ["1e-9", "1e-300", "1e300"])
def test_any_traffic_above_0_is_explained(traffic: str, slos: Path) -> None:
    """However little or much."""
    code, _ = run("slo", "explain", "--slos", slos, "--traffic", traffic, "ci-platform-success")
    assert code == 0


def test_explain_says_how_to_have_the_traffic_counted(slos: Path, tmp_path: Path) -> None:
    """Without a store and without a Prometheus it says what to give; a store that is not there yet is not made."""
    explain = ("slo", "explain", "--slos", slos, "ci-platform-success", "-c")
    help_ = "give --prometheus URL or --traffic EVENTS for its own"
    _, output = run(*explain, tmp_path / "none.yaml")
    assert f"at steady traffic ({help_}):" in output
    config = tmp_path / "platform-meter.yaml"
    config.write_text("zone: UTC\n")
    _, output = run(*explain, config)
    assert f"at steady traffic ({config} has no store yet; {help_}):" in output
    config.write_text("zoned: UTC\n")
    _, output = run(*explain, config)
    assert f"at steady traffic ({config} has problems, see platform-meter check -c {config}; {help_}):" in output
    assert not (tmp_path / "platform-meter.db").exists()


def test_the_source_that_counts_is_known(tmp_path: Path) -> None:
    """`list` says its type; `explain` what it adds, by the settings of the configuration, but for what is said by hand; a source that is not there tells nothing."""
    slos, config = tmp_path / "slos", tmp_path / "platform-meter.yaml"
    slos.mkdir()
    (slos / "a.yaml").write_text(ASKED, "utf-8")
    config.write_text(
        "sources: {logs: {type: elasticsearch, url: 'http://127.0.0.1:9200', delay: 4m, every: 2m}}", "utf-8"
    )
    assert run("slo", "list", "--slos", slos) == (
        0,
        "logged                                   99.9 % over 28d, standard, logged, counted by elasticsearch\n",
    )
    explain = ("slo", "explain", "--slos", slos, "-c", config, "logged")
    code, output = run(*explain)
    assert code == 0
    assert "read          4 min after the end of each minute, every 2 min, by source logs\n" in output
    assert "poll lag               2 min\n" in output
    _, output = run(*explain, "--poll", "7m")
    assert "delay of the source    4 min\n  poll lag               7 min\n" in output
    counted = replaced(
        ASKED,
        ("bad: {metricSource: {type: elasticsearch", "good: {metricSource: {type: datadog"),
        ("{index: logs-*, query: {range: {status: {gte: 500}}}}", "{query: 'sum:fine{*}.as_count()'}"),
        ("total: {metricSource: {type: elasticsearch", "total: {metricSource: {type: datadog"),
        ("{index: logs-*, query: '*'}", "{query: 'sum:all{*}.as_count()'}"),
    )
    (slos / "a.yaml").write_text(counted, "utf-8")
    config.write_text("sources: {dd: {type: datadog, api_key: {env: A}, application_key: {env: B}}}", "utf-8")
    _, output = run(*explain)
    assert "2 min after the end of each minute, every 60 s, by source dd\n" in output
    assert "one without good events 5 min after: they may be on their way\n" in output
    config.write_text("sources: {dd: {type: github, org: acme, token: {env: NOWHERE}}}", "utf-8")
    _, output = run(*explain)
    assert "the configuration (-c) says how long" in output


def test_explain_asks_the_store_of_the_configuration(slos: Path, tmp_path: Path) -> None:
    """The traffic of an SLO over stored events is what its store holds; one without events says so."""
    with company(tmp_path, seed=3, teams=8, services=16) as running:
        running.poll()
    config = tmp_path / "platform-meter.yaml"
    _, output = run("slo", "explain", "--slos", slos, "-c", config, "ci-platform-success")
    assert re.search(rf"at [0-9.]+ events an hour \(counted by the store of {config} over 28d\):", output)
    assert "  page 1h: with fewer than 7 events in 1h one failure alone burns faster than 14.4" in output
    assert re.search(r"\n    about [0-9.]+ events expected in 1h", output)


def test_explain_asks_prometheus(slos: Path, tmp_path: Path) -> None:
    """The traffic is what the rules recorded; a Prometheus that does not answer is named, and one without address refused."""
    explain = ("slo", "explain", "--slos", slos, "-c", tmp_path / "none.yaml", "requests-availability", "--prometheus")
    with serving() as server:
        server.on("/api/v1/query", Reply(body=b'{"data": {"result": [{"value": [1, "60"]}]}}'))
        _, output = run(*explain, server.url)
        assert f"at 60 events an hour (counted by {server.url} over 28d):" in output
        assert "    about 60 events expected in 1h: in a full outage it comes after 3 min instead of 51.8 s" in output
    code, output = run(*explain, server.url)
    assert (code, "Connection refused; give --prometheus URL or --traffic EVENTS" in output) == (0, True)
    assert run(*explain, "localhost:9090")[0] == 2


def test_slo_list_and_explain(slos: Path) -> None:
    """`list` has a line for each SLO; `explain` prints detection term by term; an unknown name is a usage error."""
    code, output = run("slo", "list", "--slos", slos)
    assert (code, len(output.splitlines())) == (0, 10)
    assert "ci-platform-success                      99 % over 28d, standard, ci" in output.splitlines()
    code, output = run("slo", "explain", "--slos", slos, "ci-platform-success")
    assert code == 0
    for term in ("threshold (page 1h)    8.64 min", "poll lag", "scrape", "evaluation", "group wait", "together"):
        assert term in output
    code, output = run("slo", "explain", "--slos", slos, "--poll", "5m", "--group-wait", "10s", "ci-platform-success")
    assert "  poll lag               5 min" in output
    assert "  group wait             10 s" in output
    code, output = run("slo", "explain", "--slos", slos, "ci-platform-sucess")
    assert code == 2
    assert "no SLO is called 'ci-platform-sucess'; did you mean 'ci-platform-success'?" in output
