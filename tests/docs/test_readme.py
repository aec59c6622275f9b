from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support.places import ROOT

from platform_meter.cli import main
from platform_meter.cli.outputs import count_rules
from platform_meter.demo.company.layout import Company
from platform_meter.demo.company.traffic import serving
from platform_meter.render.rules import rules
from platform_meter.runtime.files.check import examine
from platform_meter.slo.check import read_slos
from platform_meter.slo.plan import plan


def blocks(page: str, language: str) -> list[str]:
    """Fenced blocks of one language."""
    parts = re.split(r"^```(.*)\n", (ROOT / page).read_text(), flags=re.MULTILINE)
    # text, opening word, block, closing word, text, ...
    return [block for word, block in zip(parts[1::4], parts[2::4], strict=True) if word == language]


def test_the_slo_of_the_readme_becomes_what_it_says() -> None:
    """The SLO file in README has no problem, and gives as many rules as README says."""
    (text,) = blocks("README.md", "yaml")
    found = read_slos([("search.yaml", text)])
    assert (found.problems, len(found.specs)) == ((), 1)
    said = re.search(r"makes of it (\d+) rules", (ROOT / "README.md").read_text())
    assert said is not None
    assert sum(count_rules(a.text) for a in rules([plan(s) for s in found.specs])) == int(said.group(1))


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_is_in_the_readme(name: str) -> None:
    """README's table has every command."""
    assert f"`platform-meter {name}" in (ROOT / "README.md").read_text()


def test_the_files_of_the_tutorial_are_sound(tmp_path: Path) -> None:
    """The tutorial's configuration and definitions, put where it says, have no problem."""
    config, *definitions = (b for b in blocks("docs/tutorial.md", "yaml") if "scrape_configs" not in b)
    (tmp_path / "platform-meter.yaml").write_text(config)
    folder = tmp_path / "slo-definitions"
    folder.mkdir()
    for place, text in enumerate(definitions):
        (folder / f"{place}.yaml").write_text(text)
    assert len(definitions) == 2
    assert examine(tmp_path / "platform-meter.yaml", (), {"GITHUB_TOKEN": "x"}).problems == ()


def test_the_tutorials_slo_has_the_problems_it_shows() -> None:
    """The SLO with two mistakes gives the two messages that the tutorial prints, word for word."""
    text = next(b for b in blocks("docs/tutorial.md", "") if b.startswith("apiVersion: openslo/v1"))
    shown = next(b for b in blocks("docs/tutorial.md", "") if b.startswith("demo-files/slo-definitions/search.yaml:"))
    found = read_slos([("demo-files/slo-definitions/search.yaml", text)])
    assert [f"{p.path}:{p.line}:{p.column}: {p.text}" for p in found.problems] == shown.splitlines()


def test_the_tutorials_slo_measures_what_it_names() -> None:
    """Its service is one that the demo's company serves, of the team that owns it; both queries select it alone."""
    text = next(b for b in blocks("docs/tutorial.md", "") if b.startswith("apiVersion: openslo/v1"))
    mended = text.replace("totl:", "total:").replace("99.9}", "0.999}")
    found = read_slos([("search.yaml", mended)])
    (spec,) = found.specs
    company = Company.build(1, datetime(2026, 6, 1, tzinfo=UTC))
    assert (spec.service, spec.owner) in {(service.id, service.team) for service in serving(company)}
    assert re.findall(r'query: \'http_requests_total\{service="([^"]+)"', text) == [spec.service] * 2
