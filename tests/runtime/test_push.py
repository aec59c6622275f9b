"""What is pushed to a source is let in by its signature, read, and stored once before it is answered."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from tests.support import pushing
from tests.support.pushing import SECRET, signature
from tests.support.stores import NOON, Opener, configured

from platform_meter.model.access import Secret
from platform_meter.model.facts.delivery import Deployment
from platform_meter.model.push import Scheme, Unreadable
from platform_meter.model.source import Page, Source, Stream
from platform_meter.runtime.imports import Imports
from platform_meter.runtime.poller import Instance, Poller
from platform_meter.runtime.push import Delivery, Inbox, NoReceiver, Signed
from platform_meter.store import Store, StoreError, Written

BODY = pushing.body("1", at=NOON)
DAY = timedelta(days=1)


@dataclass
class Bench:
    """An inbox of invented sources on a real store with a clock that stands."""

    store: Store
    counted: list[tuple[str, str, str]] = field(default_factory=list)
    changes: int = 0
    environ: dict[str, str] = field(default_factory=lambda: {"SECRET": SECRET})

    def change(self) -> None:
        self.changes += 1

    def inbox(self, *instances: Instance) -> Inbox:
        return Inbox(
            self.store,
            instances,
            hashed={i.name: lambda person: f"hash of {person}" for i in instances},
            environ=self.environ,
            clock=lambda: NOON,
            changed=self.change,
            count=lambda *told: self.counted.append(told),
            most=1024,
        )

    def stored(self, instance: str = "hooks") -> list[Deployment]:
        with self.store.history(NOON + DAY, [configured(instance, Deployment)]) as history:
            return [row.event for row in history.rows(Deployment, NOON - DAY, NOON + DAY)]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    opener = Opener(f"sqlite:///{tmp_path / 'meter.db'}")
    yield Bench(opener())
    opener.close()


def instance(name: str = "hooks", source: Source[Any] | None = None, *, variable: str = "SECRET") -> Instance:
    settings = pushing.Config(webhook=Secret(env=variable) if variable else None)
    return Instance(name=name, source=cast("Any", source or pushing.source()), settings=settings, streams=())


def sent(to: str | None = "hooks", *, body: bytes = BODY, **headers: Any) -> Delivery:
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    return Delivery(to=to, headers=said, body=lambda: body)


def test_what_is_taken_is_stored_once(bench: Bench) -> None:
    """Its facts are there when it returns; sent again it changes nothing, and something newer takes its place."""
    inbox = bench.inbox(instance())
    assert inbox.take(sent()) == Written(new=1)
    assert bench.stored() == [pushing.deployment("1", NOON, NOON)]
    assert inbox.take(sent()) == Written(repeated=1)
    newer = pushing.body("1", "2", at=NOON, minute=1)
    assert inbox.take(sent(body=newer)) == Written(new=1, revised=1)
    assert inbox.take(sent()) == Written(repeated=1)
    assert [one.updated for one in bench.stored()] == [NOON + timedelta(minutes=1)] * 2
    assert bench.changes == 4
    assert bench.counted == [("invented", "hooks", "ok")] * 4


def test_what_nobody_can_read_leaves_nothing(bench: Bench) -> None:
    """The reader's words go back to who sent it."""
    inbox = bench.inbox(instance())
    with pytest.raises(Unreadable, match="no list of deployments"):
        inbox.take(sent(body=b"["))
    assert (bench.stored(), bench.changes) == ([], 0)
    assert bench.counted == [("invented", "hooks", "unreadable")]


