from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from tests.support.places import ROOT
from tests.support.prometheus import promtool

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


def test_routes_of_alertmanager_are_written_where_they_are_asked_for(slos: Path, tmp_path: Path) -> None:
    """Beside the rules' folder, among the SLO files, where they are no input; without the option nothing looks at them."""
    boards, routes = tmp_path / "boards", slos / "alertmanager.yml"
    usual = ("generate", "--slos", slos, "--dashboards", boards)
    assert run(*usual)[0] == 0
    assert not routes.exists()
    code, output = run(*usual, "--check", "--alertmanager", routes)
    assert (code, output) == (1, f"{routes} is missing; run: platform-meter generate --alertmanager {routes}\n")
    code, output = run(*usual, "--alertmanager", routes)
    assert (code, output.splitlines()[-2]) == (0, f"{routes}: 1 files changed")
    config = yaml.safe_load(routes.read_text())
    assert [route["receiver"] for route in config["route"]["routes"][:2]] == [
        "platform-ci-ticket",
        "platform-delivery-ticket",
    ]
    assert run(*usual, "--check", "--alertmanager", routes)[0] == 0
    support = slos / "support.yaml"
    support.write_text(support.read_text().replace("owner: platform-support", "owner: helpdesk"))
    assert run(*usual)[0] == 0
    assert "receiver: platform-support-ticket" in routes.read_text()
    code, output = run(*usual, "--diff", "--alertmanager", routes)
    assert (code, "+      receiver: helpdesk-ticket\n" in output) == (1, True)


def test_routes_of_somebody_else_stay(slos: Path, tmp_path: Path) -> None:
    """A configuration that is in use is not replaced, and nothing else is written."""
    mine = tmp_path / "alertmanager.yml"
    mine.write_text("route: {receiver: me}\n")
    code, output = run("generate", "--slos", slos, "--dashboards", tmp_path / "boards", "--alertmanager", mine)
    assert (code, output.splitlines()) == (
        1,
        [
            f"{mine} is in the way: `generate` did not write it; move it away, or name another file with --alertmanager",
            "nothing was written",
        ],
    )
    assert mine.read_text() == "route: {receiver: me}\n"
    assert list((slos / "generated").iterdir()) == []


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("slos/generated/routes.yml", "lies among the rules, and whoever loads these would load it too; write {slos}/routes.yml"),
        ("routes.json", "is no name of a YAML file; write one that ends in .yml, such as alertmanager.yml"),
    ],
)  # fmt: skip
def test_where_routes_cannot_be_written(place: str, text: str, slos: Path, tmp_path: Path) -> None:
    """A usage error that says where they can."""
    code, output = run("generate", "--slos", slos, "--alertmanager", tmp_path / place)
    assert (code, text.format(slos=slos) in output) == (2, True)
    assert not (slos / "generated").exists()


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


@pytest.mark.parametrize("scrape", ["0s", "3m", "1.5s", "often"])
def test_scrape_intervals_that_rules_cannot_be_written_for(scrape: str, slos: Path) -> None:
    """Whole seconds up to 2 minutes; anything else is a usage error, and nothing is written."""
    assert run("generate", "--scrape", scrape, "--slos", slos)[0] == 2
    assert not (slos / "generated").exists()


def test_problems_of_slo_files_end_it(slos: Path, tmp_path: Path) -> None:
    """A bad SLO file is drawn with its line, nothing is written, and the exit code is 1."""
    ci = slos / "ci.yaml"
    ci.write_text(ci.read_text().replace("target: 0.99", "target: 99"))
    code, output = run("generate", "--slos", slos, "--dashboards", tmp_path / "boards")
    assert code == 1
    assert f"{ci}:22:73: 99 is a percentage where a share is meant" in output
    assert not (slos / "generated").exists()


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
