"""exporter-toolkit's file: its examples as they are, and each text about what is wrong in one."""

from __future__ import annotations

from typing import Any

import pytest

from platform_meter.problems import render
from platform_meter.runtime.access.web_config import WebConfig, read_web_config

HASH = "$2y$10$" + "a" * 22 + "b" * 31
EXAMPLE = f"""\
# Everything that the format has.
tls_server_config:
  cert_file: server.crt
  key_file: server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: /etc/ca.crt
  client_allowed_sans:
    - prometheus.example
  min_version: TLS12
  max_version: TLS13
  cipher_suites:
    - TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
    - TLS_AES_128_GCM_SHA256
  prefer_server_cipher_suites: true
  curve_preferences:
    - CurveP256
    - X25519
http_server_config:
  http2: true
  headers:
    Content-Security-Policy: "default-src 'self'"
    X-Frame-Options: deny
    X-Content-Type-Options: nosniff
    X-XSS-Protection: "1; mode=block"
    Strict-Transport-Security: max-age=31536000
basic_auth_users:
  alice: {HASH}
  bob: {HASH}
rate_limit:
  interval: "1s"
  burst: 20
"""
TLS = "cert_file: a, key_file: b"


def read(text: str) -> WebConfig:
    found = read_web_config(text, "/etc/meter/web.yml")
    assert isinstance(found, WebConfig), [render(p) for p in found]
    return found


def said(text: str) -> list[str]:
    found = read_web_config(text, "web.yml")
    assert isinstance(found, list)
    return [f"{p.line}:{p.column}: {p.text}" for p in found]


def test_all_of_the_format_is_read() -> None:
    """Relative paths start at the file's folder."""
    found = read(EXAMPLE)
    tls = found.tls_server_config
    assert tls.files == ("/etc/meter/server.crt", "/etc/meter/server.key", "/etc/ca.crt")
    assert tls.cipher_suites == ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256")
    assert (tls.client_auth_type, tls.client_allowed_sans) == ("RequireAndVerifyClientCert", ("prometheus.example",))
    assert (tls.min_version, tls.max_version, tls.curve_preferences) == ("TLS12", "TLS13", ("CurveP256", "X25519"))
    assert found.http_server_config.headers["X-XSS-Protection"] == "1; mode=block"
    assert found.basic_auth_users == {"alice": HASH, "bob": HASH}
    assert (found.rate_limit.interval, found.rate_limit.burst) == (1.0, 20)


