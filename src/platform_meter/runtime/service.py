"""One running exporter: store, ways out, poller, tick and server, put together from configuration and definitions."""

from __future__ import annotations

import logging
import secrets
import socket
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from platform_meter import __version__, measures, sources
from platform_meter.measures.objectives.days import DailyCounts
from platform_meter.model.access import Access
from platform_meter.model.catalogue.meter import (
    BUILD_INFO,
    CONFIG_VALID,
    SOURCE_IMPORT_RATIO,
    SOURCE_RATE_LIMIT,
    STORE_BYTES,
)
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts.delivery import Repository
from platform_meter.model.facts.portal import CatalogEntity
from platform_meter.model.history import History
from platform_meter.model.measure import Counting, Deriving, Measure
from platform_meter.model.metric import Sample
from platform_meter.model.ownership import Directory
from platform_meter.model.personal import hashed
from platform_meter.model.source import Gap, Outside, Source, SourceConfig, SourceError
from platform_meter.runtime.files.config import Config
from platform_meter.runtime.imports import Imports
from platform_meter.runtime.ledger import Ledger
from platform_meter.runtime.outside.http import Way
from platform_meter.runtime.outside.quota import Budgets
from platform_meter.runtime.people import said_salt
from platform_meter.runtime.poller import Instance, Poller, Result
from platform_meter.runtime.push import Inbox
from platform_meter.runtime.tick import meter as ticking
from platform_meter.runtime.tick.exposition import Exposition
from platform_meter.runtime.tick.families import Limits
from platform_meter.runtime.tick.meter import Meter
from platform_meter.runtime.tick.process import OwnMetrics
from platform_meter.slo.plan import Plan
from platform_meter.store import Configured, ConfiguredStream, Store, StoredHistory, StoreError

log = logging.getLogger(__name__)
PROMETHEUS = "prometheus"
"""Source type that pages ask for what rules recorded."""
PAGES = 16
"""Pages that look into the store at a time; it bears twice as many readers."""


def utc_now() -> datetime:
    """The clock of everything that runs; the only one."""
    return datetime.now(UTC)  # noqa: TID251 - this is the runtime's clock, from which all others get the time


