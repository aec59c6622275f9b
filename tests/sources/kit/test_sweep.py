"""A sweep over many objects: what each says comes with the state that led to it, one at a time and side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from msgspec import Struct, field

from platform_meter.model.facts import Event, Ref
from platform_meter.model.facts.delivery import Change
from platform_meter.model.source import Gap, Limited, Refused, SourceError, Unexpected, Unreachable
from platform_meter.sources.kit.sweep import Object, Sweep
from platform_meter.testing.outside import FakeOutside

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SIDES = pytest.mark.parametrize("at_once", [1, 4])
PATIENCE = 20.0
"""Seconds that a thread waits for another one, which is due at once."""


class Place(Struct):
    told: int = 0
    failing: tuple[datetime, datetime] | None = None
    given_up: int = 0

    def abandon(self) -> None:
        self.given_up += 1


class Shelf(Struct):
    builds: Place = field(default_factory=Place)


Step = Callable[[str, int], object]
"""(object, step from 1 on): called before each step; what it raises ends the list."""


class World:
    """Objects with a list of builds each, told two at a step, and what is remembered of them."""

    def __init__(self, names: Sequence[str], at_once: int, step: Step = lambda *_: None, builds: int = 6) -> None:
        self.outside = FakeOutside({}, at_once=at_once)
        self.states = {name: Shelf() for name in names}
        self.step, self.builds = step, builds
        self.told: list[str] = []
        self.shared: list[str] = []

    def poll(self, most: int = 1_000_000) -> SourceError | None:
        """One sweep that is left after so many steps; how it ended."""
        sweep = Sweep[Shelf](self.outside, NOW)
        try:
            with closing(sweep.over([self.object(name) for name in self.states])) as steps:
                for taken, told in enumerate(steps, 1):
                    self.told += [fact.key for fact in told.facts]
                    self.states[told.id] = told.state
                    told.rest()
                    if taken == most:
                        return None
            sweep.settle()
        except SourceError as error:
            return error
        return None

    def remembered(self) -> list[str]:
        """What the states say was told."""
        return sorted(f"{name}/{n}" for name, state in self.states.items() for n in range(state.builds.told))

    def object(self, name: str) -> Object[Shelf]:
        seen: list[str] = []

        def rest() -> Callable[[], None]:
            taken = seen[:]
            seen.clear()
            return lambda: self.shared.extend(taken)

        return Object(
            id=name,
            state=self.states[name],
            readers={"builds": partial(self._builds, name, seen)},
            start=lambda _: NOW - DAY,
            rest=rest,
        )

    def _builds(self, name: str, seen: list[str], place: Place) -> Iterator[list[Event]]:
        while place.told < self.builds:
            keys = [f"{name}/{n}" for n in range(place.told, place.told + 2)]
            place.told += 1
            seen.append(keys[0])
            self.step(name, place.told // 2 + 1)
            place.told += 1
            yield [
                Change(
                    key=key,
                    at=NOW,
                    about=Ref(system="s", kind="repository", id=name),
                    updated=NOW,
                    sha=key,
                    opened=NOW,
                    first_commit=None,
                    labels=(),
                )
                for key in keys
            ]


def names(count: int) -> list[str]:
    return [f"r{n:02}" for n in range(count)]


def _raising(error: Exception, where: set[tuple[str, int]]) -> Step:
    def step(name: str, number: int) -> None:
        if (name, number) in where:
            raise error

    return step


@SIDES
def test_each_object_is_told_once(at_once: int) -> None:
    """All of it, and what is remembered is what was told, also of what objects share."""
    world = World(names(30), at_once)
    assert world.poll() is None
    assert sorted(world.told) == world.remembered()
    assert len(world.told) == len(set(world.told)) == 180
    assert sorted(world.shared) == sorted(key for key in world.told if key[-1] in "024")
    assert world.poll() is None
    assert len(world.told) == 180


def test_visits_go_on_side_by_side() -> None:
    """Four visits wait for each other within their first step: one at a time none would ever go on."""
    together = threading.Barrier(4, timeout=PATIENCE)
    world = World(names(4), 4, lambda _, number: number == 1 and together.wait())
    assert world.poll() is None
    assert len(world.told) == 24


def test_never_more_than_allowed_at_once() -> None:
    """Of thirty objects at four at a time no fifth is visited."""
    lock, running, most = threading.Lock(), set[int](), [0]

    def step(*_: object) -> None:
        with lock:
            running.add(threading.get_ident())
            most[0] = max(most[0], len(running))

    world = World(names(30), 4, step)
    world.poll()
    assert 1 <= most[0] <= 4


def test_one_at_a_time_goes_in_order() -> None:
    """Without leave for more, on the caller's own thread."""
    threads = set[int]()
    world = World(names(3), 1, lambda *_: threads.add(threading.get_ident()), builds=2)
    world.poll()
    assert world.told == ["r00/0", "r00/1", "r01/0", "r01/1", "r02/0", "r02/1"]
    assert threads == {threading.get_ident()}


