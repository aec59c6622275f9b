"""Surveys: what is taken, and what is refused and where."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from platform_meter.model.scalars import Definition, PlacedError
from platform_meter.model.surveying import Question, Survey, SurveySource

NPS: dict[str, Any] = {
    "kind": "Survey",
    "id": "nps",
    "source": {"type": "csv", "path": "nps.csv"},
    "questions": [{"id": "nps", "type": "nps"}],
}
TEN = [f"q{n}" for n in range(1, 11)]


def test_what_the_domain_shows_is_taken() -> None:
    """The sample of its section 14, with what it does not say by default."""
    survey = Survey.model_validate(
        NPS
        | {
            "segment_by": ["persona"],
            "wave": "quarter",
            "questions": [
                {"id": "nps", "type": "nps", "field": "score"},
                {"id": "ease", "type": "csat", "field": "q2", "scale": 5},
            ],
        }
    )
    assert (survey.respondent, survey.at, survey.team, survey.persona) == ("email", "submitted_at", "team", "persona")
    assert survey.bounds == {"score": (0, 10), "q2": (1, 5)}
    assert (survey.instance, survey.called) == ("survey-nps", "nps")


def test_a_sus_has_ten_answers_and_a_text_none_that_is_kept() -> None:
    """Each of the ten is 1 to 5."""
    questions = [{"id": "s", "type": "sus", "fields": TEN}, {"id": "more", "type": "text"}]
    assert Survey.model_validate(NPS | {"questions": questions}).bounds == dict.fromkeys(TEN, (1, 5))


def test_ratings_of_tickets_are_told_by_their_tool() -> None:
    """The source is the tool's, and there all of them are called csat."""
    rated = NPS | {"source": {"type": "tickets", "instance": "zendesk"}}
    survey = Survey.model_validate(rated)
    assert (survey.instance, survey.called) == ("zendesk", "csat")


def test_a_wave_is_cut_at_midnights_of_the_zone() -> None:
    """A second before midnight in Berlin it is still the old half."""
    survey, zone = Survey.model_validate(NPS | {"wave": "half"}), ZoneInfo("Europe/Berlin")
    last = datetime(2026, 6, 30, 21, 59, 59, tzinfo=UTC)
    start, end = datetime(2025, 12, 31, 23, tzinfo=UTC), datetime(2026, 6, 30, 22, tzinfo=UTC)
    assert survey.around(last, zone) == (start, end)
    assert (survey.wave_of(last, zone), survey.wave_of(end, zone)) == ("H1 2026", "H2 2026")


@pytest.mark.parametrize(
    ("model", "said", "text", "at"),
    [
        (
            SurveySource,
            {"type": "http_json"},
            "answers of type http_json need a url; write url: https://surveys.example.org/answers",
            ("type",),
        ),
        (
            SurveySource,
            {"type": "typeform"},
            "answers of type typeform need a path; write path: surveys/answers.csv",
            ("type",),
        ),
        (
            SurveySource,
            {"type": "tickets"},
            "answers of type tickets need an instance; write instance: zendesk",
            ("type",),
        ),
        (SurveySource, {"type": "form", "path": "x.csv"}, "answers of type form have no path; remove it", ("path",)),
        (
            SurveySource,
            {"type": "tickets", "instance": "zendesk", "invited": "x.csv"},
            "answers of type tickets have no invited; remove it",
            ("invited",),
        ),
        (
            Question,
            {"id": "s", "type": "sus", "fields": [*TEN[:9], "q9"]},
            "a SUS has ten fields, found 9; write fields: [q1, q2, ..., q10]",
            ("type",),
        ),
        (
            Question,
            {"id": "s", "type": "theme"},
            "a theme is chosen among some; write themes: {ci: [Faster builds], docs: [Better guides]}",
            ("type",),
        ),
        (
            Question,
            {"id": "s", "type": "nps", "themes": {"ci": []}},
            "only a theme has themes; write type: theme, or remove them from nps",
            ("themes",),
        ),
        (
            Question,
            {"id": "s", "type": "theme", "themes": {"ci": ["Builds"], "docs": [" builds "]}},
            "the answer 'builds' stands for ci and docs; keep it with one of them",
            ("themes", "docs"),
        ),
        (
            Question,
            {"id": "s", "type": "nps", "fields": TEN},
            "only a sus has fields; write field: for nps",
            ("fields",),
        ),
        (
            Survey,
            NPS | {"questions": [{"id": "a", "type": "nps"}, {"id": "a", "type": "text"}]},
            "question 'a' stands twice; give it another id",
            ("questions", 1, "id"),
        ),
        (
            Survey,
            NPS | {"questions": [{"id": "a", "type": "nps", "field": "q"}, {"id": "b", "type": "csat", "field": "q"}]},
            "question 'a' has field 'q' already; name the field of this one",
            ("questions", 1),
        ),
        (
            Survey,
            NPS | {"questions": [{"id": "a", "type": "nps"}, {"id": "b", "type": "nps"}]},
            "a survey has one NPS; ask for the other in a survey of its own",
            ("questions", 1),
        ),
        (
            Survey,
            NPS | {"questions": [{"id": "a", "type": "text"}]},
            "only texts are asked, which are not kept; ask for a number too",
            ("questions",),
        ),
    ],
)
def test_what_does_not_fit_is_said_at_its_place(
    model: type[Definition], said: dict[str, Any], text: str, at: tuple[str | int, ...]
) -> None:
    """With what to write instead."""
    with pytest.raises(ValidationError) as found:
        model.model_validate(said)
    error = found.value.errors()[0].get("ctx", {}).get("error")
    assert isinstance(error, PlacedError)
    assert (str(error), error.at) == (text, at)


def test_a_survey_asks_something() -> None:
    """No question, no survey; a scale has at least two steps, of which a csat's may be 0 and 1."""
    with pytest.raises(ValidationError, match="at least 1 item"):
        Survey.model_validate(NPS | {"questions": []})
    with pytest.raises(ValidationError, match="a scale has two steps or more; write scale: 5"):
        Question.model_validate({"id": "a", "type": "likert", "scale": 1})
    assert Question.model_validate({"id": "a", "type": "csat", "scale": 1}).bounds == (0, 1)


def test_a_theme_has_a_field_for_each_that_may_be_chosen() -> None:
    """And no score; an answer is compared without regard to case and blanks, and a theme's own word is one."""
    asked = Question.model_validate({"id": "m", "type": "theme", "themes": {"ci": ["Faster  Builds"], "docs": []}})
    assert (asked.names, asked.bounds, asked.scored) == (("m=ci", "m=docs"), (1, 1), False)
    assert asked.options == {"ci": "m=ci", "faster builds": "m=ci", "docs": "m=docs"}
    with pytest.raises(ValidationError, match="'a=b' is no word for a theme"):
        Question.model_validate({"id": "m", "type": "theme", "themes": {"a=b": []}})


def test_an_id_can_stand_in_an_address() -> None:
    """It is part of the form's, and of the source's name."""
    with pytest.raises(ValidationError, match="'a/b' can stand in no address; write small letters"):
        Survey.model_validate(NPS | {"id": "a/b"})
