"""What Datadog says of its own SLOs, to be shown beside ours (GET /api/v1/slo/ID/history)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from platform_meter.model.facts import Ref
from platform_meter.model.facts.budgets import ToldBudget
from platform_meter.model.source import Outside, Page, Unexpected
from platform_meter.sources.datadog.config import SYSTEM, SloBeside
from platform_meter.sources.datadog.rows import SloReply

_CUSTOM = "custom"
"""What Datadog calls the budget of the target that it was asked with."""
_PERCENT = 100
_DIGITS = 12
"""Decimals kept: 99.9 percent is 0.9990000000000001."""


def stream_name(one: SloBeside) -> str:
    """One stream for each, so that one that is gone stops no other."""
    return f"slo/{one.slo}"


def read(one: SloBeside, outside: Outside, checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
    """How the SLO stands over its window until now; nothing where Datadog counted nothing."""
    del checkpoint, since
    told = ask(one, outside, now)
    facts = () if told.sli is None and told.remaining is None else (told,)
    yield Page(facts=facts, complete=frozenset({ToldBudget}))


def ask(one: SloBeside, outside: Outside, now: datetime) -> ToldBudget:
    """What Datadog says of it now.

    Raises:
        Unexpected: there is no such SLO, or Datadog could not reckon it.
    """
    path = f"/api/v1/slo/{one.id}/history"
    params = {
        "from_ts": int((now - one.window).timestamp()),
        "to_ts": int(now.timestamp()),
        "target": round(one.target * _PERCENT, _DIGITS),
    }
    reply = outside.get(path, SloReply, params=params).body or SloReply()
    overall = None if reply.data is None else reply.data.overall
    if overall is None or reply.errors:
        raise Unexpected(f"{path}: Datadog does not reckon the SLO: {_said(reply.errors)}")
    return ToldBudget(
        about=Ref(system=SYSTEM, kind="slo", id=one.id),
        slo=one.slo,
        window=one.window,
        sli=_share(overall.sli_value),
        remaining=_share(overall.error_budget_remaining.get(_CUSTOM)),
    )


def _share(percent: float | None) -> float | None:
    return None if percent is None or not math.isfinite(percent) else round(percent / _PERCENT, _DIGITS)


def _said(errors: Any) -> str:
    found = errors if isinstance(errors, list) else [errors] if errors else []
    texts = [str(one.get("error", one)) if isinstance(one, dict) else str(one) for one in found]
    return "; ".join(texts)[:500] or "the answer has no overall value"
