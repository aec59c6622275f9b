"""The demo company as servers on loopback: `python -m platform_meter.demo.stage.server --seed 1 --start 2026-11-02T09:00Z`.

Prints one JSON line with the addresses when it is ready; ends on SIGTERM, Ctrl-C, or when its stdin is closed, so
that it never outlives whoever started it.
"""

from __future__ import annotations

import argparse
import json
import logging
import signal
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any

from cheroot.ssl.builtin import BuiltinSSLAdapter
from cheroot.wsgi import Server

from platform_meter.demo.apis.api import Instance, apis, instances
from platform_meter.demo.apis.certificates import self_signed
from platform_meter.demo.company.layout import Company
from platform_meter.demo.company.scenarios import Scenario, Trouble
from platform_meter.demo.world import World

HOST = "127.0.0.1"
START_SECONDS = 60
STOP_SECONDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where everything answers, and the moment at which live time began."""

    urls: Mapping[str, str]
    """By the name of the instance."""
    start: datetime

    @classmethod
    def from_json(cls, line: str) -> Addresses:
        """From the line that the server prints.

        Raises:
            ValueError: it is no such line.
        """
        try:
            urls = {**json.loads(line)}
            return cls(start=datetime.fromisoformat(urls.pop("start")), urls=urls)
        except (TypeError, KeyError, ValueError) as error:
            raise ValueError(f"the demo server said {line!r} instead of its addresses") from error

    def to_json(self) -> str:
        """One line."""
        return json.dumps({**self.urls, "start": self.start.isoformat()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What makes one simulated company. `start` None: now. `port` 0: any; else the first one, which the others follow."""

    seed: int = 1
    start: datetime | None = None
    trouble: Trouble = Trouble.NONE
    trouble_after: timedelta = timedelta()
    """How long after the start the trouble begins."""
    trouble_for: timedelta | None = None
    """How long it lasts; None: it does not end."""
    teams: int = 40
    services: int = 300
    port: int = 0
    settings: Mapping[str, int] = field(default_factory=dict)
    """Numbers that APIs are to have instead of their usual ones, such as `github-limit`."""

    def world(self, clock: Callable[[], datetime]) -> World:
        """The world of these options; `clock` must not go back behind `start`."""
        start = (self.start or clock()).astimezone(UTC).replace(microsecond=0)
        company = Company.build(self.seed, start, teams=self.teams, services=self.services)
        begin = start + self.trouble_after
        end = None if self.trouble_for is None else begin + self.trouble_for
        scenario = Scenario(trouble=self.trouble, begin=begin, end=end)
        return World.build(company, clock, scenario=scenario)

    def arguments(self) -> list[str]:
        """As the command line takes them."""
        start = ["--start", self.start.isoformat()] if self.start else []
        rest: dict[str, str | float] = {
            "--seed": self.seed,
            "--scenario": self.trouble.value,
            "--scenario-after": self.trouble_after.total_seconds(),
            "--teams": self.teams,
            "--services": self.services,
            "--port": self.port,
            **{f"--{name}": number for name, number in self.settings.items()},
        }
        if self.trouble_for is not None:
            rest["--scenario-for"] = self.trouble_for.total_seconds()
        return [*start, *(str(part) for pair in rest.items() for part in pair)]


def running_clock(start: datetime | None) -> Callable[[], datetime]:
    """A clock that shows `start` now and goes on from there; without it, the time."""
    began = datetime.now(UTC)  # noqa: TID251 - the company's own clock is set here, once
    ahead = (start - began) if start else timedelta()
    return lambda: datetime.now(UTC) + ahead  # noqa: TID251 - and read here


class _Server(Server):
    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        """Who hangs up on a watch while it is answered is no error; cheroot knows that without TLS alone."""
        if not isinstance(sys.exc_info()[1], ssl.SSLError):
            super().error_log(msg, level, traceback)


