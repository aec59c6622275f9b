"""Applications by Argo CD's own API: one list a poll."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct, field

from platform_meter.model.facts import Reading
from platform_meter.model.facts.gitops import GitopsApp
from platform_meter.model.source import Gap, Outside, Page, Refused, Unexpected
from platform_meter.model.typed import decode
from platform_meter.sources.argocd.commits import PATH, Asked, Commits
from platform_meter.sources.argocd.rows import Application
from platform_meter.sources.argocd.told import Syncs
from platform_meter.sources.kit.list_watch import Place as Watching
from platform_meter.sources.kit.rows import Sieve

FIELDS = ",".join(
    (
        "metadata.resourceVersion",
        *(f"items.metadata.{part}" for part in ("name", "namespace", "uid", "labels", "ownerReferences")),
        *(f"items.metadata.{part}" for part in ("creationTimestamp", "deletionTimestamp")),
        "items.spec",
        "items.operation",
        *(f"items.status.{part}" for part in ("sync", "health", "operationState", "history", "reconciledAt")),
        "items.status.resources",
    )
)
"""What is asked of each application; servers that don't know the parameter give all of it."""


class Applications(Struct):
    items: list[Application] | None = None


class State(Watching, omit_defaults=True):
    """The checkpoint: one of a watch that has not listed yet, so that the way in may be changed at any time.

    `listed` is the first poll of all: of syncs long before it no commit is asked for.
    """

    asked: dict[str, Asked] = field(default_factory=dict)


def read(
    outside: Sieve,
    checkpoint: bytes | None,
    now: datetime,
    *,
    overlap: timedelta,
    sayer: Callable[[tuple[str, ...]], Syncs],
    stands: Callable[[Application], Reading | None],
) -> Iterator[Page]:
    """One look at all applications.

    Raises:
        SourceError: the list can't be read.
    """
    before = decode(checkpoint, State) if checkpoint else None
    state = State(version="", listed=before.listed if before else now, seen=now)
    if before is None:
        # The moment of the first poll decides which commits are asked for: it is kept even if nothing else works.
        yield Page(checkpoint=msgspec.json.encode(state))
    apps = listed(outside)
    syncs = sayer(before.waiting if before else ())
    commits = Commits(outside, before.asked if before else {}, state.listed - overlap)
    facts = [commits.put(app, event) for app in apps for event in syncs.listed(app)]
    readings = [reading for app in apps if (reading := stands(app)) is not None]
    syncs.keep(app.metadata.uid for app in apps)
    if before is not None and now - before.seen > overlap:
        text = f"{PATH}: only the last operation of each application is kept; nobody looked at it in that time"
        outside.gap(Gap(start=before.seen, end=now, reason="expired", text=text))
    state.waiting, state.asked = syncs.waiting, commits.asked
    yield Page(facts=(*facts, *readings), complete=frozenset({GitopsApp}), checkpoint=msgspec.json.encode(state))


def listed(outside: Outside, fields: str = FIELDS) -> list[Application]:
    """All applications that the token may see.

    Raises:
        SourceError: as `outside` has it.
    """
    answer = outside.get(PATH, Applications, params={"fields": fields})
    return list(answer.body.items or ()) if answer.body else []


def check(outside: Outside) -> list[str]:
    """One line where the token sees nothing: Argo CD leaves out what it may not see."""
    advice = "give its role `applications, get` on the projects to be measured"
    try:
        found = listed(outside, "items.metadata.name,items.metadata.namespace")
    except Refused as error:
        return [f"{error}; {advice}"]
    except Unexpected as error:
        if error.status != 404:
            raise
        return [f"{error}; `url` must be the address of Argo CD's server, with its path prefix"]
    return [] if found else [f"no application can be seen; {advice}"]
