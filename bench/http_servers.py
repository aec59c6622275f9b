"""Which WSGI server: what a hostile or slow client can do to each candidate, and what an answer costs.

    python -m bench.http_servers            # installs the candidates into a throw-away virtual environment; about 4 min

Every candidate is set to the same wishes as far as it has settings: 64 connections, 5 s for headers, 10 s for reading
an answer. Prints the table of docs/decisions/http-server.md.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("cheroot", "waitress", "hypercorn", "uvicorn", "a2wsgi", "gunicorn")
SRC = Path(__file__).resolve().parent.parent / "src"
BIG = 5_000_000
TICKS = os.sysconf("SC_CLK_TCK")
SLOW_FOR = 15.0
"""Seconds a slow client is watched before it counts as never cut."""

APP = f"""
import sys
BIG = b"x" * {BIG}
def app(environ, start):
    body = BIG if environ["PATH_INFO"] == "/big" else b"ok"
    start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
port, cert, key, ca = int(sys.argv[1]), *sys.argv[2:5]
"""

SERVERS = {
    "httpd.py (cheroot)": """
import threading
from platform_meter.runtime.server.httpd import Server
from platform_meter.runtime.access.tls import make_context
from platform_meter.runtime.access.web_config import TlsServerConfig
who = "RequireAndVerifyClientCert" if ca else "NoClientCert"
made = make_context(TlsServerConfig(cert_file=cert, key_file=key, client_ca_file=ca, client_auth_type=who)) if cert else None
tls = (lambda: made) if made else None
Server(app, port=port, tls=tls, max_connections=64, header_timeout=5, answer_timeout=10).start()
threading.Event().wait()
""",
    "cheroot": """
import ssl
from cheroot.wsgi import Server
from cheroot.ssl.builtin import BuiltinSSLAdapter
server = Server(("127.0.0.1", port), app, numthreads=64, max=64, timeout=5, request_queue_size=64)
if cert:
    server.ssl_adapter = BuiltinSSLAdapter(cert, key, ca or None)
    if ca:
        server.ssl_adapter.context.verify_mode = ssl.CERT_REQUIRED
server.start()
""",
    "waitress": """
import waitress
if cert:
    sys.exit("waitress speaks no TLS")
waitress.serve(app, host="127.0.0.1", port=port, threads=8, connection_limit=64, channel_timeout=5, cleanup_interval=1)
""",
    "hypercorn": """
import asyncio, ssl
from concurrent.futures import ThreadPoolExecutor
from hypercorn.asyncio import serve
from hypercorn.config import Config
config = Config()
config.bind = [f"127.0.0.1:{port}"]
config.keep_alive_timeout = config.read_timeout = config.ssl_handshake_timeout = 5
if cert:
    config.certfile, config.keyfile = cert, key
    if ca:
        config.ca_certs, config.verify_mode = ca, ssl.CERT_REQUIRED
async def main():
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(64))
    await serve(app, config, mode="wsgi")
asyncio.run(main())
""",
    "uvicorn": """
import ssl, uvicorn
from a2wsgi import WSGIMiddleware
tls = {"ssl_certfile": cert, "ssl_keyfile": key} if cert else {}
if ca:
    tls |= {"ssl_ca_certs": ca, "ssl_cert_reqs": ssl.CERT_REQUIRED}
uvicorn.run(WSGIMiddleware(app, workers=64), host="127.0.0.1", port=port, log_level="error", timeout_keep_alive=5,
            limit_concurrency=64, **tls)
""",
    "gunicorn": """
import ssl
from gunicorn.app.base import BaseApplication
class Main(BaseApplication):
    def load_config(self):
        wishes = {"bind": f"127.0.0.1:{port}", "worker_class": "gthread", "workers": 1, "threads": 64,
                  "worker_connections": 64, "timeout": 5, "keepalive": 5, "loglevel": "critical",
                  "control_socket_disable": True}
        if cert:
            wishes |= {"certfile": cert, "keyfile": key}
        if ca:
            wishes |= {"ca_certs": ca, "cert_reqs": ssl.CERT_REQUIRED}
        for name, value in wishes.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)
    def load(self):
        return app
