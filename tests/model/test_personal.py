"""People in facts: hashes, the fields that hold them, keys that hang on them."""

from __future__ import annotations

from dataclasses import fields

import pytest
from tests.support.stores import NOON

from platform_meter.model.facts import Fact, Ref, event_kinds, reading_kinds
from platform_meter.model.facts.people import Membership
from platform_meter.model.facts.tickets import TicketChange, TicketEvent
from platform_meter.model.personal import by_person, fingerprint, hangs_on_person, hashed, people

SALT = bytes(range(16))


def test_a_person_is_an_hmac_under_the_salt() -> None:
    """The first 16 bytes of HMAC-SHA-256: the same under one salt, and nobody under another."""
    assert hashed(SALT, "ada") == "4b4dee47ee0b25e39d28cd98b8e24168"
    assert len({hashed(SALT, "ada"), hashed(bytes(16), "ada"), hashed(SALT, "bob"), fingerprint(SALT)}) == 4


def test_fields_that_name_people_are_told_of_every_kind() -> None:
    """Whoever is forgotten is looked for in these alone; none of such kinds is made of several tellings."""
    named = {"actor", "requester", "respondent", "person", "people"}
    kinds: list[type[Fact]] = [*event_kinds().values(), *reading_kinds().values()]
    for kind in kinds:
        assert {field.name for field in fields(kind)} & named == set(kind.who), kind.__name__
    assert [name for name, kind in event_kinds().items() if kind.who and kind.fills] == []


def test_everybody_whom_a_fact_names_is_told() -> None:
    """Nobody is not."""
    about = Ref(system="jira", kind="queue", id="PLAT")
    event = TicketEvent(
        key="1", at=NOON, about=about, queue="PLAT", ticket="1", change=TicketChange.CREATED, requester="aa", actor=""
    )
    assert list(people(event)) == ["aa"]
    assert list(people(Membership(about=about, people=("aa", "bb"), teams=()))) == ["aa", "bb"]


@pytest.mark.parametrize(
    ("key", "hangs"),
    [
        (f"training/{by_person('0' * 24)}", True),
        (by_person("0" * 32), True),
        (f"id/{'0' * 24}", False),
        ("run/@ann", False),
        ("mail@example", False),
    ],
)
def test_keys_that_hang_on_a_person_are_known(key: str, hangs: bool) -> None:
    """By their mark and their length."""
    assert hangs_on_person(key) is hangs
