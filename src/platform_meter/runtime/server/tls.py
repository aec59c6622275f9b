"""TLS for our own server: certificates read again when their files change, handshakes outside of the accepting thread."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cheroot import errors
from cheroot.makefile import MakeFile
from cheroot.ssl import Adapter

log = logging.getLogger(__name__)

_VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
CLIENT_NAMES = "platform_meter.client_names"
"""WSGI environ key: common name and subject alternative names of the verified client certificate, a tuple of str."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """Where the server's TLS files stand. A renewed certificate is used from the next connection on."""

    cert_file: str
    """PEM, with the chain behind the certificate."""
    key_file: str
    client_ca_file: str | None = None
    """CAs whose client certificates are let in; None asks for none."""
    client_required: bool = True
    """With `client_ca_file`: no way in without a certificate. False verifies one only where it is given."""
    min_version: Literal["TLS12", "TLS13"] = "TLS12"


class TlsAdapter(Adapter):
    """cheroot's hook for TLS.

    Raises:
        ValueError: the files can't be used; the text says which.
    """

    def __init__(self, files: TlsFiles) -> None:
        self._files = files
        self._lock = threading.Lock()
        self._stamp = self._look()
        self._context = self._load()

    def bind(self, sock: socket.socket) -> socket.socket:
        return sock

    def wrap(self, sock: socket.socket) -> tuple[ssl.SSLSocket, dict[str, Any]]:
        """Only the wrapping: the handshake is made by the connection's own thread."""
        try:
            return self._current().wrap_socket(sock, server_side=True, do_handshake_on_connect=False), {}
        except OSError as error:
            sock.close()
            raise errors.FatalSSLAlert(*error.args) from error

    def get_environ(self, sock: ssl.SSLSocket) -> dict[str, Any]:  # type: ignore[override]  # the stub forgets it
        """What the application may know of a connection whose handshake is done."""
        environ: dict[str, Any] = {"HTTPS": "on", "SSL_PROTOCOL": sock.version(), "SSL_CLIENT_VERIFY": "NONE"}
        peer: Any = sock.getpeercert()  # empty unless it was given and verified
        if peer:
            common = [value for part in peer.get("subject", ()) for key, value in part if key == "commonName"]
            names = [value for _, value in peer.get("subjectAltName", ())]
            environ |= {
                "SSL_CLIENT_VERIFY": "SUCCESS",
                "SSL_CLIENT_S_DN_CN": next(iter(common), ""),
                CLIENT_NAMES: tuple(dict.fromkeys([*common, *names])),
            }
        return environ

    def makefile(self, sock: socket.socket, mode: str = "r", bufsize: int = -1) -> Any:
        return MakeFile(sock, mode, bufsize)

    def _look(self) -> tuple[tuple[int, int, int], ...]:
        paths = [p for p in (self._files.cert_file, self._files.key_file, self._files.client_ca_file) if p]
        try:
            stats = [Path(path).stat() for path in paths]
        except OSError as error:
            raise ValueError(f"TLS file {error.filename} can't be read: {error.strerror}") from error
        return tuple((s.st_mtime_ns, s.st_size, s.st_ino) for s in stats)

    def _current(self) -> ssl.SSLContext:
        """The context of the files as they stand now; the last one that worked while they are being exchanged."""
        with self._lock:
            try:
                stamp = self._look()
                if stamp != self._stamp:
                    self._stamp = stamp
                    self._context = self._load()
                    log.info("TLS files read again: %s", self._files.cert_file)
            except ValueError as error:
                log.warning("%s; the certificate read before stays in use", error)
            return self._context

    def _load(self) -> ssl.SSLContext:
        files = self._files
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = _VERSIONS[files.min_version]
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(files.cert_file, files.key_file)
        except (OSError, ValueError) as error:
            raise ValueError(
                f"TLS certificate {files.cert_file} with key {files.key_file} can't be used: {error}; "
                "both must be PEM and belong together"
            ) from error
        if files.client_ca_file:
            try:
                context.load_verify_locations(files.client_ca_file)
            except (OSError, ValueError) as error:
                raise ValueError(
                    f"client_ca_file {files.client_ca_file} can't be used: {error}; it must be PEM"
                ) from error
            context.verify_mode = ssl.CERT_REQUIRED if files.client_required else ssl.CERT_OPTIONAL
        return context
