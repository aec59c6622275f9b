"""A process that ingests a made-up source and can be killed anywhere: run it again and it goes on.

    python -m tests.support.ingester URL INSTANCE POLLS KILL_AFTER

`KILL_AFTER` statements or commits the process kills itself as `kill -9` would; 0 never does. The clock is the poll's
number, so a poll gone on with after a kill says the same as one that ran through.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, event
from tests.support.stores import NOON, begin, minutes, open_at, run

from platform_meter.model.facts import Ref
from platform_meter.model.facts.ci import Outcome
from platform_meter.model.facts.delivery import Repository
from platform_meter.model.progress import Progress
from platform_meter.model.source import Page
from platform_meter.store import Store

_EVERY = minutes(10)
_PAGES, _RUNS = 3, 5
_OUTCOMES = (Outcome.SUCCESS, Outcome.USER_FAILURE, Outcome.INFRA_FAILURE)


def moment(poll: int) -> datetime:
    return NOON + poll * _EVERY


def pages(poll: int, checkpoint: bytes | None) -> Iterator[Page]:
    """Each poll says the last page of the one before again, corrects one of its runs, and all repositories."""
    where, _, page = (checkpoint or b"").partition(b":")
    first = int(page) if where == str(poll).encode() else 0
    for number in range(first, _PAGES):
        ids = range((poll * _PAGES + number) * _RUNS, (poll * _PAGES + number + 1) * _RUNS)
        facts: list[Any] = [_run(i) for i in ids]
        if number == 0 and poll:
            facts += [_run(i) for i in range(ids[0] - _RUNS, ids[0])]
            facts.append(_run(ids[0] - 1, corrected=moment(poll)))
        whole = number == _PAGES - 1
        if whole:
            facts += [_repository(n) for n in range(4) if (poll + n) % 5]
        yield Page(
            facts=facts,
            checkpoint=f"{poll}:{number}".encode(),
            complete=frozenset({Repository}) if whole else frozenset(),
            progress=Progress(what="polls", done=poll),
        )


def _run(i: int, *, corrected: datetime | None = None) -> Any:
    outcome = Outcome.CANCELLED if corrected else _OUTCOMES[i % 3]
    at = NOON + timedelta(seconds=37 * i)
    return run(
        f"run/{i}", at, repository=f"acme/pay-{i % 4}", outcome=outcome, seconds=0.1 + i, updated=corrected or at
    )


def _repository(n: int) -> Repository:
    return Repository(about=Ref(system="github", kind="repository", id=f"acme/pay-{n}"))


def ingest(store: Store, instance: str, polls: int) -> None:
    """Read on from where the store stands until `polls` polls are done."""
    done = {s.instance: s.watermark for s in store.stream_states() if s.stream == "runs"}.get(instance)
    next_ = 0 if done is None else (done - NOON) // _EVERY + 1
    for number in range(next_, polls):
        now = moment(number)
        poll = begin(store, now, instance=instance)
        for page in pages(number, poll.checkpoint):
            store.write(poll, page, now=now)
        store.end_poll(poll, now=now)


def kill_self_after(count: int) -> None:
    """End this process as `kill -9` would, before its statement or commit of that number."""
    left = count

    def step(*_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", step)
    event.listen(Engine, "commit", step)


def main(url: str, instance: str, polls: str, kill_after: str) -> None:
    if int(kill_after):
        kill_self_after(int(kill_after))
    store = open_at(url)
    ingest(store, instance, int(polls))
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
