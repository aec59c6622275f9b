"""cheroot's hook for TLS: the context of the moment, and handshakes outside of the accepting thread."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from typing import Any

from cheroot import errors
from cheroot.makefile import MakeFile
from cheroot.ssl import Adapter

from platform_meter.runtime.access.tls import TlsContext, alternative_names

Contexts = Callable[[], TlsContext]
"""Gives the context for a connection that begins now; a renewed certificate is used from the next one on."""
CLIENT_NAMES = "platform_meter.client_names"
"""WSGI environ key: common name and subject alternative names of the verified client certificate, a tuple of str."""


class TlsAdapter(Adapter):
    def __init__(self, contexts: Contexts) -> None:
        self._contexts = contexts

    def bind(self, sock: socket.socket) -> socket.socket:
        return sock

    def wrap(self, sock: socket.socket) -> tuple[ssl.SSLSocket, dict[str, Any]]:
        """Only the wrapping: the handshake is made by the connection's own thread."""
        try:
            return self._contexts().wrap_socket(sock, server_side=True, do_handshake_on_connect=False), {}
        except OSError as error:
            sock.close()
            raise errors.FatalSSLAlert(*error.args) from error

    @staticmethod
    def admits(sock: ssl.SSLSocket) -> bool:
        """Whether the client of a connection whose handshake is done may come in."""
        return not isinstance(sock.context, TlsContext) or sock.context.admits(sock.getpeercert())

    def get_environ(self, sock: ssl.SSLSocket) -> dict[str, Any]:  # type: ignore[override]  # the stub forgets it
        """What the application may know of a connection whose handshake is done."""
        environ: dict[str, Any] = {"HTTPS": "on", "SSL_PROTOCOL": sock.version(), "SSL_CLIENT_VERIFY": "NONE"}
        peer: Any = sock.getpeercert()  # empty unless it was asked for and given
        if peer and isinstance(sock.context, TlsContext) and sock.context.verifies:
            common = [value for part in peer.get("subject", ()) for key, value in part if key == "commonName"]
            environ |= {
                "SSL_CLIENT_VERIFY": "SUCCESS",
                "SSL_CLIENT_S_DN_CN": next(iter(common), ""),
                CLIENT_NAMES: tuple(dict.fromkeys([*common, *alternative_names(peer)])),
            }
        return environ

    def makefile(self, sock: socket.socket, mode: str = "r", bufsize: int = -1) -> Any:
        return MakeFile(sock, mode, bufsize)