Main().run()
""",
}


@dataclass(frozen=True, slots=True)
class Files:
    folder: Path

    def __getattr__(self, name: str) -> str:
        return str(self.folder / f"{name}.pem")


def make_files(folder: Path) -> Files:
    files = Files(folder)
    new = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]

    def run(*more: str) -> None:
        subprocess.run([*new, *more], check=True, capture_output=True)

    run("-subj", "/CN=ca", "-addext", "keyUsage=critical,keyCertSign", "-keyout", files.ca_key, "-out", files.ca)
    for name in ("first", "second", "client"):
        san = ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"]
        signed = ["-CA", files.ca, "-CAkey", files.ca_key]
        run(
            "-subj",
            f"/CN={name}",
            *san,
            *signed,
            "-keyout",
            str(folder / f"{name}_key.pem"),
            "-out",
            str(folder / f"{name}.pem"),
        )
    return files


class Running:
    """One candidate in a process of its own."""

    def __init__(self, python: str, name: str, *, cert: str = "", key: str = "", ca: str = "") -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._process = subprocess.Popen(
            [python, "-c", APP + SERVERS[name], str(self.port), cert, key, ca],
            env={**os.environ, "PYTHONPATH": str(SRC)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for _ in range(100):
            if self._process.poll() is not None:
                raise RuntimeError(f"{name} did not start")
            with contextlib.suppress(OSError), self.connected():
                break
            time.sleep(0.1)

    def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)  # its own session: a master and its workers
        self._process.wait()

    @contextlib.contextmanager
    def connected(self, buffer: int = 0) -> Iterator[socket.socket]:
        with socket.socket() as sock:
            if buffer:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
            sock.settimeout(SLOW_FOR)
            sock.connect(("127.0.0.1", self.port))
            yield sock

    def cpu(self) -> float:
        """CPU seconds of the process and its children so far."""
        return sum(int(f[11]) + int(f[12]) for _, f in self._family()) / TICKS

    def sockets(self) -> int:
        """Sockets the process and its children hold; what waits in the kernel's backlog is not among them."""
        held: set[str] = set()
        for pid, _ in self._family():
            for entry in Path(f"/proc/{pid}/fd").iterdir():
                with contextlib.suppress(OSError):
                    target = str(entry.readlink())
                    if target.startswith("socket:"):
                        held.add(target)
        return len(held)

    def _family(self) -> Iterator[tuple[str, list[str]]]:
        """Process ids of the session, with the fields of `stat` behind the name."""
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields = stat.read_text().rpartition(")")[2].split()
                if int(fields[3]) == self._process.pid:
                    yield stat.parent.name, fields


def trusting(files: Files, *, client: bool = False) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=files.ca)
    if client:
        context.load_cert_chain(files.client, files.client_key)
    return context


def asked(server: Running, context: ssl.SSLContext | None = None) -> str:
    """Seconds until a small request is answered, or what was said instead."""
    began = time.monotonic()
    try:
        made = (
            http.client.HTTPConnection("127.0.0.1", server.port, timeout=SLOW_FOR)
            if context is None
            else http.client.HTTPSConnection("127.0.0.1", server.port, timeout=SLOW_FOR, context=context)
        )
        with contextlib.closing(made):
            made.request("GET", "/")
            answer = made.getresponse()
            if answer.read() != b"ok":
                return f"{answer.status} at once"
    except TimeoutError:
        return "never"
    except (OSError, http.client.HTTPException):
        return "refused"
    return seconds(time.monotonic() - began)


def seconds(value: float) -> str:
    return f"{value:.2f} s" if value < 1 else f"{value:.0f} s"


def slow_header(server: Running) -> str:
    """Seconds until a client that sends one header byte a second is cut."""
    began = time.monotonic()
    with server.connected() as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        sock.settimeout(1.0)
        while time.monotonic() - began < SLOW_FOR:
            try:
                sock.sendall(b"x")
                if sock.recv(1000) is not None:
                    return seconds(time.monotonic() - began)
            except TimeoutError:
                continue
            except OSError:
                return seconds(time.monotonic() - began)
    return "never"


def beside(server: Running, count: int, first: bytes, context: ssl.SSLContext | None = None, buffer: int = 0) -> str:
    """How long a request takes beside `count` clients that send `first` and then do nothing."""
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            with contextlib.suppress(OSError):
                sock = stack.enter_context(server.connected(buffer))
                sock.sendall(first)
        time.sleep(0.5)
        return asked(server, context)


