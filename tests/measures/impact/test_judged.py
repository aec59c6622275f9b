"""Four words for an effect, and why it is each of them."""

from __future__ import annotations

import pytest
from tests.support.impact import AT, DAY, NOW, RUN, both, builds, change, runs, scene

from platform_meter.measures.impact.judged import Judgement, Verdict, judge
from platform_meter.model.definitions import Campaign
from platform_meter.model.measure import Scene

SLOW = [50.0, 55, 61, 48, 70, 66, 58, 60]
FAST = [30.0, 41, 35, 28, 52, 33, 39, 37]


def only(of: Scene) -> Judgement:
    (found,) = judge(of)
    return found


@pytest.mark.parametrize(
    ("before", "after", "verdict", "why"),
    [
        (SLOW, FAST, Verdict.IMPROVED, ""),
        (FAST, SLOW, Verdict.WORSE, ""),
        (SLOW, SLOW[::-1], Verdict.NO_CHANGE, "the interval holds 0"),
        (SLOW[:7], FAST, Verdict.TOO_LITTLE, "7 values before and 8 after; it takes 8 of each"),
        ([0.0] * 8, FAST, Verdict.TOO_LITTLE, "the change has no interval"),
    ],
)
def test_the_four_verdicts(before: list[float], after: list[float], verdict: Verdict, why: str) -> None:
    """Shorter runs are better ones."""
    found = only(scene(runs("a", *both(before, after)), change()))
    assert (found.verdict, found.why) == (verdict, why)
    assert (len(found.before), len(found.after)) == (len(before), len(after))


def test_a_file_may_say_what_is_better() -> None:
    """Longer, for once."""
    found = only(scene(runs("a", *both(SLOW, FAST)), change(metric={"name": RUN, "better": "higher"})))
    assert found.verdict is Verdict.WORSE


def test_the_washout_and_what_lies_outside_are_left_out() -> None:
    """A run on each side of every edge."""
    edges = [(-30.1, 1.0), (-30.0, 2.0), (-0.01, 3.0), (0.0, 4.0), (9.99, 5.0), (10.0, 6.0), (39.99, 7.0), (40.0, 8.0)]
    found = only(scene(runs("a", *edges), change(), now=NOW + 9 * DAY))
    assert ([s.value for s in found.before], [s.value for s in found.after]) == ([2, 3], [6, 7])
    assert not found.running


def test_another_change_on_the_same_units_leaves_no_claim() -> None:
    """The effect is shown, and nobody can tell whose it is; on other units it is no matter."""
    facts = runs("a", *both(SLOW, FAST))
    found, _ = judge(scene(facts, change(units=["a"]), change(id="cache", title="Cache", units=["a", "b"])))
    assert (found.verdict, found.effect is not None) == (Verdict.NO_CHANGE, True)
    assert found.why == "nobody can tell it from Cache, which fell on the same units within the same time"
    alone, _ = judge(scene(facts, change(units=["a"]), change(id="cache", units=["b"])))
    assert alone.verdict is Verdict.IMPROVED


def test_several_metrics_are_held_against_how_many_they_are() -> None:
    """A chance that is enough alone is not among three."""
    facts = [*runs("a", *both(range(10, 20), [5.25, 6.25, 7.25, 8.25, 9.25, 10.25, 11.25, 12.25, 13.25, 23]))]
    alone = only(scene(facts, change()))
    assert alone.verdict is Verdict.IMPROVED
    assert 0.05 / 3 < alone.chance <= 0.05
    labels: list[dict[str, str]] = [{}, {"pool": "large"}, {"system": "github"}]
    said = change(metric=None, metrics=[{"name": RUN, "labels": one} for one in labels])
    found = judge(scene(facts, said))
    assert [one.verdict for one in found] == [Verdict.NO_CHANGE] * 3
    assert "held against 3 metrics" in found[0].why


def test_what_is_not_over_and_what_is_not_known_is_said() -> None:
    """A history that begins within the time before, days that are still to come, a stale source, a change to come."""
    facts = runs("a", *both(SLOW, FAST))
    found = only(scene(facts, change(), now=AT + 20 * DAY, read_from=AT - 20 * DAY))
    assert found.running
    assert found.notes == [
        "known from 12 May 2026 on: part of the time before is missing",
        "not over: the time after ends on 11 Jul 2026, and what is said now may change until then",
    ]
    assert only(scene(facts, change(), fresh=False)).why == "its values are not known now"
    assert only(scene(facts, change(at="2026-08-01"))).why == "it has not begun"


def test_control_units_take_off_what_changed_everywhere() -> None:
    """All became faster, and those it touched no more than the others."""
    facts = [one for n in range(8) for team in (f"a{n}", f"b{n}") for one in runs(team, *both(SLOW, FAST))]
    facts += runs("a8", (-3, 60))  # nothing after: it is no pair
    names = {"units": [f"a{n}" for n in range(9)], "control_units": [f"b{n}" for n in range(8)]}
    found = only(scene(facts, change(**names)))
    assert found.effect is not None
    assert (found.effect.change, found.verdict) == (0, Verdict.NO_CHANGE)
    assert (len(found.before), len(found.after)) == (64, 64)
    assert only(scene(facts, change(units=names["units"]))).verdict is Verdict.IMPROVED
    others = only(scene(facts, change(control_units=names["control_units"])))
    assert {s.team for s in others.before} == {f"a{n}" for n in range(8)}
    few = only(scene(facts, change(units=["a0", "a1"], control_units=["b0"])))
    assert few.why == "2 units with values on both sides, and 1 to compare with; it takes 8 of each"


def test_a_campaign_is_judged_by_weeks() -> None:
    """Two teams build in each week before; from the first week after the washout on all six do."""
    said = {"kind": "Campaign", "id": "show", "at": "2026-06-01", "capability": "builds"}
    facts = [
        one
        for n in range(6)
        for one in runs(f"t{n}", *((day + 0.5, 60.0) for day in range(-91, 105, 7) if n < 2 or day >= 14))
    ]
    show = Campaign.model_validate(said)
    found = only(scene(facts, campaigns=[show], capabilities=[builds()], now=AT + 110 * DAY))
    assert [s.value for s in found.before][-8:] == [2] * 8
    assert [s.value for s in found.after][:8] == [6] * 8
    assert found.verdict is Verdict.IMPROVED
    assert found.effect is not None
    assert "intervals of weekly series tend to be too narrow" in found.notes
