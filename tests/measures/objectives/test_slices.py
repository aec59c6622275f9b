"""Slices of probe checks: what a slice without data is, corrections, and that what is kept equals what is read anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.history import MemoryHistory, owner
from tests.support.objectives import NOW, Told, ago, check, objective, sli

from platform_meter.measures.objectives.slices import Counts, Line, Lines
from platform_meter.model.facts.probes import PROBE_CHECKS
from platform_meter.model.facts.slis import SLI
from platform_meter.model.objective import NoData, StoredObjective

MINUTE = timedelta(minutes=1)


def wanted(no_data: NoData, **more: object) -> StoredObjective:
    return objective(PROBE_CHECKS, no_data=no_data, where={"target": "eu/readyz"}, **more)  # type: ignore[arg-type]  # keywords of objective


def counted(of: StoredObjective, told: list[Told], minutes: int) -> Counts:
    """Slices of the last minutes before NOW."""
    lines = Lines([of])
    lines.read(MemoryHistory([(name, owner("a"), fact) for name, fact in told]), NOW)
    line = lines[of.slo]
    return line.count(line.index(NOW - minutes * MINUTE), line.index(NOW))


SIX = [check(True, ago(minutes=9)), check(False, ago(minutes=8)), check(True, ago(minutes=3))]
"""Of the last nine minutes three were checked: good, bad, four times nothing, good, twice nothing."""


@pytest.mark.parametrize(
    ("no_data", "good", "bad"),
    [(NoData.EXCLUDE, 2, 1), (NoData.GOOD, 8, 1), (NoData.BAD, 2, 7), (NoData.HOLD, 4, 4)],
)
def test_a_slice_without_data_is_what_the_file_says(no_data: NoData, good: int, bad: int) -> None:
    """`hold` keeps the last state for three slices and leaves the fourth out."""
    assert counted(wanted(no_data), SIX, 9) == (good, bad)


@pytest.mark.parametrize("no_data", list(NoData))
def test_time_before_the_first_check_is_no_data_of_any_kind(no_data: NoData) -> None:
    """Less history than the window: over what there is."""
    assert counted(wanted(no_data), SIX, 9) == counted(wanted(no_data), SIX, 500)


@pytest.mark.parametrize("no_data", list(NoData))
def test_without_any_check_there_is_nothing(no_data: NoData) -> None:
    """A probe that never ran is not bad: it is not there."""
    assert counted(wanted(no_data), [], 60) == (0, 0)


def test_a_slice_is_good_from_its_target_on_exactly() -> None:
    """At 0.7, 7 of 10 are good and 6 of 10 are not; decimals, so that 0.7 is 0.7."""
    of = wanted(NoData.EXCLUDE, slice_=timedelta(minutes=5), slice_target="0.7")
    checks = [check(n >= 3, ago(minutes=5) + timedelta(seconds=30 * n)) for n in range(10)]
    assert counted(of, checks, 5) == (1, 0)
    assert counted(of, [*checks[1:], check(False, ago(seconds=1))], 5) == (1, 0)
    assert counted(of, [*checks[:-1], check(False, ago(seconds=1))], 5) == (0, 1)


def test_checks_of_other_targets_do_not_count() -> None:
    """Each line is one target's."""
    assert counted(wanted(NoData.EXCLUDE), [check(False, ago(minutes=2), target="us/readyz")], 9) == (0, 0)


def test_a_corrected_check_is_counted_once() -> None:
    """The same key with a newer `updated` replaces what was; the slice is judged anew."""
    of, lines = wanted(NoData.EXCLUDE), None
    first = check(False, ago(minutes=2), key="k")
    second = check(True, ago(minutes=2), key="k", updated=NOW)
    lines = Lines([of])
    lines.read(MemoryHistory([("eu", owner("a"), first[1])]), NOW)
    line = lines[of.slo]
    window = line.index(NOW) - 10, line.index(NOW)
    assert line.count(*window) == (0, 1)
    lines.read(MemoryHistory([("eu", owner("a"), first[1]), ("eu", owner("a"), second[1])]), NOW)
    assert line.count(*window) == (1, 0)


