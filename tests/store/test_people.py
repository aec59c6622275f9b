"""People in a store: one salt for all, another one, and one person out of everything. On SQLite and PostgreSQL."""

from __future__ import annotations

import zlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from tests.support.stores import LOOKBACK, NOON, Opener, Rules, begin, counted, minutes, run

from platform_meter.model.facts import Event, Fact, Ref, Tallied
from platform_meter.model.facts.people import Membership
from platform_meter.model.facts.portal import PortalVisit
from platform_meter.model.facts.surveys import Invitation, SurveyResponse
from platform_meter.model.facts.tickets import TicketChange, TicketEvent
from platform_meter.model.facts.training import Enrolment
from platform_meter.model.facts.use import Usage
from platform_meter.model.history import UnitState
from platform_meter.model.kept import Fold
from platform_meter.model.measure import StateDay
from platform_meter.model.personal import by_person, hashed
from platform_meter.model.source import Page
from platform_meter.store import Store, StoreError
from platform_meter.store.database import Database
from platform_meter.store.schema import metadata

DAY = timedelta(days=1)
SALT, OTHER = b"the salt of before", b"the salt of after."
LATER = NOON + DAY
TEAM = Rules({"portal:group*": "pay"})


def facts(salt: bytes) -> list[Fact]:
    """What sources tell of ann, who has two names, and of bob, under this salt: some of every sort of fact."""
    ann, mail, bob = (hashed(salt, name) for name in ("ann", "ann@acme.example", "bob"))
    to = Ref(system="portal", kind="survey", id="group")

    def visit(who: str, name: str) -> PortalVisit:
        here = Ref(system="portal", kind="person", id=who, links=("portal:group",))
        return PortalVisit(key=f"visit/{name}", at=NOON, about=here, area="docs", actor=who)

    def ticket(who: str, name: str) -> TicketEvent:
        return TicketEvent(
            key=name, at=NOON, about=to, queue="q", ticket=name, change=TicketChange.CREATED, requester=who, actor=who
        )

    of_kin = Ref(system="portal", kind="person", id=ann, links=("portal:group",))
    return [
        Membership(about=of_kin, people=tuple(sorted((ann, mail))), teams=("pay",)),
        Membership(about=replace(of_kin, id=bob), people=(bob,), teams=("pay",)),
        visit(ann, "1"),
        visit(bob, "2"),
        ticket(mail, "T-1"),
        ticket(bob, "T-2"),
        Invitation(key=f"asked/{by_person(mail)}", at=NOON, about=to, survey="s", respondent=mail),
        SurveyResponse(key="id/1", at=NOON, about=to, survey="s", respondent=mail, answers=(("nps", 9.0),)),
        SurveyResponse(key=by_person(bob), at=NOON, about=to, survey="s", respondent=bob, answers=(("nps", 3.0),)),
        Enrolment(key=f"c/{by_person(bob)}", at=NOON, about=to, course="go", person=bob),
        Usage(key="u/1", at=NOON, about=to, action="view", actor=mail),
    ]


COUNTED: tuple[type[Tallied[Any]], ...] = (
    PortalVisit, TicketEvent, Invitation, SurveyResponse, Enrolment, Usage,
)  # fmt: skip
GIVES = (Membership, *COUNTED)


def tell(store: Store, told: list[Fact], now: Any = NOON) -> Any:
    poll = begin(store, now)
    written = store.write(
        poll, Page(facts=[*told, run("1")], complete=frozenset({Membership}), checkpoint=b"{}"), now=now
    )
    store.end_poll(poll, now=now)
    return written


def lived_in(opener: Opener) -> Store:
    """A store with all of that, daily states of teams and of people, and something that a measure made."""
    store = opener(directory=TEAM)
    store.people.salt(SALT)
    tell(store, [*facts(SALT), *group()])
    for what, units in (("adoption/docs", [hashed(SALT, "ann"), hashed(SALT, "bob")]), ("adoption/builds", ["pay"])):
        of = [UnitState(day=NOON.date(), what=what, unit=unit, state="active") for unit in sorted(units)]
        store.put_states(StateDay(what=what, day=NOON.date(), states=tuple(of)), now=NOON)
    store.put_fold("tickets", Fold(made_under="x", body=zlib.compress(hashed(SALT, "ann").encode())))
    return store


def group() -> list[Fact]:
    """The group that owns what its people do."""
    about = Ref(system="portal", kind="group", id="group")
    return [Usage(key="u/group", at=NOON, about=about, action="view")]