@SIDES
@pytest.mark.parametrize("error", [Limited("used up", NOW), ZeroDivisionError("a mistake of ours")])
def test_what_ends_a_sweep_loses_and_doubles_nothing(at_once: int, error: Exception) -> None:
    """The quota, or a mistake: what was told is remembered, no more and no less, and the next sweep tells the rest."""
    world = World(names(20), at_once, _raising(error, {("r07", 2)}))
    if isinstance(error, Limited):
        assert world.poll() is error
    else:
        with pytest.raises(ZeroDivisionError):
            world.poll()
    assert sorted(world.told) == world.remembered()
    assert "r07/1" in world.told
    assert "r07/2" not in world.told
    assert "r07/2" not in world.shared
    world.step = lambda *_: None
    assert world.poll() is None
    assert sorted(world.told) == world.remembered()
    assert len(world.told) == len(set(world.told)) == 120


@SIDES
@pytest.mark.parametrize("most", [1, 2, 9, 31])
def test_a_sweep_that_is_left_loses_and_doubles_nothing(at_once: int, most: int) -> None:
    """The exporter stops, or its lease is gone, behind any step: no thread goes on, and the next sweep tells the rest."""
    before = set(threading.enumerate())
    world = World(names(12), at_once)
    world.poll(most)
    assert set(threading.enumerate()) <= before
    assert sorted(world.told) == world.remembered()
    world.poll()
    assert sorted(world.told) == world.remembered()
    assert len(world.told) == len(set(world.told)) == 72


@SIDES
def test_a_state_is_the_visits_own(at_once: int) -> None:
    """What stands in the checkpoint is not touched while visits go on, only replaced by what is told."""
    world = World(names(8), at_once)
    first = dict(world.states)
    world.poll()
    assert {state.builds.told for state in first.values()} == {0}


@SIDES
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Refused("403"), "forbidden"),
        (Unreachable("502"), "unreadable"),
        (Unexpected("404", 404), "forbidden"),
        (Unexpected("odd"), "unreadable"),
    ],
)
def test_one_that_fails_stops_no_other_and_is_a_gap(at_once: int, error: SourceError, reason: str) -> None:
    """From its second poll on where it may pass, at once where it won't; its range stays that of the first.

    Once it can be read it is no gap any more.
    """
    world = World(names(12), at_once, _raising(error, {("r05", 1)}))
    assert world.poll() is None
    assert len(world.told) == 66
    assert "r05/0" not in world.shared
    assert len(world.outside.gaps) == (0 if isinstance(error, Refused | Unreachable) else 1)
    world.outside.gaps.clear()
    assert world.poll() is None
    gap = Gap(start=NOW - DAY, end=NOW, reason=reason, text=f"r05: {error}", what="r05 builds")
    assert world.outside.gaps == [gap]
    assert world.states["r05"].builds.given_up == 1
    world.step = lambda *_: None
    assert world.poll() is None
    assert world.states["r05"].builds.failing is None
    assert world.outside.gaps == []
    assert len(world.told) == len(set(world.told)) == 72


@SIDES
def test_what_nobody_shows_fails_the_poll(at_once: int) -> None:
    """Refused everywhere: after three in a row no more are asked but those on their way, and nothing is a gap."""
    refused = Refused("403")
    world = World(names(40), at_once, _raising(refused, {(name, 1) for name in names(40)}))
    assert world.poll() is refused
    failing = [name for name, state in world.states.items() if state.builds.failing]
    assert 3 <= len(failing) < 3 + 2 * at_once
    assert (world.told, world.outside.gaps) == ([], [])


def test_an_object_without_lists_is_no_end() -> None:
    """It tells nothing, and the others go on, although the one before it could not be read."""
    world = World(["r00", "r01"], 1, _raising(Refused("403"), {("r00", 1)}))
    bare = Object(id="bare", state=Shelf(), readers={}, start=lambda _: NOW)
    objects = [world.object("r00"), bare, world.object("r01")]
    ended = [told.id for told in Sweep[Shelf](world.outside, NOW).over(objects) if told.ended]
    assert ended == ["r00", "bare", "r01"]
