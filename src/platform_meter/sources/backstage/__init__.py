"""Backstage: its catalog with owners and members, runs of software templates, and what people do in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from platform_meter.model.facts.people import Membership
from platform_meter.model.facts.portal import USE, CatalogEntity, TemplateRun, TemplateStarted
from platform_meter.model.proposal import Proposal, Settings, Surroundings
from platform_meter.model.push import Receiver, Scheme
from platform_meter.model.source import Area, Forbidden, Outside, Page, Source, Stream, Unexpected
from platform_meter.sources.backstage import analytics, catalog, tasks
from platform_meter.sources.backstage.config import SYSTEM, Config
from platform_meter.sources.backstage.rows import Tasks
from platform_meter.sources.kit.pushed import nothing
from platform_meter.sources.kit.rows import Sieve

SELDOM = timedelta(minutes=5)
"""Between two looks at the catalog, which is read whole each time."""


def connect(config: Config, outside: Outside, instance: str) -> Sequence[Stream]:
    """Each by itself: a token may be let into the catalog alone."""
    del instance

    def entries(checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        del checkpoint, since, now
        return Sieve.over(outside, lambda sieve: catalog.pages(config, sieve))

    def runs(checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        return Sieve.over(outside, lambda sieve: tasks.pages(sieve, checkpoint, since, now))

    seldom = max(config.every, SELDOM)
    streams = [
        (
            config.catalog,
            Stream(name="catalog", read=entries, gives=frozenset({CatalogEntity, Membership}), every=seldom),
        ),
        (config.templates, Stream(name="templates", read=runs, gives=frozenset({TemplateStarted, TemplateRun}))),
        (config.analytics, Stream(name="analytics", read=nothing, gives=frozenset(USE))),
    ]
    return [stream for wanted, stream in streams if wanted]


def check(config: Config, outside: Outside) -> Sequence[str]:
    """One line for each list that may not be read, or that nobody keeps there."""
    return [*(_unseen(outside) if config.catalog else ()), *(_unread(outside) if config.templates else ())]


def _unseen(outside: Outside) -> Iterator[str]:
    sieve = Sieve(outside)
    try:
        first = next(catalog.entries(sieve), None)
    except Forbidden as error:
        yield f"catalog: {error}; let the token into the plugin catalog (accessRestrictions), or write catalog: false"
        return
    if first is None:
        yield "catalog: not one entry may be seen; let the token read the catalog, or write catalog: false"


def _unread(outside: Outside) -> Iterator[str]:
    try:
        outside.get(tasks.PATH, Tasks, params={"limit": 1, "offset": 0, "order": tasks.NEWEST_FIRST})
    except Forbidden as error:
        yield (
            f"templates: {error}; let the token into the plugin scaffolder (accessRestrictions) with "
            "scaffolder.task.read, or write templates: false"
        )
    except Unexpected as error:
        if error.status != 404:
            raise
        yield f"templates: {error}; no scaffolder runs there: write templates: false"


def propose(around: Surroundings) -> Proposal:
    """The Backstage that a variable names."""
    variable = around.variable("BACKSTAGE_TOKEN")
    address = around.addresses.get("BACKSTAGE_URL", "")

    def settings(url: str) -> Settings:
        return {"url": url, "token": {"env": variable or "BACKSTAGE_TOKEN"}}

    return Proposal(
        about="The catalog as the source of owners, and runs of software templates. A static token that may read is enough.",
        found={SYSTEM: settings(address)} if address and variable else {},
        sample=(SYSTEM, settings("https://backstage.example.com")),
        fill_in="its address and a static token",
    )


SOURCE = Source(
    name=SYSTEM,
    title="Backstage",
    area=Area.PORTAL,
    reads="the catalog with owners and members, runs of software templates, use of the portal and of its docs",
    needs="a static token of `backend.auth.externalAccess` for the plugins `catalog` and `scaffolder`; where permissions "
    "are on, `catalog.entity.read` and `scaffolder.task.read`",
    config=Config,
    gives=frozenset({CatalogEntity, Membership, TemplateStarted, TemplateRun, *USE}),
    access=lambda config: config.access,
    connect=connect,
    check=check,
    receives=Receiver(read=analytics.read, scheme=Scheme.STANDARD, secret=lambda config: config.webhook),
    propose=propose,
)
