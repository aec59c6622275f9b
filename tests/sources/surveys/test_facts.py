"""From a row to an answer or an invitation: numbers, moments, and people as salted hashes."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from platform_meter.sources.surveys.config import Config
from platform_meter.sources.surveys.facts import Odd, invitation, moment, response
from platform_meter.sources.surveys.rows import ID

NOW = datetime(2026, 5, 6, 12, tzinfo=UTC)
AT = "2026-05-04T09:00:00Z"


def config(**more: Any) -> Config:
    said: dict[str, Any] = {"survey": "s", "shape": "csv", "path": "/a.csv", "fields": {"nps": (0, 10), "ease": (1, 5)}}
    return Config.model_validate(said | more)


def hashed(person: str) -> str:
    return f"#{person}#"


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("9", 9.0),
        (" 10 ", 10.0),
        (9, 9.0),
        (4.0, 4.0),
        ("4.0", 4.0),
        ("10 - very likely", 10.0),
        ("0 – not at all", 0.0),
        ("3) so-so", 3.0),
        ("11", None),
        ("-1", None),
        ("4.5", None),
        (4.5, None),
        (True, None),
        ("four", None),
        ("9 people told me so", None),
        (float("nan"), None),
    ],
)
def test_answers_are_whole_numbers_on_their_scale(cell: object, number: float | None) -> None:
    """Also with what they mean behind them; anything else is counted as odd and no answer."""
    fact, odd = response(config(), {"submitted_at": AT, "nps": cell, "ease": "5"}, hashed, NOW, Counter())
    assert fact is not None
    assert (dict(fact.answers).get("nps"), odd) == (number, int(number is None))


THEMES = {"mend": {"ci": "mend=ci", "builds, faster": "mend=ci", "docs": "mend=docs"}}


@pytest.mark.parametrize(
    ("cell", "chosen", "odd"),
    [
        ("CI", {"mend=ci"}, 0),
        (" Builds,  faster ", {"mend=ci"}, 0),
        ("ci; docs", {"mend=ci", "mend=docs"}, 0),
        (["docs", "Builds, faster"], {"mend=ci", "mend=docs"}, 0),
        ("ci, Ada is slow", {"mend=ci"}, 1),
        ("the builds that Ada made", set(), 1),
        (["docs", 7, None], {"mend=docs"}, 0),
        ("", set(), 0),
    ],
)
def test_of_a_theme_only_what_may_be_chosen_is_kept(cell: object, chosen: set[str], odd: int) -> None:
    """One answer or several; a text of somebody's own is counted as odd, and stands nowhere."""
    row = {"submitted_at": AT, "nps": "9", "mend": cell}
    fact, unread = response(config(themes=THEMES), row, hashed, NOW, Counter())
    assert fact is not None
    assert (dict(fact.answers), unread) == ({"nps": 9.0, **dict.fromkeys(chosen, 1.0)}, odd)


def test_a_row_without_answers_is_none() -> None:
    """Somebody opened the survey and sent nothing."""
    assert response(config(), {"submitted_at": AT, "nps": " ", "ease": None}, hashed, NOW, Counter()) == (None, 0)


@pytest.mark.parametrize(
    ("text", "more", "expected"),
    [
        ("2026-05-04T11:00:00+02:00", {}, "2026-05-04T09:00"),
        ("2026-05-04 11:00:00", {"zone": "Europe/Berlin"}, "2026-05-04T09:00"),
        ("2026-05-04", {}, "2026-05-04T00:00"),
        ("2026-05-04T09:00:59.045123456Z", {}, "2026-05-04T09:00"),
        (1777885200, {}, "2026-05-04T09:00"),
        ("1777885200000", {}, "2026-05-04T09:00"),
        ("2026/05/04 3:21:09 PM GMT+2", {}, "2026-05-04T13:21"),
        ("2026/05/04 12:05:00 AM GMT-3:30", {}, "2026-05-04T03:35"),
        ("04.05.2026 11:00", {"format": "%d.%m.%Y %H:%M", "zone": "Europe/Berlin"}, "2026-05-04T09:00"),
    ],
)
def test_moments(text: object, more: dict[str, str], expected: str) -> None:
    """As exports write them; where they name no zone it is the survey's."""
    assert moment(config(**more), text, NOW).isoformat()[:16] == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("5/4/2026 11:00:00", "invalid"),
        ("0001-01-01T00:00:00Z", "invalid"),
        ("", "invalid"),
        (None, "invalid"),
        ("2026-05-07T09:00:00Z", "future"),
    ],
)
def test_what_is_no_moment_leaves_the_row_out(text: object, reason: str) -> None:
    """A month that may be a day is none; nor is one that has not been yet."""
    with pytest.raises(Odd) as found:
        moment(config(), text, NOW)
    assert found.value.reason == reason


def test_a_person_is_a_hash_whatever_the_case_of_the_address() -> None:
    """As directories hash the same person."""
    fact, _ = response(config(), {"submitted_at": AT, "nps": 9, "email": " Ada@Acme.Example"}, hashed, NOW, Counter())
    assert fact is not None
    assert fact.respondent == "#ada@acme.example#"


def test_two_anonymous_rows_that_are_the_same_are_two_people() -> None:
    """And read again they are the same two."""
    row = {"submitted_at": AT, "nps": 9}
    for _ in range(2):
        seen = Counter[str]()
        told = [response(config(), row, hashed, NOW, seen)[0] for _ in range(2)]
        assert [fact.key.rpartition("/")[2] for fact in told if fact] == ["1", "2"]
        assert len({fact.respondent for fact in told if fact}) == 2


def test_an_answer_with_an_id_stays_one_when_it_is_corrected() -> None:
    """Its id is its key, and does not stand in it."""
    told = [
        response(config(), {ID: "r-7", "submitted_at": AT, "nps": nps}, hashed, NOW, Counter())[0] for nps in (9, 4)
    ]
    keys = {fact.key for fact in told if fact}
    assert len(keys) == 1
    assert "r-7" not in keys.pop()


@pytest.mark.parametrize("name", ["ada@acme.example", "x" * 101, "a\x00b", 7])
def test_a_team_is_a_name_of_a_team(name: object) -> None:
    """What may be a person's address, or can be no name, is not kept."""
    row = {"submitted_at": AT, "nps": 9, "team": name, "persona": name}
    fact, _ = response(config(), row, hashed, NOW, Counter())
    assert fact is not None
    assert (fact.about.id, fact.persona) == ("unknown", "")


def test_an_invitation_names_somebody() -> None:
    """Of nobody there is none to wait for."""
    told = invitation(config(), {"submitted_at": AT, "email": "ada@acme.example", "team": "team-pay"}, hashed, NOW)
    assert (told.respondent, told.about.id, told.at.isoformat()[:16]) == ("#ada@acme.example#", "team-pay", AT[:16])
    with pytest.raises(Odd, match="nothing stands under 'email'"):
        invitation(config(), {"submitted_at": AT}, hashed, NOW)
