"""Themes that people chose: how many of whom are told, and which groups are not."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.support.surveys import Told, answer, scene, survey

from platform_meter.measures.surveys.themes import asks_themes, choices
from platform_meter.measures.surveys.waves import waves

ASKED: dict[str, Any] = {
    "segment_by": ["persona"],
    "questions": [
        {"id": "mend", "type": "theme", "themes": {"ci": ["Faster builds"], "docs": []}},
        {"id": "more", "type": "theme", "themes": {"ci": []}},
    ],
}
CI, DOCS = {"mend=ci": 1.0}, {"mend=docs": 1.0}


def chose(team: str, **themes: int) -> list[Told]:
    """So many people of a team who chose each theme."""
    return [
        answer(f"{team}{theme}{n}", team=team, answers={f"mend={theme}": 1.0})
        for theme, count in themes.items()
        for n in range(count)
    ]


def counted(told: list[Told], **more: Any) -> dict[tuple[str, tuple[str, ...]], int]:
    """People by theme and what is told of their persona."""
    asked = survey(**{**ASKED, **more})
    (wave,) = waves(scene(told, asked), asked)
    return dict(Counter((one.theme, tuple(sorted(one.personas))) for one in choices(wave)))


def test_groups_of_five_are_told_by_theme_and_persona() -> None:
    """Two teams of developers are one persona."""
    told = [*chose("team-pay", ci=4, docs=5), *chose("team-shop", ci=3), *chose("team-data", ci=6, docs=5)]
    assert counted(told) == {
        ("ci", ("app-developer",)): 7,
        ("ci", ("data-engineer",)): 6,
        ("docs", ("app-developer",)): 5,
        ("docs", ("data-engineer",)): 5,
    }


def test_a_small_group_hides_what_would_tell_of_it() -> None:
    """Of docs four say nothing; then ci would tell of them, being all others. Five of each are told."""
    assert counted(chose("team-pay", ci=9, docs=4)) == {}
    assert counted(chose("team-pay", ci=9, docs=5)) == {("ci", ("app-developer",)): 9, ("docs", ("app-developer",)): 5}


def test_a_persona_of_which_few_chose_a_theme_is_told_of_by_nobody() -> None:
    """Six and three chose it: nine did, and whose they are would tell of the three."""
    told = [*chose("team-pay", ci=6, docs=6), *chose("team-data", ci=3, docs=6)]
    assert counted(told) == {("ci", ()): 9, ("docs", ()): 12}


def test_who_chose_a_theme_twice_counts_once() -> None:
    """Two questions may ask for the same; who chose two themes is in both."""
    twice = [answer(f"p{n}", team="team-pay", answers={**CI, **DOCS, "more=ci": 1.0}) for n in range(5)]
    assert counted(twice) == {("ci", ("app-developer",)): 5, ("docs", ("app-developer",)): 5}


def test_without_segments_nothing_is_told_of_personas() -> None:
    """How many chose it is."""
    assert counted(chose("team-pay", ci=5), segment_by=[]) == {("ci", ()): 5}


def test_a_survey_asks_for_themes_or_does_not() -> None:
    """A score alone is none."""
    assert asks_themes(survey(**ASKED))
    assert not asks_themes(survey())
