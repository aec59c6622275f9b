"""By which name a cluster signs its tokens: in a cloud the name of this very cluster, whatever it is called here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from msgspec import Struct

from platform_meter.model.facts import Ref
from platform_meter.model.facts.kubernetes import ClusterIssuer
from platform_meter.model.source import Forbidden, Outside, Page, Unexpected
from platform_meter.sources.kit.clusters import missing
from platform_meter.sources.kit.workloads import SYSTEM

PATH = "/.well-known/openid-configuration"
"""OpenID Connect Discovery 1.0, section 4. Every service account may read it by default."""
EVERY = timedelta(hours=1)
"""Time between two looks."""
ADVICE = missing("get", f"nonResourceURL {PATH}")
_NOT_FOUND = 404


class _Discovered(Struct):
    issuer: str


def read(cluster: str, outside: Outside) -> Iterator[Page]:
    """The name; none where the cluster does not tell.

    Raises:
        Forbidden: the role may not read it.
    """
    try:
        found = outside.get(PATH, _Discovered).body
    except Unexpected as error:
        if error.status != _NOT_FOUND:
            raise
        found = None
    except Forbidden as error:
        raise Forbidden(ADVICE, error.retry) from None
    about = Ref(system=SYSTEM, kind="cluster", id=cluster)
    facts = () if found is None else (ClusterIssuer(about=about, cluster=cluster, issuer=found.issuer.rstrip("/")),)
    yield Page(facts=facts, complete=frozenset({ClusterIssuer}))