@pytest.mark.parametrize(
    ("text", "spoken", "lets_in"),
    [
        ("", False, False),
        ("# nothing\n", False, False),
        ("basic_auth_users: {}\n", False, False),
        (f"basic_auth_users: {{alice: {HASH}}}\n", False, True),
        (f"tls_server_config: {{{TLS}}}\n", True, False),
        (f"tls_server_config: {{{TLS}, client_auth_type: RequireAnyClientCert}}\n", True, False),
        (f"tls_server_config: {{{TLS}, client_auth_type: RequireClientCert}}\n", True, False),
        (f"tls_server_config: {{{TLS}, client_auth_type: VerifyClientCertIfGiven, client_ca_file: c}}\n", True, False),
        (
            f"tls_server_config: {{{TLS}, client_auth_type: RequireAndVerifyClientCert, client_ca_file: c}}\n",
            True,
            True,
        ),
        (f"tls_server_config: {{{TLS}, client_auth_type: '', client_ca_file: ''}}\n", True, False),
        ('tls_server_config: {cert: "PEM", key: "PEM"}\n', True, False),
        ("http_server_config: {http2: false}\n", False, False),
    ],
)
def test_whether_it_speaks_tls_and_lets_in_some_alone(text: str, spoken: bool, lets_in: bool) -> None:
    """Users do, and certificates of our own authority; one that anybody can make does not."""
    found = read(text)
    assert (found.tls_server_config.spoken, found.lets_in) == (spoken, lets_in)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("1s", 1.0), ("100ms", 0.1), ("1m30s", 90.0), ("1.5h", 5400.0), ("0", 0.0), ("250us", 0.00025)],
)
def test_an_interval_is_written_as_in_go(written: str, seconds: float) -> None:
    """Units down to nanoseconds, and sums."""
    assert read(f"rate_limit: {{interval: {written}, burst: 1}}\n").rate_limit.interval == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tls_server_config: {cert_file: a}", "1:1: TLS without key; write key_file: PATH"),
        ("tls_server_config: {key_file: a}", "1:1: TLS without cert; write cert_file: PATH"),
        (
            "tls_server_config: {cert_file: a, cert: b, key_file: c}",
            "1:35: both cert and cert_file; write one of them",
        ),
        (
            f"tls_server_config: {{{TLS}, client_ca_file: c}}",
            (
                "1:1: client_ca_file without client_auth_type asks nobody for a certificate; "
                "write client_auth_type: RequireAndVerifyClientCert"
            ),
        ),
        (
            f"tls_server_config: {{{TLS}, client_auth_type: RequireAndVerifyClientCert}}",
            (
                "1:66: RequireAndVerifyClientCert needs the authority that signs clients' certificates; "
                "write client_ca_file: PATH"
            ),
        ),
        (
            f"tls_server_config: {{{TLS}, client_allowed_sans: [x]}}",
            (
                "1:48: client_allowed_sans needs a certificate from everybody; "
                "write client_auth_type: RequireAndVerifyClientCert"
            ),
        ),
        (
            f"tls_server_config: {{{TLS}, min_version: TLS13, max_version: TLS12}}",
            "1:61: min_version TLS13 is above max_version TLS12; write max_version: TLS13",
        ),
        (
            f"tls_server_config: {{{TLS}, max_version: TLS12, cipher_suites: [TLS_AES_128_GCM_SHA256]}}",
            "1:68: only suites of TLS 1.3, and max_version is TLS12; write max_version: TLS13",
        ),
        (
            f"tls_server_config: {{{TLS}, min_version: TLS10}}",
            "1:61: TLS10 is broken and not spoken here; write TLS12 or TLS13",
        ),
        (
            f"tls_server_config: {{{TLS}, cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA25]}}",
            (
                "1:64: 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA25' is no cipher suite that is spoken here; "
                "did you mean 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'?"
            ),
        ),
        (
            f"tls_server_config: {{{TLS}, curve_preferences: [P256]}}",
            "1:68: 'P256' is no curve; write one of: CurveP256, CurveP384, CurveP521, X25519",
        ),
        (
            "http_server_config: {headers: {Server: x}}",
            (
                "1:32: 'Server' cannot be set here; write one of: Content-Security-Policy, Strict-Transport-Security, "
                "X-Content-Type-Options, X-Frame-Options, X-XSS-Protection"
            ),
        ),
        (
            "http_server_config: {headers: {X-Frame-Options: never}}",
            "1:49: X-Frame-Options is deny or sameorigin, not 'never'",
        ),
        (
            'http_server_config: {headers: {X-XSS-Protection: "a\\nB: c"}}',
            "1:50: X-XSS-Protection holds a line break or a character outside ASCII; write it on one line",
        ),
        ("rate_limit: {interval: 1s}", "1:1: rate_limit without burst lets nobody in; write burst: 20"),
        (
            "rate_limit: {interval: soon, burst: 1}",
            "1:24: 'soon' is no duration; write a number and a unit, such as 100ms or 1s",
        ),
        ("rate_limit: {}\n---\nb: 2\n", "3:1: a second document; this file holds one: remove the line with ---"),
    ],
)
def test_each_mistake_has_its_text(text: str, says: str) -> None:
    """Where it is, what was found, what to write instead."""
    assert said(text) == [says]


@pytest.mark.parametrize(
    ("users", "says"),
    [
        (
            "alice:hunter2",
            "users are names with hashes; write NAME: HASH, one a line, with what `htpasswd -nBC 10 NAME` says",
        ),
        ("{alice: hunter2}", "what stands for 'alice' is no bcrypt hash; write what `htpasswd -nBC 10 NAME` says"),
        (
            "{alice: {pw: hunter2}}",
            "what stands for 'alice' is no bcrypt hash; write what `htpasswd -nBC 10 NAME` says",
        ),
        (
            f"{{'a:hunter2': {HASH}}}",
            "no client can send the name 'a:hunter2': basic auth ends a name with ':'; name the user otherwise",
        ),
    ],
)
def test_a_password_in_place_of_its_hash(users: str, says: str) -> None:
    """Is told, and never shown: the line is not quoted."""
    found = read_web_config(f"basic_auth_users: {users}\n", "web.yml")
    assert isinstance(found, list)
    assert [render(p) for p in found] == [f"web.yml:1:19: {says}"]


@pytest.mark.parametrize(
    "text", ["basic_auth_users: {alice: [hunter2\n", "tls_server_config: {key: 'hunter2\n", "a: &x hunter2\nb: *y\n"]
)
def test_what_is_no_yaml_is_not_quoted(text: str) -> None:
    """A hash or a key may stand on the line."""
    found = read_web_config(text, "web.yml")
    assert isinstance(found, list)
    assert found
    assert "hunter2" not in "".join(render(p) for p in found)


def test_several_mistakes_come_at_once() -> None:
    """In the order of the file."""
    more: Any = said(
        "tls_server_config: {min_version: TLS11, client_auth_type: Maybe}\nbasic_auth_users: {a: b}\nrate: 1\n"
    )
    assert [line.partition(" ")[0] for line in more] == ["1:34:", "1:59:", "2:19:", "3:1:"]
