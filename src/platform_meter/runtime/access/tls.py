"""From `tls_server_config` to what OpenSSL is told, and whose certificates are let in."""

from __future__ import annotations

import ssl
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from platform_meter.runtime.access.addresses import plain_address
from platform_meter.runtime.access.openssl import prefer_curves, take_any_certificate
from platform_meter.runtime.access.web_config import CIPHERS, CURVES, REQUIRING, VERIFYING, TlsServerConfig

_VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}


class TlsContext(ssl.SSLContext):
    """A server's context that knows which clients it is for.

    What is true of a connection is what was asked when it began, however the files have changed since.
    """

    allowed: frozenset[str] | None = None
    """Subject alternative names of which a client's certificate needs one; None lets all in."""
    verifies: bool = False
    """Whether certificates are held against our authority."""

    def admits(self, peer: dict[str, Any] | None) -> bool:
        """Whether a client with this certificate, as `getpeercert` tells it, may come in."""
        return self.allowed is None or not self.allowed.isdisjoint(alternative_names(peer or {}))


def alternative_names(peer: dict[str, Any]) -> list[str]:
    """Subject alternative names of a certificate as `getpeercert` tells it; addresses in their shortest form."""
    names = []
    for kind, value in peer.get("subjectAltName", ()):
        address = plain_address(value) if kind == "IP Address" else None
        names.append(value if address is None else str(address))
    return names


def make_context(tls: TlsServerConfig) -> TlsContext:
    """A context for connections from now on.

    Raises:
        ValueError: the files can't be used, or not so; the text says which and how.
    """
    context = TlsContext(ssl.PROTOCOL_TLS_SERVER)
    suites = [CIPHERS[name] for name in tls.cipher_suites if name in CIPHERS]
    context.minimum_version = _VERSIONS["TLS13" if tls.cipher_suites and not suites else tls.min_version]
    context.maximum_version = _VERSIONS[tls.max_version]
    context.set_alpn_protocols(["http/1.1"])
    if suites:
        context.set_ciphers(":".join(suites))
    if not tls.prefer_server_cipher_suites:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    if tls.curve_preferences:
        prefer_curves(context, [CURVES[name] for name in tls.curve_preferences])
    _load_certificate(context, tls)
    if tls.client_auth_type != "NoClientCert":
        context.verify_mode = ssl.CERT_REQUIRED if tls.client_auth_type in REQUIRING else ssl.CERT_OPTIONAL
        context.verifies = tls.client_auth_type in VERIFYING
        _load_authority(context, tls)
        if not context.verifies:
            take_any_certificate(context)
    context.allowed = None if tls.client_allowed_sans is None else frozenset(tls.client_allowed_sans)
    return context


def _load_certificate(context: ssl.SSLContext, tls: TlsServerConfig) -> None:
    with ExitStack() as open_:
        # `ssl` reads both from files alone: what stands in the configuration is in one of ours for as long as that takes.
        cert, key = (
            file or _written(open_, text) for file, text in ((tls.cert_file, tls.cert), (tls.key_file, tls.key))
        )
        try:
            context.load_cert_chain(cert, key, password=_no_passphrase)
        except (OSError, ValueError) as error:
            said = f"certificate {tls.cert_file or 'cert'} with key {tls.key_file or 'key'}"
            raise ValueError(f"{said} can't be used: {_reason(error)}; both must be PEM and belong together") from error


def _load_authority(context: ssl.SSLContext, tls: TlsServerConfig) -> None:
    if not tls.client_ca and not tls.client_ca_file:
        return
    try:
        if tls.client_ca_file:
            context.load_verify_locations(cafile=tls.client_ca_file)
        else:
            context.load_verify_locations(cadata=tls.client_ca)
    except (OSError, ValueError) as error:
        said = f"client_ca_file {tls.client_ca_file}" if tls.client_ca_file else "client_ca"
        raise ValueError(f"{said} can't be used: {_reason(error)}; it must be PEM") from error


def _written(open_: ExitStack, text: str) -> str:
    """A file of our own, which nobody else may read, with this text."""
    folder = Path(open_.enter_context(tempfile.TemporaryDirectory(prefix="platform-meter-")))
    file = folder / "pem"
    file.touch(mode=0o600)
    file.write_text(text, encoding="utf-8")
    return str(file)


def _no_passphrase() -> str:
    # Without this OpenSSL would ask for one at the terminal.
    raise ValueError("the key has a passphrase, which nobody is there to say")


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return error.reason or str(error)
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
