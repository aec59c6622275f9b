"""Surveys as a source: the case of the contract test, its streams, what a Survey file becomes, and what `check` says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from platform_meter.model.definitions import Definitions, Survey
from platform_meter.model.facts import Event, Fact, Ref
from platform_meter.model.facts.surveys import Invitation, SurveyResponse
from platform_meter.sources.surveys import SOURCE
from platform_meter.sources.surveys.config import Config, declared
from platform_meter.testing import Case, Later
from platform_meter.testing.outside import FakeOutside

NOW = datetime(2026, 5, 6, 12, tzinfo=UTC)
FOLDER = "/var/surveys"
PATH, INVITED = "/answers", f"{FOLDER}/invited.csv"
SETTINGS: dict[str, Any] = {
    "survey": "platform-nps",
    "shape": "http_json",
    "url": f"https://surveys.example.org{PATH}",
    "token": {"env": "SURVEYS_TOKEN"},
    "invited": INVITED,
    "fields": {"score": (0, 10), "q2": (1, 5)},
}
ADA, BOB, NOBODY = "4d2bcc3cc45372ec", "b969dfcd09f90747", "nobody/dc8f3a928487e2008f20add2/1"


def answered(
    key: str, person: str, day: int, team: str = "unknown", persona: str = "", **answers: float
) -> SurveyResponse:
    return SurveyResponse(
        key=key,
        at=datetime(2026, 5, day, 9, tzinfo=UTC),
        about=Ref(system="surveys", kind="respondents", id=team),
        survey="platform-nps",
        respondent=person,
        answers=tuple(sorted(answers.items())),
        persona=persona,
    )


def asked(key: str, person: str, team: str = "unknown") -> Invitation:
    return Invitation(
        key=f"asked/{key}",
        at=datetime(2026, 5, 1, 8, tzinfo=UTC),
        about=Ref(system="surveys", kind="respondents", id=team),
        survey="platform-nps",
        respondent=person,
    )


def level(fact: Fact) -> Fact:
    """Without the moment at which it was read."""
    return replace(fact, updated=None) if isinstance(fact, Event) else fact


ROWS: list[dict[str, Any]] = [
    {
        "id": "r1",
        "submitted_at": "2026-05-04T11:00:00+02:00",
        "email": "Ada@acme.example ",
        "team": "team-pay",
        "persona": "app-developer",
        "score": 9,
        "q2": "4 - good",
        "why": "Ada says it is fast",
    },
    {"submitted_at": "2026-05-04T09:00:00Z", "score": "3", "q2": None},
]
LATER: list[dict[str, Any]] = [
    {"id": "r2", "submitted_at": "2026-05-06T09:00:00Z", "email": "bob@acme.example", "score": 11, "q2": 5},
    {"id": "r3", "submitted_at": "yesterday", "email": "bob@acme.example", "score": 9, "q2": 5},
]
ASKED = "id,submitted_at,email,team\ni1,2026-05-01T08:00:00Z,ada@acme.example,team-pay\n"
CASE = Case(
    settings=SETTINGS,
    answers={PATH: ROWS, FOLDER: {INVITED: ASKED}},
    now=NOW,
    since=NOW - timedelta(days=90),
    expected=(
        answered("id/5325bda181ff13b8e60036a2", ADA, 4, "team-pay", "app-developer", score=9.0, q2=4.0),
        answered(NOBODY, NOBODY, 4, score=3.0),
        asked("2acc7e139a20d2eb83eaf698", ADA, "team-pay"),
    ),
    people=("ada@acme.example", "Ada", "bob@acme.example"),
    level=level,
    later=Later(
        # One came, one has a score that is none, one has no moment; the invitations are gone.
        answers={PATH: [*ROWS, *LATER], FOLDER: {}},
        after=timedelta(minutes=10),
        expected=(answered("id/f29a34f2fe75e0019bf55bc7", BOB, 6, q2=5.0),),
        failing=frozenset({"invited"}),
        rejected=2,
    ),
    without=[({"invited": None}, frozenset({Invitation}))],
)


def test_a_survey_file_is_the_settings() -> None:
    """Ratings of tickets are their tool's; all others are read by a source of the survey's name."""
    said: dict[str, Any] = {
        "kind": "Survey",
        "id": "nps",
        "source": {"type": "csv", "path": "/var/nps.csv"},
        "questions": [{"id": "nps", "type": "nps", "field": "score"}],
    }
    rated = said | {"id": "rated", "source": {"type": "tickets", "instance": "zendesk"}}
    form = said | {"id": "own", "source": {"type": "form"}}
    found = declared(Definitions(surveys=tuple(Survey.model_validate(one) for one in (said, rated, form))))
    assert {name: (one.shape, one.path, dict(one.fields)) for name, one in found.items()} == {
        "survey-nps": ("csv", "/var/nps.csv", {"score": (0, 10)}),
        "survey-own": ("form", None, {"score": (0, 10)}),
    }
    assert found["survey-nps"] == Config.model_validate(
        {"survey": "nps", "shape": "csv", "path": "/var/nps.csv", "fields": {"score": (0, 10)}}
    )


def test_a_form_asks_nothing_and_is_known_up_to_now() -> None:
    """Its answers are stored when they are given, so a poll that finds nothing misses nothing."""
    config = Config.model_validate({"survey": "own", "shape": "form", "fields": {"nps": (0, 10)}})
    outside = FakeOutside({})
    (stream,) = SOURCE.connect(config, outside, "survey-own")
    assert stream.gives == {SurveyResponse, Invitation}
    assert [page.facts for page in stream.read(None, NOW, NOW)] == [()]
    assert (outside.calls, SOURCE.check(config, outside)) == ([], [])


def test_check_says_what_is_wrong_with_each_file() -> None:
    """All at once: a file without the column, and one that is not there."""
    csv = f"{FOLDER}/nps.csv"
    config = Config.model_validate({**SETTINGS, "shape": "csv", "path": csv, "url": None})
    world = {FOLDER: {csv: "submitted_at,email,Score\n2026-05-04,ada@acme.example,9\n"}}
    assert list(SOURCE.check(config, FakeOutside(world))) == [
        f"answers: {csv}: there is no column score; those that are there: submitted_at, email, Score; correct the survey's file",
        f"invited: there is no {INVITED}; correct the survey's file, or have it written where platform-meter can see it",
    ]
