"""What other tools say of an SLO by their own count, in words beside ours."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from platform_meter.model.catalogue.budgets import TOLD_BUDGET, TOLD_SLI
from platform_meter.slo.promql import number_text
from platform_meter.web.view import View


def told(view: View, slo: str) -> Sequence[str]:
    """A sentence for each source that tells of it, by name. Numbers are those of `/metrics`."""
    parts: dict[str, list[str]] = {}
    for metric, words in ((TOLD_SLI, "good"), (TOLD_BUDGET, "of the budget left")):
        for labels, value in view.get(metric):
            if labels["slo"] == slo:
                share = number_text(round(Decimal(value) * 100, 3).normalize())
                parts.setdefault(labels["source_instance"], []).append(f"{share} % {words}")
    return [f"{source} says by its own count: {' and '.join(said)}." for source, said in sorted(parts.items())]