@contextmanager
def serving(world: World, port: int = 0, settings: Mapping[str, int] | None = None) -> Iterator[Addresses]:
    """All APIs of `world` on loopback, on threads of this process, until the block ends.

    Args:
        world: what they serve.
        port: the first one's; the others follow it, in the order of `instances`. 0: any.
        settings: numbers that some are to have instead of their usual ones.

    Raises:
        OSError: a port is taken.
        ImportError: there is no `cryptography` for those that speak TLS.
    """
    stop = Event()
    servers: dict[str, Any] = {}
    urls: dict[str, str] = {}
    try:
        authority, adapter = _tls()
        for index, (name, api) in enumerate(instances(world.company).items()):
            server = _Server((HOST, port + index if port else 0), None, numthreads=api.threads, request_queue_size=128)
            secure = name in api.secure(world.company)
            server.ssl_adapter = adapter if secure else None
            server.prepare()
            servers[name] = server
            urls[name] = f"http{'s' if secure else ''}://{HOST}:{server.bind_addr[1]}"
            instance = Instance(
                name=name,
                url=urls[name],
                stop=stop,
                settings={**api.settings, **(settings or {})},
                urls=urls,
                authority=authority,
            )
            server.wsgi_app = api.app(world, instance)  # it needs its own address, which is known only now
        threads = [Thread(target=server.serve, name=name, daemon=True) for name, server in servers.items()]
        for thread in threads:
            thread.start()
        yield Addresses(urls=urls, start=world.company.start)
    finally:
        stop.set()
        with ThreadPoolExecutor(max_workers=max(1, len(servers))) as all_at_once:  # each takes half a second to notice
            list(all_at_once.map(lambda server: server.stop(), servers.values()))


def _tls() -> tuple[str, BuiltinSSLAdapter]:
    """The authority that all servers have in common, and what makes them speak TLS."""
    made = self_signed(HOST)
    with TemporaryDirectory(prefix="platform-meter-demo-") as folder:  # read once, at the beginning
        certificate, key = Path(folder, "certificate.pem"), Path(folder, "key.pem")
        certificate.write_text(made.text, encoding="utf-8")
        key.write_text(made.key, encoding="utf-8")
        return made.text, BuiltinSSLAdapter(str(certificate), str(key))


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoProcess:
    """The company in a process of its own."""

    addresses: Addresses
    process: subprocess.Popen[str]

    def stop(self) -> None:
        """End it and wait until it has."""
        if self.process.stdin:
            self.process.stdin.close()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()


def start_process(options: Options) -> DemoProcess:
    """Start the company in a process of its own; it ends with `stop`, or when this process does.

    Raises:
        RuntimeError: it ended before it served; its stderr says why.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "platform_meter.demo.stage.server", *options.arguments()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        process.communicate()
        code = process.returncode
        raise RuntimeError(f"the demo server ended with code {code} before it served; what it wrote above says why")
    return DemoProcess(addresses=Addresses.from_json(line), process=process)


def _options(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(prog="platform_meter.demo.stage.server", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=datetime.fromisoformat, help="where live time begins; default now")
    parser.add_argument("--scenario", type=Trouble, default=Trouble.NONE, choices=list(Trouble))
    parser.add_argument("--scenario-after", type=float, default=0.0, help="seconds from the start to the trouble")
    parser.add_argument("--scenario-for", type=float, help="seconds that the trouble lasts; without it, it stays")
    parser.add_argument("--teams", type=int, default=40)
    parser.add_argument("--services", type=int, default=300)
    parser.add_argument("--port", type=int, default=0, help="the first one's, the others follow; 0 takes any")
    settings = {name: number for api in apis() for name, number in api.settings.items()}
    for name, number in settings.items():
        parser.add_argument(f"--{name}", dest=name, type=int, default=number)
    given = parser.parse_args(arguments)
    return Options(
        seed=given.seed,
        start=given.start if given.start is None or given.start.tzinfo else given.start.replace(tzinfo=UTC),
        trouble=given.scenario,
        trouble_after=timedelta(seconds=given.scenario_after),
        trouble_for=None if given.scenario_for is None else timedelta(seconds=given.scenario_for),
        teams=given.teams,
        services=given.services,
        port=given.port,
        settings={name: getattr(given, name) for name in settings},
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until told to end."""
    options = _options(arguments)
    over = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    world = options.world(running_clock(options.start))
    try:
        with serving(world, options.port, options.settings) as addresses:
            sys.stdout.write(addresses.to_json() + "\n")
            sys.stdout.flush()

            def wait_for_end_of_input() -> None:
                sys.stdin.read()
                over.set()

            Thread(target=wait_for_end_of_input, name="stdin", daemon=True).start()
            over.wait()
    except OSError as error:
        sys.exit(f"the simulated APIs can't be served: {error}; choose another port")
    except ImportError as error:
        sys.exit(f"the simulated clouds can't be served: {error}; pip install 'platform-meter[gcp,aws,github-app]'")


if __name__ == "__main__":
    main()
