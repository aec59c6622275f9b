from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.company import company
from tests.support.http import Reply, serving
from tests.support.places import ROOT
from tests.support.prometheus import promtool
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


def test_the_committed_files_are_generated_from_the_slo_files() -> None:
    """`generate --check` finds nothing stale in this repository."""
    assert run("generate", "--check", "--slos", SLOS, "--dashboards", ROOT / "dashboards" / "generated") == (
        0,
        "every generated file is as it would be written now\n",
    )


def test_generate_says_what_promtool_counts(slos: Path, tmp_path: Path) -> None:
    """The number of rules that `generate` prints is the number that `promtool check rules` finds."""
    code, output = run("generate", "--slos", slos, "--dashboards", tmp_path / "boards")
    assert code == 0
    found = promtool("check", "rules", *sorted((slos / "generated").glob("*.rules.yml")))
    counted = sum(int(line.split()[1]) for line in found.splitlines() if "SUCCESS" in line)
    assert output.splitlines()[-1] == f"10 SLOs, {counted} rules"


def test_a_second_generate_changes_nothing(slos: Path, tmp_path: Path) -> None:
    """The same SLO files give the same bytes."""
    boards = tmp_path / "boards"
    run("generate", "--slos", slos, "--dashboards", boards)
    before = {p: p.read_bytes() for p in [*slos.rglob("*"), *boards.rglob("*")] if p.is_file()}
    code, output = run("generate", "--slos", slos, "--dashboards", boards)
    assert (code, {p: p.read_bytes() for p in before}) == (0, before)
    assert output.count(": 0 files changed") == 2


def test_stale_files_are_named(slos: Path, tmp_path: Path) -> None:
    """`--check` exits 1 and names what is missing, stale or left over; `--diff` shows it; neither writes."""
    boards = tmp_path / "boards"
    run("generate", "--slos", slos, "--dashboards", boards)
    ci = slos / "ci.yaml"
    ci.write_text(ci.read_text().replace("target: 0.99", "target: 0.98"))
    (slos / "support.yaml").unlink()
    (boards / "adoption.json").unlink(missing_ok=True)
    code, output = run("generate", "--check", "--slos", slos, "--dashboards", boards)
    assert code == 1
    assert f"{slos / 'generated' / 'ci.rules.yml'} is stale; run: platform-meter generate" in output.splitlines()
    assert (
        f"{slos / 'generated' / 'support.rules.yml'} is left over; run: platform-meter generate" in output.splitlines()
    )
    code, output = run("generate", "--diff", "--slos", slos, "--dashboards", boards)
    assert code == 1
    assert "-      vector(0.99)" in output
    assert "+      vector(0.98)" in output
    assert (slos / "generated" / "support.rules.yml").is_file()


def test_files_of_others_stay(slos: Path, tmp_path: Path) -> None:
    """What somebody put beside generated files is neither changed nor removed, though it quotes or copies one of them."""
    boards = tmp_path / "boards"
    run("generate", "--slos", slos, "--dashboards", boards)
    rules = slos / "generated" / "ci.rules.yml"
    mine = {
        slos / "generated" / "notes.yml": f"# how this folder came about:\n{rules.read_text()}",
        slos / "generated" / "old" / "ci.rules.yml": rules.read_text(),
        boards / "my-ci.json": (boards / "pm-ci.json").read_text().replace('"pm-ci"', '"my-ci"'),
        boards / "copy.json": (boards / "pm-ci.json").read_text(),
    }
    for path, text in mine.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    code, output = run("generate", "--slos", slos, "--dashboards", boards)
    assert (code, output.count(": 0 files changed")) == (0, 2)
    assert {path: path.read_text() for path in mine} == mine
    assert run("generate", "--check", "--slos", slos, "--dashboards", boards)[0] == 0


def test_a_file_in_the_way_is_refused(slos: Path, tmp_path: Path) -> None:
    """Where a generated file would replace somebody's own, nothing at all is written, and the message says what to do."""
    boards = tmp_path / "boards"
    boards.mkdir()
    (boards / "pm-ci.json").write_text("{}")
    refused = (
        f"{boards / 'pm-ci.json'} is in the way: `generate` did not write it; "
        "move it away, or name another folder with --dashboards"
    )
    code, output = run("generate", "--slos", slos, "--dashboards", boards)
    assert (code, output.splitlines()) == (1, [refused, "nothing was written"])
    assert [p.name for p in boards.iterdir()] == ["pm-ci.json"]
    assert list((slos / "generated").iterdir()) == []
    code, output = run("generate", "--check", "--slos", slos, "--dashboards", boards)
    assert code == 1
    assert refused in output.splitlines()


