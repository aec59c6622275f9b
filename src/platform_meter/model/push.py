"""What other systems push to us, in place of being asked: how it is known to be theirs, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from pydantic import BaseModel

from platform_meter.model.access import Secret
from platform_meter.model.facts import Event

C = TypeVar("C", bound=BaseModel)


class Scheme(StrEnum):
    """How what is pushed shows that who sent it knows the secret."""

    GITHUB = "github"
    """`X-Hub-Signature-256`: HMAC-SHA256 of the body."""
    GITLAB = "gitlab"
    """`X-Gitlab-Token`: the secret itself; or, where it is there, as `STANDARD`."""
    PAGERDUTY = "pagerduty"
    """`X-PagerDuty-Signature`: HMAC-SHA256 of the body, one for each secret that is valid now."""
    STANDARD = "standard"
    """Standard Webhooks: `webhook-signature`, HMAC-SHA256 of id, time and body; what is older than minutes is a replay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """One request that was let in."""

    headers: Mapping[str, str]
    """By name in small letters."""
    body: bytes
    at: datetime
    """When it came."""
    hashed: Callable[[str], str]
    """As `Outside.hashed`."""


class Unreadable(ValueError):
    """Something pushed that nobody can read; the text is for who sent it: where, what was found, what to send instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver(Generic[C]):
    """How a source is pushed to. It gives the facts that polling gives, under the same keys."""

    read: Callable[[C, Pushed], Sequence[Event]]
    """What was pushed says; nothing where it is of no concern. Raises `Unreadable`."""
    scheme: Scheme | None = None
    """None: only who has the role `reporter` may push."""
    secret: Callable[[C], Secret | None] = lambda _: None
    """What it is signed with; without one nothing that is signed is let in."""
