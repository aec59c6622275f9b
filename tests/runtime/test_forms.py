"""Own forms: who has a link answers once, and what is stored names nobody."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from tests.support.forms import NOW, Kit, forms

from platform_meter.model.facts.surveys import Invitation, SurveyResponse
from platform_meter.runtime.forms import Closed, Person, Unfit
from platform_meter.store import StoreError


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    with forms(f"sqlite:///{tmp_path_factory.mktemp('forms') / 'meter.db'}") as made:
        yield made


@pytest.fixture
def kit(one: Kit) -> Kit:
    """All tests share one store, and each has people of its own."""
    one.now = NOW
    return one


def test_who_is_invited_has_a_link_of_which_a_hash_is_stored(kit: Kit) -> None:
    """One for each person, who stands in the store as a hash with team and persona."""
    links = kit.invited(Person(name="Ada@acme.example", team="team-pay", persona="app-developer"), Person(name="bob"))
    assert list(links) == ["Ada@acme.example", "bob"]
    assert all(len(link) >= 20 for link in links.values())
    (ada,) = kit.told(Invitation, "ada@acme.example")
    assert (ada.about.kind, ada.about.id, ada.persona, ada.at) == ("respondents", "team-pay", "app-developer", NOW)
    (bob,) = kit.told(Invitation, "bob")
    assert (bob.about.id, bob.persona) == ("unknown", "")
    assert not any(link in told.key for told in (ada, bob) for link in links.values())


def test_who_stands_there_twice_has_one_link(kit: Kit) -> None:
    """Whatever the case of the address; an empty line is nobody."""
    assert list(kit.invited(Person(name="eve"), Person(name=" Eve "), Person(name=" "))) == ["eve"]


def test_a_link_answers_once(kit: Kit) -> None:
    """The answer speaks for whom the invitation named; a second one changes nothing and says so."""
    link = kit.link("once", team="team-pay")
    assert kit.forms.opened("own", link).id == "own"
    kit.forms.answer("own", link, {"nps": 9, "How easy is it?": 4})
    for again in (lambda: kit.forms.opened("own", link), lambda: kit.forms.answer("own", link, {"nps": 1})):
        with pytest.raises(Closed, match="this link has been used: your answer is stored, and counts once") as found:
            again()
        assert found.value.known
    (told,) = kit.told(SurveyResponse, "once")
    assert (told.respondent, told.about.id, told.answers) == (
        "#once#",
        "team-pay",
        (("How easy is it?", 4.0), ("nps", 9.0)),
    )


def test_of_two_that_are_sent_at_once_one_is_stored(kit: Kit) -> None:
    """And the other one is told so."""
    link = kit.link("race")
    start, outcomes = threading.Barrier(4), list[str]()

    def send(value: int) -> None:
        start.wait(10)
        try:
            kit.forms.answer("own", link, {"nps": value})
            outcomes.append("stored")
        except Closed:
            outcomes.append("used")

    threads = [threading.Thread(target=send, args=(value,)) for value in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcomes) == ["stored", "used", "used", "used"]
    assert len(kit.told(SurveyResponse, "race")) == 1


def test_a_link_ends_with_its_wave(kit: Kit) -> None:
    """An answer of October would count in a wave to which nobody was invited."""
    link = kit.link("wave")
    kit.now = datetime(2026, 10, 1, tzinfo=UTC)
    with pytest.raises(Closed, match="this survey was that of Q3 2026, and is over"):
        kit.forms.opened("own", link)


@pytest.mark.parametrize(("survey", "link"), [("own", "x" * 24), ("own", ""), ("own", "x" * 5000), ("other", "x" * 24)])
def test_what_is_no_link_opens_nothing(kit: Kit, survey: str, link: str) -> None:
    """Neither is it said whether there is such a survey."""
    with pytest.raises(Closed, match="this is no link that was sent to anybody; open the one in your mail") as found:
        kit.forms.opened(survey, link)
    assert not found.value.known


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        ({}, "nothing is answered yet; choose an answer to one question or more"),
        ({"nps": 11}, "something was sent that this survey does not ask; go back and choose again"),
        ({"How easy is it?": 0}, "something was sent that this survey does not ask; go back and choose again"),
        ({"why": 1}, "something was sent that this survey does not ask; go back and choose again"),
    ],
)
def test_what_is_no_answer_uses_no_link_up(kit: Kit, answers: dict[str, int], text: str) -> None:
    """It may be sent again as it should be."""
    person = f"unfit {answers}"
    link = kit.link(person)
    with pytest.raises(Unfit) as found:
        kit.forms.answer("own", link, answers)
    assert str(found.value) == text
    kit.forms.answer("own", link, {"nps": 0})
    assert len(kit.told(SurveyResponse, person.lower())) == 1


def test_a_store_that_fails_uses_no_link_up(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not stored can be sent again."""
    link = kit.link("broken")

    def fails(*_: object, **__: object) -> None:
        raise StoreError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(kit.store, "take", fails)
        with pytest.raises(StoreError):
            kit.forms.answer("own", link, {"nps": 9})
    kit.forms.answer("own", link, {"nps": 9})
    assert [dict(one.answers) for one in kit.told(SurveyResponse, "broken")] == [{"nps": 9.0}]


def test_only_a_form_can_be_sent(kit: Kit) -> None:
    """Others have their tool for it."""
    with pytest.raises(Closed, match=r"no Survey file with source: \{type: form\} has the id 'nps'; there are: own"):
        kit.forms.invite("nps", [], str)
