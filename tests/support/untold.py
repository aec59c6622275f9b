"""What a platform tells and the simulated company has nothing of, as lines of a scrape."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

GROWING = {
    'platform_gitops_rollouts_total{source_instance="argocd",result="promoted"}': 2,
    'platform_gitops_rollouts_total{source_instance="argocd",result="aborted"}': 1,
    'platform_cluster_api_requests_total{cluster="eu",verb_class="read",result="good"}': 400,
    'platform_cluster_api_requests_total{cluster="eu",verb_class="read",result="bad"}': 2,
    'platform_pods_never_ready_total{cluster="eu",kind="deployment"}': 1,
}
"""Counters, and how much they grow a minute."""
CERTIFICATE = 'platform_probe_certificate_expiry_timestamp_seconds{target="portal"}'
ENDS_IN = timedelta(days=30)


def untold(told: str, at: datetime) -> Iterator[str]:
    """Lines for a scrape at `at` that has `told` the rest; what it tells itself has no place here."""
    for series in (*GROWING, CERTIFICATE):
        name = series.partition("{")[0]
        assert f"\n{name}{{" not in told, f"the company tells {name} itself: remove it from {__name__}"
    minutes = int(at.timestamp()) // 60
    yield from (f"{series} {growth * minutes}\n" for series, growth in GROWING.items())
    yield f"{CERTIFICATE} {(at + ENDS_IN).timestamp()}\n"
