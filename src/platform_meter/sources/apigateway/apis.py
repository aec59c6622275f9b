"""APIs of an account and region, how they are called here, and what stands in them: routes, and who may call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from platform_meter.model.facts import Ref
from platform_meter.model.facts.traffic import Consumer, Route
from platform_meter.model.source import Answer, Gap, Page, Refused, Unexpected
from platform_meter.model.typed import decode
from platform_meter.sources.apigateway.rows import (
    ApiKey,
    HttpApi,
    HttpPage,
    HttpRoute,
    Pageful,
    Resource,
    RestApi,
    RestPage,
)
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.walk import Walk

SYSTEM = "apigateway"
GONE = 404
"""What was deleted since it was listed."""
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """One API, or several REST APIs of one name, whose counts nobody can tell apart."""

    path: str
    """Of its routes."""
    name: str
    labels: tuple[tuple[str, str], ...]
    counted_as: tuple[str, str]
    """The dimension by which CloudWatch knows it."""


class State(msgspec.Struct):
    """The checkpoint of the routes."""

    hidden: dict[str, datetime] = msgspec.field(default_factory=dict)
    """APIs whose routes we may not see, since when."""


def apis(outside: Sieve, tags: Sequence[str]) -> list[Api]:
    """All REST and HTTP APIs; of their tags the named ones.

    CloudWatch knows a REST API by its name without what is no ASCII, and an HTTP API by its id. An HTTP API whose name
    another API has too is told with its id.
    """
    rest = list(listed(outside, "/restapis", RestPage[RestApi]))
    http = [api for api in listed(outside, "/v2/apis", HttpPage[HttpApi]) if api.protocol_type == "HTTP"]
    called = Counter(api.name for api in http) + Counter({_ascii(api.name): 1 for api in rest})
    common: dict[str, set[tuple[str, str]]] = {}
    for api in rest:
        common.setdefault(_ascii(api.name), set(_kept(api.tags, tags))).intersection_update(_kept(api.tags, tags))
    return [
        *(
            Api(
                path=f"/restapis/{api.id}/resources",
                name=name,
                labels=tuple(sorted(common[name])),
                counted_as=("ApiName", name),
            )
            for api in rest
            if (name := _ascii(api.name))
        ),
        *(
            Api(
                path=f"/v2/apis/{api.api_id}/routes",
                name=api.name if called[api.name] == 1 else f"{api.name}.{api.api_id}",
                labels=_kept(api.tags, tags),
                counted_as=("ApiId", api.api_id),
            )
            for api in http
        ),
    ]


def _ascii(name: str) -> str:
    return name.encode("ascii", "ignore").decode()


def _kept(found: Mapping[str, str] | None, tags: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, value) for name, value in (found or {}).items() if name in tags))


def routes(
    outside: Sieve, gateway: str, tags: Sequence[str], checkpoint: bytes | None, now: datetime
) -> Iterator[Page]:
    """Every route of every API. One that may not be seen is a gap and hides no other.

    Raises:
        Refused: no API's routes may be seen.
    """
    state = decode(checkpoint, State) if checkpoint else State()
    found: dict[str, Route] = {}
    hidden: dict[str, datetime] = {}
    listed = apis(outside, tags)
    for api in listed:
        try:
            keys = list(_routes(outside, api.path))
        except Refused as error:
            hidden[api.path] = since = state.hidden.get(api.path, now)
            if len(hidden) == len(listed):
                raise
            outside.gap(Gap(start=since, end=since, reason="forbidden", text=f"{api.name}: {error}"))
            continue
        except Unexpected as error:
            if error.status != GONE:
                raise
            continue
        for key in keys:
            about = Ref(system=SYSTEM, kind="route", id=f"{gateway}/{api.name}/{key}", labels=api.labels)
            found[about.id] = Route(about=about, gateway=gateway)
    held = msgspec.json.encode(State(hidden=hidden))
    yield Page(facts=tuple(found.values()), complete=frozenset({Route}), checkpoint=held)


def _routes(outside: Sieve, path: str) -> Iterator[str]:
    """`GET /orders`, as an HTTP API writes a route itself."""
    if path.startswith("/v2/"):
        yield from (route.route_key for route in listed(outside, path, HttpPage[HttpRoute]))
        return
    for resource in listed(outside, path, RestPage[Resource]):
        yield from (f"{verb} {resource.path}" for verb in sorted(resource.resource_methods or ()))


def consumers(outside: Sieve, gateway: str) -> Iterator[Page]:
    """API keys that are enabled."""
    about = (Ref(system=SYSTEM, kind="consumer", id=f"{gateway}/{name}") for name in key_names(outside).values())
    facts = tuple(Consumer(about=ref, gateway=gateway) for ref in about)
    yield Page(facts=facts, complete=frozenset({Consumer}))


def key_names(outside: Sieve) -> dict[str, str]:
    """API keys that are enabled, from id to name; one whose name another has too is told with its id."""
    keys = [key for key in listed(outside, "/apikeys", RestPage[ApiKey]) if key.enabled]
    named = Counter(key.name for key in keys)
    return {
        key.id: key.name if key.name and named[key.name] == 1 else ".".join(filter(None, (key.name, key.id)))
        for key in keys
    }


def listed(outside: Sieve, path: str, type_: type[Pageful[R]], params: Mapping[str, str] | None = None) -> Iterator[R]:
    """All rows of one list, page by page."""
    walk, place = Walk(path), None
    size, most, begins = type_.asks

    def ask() -> Answer[Any]:
        return outside.get(path, type_, params={**(params or {}), size: most, begins: place})

    while True:
        page = walk.page(_digest, ask).body or type_()
        yield from page.rows
        place = page.place
        if not place:
            return


def _digest(answer: Answer[Any]) -> tuple[str, ...]:
    return tuple(map(repr, answer.body.rows)) if answer.body else ()
