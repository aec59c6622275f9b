"""Counters: sums in any order, and the cap on label sets."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.stores import NOON, Opener, Rules, counted, minutes, open_at, put, run

from platform_meter.model.facts.ci import Outcome
from platform_meter.model.metric import Increment, Metric, MetricType
from platform_meter.store import Store

RUNS = "platform_pipeline_runs_total"
DROPPED = "platform_meter_series_dropped_total"


def _teams(store: Store, *names: str, key: str = "") -> None:
    runs = [run(f"{n}{key}", NOON + minutes(1), repository=f"acme/{n}") for n in names]
    put(store, runs, NOON + minutes(2))


def _open(opener: Opener, cap: int = 3, **more: object) -> Store:
    teams = Rules({f"github:acme/{n}": n for n in "abcdefgh"})
    return opener(directory=teams, caps={RUNS: cap}, **more)


def test_past_the_cap_a_value_becomes_other(open_store: Opener) -> None:
    """On one page names decide; who is in stays in for good; the sum is the same."""
    store = _open(open_store)
    _teams(store, "d", "c", "b", "e", "a")
    assert counted(store) == {("github", t, "success"): n for t, n in (("a", 1), ("b", 1), ("c", 1), ("_other", 2))}
    assert counted(store, DROPPED) == {(RUNS,): 2}
    _teams(store, "a", "d", "f", key="2")
    assert counted(store) == {("github", t, "success"): n for t, n in (("a", 2), ("b", 1), ("c", 1), ("_other", 4))}
    assert counted(store, DROPPED) == {(RUNS,): 3}


def test_the_keep_list_comes_first(open_store: Opener) -> None:
    """Then `_unowned`'s equal: by name."""
    store = _open(open_store, 2, keep={"team": frozenset({"h"})})
    _teams(store, "a", "b", "h", "nobody")
    assert set(counted(store)) == {("github", t, "success") for t in ("h", "_unowned", "_other")}


def test_only_the_fold_label_is_folded(open_store: Opener) -> None:
    """Other labels stay apart in `_other`."""
    store = _open(open_store, 1)
    put(store, [run("1", repository="acme/a"), run("2", repository="acme/b")])
    put(store, [run("3", repository="acme/c", outcome=Outcome.UNKNOWN)])
    assert counted(store) == {
        ("github", "a", "success"): 1,
        ("github", "_other", "success"): 1,
        ("github", "_other", "unknown"): 1,
    }


def test_without_a_label_to_fold_the_last_by_name_are_dropped(open_store: Opener) -> None:
    """And counted as dropped, once each."""
    metric = Metric(name="platform_x_total", type=MetricType.COUNTER, help="X.", labels=("sla",), cap=2)
    store = open_store()
    for _ in range(2):
        store.add_counters([Increment(metric=metric, labels=(v,)) for v in "cab"], now=NOON)
    assert counted(store, "platform_x_total") == {("a",): 2, ("b",): 2}
    assert counted(store, DROPPED) == {("platform_x_total",): 1}


def test_histograms_fold_too(open_store: Opener) -> None:
    """Observations of a folded set are those of `_other`."""
    store = open_store(caps={"platform_pipeline_run_duration_seconds": 1})
    put(store, [run("1", pool="a", seconds=4), run("2", pool="b", seconds=5), run("3", pool="c", seconds=7)])
    found = {r.labels: (*r.buckets[:3], r.sum) for r in store.counters() if r.buckets}
    assert found == {("github", "a"): (1, 0, 0, 4.0), ("github", "_other"): (1, 1, 0, 12.0)}


def test_a_histogram_with_other_bounds_starts_anew(open_store: Opener) -> None:
    """What was counted under other bounds can't be told under the new ones: a reset, as Prometheus knows it."""

    def metric(*bounds: float) -> Metric:
        return Metric(name="platform_h_seconds", type=MetricType.HISTOGRAM, help="H.", buckets=bounds)

    store = open_store()
    for bounds in ((1.0, 2.0), (1.0, 2.0), (1.0,)):
        store.add_counters([Increment(metric=metric(*bounds), labels=(), amount=1.5)], now=NOON)
    (row,) = store.counters()
    assert (row.buckets, row.value, row.sum) == ((0, 1), 1.0, 1.5)


