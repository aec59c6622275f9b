"""New counter label sets: how long they stay at 0, and what a restart does to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.support.stores import NOON, minutes

from platform_meter.runtime.tick.first_zero import FirstZero
from platform_meter.store import CounterRow

MINUTE = timedelta(seconds=60)
RUNS = "platform_pipeline_runs_total"


def seconds(n: float) -> timedelta:
    return timedelta(seconds=n)


def row(value: float, first_seen: datetime, *, team: str = "pay") -> CounterRow:
    labels = ("github", team, "success")
    return CounterRow(metric=RUNS, labels=labels, value=value, buckets=None, sum=0.0, first_seen=first_seen)


def shown(zero: FirstZero, rows: Sequence[CounterRow], now: datetime, *, took: float = 0) -> list[float]:
    """What one tick exposes; rendering ends `took` seconds after its start."""
    found = [r.value for r in zero.rows(rows, now)]
    zero.rendered(now, now + seconds(took))
    return found


def test_a_new_label_set_is_0_for_a_while() -> None:
    """It is exposed at 0 from when it is first rendered, whatever was counted meanwhile, and then with its value."""
    zero = FirstZero(MINUTE, NOON)
    seen = NOON + minutes(10)
    assert shown(zero, [row(1, seen)], seen + seconds(5)) == [0.0]
    assert shown(zero, [row(3, seen)], seen + seconds(64)) == [0.0]
    assert [zero.due(seen + seconds(n)) for n in (64, 65)] == [set(), {RUNS}]
    assert shown(zero, [row(3, seen)], seen + seconds(65)) == [3.0]
    assert zero.due(seen + seconds(66)) == set()


def test_the_time_at_0_begins_when_rendering_has_ended() -> None:
    """A tick of 40 s makes the 0 scrapable 40 s after it began; only then the minute runs."""
    zero = FirstZero(MINUTE, NOON)
    assert shown(zero, [row(1, NOON)], NOON, took=40) == [0.0]
    assert shown(zero, [row(1, NOON)], NOON + seconds(99)) == [0.0]
    assert shown(zero, [row(1, NOON)], NOON + seconds(100)) == [1.0]


def test_a_set_that_was_perhaps_never_scraped_begins_at_0_again_after_a_restart() -> None:
    """It was shown at 0 for 5 s before a crash: 10 min later it gets its whole minute, and an older one none."""
    before = FirstZero(MINUTE, NOON - MINUTE)
    old, new = row(7, NOON - minutes(5), team="old"), row(2, NOON, team="new")
    assert shown(before, [new, old], NOON) == [0.0, 7.0]
    after = FirstZero(MINUTE, before.released)
    assert shown(after, [new, old], NOON + minutes(10)) == [0.0, 7.0]
    assert shown(after, [new, old], NOON + minutes(11)) == [2.0, 7.0]


def test_a_set_shown_with_its_value_never_falls_back_to_0() -> None:
    """It was released a moment before the crash; a second 0 would be read as a reset and its events counted twice."""
    before = FirstZero(MINUTE, NOON - MINUTE)
    shown(before, [row(2, NOON)], NOON)
    assert shown(before, [row(2, NOON), row(1, NOON + seconds(59), team="next")], NOON + MINUTE) == [2.0, 0.0]
    after = FirstZero(MINUTE, before.released)
    assert shown(after, [row(2, NOON), row(1, NOON + seconds(59), team="next")], NOON + seconds(61)) == [2.0, 0.0]


def test_sets_of_one_moment_are_kept_apart() -> None:
    """Two first seen in the same millisecond but by different ticks: each has its own minute."""
    zero = FirstZero(MINUTE, NOON)
    shown(zero, [row(1, NOON, team="a")], NOON)
    both = [row(1, NOON, team="a"), row(1, NOON, team="b")]
    assert shown(zero, both, NOON + seconds(30)) == [0.0, 0.0]
    assert shown(zero, both, NOON + seconds(60)) == [1.0, 0.0]
    assert zero.due(NOON + seconds(75)) == set()
    assert shown(zero, both, NOON + seconds(75)) == [1.0, 0.0]
    assert shown(zero, both, NOON + seconds(90)) == [1.0, 1.0]


def test_without_a_time_at_0_values_are_shown_at_once() -> None:
    """`zero_for: 0s` switches it off."""
    zero = FirstZero(timedelta(), NOON)
    assert shown(zero, [row(3, NOON + minutes(1))], NOON + minutes(1)) == [3.0]
    assert zero.due(NOON + minutes(9)) == set()


def test_a_new_histogram_is_0_in_every_bucket() -> None:
    """Buckets, count and sum begin at 0 together."""
    zero = FirstZero(MINUTE, NOON)
    one = CounterRow(
        metric="platform_pod_start_seconds", labels=("eu", "job"), value=3, buckets=(1, 2), sum=4.5, first_seen=NOON
    )
    (at_first,) = zero.rows([one], NOON)
    assert (at_first.buckets, at_first.sum, at_first.value) == ((0, 0), 0.0, 0.0)
    zero.rendered(NOON, NOON)
    assert zero.rows([one], NOON + MINUTE) == [one]


@given(st.lists(st.tuples(st.integers(0, 200), st.booleans()), min_size=1, max_size=12))
def test_no_restart_takes_a_value_back_or_skips_the_0(arrivals: list[tuple[int, bool]]) -> None:
    """Sets arrive and the process crashes at any time: each is scrapable at 0 for a whole minute of one life first, then never 0."""
    arrivals.sort()
    zero = FirstZero(MINUTE, NOON - MINUTE)
    zeros: dict[str, datetime] = {}
    released: set[str] = set()
    for tick in range(0, 400, 15):
        now = NOON + seconds(tick)
        there = [(n, at) for n, (at, _) in enumerate(arrivals) if at <= tick]
        if any(crash and tick - 15 < at <= tick for at, crash in arrivals):
            zero = FirstZero(MINUTE, zero.released)
            zeros.clear()
        rows = zero.rows([row(1, NOON + seconds(at), team=str(n)) for n, at in there], now)
        for one in rows:
            if one.value == 0.0:
                assert one.labels[1] not in released
                zeros.setdefault(one.labels[1], now)
            elif one.labels[1] not in released:
                assert now - zeros[one.labels[1]] >= MINUTE
                released.add(one.labels[1])
        zero.rendered(now, now)
    assert len(released) == len(arrivals)


class Simple:
    """What `FirstZero` is to show, told by looking at all rows at each tick."""

    def __init__(self, released: datetime) -> None:
        self.released, self._since = released, dict[tuple[str, tuple[str, ...]], datetime]()

    def rows(self, rows: Sequence[CounterRow], now: datetime) -> dict[tuple[str, ...], float]:
        new = [r for r in rows if r.first_seen >= self.released]
        held = [r for r in new if now < self._since.setdefault((r.metric, r.labels), now) + MINUTE]
        newest = max([r.first_seen for r in rows], default=self.released - seconds(0.001))
        self.released = min([r.first_seen for r in held], default=max(self.released, newest + seconds(0.001)))
        return {(r.metric, *r.labels): 0.0 if r in held else r.value for r in rows}


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 1, 15, 45, 60, 61]),
            st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.integers(-90, 0)), max_size=3),
            st.booleans(),
        ),
        max_size=15,
    )
)
def test_only_families_that_changed_or_are_due_need_be_looked_at(
    ticks: list[tuple[int, list[tuple[str, str, int]], bool]],
) -> None:
    """Counters come and grow, some by another replica whose clock is behind, and the process restarts: what is shown and kept is what a look at all rows would show."""
    now = NOON
    stored: dict[tuple[str, str], CounterRow] = {}
    zero, simple = FirstZero(MINUTE, NOON), Simple(NOON)
    seen: dict[tuple[str, ...], float] = {}
    for passed, counts, restart in ticks:
        now += seconds(passed)
        for family, team, behind in counts:
            known = stored.get((family, team))
            first_seen = known.first_seen if known else now + seconds(behind)
            value = known.value + 1 if known else 1.0
            stored[family, team] = replace(row(value, first_seen, team=team), metric=family)
        read = {family for family, _, _ in counts} | zero.due(now)
        if restart:
            zero, simple, seen = FirstZero(MINUTE, zero.released), Simple(simple.released), {}
            read = {family for family, _ in stored}
        some = zero.rows([r for r in stored.values() if r.metric in read], now)
        seen |= {(r.metric, *r.labels): r.value for r in some}
        zero.rendered(now, now)
        assert seen == simple.rows(list(stored.values()), now)
        assert zero.released == simple.released
