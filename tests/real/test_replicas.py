"""Two `platform-meter serve` on one PostgreSQL: each source is polled by one of them, both serve, and the other takes over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import requests
import yaml
from tests.support import postgres
from tests.support.company import Values, samples
from tests.support.places import ROOT
from tests.support.processes import free_ports
from tests.support.stores import NOON, minutes, open_at, put, run, total
from tests.support.waiting import PATIENCE, until

from platform_meter.demo.company.layout import Company
from platform_meter.demo.stage.files import to_simulated_accounts, write
from platform_meter.demo.stage.server import Options, start_process

COMMAND = (sys.executable, "-c", "from platform_meter.cli import main; main()")
LEASE = 8
"""Seconds, so that nobody waits half a minute here, and no replica on a busy machine is taken for dead."""
INSTANCES = {
    *("github", "jira", "cluster-eu", "cluster-us", "gitlab", "jenkins", "tekton", "argocd-eu", "argocd-us", "kong"),
    *("elasticsearch", "grafana", "backstage"),
}
"""Those whose numbers rest while nothing happens: what counts requests never does."""
SURVEYS = {"survey-platform-nps", "survey-pulse"}
"""Files of answers that definitions name."""
AT_REST: Mapping[str, Mapping[str, object]] = {
    "kong": {"traffic": False, "data_planes": 0},
    "elasticsearch": {"slis": [], "indices": []},
}
LIVE = (
    "platform_pod_start",
    "platform_probe",
    "platform_meter_",
    "process_",
    "python_",
    "platform_cluster",
    "platform_dora",
    "platform_slo_data_age",
    "platform_pipeline_flaky",
    "platform_pipeline_unclassified",
    "platform_tickets_per_active_team",
)
"""What goes on while we look, is computed every 5 min alone, or is a replica's own."""


@dataclass(kw_only=True)
class Replica:
    """One `platform-meter serve` and its address."""

    process: subprocess.Popen[str]
    port: int

    def metrics(self) -> dict[str, Values]:
        with requests.Session() as session:
            session.trust_env = False
            try:
                answer = session.get(f"http://127.0.0.1:{self.port}/metrics", timeout=PATIENCE)
                return samples(answer.text) if answer.ok else {}  # before its first tick it has nothing to say
            except requests.ConnectionError:
                assert self.process.poll() is None
                return {}

    def calls(self) -> dict[str, float]:
        """Calls by source type, of those that were called."""
        found: dict[str, float] = {}
        for labels, value in self.metrics().get("platform_meter_source_requests_total", {}).items():
            found[dict(labels)["source"]] = found.get(dict(labels)["source"], 0) + value
        return {source: calls for source, calls in found.items() if calls}

    def up(self) -> set[str]:
        """Instances whose data is fresh, as this replica sees it."""
        values = self.metrics().get("platform_meter_source_up", {})
        return {dict(labels)["source_instance"] for labels, value in values.items() if value}

    def settled(self) -> dict[str, Values]:
        return {name: values for name, values in self.metrics().items() if not name.startswith(LIVE)}

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def replicas(tmp_path: Path, postgres_server: postgres.Server) -> Iterator[tuple[Replica, Replica]]:
    """A living company of its own, and two replicas whose files differ in the address alone."""
    options = Options(teams=8, services=16)
    company = start_process(options)
    url = postgres_server.schema()
    environ = dict(os.environ)
    to_simulated_accounts(environ, tmp_path)
    started: list[Replica] = []
    try:
        made = Company.build(options.seed, company.addresses.start, teams=8, services=16)
        for port in free_ports(2):
            path = write(tmp_path, made, company.addresses)
            said = yaml.safe_load(path.read_text())
            said |= {
                "listen": f"127.0.0.1:{port}",
                "store": {"url": url, "lease": f"{LEASE}s"},
                "zero_for": "1s",
                "tick": "1s",
            }
            said["sources"] = {
                name: {**said["sources"][name], "every": "1s", "stale_after": "1h", **AT_REST.get(name, {})}
                for name in sorted(INSTANCES)
            }
            mine = path.with_name(f"meter-{port}.yaml")
            mine.write_text(yaml.safe_dump(said))
            command = [*COMMAND, "serve", "-c", str(mine)]
            started.append(Replica(process=subprocess.Popen(command, text=True, env=environ), port=port))
        yield started[0], started[1]
    finally:
        for one in started:
            one.kill()
        company.stop()


def differing(first: Replica, second: Replica) -> set[str]:
    """Families of which the two serve other numbers."""
    here, there = first.settled(), second.settled()
    return {name for name in here.keys() | there.keys() if here.get(name) != there.get(name)}


def test_polled_once_served_twice_and_taken_over(replicas: tuple[Replica, Replica]) -> None:
    """No source is asked by both replicas, their numbers are the same, and `kill -9` of one leaves all to the other."""
    until(lambda: all(one.up() == INSTANCES | SURVEYS for one in replicas))
    first, second = replicas
    shared = first.calls().keys() & second.calls().keys()
    assert shared <= {"argocd", "kubernetes", "surveys"}  # two of one type: each may have another holder
    assert {"github", "jira"} <= first.calls().keys() | second.calls().keys()
    until(lambda: not differing(first, second))
    assert len(first.settled()) > 20
    holder, other = (first, second) if "github" in first.calls() else (second, first)
    assert "github" not in other.calls()
    events = sum(holder.metrics()["platform_meter_events_total"].values())
    holder.kill()
    until(lambda: other.calls().get("github"))
    until(lambda: other.calls().get("jira"))
    assert sum(other.metrics()["platform_meter_events_total"].values()) >= events
    assert other.up() == INSTANCES | SURVEYS


def test_one_that_freezes_in_a_write_holds_up_no_other_for_long(postgres_server: postgres.Server) -> None:
    """PostgreSQL ends its write after some seconds: the other opens the store and polls; thawed, it is told so."""
    url = postgres_server.schema()
    command = [sys.executable, "-m", "tests.support.standing", url]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as frozen:
        try:
            assert frozen.stdout is not None
            assert frozen.stdout.readline() == "writing\n"
            frozen.send_signal(signal.SIGSTOP)
            other = open_at(url)
            assert other.acquire("gh", "other", timedelta(seconds=3), NOON + minutes(1)) == 2
            assert put(other, [run("1"), run("2")], NOON + minutes(1)).new == 2
            frozen.send_signal(signal.SIGCONT)
            said, _ = frozen.communicate("go on\n", timeout=PATIENCE)
            assert "failed: terminating connection due to idle-in-transaction timeout" in said
            assert total(other) == 2
            other.close()
        finally:
            frozen.kill()
