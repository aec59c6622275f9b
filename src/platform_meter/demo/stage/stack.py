"""`demo --with-prometheus`: a real Prometheus and a real Alertmanager on the demo, with the repository's own configuration.

Both listen on loopback only, keep their data in the demo's folder, and end with the block that started them.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import requests
import yaml

from platform_meter.demo.company.layout import PLATFORM_TEAMS
from platform_meter.demo.stage.pager import Alert, pager
from platform_meter.demo.stage.seed import write_blocks
from platform_meter.runtime.server.httpd import Server

HOST = "127.0.0.1"
PROMETHEUS, ALERTMANAGER, TEMPLATES = (
    "prometheus.yml",
    "deploy/alertmanager/alertmanager.yml",
    "deploy/alertmanager/platform-meter.tmpl",
)
DATA = "prometheus"
"""Prometheus' data, in the demo's folder."""
GENERATED = "slo-definitions/generated"
"""Where prometheus.yml looks for rules, beside itself."""
START_SECONDS, STOP_SECONDS = 60, 20
PROGRAMS = {
    "prometheus": ("prometheus",),
    "promtool": ("prometheus",),
    "prometheus-alertmanager": ("prometheus-alertmanager", "alertmanager"),
}
"""Debian's name of each program; then its package, and what others call it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Who listens where, as `host:port`. The defaults are what stands in the repository's files."""

    exporter: str = f"{HOST}:9898"
    services: str = f"{HOST}:9900"
    """The simulated services' metrics."""
    prometheus: str = f"{HOST}:9090"
    alertmanager: str = f"{HOST}:9093"
    pager: str = f"{HOST}:9899"


def moved(text: str, places: Places) -> str:
    """One of the repository's files with the addresses that are in use instead of its own."""
    written = {getattr(Places(), f.name): getattr(places, f.name) for f in fields(Places)}
    return re.sub("|".join(rf"{re.escape(one)}\b" for one in written), lambda found: written[found[0]], text)


def routed(text: str, teams: Sequence[str]) -> str:
    """Alertmanager's configuration, with each team's alerts on their own routes: by owner, to receivers of its own."""
    config = yaml.safe_load(text)
    top, known = config["route"], list(config["receivers"])
    for route in (*top["routes"], top):
        name = route["receiver"]
        own = [{"matchers": [f'owner="{team}"'], "receiver": f"{name} of {team}"} for team in teams]
        route["routes"] = [*route.get("routes", ()), *own]
        (common,) = (one for one in known if one["name"] == name)
        config["receivers"] += [_of_team(common, team) for team in teams]
    return yaml.safe_dump(config, sort_keys=False)


def _of_team(receiver: Mapping[str, Any], team: str) -> dict[str, Any]:
    """The same receiver, which tells the pager under the team's own path."""
    hooks = [{**hook, "url": f"{hook['url']}{team}"} for hook in receiver["webhook_configs"]]
    return {**receiver, "name": f"{receiver['name']} of {team}", "webhook_configs": hooks}


def chosen_places(port: int) -> Places:
    """The usual ports where they are free, else any; the exporter's is `port`, or any where that is 0."""
    usual = Places()
    exporter = port or free_port(0)
    others = (free_port(int(place.rpartition(":")[2])) for place in (usual.prometheus, usual.alertmanager, usual.pager))
    prometheus, alertmanager, pager_ = (f"{HOST}:{number}" for number in others)
    return Places(exporter=f"{HOST}:{exporter}", prometheus=prometheus, alertmanager=alertmanager, pager=pager_)


def repository(file: str) -> Path:
    """Where a file of the repository is: in the checkout, or packed beside this module.

    Raises:
        RuntimeError: nowhere.
    """
    here = Path(__file__)
    for root in (here.parents[4], here.parent):
        if (root / file).is_file():
            return root / file
    raise RuntimeError(f"{file} is not installed here; run the demo with Prometheus from a checkout of platform-meter")


def programs(which: Callable[[str], str | None] = shutil.which) -> dict[str, str]:
    """Path of each program, by Debian's name.

    Raises:
        RuntimeError: some are not installed; the text says how they are.
    """
    found = {name: which(name) or which(PROGRAMS[name][-1]) for name in PROGRAMS}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        packages = " ".join(dict.fromkeys(PROGRAMS[name][0] for name in missing))
        raise RuntimeError(f"{' and '.join(missing)} not on PATH; on Debian: apt-get install {packages}")
    return {name: path for name, path in found.items() if path}


def missing_programs() -> str:
    """Which programs of the stack are not installed, and how they are; empty where all are."""
    try:
        programs()
    except RuntimeError as error:
        return str(error)
    return ""


