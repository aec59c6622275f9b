"""Daily states: stored once for a day, counted by state, and forgotten when they are too old."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from tests.support.stores import NOON, Opener, counted, put, run

from platform_meter.model.catalogue.adoption import ADOPTION_TRANSITIONS
from platform_meter.model.history import UnitState
from platform_meter.model.measure import StateDay
from platform_meter.model.metric import Increment

DAY = timedelta(days=1)


def test_a_days_transitions_are_counted_once(open_store: Opener) -> None:
    """The same day of the same thing again changes nothing, nor does one without units."""
    store = open_store()
    day = NOON.date()
    states = [
        UnitState(day=day, what="gateway", unit=u, state="active", ever=frozenset(ever.split()))
        for u, ever in (("b", "active adopted"), ("a", ""))
    ]
    increments = (Increment(metric=ADOPTION_TRANSITIONS, labels=("gateway", "new"), amount=2),)
    whole = StateDay(what="gateway", day=day, states=tuple(states), increments=increments)
    assert not store.put_states(replace(whole, states=()), now=NOON)
    assert store.put_states(whole, now=NOON)
    assert not store.put_states(replace(whole, states=whole.states[:1]), now=NOON)
    assert counted(store, "platform_adoption_transitions_total") == {("gateway", "new"): 2}
    with store.history(NOON, []) as history:
        assert history.states("gateway", day, day + DAY) == states[::-1]
        assert history.states("gateway", day - DAY, day) == []
        assert (history.last_day("gateway"), history.last_day("mesh")) == (day, None)


def test_states_are_counted_by_day(open_store: Opener) -> None:
    """As many units as the rows say, of one thing, on days that have any."""
    store = open_store()
    first = NOON.date()
    for day, names in ((first, "ab"), (first + timedelta(days=2), "abc")):
        for what in ("gateway", "other"):
            told = zip(names, ("active", "dormant", "active"), strict=False)
            rows = tuple(UnitState(day=day, what=what, unit=u, state=s) for u, s in told)
            store.put_states(StateDay(what=what, day=day, states=rows), now=NOON)
    with store.history(NOON, []) as history:
        found = history.states_by_day("gateway", first, first + timedelta(days=3))
        assert list(found.items()) == [
            (first, {"active": 1, "dormant": 1}),
            (first + timedelta(days=2), {"active": 2, "dormant": 1}),
        ]
        assert history.states_by_day("gateway", first, first + timedelta(days=1)).keys() == {first}


def test_states_by_day_are_those_stored_by_whoever_and_not_pruned(open_store: Opener) -> None:
    """Days that another process adds are there, in views that began later; pruned ones are not."""
    store, other = open_store(), open_store()
    first = NOON.date()

    def add(day: date) -> None:
        row = UnitState(day=day, what="c", unit="a", state="active")
        other.put_states(StateDay(what="c", day=day, states=(row,)), now=NOON)

    def seen(now: datetime = NOON) -> list[date]:
        with store.history(now, []) as history:
            return list(history.states_by_day("c", date(2020, 1, 1), date(2030, 1, 1)))

    add(first)
    assert seen() == [first]
    add(first + timedelta(days=1))
    assert seen() == [first, first + timedelta(days=1)]
    with store.history(NOON, []) as earlier:
        add(first + timedelta(days=2))
        assert len(seen()) == 3
        assert len(earlier.states_by_day("c", first, date(2030, 1, 1))) == 2
    put(store, [run("late", NOON + 401 * DAY)], NOON + 401 * DAY)
    store.prune(NOON + 401 * DAY)
    assert seen() == [first + timedelta(days=1), first + timedelta(days=2)]


def test_since_when_each_unit_is_what_it_is_now(open_store: Opener) -> None:
    """The first day after its last other state; days that are not stored, or without the unit, are passed over."""
    store = open_store()
    first = NOON.date()
    days = {0: "fff-", 1: "fpf-", 3: "ff--", 4: "fpff"}
    for after, said in days.items():
        day = first + timedelta(days=after)
        told = [UnitState(day=day, what="s", unit=u, state=s) for u, s in zip("abcd", said, strict=True) if s != "-"]
        store.put_states(StateDay(what="s", day=day, states=tuple(told)), now=NOON)
        store.put_states(StateDay(what="other", day=day, states=(replace(told[0], what="other", state="x"),)), now=NOON)
    gone = UnitState(day=first, what="gone", unit="a", state="f")
    store.put_states(StateDay(what="gone", day=first, states=(gone,)), now=NOON)
    store.put_states(
        StateDay(what="gone", day=first + DAY, states=(replace(gone, day=first + DAY, unit="b"),)), now=NOON
    )
    with store.history(NOON, []) as history:
        assert history.unchanged_since("s") == {
            "a": first,
            "b": first + timedelta(days=4),
            "c": first,
            "d": first + timedelta(days=4),
        }
        assert history.unchanged_since("gone") == {"b": first + DAY}
        assert history.unchanged_since("nothing") == {}


def test_what_no_state_tells_is_counted_beside_them(open_store: Opener) -> None:
    """By word and day; it is no state, and a store with it is sound."""
    store = open_store()
    first = NOON.date()
    for n, many in enumerate((3, 0)):
        row = UnitState(day=first + n * DAY, what="gateway", unit="a", state="active")
        store.put_states(StateDay(what="gateway", day=row.day, states=(row,), counted={"adopted": many}), now=NOON)
    with store.history(NOON, []) as history:
        assert history.counted_by_day("gateway", "adopted", first, first + 2 * DAY) == {first: 3, first + DAY: 0}
        assert history.counted_by_day("gateway", "adopted", first, first + DAY) == {first: 3}
        assert history.counted_by_day("gateway", "active", first, first + 2 * DAY) == {}
        assert history.states_by_day("gateway", first, first + DAY) == {first: {"active": 1}}
    assert store.check() == []


def test_months_in_a_state(open_store: Opener) -> None:
    """Each once, of each unit that was in it."""
    store = open_store()
    for day, states in (
        (date(2025, 12, 31), {"a": "active", "b": "dormant"}),
        (date(2026, 1, 1), {"a": "active", "b": "dormant"}),
        (date(2026, 1, 2), {"a": "active", "b": "active"}),
    ):
        rows = tuple(UnitState(day=day, what="gateway", unit=unit, state=state) for unit, state in states.items())
        store.put_states(StateDay(what="gateway", day=day, states=rows), now=NOON)
    with store.history(NOON, []) as history:
        found = history.months_in_state("gateway", "active")
        assert found == {"a": {(2025, 12), (2026, 1)}, "b": {(2026, 1)}}
        assert history.months_in_state("mesh", "active") == {}


def test_who_is_in_another_state_than_before(open_store: Opener) -> None:
    """As they were and as they are; who stands on one of the two days alone is among them."""
    store = open_store()
    first = NOON.date()
    for day, states in (
        (first, {"a": "active", "b": "active", "gone": "active"}),
        (first + DAY, {"a": "dormant", "b": "active", "new": "active"}),
    ):
        rows = tuple(UnitState(day=day, what="gateway", unit=unit, state=state) for unit, state in states.items())
        store.put_states(StateDay(what="gateway", day=day, states=rows), now=NOON)
    with store.history(NOON, []) as history:
        before, after = history.moved("gateway", first, first + DAY)
        assert [(one.unit, one.state) for one in before] == [("a", "active"), ("gone", "active")]
        assert [(one.unit, one.state) for one in after] == [("a", "dormant"), ("new", "active")]
        assert history.moved("mesh", first, first + DAY) == ([], [])
