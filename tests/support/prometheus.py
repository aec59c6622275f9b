"""Real Prometheus, promtool and Alertmanager for tests, as Debian packs them, on loopback and in folders of the test's own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import requests
import yaml
from tests.support.client import Client
from tests.support.kube_api import CACHE, alone, go
from tests.support.processes import Server, free_ports
from tests.support.waiting import PATIENCE

_BLOCK = "256h"
"""Seeding: one block for ten days instead of one for two hours (90 days take 3 s instead of 250 s)."""


CURRENT = "v0.316.0"
"""Prometheus 3.16 as Go's module proxy has it; Debian's is 2.42."""
_MODULE = "github.com/prometheus/prometheus/cmd"


def current() -> Path:
    """Folder with `prometheus` and `promtool` of a current release: from the cache, else built into it once (6 CPU minutes)."""
    folder = CACHE / f"prometheus-{CURRENT}"
    with alone(folder.name):
        if not (folder / "prometheus").is_file():
            made = folder.with_name(f"{folder.name}.new")
            for name in ("promtool", "prometheus"):
                command = [go(), "install", "-p", "2", "-ldflags", "-s -w", f"{_MODULE}/{name}@{CURRENT}"]
                subprocess.run(command, check=True, env={**os.environ, "GOBIN": str(made), "GOFLAGS": ""}, cwd=CACHE)
            made.replace(folder)
    return folder


def program(name: str, folder: Path | None = None) -> str:
    """Path of a program: the one in this folder, else the one on PATH.

    Raises:
        RuntimeError: it is not installed; the text says which package holds it.
    """
    if folder is not None:
        return str(folder / name)
    found = shutil.which(name)
    if found is None:
        package = "prometheus-alertmanager" if "alert" in name else "prometheus"
        raise RuntimeError(f"{name} is not on PATH; install Debian's package {package}")
    return found


def promtool(*arguments: str | Path, folder: Path | None = None) -> str:
    """What promtool prints, the one of this folder or else of PATH; it must succeed.

    Rules that this very program has passed with the very same files are not tried again: the cache has what it said.
    """
    if arguments[:2] != ("test", "rules"):
        return _run(*arguments, folder=folder)
    known = CACHE / "promtool" / _fingerprint(program("promtool", folder), [Path(a) for a in arguments[2:]])
    if not known.is_file():
        said = _run(*arguments, folder=folder)
        known.parent.mkdir(parents=True, exist_ok=True)
        new = known.with_suffix(f".{os.getpid()}")
        new.write_text(said)
        new.replace(known)
    return known.read_text()


def _fingerprint(tool: str, tests: Sequence[Path]) -> str:
    """Of a program, the names of tests, and all files that lie beside them, their rules among these."""
    state = Path(tool).stat()
    text = sha256(f"{tool} {state.st_size} {state.st_mtime_ns} {[test.name for test in tests]}".encode())
    for path in sorted({path for test in tests for path in test.parent.iterdir() if path.suffix == ".yml"}):
        text.update(f"\n{path.name} {sha256(path.read_bytes()).hexdigest()}".encode())
    return text.hexdigest()


def _run(*arguments: str | Path, folder: Path | None) -> str:
    done = subprocess.run(
        [program("promtool", folder), *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"promtool {' '.join(map(str, arguments))}:\n{done.stdout}{done.stderr}"
    return done.stdout


class _Http(Client):
    """On a port of its own."""

    def __init__(self) -> None:
        self.port = free_ports(1)[0]
        super().__init__(f"http://127.0.0.1:{self.port}", "/-/ready")

    def get(self, path: str, **params: str) -> requests.Response:
        return self._session.get(f"{self.url}{path}", params=params, timeout=PATIENCE)


class Prometheus(_Http):
    """A Prometheus with the given configuration (as in prometheus.yml), by the program in `programs` or on PATH."""

    def __init__(
        self, folder: Path, config: dict[str, Any], flags: Sequence[str] = (), programs: Path | None = None
    ) -> None:
        super().__init__()
        self._programs = programs
        self.data = folder / "data"
        self._config = folder / "prometheus.yml"
        self._config.write_text(yaml.safe_dump(config))
        command: list[str | Path] = [
            program("prometheus", programs),
            f"--config.file={self._config}",
            f"--storage.tsdb.path={self.data}",
            "--storage.tsdb.retention.time=400d",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--web.enable-lifecycle",
            *flags,
        ]
        self._server = Server(command, folder / "prometheus.log", self.is_ready)

    def seed(self, openmetrics: str) -> None:
        """Put history in place before the start: OpenMetrics text with times, ended by `# EOF`."""
        text = self._config.with_name("history.om")
        text.write_text(openmetrics)
        command = ("tsdb", "create-blocks-from", "openmetrics", f"--max-block-duration={_BLOCK}", text, self.data)
        promtool(*command, folder=self._programs)

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop()
        self.close()

    def reconfigure(self, config: dict[str, Any]) -> None:
        """Have it run on with another configuration."""
        self._config.write_text(yaml.safe_dump(config))
        answer = self._session.post(f"{self.url}/-/reload", timeout=PATIENCE)
        assert answer.status_code == 200, answer.text

    def query(self, promql: str, at: float | None = None) -> list[tuple[dict[str, str], float]]:
        """An instant vector: labels and value of each series."""
        response = self.get("/api/v1/query", query=promql, **({} if at is None else {"time": f"{at:.3f}"}))
        answer = response.json()
        assert answer["status"] == "success", answer
        return [(series["metric"], float(series["value"][1])) for series in answer["data"]["result"]]

    def targets_up(self) -> int:
        """Targets that were scraped well."""
        return sum(t["health"] == "up" for t in self.get("/api/v1/targets").json()["data"]["activeTargets"])


class Alertmanager(_Http):
    """An Alertmanager with the given configuration (as in alertmanager.yml), alone in its cluster."""

    def __init__(self, folder: Path, config: dict[str, Any]) -> None:
        super().__init__()
        path = folder / "alertmanager.yml"
        path.write_text(yaml.safe_dump(config))
        command: list[str | Path] = [
            program("prometheus-alertmanager"),
            f"--config.file={path}",
            f"--storage.path={folder / 'alertmanager'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--cluster.listen-address=",
        ]
        self._server = Server(command, folder / "alertmanager.log", self.is_ready)

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop()
        self.close()

    def alerts(self) -> list[dict[str, Any]]:
        """Alerts it holds now, as its API v2 tells them."""
        found: list[dict[str, Any]] = self.get("/api/v2/alerts").json()
        return found


@contextmanager
def prometheus(
    folder: Path,
    config: dict[str, Any],
    *,
    history: str = "",
    flags: Sequence[str] = (),
    programs: Path | None = None,
) -> Iterator[Prometheus]:
    """A running Prometheus for the time of the block, with `history` (OpenMetrics text) in place."""
    folder.mkdir(parents=True, exist_ok=True)
    server = Prometheus(folder, config, flags, programs)
    if history:
        server.seed(history)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@contextmanager
def alertmanager(folder: Path, config: dict[str, Any]) -> Iterator[Alertmanager]:
    """A running Alertmanager for the time of the block."""
    folder.mkdir(parents=True, exist_ok=True)
    server = Alertmanager(folder, config)
    try:
        server.start()
        yield server
    finally:
        server.stop()
