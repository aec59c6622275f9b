"""What OpenSSL can and Python's `ssl` has no words for: asking for certificates of any authority, and several curves.

Both settings are made on the very context that `ssl` made, by the library that it has loaded.
"""

from __future__ import annotations

import _ssl
import ctypes
import ssl
import sys
from collections.abc import Sequence
from functools import cache

_SET_GROUPS_LIST = 92
"""SSL_CTRL_SET_GROUPS_LIST of openssl/ssl.h."""
_VERIFY = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)


def _take(_store: int | None, _arg: int | None) -> int:
    """That a client has the key of its certificate OpenSSL sees to; who signed it nobody asks."""
    return 1


_TAKE = _VERIFY(_take)
"""Kept for as long as any context may call it."""


@cache
def _library() -> ctypes.CDLL:
    """OpenSSL as `ssl` has it.

    Raises:
        ValueError: this Python keeps it to itself.
    """
    try:
        if sys.implementation.name != "cpython":
            raise OSError("not CPython")  # noqa: TRY301 - what such a Python has at that place is not known
        library = ctypes.CDLL(_ssl.__file__)
        library.SSL_CTX_set_cert_verify_callback.argtypes = [ctypes.c_void_p, _VERIFY, ctypes.c_void_p]
        library.SSL_CTX_set_cert_verify_callback.restype = None
        library.SSL_CTX_ctrl.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_long, ctypes.c_char_p]
        library.SSL_CTX_ctrl.restype = ctypes.c_long
    except (OSError, AttributeError) as error:
        text = "this Python does not let its OpenSSL be told that; use RequireAndVerifyClientCert, and no curve_preferences"
        raise ValueError(text) from error
    return library


def _pointer(context: ssl.SSLContext) -> int | None:
    """CPython's SSLContext is an object whose first own field is the SSL_CTX."""
    return ctypes.c_void_p.from_address(id(context) + object.__basicsize__).value


def take_any_certificate(context: ssl.SSLContext) -> None:
    """Certificates that clients show are taken, whoever signed them, as far as `verify_mode` asks for any.

    Raises:
        ValueError: this Python does not let us say so.
    """
    _library().SSL_CTX_set_cert_verify_callback(_pointer(context), _TAKE, None)


def prefer_curves(context: ssl.SSLContext, names: Sequence[str]) -> None:
    """The curves of the key exchange by OpenSSL's names, the best first.

    Raises:
        ValueError: OpenSSL has no such curve, or this Python does not let us say so.
    """
    if _library().SSL_CTX_ctrl(_pointer(context), _SET_GROUPS_LIST, 0, ":".join(names).encode()) != 1:
        raise ValueError(f"OpenSSL does not take the curves {', '.join(names)}")
