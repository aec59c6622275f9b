"""Every source through the real way out: what HTTP does wrong loses nothing, doubles nothing and is said once."""

from __future__ import annotations

import hashlib
import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import msgspec
import pytest
from tests.sources.test_sources_contract import NAMES, case_of
from tests.support.http import Reply, Seen, Server, serving
from tests.support.stores import Opener
from tests.support.ways import Kit

from platform_meter import sources
from platform_meter.model.access import Access, Secret, Token
from platform_meter.model.facts import Event, Fact
from platform_meter.model.facts.people import Membership
from platform_meter.model.facts.training import Enrolment
from platform_meter.model.source import Mode, Page, Stream
from platform_meter.runtime.imports import Imports
from platform_meter.runtime.outside.quota import Budgets
from platform_meter.runtime.poller import Instance, Poller
from platform_meter.testing import Call, Case
from platform_meter.testing.case import poll, settings, system, world

Fault = Callable[[Seen, Server], Reply]
BESIDE = re.compile(r"(?:/beside/([^/]+))?(/.*)")
"""The name of an address beside, and the path there."""
HTML = b"<html><body>Sign in</body></html>"


def _cut(seen: Seen, server: Server) -> Reply:
    return Reply(headers={"Content-Type": "application/json"}, body=b'[{"id": 1, "na')


def _hang(seen: Seen, server: Server) -> Reply:
    def parts() -> Iterator[bytes]:
        yield b"[" if server.over.wait(1) else b"]"

    return Reply(body=parts)


CALLING = [name for name in NAMES if name not in {"alertmanager", "probes", "push"}]
"""What goes wrong with an endpoint is a fact to a probe, and fails nothing: its own tests tell of that. Those that are only
pushed to ask nobody."""
FAULTS: dict[str, Fault] = {
    "429": lambda *_: Reply(429, body=b"slow down"),
    "429 with Retry-After": lambda *_: Reply(429, headers={"Retry-After": "600"}),
    "500": lambda *_: Reply(500, body=b"oops"),
    "HTML": lambda *_: Reply(headers={"Content-Type": "text/html"}, body=HTML),
    "cut JSON": _cut,
    "a hang": _hang,
    "an expired token": lambda *_: Reply(401, body=b'{"message": "Bad credentials"}'),
}


@dataclass
class System:
    """A case's world behind HTTP; from its call number `from_` on it has the fault."""

    case: Case
    fault: Fault | None = None
    from_: int = 0
    calls: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.answer = system(self.case.answers).answering

    def reply(self, seen: Seen, server: Server) -> Reply:
        with self.lock:
            number, self.calls = self.calls, self.calls + 1
            if self.fault is not None and number >= self.from_:
                return self.fault(seen, server)
            params: dict[str, Any] = {n: int(v) if v.isdigit() else v for n, v in parse_qsl(seen.query)}
            text = "text/plain" in seen.headers.get("accept", "")
            method = "LINES" if "watch" in params else "TEXT" if text else seen.method
            body = msgspec.json.decode(seen.body) if seen.body else None
            at, path = BESIDE.fullmatch(seen.path).groups()  # type: ignore[union-attr]  # it fits every path
            found = self.answer(Call(method=method, beside=at or "", path=path, params=params, body=body))
        if method == "LINES":
            return Reply(found.status, body=b"\n".join(map(msgspec.json.encode, found.body or [])))
        if method == "TEXT":
            return Reply(found.status, body=str(found.body or "").encode())
        raw = found.body if isinstance(found.body, bytes) else msgspec.json.encode(found.body)
        etag = '"' + hashlib.sha256(raw).hexdigest()[:16] + '"'
        if seen.headers.get("if-none-match") == etag:
            return Reply(304, {**found.headers, "ETag": etag})
        return Reply(found.status, {**found.headers, "ETag": etag}, raw)


