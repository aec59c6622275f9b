"""Names and bounds that both ways of pushing share: CDEvents and plain JSON."""

from __future__ import annotations

import re

from platform_meter.model.facts import Ref
from platform_meter.sources.kit.pushed import repository_links, service_ref

SYSTEM = "push"
_COMMIT = re.compile(r"[0-9a-f]{40}|(?=[0-9a-f]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{15,40}")
"""A name of a commit that is long enough to be found by."""


def is_commit(text: str) -> bool:
    return _COMMIT.fullmatch(text) is not None


def about(service: str | None, repository: str | None) -> Ref:
    """What an event is about: the service, else the repository, whose owner may be known from its own source."""
    links = repository_links(repository) if repository else ()
    if service:
        return service_ref(SYSTEM, service, links=links)
    return Ref(system=SYSTEM, kind="repository", id=repository or "", links=links)