class Service:
    """The exporter without its HTTP server; `start` polls and ticks in the background, `once` does one round.

    Args:
        environ: where secrets by variable come from.
        holder: this process's name for leases. By default the host and the address it listens at: no two processes
            that run have both in common, and one that is started again has the leases of the one before it.
        plans: every SLO of the files, for the pages.
        flaws: how many problems files have now that are read again by themselves; what was read before goes on.
        progress: called with (instance, text) now and then while a first import goes on.
    """

    def __init__(
        self,
        config: Config,
        definitions: Definitions,
        *,
        environ: Mapping[str, str],
        holder: str = "",
        plans: Sequence[Plan] = (),
        flaws: Callable[[], int] = lambda: 0,
        clock: Callable[[], datetime] = utc_now,
        progress: Callable[[str, str], None] = lambda _instance, _text: None,
    ) -> None:
        self.config, self.definitions, self.clock = config, definitions, clock
        self.plans, self.days = tuple(plans), DailyCounts()
        self.zone = ZoneInfo(config.zone)
        self.exposition = Exposition()
        self.problems, self._flaws = 0, flaws
        self._stop, self._wake = threading.Event(), threading.Event()
        self._pages = threading.BoundedSemaphore(PAGES)
        types, found = sources.load(), config.sources
        pushed = [(one.type_name, name) for name, one in found.items() if types[one.type_name].receives is not None]
        self._own = OwnMetrics({one.type_name for one in found.values()}, pushed)
        self._measures = measures.load(definitions, config.exposition.on)
        keep = {label: frozenset(names) for label, names in config.caps.keep.items()}
        self.store = open_store(config, definitions, self._measures)
        self._budgets = Budgets(clock, self._sleep)
        self._ledger = Ledger(clock, self._budgets.left)
        self.holder = holder or f"{socket.gethostname()}:{config.listen}"
        self._ways: dict[str, Way] = {}
        try:
            salt = self.store.people.salt(said_salt(config, environ))
            self.hashed = partial(hashed, salt)
            self.instances = tuple(
                self._instance(name, settings, salt, environ) for name, settings in config.sources.items()
            )
        except BaseException:
            self.store.close()  # settings that can't be used leave nothing open
            raise
        derivings = [m for m in self._measures if isinstance(m, Deriving)]
        self.configured = tuple(
            Configured(
                instance=i.name,
                type=i.source.name,
                streams=tuple(_with_derived(i.expected(s), derivings) for s in i.streams),
            )
            for i in self.instances
            if i.streams  # without any (a Prometheus that only pages ask) it is never read, and so never stale
        )
        self.imports = Imports(progress, quota=self.quota, zone=self.zone)
        self.poller = Poller(
            self.store,
            self.instances,
            clock=clock,
            holder=self.holder,
            stop=self._stop,
            changed=self._wake.set,
            observe=self._own.polled,
            imports=self.imports,
            keep=lambda: self._ledger.keep(self.store),
            lease=config.store.lease,
        )
        self.inbox = Inbox(
            self.store,
            self.instances,
            hashed={name: way.hashed for name, way in self._ways.items()},
            environ=environ,
            clock=clock,
            changed=self._wake.set,
            count=self._own.pushed,
            most=config.push_bytes,
        )
        self.meter = Meter(
            self.store,
            self.exposition,
            self._measures,
            definitions=definitions,
            configured=self.configured,
            zone=self.zone,
            limits=Limits(
                total=config.caps.total,
                families=config.caps.families,
                keep=keep,
                zero_for=config.zero_for,
                silent=measures.silent(config.exposition.on),
            ),
            clock=clock,
            own=self._own_samples,
            own_text=self._own.render,
            refresh=self._refresh_directory,
        )
        self._told: tuple[dict[str, str], tuple[object, ...]] | None = None
        """Owners that sources told, as the directory has them; None before the first look, which always settles it."""
        self._ticker: threading.Thread | None = None

    def _sleep(self, seconds: float) -> None:
        self._stop.wait(seconds)

    def _instance(self, name: str, settings: Any, salt: bytes, environ: Mapping[str, str]) -> Instance:
        source = sources.load()[settings.type_name]
        way = Way(
            source.access(settings.config),
            instance=name,
            source_type=source.name,
            budgets=self._budgets,
            clock=self.clock,
            sleep=self._sleep,
            salt=salt,
            stop=self._stop,
            outcome=lambda outcome: self._called(name, source.name, outcome),
            on_gap=lambda gap: self._gap(name, source.name, gap),
            on_filled=lambda what, start, end: self.store.fill_gaps(name, what, start, end),
            environ=environ,
            timeout=settings.config.timeout,
        )
        self._ways[name] = way
        return Instance(
            name=name,
            source=source,
            settings=settings.config,
            streams=tuple(source.connect(settings.config, way, name)),
        )

    def _called(self, instance: str, type_: str, outcome: str) -> None:
        self._own.requested(type_, outcome)
        self._ledger.called(instance, outcome)

    def _gap(self, instance: str, type_: str, gap: Gap) -> None:
        self.store.add_gap(instance, type_, gap, self.clock())

    def start(self) -> None:
        """Poll and tick in background threads; the first tick is made here, where it was not made before."""
        if self.meter.ticked is None:
            self.meter.tick()
        self.poller.start()
        self._ticker = threading.Thread(
            target=ticking.run,
            args=(self.meter,),
            kwargs={"wake": self._wake, "stop": self._stop, "tick": self.config.tick},
            name="tick",
            daemon=True,
        )
        self._ticker.start()

    @property
    def series(self) -> int:
        """Series exposed by the last tick."""
        return self.meter.series

    def once(self) -> list[Result]:
        """Poll every source one time, then tick. `/metrics` shows values at once, without their first zero."""
        results = self.poller.once()
        self.meter.tick(rested=True)
        return results

    def close(self, *, followed: bool = False) -> None:
        """Stop all threads, give leases back, close the store. Can be called once.

        Args:
            followed: another one goes on with the store; what measures made is kept by the last one alone.
        """
        self._stop.set()
        self._wake.set()
        self.poller.close()
        if self._ticker is not None:
            self._ticker.join(10)
        for way in self._ways.values():
            way.close()
        try:
            if not followed and self.meter.ticked is not None:
                self.meter.keep()
        except StoreError as error:
            log.warning("the next start is a slow one: %s", error)
        finally:
            self.store.close()

    def health(self) -> str:
        """Why the process is not healthy: the tick stands still. Sources that fail are their own metric's business."""
        ticked = self.meter.ticked
        limit = max(4 * self.config.tick, timedelta(minutes=2))
        if ticked is not None and self.clock() - ticked > limit:
            return (
                f"the last tick was at {ticked:%H:%M:%S} UTC, over {limit.total_seconds():.0f} s ago; the log says why"
            )
        return ""

    def unready(self) -> str:
        """Why there is nothing true to show yet."""
        return "" if self.meter.ticked is not None else "the first tick is still to come"

    def _own_samples(self) -> list[Sample]:
        out = [
            Sample(metric=BUILD_INFO, labels=(__version__,), value=1.0),
            Sample(metric=CONFIG_VALID, labels=(), value=0.0 if self.problems or self._flaws() else 1.0),
            Sample(metric=STORE_BYTES, labels=(), value=float(self.store.size())),
        ]
        for type_ in sorted({i.source.name for i in self.instances}):
            ratio = self._budgets.remaining_ratio(type_)
            if ratio is not None:
                out.append(Sample(metric=SOURCE_RATE_LIMIT, labels=(type_,), value=ratio))
        for instance in sorted(self.instances, key=lambda i: (i.source.name, i.name)):
            read = self.imports.ratio(instance.name)
            if read is not None:
                out.append(Sample(metric=SOURCE_IMPORT_RATIO, labels=(instance.source.name, instance.name), value=read))
        return out

    def _refresh_directory(self, history: History) -> None:
        """Owners that sources tell (CODEOWNERS, portal entries) enter the ownership join when they changed."""
        codeowners = {
            h.reading.about.name: h.reading.codeowner for h in history.readings(Repository) if h.reading.codeowner
        }
        catalog = tuple(h.reading for h in history.readings(CatalogEntity))
        claims = tuple((e.about.name, e.service, e.team, e.annotations) for e in catalog)
        if (codeowners, claims) == self._told:
            return
        self._told = codeowners, claims
        directory = Directory.build(
            self.definitions, team_label=self.config.labels.team, catalog=catalog, codeowners=codeowners
        )
        self.store.set_directory(directory, self.clock())

    @property
    def prometheus(self) -> Outside | None:
        """The way to the first configured Prometheus on which our rules run; None where there is none."""
        ruled = (i for i in self.instances if i.source.name == PROMETHEUS and getattr(i.settings, "rules", True))
        return next((self._ways[i.name] for i in ruled), None)

    def quota(self, instance: str) -> float | None:
        """Share of the API quota left for one source."""
        return self._budgets.instance_ratio(instance)

    @contextmanager
    def history(self) -> Iterator[StoredHistory]:
        """A view for a page. Of many pages some wait, so that the tick and the polls never do."""
        with self._pages, self.store.history(self.clock(), self.configured) as history:
            yield history


