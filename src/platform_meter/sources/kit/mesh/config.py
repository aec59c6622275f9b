"""Settings of one mesh in one cluster: where its traffic is read, and how the cluster is entered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, model_validator

from platform_meter.model.access import Access
from platform_meter.model.scalars import Address, Definition, Duration, Period
from platform_meter.sources.kit import clusters
from platform_meter.sources.kit.clusters import ClusterConfig, at_least
from platform_meter.sources.kit.names import called_twice
from platform_meter.sources.kit.query_api import TenantApi

PROMETHEUS = "prometheus"
"""Name of the Prometheus beside the cluster (`Outside.beside`)."""


def is_window(value: timedelta) -> timedelta:
    """One minute or five.

    Raises:
        ValueError: anything else.
    """
    if value not in {timedelta(minutes=1), timedelta(minutes=5)}:
        raise ValueError("a slice is one minute or five; write 1m or 5m")
    return value


def is_label(text: str) -> str:
    """The name of a label.

    Raises:
        ValueError: Prometheus has no such labels.
    """
    if not text.isidentifier() or not text.isascii():
        raise ValueError(f"'{text}' is no label; write letters, digits and _, such as cluster")
    return text


Label = Annotated[str, AfterValidator(is_label)]


class PrometheusWay(TenantApi):
    """A Prometheus, or what speaks its query API, that has the counters of the mesh's proxies."""

    select: Mapping[Label, str] = {}
    """Labels and values of this cluster's series, where the server has those of several: `{cluster: eu}`."""
    window: Annotated[Period, AfterValidator(is_window)] = timedelta(minutes=5)
    """Length of a slice."""
    scrape_interval: Duration = timedelta(seconds=30)
    """Of the proxies' series."""
    delay: Duration = timedelta(minutes=1)
    """A slice is read when it ended this long ago."""


class Page(Definition):
    """The `/metrics` of one proxy, gateway or control plane."""

    url: Address
    """Of the page itself."""
    labels: Mapping[Label, str] = {}
    """Labels that its series lack, as a Prometheus would add them: `{namespace: shop, deployment: cart}`."""


class MeshConfig(ClusterConfig):
    """Settings of one mesh in one cluster: `prometheus` or `scrape` for its traffic, a way into the cluster for what
    stands in it; at least one of the two.
    """

    may_stay_outside: ClassVar[bool] = True

    prometheus: PrometheusWay | None = None
    """Where traffic is read."""
    scrape: tuple[Page, ...] = ()
    """Pages that are read instead."""
    resync: Annotated[Duration, AfterValidator(partial(at_least, timedelta(minutes=5), "5m"))] = timedelta(minutes=5)
    """How often what stands in the mesh is listed: workloads join it when they are rolled out."""
    history: Period = timedelta(hours=6)
    """How far the first poll of a Prometheus reaches back."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.prometheus is not None and self.scrape:
            raise ValueError("prometheus and scrape would count the same requests twice; remove one")
        if self.prometheus is None and not self.scrape and not self.enters:
            raise ValueError(
                "nothing is read; write `prometheus: {url: ADDRESS}` for the traffic, "
                "a way into the cluster such as `context: prod` for what stands in the mesh, or both"
            )
        twice = called_twice(page.url for page in self.scrape)
        if twice is not None:
            raise ValueError(f"{twice} is there twice; remove one")
        return self

    @property
    def pages(self) -> Mapping[str, Page]:
        """By the name of the address beside."""
        return {f"page-{number}": page for number, page in enumerate(self.scrape, 1)}

    @property
    def access(self) -> Access:
        """The cluster's, where it is entered, with all others beside it."""
        beside = {name: Access(url=page.url) for name, page in self.pages.items()}
        if self.prometheus is not None:
            beside[PROMETHEUS] = self.prometheus.access
        # A cluster that is not entered is never asked either.
        own = clusters.access(self) if self.enters else Access(url=next(iter(beside.values())).url)
        return Access(url=own.url, credential=own.credential, headers=own.headers, ca_file=own.ca_file, beside=beside)
