"""Clusters of one account and region, as Amazon EKS lists them (ListClusters, DescribeCluster)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated
from urllib.parse import quote

from msgspec import Meta, Raw, Struct, field

from platform_meter.model.facts import Ref
from platform_meter.model.facts.kubernetes import CloudCluster, Provider
from platform_meter.model.source import Answer, Forbidden, Gap, Unexpected
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.walk import Walk

SYSTEM = "clusters"
SIZE = 100
LACKS = "allow eks:ListClusters and eks:DescribeCluster to this identity"
_NOT_FOUND = 404


class _Names(Struct, rename="camel"):
    clusters: list[str]
    next_token: str | None = None


class _Oidc(Struct):
    issuer: str = ""


class _Identity(Struct):
    oidc: _Oidc = field(default_factory=_Oidc)


class _Cluster(Struct):
    name: str
    arn: Annotated[str, Meta(pattern="^arn:[^:]*:eks:[^:]+:[^:]+:cluster/")]
    """`arn:PARTITION:eks:REGION:ACCOUNT:cluster/NAME`."""
    version: str = ""
    identity: _Identity | None = None


class _Described(Struct):
    cluster: _Cluster


def clusters(outside: Sieve, now: datetime) -> tuple[Sequence[CloudCluster], bool]:
    """Clusters of the region, and whether these are all: one that may not be described is a gap of the day,
    one whose description can't be read is left out.

    One that goes away meanwhile is none.

    Raises:
        SourceError: EKS does not answer, or does not allow the list.
    """
    found, whole = list[CloudCluster](), True
    for name in list(_names(outside)):
        try:
            body = outside.get(f"/clusters/{quote(name, safe='')}", _Described).body
        except Forbidden as error:
            whole, day = False, now.replace(hour=0, minute=0, second=0, microsecond=0)
            text = f"{name}: {error}"
            outside.gap(Gap(start=day, end=day + timedelta(days=1), reason="forbidden", text=text, what=name))
        except Unexpected as error:
            if error.status == 0:
                whole = False
                outside.reject(CloudCluster)
            elif error.status != _NOT_FOUND:
                raise
        else:
            found += [] if body is None else [_reading(body.cluster)]
    return found, whole


def tried(outside: Sieve) -> None:
    """Both calls, once.

    Raises:
        SourceError: EKS does not answer, or does not allow one.
    """
    for name in _names(outside):
        outside.get(f"/clusters/{quote(name, safe='')}", Raw)
        return


def _names(outside: Sieve) -> Iterator[str]:
    walk, token = Walk("/clusters"), None
    while True:
        params = {"maxResults": SIZE, "nextToken": token}
        page = walk.page(_ids, partial(outside.get, "/clusters", _Names, params=params)).body
        if page is None:
            raise Unexpected("/clusters: said `unchanged` to a request without validators")
        yield from page.clusters
        token = page.next_token
        if not token:
            return


def _ids(answer: Answer[_Names]) -> tuple[str, ...]:
    return tuple(answer.body.clusters) if answer.body else ()


def _reading(row: _Cluster) -> CloudCluster:
    _, _, _, region, account, _ = row.arn.split(":", 5)
    return CloudCluster(
        about=Ref(system=SYSTEM, kind="cluster", id=f"{Provider.EKS}/{account}/{region}/{row.name}"),
        provider=Provider.EKS,
        account=account,
        region=region,
        name=row.name,
        version=row.version,
        issuer=row.identity.oidc.issuer.rstrip("/") if row.identity else "",
    )
