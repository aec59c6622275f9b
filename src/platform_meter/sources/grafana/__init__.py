"""Grafana: dashboards, whether anybody looks at them, and alert rules. One entry is one organisation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from platform_meter.model.facts import Fact
from platform_meter.model.facts.observability import AlertRule, Dashboard
from platform_meter.model.proposal import Proposal, Settings, Surroundings
from platform_meter.model.source import Area, Forbidden, Outside, Page, Source, Stream, Unexpected
from platform_meter.sources.grafana import standing
from platform_meter.sources.grafana.config import SYSTEM, Config
from platform_meter.sources.grafana.lists import DASHBOARDS, NOT_FOUND, PATH
from platform_meter.sources.kit.rows import Sieve

SELDOM = timedelta(minutes=5)
"""Between two looks at what is read whole each time."""


def connect(config: Config, outside: Outside, instance: str) -> Sequence[Stream]:
    """Dashboards and alert rules, each by itself: one that may not be read stops not the other."""
    del instance

    def stream(name: str, kind: type[Fact], pages: Callable[[Sequence[str], Sieve], Iterator[Page]]) -> Stream:
        def read(checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
            del checkpoint, since, now
            return Sieve.over(outside, lambda sieve: pages(config.tags, sieve))

        return Stream(name=name, read=read, gives=frozenset({kind}), every=max(config.every, SELDOM))

    return [
        *([stream("dashboards", Dashboard, standing.dashboards)] if config.dashboards else []),
        *([stream("alert rules", AlertRule, standing.alert_rules)] if config.alert_rules else []),
    ]


def check(config: Config, outside: Outside) -> Sequence[str]:
    """One line for each list that may not be read. A search shows what may be seen, and refuses nothing."""
    return [*(_unseen(outside) if config.dashboards else ()), *(_unread(outside) if config.alert_rules else ())]


def _unseen(outside: Outside) -> Iterator[str]:
    needs = "give the service account the role Viewer, or dashboards:read and folders:read"
    try:
        first = outside.get(PATH, list[msgspec.Raw], params={"type": DASHBOARDS, "limit": 1}).body
    except Forbidden as error:
        yield f"dashboards: {error}; {needs}"
        return
    if not first:
        yield f"dashboards: not one may be seen; {needs} on all folders, write the org that has some, or dashboards: false"


def _unread(outside: Outside) -> Iterator[str]:
    try:
        list(standing.rules(outside))
    except Forbidden as error:
        yield (
            f"alert rules: {error}; give the service account the role Viewer, alert.provisioning:read, or alert.rules:read "
            "and folders:read, or write alert_rules: false"
        )
    except Unexpected as error:
        if error.status != NOT_FOUND:
            raise
        yield f"alert rules: {error}; alerting is switched off there: write alert_rules: false"


def propose(around: Surroundings) -> Proposal:
    """The Grafana that a variable names, as its own tools call it."""
    variable = around.variable("GRAFANA_SERVICE_ACCOUNT_TOKEN", "GRAFANA_TOKEN", "GRAFANA_AUTH")
    address = around.addresses.get("GRAFANA_URL", "")

    def settings(url: str) -> Settings:
        return {"url": url, "token": {"env": variable or "GRAFANA_TOKEN"}}

    return Proposal(
        about="Dashboards and alert rules by owner. A service account with the role Viewer is enough.",
        found={SYSTEM: settings(address)} if address and variable else {},
        sample=(SYSTEM, settings("https://grafana.example.com")),
        fill_in="its address and a service account's token",
    )


SOURCE = Source(
    name=SYSTEM,
    title="Grafana",
    area=Area.OBSERVABILITY,
    reads="dashboards, whether anybody looks at them, and alert rules, by folder and owner",
    needs="a service account with the role Viewer; or `dashboards:read`, `folders:read`, and `alert.provisioning:read` or `alert.rules:read`",
    config=Config,
    gives=frozenset({Dashboard, AlertRule}),
    access=lambda config: config.access,
    connect=connect,
    check=check,
    propose=propose,
)
