"""A replica in the middle of a write: it says `writing`, waits for a line, goes on, and says how the write ended.

    python -m tests.support.standing URL

It holds the lease of source `gh` then, and its page has the run `1`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import timedelta

from tests.support.stores import NOON, begin, open_at, run

from platform_meter.model.catalogue.ci import PIPELINE_RUNS
from platform_meter.model.facts import Event
from platform_meter.model.facts.ci import PipelineRun
from platform_meter.model.history import Owner, SourceState
from platform_meter.model.measure import Counting
from platform_meter.model.metric import Increment
from platform_meter.model.source import Page
from platform_meter.store import StoreError

LEASE = timedelta(seconds=3)


def wait(_event: Event, _owner: Owner, _source: SourceState) -> Sequence[Increment]:
    sys.stdout.write("writing\n")
    sys.stdout.flush()
    sys.stdin.readline()
    return ()


def write(url: str) -> str:
    counting = Counting(event=PipelineRun, metrics=(PIPELINE_RUNS,), count=wait)
    store = open_at(url, countings=(counting,), standstill=LEASE)
    store.acquire("gh", "one", LEASE, NOON)
    try:
        store.write(begin(store, holder="one"), Page(facts=[run("1")]), now=NOON)
    except StoreError as error:
        return str(error)
    finally:
        store.close()
    return "written"


if __name__ == "__main__":
    sys.stdout.write(write(sys.argv[1]) + "\n")
