"""Signatures of what is pushed: whether who sent it knows the secret. Pure functions; every comparison takes constant time.

Sources of the formulas: GitHub docs "Validating webhook deliveries"; GitLab docs "Webhooks"; PagerDuty docs "Verifying
Signatures" (V3 webhooks); Standard Webhooks specification 1.0, "Signature scheme".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from platform_meter.model.push import Scheme

TOLERANCE = timedelta(minutes=5)
"""How old, or how far ahead, what is signed with its time may be. What is sent again within it is let in again: its facts
have the same keys, and count once."""
_LONGEST = 4096
"""Characters of a signature; more is none."""
_PREFIX = "whsec_"
_SECONDS = re.compile(r"[0-9]{1,12}")

Headers = Mapping[str, str]
"""By name in small letters."""


def is_signed(scheme: Scheme, headers: Headers) -> bool:
    """Whether there is anything that is to show that who sent it knows the secret."""
    return any(name in headers for name in _SHOWN[scheme])


def fits(scheme: Scheme, secret: str, headers: Headers, body: bytes, now: datetime) -> bool:
    """Whether this was sent by somebody who knows the secret. False for whatever is wrong, also with the secret."""
    if not secret or any(len(headers.get(name, "")) > _LONGEST for name in _SHOWN[scheme]):
        return False
    return _CHECKS[scheme](secret, headers, body, now)


def _github(secret: str, headers: Headers, body: bytes, _now: datetime) -> bool:
    # `X-Hub-Signature` is SHA-1, which is not taken.
    return _any(f"sha256={_hex(secret, body)}", [headers.get("x-hub-signature-256", "")])


def _gitlab(secret: str, headers: Headers, body: bytes, now: datetime) -> bool:
    if "webhook-signature" in headers:
        return _standard(secret, headers, body, now)
    return _any(secret, [headers.get("x-gitlab-token", "")])


def _pagerduty(secret: str, headers: Headers, body: bytes, _now: datetime) -> bool:
    shown = [one.strip() for one in headers.get("x-pagerduty-signature", "").split(",")]
    return _any(f"v1={_hex(secret, body)}", shown)


def _standard(secret: str, headers: Headers, body: bytes, now: datetime) -> bool:
    key = _key(secret)
    id_, seconds = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if key is None or not id_ or not _SECONDS.fullmatch(seconds):
        return False
    if abs(now.timestamp() - int(seconds)) > TOLERANCE.total_seconds():
        return False
    signed = f"{id_}.{seconds}.".encode("utf-8", "surrogateescape") + body
    right = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return _any(f"v1,{right}", headers.get("webhook-signature", "").split(" "))


def _key(secret: str) -> bytes | None:
    """What a secret of Standard Webhooks stands for; None where it is none."""
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True) or None
    except binascii.Error:
        return None


def _hex(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _any(right: str, shown: Iterable[str]) -> bool:
    """Whether the right one is among these; all are compared, so that the time tells neither which nor how much fits."""
    fitting = [hmac.compare_digest(_digest(right), _digest(one)) for one in shown]
    return any(fitting)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


_CHECKS: Mapping[Scheme, Callable[[str, Headers, bytes, datetime], bool]] = {
    Scheme.GITHUB: _github,
    Scheme.GITLAB: _gitlab,
    Scheme.PAGERDUTY: _pagerduty,
    Scheme.STANDARD: _standard,
}
_SHOWN: Mapping[Scheme, tuple[str, ...]] = {
    Scheme.GITHUB: ("x-hub-signature-256", "x-hub-signature"),
    Scheme.GITLAB: ("x-gitlab-token", "webhook-signature"),
    Scheme.PAGERDUTY: ("x-pagerduty-signature",),
    Scheme.STANDARD: ("webhook-signature",),
}
