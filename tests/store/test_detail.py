"""What was counted elsewhere, once it is older than its detail."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import text
from tests.support.stores import NOON, Opener, configured, put, run, tallies

from platform_meter.model.facts import Event, Ref
from platform_meter.model.facts.ci import PipelineRun
from platform_meter.model.facts.slis import SliCount, Verdict
from platform_meter.store import Store, Written
from platform_meter.store.database import Database

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TEN = timedelta(days=10)
LATER = NOON + 12 * DAY
MIDNIGHT = datetime(2026, 6, 3, tzinfo=UTC)
"""Ten whole days before the day of `LATER`."""


def minute(at: datetime, *, good: float = 1.0, bad: float = 0.0) -> SliCount:
    about = Ref(system="github", kind="sli", id="logins")
    key = f"{at:%Y-%m-%dT%H:%MZ}"
    return SliCount(key=key, at=at, about=about, sli="logins", good=good, bad=bad, width=timedelta(minutes=1))


def filled(open_store: Opener, **settings: object) -> Store:
    """One count on 1 June, two on 2 June, one on 3 June and one twelve days after the first; and a pipeline run."""
    store = open_store(detail=TEN, **settings)
    counts = [minute(NOON), minute(NOON + DAY), minute(NOON + DAY + HOUR, bad=4.0), minute(NOON + 2 * DAY)]
    put(store, [*counts, run("old")], NOON + 2 * DAY)
    put(store, [minute(LATER)], LATER)
    return store


def good_and_bad(store: Store, start: datetime, end: datetime) -> tuple[float, float]:
    with store.history(LATER, [configured("gh", SliCount)]) as history:
        found = history.counts(SliCount, "gh", start, end)
    sums = dict.fromkeys(Verdict, 0.0)
    for (_, dim), count in found.items():
        sums[dim.verdict] += count.amount
    return sums[Verdict.GOOD], sums[Verdict.BAD]


def summed_before(store: Store, kind: type[Event]) -> datetime | None:
    with store.history(LATER, []) as history:
        return history.summed_before(kind)


def by_day(store: Store) -> dict[date, float]:
    found: dict[date, float] = {}
    with store.history(LATER, []) as history:
        for told in history.daily(SliCount, {"gh"}, date(2026, 5, 1), date(2026, 7, 1)):
            found[told.day] = found.get(told.day, 0.0) + told.amount
    return dict(sorted(found.items()))


def rows_of(open_store: Opener, query: str) -> int:
    database = Database(open_store.url)
    with database.read() as conn:
        n: int = conn.execute(text(query)).scalar_one()
    database.close()
    return n


def test_events_and_slices_go_and_the_sums_of_days_stay(open_store: Opener) -> None:
    """Of other kinds nothing goes before retention, and the store is sound."""
    store = filled(open_store)
    assert summed_before(store, SliCount) is None
    before, version = by_day(store), store.version()
    assert store.prune(LATER) == 3
    changed = {name for name, seq in store.version().items() if version.get(name) != seq}
    assert changed == {"SliCount", "SliCount/corrected"}
    assert summed_before(store, SliCount) == MIDNIGHT
    assert summed_before(store, PipelineRun) is None
    assert by_day(store) == before == {
        date(2026, 6, 1): 1.0, date(2026, 6, 2): 6.0, date(2026, 6, 3): 1.0, date(2026, 6, 13): 1.0
    }  # fmt: skip
    with store.history(LATER, []) as history:
        assert [row.event.at for row in history.rows(SliCount, NOON - DAY, LATER + DAY)] == [NOON + 2 * DAY, LATER]
    assert rows_of(open_store, "SELECT count(*) FROM rollups WHERE width = 300 AND kind = 'SliCount'") == 2 * 1
    assert tallies(store, NOON - DAY, LATER) == {("github:acme/payments", "success"): (1, 60.0)}
    assert store.check() == []
    assert store.prune(LATER) == 0


def test_a_window_begins_with_its_first_whole_day_and_is_exact_from_then_on(open_store: Opener) -> None:
    """Nothing from outside of the window counts, and windows that follow each other count nothing twice."""
    store = filled(open_store)
    end = LATER + HOUR
    assert good_and_bad(store, NOON + DAY + HOUR, end) == (3.0, 4.0)
    store.prune(LATER)
    assert good_and_bad(store, datetime(2026, 6, 1, tzinfo=UTC), end) == (5.0, 4.0)
    assert good_and_bad(store, NOON, end) == (4.0, 4.0)
    assert good_and_bad(store, NOON + DAY + HOUR, end) == (2.0, 0.0)
    assert good_and_bad(store, NOON - DAY, NOON + DAY) == (1.0, 0.0)
    assert good_and_bad(store, NOON, NOON + HOUR) == (0.0, 0.0)
    assert good_and_bad(store, MIDNIGHT, NOON + 2 * DAY) == (0.0, 0.0)
    assert good_and_bad(store, NOON + 2 * DAY, end) == (2.0, 0.0)


def test_what_comes_again_after_its_detail_counts_no_second_time(open_store: Opener) -> None:
    """Nor does what comes for the first time, for nobody could know it from the other; not even under a longer detail."""
    store = filled(open_store)
    store.prune(LATER)
    again = [minute(NOON + DAY + HOUR, bad=4.0), minute(NOON + DAY + 2 * HOUR), minute(NOON + 2 * DAY)]
    assert put(store, again, LATER) == Written(rejected={"expired": 2}, repeated=1)
    store.close()
    store = open_store(detail=40 * DAY)
    assert put(store, again, LATER) == Written(rejected={"expired": 2}, repeated=1)
    assert good_and_bad(store, datetime(2026, 6, 1, tzinfo=UTC), LATER) == (4.0, 4.0)
    assert put(open_store(), [run("late")], LATER).new == 1


def test_what_is_older_than_its_detail_is_not_stored_at_all(open_store: Opener) -> None:
    """Also before anything was removed, to the moment."""
    store = open_store(detail=TEN)
    assert put(store, [minute(LATER - TEN), minute(LATER - TEN - HOUR)], LATER) == Written(
        new=1, rejected={"expired": 1}
    )


def test_detail_under_a_clock_that_was_ahead_stops_nothing(open_store: Opener) -> None:
    """What was removed in a year still to come does not refuse the present."""
    store = open_store(detail=TEN)
    put(store, [minute(NOON + 400 * DAY)], NOON + 400 * DAY)
    store.prune(NOON + 400 * DAY)
    assert put(store, [minute(NOON)], NOON).new == 1


def test_days_go_with_retention(open_store: Opener) -> None:
    """A detail longer than retention is as long."""
    store = filled(open_store, retention=11 * DAY)
    store.prune(LATER)
    assert list(by_day(store)) == [date(2026, 6, 2), date(2026, 6, 3), date(2026, 6, 13)]
    assert open_store(retention=DAY, detail=TEN).detail == DAY


def test_days_without_events_keep_their_sums_in_another_zone(open_store: Opener) -> None:
    """Each goes to the day that holds its middle; what is there in full begins at a midnight of the zone again."""
    store = filled(open_store)
    store.prune(LATER)
    store.close()
    store = open_store(detail=TEN, zone="America/New_York")
    assert by_day(store) == {
        date(2026, 6, 1): 1.0, date(2026, 6, 2): 6.0, date(2026, 6, 3): 1.0, date(2026, 6, 13): 1.0
    }  # fmt: skip
    assert summed_before(store, SliCount) == datetime(2026, 6, 3, 4, tzinfo=UTC)
    assert store.check() == []
    store.close()
    store = open_store(detail=TEN, zone="Pacific/Auckland")
    assert sum(by_day(store).values()) == 9.0
    assert summed_before(store, SliCount) == datetime(2026, 6, 3, 12, tzinfo=UTC)
    assert store.check() == []


def test_a_check_tells_what_was_left_where_days_alone_should_be(open_store: Opener) -> None:
    """A slice without its events, and a day that differs from them since."""
    store = filled(open_store)
    store.prune(LATER)
    database = Database(open_store.url)
    with database.write() as conn:
        conn.execute(text("UPDATE rollups SET width = 300 WHERE bucket = 1780358400000"))
        conn.execute(text("UPDATE rollups SET n = n + 1 WHERE width = 86400 AND bucket = 1780444800000"))
    database.close()
    assert store.check() == [
        "SliCount: the rollups of 2026-06-03 do not equal its events",
        "SliCount: there are rollups of 2026-06-02 and no events",
    ]