def test_what_the_store_refuses_is_told(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """By reason, to who sent it and in the log; the rest of it is stored."""
    with caplog.at_level(logging.INFO):
        body = pushing.body("1", at=NOON)[:-1] + b"," + pushing.body("2", at=NOON + DAY)[1:]
        written = bench.inbox(instance()).take(sent(body=body))
    assert written == Written(new=1, rejected={"future": 1})
    assert "hooks: events that were pushed are refused: 1 future" in caplog.text


def test_without_a_store_nothing_is_taken(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who sent it learns that; so does the log."""
    inbox = bench.inbox(instance())

    def down(*_: object, **__: object) -> Written:
        raise StoreError("the store at x failed: disk full")

    monkeypatch.setattr(bench.store, "take", down)
    with pytest.raises(StoreError):
        inbox.take(sent())
    assert bench.counted == [("invented", "hooks", "failed")]
    assert bench.changes == 0


def test_a_reader_with_a_bug_is_counted_as_failed(bench: Bench) -> None:
    """It is neither the sender's fault nor the store's."""

    def broken(*_: object) -> list[Any]:
        raise RuntimeError

    receiver = pushing.source().receives
    assert receiver is not None
    source = pushing.source(receives=type(receiver)(read=broken))
    with pytest.raises(RuntimeError):
        bench.inbox(instance(source=source)).take(sent())
    assert bench.counted == [("invented", "hooks", "failed")]


def test_people_are_hashed_as_in_polls(bench: Bench) -> None:
    """By the way of the source that it is pushed to."""
    body = BODY[:-2] + b', "by": "petra"}]'
    bench.inbox(instance()).take(sent(body=body))
    assert [one.url for one in bench.stored()] == ["hash of petra"]


@pytest.mark.parametrize(
    ("shown", "signed"),
    [
        ({}, Signed.NOTHING),
        ({"x_other": "1"}, Signed.NOTHING),
        ({"x_hub_signature_256": signature(BODY)}, Signed.RIGHT),
        ({"x_hub_signature_256": signature(BODY + b" ")}, Signed.WRONG),
        ({"x_hub_signature_256": signature(BODY, "another")}, Signed.WRONG),
        ({"x_hub_signature_256": ""}, Signed.WRONG),
        ({"x_hub_signature": "sha1=00"}, Signed.WRONG),
    ],
)
def test_a_signature_is_held_against_the_sources_secret(bench: Bench, shown: dict[str, Any], signed: Signed) -> None:
    """Where there is one; nothing is stored or counted by looking."""
    inbox = bench.inbox(instance())
    assert inbox.signed(sent(**shown)) is signed
    assert (bench.stored(), bench.counted) == ([], [])


def test_without_a_secret_or_a_source_no_signature_lets_in(bench: Bench) -> None:
    """The body of such is not read at all."""

    def unread() -> bytes:
        raise AssertionError

    unsigned = pushing.source(scheme=None)
    plain = pushing.source(receives=None)
    inbox = bench.inbox(instance("a", variable=""), instance("b", unsigned), instance("c", plain), instance("d"))
    for name in ("a", "b", "c", "nowhere", None):
        shown = {"x-hub-signature-256": signature(BODY)}
        assert inbox.signed(Delivery(to=name, headers=shown, body=unread)) is Signed.NOTHING
    assert inbox.signed(Delivery(to="d", headers={}, body=unread)) is Signed.NOTHING


def test_a_secret_that_is_not_there_lets_nothing_in(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """It is said once, without what was shown; a secret that changes holds with the next delivery."""
    bench.environ.clear()
    inbox, shown = bench.inbox(instance()), signature(BODY, "")
    for _ in range(3):
        assert inbox.signed(sent(x_hub_signature_256=shown)) is Signed.WRONG
    (told,) = [r.getMessage() for r in caplog.records]
    assert told.startswith("hooks: its webhook secret lets nothing in: the variable SECRET is not set; ")
    assert shown.removeprefix("sha256=") not in told
    bench.environ["SECRET"] = "new"
    assert inbox.signed(sent(x_hub_signature_256=signature(BODY, "new"))) is Signed.RIGHT


def test_refusals_are_counted_for_sources_that_take_something(bench: Bench) -> None:
    """A stranger cannot make up names that are counted."""
    inbox = bench.inbox(instance(), instance("c", pushing.source(receives=None)))
    for name in ("hooks", "c", "nowhere", None):
        inbox.refused(sent(name))
    assert bench.counted == [("invented", "hooks", "refused")]


PUSH = pushing.source("push", scheme=None)
PLAIN = pushing.source("jenkins", receives=None)


@pytest.mark.parametrize(
    ("to", "instances", "told"),
    [
        (
            None,
            [instance()],
            "no source has the type push; add NAME: {type: push} to sources, or push to /api/v1/events/hooks",
        ),
        (
            None,
            [instance("a", PUSH), instance("b", PUSH)],
            "several sources have the type push; push to /api/v1/events/a or /api/v1/events/b",
        ),
        ("hook", [instance()], "no source is called 'hook'; push to /api/v1/events/hooks"),
        (
            "ci",
            [instance("ci", PLAIN)],
            "source 'ci' of type jenkins takes nothing pushed; no other source takes what is pushed",
        ),
    ],
)
def test_where_nobody_takes_it_the_way_out_is_told(
    bench: Bench, to: str | None, instances: list[Instance], told: str
) -> None:
    """Which addresses there are, or what to configure."""
    with pytest.raises(NoReceiver) as error:
        bench.inbox(*instances).take(sent(to))
    assert str(error.value) == told


def test_without_a_name_the_one_source_of_type_push_takes_it(bench: Bench) -> None:
    """Whatever it is called, and whatever else is pushed to."""
    inbox = bench.inbox(instance("apps", PUSH), instance())
    assert inbox.take(sent(None)) == Written(new=1)
    assert len(bench.stored("apps")) == 1


def test_a_scheme_has_its_own_header(bench: Bench) -> None:
    """What another tool would sign shows nothing here."""
    inbox = bench.inbox(instance(source=pushing.source(scheme=Scheme.PAGERDUTY)))
    assert inbox.signed(sent(x_hub_signature_256=signature(BODY))) is Signed.NOTHING
    shown = f"v1={signature(BODY).removeprefix('sha256=')}"
    assert inbox.signed(sent(x_pagerduty_signature=shown)) is Signed.RIGHT


def test_pushed_and_polled_at_once_it_counts_once(bench: Bench) -> None:
    """A source that is asked for what is pushed to it, by threads of their own: each event is one, and whole."""
    keys = [f"{n}" for n in range(120)]

    def polled(_checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
        for start in range(0, 120, 10):
            yield Page(facts=[replace(pushing.deployment(key, NOON, NOON), version="1.4") for key in keys[start:][:10]])

    stream = Stream(name="deployments", read=polled, gives=frozenset({Deployment}))
    one = replace(instance(), streams=(stream,))
    inbox = bench.inbox(one)
    poller = Poller(
        bench.store,
        [one],
        clock=lambda: NOON,
        holder="me",
        stop=threading.Event(),
        changed=bench.change,
        observe=lambda _source, _seconds: None,
        imports=Imports(lambda _instance, _text: None, quota=lambda _: None, zone=ZoneInfo("UTC")),
    )
    with ThreadPoolExecutor(6) as threads:
        taken = [
            threads.submit(inbox.take, sent(body=pushing.body(*keys[n * 8 :][:8], at=NOON, minute=1)))
            for n in range(15)
        ]
        polls = [threads.submit(poller.run, one, stream) for _ in range(2)]
        new = sum(t.result().new for t in taken) + sum(p.result().new for p in polls)
    assert new == 120
    assert len(bench.stored()) == 120
    minute = timedelta(minutes=1)
    assert {(event.version, event.updated) for event in bench.stored()} == {("1.4", NOON + minute)}
    assert bench.store.check() == []
