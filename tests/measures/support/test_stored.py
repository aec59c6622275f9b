"""A book as bytes, and what it is worth."""

from __future__ import annotations

import sys

import pytest
from tests.support.folded import see
from tests.support.tickets import created, hours, resolved, ticketing

from platform_meter.measures.support import stored
from platform_meter.measures.support.stored import Held, State, dump, fingerprint, load
from platform_meter.model.facts.tickets import Alias


def state() -> State:
    def held(id_: str) -> Held:
        ticket = see([created(ticket=id_), resolved(hours(2), ticket=id_)])
        return Held(id_, b"packed", 2, hours(0), ("PLAT",), (ticket, None))

    return State(
        seq=7,
        corrected=3,
        acknowledging=("pager",),
        clocks_seq=5,
        clocks={"jira": {"PLAT-1": b"packed"}},
        names={"jira": (Alias("status", "Open", "Offen"),)},
        tickets={"jira": [held("PLAT-1"), held("PLAT-2")]},
    )


def test_it_comes_back_as_it_was() -> None:
    """All of it."""
    assert load(dump(state())) == state()


def test_equal_values_are_the_same_one() -> None:
    """All folded tickets stay in memory, and most words and moments repeat."""
    found = load(dump(state()))
    assert found is not None
    (one, other) = (held.folded[0] for held in found.tickets["jira"])
    assert one is not None
    assert other is not None
    assert one.about is other.about
    assert one.priority is other.priority is one.cycles[0].priority
    assert one.priorities is other.priorities
    assert one.created is one.cycles[0].started
    assert one.last is one.cycles[0].known
    assert one.id is found.tickets["jira"][0].id
    assert sys.getrefcount(one.cycles[0].sla) > 2, "shared with the other ticket"


@pytest.mark.parametrize("body", [b"", b"?", dump(state())[:-9]])
def test_what_can_not_be_read_is_not_there(body: bytes) -> None:
    """A half of it, and something else."""
    assert load(body) is None


def test_a_fingerprint_is_of_definitions_version_and_format(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any other one may fold otherwise."""
    known = fingerprint([ticketing()])
    assert fingerprint([ticketing()]) == known
    found = [fingerprint([]), fingerprint([ticketing(id="other")]), fingerprint([ticketing(), ticketing(id="more")])]
    monkeypatch.setattr(stored, "FORMAT", 0)
    found.append(fingerprint([ticketing()]))
    monkeypatch.undo()
    monkeypatch.setattr(stored, "__version__", "0")
    found.append(fingerprint([ticketing()]))
    assert len({known, *found}) == 6