def test_every_removal_is_printed(slos: Path, tmp_path: Path) -> None:
    """A service without SLOs loses its files, and each is named."""
    boards = tmp_path / "boards"
    run("generate", "--slos", slos, "--dashboards", boards)
    (slos / "support.yaml").unlink()
    code, output = run("generate", "--slos", slos, "--dashboards", boards)
    assert code == 0
    generated = slos / "generated"
    assert [line for line in output.splitlines() if "removed" in line] == [
        f"{generated / name} was generated no more, and is removed"
        for name in ("support.rules.yml", "support.short.test.yml")
    ]
    assert not (generated / "support.rules.yml").exists()


def test_what_the_file_system_refuses_is_a_sentence(slos: Path, tmp_path: Path) -> None:
    """A folder that cannot be made, as a file stands there, ends it with its name; the other folder is untouched."""
    (tmp_path / "boards").write_text("")
    code, output = run("generate", "--slos", slos, "--dashboards", tmp_path / "boards")
    assert (code, output) == (1, f"Error: {tmp_path / 'boards'}: Not a directory\n")
    assert list((slos / "generated").iterdir()) == []


def test_rules_among_the_slo_files_are_no_input(slos: Path, tmp_path: Path) -> None:
    """Rules may go to any folder, also one that is searched for SLO files."""
    for _ in range(2):
        code, output = run("generate", "--slos", slos, "--rules", slos / "rules", "--dashboards", tmp_path / "boards")
        assert (code, output.splitlines()[-1].split(",")[0]) == (0, "10 SLOs")


def test_the_scrape_interval_is_said(slos: Path, tmp_path: Path) -> None:
    """Tiles read one scrape late, and one more than their 5 minutes, whatever the interval; explain counts with it too."""
    assert run("generate", "--scrape", "60s", "--slos", slos, "--dashboards", tmp_path / "boards")[0] == 0
    assert "[6m] offset 1m) * 300 / 360" in (slos / "generated" / "requests.rules.yml").read_text()
    code, output = run("slo", "explain", "--slos", slos, "--scrape", "1m", "requests-availability")
    assert (code, "  scrape                 60 s" in output) == (0, True)


@pytest.mark.parametrize("scrape", ["0s", "3m", "1.5s", "often"])
def test_scrape_intervals_that_rules_cannot_be_written_for(scrape: str, slos: Path) -> None:
    """Whole seconds up to 2 minutes; anything else is a usage error, and nothing is written."""
    assert run("generate", "--scrape", scrape, "--slos", slos)[0] == 2
    assert not (slos / "generated").exists()


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


def test_problems_of_slo_files_end_it(slos: Path, tmp_path: Path) -> None:
    """A bad SLO file is drawn with its line, nothing is written, and the exit code is 1."""
    ci = slos / "ci.yaml"
    ci.write_text(ci.read_text().replace("target: 0.99", "target: 99"))
    code, output = run("generate", "--slos", slos, "--dashboards", tmp_path / "boards")
    assert code == 1
    assert f"{ci}:22:73: 99 is a percentage where a share is meant" in output
    assert not (slos / "generated").exists()


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


LINKED = """links: {exporter: "https://meter.example/", grafana: "https://grafana.example"}
sources: {github: {type: github, org: acme, token: {env: NOT_SET_HERE}}}
"""


def test_alerts_link_to_the_addresses_of_the_configuration(slos: Path, tmp_path: Path) -> None:
    """Whatever else is wrong with it; what has no address has no link, and without a file there is none."""
    config, boards = tmp_path / "platform-meter.yaml", tmp_path / "boards"
    config.write_text(LINKED)
    assert run("generate", "--slos", slos, "--dashboards", boards, "-c", config)[0] == 0
    text = (slos / "generated" / "ci.rules.yml").read_text()
    assert set(re.findall(r"(\w+_url): (.+)", text)) == {
        ("page_url", '"https://meter.example/slos/ci-platform-success"'),
        ("dashboard_url", '"https://grafana.example/d/pm-slo-detail?var-slo=ci-platform-success"'),
    }
    meter = (slos / "generated" / "platform_meter.rules.yml").read_text()
    assert 'page_url: "https://meter.example/support"' in meter
    assert 'dashboard_url: "https://grafana.example/d/pm-meter"' in meter
    assert run("generate", "--slos", slos, "--dashboards", boards)[0] == 0
    assert "_url:" not in (slos / "generated" / "ci.rules.yml").read_text()


def test_wrong_links_are_told_and_nothing_is_written(slos: Path, tmp_path: Path) -> None:
    """Drawn like every problem; a configuration that is named and not there is one too."""
    config, boards = tmp_path / "platform-meter.yaml", tmp_path / "boards"
    config.write_text("links: {exportr: https://meter.example}\n")
    code, output = run("generate", "--slos", slos, "--dashboards", boards, "-c", config)
    assert code == 1
    assert f"{config}:1:9: unknown key 'exportr' in 'links' of this file; did you mean 'exporter'?" in output
    code, output = run("generate", "--slos", slos, "--dashboards", boards, "-c", tmp_path / "no.yaml")
    assert (code, "no.yaml" in output) == (1, True)
    assert not (slos / "generated").exists()
