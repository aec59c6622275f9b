"""Counters: sums in any order, and the cap on label sets."""

from __future__ import annotations

from tests.support.stores import NOON, Opener, Rules, counted, minutes, put, run

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


def test_the_moment_up_to_which_values_were_shown_is_kept_and_never_moves_back(open_store: Opener) -> None:
    """Unknown in a new store; another replica that is behind does not take it back."""
    store = open_store()
    assert store.exposed_before() is None
    for said, kept in ((NOON, NOON), (NOON + minutes(1), NOON + minutes(1)), (NOON, NOON + minutes(1))):
        store.set_exposed_before(said)
        assert open_store().exposed_before() == kept
