"""What reading costs, as whichever replica counted it."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.support.stores import NOON, Opener, minutes

from platform_meter.store import Calls, Quota, Store

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def made(store: Store, now: datetime, span: timedelta) -> dict[tuple[str, str], int]:
    """Calls by source and outcome."""
    with store.history(now, ()) as history:
        return {(c.instance, c.outcome): c.n for c in history.calls(span)}


def test_calls_of_all_replicas_are_counted_together(open_store: Opener) -> None:
    """By source and outcome; the span ends with the 5 minutes that run now and holds whole ones."""
    one, two = open_store(), open_store()
    one.add_costs([Calls("gh", "ok", NOON - minutes(56), 3), Calls("gh", "error", NOON, 1)], ())
    two.add_costs([Calls("gh", "ok", NOON + minutes(1), 4), Calls("jira", "limited", NOON - minutes(54), 1)], ())
    two.add_costs([Calls("gh", "ok", NOON + minutes(4), 2)], ())
    now = NOON + minutes(4)
    assert made(one, now, HOUR) == {("gh", "ok"): 6, ("gh", "error"): 1, ("jira", "limited"): 1}
    assert made(two, now, DAY) == {("gh", "ok"): 9, ("gh", "error"): 1, ("jira", "limited"): 1}
    assert made(one, NOON + HOUR, HOUR) == {}
    assert made(one, NOON + HOUR, HOUR + minutes(5)) == {("gh", "ok"): 6, ("gh", "error"): 1}


def test_calls_are_kept_for_a_day(open_store: Opener) -> None:
    """As far as the source still makes some; what another one made is not touched."""
    store = open_store()
    store.add_costs([Calls("gh", "ok", NOON, 5), Calls("jira", "ok", NOON, 2)], ())
    store.add_costs([Calls("gh", "ok", NOON + DAY + minutes(5), 1)], ())
    assert made(store, NOON + minutes(4), DAY) == {("jira", "ok"): 2}
    assert made(store, NOON + DAY + minutes(5), DAY) == {("gh", "ok"): 1}


def test_of_a_quota_the_newest_word_stands(open_store: Opener) -> None:
    """Whichever replica brings it; each name is a quota of its own."""
    store = open_store()
    core = Quota("gh", "core", 5000, 4000, NOON + HOUR, NOON)
    search = Quota("gh", "search", 30, 29, NOON + minutes(1), NOON)
    store.add_costs((), [core, search])
    store.add_costs((), [core._replace(remaining=4900, at=NOON - minutes(1))])
    store.add_costs((), [search._replace(remaining=12, at=NOON + minutes(1))])
    with store.history(NOON, ()) as history:
        assert history.quotas() == [core, search._replace(remaining=12, at=NOON + minutes(1))]
