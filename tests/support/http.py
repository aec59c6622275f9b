"""A loopback HTTP(S) server that answers as a test has written down, and certificates for it.

with serving() as server:
    server.on("/items", Reply(503), Reply(body=b"[1]"))   # in this order, the last one for ever
    ...
    assert server.paths == ["/items", "/items"]
"""

from __future__ import annotations

import ssl
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from platform_meter.runtime.access.tls import TlsContext, make_context
from platform_meter.runtime.access.web_config import TlsServerConfig


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it arrived. Header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    client: tuple[str, int]


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. A body of several parts is sent chunked, each part at once; a part may wait before it is made."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Callable[[], Iterable[bytes]] = b""
    raw: Callable[[], Iterable[bytes]] | None = None
    """Bytes to send in place of everything, headers too; then the connection closes."""


Answerer = Callable[[Seen], Reply]


class Server:
    """Answers by path; 404 for what was not written down."""

    def __init__(self) -> None:
        self.url = ""
        self.seen: list[Seen] = []
        self.over = threading.Event()
        """Set when the test ends; parts of a body that wait should wait for it."""
        self.otherwise: Answerer | None = None
        """Answers what was not written down."""
        self._scripts: dict[str, list[Reply | Answerer]] = {}
        self._lock = threading.Lock()

    @property
    def paths(self) -> list[str]:
        return [s.path for s in self.seen]

    def on(self, path: str, *replies: Reply | Answerer) -> None:
        """Answer requests for `path` (without query) in this order; the last reply stays."""
        self._scripts[path] = list(replies)

    def reply(self, seen: Seen) -> Reply:
        with self._lock:
            self.seen.append(seen)
            script = self._scripts.get(seen.path, [])
            if not script and self.otherwise is not None:
                return self.otherwise(seen)
            if not script:
                return Reply(404, body=b'{"message": "not written down"}')
            found = script.pop(0) if len(script) > 1 else script[0]
        return found if isinstance(found, Reply) else found(seen)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each body waits 40 ms for a receipt of its headers
    scripted: Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is given
        pass

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {k.lower(): v for k, v in self.headers.items()}
        seen = Seen(self.command, parts.path, parts.query, headers, body, self.client_address)
        reply = self.scripted.reply(seen)
        try:
            self._write(reply)
        except OSError:
            self.close_connection = True  # the client had enough; that is what such tests are about

    def _write(self, reply: Reply) -> None:
        if reply.raw is not None:
            for part in reply.raw():
                self.wfile.write(part)
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if isinstance(reply.body, bytes):
            if reply.status != 304:
                self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)
            return
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in reply.body():
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the names are given


class _Http(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, handler: type[_Handler], tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self._tls = tls

    def finish_request(self, request: Any, client_address: Any) -> None:
        # The handshake belongs to the connection's own thread: a client that fails it must not stop the others.
        if self._tls is not None:
            try:
                request = self._tls.wrap_socket(request, server_side=True)
            except OSError:
                return
        super().finish_request(request, client_address)
        request.close()


@dataclass(frozen=True, slots=True)
class Certificate:
    cert: Path
    key: Path


@contextmanager
def serving(certificate: Certificate | None = None, client_ca: Path | None = None) -> Iterator[Server]:
    """A server on a free loopback port, over TLS with `certificate`, asking for client certificates of `client_ca`."""
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.cert, certificate.key)
        if client_ca is not None:
            context.load_verify_locations(client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    server = Server()

    class Handler(_Handler):
        scripted = server

    http = _Http(Handler, context)
    server.url = f"{'http' if context is None else 'https'}://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        http.shutdown()
        http.server_close()
        thread.join()


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def authority(folder: Path, name: str = "ca") -> Certificate:
    """A CA of its own."""
    made = Certificate(folder / f"{name}.crt", folder / f"{name}.key")
    new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    _openssl(*new, "-subj", f"/CN={name}", *usage, "-keyout", made.key, "-out", made.cert)
    return made


def certificate(folder: Path, ca: Certificate, name: str, san: str = "IP:127.0.0.1") -> Certificate:
    """A certificate for `name`, signed by `ca`, good for servers and clients."""
    made = Certificate(folder / f"{name}.crt", folder / f"{name}.key")
    new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    usage = ["-addext", f"subjectAltName={san}", "-addext", "basicConstraints=critical,CA:FALSE"]
    _openssl(
        *new, "-subj", f"/CN={name}", *usage, "-CA", ca.cert, "-CAkey", ca.key, "-keyout", made.key, "-out", made.cert
    )
    return made


def expired(folder: Path, ca: Certificate, name: str, san: str = "IP:127.0.0.1") -> Certificate:
    """A certificate of a server, signed by `ca`, which ended a day ago."""
    made, asked, more = Certificate(folder / f"{name}.crt", folder / f"{name}.key"), folder / "asked", folder / "more"
    more.write_text(f"subjectAltName={san}")
    new = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}"]
    _openssl(*new, "-keyout", made.key, "-out", asked)
    by = ("-CA", ca.cert, "-CAkey", ca.key, "-set_serial", "7")
    _openssl("x509", "-req", "-in", asked, "-extfile", more, *by, "-days", "-1", "-out", made.cert)
    return made


def contexts(server: Certificate, **more: Any) -> Callable[[], TlsContext]:
    """The context of a server with this certificate, and what else `tls_server_config` may say."""
    made = make_context(TlsServerConfig(cert_file=str(server.cert), key_file=str(server.key), **more))
    return lambda: made
