"""Waves: whose answers count in which, who answered of those invited, and what is shown of which group."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.support.history import MemoryHistory, owner, source
from tests.support.surveys import NOW, answer, answers, asked, member, scene, survey

from platform_meter.measures.surveys.waves import waves
from platform_meter.model.facts import Ref
from platform_meter.model.facts.people import Membership

JUNE = datetime(2026, 6, 5, tzinfo=UTC)


def test_of_one_person_and_wave_the_last_answer_counts() -> None:
    """Somebody answers three times this quarter and once in the last one."""
    told = [
        answer("ada", JUNE, answers=2),
        answer("ada", NOW - timedelta(days=2), answers=9),
        answer("ada", NOW, answers=4),
        answer("ada", NOW - timedelta(days=1), answers=8),
    ]
    found = waves(scene(told), survey())
    assert [(w.name, w.running, [v.answers["nps"] for v in w.voices]) for w in found] == [
        ("Q2 2026", False, [2.0]),
        ("Q3 2026", True, [4.0]),
    ]


def test_of_ratings_of_tickets_each_ticket_counts() -> None:
    """One person may have asked twice."""
    rated = survey(source={"type": "tickets", "instance": "survey-nps"})
    told = [answer("ada", survey="csat", subject="1"), answer("ada", survey="csat", subject="2", key="b")]
    (wave,) = waves(scene([*told, *answers([9], survey="other")], rated), rated)
    assert wave.counted("all") == 2
    assert len(wave.people["all"]) == 1


def test_waves_are_cut_in_the_zone() -> None:
    """Half past ten UTC at the end of June is July in Berlin."""
    told = answers([9], datetime(2026, 6, 30, 22, 31, tzinfo=UTC))
    assert [w.name for w in waves(scene(told, zone="Europe/Berlin"), survey())] == ["Q3 2026"]
    assert [w.name for w in waves(scene(told), survey())] == ["Q2 2026"]


def test_what_the_file_does_not_ask_is_no_answer() -> None:
    """A field that is not of the survey, and a 7 on a scale up to 5 after the file changed."""
    ease = survey(questions=[{"id": "ease", "type": "csat"}])
    told = answers([{"ease": 5.0, "other": 3.0}, {"ease": 7.0}])
    (wave,) = waves(scene(told, ease), ease)
    assert [dict(v.answers) for v in wave.voices] == [{"ease": 5.0}, {}]


@pytest.mark.parametrize("fresh", [True, False])
def test_a_source_that_is_not_fresh_tells_nothing(fresh: bool) -> None:
    """Nor does one that is not configured."""
    sources = [source("survey-nps", watermark=NOW, fresh=fresh)]
    assert len(waves(scene(answers([9]), sources=sources), survey())) == int(fresh)
    assert waves(scene(answers([9]), sources=[source("other", watermark=NOW)]), survey()) == ()


def test_a_wave_that_began_before_history_is_left_out_once_it_is_over() -> None:
    """Some of its answers are stored no more."""
    told = [*answers([9], JUNE), *answers([9], start=5)]
    assert [w.name for w in waves(scene(told, before=JUNE - timedelta(days=9)), survey())] == ["Q3 2026"]
    assert [w.name for w in waves(scene(told, before=NOW - timedelta(days=9)), survey())] == ["Q3 2026"]
    known = [source("survey-nps", watermark=NOW, read_from=JUNE)]
    assert [w.name for w in waves(scene(told, sources=known), survey())] == ["Q3 2026"]


def test_a_wave_in_which_people_have_two_names_is_left_out() -> None:
    """Who answered is not known to be who was asked, nor who answered before; other waves stay."""
    told = [*answers([9], JUNE), *answers([9], start=5)]
    seen = scene(told)
    assert isinstance(seen.history, MemoryHistory)
    seen.history.renamed = NOW - timedelta(days=9)
    assert [w.name for w in waves(seen, survey())] == ["Q2 2026"]


def test_response_is_of_those_invited() -> None:
    """Four were asked and two of them answered; a fifth answered unasked."""
    told = [asked(name) for name in ("ada", "bob", "cyd", "dan")]
    (wave,) = waves(scene([*told, asked("ada", JUNE), *(answer(name) for name in ("ada", "bob", "eve"))]), survey())
    assert (wave.asked, wave.answered, wave.counted("all")) == ({"all": 4}, {"all": 2}, 3)


def test_people_are_where_their_answer_or_a_directory_has_them() -> None:
    """By the team that the answer names, else by all teams of a directory; of others nothing is known."""
    by = survey(segment_by=["persona", "org", "team"])
    told = [
        answer("ada", team="team-pay"),
        answer("bob"),
        answer("cyd", persona="data-engineer", team="team-pay"),
        answer("dan", persona="Dan Smith"),
        member("bob", "team-data", "team-pay"),
        member("ada", "team-data"),
    ]
    (wave,) = waves(scene(told, by), by)
    assert {v.person: sorted(v.segments) for v in wave.voices} == {
        "ada": ["all", "org:payments", "persona:app-developer", "team:team-pay"],
        "bob": [
            "all",
            "org:payments",
            "org:retail",
            "persona:app-developer",
            "persona:data-engineer",
            "team:team-data",
            "team:team-pay",
        ],
        "cyd": ["all", "org:payments", "persona:data-engineer", "team:team-pay"],
        "dan": ["all", "org:_unowned", "persona:_unowned", "team:_unowned"],
    }


def test_who_answered_before_a_directory_was_read_is_where_all_of_it_has_them_first() -> None:
    """Of two entries that the first look found one is gone since."""
    by, first = survey(segment_by=["team"]), NOW + timedelta(hours=1)
    seen = scene([answer("ada")], by)
    held = [
        (
            "survey-nps",
            owner("directory"),
            Membership(about=Ref(system="ldap", kind="person", id=team), people=("ada",), teams=(team,)),
            first,
            until,
        )
        for team, until in (("team-data", None), ("team-pay", first + timedelta(hours=1)))
    ]
    history = MemoryHistory([answer("ada")], sources=seen.history.sources(), held=held)
    (wave,) = waves(replace(seen, history=history, now=NOW + timedelta(hours=3)), by)
    assert [sorted(v.segments) for v in wave.voices] == [["all", "team:team-data", "team:team-pay"]]


def test_small_groups_and_what_gives_them_away_are_hidden() -> None:
    """Of 12, 6 and 4 the last is too small, and the second would be all less the first and it."""
    by = survey(segment_by=["team"])
    told = [
        *answers([9] * 12, team="team-pay"),
        *answers([3] * 6, team="team-shop"),
        *answers([1] * 4, team="team-data"),
    ]
    (wave,) = waves(scene(told, by), by)
    assert sorted(wave.shown) == ["all", "team:team-pay"]
    assert wave.hidden == ["team:team-data", "team:team-shop"]
    assert {s: round(score.point, 1) for s, score in wave.scores(by.questions[0]).items()} == {
        "all": 9.1,
        "team:team-pay": 100.0,
    }


def test_a_question_that_few_of_a_group_answered_is_hidden_for_it() -> None:
    """Six of a team answered, two of them this question too: of them nothing is shown, nor of those that part them off."""
    by = survey(
        segment_by=["team"], questions=[{"id": "nps", "type": "nps"}, {"id": "ease", "type": "csat", "scale": 5}]
    )
    both, one = {"nps": 9.0, "ease": 4.0}, {"nps": 9.0}
    told = [
        *answers([both] * 12, team="team-pay"),
        *answers([both, both, one, one, one, one], team="team-shop"),
    ]
    (wave,) = waves(scene(told, by), by)
    nps, ease = by.questions
    assert {s: score.n for s, score in wave.scores(nps).items()} == {
        "all": 18,
        "team:team-pay": 12,
        "team:team-shop": 6,
    }
    assert {s: score.n for s, score in wave.scores(ease).items()} == {"all": 14}


def test_a_survey_may_wait_for_the_end_of_its_wave() -> None:
    """Then one that runs has no scores yet."""
    closed = survey(shown="closed")
    found = waves(scene([*answers([9] * 5, JUNE), *answers([9] * 5)], closed), closed)
    assert [len(w.scores(closed.questions[0])) for w in found] == [1, 0]


def test_texts_have_no_score() -> None:
    """They are not kept."""
    asks = survey(questions=[{"id": "nps", "type": "nps"}, {"id": "more", "type": "text"}])
    (wave,) = waves(scene(answers([9] * 5), asks), asks)
    assert wave.scores(asks.questions[1]) == {}
