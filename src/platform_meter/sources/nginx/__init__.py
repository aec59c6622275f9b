"""NGINX: requests by route, good and bad, and how long they took; connections that it could not handle.

Three ways in: its access log in JSON, the metrics of ingress-nginx, and the totals of `stub_status`.
Streams: `status`, `metrics HOST` for each page, `access_log`; those that the settings name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from platform_meter.model.proposal import Proposal, Surroundings
from platform_meter.model.source import Area, Outside, Source, SourceError, Stream
from platform_meter.sources.nginx import ingress, log, status
from platform_meter.sources.nginx.config import STATUS, SYSTEM, Config, place

_LATER = datetime(9000, 1, 1, tzinfo=UTC)
"""For a look at a log that tells of nothing."""


def connect(config: Config, outside: Outside, instance: str) -> Sequence[Stream]:
    """One stream for each way that the settings name."""
    return tuple(_streams(config, outside, config.gateway or instance))


def _streams(config: Config, outside: Outside, gateway: str) -> Iterator[Stream]:
    slice_ = max(config.slice, config.every)
    for name, address in config.pages.items():
        server, path = place(address)
        way = outside.beside(name)
        if name == STATUS:
            read = partial(status.read, gateway, path, config.every, way)
            yield Stream(name=STATUS, read=read, gives=status.GIVES)
        else:
            page = ingress.Ingress(gateway=gateway, cluster=config.cluster, path=path, name=address, slice=slice_)
            called = f"metrics {server.partition('://')[2]}"
            yield Stream(name=called, read=partial(page.read, way), gives=ingress.GIVES, every=slice_)
    if config.log is not None:
        read = partial(log.read, config, config.log, gateway, outside)
        yield Stream(name="access_log", read=read, gives=log.GIVES, behind=config.delay + config.slice)


def check(config: Config, outside: Outside) -> Sequence[str]:
    """Look at each page once, and at the first lines of the log; one line for each that can't be read."""
    problems: list[str] = []
    for stream in connect(config.model_copy(update={"access_log": None}), outside, SYSTEM):
        try:
            for _ in stream.read(None, _LATER - timedelta(days=1), _LATER):
                pass
        except SourceError as error:
            problems.append(f"{stream.name}: {error}")
    if config.log is not None:
        try:
            found = log.unreadable(config, config.log, outside, _LATER)
        except SourceError as error:
            found = str(error)
        if found:
            problems.append(f"access_log: {found}")
    return problems


def propose(_around: Surroundings) -> Proposal:
    """Its totals; the log is a file that would have to be there."""
    return Proposal(
        about="Totals of NGINX. Add access_log or metrics for its requests by route: docs/sources.md.",
        sample=(SYSTEM, {"status": "http://localhost:8080/nginx_status"}),
        fill_in="its address",
        by_hand=True,
    )


SOURCE = Source(
    name=SYSTEM,
    title="NGINX",
    area=Area.GATEWAYS,
    reads="requests by route from an access log in JSON or the metrics of ingress-nginx; totals of `stub_status`",
    needs="read access to the log and its folder; the pages without more",
    config=Config,
    gives=status.GIVES | log.GIVES,
    access=Config.access,
    connect=connect,
    check=check,
    propose=propose,
)