class Bench:
    """A poller on a real store with one source behind HTTP, and one beside it that is well."""

    def __init__(self, name: str, folder: Path) -> None:
        self.source, self.case = sources.load()[name], case_of(name)
        self.kit = Kit(environ={"T": "s3cret-token"})
        self.kit.time.now = self.case.now
        self.opener = Opener(f"sqlite:///{folder / 'meter.db'}")
        self.facts: list[Fact] = []
        self.well = 0

    def poll(self, world: System) -> dict[str, str]:
        """One round; gives the error of each stream."""
        config = cast("Any", self.source.config).model_validate(dict(self.case.settings))
        with self._served(world) as url:
            access = self.source.access(config)
            token = Token(secret=Secret(env="T"))
            self.kit.budgets = Budgets(self.kit.time.clock, self.kit.time.sleep)
            way = self.kit.way(
                Access(
                    url=url,
                    credential=token,
                    rate_headers=access.rate_headers,
                    beside={name: Access(url=f"{url}/beside/{name}", credential=token) for name in access.beside},
                ),
                instance="sick",
                timeout=0.05 if world.fault is _hang else 10.0,
            )
            disk = system(self.case.answers)
            way.files, way.blocks = disk.files, disk.blocks  # type: ignore[method-assign]  # the case's, not ours
            streams = tuple(self._watched(stream) for stream in self.source.connect(config, way, "sick"))
            sick = Instance(name="sick", source=self.source, settings=config, streams=streams)
            other = Stream(name="s", read=self._fine, gives=frozenset())
            fine = replace(sick, name="fine", streams=(other,))
            poller = Poller(
                self.opener(),
                [sick, fine],
                clock=self.kit.time.clock,
                holder="me",
                stop=self.kit.stop,
                changed=lambda: None,
                observe=lambda *_: None,
                imports=Imports(lambda *_: None, quota=lambda _: None, zone=ZoneInfo("UTC")),
            )
            results = poller.once()
            poller.close()
        return {r.stream: r.error or r.skipped for r in results if r.instance == "sick"}

    def _fine(self, checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        self.well += 1
        yield Page()

    def _watched(self, stream: Stream) -> Stream:
        def read(checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
            for page in stream.read(checkpoint, self.case.since, now):
                self.facts += map(self.case.level, page.facts)
                yield page

        return replace(stream, read=read, mode=Mode.POLL)

    @contextmanager
    def _served(self, world: System) -> Iterator[str]:
        with serving() as server:
            server.reply = lambda seen: world.reply(seen, server)  # type: ignore[method-assign]
            yield server.url

    def pushed(self) -> list[Event]:
        """What is pushed in its case, and told by no poll."""
        receives, config = self.source.receives, settings(self.source, self.case)
        return [fact for one in self.case.pushed for fact in receives.read(config, one)] if receives else []

    def close(self) -> None:
        self.kit.close()
        self.opener.close()


@pytest.fixture
def bench(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    made = Bench(request.param, tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("at", [0.0, 0.6], ids=["first call", "midway"])
@pytest.mark.parametrize("bench", CALLING, indirect=True)
def test_what_http_does_wrong(bench: Bench, fault: str, at: float, caplog: pytest.LogCaptureFixture) -> None:
    """The poll fails, in one line for each thing that is wrong; the next one says what is missing, and the source beside it is well."""
    calls = _calls(bench)
    with caplog.at_level(logging.INFO):
        errors = bench.poll(System(bench.case, fault=FAULTS[fault], from_=int(calls * at)))
    assert bench.well == 1
    lines = [
        record for record in caplog.records if record.levelno >= logging.WARNING and "sick/" in record.getMessage()
    ]
    failed = {error for error in errors.values() if error and not error.startswith("quota used up")}
    told = [line.getMessage().partition(": ")[2] for line in lines]
    assert sorted(told) == sorted({error.partition("; tried again at")[0] for error in failed})
    assert all(line.getMessage().isprintable() and line.exc_info is None for line in lines)
    assert "s3cret" not in caplog.text
    # Later on it may hit what fails no poll: whose a repository is, or a probe, to which it is a fact.
    assert any(errors.values()) or at > 0
    assert set(bench.kit.outcomes) <= {"ok", "error", "limited"}
    bench.kit.time.pass_(hours=2)
    assert not any(bench.poll(System(bench.case)).values())
    # Who somebody is was hashed with another salt, and what is pushed is told by no poll.
    kinds = {*bench.case.momentary, Membership, Enrolment, *(type(fact) for fact in bench.pushed())}
    said = {fact.key for fact in bench.facts if type(fact) not in kinds}
    assert {fact.key for fact in bench.case.expected if type(fact) not in kinds} <= said


def _calls(bench: Bench) -> int:
    """How many calls a clean poll makes."""
    outside = world(bench.case)
    poll(bench.source, bench.case, outside)
    return len(outside.calls)
