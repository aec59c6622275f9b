"""Rows to facts: slices of SLIs and use, rows that are left out, and keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_meter.model.facts.slis import SliCount
from platform_meter.model.facts.use import Usage
from platform_meter.model.source import Unexpected
from platform_meter.sources.documents import facts
from platform_meter.sources.documents.cells import Look
from platform_meter.sources.documents.config import Config, SliRows, UsageRows
from platform_meter.sources.documents.facts import Told, TooMuchError, all_odd, count_odd, told
from platform_meter.sources.documents.values import Odd
from platform_meter.sources.kit.rows import Sieve
from platform_meter.testing.outside import FakeOutside

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LOOK = Look(start=NOON - timedelta(days=1), now=NOON, delay=MINUTE, hashed=lambda person: f"<{len(person)}>")


def sli(**said: Any) -> SliRows:
    entry = {"id": "orders", "path": "/x", "good": "/ok", "bad": "/bad", "at": "/at", **said}
    kept = {key: value for key, value in entry.items() if value is not None}
    return Config.model_validate({"url": "http://x", "slis": [kept]}).slis[0]


def use(**said: Any) -> UsageRows:
    entry = {"action": "open_page", "path": "/x", "by": ["/team"], "kind": "team", "at": "/at", **said}
    return Config.model_validate({"url": "http://x", "usage": [entry]}).usage[0]


def at(minutes: float) -> str:
    return (NOON + minutes * MINUTE).isoformat()


def counts(entry: SliRows, *rows: Any, look: Look = LOOK) -> list[tuple[float, float, float]]:
    """End in minutes after noon, good and bad."""
    return [
        ((fact.at - NOON) / MINUTE, fact.good, fact.bad)
        for fact in told(entry, rows, look).facts
        if isinstance(fact, SliCount)
    ]


@pytest.mark.parametrize(
    ("parts", "row", "counted"),
    [
        ({}, {"ok": 7, "bad": 2}, (7.0, 2.0)),
        ({"bad": None, "total": "/all"}, {"ok": 7, "all": 9}, (7.0, 2.0)),
        ({"good": None, "total": "/all"}, {"bad": 2, "all": 9}, (7.0, 2.0)),
        ({"bad": None, "total": 1}, {"ok": True}, (1.0, 0.0)),
        ({"bad": None, "total": 1}, {"ok": False}, (0.0, 1.0)),
        ({"bad": None, "total": 1, "good": {"value": "/s", "among": ["up", 5]}}, {"s": "up"}, (1.0, 0.0)),
        ({"bad": None, "total": 1, "good": {"value": "/s", "among": ["up", 5]}}, {"s": 5}, (1.0, 0.0)),
        ({"bad": None, "total": 1, "good": {"value": "/s", "among": ["up", 5]}}, {"s": "down"}, (0.0, 1.0)),
        ({"bad": None, "total": "/all"}, {"ok": 0.1, "all": 0.3}, (0.1, 0.2)),
    ],
)
def test_two_parts_make_the_third(parts: dict[str, Any], row: dict[str, Any], counted: tuple[float, float]) -> None:
    """Whichever two are told."""
    assert counts(sli(**parts), {**row, "at": at(-10)}) == [(-9.0, *counted)]


@pytest.mark.parametrize(
    ("entry", "row", "reason"),
    [
        (sli(), {"ok": 1, "at": at(-10)}, "invalid"),
        (sli(), {"ok": 1, "bad": "many", "at": at(-10)}, "invalid"),
        (sli(), {"ok": 1, "bad": 0}, "invalid"),
        (sli(), "no object", "invalid"),
        (sli(), {"ok": 1, "bad": 0, "at": "2026-05-04T12:00:00"}, "naive"),
        (sli(), {"ok": 1, "bad": 0, "at": at(6)}, "future"),
        (sli(bad=None, total="/all"), {"ok": 3, "all": 2, "at": at(-10)}, "contradiction"),
        (sli(bad=None, total=1, good={"value": "/s", "among": ["up"]}), {"s": None, "at": at(-10)}, "invalid"),
        (sli(by=["/service"]), {"ok": 1, "bad": 0, "at": at(-10)}, "invalid"),
        (sli(by=["/service"]), {"ok": 1, "bad": 0, "at": at(-10), "service": "x" * 200}, "invalid"),
        (sli(), Odd("a line is too long", "too_long"), "too_long"),
        (use(), {"team": "a", "at": at(6)}, "future"),
        (use(actor="/who"), {"team": "a", "at": at(-1)}, "invalid"),
        (use(prefix="eu/"), {"team": "x" * 200, "at": at(-1)}, "invalid"),
    ],
)
def test_rows_that_are_left_out(entry: SliRows | UsageRows, row: Any, reason: str) -> None:
    """Never half of one, and the sound one beside it is told."""
    sound = {"ok": 1, "bad": 0, "all": 1, "s": "up", "service": "a", "team": "a", "who": "jane", "at": at(-20)}
    said = told(entry, [row, sound], LOOK)
    assert (dict(said.odd), said.sound, len(said.facts)) == ({reason: 1}, 1, 1)


def test_a_slice_is_told_when_it_is_over() -> None:
    """`delay` after its end, whichever end its moment is; one that has begun will be, so there is more to come."""
    row = {"ok": 1, "bad": 0}
    over, running = {**row, "at": at(-2)}, {**row, "at": at(-1.5)}
    assert counts(sli(), over, running) == [(-1.0, 1.0, 0.0)]
    assert told(sli(), [over, running], LOOK).pending
    assert not told(sli(), [over], LOOK).pending
    assert counts(sli(stamp="end"), {**row, "at": at(-1)}, {**row, "at": at(-0.5)}) == [(-1.0, 1.0, 0.0)]
    day = told(sli(stamp="end", width="1d"), [{**row, "at": at(12 * 60)}], LOOK)
    assert (day.pending, day.facts, day.odd.total()) == (True, [], 0)


def test_what_was_before_is_no_history() -> None:
    """Of use as of slices; such a row is sound all the same."""
    early = {"ok": 1, "bad": 0, "team": "a", "at": at(-24 * 60 - 2)}
    for entry in (sli(), use()):
        said = told(entry, [early], LOOK)
        assert (said.facts, said.sound, said.odd.total()) == ([], 1, 0)
    assert len(told(sli(), [{**early, "at": at(-24 * 60 - 1)}], LOOK).facts) == 1


def test_the_present_is_one_slice() -> None:
    """Of all polls in one `width` it is the same one, and ends with the poll."""
    entry = sli(at="now", width="5m")
    row = {"ok": 1, "bad": 2}
    keys = []
    for seconds in (0, 299, 300):
        now = NOON + timedelta(seconds=seconds)
        (fact,) = told(entry, [row], Look(start=now, now=now, delay=MINUTE, hashed=str)).facts
        keys.append(fact.key)
        assert fact.at == now
    assert keys[0] == keys[1] != keys[2]


def test_rows_that_nothing_tells_apart() -> None:
    """Are one where they are the same; of those that contradict each other none is told, and each is counted."""
    row = {"ok": 1, "bad": 0, "at": at(-10)}
    assert counts(sli(), row, row) == [(-9.0, 1.0, 0.0)]
    said = told(sli(), [row, {**row, "ok": 2}, row, {**row, "at": at(-5)}], LOOK)
    assert [fact.at for fact in said.facts] == [NOON - 4 * MINUTE]
    assert (dict(said.odd), said.sound) == ({"contradiction": 3}, 1)
    assert said.why == "rows that nothing tells apart say different things; name in `key` what does"


def test_a_key_tells_rows_apart() -> None:
    """Several rows of a slice are added up by the store; of use the key alone tells, so a moment may be corrected."""
    one, other = ({"ok": ok, "bad": 0, "at": at(-10), "region": region} for ok, region in ((1, "eu"), (2, "us")))
    assert counts(sli(key=["/region"]), one, other) == [(-9.0, 1.0, 0.0), (-9.0, 2.0, 0.0)]
    entry = use(key=["/id"])
    first, corrected, second = (
        told(entry, [{"team": "a", "id": id_, "at": at(minute)}], LOOK).facts[0].key
        for id_, minute in ((1, -10), (1, -9), (2, -9))
    )
    assert first == corrected != second


def test_use_without_a_key() -> None:
    """Is told apart by moment, name, subject and actor, and not by its amount, which may be corrected."""
    entry = use(subject="/page", actor="/who", amount="/n")
    row = {"team": "a", "page": "home", "who": "jane", "n": 1, "at": at(-10)}
    changed: list[dict[str, Any]] = [{"team": "b"}, {"page": "help"}, {"who": "jo"}, {"at": at(-11)}]
    keys = [told(entry, [{**row, **change}], LOOK).facts[0].key for change in ({}, *changed)]
    assert len(set(keys)) == 5
    assert told(entry, [{**row, "n": 2}], LOOK).facts[0].key == keys[0]


def test_nobody_is_named() -> None:
    """An actor is hashed, in keys too, whether settings name them there or not."""
    seen: list[str] = []

    def hashed(person: str) -> str:
        seen.append(person)
        return "nobody"

    look = Look(start=LOOK.start, now=NOON, delay=MINUTE, hashed=hashed)
    keys = set()
    for entry in (use(actor="/who"), use(actor="/who", key=["/who"])):
        for person in ("jane", "joe"):
            (fact,) = told(entry, [{"team": "a", "who": person, "at": at(-10)}], look).facts
            assert isinstance(fact, Usage)
            assert fact.actor == "nobody"
            keys.add(fact.key)
        assert set(seen) == {"jane", "joe"}
    assert len(keys) == 2


def test_what_a_row_is_about() -> None:
    """Values joined behind the id of an SLI, or behind the prefix of use, in the system that is named."""
    row = {"ok": 1, "bad": 0, "org": "acme", "team": 7, "at": at(-10)}
    (count,) = told(sli(by=["/org", "/team"]), [row], LOOK).facts
    assert isinstance(count, SliCount)
    assert (count.sli, count.about.id, count.about.kind) == ("orders/acme/7", "orders/acme/7", "sli")
    (usage,) = told(use(system="github", by=["/org", "/team"], prefix="x/"), [row], LOOK).facts
    assert (usage.about.name, usage.about.kind) == ("github:x/acme/7", "team")


def test_too_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of them is told."""
    monkeypatch.setattr(facts, "MOST_ROWS", 2)
    row = {"ok": 1, "bad": 0, "at": at(-10)}
    assert len(told(sli(), [row, row], LOOK).facts) == 1
    with pytest.raises(TooMuchError, match="there are more than 2 rows"):
        told(sli(), [row, row, row], LOOK)


