"""`survey invite`: a link for each person, that answers."""

from __future__ import annotations

import csv
import stat
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner
from werkzeug.test import Client

from platform_meter.cli import main
from platform_meter.cli.common import examined, open_service
from platform_meter.measures.surveys.waves import waves
from platform_meter.web.app import make_app
from platform_meter.web.site import make_site

SURVEY = """
kind: Survey
id: own
source: {type: form}
segment_by: [team]
respondent: mail
questions: [{id: nps, type: nps}]
---
{kind: Team, id: team-pay}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "slo-definitions").mkdir()
    (tmp_path / "slo-definitions" / "survey.yaml").write_text(SURVEY, "utf-8")
    (tmp_path / "people.csv").write_text("mail,team\nada@acme.example,Team-Pay\nbob@acme.example,\n", "utf-8")
    path = tmp_path / "platform-meter.yaml"
    path.write_text("links: {exporter: https://meter.acme.example/}\n", "utf-8")
    return path


def invite(config: Path, *more: str, name: str = "own", people: str = "people.csv") -> tuple[int, str, str]:
    found = CliRunner().invoke(
        main, ["survey", "invite", "-c", str(config), name, "--people", str(config.parent / people), *more]
    )
    return found.exit_code, found.stdout, found.stderr


def test_a_link_of_the_command_answers_at_the_exporter(config: Path, caplog: pytest.LogCaptureFixture) -> None:
    """And what is answered is the survey's, by the team that the file of people names; nobody's name is shown anywhere."""
    code, out, err = invite(config)
    assert (code, err) == (0, "2 invited\n")
    rows = list(csv.DictReader(out.splitlines()))
    assert [row["mail"] for row in rows] == ["ada@acme.example", "bob@acme.example"]
    parts = urlsplit(rows[0]["link"])
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "meter.acme.example", "/survey/own")
    service = open_service(examined(config))
    try:
        client = Client(make_app(make_site(lambda: service, list), local=False))
        link = parse_qs(parts.query)["link"][0]
        assert client.get(f"{parts.path}?{parts.query}").status_code == 200
        assert client.post(parts.path, data={"link": link, "q0": "9"}).status_code == 200
        assert client.post(parts.path, data={"link": link, "q0": "9"}).status_code == 410
        assert [result.error for result in service.once()] == [""]
        with service.history() as history:
            (wave,) = waves(service.meter.scene(history, service.clock()), service.definitions.surveys[0])
        assert (wave.asked["all"], wave.answered["all"]) == (2, 1)
        assert [sorted(voice.segments) for voice in wave.voices] == [["all", "team:team-pay"]]
        explained = "/api/v1/explain?metric=platform_survey_responses&survey=own"
        seen = [
            client.get(path).text for path in ("/metrics", "/satisfaction", "/satisfaction/own", "/sources", explained)
        ]
        assert 'platform_survey_responses{survey="own",segment="all"} 1' in seen[0]
        assert "1 answer in" in seen[-1]
        assert not any("acme.example" in text.lower() for text in seen)
        assert "acme.example" not in caplog.text
    finally:
        service.close()


def test_links_in_a_file_are_for_its_owner(config: Path) -> None:
    """Whoever has one may answer in somebody's place."""
    links = config.parent / "links.csv"
    assert invite(config, "-o", str(links), "--url", "http://127.0.0.1:9898")[0] == 0
    assert stat.S_IMODE(links.stat().st_mode) == 0o600
    assert (
        links.read_text("utf-8").splitlines()[1].startswith("ada@acme.example,http://127.0.0.1:9898/survey/own?link=")
    )


def test_teams_that_nobody_knows_are_told(config: Path) -> None:
    """They may be misspelt; whoever is of one is invited all the same."""
    (config.parent / "people.csv").write_text("mail,team\nada@acme.example,team-pya\n", "utf-8")
    assert invite(config)[2] == (
        "1 invited\nworth knowing: no Team file is called team-pya; unless a portal tells of it, its people count in no group\n"
    )


def test_what_is_missing_is_said(config: Path) -> None:
    """The survey, the column, the address; nobody is invited then."""
    code, _, err = invite(config, name="other")
    assert (code, "has the id 'other'; there are: own" in err) == (1, True)
    (config.parent / "names.csv").write_text("name\nada\n", "utf-8")
    code, _, err = invite(config, people="names.csv")
    assert (code, "names.csv: there is no column 'mail'; those that are there: name" in err) == (1, True)
    config.write_text("zone: UTC\n", "utf-8")
    code, out, err = invite(config)
    assert (code, out, "write links: {exporter: https://HOST}" in err) == (1, "", True)
