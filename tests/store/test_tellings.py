"""One event of several tellings: what the newest leaves out, another one says."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from tests.support.stores import NOON, Opener, begin, configured, minutes, open_at, put

from platform_meter.model.facts import Ref
from platform_meter.model.facts.delivery import DeployKind, Deployment, DeployResult
from platform_meter.model.source import Page
from platform_meter.store import Store
from platform_meter.store.database import Database
from platform_meter.store.schema import correction, tellings

A, B, C = ("a" * 40, "b" * 40, "c" * 40)
DAY = timedelta(days=1)


def told(minute: int, *, at: datetime = NOON, **says: Any) -> Deployment:
    """A deployment as it was told when it had last changed so many minutes after noon."""
    given = {"environment": "prod", "sha": C, "result": DeployResult.SUCCESS, **says}
    ref = Ref(system="github", kind="repository", id="acme/payments")
    return Deployment(key="1", at=at, about=ref, updated=NOON + minutes(minute), **given)


POLLED = told(1, after=A, changes=(B, C), version="1.4")
PUSHED = told(2)
BOTH = told(2, after=A, changes=(B, C), version="1.4")


def stored(store: Store) -> list[Any]:
    with store.history(NOON + DAY, [configured("gh", Deployment)]) as history:
        return [row.event for row in history.rows(Deployment, NOON - DAY, NOON + DAY)]


def rolled_up(store: Store) -> dict[tuple[str, ...], int]:
    """How many deployments rollups have, by the words they are tallied under."""
    with store.history(NOON + DAY, [configured("gh", Deployment)]) as history:
        return {dim: count.n for (_, dim), count in history.counts(Deployment, "gh", NOON - DAY, NOON + DAY).items()}


def beside(url: str) -> int:
    """How many events of several tellings there are."""
    database = Database(url)
    with database.read() as conn:
        found = len(conn.execute(select(tellings)).all())
    database.close()
    return found


@pytest.mark.parametrize("order", [(POLLED, PUSHED), (PUSHED, POLLED)])
@pytest.mark.parametrize("one_page", [True, False])
def test_what_the_newest_leaves_out_an_older_one_says(
    open_store: Opener, order: tuple[Deployment, Deployment], *, one_page: bool
) -> None:
    """Whichever comes first, in one page or in two: it happened once, and everything that is known of it is there."""
    store = open_store()
    for page in [order] if one_page else [[one] for one in order]:
        put(store, page)
    assert stored(store) == [BOTH]
    assert beside(open_store.url) == 1
    assert rolled_up(store) == {("prod", "success", "planned", "deployments_api"): 1}
    assert store.check() == []


def test_replays_change_nothing(open_store: Opener) -> None:
    """Neither of the tellings is new again, nor what both make together."""
    store = open_store()
    put(store, [POLLED])
    assert put(store, [PUSHED]).revised == 1
    version = store.version()["Deployment"]
    again = put(store, [PUSHED, POLLED, PUSHED])
    assert (again.new, again.revised, again.repeated) == (0, 0, 3)
    assert store.version()["Deployment"] == version


def test_what_the_newest_says_nobody_else_says(open_store: Opener) -> None:
    """Where one telling says all again, it stands alone."""
    store = open_store()
    put(store, [POLLED, PUSHED])
    whole = told(3, after=B, changes=(C,), version="1.5", kind=DeployKind.ROLLBACK, started=NOON - minutes(9))
    put(store, [whole])
    assert stored(store) == [whole]
    assert beside(open_store.url) == 0


def test_fields_that_are_true_together_come_from_one_telling(open_store: Opener) -> None:
    """No commits since B are what a newer comparison says: those since A do not stand in their place."""
    store = open_store()
    put(store, [POLLED, told(2, after=B)])
    assert stored(store) == [told(2, after=B, version="1.4")]


def test_a_telling_that_only_comes_in_between_is_remembered(open_store: Opener) -> None:
    """The newer of two says the version, though it changed nothing when it came."""
    store = open_store()
    put(store, [told(9)])
    put(store, [told(1, version="1.4")])
    assert put(store, [told(5, version="1.4")]).revised == 0
    put(store, [told(3, version="1.3")])
    assert stored(store) == [told(9, version="1.4")]


def test_what_is_filled_counts_where_it_belongs(open_store: Opener) -> None:
    """Rollups move to the kind that an older telling says, its commits lead to it, and who counts use counts anew."""
    store = open_store()
    put(store, [PUSHED])
    before = store.version()
    put(store, [told(1, after=A, changes=(B, C), kind=DeployKind.ROLLBACK)])
    assert rolled_up(store) == {("prod", "success", "rollback", "deployments_api"): 1}
    with store.history(NOON + DAY, [configured("gh", Deployment)]) as history:
        assert [row.event.key for row in history.by_commit(Deployment, [B])] == ["1"]
    after = store.version()
    assert after["Deployment"] > before["Deployment"]
    assert after[correction("Deployment")] > before.get(correction("Deployment"), 0)
    assert store.check() == []


def test_one_that_cannot_be_stored_takes_nothing_with_it(open_store: Opener) -> None:
    """It is refused by itself, and fills nothing."""
    store = open_store()
    written = put(store, [told(3, at=NOON + DAY, version="2.0"), PUSHED, POLLED])
    assert written.rejected == {"future": 1}
    assert (written.new, written.repeated) == (1, 1)
    assert stored(store) == [BOTH]


def test_they_go_with_their_event(open_store: Opener) -> None:
    """Nothing is left beside an event past retention; what is left would be told."""
    store = open_store(retention=timedelta(days=40))
    put(store, [POLLED, PUSHED])
    later = Deployment(key="2", at=NOON + 60 * DAY, about=PUSHED.about, environment="prod", sha=A, result=PUSHED.result)
    put(store, [later], NOON + 60 * DAY)
    assert beside(open_store.url) == 1
    store.prune(NOON + 60 * DAY)
    assert beside(open_store.url) == 0
    database = Database(open_store.url)
    with database.write() as conn:
        conn.execute(tellings.insert().values(source="gh", kind="Deployment", key="9", body=b"[]"))
    database.close()
    assert store.check() == ["tellings: 1 rows are about an event that is not there"]


_CHANGE_SETS = st.sampled_from([("", ()), (A, ()), (A, (B,)), (A, (B, C)), (B, (C,))])


@st.composite
def _tellings(draw: st.DrawFn) -> Deployment:
    after, changes = draw(_CHANGE_SETS)
    return told(
        draw(st.integers(0, 4)),
        at=NOON - minutes(draw(st.integers(0, 1))),
        after=after,
        changes=changes,
        version=draw(st.sampled_from(["", "1.4", "1.5"])),
        kind=draw(st.sampled_from([DeployKind.PLANNED, DeployKind.ROLLBACK])),
        sha=draw(st.sampled_from([B, C])),
    )


@st.composite
def _orders(draw: st.DrawFn) -> list[list[list[Deployment]]]:
    """The same tellings twice, each time in another order, with other repetitions and in other pages."""
    told = draw(st.lists(_tellings(), min_size=1, max_size=6))
    both = []
    for _ in range(2):
        said = draw(st.permutations(told + draw(st.lists(st.sampled_from(told), max_size=4))))
        cuts = sorted(draw(st.lists(st.integers(0, len(said)), max_size=4)))
        both.append([list(said[a:b]) for a, b in zip([0, *cuts], [*cuts, len(said)], strict=True)])
    return both


def _read(pages: Sequence[Sequence[Deployment]]) -> tuple[Any, ...]:
    with tempfile.TemporaryDirectory() as folder:
        store = open_at(f"sqlite:///{folder}/any.db")
        poll = begin(store, NOON)
        new = sum(store.write(poll, Page(facts=page), now=NOON).new for page in pages)
        assert store.check() == []
        found = new, stored(store), rolled_up(store)
        store.close()
    return found


@settings(max_examples=60)
@given(_orders())
def test_order_pages_and_repetitions_change_nothing(orders: list[list[list[Deployment]]]) -> None:
    """The event is one, is the same, and is tallied the same."""
    first, second = (_read(pages) for pages in orders)
    assert first == second
    assert first[0] == 1


@settings(max_examples=60)
@given(st.lists(_tellings(), min_size=1, max_size=6))
def test_each_field_is_that_of_the_newest_who_says_it(said: list[Deployment]) -> None:
    """As told in words, where no two changed in one moment."""
    apart = list({one.updated: one for one in said}.values())
    newest_first = sorted(apart, key=lambda one: one.updated or one.at, reverse=True)
    _, [event], _ = _read([[one] for one in apart])
    newest = newest_first[0]
    assert (event.updated, event.at, event.sha) == (newest.updated, newest.at, newest.sha)
    assert event.version == next((one.version for one in newest_first if one.version), "")
    sets = [(one.after, one.changes) for one in newest_first if one.after or one.changes]
    assert (event.after, event.changes) == (sets[0] if sets else ("", ()))
    assert (event.kind is DeployKind.ROLLBACK) == any(one.kind is DeployKind.ROLLBACK for one in apart)
