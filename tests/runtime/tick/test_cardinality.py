from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from platform_meter.model.metric import Metric, MetricType, Ratio, Sample
from platform_meter.runtime.tick.cardinality import fold, levels

FLAKY = Metric(name="x_flaky_ratio", type=MetricType.GAUGE, help="x", labels=("team", "window"), fold="team")
INFO = Metric(name="x_info", type=MetricType.GAUGE, help="x", labels=("team",))


def sample(team: str, window: str, part: float, whole: float) -> Sample:
    return Sample(metric=FLAKY, labels=(team, window), value=Ratio(part=part, whole=whole))


def test_under_the_cap_nothing_changes() -> None:
    """All series stay, and an undefined ratio is absent."""
    rows, past = fold(FLAKY, [sample("a", "28d", 1, 4), sample("b", "28d", 0, 0)], cap=2, keep=frozenset())
    assert (rows, past) == ([(("a", "28d"), 0.25)], [])


def test_past_the_cap_ratios_are_made_over_the_union() -> None:
    """Three of four teams become _other; its ratio is (1+2+3)/(10+20+30), not a mean of ratios."""
    samples = [
        sample("a", "28d", 1, 2),
        sample("b", "28d", 1, 10),
        sample("c", "28d", 2, 20),
        sample("d", "28d", 3, 30),
    ]
    rows, past = fold(FLAKY, samples, cap=2, keep=frozenset())
    assert rows == [(("a", "28d"), 0.5), (("_other", "28d"), 0.1)]
    assert past == [("b", "28d"), ("c", "28d"), ("d", "28d")]


def test_the_keep_list_and_unowned_come_first() -> None:
    """Who is on the keep-list stays, and so does _unowned, whatever the names."""
    samples = [sample(t, "28d", 1, 2) for t in ("a", "b", "z", "_unowned")]
    rows, _ = fold(FLAKY, samples, cap=3, keep=frozenset({"z"}))
    assert [labels[0] for labels, _ in rows] == ["_unowned", "z", "_other"]


def test_a_family_without_fold_drops_the_last_by_name() -> None:
    """Where a union means nothing, series past the cap are dropped and counted."""
    samples = [Sample(metric=INFO, labels=(t,), value=1.0) for t in ("c", "a", "b")]
    assert fold(INFO, samples, cap=2, keep=frozenset()) == ([(("a",), 1.0), (("b",), 1.0)], [("c",)])


def test_a_cap_under_the_combinations_of_the_other_labels_holds_too() -> None:
    """Folding 3 teams leaves one `_other` for each of 3 windows; past a cap of 2 the last by name goes."""
    samples = [sample(team, window, 1, 2) for team in "abc" for window in ("28d", "7d", "91d")]
    rows, past = fold(FLAKY, samples, cap=2, keep=frozenset())
    assert rows == [(("_other", "28d"), 0.5), (("_other", "7d"), 0.5)]
    assert past == [s.labels for s in samples]


def test_what_is_other_already_is_not_counted() -> None:
    """A value `_other` goes into the union: its label set stays."""
    samples = [sample(t, "28d", 1, 2) for t in ("a", "b", "_other")]
    rows, past = fold(FLAKY, samples, cap=2, keep=frozenset())
    assert (rows, past) == ([(("a", "28d"), 0.5), (("_other", "28d"), 0.5)], [("b", "28d")])


@given(
    st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(["28d", "91d"])), unique=True, max_size=16),
    st.integers(2, 16),
)
def test_never_more_than_the_cap_and_nothing_lost(sets: list[tuple[str, str]], cap: int) -> None:
    """Folding keeps the sum of wholes and never exposes more series than the cap."""
    samples = [Sample(metric=FLAKY, labels=s, value=1.0) for s in sets]
    rows, _ = fold(FLAKY, samples, cap=cap, keep=frozenset())
    assert len(rows) <= cap
    assert sum(v for _, v in rows) == len(sets)


def test_levels_lower_the_largest_families_first() -> None:
    """Together 60 fit into 40 by cutting the one of 40 to 20; the small ones keep theirs."""
    assert levels({"a": 40, "b": 15, "c": 5}, {"a": 100, "b": 100, "c": 100}, 40) == {"a": 20, "b": 20, "c": 20}
    assert levels({"a": 4}, {"a": 100}, 40) == {"a": 100}


def test_levels_spare_what_the_meter_says_of_itself_and_of_slos() -> None:
    """They take their 12 first; of the 18 left the large family gets 13 beside the 5 of the small one, then nothing."""
    sizes = {"platform_meter_source_up": 4, "platform_slo_burn_rate": 8, "a": 40, "b": 5}
    caps = dict.fromkeys(sizes, 100)
    assert levels(sizes, caps, 30) == {
        "platform_meter_source_up": 100,
        "platform_slo_burn_rate": 100,
        "a": 13,
        "b": 13,
    }
    assert levels(sizes, caps, 0) == {"platform_meter_source_up": 100, "platform_slo_burn_rate": 100, "a": 0, "b": 0}
