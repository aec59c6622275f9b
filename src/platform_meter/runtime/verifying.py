"""SLO files held against a Prometheus that runs: the calls that `slo.verify` asks for, one after another and each in its time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from platform_meter.model.source import Outside
from platform_meter.slo.plan import Plan
from platform_meter.slo.verify import Verdict, verify
from platform_meter.slo.verify.server import PATIENCE

_TOTAL = PATIENCE.total_seconds() + 2
"""Seconds of one call: the server gives a question up by itself, and has time to say so."""


def held_against(outside: Outside, plans: Iterable[Plan], files: Iterable[tuple[str, str]]) -> Verdict:
    """What a Prometheus says of SLOs.

    Args:
        outside: the way to it, such as `traffic.prometheus_at` gives.
        plans: SLOs, also such that it does not count.
        files: path and text of the files that they stand in, and of those with what these name.

    Raises:
        SourceError: it can't be reached, or is no Prometheus.
    """

    def ask(path: str, params: Mapping[str, str]) -> tuple[int, str]:
        return outside.text(path, params=params, timeout=_TOTAL)

    return verify(plans, files, ask)