def told(url: str) -> str:
    """All bytes of all tables, as text."""
    database = Database(url)
    with database.read() as conn:
        rows = [row for table in metadata.tables for row in conn.execute(text(f"SELECT * FROM {table}"))]
    database.close()
    return "\n".join(_plain(value) for row in rows for value in row)


def _plain(value: Any) -> str:
    if not isinstance(value, bytes | memoryview):
        return str(value)
    try:
        return zlib.decompress(bytes(value)).decode()
    except zlib.error:
        return bytes(value).decode()


def numbers(store: Store) -> dict[str, Any]:
    """What is told of teams and in sum: tallies by kind and owner, counters, states of teams."""
    with store.history(LATER, []) as history:
        sums = {
            kind.__name__: sorted(
                (history.owner(object_).team, *map(str, dim), count.n)
                for (object_, dim), count in history.counts(kind, "gh", NOON - DAY, LATER).items()
            )
            for kind in COUNTED
        }
        teams = history.states_by_day("adoption/builds", NOON.date(), LATER.date())
    return {"sums": sums, "teams": teams, "runs": counted(store)}


def events(store: Store, kind: type[Any]) -> list[Any]:
    with store.history(LATER, []) as history:
        return [row.event for row in history.rows(kind, NOON - DAY, LATER)]


def test_another_salt_leaves_no_old_hash_and_all_of_the_teams(open_store: Opener) -> None:
    """Nor anything that hangs on one; who asked, answered and was in a team is still one and the same."""
    store = lived_in(open_store)
    old = {hashed(SALT, name) for name in ("ann", "ann@acme.example", "bob")}
    digests = {by_person(one) for one in old}
    assert all(one in told(open_store.url) for one in old)
    before = numbers(store)
    done = store.people.rotate(OTHER, LATER, out=lambda _: ())
    seen = told(open_store.url)
    assert (done.renamed, done.untied) == (3, 0)
    assert not [one for one in old | digests if one in seen]
    assert numbers(store) == before
    assert store.check() == []
    with store.history(LATER, []) as history:
        ann, bob = sorted((h.reading for h in history.readings(Membership)), key=lambda m: -len(m.people))
        assert history.states("adoption/docs", NOON.date(), LATER.date()) == []
        assert history.fold("tickets") is None
        assert history.people_since() == LATER
    (invited,), (answer, other) = (
        events(store, Invitation),
        sorted(events(store, SurveyResponse), key=lambda e: e.key[0] != "i"),
    )
    asked = sorted(events(store, TicketEvent), key=lambda event: event.key)
    assert {invited.respondent, answer.respondent, asked[0].requester} <= set(ann.people)
    assert {other.respondent, asked[1].requester} == set(bob.people)
    assert {v.about.id for v in events(store, PortalVisit)} == {v.actor for v in events(store, PortalVisit)}


@pytest.mark.parametrize("forget", [False, True])
def test_no_hash_stays_where_a_source_goes_on_from(open_store: Opener, forget: bool) -> None:
    """It goes on from there, with another name."""
    store, ann = lived_in(open_store), hashed(SALT, "ann")
    poll = begin(store, NOON, stream="answers")
    store.write(poll, Page(checkpoint=f'{{"after":"{ann}","page":7}}'.encode()), now=NOON)
    if forget:
        store.people.forget({ann}, LATER)
    else:
        store.people.rotate(OTHER, LATER, out=lambda _: ())
    place = begin(store, LATER, stream="answers").checkpoint or b""
    assert ann not in told(open_store.url)
    assert (len(place), place.endswith(b'","page":7}')) == (53, True)


def test_what_is_told_again_under_another_salt_counts_once(open_store: Opener) -> None:
    """By its id it is known; what hangs on a person is refused where it is of before, and taken where it is of after."""
    store = lived_in(open_store)
    store.people.rotate(OTHER, LATER, out=lambda _: ())
    store.people.salt(OTHER)
    before = numbers(store)
    written = tell(store, facts(OTHER), LATER)
    assert (written.new, written.repeated, written.rejected) == (0, 7, {"salted_before": 3})
    assert numbers(store)["sums"] == before["sums"]
    assert store.check() == []
    late = [replace(fact, at=LATER) for fact in facts(OTHER) if isinstance(fact, Enrolment)]
    assert tell(store, list(late), LATER).new == 1