def open_store(config: Config, definitions: Definitions, found: Iterable[Measure] = ()) -> Store:
    """The store that the configuration names; `found` are the measures that count what comes into it.

    Raises:
        StoreError: as `Store.open`.
    """
    return Store.open(
        config.store.url,
        zone=config.zone,
        countings=[m for m in found if isinstance(m, Counting)],
        directory=Directory.build(definitions, team_label=config.labels.team),
        retention=config.store.retention,
        detail=config.store.detail,
        caps=config.caps.families,
        keep={label: frozenset(names) for label, names in config.caps.keep.items()},
        standstill=config.store.lease,
    )


def _with_derived(stream: ConfiguredStream, derivings: Iterable[Deriving]) -> ConfiguredStream:
    """The stream with what the tick makes of its events: that is known as far as they are."""
    return replace(stream, gives=stream.gives | {m.gives for m in derivings if m.reads & stream.gives})


def brief_way(access: Access, *, instance: str, source_type: str, salt: bytes | None = None, **more: Any) -> Way:
    """A way out for a few calls now: it counts for nobody, and nothing is kept of what is read, so any salt will do.

    Raises:
        ValueError: as `Way` does.
    """
    stop = threading.Event()
    return Way(
        access,
        instance=instance,
        source_type=source_type,
        budgets=Budgets(utc_now, stop.wait),
        clock=utc_now,
        sleep=stop.wait,
        salt=salt or secrets.token_bytes(16),
        stop=stop,
        outcome=lambda _: None,
        on_gap=lambda _: None,
        on_filled=lambda _, __, ___: None,
        **more,
    )


def test_source(config: Config, name: str, environ: Mapping[str, str]) -> list[str]:
    """Small real calls with one source: a line per missing permission or failure, none when all is well."""
    source, settings = _source(config, name)
    with _way(config, name, environ) as way:
        try:
            return list(source.check(settings, way))
        except SourceError as error:
            return [str(error)]


def ask_priorities(config: Config, name: str, environ: Mapping[str, str]) -> Collection[str]:
    """What the tool of a source calls the priorities of its tickets; nothing where it does not tell."""
    source, settings = _source(config, name)
    with _way(config, name, environ) as way:
        try:
            return source.priorities(settings, way)
        except SourceError:
            # What it lacks, `test_source` says.
            return ()


def _source(config: Config, name: str) -> tuple[Source[SourceConfig], SourceConfig]:
    section = config.sources[name]
    return sources.load()[section.type_name], section.config


def _way(config: Config, name: str, environ: Mapping[str, str]) -> Way:
    source, settings = _source(config, name)
    return brief_way(
        source.access(settings),
        instance=name,
        source_type=source.name,
        salt=said_salt(config, environ),
        environ=environ,
        timeout=settings.timeout,
    )
