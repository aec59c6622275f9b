"""A real NGINX under load: every line of its log once over every kind of rotation, and what its pages tell."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import signal
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from tests.support.places import DOCS
from tests.support.processes import Server, free_ports, is_free
from tests.support.real_source import Connected, Reader, connected, utc_now
from tests.support.waiting import until

from platform_meter.model.facts.slis import SliCount
from platform_meter.model.facts.traffic import GatewayLatency, GatewayRequests
from platform_meter.model.facts.use import Usage
from platform_meter.model.source import Gap, Page
from platform_meter.sources.nginx import SOURCE

FORMAT = re.search(r"```nginx\n(log_format .*?;)", (DOCS / "sources.md").read_text("utf-8"), re.DOTALL)[1]  # type: ignore[index]  # the page has it
"""As people are told to write it."""
CONFIG = """
daemon off;
user root;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  {format}
  access_log {log} platform_meter;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    server_name shop.example;
    location /cart/ {{ return 200 "ok"; }}
    location /pay/ {{ return 503; }}
    location /gone/ {{ proxy_pass http://127.0.0.1:{closed}; }}
    location /slow/ {{ proxy_pass http://127.0.0.1:{silent}; }}
    location /missing/ {{ return 404; }}
    location = /nginx_status {{ stub_status; access_log off; }}
  }}
}}
"""
ROUTES = {f"shop.example/{name}/*": name for name in ("cart", "pay", "gone", "slow", "missing")}


@dataclass
class Nginx:
    """A server of ours, and what its clients got from it."""

    folder: Path
    port: int
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    over: threading.Event = field(default_factory=threading.Event)
    turn: threading.Lock = field(default_factory=threading.Lock)
    """Whoever holds it keeps all clients from asking."""

    @property
    def log(self) -> Path:
        return self.folder / "access.json"

    @property
    def status(self) -> str:
        return f"http://127.0.0.1:{self.port}/nginx_status"

    def ask(self, *paths: str) -> None:
        """One connection, and one request for each path."""
        client = HTTPConnection("127.0.0.1", self.port, timeout=20)
        for path in paths:
            client.request("GET", path)
            answer = client.getresponse()
            answer.read()
            self.answers[path.split("/")[1], answer.status] += 1
        client.close()

    def load(self) -> None:
        """Ask until it is over."""
        mixed = ("/cart/1?q=2", "/pay/1", "/cart/%C3%A4%FF", "/missing/", "/gone/")
        while not self.over.is_set():
            with self.turn:
                self.ask(*mixed)

    def give_up(self) -> None:
        """A client that does not wait for its answer."""
        with socket.create_connection(("127.0.0.1", self.port)) as client:
            client.sendall(b"GET /slow/ HTTP/1.1\r\nHost: shop.example\r\n\r\n")
            until(self.waiting)
        until(lambda: "/slow/" in self.log.read_text("utf-8", "replace"))

    def waiting(self) -> bool:
        """Whether a request waits for the silent server: our own look is one that writes, too."""
        client = HTTPConnection("127.0.0.1", self.port, timeout=20)
        client.request("GET", "/nginx_status")
        text = client.getresponse().read().decode()
        client.close()
        return "Writing: 2" in text

    def written(self) -> int:
        """Lines in all files of the log."""
        files = [(path.suffix == ".gz", path.read_bytes()) for path in self.folder.glob("access.json*")]
        return sum((gzip.decompress(held) if packed else held).count(b"\n") for packed, held in files)

    def shift(self) -> Path:
        """Every old file one number on; where the next one goes."""
        for number in range(20, 0, -1):
            for end in ("", ".gz"):
                old = self.folder / f"access.json.{number}{end}"
                if old.exists():
                    old.rename(self.folder / f"access.json.{number + 1}{end}")
        return self.folder / "access.json.1"

    def rename(self) -> None:
        """As logrotate does by default: the file goes, and NGINX is told to make another."""
        self.log.rename(self.shift())
        os.kill(int((self.folder / "nginx.pid").read_text()), signal.SIGUSR1)
        until(self.log.exists)

    def copy(self) -> None:
        """As logrotate does with `copytruncate`; what is written between the two would be lost, so nobody asks then."""
        with self.turn:
            until(lambda: self.written() == self.answers.total())
            shutil.copyfile(self.log, self.shift())
            os.truncate(self.log, 0)

    def pack(self) -> None:
        """As logrotate does with `delaycompress`: the file that is not written any more."""
        old = self.folder / "access.json.2"
        if old.exists():
            with old.open("rb") as plain, gzip.open(f"{old}.gz", "wb") as packed:
                shutil.copyfileobj(plain, packed)
            old.unlink()


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Nginx]:
    port, closed = free_ports(2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        made = Nginx(tmp_path, port)
        config = tmp_path / "nginx.conf"
        values = {"folder": tmp_path, "log": made.log, "port": port, "closed": closed, "format": FORMAT}
        config.write_text(CONFIG.format(**values, silent=silent.getsockname()[1]))
        server = Server(["nginx", "-c", config], tmp_path / "output", lambda: not is_free(port))
        server.start()
        yield made
        made.over.set()
        server.stop()


@contextmanager
def source(**settings: Any) -> Iterator[Connected]:
    with connected(SOURCE, SOURCE.config.model_validate({"gateway": "edge", **settings})) as made:
        yield made


def counted(reader: Reader) -> Counter[tuple[str, str]]:
    """Requests by route and result, as they are stored."""
    found = Counter[tuple[str, str]]()
    for fact in reader.events.values():
        if isinstance(fact, GatewayRequests):
            name = fact.about.id.removeprefix("edge/")
            found.update({(name, "good"): int(fact.good), (name, "bad"): int(fact.bad)})
    return +found


def test_every_line_counts_once_over_every_rotation(nginx: Nginx) -> None:
    """Under load, renamed, copied and emptied, packed; the reader ends after any page, and begins anew behind what was kept."""
    nginx.give_up()
    nginx.answers["slow", 499] += 1
    clients = [threading.Thread(target=nginx.load) for _ in range(2)]
    for client in clients:
        client.start()
    gaps: list[Gap] = []
    pages: list[Page] = []
    kept: Reader | None = None

    @contextmanager
    def reading() -> Iterator[Reader]:
        """A new process behind what the last one kept."""
        with source(access_log=str(nginx.log), routes=ROUTES) as made:
            reader = made.stream("access_log")
            if kept is not None:
                reader.checkpoint, reader.events = kept.checkpoint, kept.events
            yield reader
            gaps.extend(made.gaps)
            pages.extend(reader.pages)

    for number, step in enumerate([nginx.rename, nginx.copy, nginx.pack] * 4):
        before = nginx.answers.total()
        until(lambda before=before: nginx.answers.total() > before + 200)  # type: ignore[misc]  # bound at once
        step()
        with reading() as reader:
            begun = reader.open()
            for _ in range(number % 3):
                next(begun, None)
            kept = reader
    nginx.over.set()
    for client in clients:
        client.join()
    until(lambda: nginx.written() == nginx.answers.total())
    with reading() as reader:
        reader.run()
        # Behind the last slice and its delay, whatever the minute is now.
        reader.run(now=utc_now() + timedelta(minutes=10))
    truth = nginx.answers
    assert truth["cart", 200] > 500
    assert counted(reader) == {
        ("cart", "good"): truth["cart", 200],
        ("pay", "bad"): truth["pay", 503],
        ("gone", "bad"): truth["gone", 502],
    }
    within = Counter[str]()
    for fact in reader.events.values():
        if isinstance(fact, GatewayLatency):
            within.update({fact.about.id: int(sum(fact.within.values()))})
    assert within == {
        "edge/cart": truth["cart", 200],
        "edge/pay": truth["pay", 503],
        "edge/gone": truth["gone", 502],
    }
    assert (gaps, [page.rejected for page in pages if page.rejected]) == ([], [])
    assert len(pages) > 12


def looks(made: Connected, nginx: Nginx) -> tuple[float, float, float]:
    """Requests, and connections good and bad, between two looks with 20 requests over 4 connections between them."""
    reader = made.stream("status")
    assert [page.facts for page in reader.run()] == [()]
    for _ in range(4):
        nginx.ask(*["/cart/1"] * 5)
    reader.run()
    (use,) = (fact for fact in reader.events.values() if isinstance(fact, Usage))
    (sli,) = (fact for fact in reader.events.values() if isinstance(fact, SliCount))
    assert made.check() == []
    return use.amount, sli.good, sli.bad


def test_stub_status_tells_the_totals(nginx: Nginx) -> None:
    """Our second look is a request over a connection, too."""
    with source(status=nginx.status) as made:
        assert looks(made, nginx) == (21.0, 5.0, 0.0)


def test_the_exporter_tells_the_same(nginx: Nginx, tmp_path: Path) -> None:
    """It keeps its connection to NGINX, over which it looks once for each look of ours."""
    (port,) = free_ports(1)
    command = [
        "prometheus-nginx-exporter",
        f"-nginx.scrape-uri={nginx.status}",
        f"-web.listen-address=127.0.0.1:{port}",
    ]
    exporter = Server(command, tmp_path / "exporter", lambda: not is_free(port))
    exporter.start()
    try:
        with source(status=f"http://127.0.0.1:{port}/metrics") as made:
            assert looks(made, nginx) == (21.0, 4.0, 0.0)
    finally:
        exporter.stop()