def cap(server: Running) -> str:
    """How many of 200 connections with half a request the server takes at once."""
    before = server.sockets()
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            with contextlib.suppress(OSError):
                stack.enter_context(server.connected()).sendall(b"GET / HTTP/1.1\r\n")
        time.sleep(1.0)
        return f"{server.sockets() - before} of 200"


def cost(server: Running, path: str, count: int) -> str:
    """Server CPU milliseconds per answer on one kept connection: least and most of five rounds."""
    made = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    rounds = []
    with contextlib.closing(made):
        for _ in range(5):
            before = server.cpu()
            for _ in range(count):
                made.request("GET", path)
                made.getresponse().read()
            rounds.append((server.cpu() - before) * 1000 / count)
    return f"{min(rounds):.2f} to {max(rounds):.2f} ms"


def plain(python: str, name: str) -> Iterator[tuple[str, str]]:
    tests: tuple[tuple[str, Callable[[Running], str]], ...] = (
        ("slow header cut after", slow_header),
        ("request beside 50 slow headers", lambda s: beside(s, 50, b"GET / HTTP/1.1\r\nX-Slow: ")),
        ("request beside 150 slow headers", lambda s: beside(s, 150, b"GET / HTTP/1.1\r\nX-Slow: ")),
        (
            "request beside 20 that don't read 5 MB",
            lambda s: beside(s, 20, b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n", buffer=4096),
        ),
        ("connections held, 64 wanted", cap),
        ("CPU per 5 MB answer", lambda s: cost(s, "/big", 200)),
        ("CPU per 2 byte answer", lambda s: cost(s, "/", 2000)),
    )
    for label, test in tests:
        server = Running(python, name)
        try:
            yield label, test(server)
        finally:
            server.stop()


def encrypted(python: str, name: str, files: Files, folder: Path) -> Iterator[tuple[str, str]]:
    cert, key = str(folder / "live.pem"), str(folder / "live_key.pem")

    def use(which: str) -> None:
        shutil.copy(folder / f"{which}.pem", cert)
        shutil.copy(folder / f"{which}_key.pem", key)

    use("first")
    try:
        server = Running(python, name, cert=cert, key=key)
    except RuntimeError:
        yield "TLS", "no"
        return
    try:
        yield "TLS", "yes" if asked(server, trusting(files)).endswith("s") else "no"
        yield "request beside 20 silent TLS clients", beside(server, 20, b"", trusting(files))
        use("second")
        context = trusting(files)
        with server.connected() as sock, context.wrap_socket(sock, server_hostname="127.0.0.1") as spoken:
            yield "renewed certificate used", "yes" if "second" in str(spoken.getpeercert()) else "after a restart"
    finally:
        server.stop()
    server = Running(python, name, cert=cert, key=key, ca=files.ca)
    try:
        without, given = asked(server, trusting(files)), asked(server, trusting(files, client=True))
        yield "client certificates", "required" if without == "refused" and given.endswith("s") else "no"
    finally:
        server.stop()


def main() -> None:
    table: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        venv.create(folder / "venv", with_pip=True)
        python = str(folder / "venv" / "bin" / "python")
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
        files = make_files(folder)

        def one(name: str) -> None:
            own = folder / name.partition(" ")[0]
            own.mkdir()
            for source in folder.glob("*.pem"):
                shutil.copy(source, own)
            interpreter = sys.executable if "httpd.py" in name else python
            table[name] = {}
            for label, value in (*encrypted(interpreter, name, files, own), *plain(interpreter, name)):
                table[name][label] = value
                print(f"{name}: {label}: {value}", file=sys.stderr)

        for name in SERVERS:
            one(name)
        versions = subprocess.run([python, "-m", "pip", "freeze"], check=True, capture_output=True, text=True).stdout
    labels = list(table["cheroot"])
    print("| | " + " | ".join(table) + " |")
    print("| --- |" + " --- |" * len(table))
    for label in labels:
        print(f"| {label} | " + " | ".join(row.get(label, "-") for row in table.values()) + " |")
    print("\n" + ", ".join(line for line in versions.split() if line.lower().partition("==")[0] in PACKAGES))


if __name__ == "__main__":
    main()
