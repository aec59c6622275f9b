"""Who leads: what to do with a Lease given what it says, and since when it has said so by our own clock.

As Kubernetes' own components do it: times in the Lease are another machine's, so only that it changes is trusted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any

from platform_meter.operator.kinds import LEASE


class Step(Enum):
    """What to do with the Lease."""

    CREATE = auto()
    RENEW = auto()
    TAKE = auto()
    WAIT = auto()


@dataclass(frozen=True, slots=True)
class Watched:
    """What the Lease last said, and when we first saw it say that, in seconds of our own clock."""

    said: tuple[str, str]
    at: float


def watched(lease: Mapping[str, Any] | None, before: Watched | None, now: float) -> Watched:
    """The Lease as it is now: the old moment where it says what it said."""
    spec = (lease or {}).get("spec") or {}
    said = str(spec.get("holderIdentity") or ""), str(spec.get("renewTime") or "")
    return before if before is not None and before.said == said else Watched(said, now)


def step(lease: Mapping[str, Any] | None, seen: Watched, me: str, now: float) -> Step:
    """What `me` is to do at `now`."""
    if lease is None:
        return Step.CREATE
    holder = seen.said[0]
    if holder == me:
        return Step.RENEW
    length = float((lease.get("spec") or {}).get("leaseDurationSeconds") or 0)
    return Step.TAKE if not holder or now - seen.at > length else Step.WAIT


def held(lease: Mapping[str, Any] | None, name: str, me: str, now: datetime, seconds: int) -> dict[str, Any]:
    """The Lease as it is written: held by `me` from now on, or by nobody where that is empty.

    It keeps its resourceVersion, so that of two who write at once one is refused.
    """
    before = (lease or {}).get("spec") or {}
    at = f"{now:%Y-%m-%dT%H:%M:%S.%fZ}"
    same = before.get("holderIdentity") == me
    spec = {
        "holderIdentity": me,
        "leaseDurationSeconds": seconds,
        "renewTime": at,
        "acquireTime": before.get("acquireTime", at) if same or not me else at,
        "leaseTransitions": int(before.get("leaseTransitions") or 0) + (0 if same or lease is None or not me else 1),
    }
    meta = {"name": name} if lease is None else lease["metadata"]
    return {"apiVersion": LEASE.api_version, "kind": LEASE.name, "metadata": meta, "spec": spec}
