"""What reading costs, on its way to the store."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support.stores import NOON, Opener, minutes

from platform_meter.runtime.ledger import Ledger
from platform_meter.runtime.outside.quota import Left
from platform_meter.store import Calls, Quota, Store, StoreError

DAY = timedelta(days=1)
CORE = Left(name="core", limit=5000, remaining=4990, reset=NOON + minutes(30), at=NOON)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opener = Opener(f"sqlite:///{tmp_path / 'meter.db'}")
    yield opener()
    opener.close()


def kept(store: Store) -> tuple[Sequence[Calls], Sequence[Quota]]:
    with store.history(NOON + minutes(9), ()) as history:
        return history.calls(DAY), history.quotas()


def test_calls_are_stored_once_with_the_quota_as_it_is_then(store: Store) -> None:
    """By source, outcome and the 5 minutes in which they ended; who made none has nothing to say of quotas."""
    now = NOON + minutes(4)
    ledger = Ledger(lambda: now, lambda instance: [CORE] if instance == "gh" else [])
    for outcome in ("ok", "ok", "error"):
        ledger.called("gh", outcome)
    now = NOON + minutes(6)
    ledger.called("gh", "ok")
    ledger.keep(store)
    ledger.keep(store)
    calls, quotas = kept(store)
    assert sorted(calls) == [Calls("gh", "error", NOON, 1), Calls("gh", "ok", NOON + minutes(5), 3)]
    assert quotas == [Quota("gh", "core", 5000, 4990, NOON + minutes(30), NOON)]


def test_what_a_store_does_not_take_it_gets_the_next_time(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With what came since; the log says so. However many calls were made, there is one row for 5 minutes of them."""
    now, given = NOON, list[Calls]()
    ledger = Ledger(lambda: now, lambda _: [])

    def broken(made: Sequence[Calls], _: object) -> None:
        given.extend(made)
        raise StoreError("the disk is full")

    ledger.called("gh", "ok")
    now = NOON + minutes(4)
    ledger.called("gh", "ok")
    with monkeypatch.context() as patched, caplog.at_level(logging.WARNING):
        patched.setattr(store, "add_costs", broken)
        ledger.keep(store)
    assert given == [Calls("gh", "ok", NOON, 2)]
    assert caplog.messages == ["calls to APIs are counted later: the disk is full"]
    ledger.called("gh", "ok")
    ledger.keep(store)
    assert kept(store)[0] == [Calls("gh", "ok", NOON, 3)]
