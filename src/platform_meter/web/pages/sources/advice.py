"""What to do about a source that fails, by the kind of its failure."""

from __future__ import annotations

from collections.abc import Mapping

_TRY = "platform-meter sources test {name} tries it."
WAYS: Mapping[str, str] = {
    "Refused": "Give it a credential that is accepted, where its settings point to: it is read anew at each use. "
    + _TRY,
    "Forbidden": "Give the credential the permission that lacks; the documentation of sources lists the least of {type}. "
    + _TRY,
    "Limited": "It goes on by itself. If that is often, raise every, or give it a credential that nobody else uses.",
    "Unreachable": "Look whether the system answers from this machine; it is tried again by itself. " + _TRY,
    "TimedOut": "The system, or something between, is too slow: raise timeout, or let it answer less. It is tried again by itself.",
    "Severed": "It fails on our side: look at the name, the certificate (ca_file), the proxy and the route.",
    "Moved": "A file changed while it was read; it is read again by itself.",
    "Unexpected": "It answers, and not as its API should: look at url and at its version. " + _TRY,
    "Expired": "What it was to go on from is gone; all is read again by itself.",
    "StoreError": "The store can't be used: look at its disk or its server; it is tried again by itself.",
    "": "It is tried again by itself. " + _TRY,
}
"""By the name of the exception; empty for failures that an earlier release wrote down."""
FAULT = (
    "A fault of platform-meter or of the package that the source comes from: the log has its trace; please report it."
)


def advice(kind: str, *, name: str, type_: str) -> str:
    """What a person can do, in words."""
    return WAYS.get(kind, FAULT).format(name=name, type=type_)
