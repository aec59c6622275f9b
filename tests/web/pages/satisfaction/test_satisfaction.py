"""The Satisfaction page: scores with their intervals, what changed and what did not, and what is hidden of whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import yaml
from tests.support.history import MemoryHistory, source
from tests.support.surveys import NOW, TEAMS, answer, answers, asked, survey
from tests.support.views import examples, html, tables, view

from platform_meter.model.definitions import Definitions, Survey
from platform_meter.runtime.access.roles import Role
from platform_meter.web.pages.satisfaction import PAGE
from platform_meter.web.view import View

JUNE = datetime(2026, 6, 5, tzinfo=UTC)
BY = survey(title="How we do", segment_by=["persona", "team"])


def seen(told: Any = (), *surveys: Survey, fresh: bool = True) -> View:
    history = MemoryHistory(told, sources=[source("survey-nps", "surveys", watermark=NOW, fresh=fresh)])
    return view(NOW, history, definitions=Definitions(surveys=surveys or (BY,), teams=TEAMS))


def test_a_score_stands_with_its_interval_and_number_of_answers() -> None:
    """And with the response ratio; each number of the chart is in its table."""
    told = [*answers([9] * 9 + [8] * 6 + [3] * 5), *(asked(f"p{n}") for n in range(40))]
    text = html(seen(told), "/satisfaction")
    assert "-15.4 to 50.2, of 20 answers" in text
    found = tables(seen(told), "/satisfaction")
    waves = found["How we do / Waves"]
    assert waves.columns == ("Wave", "Answers", "Response ratio", "nps, NPS", "Since the wave before")
    assert waves.rows == (("Q3 2026, running", "20", "50.0 %", "20.0 -15.4 to 50.2", ""),)
    chart = found["How we do / nps, NPS"]
    assert (chart.columns, chart.rows) == (("", "score", "low", "high"), (("Q3 2026", "20", "-15.40", "50.18"),))


def test_a_change_is_called_one_only_where_it_is_one() -> None:
    """From 20 to -100 of six people the difference excludes 0; from 20 to 0 of ten it does not."""
    before = answers([9] * 9 + [8] * 6 + [3] * 5, JUNE)
    (row, _) = tables(seen([*before, *answers([3] * 6)]), "/satisfaction")["How we do / Waves"].rows
    assert row[-1] == "down 120.0 points since Q2 2026 (-150.2 to -37.9)"
    (row, _) = tables(seen([*before, *answers([9] * 4 + [8] * 2 + [3] * 4)]), "/satisfaction")["How we do / Waves"].rows
    assert row[-1].startswith("no clear change since Q2 2026 (-")


def test_a_wave_of_few_people_is_no_number_to_compare_with() -> None:
    """The one before it is."""
    told = [*answers([9] * 20, datetime(2026, 3, 1, tzinfo=UTC)), *answers([9] * 4, JUNE), *answers([2] * 20)]
    rows = tables(seen(told), "/satisfaction")["How we do / Waves"].rows
    assert [row[3].partition(" ")[0] for row in rows] == ["-100.0", "–", "100.0"]
    assert rows[0][-1].startswith("down 200.0 points since Q1 2026")


GROUPS = [
    *answers([9] * 7, team="team-pay"),
    *answers([8] * 5, team="team-shop"),
    *answers([2] * 6, team="team-data"),
    *answers([1] * 2),
]


def test_groups_are_those_of_personas_and_what_is_hidden_is_said() -> None:
    """Two of no known persona take the smallest persona with them. No team is named to who may not see them."""
    text = html(seen(GROUPS), "/satisfaction")
    groups = tables(seen(GROUPS), "/satisfaction")["How we do / Groups in Q3 2026"]
    assert [row[:2] for row in groups.rows] == [("persona app-developer", "12")]
    assert (
        "Hidden, of fewer than 5 people or such that a group of fewer could be worked out: "
        "persona not known, persona data-engineer." in text
    )
    assert not any(team.id in text for team in TEAMS)
    assert '<a href="/satisfaction/nps">What its teams say</a>' in text


def test_teams_stand_on_a_page_for_the_role_pm() -> None:
    """Under the same rule."""
    assert PAGE.detail is not None
    assert (PAGE.role, PAGE.detail.role) == (Role.VIEWER, Role.PM)
    rows = tables(seen(GROUPS), "/satisfaction/nps")["Groups in Q3 2026"].rows
    assert [row[:2] for row in rows] == [
        ("persona app-developer", "12"),
        ("team team-pay", "7"),
        ("team team-shop", "5"),
    ]


def test_a_survey_whose_wave_must_be_over_first_says_so() -> None:
    """How many answered is known already."""
    waiting = survey(shown="closed")
    text = html(seen([*answers([9] * 6, JUNE), *answers([1] * 7)], waiting), "/satisfaction")
    assert "Q3 2026 has 7 answers; its scores are shown once it is over." in text
    assert "-100" not in text


def test_what_is_absent_says_why() -> None:
    """A stale source, nobody who answered, too few who did, and nobody who says who was asked."""
    assert "There are no current numbers: no fresh data from survey-nps." in html(
        seen(answers([9] * 9), fresh=False), "/satisfaction"
    )
    assert "There are no current numbers: nobody has answered yet." in html(seen(), "/satisfaction")
    few = html(seen([answer("ada")]), "/satisfaction")
    assert "1 answer, of fewer than 5 people: no score" in few
    assert "nobody says who was asked" in few
    other = replace(seen(), definitions=Definitions(surveys=(survey(id="other"),)))
    assert "no source called survey-other is configured" in html(other, "/satisfaction")


def test_without_a_survey_the_page_shows_one_to_copy() -> None:
    """Which is sound as it stands."""
    (sample,) = examples(replace(seen(), definitions=Definitions()), "/satisfaction")
    assert Survey.model_validate(yaml.safe_load(sample)).instance == "survey-platform-nps"


def test_a_question_that_fewer_answered_says_of_how_many() -> None:
    """And one that all answered alike has no interval."""
    asks = survey(questions=[{"id": "nps", "type": "nps"}, {"id": "ease", "type": "likert"}])
    told = [*answers([{"nps": 9.0, "ease": 4.0}] * 5), *answers([{"nps": 9.0}], start=9)]
    (row,) = tables(seen(told, asks), "/satisfaction")["nps / Waves"].rows
    assert row[1:] == ("6", "–", "100.0 25.9 to 100.0", "", "75.0 % all the same, of 5", "")
    assert "all 5 answers are the same, so there is no interval" in html(seen(told, asks), "/satisfaction")


def test_texts_are_said_to_be_kept_nowhere() -> None:
    """Who asks for them should know."""
    asks = survey(questions=[{"id": "nps", "type": "nps"}, {"id": "why", "type": "text"}])
    assert "Texts are not kept, and stand nowhere." in html(seen(answers([9] * 5), asks), "/satisfaction")


def test_themes_have_no_score_and_stand_on_the_roadmap() -> None:
    """Neither a chart nor a column; the page says where they are."""
    theme = {"id": "mend", "type": "theme", "themes": {"ci": []}}
    asks = survey(questions=[{"id": "nps", "type": "nps"}, theme])
    told = answers([{"nps": 9.0, "mend=ci": 1.0}] * 5)
    text = html(seen(told, asks), "/satisfaction")
    assert 'Themes that people chose stand on the page <a href="/roadmap">Roadmap</a>.' in text
    assert tables(seen(told, asks), "/satisfaction")["nps / Waves"].columns[3:] == ("nps, NPS", "Since the wave before")
    assert "Themes that people chose" not in html(seen(told, survey()), "/satisfaction")
