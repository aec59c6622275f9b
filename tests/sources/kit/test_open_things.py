"""Open things: who is asked for and when, who has ended, is gone, can't be read or never ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from platform_meter.model.facts.ci import PipelineRun
from platform_meter.model.source import Answer, Refused, SourceError, Unexpected
from platform_meter.sources.kit import open_things
from platform_meter.sources.kit.open_things import Open, Watch, due, put, unless_gone
from platform_meter.sources.kit.rows import Sieve
from platform_meter.testing.outside import Call, FakeOutside, Reply

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class Build(msgspec.Struct):
    id: int
    ended: bool = False


class World:
    """Builds by their path; polls of a watch over some of them."""

    def __init__(self, *ids: str, age: timedelta = HOUR, pace: int = 0) -> None:
        self.builds: dict[str, Reply | Exception] = {id_: self.build(id_) for id_ in ids}
        self.things = {id_: Open(created=NOON - age) for id_ in ids}
        self.outside = FakeOutside(self._answer)
        self.sieve = Sieve(self.outside)
        self.watch = Watch(
            outside=self.sieve, now=NOON, what="shop: build", becomes=PipelineRun, longest=40 * DAY, pace=pace
        )

    @staticmethod
    def build(id_: str, *, ended: bool = False) -> Reply:
        return Reply(body={"id": int(id_), "ended": ended}, headers={"ETag": f"v{id_}{ended}"})

    def _answer(self, call: Call) -> Reply:
        found = self.builds[call.path.rpartition("/")[2]]
        if isinstance(found, Exception):
            raise found
        return found

    def poll(self, after: timedelta = timedelta(0), skip: str = "") -> list[str]:
        """Ids of what changed."""
        self.outside.calls.clear()
        self.watch = replace(self.watch, now=self.watch.now + after)
        changed = []

        def ask(id_: str, held: Open) -> Answer[Build]:
            return self.sieve.get(f"/builds/{id_}", Build, etag=held.etag)

        for id_, _, build in self.watch.look(self.things, ask, lambda id_, _: id_ not in skip):
            changed.append(id_)
            if build.ended:
                del self.things[id_]
        return changed

    @property
    def asked(self) -> list[str]:
        return [call.path.rpartition("/")[2] for call in self.outside.calls]


def test_one_is_watched_until_it_ended() -> None:
    """While it is as it was that costs a call that is free of quota."""
    world = World("1", "2")
    assert world.poll() == ["1", "2"]
    assert world.poll(MINUTE) == []
    assert world.asked == ["1", "2"]
    assert world.outside.paid == []
    world.builds["1"] = world.build("1", ended=True)
    assert world.poll(MINUTE) == ["1"]
    assert [*world.things] == ["2"]
    assert world.poll(MINUTE, skip="2") == []
    assert world.asked == []


def test_one_that_is_gone_will_never_end() -> None:
    """It is no gap, and stops no other."""
    world = World("1", "2")
    world.builds["1"] = Reply(status=404)
    assert world.poll() == ["2"]
    assert [*world.things] == ["2"]
    assert world.outside.gaps == []


def test_one_that_is_odd_is_counted_and_stays() -> None:
    """It may end as a sound one; the others are asked for."""
    world = World("1", "2")
    world.builds["1"] = Reply(body={"id": "one"})
    assert world.poll() == ["2"]
    assert sorted(world.things) == ["1", "2"]
    assert world.sieve._taken() == {("PipelineRun", "invalid"): 1}
    world.builds["1"] = world.build("1", ended=True)
    assert world.poll(MINUTE) == ["1"]


def test_one_that_is_refused_is_a_gap_once() -> None:
    """It stops no other, and is told when it may be read again, and no gap any more."""
    world = World("1", "2")
    world.builds["1"] = Reply(status=403)
    assert [world.poll(), world.poll(MINUTE), world.poll(MINUTE)] == [["2"], [], []]
    assert [(gap.reason, gap.text) for gap in world.outside.gaps] == [
        ("forbidden", "shop: build 1: GET /builds/1: 403")
    ]
    world.builds["1"] = world.build("1", ended=True)
    assert world.poll(MINUTE) == ["1"]
    assert world.outside.gaps == []


@pytest.mark.parametrize("error", [Refused("401"), Unexpected("400", 400)])
def test_what_can_not_be_asked_ends_the_look(error: SourceError) -> None:
    """All are asked for again."""
    world = World("1", "2")
    world.builds["1"] = error
    with pytest.raises(type(error)):
        world.poll()
    assert sorted(world.things) == ["1", "2"]


def test_one_that_never_ends_is_a_gap() -> None:
    """It is asked for a last time, then given up."""
    world = World("1", age=40 * DAY - HOUR, pace=24)
    assert world.poll() == ["1"]
    assert world.poll(2 * HOUR) == []
    assert world.asked == ["1"]
    assert world.things == {}
    assert [(gap.start, gap.end, gap.reason, gap.text) for gap in world.outside.gaps] == [
        (NOON - 40 * DAY + HOUR, NOON + 2 * HOUR, "expired", "shop: build 1 never ended")
    ]


def test_one_that_was_open_for_long_is_asked_for_seldom() -> None:
    """After a twenty-fourth of its age: one of a day each hour, one of an hour each few minutes."""
    world = World("1", age=DAY, pace=24)
    world.things["2"], world.builds["2"] = Open(created=NOON - HOUR), world.build("2")
    world.poll()
    asked = []
    for _ in range(6):
        world.poll(10 * MINUTE)
        asked.append("".join(world.asked))
    assert asked == ["2", "2", "2", "2", "2", "12"]


def test_a_poll_has_so_many_calls_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those asked for longest ago come first, so that each has its turn; what is said of them is said oldest first."""
    monkeypatch.setattr(open_things, "CALLS", 2)
    world = World("1", "2", "3")
    world.things["2"].created -= MINUTE
    polls = []
    for _ in range(3):
        world.poll(MINUTE)
        polls.append("".join(world.asked))
    assert polls == ["21", "23", "21"]


def test_of_too_many_the_first_are_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkpoint stays small, and nothing is given up in silence."""
    monkeypatch.setattr(open_things, "MOST", 2)
    world = World("1", "2", "3")
    assert world.poll() == ["2", "3"]
    assert [(gap.reason, gap.text) for gap in world.outside.gaps] == [
        ("result_cap", "shop: build 1 is one of more than 2 that are open at once")
    ]


def test_the_last_seen_is_kept_behind_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever was not seen for longest is due first, and makes room."""
    monkeypatch.setattr(open_things, "MOST", 3)
    kept = {"1": "a", "2": "b", "3": "c"}
    put(kept, "1", "d")
    assert due(kept, lambda _, thing: thing != "c", 2) == {"2": "b", "1": "d"}
    assert [*due(kept, lambda _, __: True, 2)] == ["2", "3"]
    put(kept, "4", "e")
    assert kept == {"3": "c", "1": "d", "4": "e"}


def test_only_what_is_not_there_is_gone() -> None:
    """Any other answer that can't be used is an error."""

    def ask(error: Exception | None) -> str:
        if error is not None:
            raise error
        return "here"

    assert [unless_gone(lambda: ask(None)), unless_gone(lambda: ask(Unexpected("no", 404)))] == ["here", None]
    with pytest.raises(Unexpected, match="odd"):
        unless_gone(lambda: ask(Unexpected("odd", 400)))
