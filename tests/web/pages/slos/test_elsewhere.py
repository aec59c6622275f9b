"""What other tools say of an SLO, beside ours."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from tests.support.views import rows, view
from tests.web.pages.slos import test_slos as slos

from platform_meter.model.catalogue.budgets import TOLD_BUDGET, TOLD_SLI
from platform_meter.web.pages.slos.elsewhere import told

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)


def test_each_source_is_told_with_what_it_says() -> None:
    """By name, with three decimals at most; what it does not tell is left out, and so is another SLO."""
    said = rows(
        (TOLD_SLI, ("us", "web"), 0.99955),
        (TOLD_SLI, ("eu", "web"), 1.0),
        (TOLD_SLI, ("eu", "api"), 0.5),
        (TOLD_BUDGET, ("us", "web"), -1.2345678),
    )
    assert told(view(NOW, rows=said), "web") == [
        "eu says by its own count: 100 % good.",
        "us says by its own count: 99.955 % good and -123.457 % of the budget left.",
    ]
    assert told(view(NOW, rows=said), "other") == []


def test_it_stands_on_the_page_of_the_slo() -> None:
    """Below our own numbers; a page of which nobody tells has no such line."""
    seen = slos.view(slos.CI, slos.OUTAGE)
    assert "by its own count" not in slos.page(seen, "/slos/builds")
    beside = replace(seen, rows={**seen.rows, **rows((TOLD_BUDGET, ("datadog", "builds"), 0.25))})
    text = slos.page(beside, "/slos/builds")
    assert '<p class="note">datadog says by its own count: 25 % of the budget left.</p>' in text
    assert text.index("Budget left") < text.index("by its own count")