def test_rows_that_are_left_out_are_counted() -> None:
    """By the kind of fact that is missing, and the reason."""
    said = told(use(), [{}, {"at": "2026-05-04T12:00:00"}, {}], LOOK)

    def read(sieve: Sieve) -> list[Any]:
        count_odd(use(), said, sieve)
        return []

    (page,) = Sieve.over(FakeOutside({}), read)
    assert dict(page.rejected) == {("Usage", "invalid"): 2, ("Usage", "naive"): 1}


def test_where_no_row_can_be_read() -> None:
    """Of more than ten it is not them that are odd; the text says what is wrong with the last one."""
    bad = {"team": "a", "at": "noon"}
    with pytest.raises(Unexpected, match=r"^/x: none of 11 rows can be read: a text is no moment; write it such as"):
        all_odd(told(use(), [bad] * 11, LOOK), "/x")
    all_odd(told(use(), [bad] * 10, LOOK), "/x")
    all_odd(told(use(), [*[bad] * 11, {"team": "a", "at": at(-10)}], LOOK), "/x")
    all_odd(Told(), "/x", most=0)


VALUE: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.datetimes().map(datetime.isoformat),
    st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat),
    st.lists(st.integers(), max_size=2),
)
ROW = st.dictionaries(st.sampled_from(["ok", "bad", "at", "team", "id"]), VALUE) | VALUE


@given(st.lists(ROW, max_size=6))
def test_any_rows_are_facts_or_left_out(rows: list[Any]) -> None:
    """Each of them is either sound or counted; no two facts share a key; amounts are from 0 on."""
    for entry in (sli(), sli(at="now"), sli(key=["/id"]), use(amount="/ok"), use(key=["/id"], actor="/team")):
        said = told(entry, rows, LOOK)
        assert said.sound + said.odd.total() == len(rows)
        assert len({fact.key for fact in said.facts}) == len(said.facts) <= said.sound
        assert all(fact.at.tzinfo is UTC and fact.at <= NOON + 5 * MINUTE for fact in said.facts)
        counted = [fact for fact in said.facts if isinstance(fact, SliCount)]
        assert all(min(fact.good, fact.bad) >= 0 for fact in counted)
