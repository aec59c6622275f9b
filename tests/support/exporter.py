"""A whole exporter on the demo company in one process that can be killed anywhere: run it again and it goes on.

    python -m tests.support.exporter FOLDER URL POLLS KILL_AFTER

Each poll has its own moment, at which the company stands still, so a poll that is done again after a kill sees what
the first try saw. The number of polls that are done stands in FOLDER/done.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.support.company import START, Running, company
from tests.support.ingester import kill_self_after

from platform_meter.runtime.files.store_settings import StoreSettings

BEGIN = timedelta(hours=11)
"""In the evening, so that midnight comes and adoption takes its snapshots while we poll."""
EVERY = timedelta(minutes=4)
_MONTH = {"history": timedelta(days=30)}
ONLY: dict[str, dict[str, Any]] = {
    "github": {**_MONTH, "repositories": ("*-api", "*-worker", "*-gateway")},
    "jira": _MONTH,
    "cluster-eu": {},
}
"""Fewer repositories and clusters: a poll of each kind is what counts here, not their number."""


def poll(folder: Path, url: str, polls: int, *, kill_after: int = 0) -> str:
    """Do the polls that are left; when none is, say what `/metrics` shows of the store to one that starts on it."""
    store = StoreSettings(url=url)
    with company(folder, teams=8, services=16, begin=BEGIN, only=ONLY, config={"store": store}) as running:
        if kill_after:
            kill_self_after(kill_after)
        done = folder / "done"
        first = int(done.read_text()) if done.exists() else 0
        for number in range(first, polls):
            running.clock.at = START + BEGIN + number * EVERY
            running.poll()
            done.write_text(str(number + 1))
        if first < polls:
            return ""
        running.clock.at = START + BEGIN + (polls - 1) * EVERY
        running.service.meter.tick()
        return _ours(running)


def _ours(running: Running) -> str:
    """Sample lines but those of the process (its calls, polls and quota), the store's size, and probes' real time."""
    own = ("process_", "python_", "platform_meter_source_", "platform_meter_store_", "platform_meter_series{")
    timed = ("platform_probe_duration_seconds_bucket", "platform_probe_duration_seconds_sum")
    text = running.service.exposition.body().data.decode()
    kept = ("platform_meter_source_up", "platform_meter_source_last", "platform_meter_source_gaps")
    return "\n".join(
        line for line in text.splitlines() if line.startswith(kept) or not line.startswith(("#", *own, *timed))
    )


if __name__ == "__main__":
    folder_, url_, polls_, kill_ = sys.argv[1:]
    sys.stdout.write(poll(Path(folder_), url_, int(polls_), kill_after=int(kill_)))