def test_slices_older_than_the_period_are_forgotten_and_not_missed() -> None:
    """A line stays as long as its period and a day, however long the meter runs."""
    of = wanted(NoData.BAD, period=timedelta(hours=1))
    line = Line(of)
    for hour in range(100):
        start = line.index(NOW) + 60 * hour
        line.put(start, start + 60, {start: (1, 1)})
        line.forget()
    end = line.index(NOW) + 60 * 99 + 1
    assert line.count(end - 60, end) == (1, 59)
    assert len(line._raw) == 25 * 60


def test_an_objective_that_does_not_say_what_a_slice_is_is_refused() -> None:
    """A programming error, told with the SLO's name."""
    with pytest.raises(ValueError, match="x: slices need their length, their target and what one without data is"):
        Line(replace(wanted(NoData.BAD), no_data=None))


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(NoData),
    st.lists(st.tuples(st.booleans(), st.integers(1, 3600)), max_size=40, unique_by=lambda t: t[1]),
    st.integers(0, 40),
    st.integers(1, 90),
)
def test_reading_on_gives_what_reading_anew_would(
    no_data: NoData, said: list[tuple[bool, int]], split: int, minutes: int
) -> None:
    """Whatever the order of arrival: late and older checks too."""
    of = wanted(no_data)
    told = [check(ok, ago(seconds=s)) for ok, s in said]
    lines = Lines([of])
    for part in (told[:split], told):
        lines.read(MemoryHistory([(name, owner("a"), fact) for name, fact in part]), NOW)
        line = lines[of.slo]
        line.count(line.index(NOW) - 5, line.index(NOW))  # a look in between leaves no trace
    line = lines[of.slo]
    assert line.count(line.index(NOW - minutes * MINUTE), line.index(NOW)) == counted(of, told, minutes)


def test_what_was_counted_elsewhere_is_sliced_by_the_share_of_good_ones() -> None:
    """A count up to a moment belongs to the slice that ends there; another SLI's counts say nothing; none at all is no data."""
    told = [
        sli("a", 999.0, 1.0, ago(minutes=3)),
        sli("a", 998.0, 2.0, ago(minutes=2)),
        sli("b", 0.0, 9.0, ago(minutes=2)),
        sli("a", 0.0, 0.0, ago(minutes=1)),
    ]
    of = objective(SLI, where={"id": "a"}, no_data=NoData.EXCLUDE, slice_target="0.999")
    assert counted(of, told, 4) == (1, 1)
    assert counted(of, told, 3) == (0, 1)
    lines = Lines([of])
    lines.read(MemoryHistory([(name, owner("a"), fact) for name, fact in told]), NOW)
    line = lines["x"]
    assert [line.is_good(line.index(ago(minutes=n))) for n in (4, 3, 2)] == [True, False, None]


@pytest.mark.parametrize("no_data", list(NoData))
def test_slices_whose_events_are_kept_by_days_alone_are_there_no_more(no_data: NoData) -> None:
    """A line that was read when they were there is as one that is read anew; of one that was cut, nothing is judged."""
    told = [sli("a", 9.0, 1.0, ago(minutes=n)) for n in (14, 10, 9, 6, 5, 1)]
    of = objective(SLI, where={"id": "a"}, no_data=no_data, slice_=2 * MINUTE, slice_target="0.9")
    facts = [(name, owner("a"), fact) for name, fact in told]
    old, anew = Lines([of]), Lines([of])
    old.read(MemoryHistory(facts), NOW)
    more = ("eu", owner("a"), sli("a", 0.0, 1.0, ago(seconds=30))[1])
    later = MemoryHistory([*facts, more], summed=ago(minutes=9))
    for lines in (old, anew):
        lines.read(later, NOW)
    assert old["x"].first == anew["x"].first == anew["x"].index(ago(minutes=7))
    counts = [lines["x"].count(lines["x"].index(ago(minutes=20)), lines["x"].index(NOW)) for lines in (old, anew)]
    assert counts[0] == counts[1]
    assert counts[0].good == {NoData.EXCLUDE: 2, NoData.HOLD: 3, NoData.GOOD: 3, NoData.BAD: 2}[no_data]
    later.summed = ago(minutes=0)
    old["x"].begin(NOW)
    assert old["x"].first is None
