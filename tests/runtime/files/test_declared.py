"""Sources that definitions bring along stand beside those of the configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from platform_meter.runtime.files.check import examine
from platform_meter.sources.surveys.config import Config

SURVEY = "{kind: Survey, id: nps, source: %s, questions: [{id: nps, type: nps}]}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "slo-definitions").mkdir()
    (tmp_path / "platform-meter.yaml").write_text("zone: UTC\n", "utf-8")
    return tmp_path


def test_a_survey_file_is_a_source(folder: Path) -> None:
    """Its file stands beside the one that names it."""
    path = folder / "slo-definitions" / "survey.yaml"
    path.write_text(SURVEY % "{type: csv, path: nps.csv}", "utf-8")
    found = examine(folder / "platform-meter.yaml")
    assert (found.problems, found.config is None) == ((), False)
    sections = found.config.sources if found.config else {}
    assert {name: section.type_name for name, section in sections.items()} == {"survey-nps": "surveys"}
    settings = sections["survey-nps"].config
    assert isinstance(settings, Config)
    assert settings.path == str(folder / "slo-definitions" / "nps.csv")


def test_its_name_is_its_own(folder: Path) -> None:
    """Facts of both would be those of one."""
    (folder / "slo-definitions" / "survey.yaml").write_text(SURVEY % "{type: form}", "utf-8")
    (folder / "platform-meter.yaml").write_text("sources: {survey-nps: {type: push}}\n", "utf-8")
    assert [p.text for p in examine(folder / "platform-meter.yaml").problems] == [
        "'survey-nps' is what the source of a definition is called; give this one another name"
    ]


def test_ratings_are_those_of_a_source_that_has_some(folder: Path) -> None:
    """Neither of one that is not there, nor of one that tells none."""
    (folder / "slo-definitions" / "survey.yaml").write_text(SURVEY % "{type: tickets, instance: desk}", "utf-8")
    config = folder / "platform-meter.yaml"
    assert [p.text for p in examine(config).problems] == [
        "no source is called 'desk'; configure a source of a ticket tool that has some"
    ]
    config.write_text("sources: {desk: {type: push}}\n", "utf-8")
    assert [p.text for p in examine(config).problems] == [
        "source 'desk' tells of no ratings; configure a source of a ticket tool that has some"
    ]