def test_nobody_mixes_two_salts(open_store: Opener) -> None:
    """A start under another salt is refused, and so is a write by who began under the one of before."""
    store = lived_in(open_store)
    with pytest.raises(
        StoreError, match="hashed with another salt; give it the salt of before, or run `platform-meter people"
    ):
        open_store().people.salt(OTHER)
    with pytest.raises(ValueError, match="the configured salt is the one that people are hashed with now"):
        open_store().people.rotate(SALT, LATER, out=lambda _: ())
    open_store().people.rotate(OTHER, LATER, out=lambda _: ())
    with pytest.raises(StoreError, match="another salt since this process began; reload it"):
        tell(store, facts(SALT), LATER)
    assert store.people.salt(OTHER) == OTHER


def test_a_store_without_people_takes_any_salt(open_store: Opener) -> None:
    """There is nothing to mix."""
    store = open_store()
    assert (store.people.salt(SALT), store.people.salt(OTHER)) == (SALT, OTHER)


def test_a_store_makes_its_own_salt(open_store: Opener) -> None:
    """256 bits, once, the same for all who share the store; the next one is another."""
    first, second = open_store(), open_store()
    salt = first.people.salt(None)
    assert (len(salt), second.people.salt(None), first.people.salt(None)) == (64, salt, salt)
    first.people.rotate(None, LATER, out=lambda _: ())
    assert second.people.salt(None) not in (salt, b"")
    assert salt.decode() not in told(open_store.url)


def test_who_is_forgotten_is_nowhere(open_store: Opener) -> None:
    """Under no name that a directory has for them; what was counted stays, what they said and were goes with its sums."""
    store = lived_in(open_store)
    ann, mail, bob = (hashed(SALT, name) for name in ("ann", "ann@acme.example", "bob"))
    before = numbers(store)
    done = store.people.forget({mail}, LATER)
    assert dict(done) == {
        "Membership": 1, "PortalVisit": 1, "TicketEvent": 1, "Invitation": 1, "SurveyResponse": 1, "Usage": 1, "states": 1,
    }  # fmt: skip
    seen = told(open_store.url)
    assert [one for one in (ann, mail) if one in seen] == []
    assert bob in seen
    after = numbers(store)
    gone = {"Invitation", "SurveyResponse"}
    assert {k: v for k, v in after["sums"].items() if k not in gone} == {
        k: v for k, v in before["sums"].items() if k not in gone
    }
    assert (after["teams"], after["runs"]) == (before["teams"], before["runs"])
    assert store.check() == []
    assert [e.respondent for e in events(store, SurveyResponse)] == [bob]
    assert {e.requester for e in events(store, TicketEvent)} == {"", bob}


def test_who_is_forgotten_stays_out(open_store: Opener) -> None:
    """Whoever tells of them again: nothing of theirs is taken, and of all else they are emptied out."""
    store = lived_in(open_store)
    ann, mail, bob = (hashed(SALT, name) for name in ("ann", "ann@acme.example", "bob"))
    store.people.forget({mail}, LATER)
    again = [replace(f, key=f"{f.key}/2") if isinstance(f, Event) else f for f in facts(SALT)]
    written = tell(store, again, LATER)
    visit = next(f for f in again if isinstance(f, PortalVisit))
    pushed = store.take("gh", "github", [replace(visit, key="pushed")], now=LATER, lookback=LOOKBACK)
    assert (written.new, written.rejected, pushed.new) == (7, {"forgotten": 3}, 1)
    store.put_states(
        StateDay(what="x", day=NOON.date(), states=(UnitState(day=NOON.date(), what="x", unit=ann, state="active"),)),
        now=NOON,
    )
    store.put_fold("tickets", Fold(made_under="x", body=mail.encode()))
    seen = told(open_store.url)
    assert [one for one in (ann, mail) if one in seen] == []
    assert bob in seen
    assert {v.about.id for v in events(store, PortalVisit) if v.key == "pushed"} == {"unknown"}


def test_who_was_forgotten_is_told_under_the_next_salt(open_store: Opener) -> None:
    """Named again they stay out; else they are said to be known no more."""
    store = lived_in(open_store)
    store.people.forget({hashed(SALT, "bob")}, LATER)
    done = store.people.rotate(OTHER, LATER + minutes(1), out=lambda salt: {hashed(salt, "bob")})
    store.people.salt(OTHER)
    assert (done.untied, store.people.kept_out()) == (1, 1)
    bob = facts(OTHER)[1]
    tell(store, [bob], LATER + minutes(2))
    assert hashed(OTHER, "bob") not in told(open_store.url)
