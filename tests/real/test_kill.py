"""`kill -9` at random points of 30 polls of the whole exporter changes no number that it serves (domain section 4)."""

from __future__ import annotations

import itertools
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support import postgres
from tests.support.places import ROOT

POLLS = 30
EXPORTERS = 40
"""Each gets some polls done: more than this and they stand still."""
PATIENCE = 600
"""Seconds that one exporter may take."""
STATEMENTS = (2_000, 8_000)
"""Bounds of how many statements and commits an exporter lives for; 30 polls take some 17,000."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What `/metrics` said in the end, and how often the exporter was killed on the way."""

    said: list[str]
    kills: int


def _polls(folder: Path, url: str, kill_after: Iterator[int]) -> Outcome:
    """30 polls by as many exporters as it takes: each is killed after so many statements and commits, 0 for never."""
    folder.mkdir()
    kills = 0
    for count in itertools.islice(kill_after, EXPORTERS):
        command = [sys.executable, "-m", "tests.support.exporter", str(folder), url, str(POLLS), str(count)]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False, timeout=PATIENCE)
        if done.stdout:
            return Outcome(said=done.stdout.splitlines(), kills=kills)
        assert done.returncode in {0, -signal.SIGKILL}
        kills += done.returncode != 0
    raise AssertionError(f"{EXPORTERS} exporters have not done {POLLS} polls in {folder}")


def _randomly(seed: int) -> Iterator[int]:
    drawn = random.Random(seed)
    while True:
        yield drawn.randint(*STATEMENTS)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory, postgres_server: postgres.Server) -> dict[str, Outcome]:
    """A clean run and two killed ones, side by side."""
    folder = tmp_path_factory.mktemp("killed")
    urls = {name: f"sqlite:///{folder / name / 'meter.db'}" for name in ("clean", "sqlite")}
    urls["postgresql"] = postgres_server.schema()
    after = {"clean": itertools.repeat(0), "sqlite": _randomly(3), "postgresql": _randomly(4)}
    with ThreadPoolExecutor(len(urls)) as pool:
        running = {name: pool.submit(_polls, folder / name, url, after[name]) for name, url in urls.items()}
        return {name: one.result() for name, one in running.items()}


def test_the_clean_run_counted_something(outcomes: dict[str, Outcome]) -> None:
    """The numbers compared below are many; runs, pods and a day's adoption snapshot are among them."""
    said = "\n".join(outcomes["clean"].said)
    assert 'platform_pipeline_runs_total{system="github"' in said
    assert "platform_pod_start_seconds_bucket" in said
    assert "platform_adoption_transitions_total" in said
    assert len(outcomes["clean"].said) > 500


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_kills_change_no_number(outcomes: dict[str, Outcome], store: str) -> None:
    """Counters and gauges of a killed exporter equal those of one clean run, on either store."""
    assert outcomes[store].kills >= 3
    assert outcomes[store].said == outcomes["clean"].said