def free_port(wanted: int) -> int:
    """A port of loopback: this one, or any other where it is taken."""
    for port in (wanted, 0):
        try:
            with socket.create_server((HOST, port)) as held:
                return int(held.getsockname()[1])
        except OSError:
            continue
    raise OSError("no port of loopback is free")


class Running:
    """A server process on loopback: started, waited for, ended by its own id."""

    def __init__(self, command: Sequence[str | Path], address: str, log: Path) -> None:
        self.url, self._log = f"http://{address}", log
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy of the environment knows nothing of our loopback
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [str(part) for part in command], stdout=out, stderr=out, stdin=subprocess.DEVNULL
            )
        self._name = str(command[0])

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """The decoded JSON of an answer.

        Raises:
            requests.RequestException: it does not answer, or not in JSON.
        """
        return self._session.get(self.url + path, params=params, timeout=60).json()

    def wait(self) -> None:
        """Until it is ready.

        Raises:
            RuntimeError: it ended, or was not ready in time; the text holds the end of what it wrote.
        """
        until = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{self._name} did not start:\n{self._log.read_text()[-2000:]}")
            time.sleep(0.1)

    def _is_ready(self) -> bool:
        try:
            return self._session.get(f"{self.url}/-/ready", timeout=5).ok
        except requests.RequestException:
            return False

    def stop(self) -> None:
        """Ask it to end; insist after a while."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._session.close()


@contextmanager
def started(command: Sequence[str | Path], address: str, log: Path) -> Iterator[Running]:
    """A server that is ready, for the time of the block."""
    running = Running(command, address, log)
    try:
        running.wait()
        yield running
    finally:
        running.stop()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """What runs, and where its data are."""

    prometheus: Running
    alertmanager: Running
    folder: Path


@contextmanager
def stack(
    folder: Path,
    places: Places,
    tell: Callable[[Alert], None],
    *,
    adjust: Callable[[str, str], str] = lambda _name, text: text,
) -> Iterator[Stack]:
    """Prometheus, Alertmanager and a pager for the time of the block; rules are those under `folder`/slo-definitions.

    Args:
        folder: the demo's; what `prepare` put there is served.
        places: where everything listens; the three of this block must be free.
        tell: is given every alert that reaches the pager, from a thread of its own.
        adjust: (file name, text) -> text, for a test that can't wait for usual intervals.

    Raises:
        RuntimeError: a program is not installed or does not start.
        OSError: the pager's port is taken.
    """
    found = programs()
    for file in (PROMETHEUS, ALERTMANAGER, TEMPLATES):
        path = folder / Path(file).name
        text = adjust(path.name, moved(repository(file).read_text("utf-8"), places))
        path.write_text(routed(text, PLATFORM_TEAMS) if file == ALERTMANAGER else text, encoding="utf-8")
    with ExitStack() as all_:
        all_.enter_context(Server(pager(tell), HOST, int(places.pager.rpartition(":")[2])))
        alerts = all_.enter_context(
            started(
                [
                    found["prometheus-alertmanager"],
                    f"--config.file={folder / 'alertmanager.yml'}",
                    f"--storage.path={folder / 'alertmanager'}",
                    f"--web.listen-address={places.alertmanager}",
                    f"--web.external-url=http://{places.alertmanager}/",
                    "--cluster.listen-address=",  # alone
                ],
                places.alertmanager,
                folder / "alertmanager.log",
            )
        )
        prometheus = all_.enter_context(
            started(
                [
                    found["prometheus"],
                    f"--config.file={folder / PROMETHEUS}",
                    f"--storage.tsdb.path={folder / DATA}",
                    "--storage.tsdb.retention.time=100d",
                    f"--web.listen-address={places.prometheus}",
                    f"--web.external-url=http://{places.prometheus}/",
                    "--web.enable-lifecycle",
                ],
                places.prometheus,
                folder / "prometheus.log",
            )
        )
        yield Stack(prometheus=prometheus, alertmanager=alerts, folder=folder)


def prepare(folder: Path, past: Iterable[str], rules: Mapping[str, str]) -> None:
    """Put rules and the past into `folder`, for `stack` to serve.

    Args:
        folder: the demo's.
        past: OpenMetrics, as `demo.stage.seed.past` gives it.
        rules: generated rule files by name.

    Raises:
        RuntimeError: a program is not installed or failed.
    """
    found, generated = programs(), folder / GENERATED
    generated.mkdir(parents=True, exist_ok=True)
    for name, text in rules.items():
        (generated / name).write_text(text, encoding="utf-8")
    data = folder / DATA
    if not data.exists():  # a demo that goes on in its folder has a past of its own
        write_blocks(found["promtool"], past, folder / "history.om", data)
