"""`kill -9` at any point of a poll: all is kept, nothing is doubled (domain section 4)."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from datetime import timedelta
from typing import Any

from tests.support.ingester import ingest, moment
from tests.support.places import ROOT
from tests.support.stores import NOON, Opener, configured, open_at, tallies

from platform_meter.model.facts.ci import PipelineRun
from platform_meter.model.facts.delivery import Repository
from platform_meter.store import Store

POLLS = 50


def _child(url: str, instance: str, kill_after: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.support.ingester", url, instance, str(POLLS), str(kill_after)]
    return subprocess.Popen(command, cwd=ROOT)


def _all(store: Store) -> dict[str, Any]:
    """Everything a reader could see, without numbers given by the store."""
    end = moment(POLLS) + timedelta(hours=3)
    with store.history(end, [configured("gh", PipelineRun, Repository)]) as history:
        names = {o.id: o.name for o in history.objects()}
        return {
            "counters": store.counters(),
            "counts": tallies(store, NOON - timedelta(days=1), end),
            "odd window": tallies(store, NOON + timedelta(minutes=7, seconds=3), NOON + timedelta(hours=5, seconds=1)),
            "events": [(names[r.object], r.event) for r in history.rows(PipelineRun, NOON, end)],
            "readings": {
                poll: [(names[h.object], h.start) for h in history.readings(Repository, at=moment(poll))]
                for poll in range(POLLS)
            },
            "sources": history.sources(),
            "owners": sorted((o.name, o.owner.team) for o in history.objects()),
        }


def test_kills_at_random_points_change_nothing(open_store: Opener, tmp_path_factory: Any) -> None:
    """50 polls of 3 pages, killed before random statements and commits until done, leave what one clean run leaves."""
    randomly = random.Random(7)
    kills = 0
    while (code := _child(open_store.url, "gh", randomly.randint(20, 700)).wait()) != 0:
        assert code == -signal.SIGKILL
        kills += 1
    clean = open_at(f"sqlite:///{tmp_path_factory.mktemp('clean')}/meter.db")
    ingest(clean, "gh", POLLS)
    store = open_store()
    assert kills >= 5
    assert _all(store) == _all(clean)
    assert store.check() == []
    clean.close()


def test_two_processes_share_one_store(open_store: Opener) -> None:
    """Two processes that read the same source and one of its own each count every run once per source."""
    open_store()
    children = [_child(open_store.url, instance, 0) for instance in ("gh", "gh", "other")]
    assert [child.wait() for child in children] == [0, 0, 0]
    store = open_store()
    with store.history(moment(POLLS), [configured("gh")]) as history:
        end = moment(POLLS) + timedelta(hours=3)
        seen = [sum(1 for _ in history.rows(PipelineRun, NOON, end, source=s)) for s in ("gh", "other")]
    runs = sum(row.value for row in store.counters() if row.metric == "platform_pipeline_runs_total")
    assert seen == [750, 750]
    assert runs == 1500
    assert store.check() == []
