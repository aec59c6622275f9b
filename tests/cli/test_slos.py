from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.prometheus import promtool

from platform_meter.cli import main

ROOT = Path(__file__).parents[2]
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
    assert output.splitlines()[-1] == f"8 SLOs, {counted} rules"


def test_a_second_generate_changes_nothing(slos: Path, tmp_path: Path) -> None:
    """The same SLO files give the same bytes."""
    boards = tmp_path / "boards"
    run("generate", "--slos", slos, "--dashboards", boards)
    before = {p: p.read_bytes() for p in [*slos.rglob("*"), *boards.rglob("*")] if p.is_file()}
    code, output = run("generate", "--slos", slos, "--dashboards", boards)
    assert (code, {p: p.read_bytes() for p in before}) == (0, before)
    assert " 0 changed" in output


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


def test_problems_of_slo_files_end_it(slos: Path, tmp_path: Path) -> None:
    """A bad SLO file is drawn with its line, nothing is written, and the exit code is 1."""
    ci = slos / "ci.yaml"
    ci.write_text(ci.read_text().replace("target: 0.99", "target: 99"))
    code, output = run("generate", "--slos", slos, "--dashboards", tmp_path / "boards")
    assert code == 1
    assert f"{ci}:21:73: 99 is a percentage where a share is meant" in output
    assert not (slos / "generated").exists()


def test_slo_list_and_explain(slos: Path) -> None:
    """`list` has a line for each SLO; `explain` prints detection term by term; an unknown name is a usage error."""
    code, output = run("slo", "list", "--slos", slos)
    assert (code, len(output.splitlines())) == (0, 8)
    assert "ci-platform-success                      99 % over 28d, standard, ci" in output.splitlines()
    code, output = run("slo", "explain", "--slos", slos, "ci-platform-success")
    assert code == 0
    for term in ("threshold (page 1h)    8.64 min", "poll lag", "scrape", "evaluation", "group wait", "together"):
        assert term in output
    code, output = run("slo", "explain", "--slos", slos, "ci-platform-sucess")
    assert code == 2
    assert "no SLO is called 'ci-platform-sucess'; did you mean 'ci-platform-success'?" in output
