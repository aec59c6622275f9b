"""The events behind the gauges of an SLO. That they add up to every sample is asserted wherever these are tested."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.support.objectives import DAY, NOW, ago, check, objective, run, scene, sli

from platform_meter.measures.objectives.behind import behind
from platform_meter.model.catalogue.slos import SLO_BUDGET_REMAINING, SLO_BURN, SLO_SLI, SLO_WINDOW_EVENTS
from platform_meter.model.facts.ci import PIPELINE_RUNS, Outcome
from platform_meter.model.facts.probes import PROBE_CHECKS, ProbeCheck
from platform_meter.model.facts.slis import SLI
from platform_meter.model.measure import Labels, Piece, Scene
from platform_meter.model.metric import Metric
from platform_meter.model.objective import NoData

RUNS = scene(
    [
        run(Outcome.SUCCESS, ago(minutes=1), key="good"),
        run(Outcome.USER_FAILURE, ago(minutes=2), key="theirs"),
        run(Outcome.INFRA_FAILURE, ago(minutes=3), key="ours"),
        run(Outcome.CANCELLED, ago(minutes=4), key="nobody"),
        run(Outcome.INFRA_FAILURE, ago(days=3), key="old"),
    ],
    objective(PIPELINE_RUNS, "0.9"),
)


def found(at: Scene, metric: Metric, labels: Labels) -> list[Piece]:
    return list(behind(at, metric, labels))


def keys(pieces: list[Piece]) -> set[str]:
    return {getattr(piece.fact, "key", "") for piece in pieces}


def test_good_and_bad_ones_stand_behind_their_own_count() -> None:
    """In the window that is asked for; what is not valid is behind neither."""
    assert keys(found(RUNS, SLO_WINDOW_EVENTS, ("x", "1h", "good"))) == {"good", "theirs"}
    assert keys(found(RUNS, SLO_WINDOW_EVENTS, ("x", "1h", "bad"))) == {"ours"}
    assert keys(found(RUNS, SLO_WINDOW_EVENTS, ("x", "28d", "bad"))) == {"ours", "old"}


@pytest.mark.parametrize(
    ("metric", "parts"),
    [(SLO_SLI, [0.0, 1.0, 1.0]), (SLO_BURN, [0.0, 0.0, 10.0]), (SLO_BUDGET_REMAINING, [-9.0, 1.0, 1.0])],
)
def test_all_valid_ones_stand_behind_a_ratio(metric: Metric, parts: list[float]) -> None:
    """At T = 0.9 a bad event burns ten times what is allowed of one: 10 for the rate, 1 - 10 for the budget."""
    pieces = found(RUNS, metric, ("x", "1h"))
    assert [piece.adds for piece in pieces] == [1.0, 1.0, 1.0]
    assert sorted(piece.part for piece in pieces) == pytest.approx(parts)


def test_what_was_counted_elsewhere_adds_what_it_counted() -> None:
    """One fact may stand for thousands."""
    at = scene([sli("a", 9856.0, 144.0, ago(minutes=5))], objective(SLI, "0.999", where={"id": "a"}))
    assert [p.adds for p in found(at, SLO_WINDOW_EVENTS, ("x", "1h", "bad"))] == [144.0]
    (burned,) = found(at, SLO_BURN, ("x", "1h"))
    assert (burned.adds, burned.part) == pytest.approx((10_000.0, 144_000.0))


def test_checks_share_their_slice_and_silence_is_told_in_words() -> None:
    """Two checks of one minute are half of it each; slices without data that count have no fact."""
    told = [
        check(False, ago(minutes=10, seconds=-20), key="a"),
        check(True, ago(minutes=10, seconds=-40), key="b"),
        check(True, ago(minutes=8, seconds=-1), key="c"),
    ]
    where = {"target": "eu/readyz"}
    at = scene(told, objective(PROBE_CHECKS, where=where, no_data=NoData.BAD, windows=(timedelta(minutes=10),)))
    pieces = found(at, SLO_WINDOW_EVENTS, ("x", "10m", "bad"))
    assert [(p.adds, p.what) for p in pieces if not isinstance(p.fact, ProbeCheck)] == [
        (8.0, "slices without data that count as bad")
    ]
    assert {p.fact.key: p.adds for p in pieces if isinstance(p.fact, ProbeCheck)} == {"a": 0.5, "b": 0.5}
    assert keys(found(at, SLO_WINDOW_EVENTS, ("x", "10m", "good"))) == {"c"}


def test_days_of_which_only_sums_are_kept_are_told_in_words() -> None:
    """By object, before the events that are there."""
    told = [sli("a", 90.0, 10.0, ago(days=40)), sli("a", 1.0, 0.0, ago(days=40)), sli("a", 3.0, 1.0, ago(minutes=5))]
    of = objective(SLI, where={"id": "a"}, period=91 * DAY, label="91d")
    at = scene(told, of, summed=NOW - 35.5 * DAY)
    pieces = found(at, SLO_WINDOW_EVENTS, ("x", "91d", "bad"))
    assert [(p.what, p.adds) for p in pieces] == [
        ("days before 2026-05-06, of which only sums are kept", 10.0),
        ("", 1.0),
    ]
    assert found(at, SLO_WINDOW_EVENTS, ("x", "1h", "bad")) == pieces[1:]
