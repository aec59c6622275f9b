"""What the head of a request must look like. cheroot takes much that two readers could understand in two ways.

Refused here, as RFC 9112 asks for: a header name that is no token, a folded line, control characters in a value, a second
Host, Content-Length or Transfer-Encoding, a host that is none, a length that is not written in digits. Of a header that
comes several times all values are told, and one with an underscore in its name is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import BinaryIO

from cheroot import errors
from cheroot.server import HeaderReader, HTTPRequest

_NAME = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~%!$&'()*+,;=-]*)(:[0-9]*)?")
_LENGTH = re.compile(rb"[0-9]{1,18}")
_ONCE = frozenset({b"Host", b"Content-Length", b"Transfer-Encoding"})


class Heads(HeaderReader):
    """Reads the headers of one request.

    Raises:
        ValueError: they are not what HTTP says; the text is for the client.
    """

    def __call__(self, rfile: BinaryIO, hdict: dict[bytes, bytes] | None = None) -> dict[bytes, bytes]:
        seen: dict[bytes, list[bytes]] = {}

        def checked() -> bytes:
            line = rfile.readline()
            if line.endswith(b"\r\n") and line != b"\r\n":
                name, colon, value = line[:-2].partition(b":")
                if not colon or not _NAME.fullmatch(name):
                    raise ValueError("Malformed header name.")
                if not _VALUE.fullmatch(value):
                    raise ValueError("Malformed header value.")
                name = name.title()
                if name in seen and name in _ONCE:
                    raise ValueError(f"More than one {name.decode()} header.")
                seen.setdefault(name, []).append(value.strip())
            return line

        found = dict(super().__call__(_Lines(checked), hdict))
        return found | {name: b", ".join(values) for name, values in seen.items() if name in found and len(values) > 1}

    def _allow_header(self, key_name: bytes) -> bool:
        """WSGI writes `X_User` and `X-User` alike: one that a proxy lets pass would stand for the other that it sets."""
        return b"_" not in key_name


class _Lines:
    def __init__(self, readline: object) -> None:
        self.readline = readline


def malformed(headers: Mapping[bytes, bytes], *, host: bool) -> str:
    """What is wrong with headers that are well written each; empty where nothing is.

    Args:
        headers: by name.
        host: whether there must be one, as from HTTP/1.1 on.
    """
    if host and b"Host" not in headers:
        return "The Host header is missing."
    if not _HOST.fullmatch(headers.get(b"Host", b"")):
        return "Malformed Host header."
    if b"Content-Length" in headers and b"Transfer-Encoding" in headers:
        return "Content-Length and Transfer-Encoding exclude each other."
    if not _LENGTH.fullmatch(headers.get(b"Content-Length", b"0")):
        return "Malformed Content-Length header."
    return ""


class StrictRequest(HTTPRequest):
    """A request whose head is read like that, and that has a body only as long as it says beforehand."""

    header_reader = Heads()

    def read_request_line(self) -> bool:
        try:
            return bool(super().read_request_line())  # type: ignore[no-untyped-call]
        except ValueError:  # of the URL's parser
            return self._refuse("400 Bad Request", "Malformed Request-URI.")

    def read_request_headers(self) -> bool:
        try:
            if not super().read_request_headers():  # type: ignore[no-untyped-call]
                return False
        except errors.MaxSizeExceeded:
            return self._refuse("431 Request Header Fields Too Large", "The headers exceed the bound.")
        if wrong := malformed(self.inheaders, host=self.request_protocol == b"HTTP/1.1"):
            return self._refuse("400 Bad Request", wrong)
        if b"Transfer-Encoding" in self.inheaders:
            return self._refuse("501 Not Implemented", "No transfer coding is understood; send Content-Length.")
        return True

    def _refuse(self, status: str, text: str) -> bool:
        """Nothing more is read of who sends this: what follows may be anything."""
        self.close_connection = True
        self.simple_response(status, f"{text}\n")
        return False
