"""The web configuration file, in the format of Prometheus's exporter-toolkit: typed, or every problem in it.

Format: docs/web-configuration.md of prometheus/exporter-toolkit. HTTP/2 is not spoken, so `http2` changes nothing.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from platform_meter.model.scalars import HiddenError, LocalPath
from platform_meter.problems import Document, Problem, decode, suggest

Version = Literal["TLS12", "TLS13"]
ClientAuth = Literal[
    "NoClientCert",
    "RequestClientCert",
    "RequireAnyClientCert",
    "VerifyClientCertIfGiven",
    "RequireAndVerifyClientCert",
]
VERIFYING = frozenset({"VerifyClientCertIfGiven", "RequireAndVerifyClientCert"})
REQUIRING = frozenset({"RequireAnyClientCert", "RequireAndVerifyClientCert"})
CURVES = {"X25519": "X25519", "CurveP256": "P-256", "CurveP384": "P-384", "CurveP521": "P-521"}
"""Go's names of curves, and OpenSSL's."""
CIPHERS = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": "ECDHE-ECDSA-AES128-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": "ECDHE-ECDSA-AES256-SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "ECDHE-RSA-AES128-SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": "ECDHE-RSA-AES256-SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256": "AES128-GCM-SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384": "AES256-GCM-SHA384",
    "TLS_RSA_WITH_AES_128_CBC_SHA": "AES128-SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA": "AES256-SHA",
}
"""Go's names of cipher suites up to TLS 1.2, and OpenSSL's. Those without forward secrecy are what older files have."""
TLS13_CIPHERS = frozenset({"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"})
"""TLS 1.3 has its own, and neither Go nor we choose among them."""
HEADERS: Mapping[str, tuple[str, ...]] = {
    "Content-Security-Policy": (),
    "Strict-Transport-Security": (),
    "X-Content-Type-Options": ("nosniff",),
    "X-Frame-Options": ("deny", "sameorigin"),
    "X-XSS-Protection": (),
}
"""Headers that may be configured, with all values that they may have where these are few."""
_HASH = re.compile(r"\$2[aby]\$(0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{53}")
_NANOSECONDS = {"ns": 1, "us": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "h": 3600e9}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)")


def parse_users(value: Any) -> Any:
    """Users with the bcrypt hashes of their passwords. What stands here may be passwords, so it is never shown.

    Raises:
        HiddenError: anything else.
    """
    if not isinstance(value, dict):
        raise HiddenError(
            "users are names with hashes; write NAME: HASH, one a line, with what `htpasswd -nBC 10 NAME` says"
        )
    wrong = sorted(n for n, h in value.items() if not isinstance(h, str) or not _HASH.fullmatch(h))
    if wrong:
        names = ", ".join(f"'{name}'" for name in wrong)
        raise HiddenError(f"what stands for {names} is no bcrypt hash; write what `htpasswd -nBC 10 NAME` says")
    if odd := sorted(name for name in value if not name or ":" in name):
        raise HiddenError(
            f"no client can send the name '{odd[0]}': basic auth ends a name with ':'; name the user otherwise"
        )
    return value


def parse_go_duration(value: Any) -> Any:
    """Seconds, of a duration as Go writes it: `1s`, `100ms`, `1m30s`, 0.

    Raises:
        ValueError: anything else.
    """
    text = str(value).strip()
    if text == "0":
        return 0.0
    parts = _DURATION.findall(text)
    if not parts or "".join(n + u for n, u in parts) != text:
        raise ValueError(f"'{text}' is no duration; write a number and a unit, such as 100ms or 1s")
    return sum(float(n) * _NANOSECONDS[u] for n, u in parts) / 1e9


def parse_cipher(value: str) -> str:
    """Go's name of a cipher suite.

    Raises:
        ValueError: Go has none such, or counts it among those that are broken.
    """
    if value not in CIPHERS and value not in TLS13_CIPHERS:
        raise ValueError(
            f"'{value}' is no cipher suite that is spoken here{suggest(value, [*CIPHERS, *TLS13_CIPHERS])}"
        )
    return value


def parse_curve(value: str) -> str:
    """Go's name of a curve.

    Raises:
        ValueError: it has none such.
    """
    if value not in CURVES:
        raise ValueError(f"'{value}' is no curve{suggest(value, CURVES)}")
    return value


def parse_version(value: Any) -> Any:
    """A version of TLS.

    Raises:
        ValueError: it is one that nobody speaks any more (RFC 8996).
    """
    if value in ("TLS10", "TLS11"):
        raise ValueError(f"{value} is broken and not spoken here; write TLS12 or TLS13")
    return value


def parse_client_auth(value: Any) -> Any:
    """Also the older name of RequireAnyClientCert, and nothing at all."""
    return (
        {"RequireClientCert": "RequireAnyClientCert", "": "NoClientCert"}.get(value, value)
        if isinstance(value, str)
        else value
    )


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TlsServerConfig(_Part):
    """`tls_server_config`."""

    cert: str = ""
    key: Annotated[str, Field(repr=False)] = ""
    client_ca: str = ""
    cert_file: LocalPath = ""
    key_file: LocalPath = ""
    client_ca_file: LocalPath = ""
    client_auth_type: Annotated[ClientAuth, BeforeValidator(parse_client_auth)] = "NoClientCert"
    client_allowed_sans: tuple[str, ...] | None = None
    min_version: Annotated[Version, BeforeValidator(parse_version)] = "TLS12"
    max_version: Annotated[Version, BeforeValidator(parse_version)] = "TLS13"
    cipher_suites: tuple[Annotated[str, AfterValidator(parse_cipher)], ...] = ()
    prefer_server_cipher_suites: bool = True
    curve_preferences: tuple[Annotated[str, AfterValidator(parse_curve)], ...] = ()

    @property
    def spoken(self) -> bool:
        """Whether the section says anything that asks for TLS."""
        said = (self.cert, self.key, self.client_ca, self.cert_file, self.key_file, self.client_ca_file)
        return any(said) or self.client_auth_type != "NoClientCert"

    @property
    def files(self) -> tuple[str, ...]:
        """Those that the section names."""
        return tuple(path for path in (self.cert_file, self.key_file, self.client_ca_file) if path)


class HttpServerConfig(_Part):
    """`http_server_config`."""

    http2: bool = True
    headers: dict[str, str] = Field(default_factory=dict)


class RateLimit(_Part):
    """`rate_limit`."""

    interval: Annotated[float, BeforeValidator(parse_go_duration)] = 0.0
    """Seconds for one request; 0 is no bound."""
    burst: int = Field(default=0, ge=0)


class WebConfig(_Part):
    """The whole file. An empty one asks for nothing."""

    tls_server_config: TlsServerConfig = TlsServerConfig()
    http_server_config: HttpServerConfig = HttpServerConfig()
    basic_auth_users: Annotated[dict[str, str], BeforeValidator(parse_users), Field(repr=False)] = Field(
        default_factory=dict
    )
    rate_limit: RateLimit = RateLimit()

    @property
    def lets_in(self) -> bool:
        """Whether it says who may come in: users, or clients with certificates of our own authority."""
        return bool(self.basic_auth_users) or self.tls_server_config.client_auth_type == "RequireAndVerifyClientCert"


def read_web_config(text: str, path: str) -> WebConfig | list[Problem]:
    """The file as it is meant, or every problem in its text. Touches no file that it names.

    Args:
        text: the file's content.
        path: of the file; relative paths in it start at its folder.
    """
    decoded = decode(text, path, lambda _: None)
    problems = list(decoded.problems)
    read: WebConfig | list[Problem] = WebConfig()
    if decoded.others:
        document, *more = decoded.others
        problems += [d.problem("a second document; this file holds one: remove the line with ---") for d in more]
        read = document.read(WebConfig, context={"base": posixpath.dirname(path)})
        if isinstance(read, WebConfig):
            problems += _contradictions(read, document)
    if isinstance(read, list):
        problems += read
    if problems or isinstance(read, list):
        # Hashes and keys stand in this file, on lines that no message may quote.
        return [replace(problem, source_line="") for problem in sorted(problems)]
    return read


def _contradictions(web: WebConfig, document: Document) -> Iterator[Problem]:
    """What no single key shows."""
    tls, section = web.tls_server_config, "tls_server_config"
    for inline, file in (("cert", tls.cert_file), ("key", tls.key_file), ("client_ca", tls.client_ca_file)):
        if getattr(tls, inline) and file:
            text = f"both {inline} and {inline}_file; write one of them"
            yield document.problem(text, section, inline, key=True)
        elif inline != "client_ca" and tls.spoken and not getattr(tls, inline) and not file:
            yield document.problem(f"TLS without {inline}; write {inline}_file: PATH", section, key=True)
    authority = bool(tls.client_ca or tls.client_ca_file)
    if authority and tls.client_auth_type == "NoClientCert":
        text = "client_ca_file without client_auth_type asks nobody for a certificate; write client_auth_type: RequireAndVerifyClientCert"
        yield document.problem(text, section, key=True)
    if not authority and tls.client_auth_type in VERIFYING:
        text = (
            f"{tls.client_auth_type} needs the authority that signs clients' certificates; write client_ca_file: PATH"
        )
        yield document.problem(text, section, "client_auth_type")
    if tls.client_allowed_sans is not None and tls.client_auth_type not in REQUIRING:
        text = (
            "client_allowed_sans needs a certificate from everybody; write client_auth_type: RequireAndVerifyClientCert"
        )
        yield document.problem(text, section, "client_allowed_sans", key=True)
    if tls.min_version > tls.max_version:
        text = f"min_version {tls.min_version} is above max_version {tls.max_version}; write max_version: TLS13"
        yield document.problem(text, section, "min_version")
    if tls.max_version == "TLS12" and tls.cipher_suites and not set(tls.cipher_suites) & CIPHERS.keys():
        text = "only suites of TLS 1.3, and max_version is TLS12; write max_version: TLS13"
        yield document.problem(text, section, "cipher_suites", key=True)
    for name, value in web.http_server_config.headers.items():
        at = ("http_server_config", "headers", name)
        if name not in HEADERS:
            text = f"'{name}' cannot be set here{suggest(name, HEADERS)}"
            yield document.problem(text, *at, key=True)
        elif value and HEADERS[name] and value not in HEADERS[name]:
            yield document.problem(f"{name} is {' or '.join(HEADERS[name])}, not '{value}'", *at)
        elif not value.isprintable() or not value.isascii():
            yield document.problem(f"{name} holds a line break or a character outside ASCII; write it on one line", *at)
    if web.rate_limit.interval and not web.rate_limit.burst:
        yield document.problem("rate_limit without burst lets nobody in; write burst: 20", "rate_limit", key=True)