TOOK = Metric(name="platform_took_seconds", type=MetricType.HISTOGRAM, help="T.", buckets=(0.5, 1.0))


def counted_elsewhere(seconds: float, **within: float) -> Increment:
    """Observations that somebody else counted; `_5` is the bound 0.5."""
    names = {"_5": "0.5", "_1": "1", "inf": "+Inf"}
    return Increment(metric=TOOK, labels=(), amount=seconds, within={names[k]: n for k, n in within.items()})


def test_observations_that_were_counted_elsewhere_are_added_as_they_are(open_store: Opener) -> None:
    """By the bound that holds them and with their sum, beside those that we observe ourselves."""
    store = open_store()
    more = Increment(metric=TOOK, labels=(), amount=0.75)
    store.add_counters([counted_elsewhere(9.5, _5=3, inf=2), more, counted_elsewhere(0.25, _5=1)], now=NOON)
    (row,) = store.counters()
    assert (row.buckets, row.value, row.sum) == ((4, 1, 2), 7.0, 10.5)


def test_parts_of_an_observation_are_kept_until_they_are_a_whole_one(open_store: Opener) -> None:
    """An increase over time is seldom whole: nothing is lost, and nothing shows before it is there."""
    store = open_store()
    seen = []
    for _ in range(4):
        store.add_counters([counted_elsewhere(0.7, _5=0.5, _1=0.75, inf=0.25)], now=NOON)
        (row,) = store.counters()
        seen.append((row.buckets, row.value, round(row.sum, 6)))
    assert seen == [((0, 1, 0), 1.0, 0.7), ((1, 1, 1), 3.0, 1.4), ((1, 2, 1), 4.0, 2.1), ((2, 3, 1), 6.0, 2.8)]


AMOUNTS = st.lists(st.tuples(*[st.integers(0, 3_000_000)] * 3), max_size=12)


@given(AMOUNTS)
def test_no_bound_of_a_histogram_ever_falls_or_is_off_by_one(told: list[tuple[int, int, int]]) -> None:
    """Up to each bound there are all whole observations that were counted up to it, at every moment."""
    with tempfile.TemporaryDirectory() as folder, closing(open_at(f"sqlite:///{Path(folder) / 'm.db'}")) as store:
        exact = [0, 0, 0]
        for one in told:
            first, second, last = (n / 1_000_000 for n in one)
            store.add_counters([counted_elsewhere(0.0, _5=first, _1=second, inf=last)], now=NOON)
            exact = [sum(pair) for pair in zip(exact, (one[0], one[0] + one[1], sum(one)), strict=True)]
            (row,) = store.counters()
            buckets = row.buckets or ()
            assert [sum(buckets[:n]) for n in (1, 2, 3)] == [n // 1_000_000 for n in exact]
            assert min(buckets) >= 0
            assert row.value == exact[2] // 1_000_000


@pytest.mark.parametrize(
    ("metric", "within", "text"),
    [
        (TOOK, {"0.7": 1.0}, r"platform_took_seconds has no bound 0\.7; it has: 0\.5, 1, \+Inf"),
        (TOOK, {"1": -1.0}, r"platform_took_seconds counts observations, which can't fall; got -1\.0 up to 1"),
        (TOOK, {"1": float("nan")}, r"got nan up to 1"),
        (
            Metric(name="platform_x_total", type=MetricType.COUNTER, help="X."),
            {"1": 1.0},
            r"platform_x_total has no bound 1; it has: none",
        ),
    ],
)
def test_what_no_histogram_can_hold_is_refused(
    open_store: Opener, metric: Metric, within: dict[str, float], text: str
) -> None:
    """Bounds of other histograms, fewer than before, no number; and counters have no bounds."""
    store = open_store()
    with pytest.raises(ValueError, match=text):
        store.add_counters([Increment(metric=metric, labels=(), amount=1.0, within=within)], now=NOON)
    assert store.counters() == []


def test_the_moment_up_to_which_values_were_shown_is_kept_and_never_moves_back(open_store: Opener) -> None:
    """Unknown in a new store; another replica that is behind does not take it back."""
    store = open_store()
    assert store.exposed_before() is None
    for said, kept in ((NOON, NOON), (NOON + minutes(1), NOON + minutes(1)), (NOON, NOON + minutes(1))):
        store.set_exposed_before(said)
        assert open_store().exposed_before() == kept
