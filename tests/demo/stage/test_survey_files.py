"""The demo's survey files: what the exporter makes of them is what people said, whatever the seed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from tests.support.history import MemoryHistory, owner, source

from platform_meter.demo.company.days import ZONE
from platform_meter.demo.company.layout import Company
from platform_meter.demo.company.surveys import Ballot, ballots, invitations
from platform_meter.demo.stage.survey_files import survey_files, surveys
from platform_meter.measures.surveys.waves import waves
from platform_meter.model.catalogue.surveys import SURVEY_NPS
from platform_meter.model.definitions import Definitions, Survey, Team
from platform_meter.model.facts.surveys import Invitation, SurveyResponse
from platform_meter.model.measure import Scene
from platform_meter.runtime.files.check import examine
from platform_meter.runtime.service import Service
from platform_meter.sources.surveys import SOURCE
from platform_meter.testing.outside import FakeOutside

START = datetime(2026, 6, 10, 9, tzinfo=UTC)
NPS, PULSE = (Survey.model_validate(one) for one in surveys())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_exporter_counts_what_people_said(seed: int) -> None:
    """Of each the last answer, in both waves: judged a second time from the company's own records."""
    company = Company.build(seed, START, teams=24, services=24)
    world = {"../surveys": {f"../surveys/{name}": text for name, text in survey_files(company).items()}}
    settings = SOURCE.declared(Definitions(surveys=(NPS,)))["survey-platform-nps"]
    told = [
        ("survey-platform-nps", owner(fact.about.id), fact)
        for stream in SOURCE.connect(settings, FakeOutside(world), "survey-platform-nps")
        for page in stream.read(None, datetime(2026, 1, 1, tzinfo=UTC), START)
        for fact in page.facts
        if isinstance(fact, SurveyResponse | Invitation)
    ]
    scene = Scene(
        history=MemoryHistory(told, sources=[source("survey-platform-nps", "surveys", watermark=START)]),
        definitions=Definitions(
            surveys=(NPS,), teams=tuple(Team(kind="Team", id=t.id, org=t.org, persona=t.persona) for t in company.teams)
        ),
        now=START,
        zone=ZONE,
    )
    found = waves(scene, NPS)
    assert [wave.name for wave in found] == ["April 2026", "May 2026"]
    for wave, month in zip(found, (4, 5), strict=True):
        last: dict[str, Ballot] = {
            one.person: one for one in ballots(company) if one.at.astimezone(ZONE).month == month
        }
        asked = [one for one in invitations(company) if one.at.astimezone(ZONE).month == month]
        n = len(last)
        score = wave.scores(NPS.questions[0])["all"]
        assert (wave.counted("all"), wave.answered["all"], wave.asked["all"]) == (n, n, len(asked))
        up, down = (sum(fits) for fits in zip(*((b.score >= 9, b.score <= 6) for b in last.values()), strict=True))
        assert score.point == pytest.approx(100 * (up - down) / n)
        ease = wave.scores(NPS.questions[1])["all"]
        assert ease.point == pytest.approx(sum(b.ease >= 4 for b in last.values()) / n)
        usable = wave.scores(NPS.questions[2])["all"]
        steps = [sum(b.usable[::2]) - 5 + 25 - sum(b.usable[1::2]) for b in last.values()]
        assert usable.point == pytest.approx(sum(steps) / 40 / n)
        assert {f"persona:{team.persona}" for team in company.teams} & wave.shown


def test_the_exporter_shows_them(tmp_path: Path) -> None:
    """From the files to the series: the newer wave, as the company's own records have it."""
    company = Company.build(1, START, teams=24, services=24)
    for folder, files in (("surveys", survey_files(company)), ("slo-definitions", _definitions(company))):
        (tmp_path / folder).mkdir()
        for name, text in files.items():
            (tmp_path / folder / name).write_text(text, "utf-8")
    config = tmp_path / "platform-meter.yaml"
    config.write_text("zone: Europe/Berlin\n", "utf-8")
    found = examine(config)
    assert found.problems == ()
    assert found.config is not None
    service = Service(found.config, found.definitions, environ={}, clock=lambda: START)
    try:
        assert {result.error for result in service.once()} == {""}
        last = {one.person: one.score for one in ballots(company) if one.at.astimezone(ZONE).month == 5}
        scores = [(score >= 9) - (score <= 6) for score in last.values()]
        rows = dict(service.meter.rows[SURVEY_NPS.name])
        assert rows["platform-nps", "all", "point"] == pytest.approx(100 * sum(scores) / len(scores))
        assert {labels[1].partition(":")[0] for labels in rows} == {"all", "persona", "org"}
    finally:
        service.close()


def _definitions(company: Company) -> dict[str, str]:
    teams = [{"kind": "Team", "id": t.id, "org": t.org, "persona": t.persona} for t in company.teams]
    return {"all.yaml": yaml.safe_dump_all([*surveys(), *teams])}


def test_no_name_of_a_person_leaves_the_files() -> None:
    """The facts have hashes."""
    company = Company.build(1, START, teams=24, services=24)
    world = {"../surveys": {f"../surveys/{name}": text for name, text in survey_files(company).items()}}
    settings = SOURCE.declared(Definitions(surveys=(NPS,)))["survey-platform-nps"]
    streams = SOURCE.connect(settings, FakeOutside(world), "survey-platform-nps")
    told = repr([page for stream in streams for page in stream.read(None, datetime(2026, 1, 1, tzinfo=UTC), START)])
    assert not [person for team in company.teams for person in team.people if f"{person}@" in told]


def test_one_survey_brings_its_own_form() -> None:
    """Which nobody has answered yet."""
    assert (PULSE.source.type, PULSE.instance) == ("form", "survey-pulse")
