"""Endpoints that are probed: how many checks each passed, and when its certificate ends."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from platform_meter.model.catalogue.probes import PROBE_CERTIFICATE_EXPIRY
from platform_meter.model.facts.probes import ProbeCheck, ProbeResult
from platform_meter.web.bounds import ENOUGH
from platform_meter.web.related import tallied
from platform_meter.web.view import View

_SOON, _NOW = timedelta(days=30), timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One endpoint."""

    target: str
    ok: int
    checks: int
    slo: str
    """An SLO that counts its checks; empty where none does."""
    ends: datetime | None
    """End of its certificate, in the configured zone; None where it serves none, or nobody looked."""
    left: float | None
    """Seconds until then."""

    @property
    def share(self) -> float | None:
        return self.ok / self.checks if self.checks >= ENOUGH else None

    @property
    def level(self) -> str:
        """Of the certificate."""
        if self.left is None or self.left >= _SOON.total_seconds():
            return ""
        return "warn" if self.left >= _NOW.total_seconds() else "bad"


def ends(view: View, window: timedelta) -> Sequence[End]:
    """Those whose certificates end soonest first, then those without one by what they failed."""
    checks = defaultdict[str, Counter[ProbeResult]](Counter)
    for _, dim, count in tallied(view, ProbeCheck, {s.instance for s in view.history.sources()}, window):
        checks[dim.target][dim.result] += count.n
    last = {labels["target"]: value for labels, value in view.get(PROBE_CERTIFICATE_EXPIRY)}
    slos = {
        o.sli.where["target"]: o.slo
        for o in view.definitions.objectives
        if o.sli.events.event is ProbeCheck and "target" in o.sli.where
    }
    found = [
        End(
            target=target,
            ok=checks[target][ProbeResult.OK],
            checks=checks[target].total(),
            slo=slos.get(target, ""),
            ends=datetime.fromtimestamp(last[target], UTC).astimezone(view.zone) if target in last else None,
            left=last[target] - view.now.timestamp() if target in last else None,
        )
        for target in sorted({*checks, *last})
    ]
    return sorted(found, key=lambda end: (end.left is None, end.left or 0.0, -(end.checks - end.ok), end.target))
