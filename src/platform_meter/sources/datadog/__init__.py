"""Datadog: good and bad events of SLIs by the minute, monitors, its own SLOs, incidents. One entry is one organisation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial

import msgspec

from platform_meter.model.facts import Fact
from platform_meter.model.facts.budgets import ToldBudget
from platform_meter.model.facts.incidents import Incident
from platform_meter.model.facts.observability import AlertMonitor
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.proposal import Proposal, Settings, Surroundings
from platform_meter.model.source import Area, Asking, Forbidden, Outside, Page, Source, Stream, Unexpected
from platform_meter.sources.datadog import budgets, counts, incidents, monitors
from platform_meter.sources.datadog.config import SYSTEM, AskedLevel, AskedQuery, Config, Sli, SloBeside, with_asked
from platform_meter.sources.kit.late import Again
from platform_meter.sources.kit.minutes import LATE, WIDTH, ByMinute, stream_of
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.slis import stream_name

SELDOM = timedelta(minutes=5)
"""Between two looks at what is read whole each time: incidents, and SLOs of Datadog's own."""
_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)

Pages = Callable[[Sieve, bytes | None, datetime, datetime], Iterator[Page]]


def connect(config: Config, outside: Outside, instance: str) -> Sequence[Stream]:
    """One stream for each SLI and each SLO; monitors and incidents where its settings switch them on."""
    del instance
    seldom = max(config.every, SELDOM)

    def stream(name: str, kind: type[Fact], pages: Pages, *, every: timedelta | None = None) -> Stream:
        def read(checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
            return Sieve.over(outside, lambda sieve: pages(sieve, checkpoint, since, now))

        return Stream(name=name, read=read, gives=frozenset({kind}), every=every)

    def by_minute(sli: Sli, minutes: Callable[[Sieve], ByMinute]) -> Stream:
        return stream_of(outside, sli.id, minutes, delay=config.delay if sli.delay is None else sli.delay)

    def beside(one: SloBeside) -> Stream:
        return stream(budgets.stream_name(one), ToldBudget, partial(budgets.read, one), every=seldom)

    again = Again.of(config, counts.AGAIN)
    found = [
        *(by_minute(sli, partial(counts.events, sli, again)) for sli in config.slis),
        *(by_minute(level, partial(counts.level, level, again)) for level in config.levels),
        *map(beside, config.slos),
    ]
    if config.monitors:
        found.append(stream("monitors", AlertMonitor, partial(monitors.read, config.tags)))
    if config.incidents:
        pages = partial(incidents.read, overlap=config.overlap, pages=config.pages, severities=config.severities)
        found.append(stream("incidents", Incident, pages, every=seldom))
    return found


def check(config: Config, outside: Outside) -> Sequence[str]:
    """One small call of each kind that is made; a line for each that is refused, with the permission that it takes."""
    if not (config.slis or config.levels or config.monitors or config.slos or config.incidents):
        return ["nothing is read; add slis, slos, monitors: true or incidents: true, or SLO files with type: datadog"]
    try:
        answer = outside.get("/api/v1/validate", msgspec.Raw)
    except Forbidden as error:
        return [f"{error}; write the API key of an organisation of {config.site}, or the site that it is of"]
    calls = _calls(config, outside, _dated(answer.headers.get("date", "")))
    return [line for name, permission, call in calls for line in _refused(name, permission, call)]


def _calls(config: Config, outside: Outside, now: datetime) -> Iterator[tuple[str, str, Callable[[], object]]]:
    """(name, the permission that it takes, call) of each kind."""
    last = int(now.timestamp()) // WIDTH * WIDTH
    ends = range(last - 9 * WIDTH, last + 1, WIDTH)
    for sli in config.slis:
        for text in (sli.total, sli.part):
            yield stream_name(sli.id), "timeseries_query", partial(counts.ask, Sieve(outside), text, ends)
    for level in config.levels:
        yield stream_name(level.id), "timeseries_query", partial(counts.ask, Sieve(outside), level.level, ends)
    for one in config.slos:
        yield budgets.stream_name(one), "slos_read", partial(budgets.ask, one, outside, now)
    if config.monitors:
        asked = {"id_offset": 0, "page_size": 1}
        yield "monitors", "monitors_read", partial(outside.get, monitors.PATH, msgspec.Raw, params=asked)
    if config.incidents:
        asked = {"page[size]": 1, "page[offset]": 0}
        yield "incidents", "incident_read", partial(outside.get, incidents.PATH, msgspec.Raw, params=asked)


def _refused(name: str, permission: str, call: Callable[[], object]) -> Iterator[str]:
    try:
        call()
    except Forbidden as error:
        yield f"{name}: {error}; the application key needs {permission}, as its scope and by the role of its user"
    except Unexpected as error:
        yield f"{name}: {error}"


def _dated(text: str) -> datetime:
    """Datadog's time as its answer is dated, else a moment of which nothing is known but whether it may be asked for."""
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return _LONG_AGO
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def propose(around: Surroundings) -> Proposal:
    """A sample with the variables that Datadog's own tools read: which site they are of nothing around tells."""
    sample: Settings = {
        "site": "datadoghq.com",
        "api_key": {"env": around.variable("DD_API_KEY", "DATADOG_API_KEY") or "DD_API_KEY"},
        "application_key": {"env": around.variable("DD_APP_KEY", "DATADOG_APP_KEY") or "DD_APP_KEY"},
    }
    return Proposal(
        about="Monitors of Datadog by owner; add slis for SLOs over its metrics. The keys need to read only.",
        sample=("datadog", sample),
        fill_in="your site",
        by_hand=True,
    )


SOURCE = Source(
    name=SYSTEM,
    title="Datadog",
    area=Area.OBSERVABILITY,
    reads="good and bad events of your metric queries by the minute, monitors and how they stand, its own SLOs, incidents",
    needs="an application key with `monitors_read`, and for what is switched on `timeseries_query`, `slos_read`, `incident_read`",
    config=Config,
    gives=frozenset({SliCount, AlertMonitor, ToldBudget, Incident}),
    access=lambda config: config.access,
    connect=connect,
    check=check,
    asked=Asking(
        spec=AskedQuery, level=AskedLevel, settings=with_asked, behind=lambda config: config.delay, good_late=LATE
    ),
    propose=propose,
)
