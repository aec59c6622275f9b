"""What stands in Kong: workspaces, and in each of them services, routes, consumers and plugins, page by page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from urllib.parse import quote

from platform_meter.model.facts import Ref
from platform_meter.model.facts.traffic import Consumer, Plugin, Route
from platform_meter.model.source import Answer, Outside, Unexpected
from platform_meter.sources.kit.walk import Walk
from platform_meter.sources.kong.rows import (
    ConsumerRow,
    E,
    Entity,
    Ident,
    Listed,
    PluginRow,
    RouteRow,
    ServiceRow,
    Workspace,
)

SYSTEM = "kong"
SIZE = 1_000
"""Rows of a page; Kong's most."""
DEFAULT = "default"
"""The workspace that is there without any; its objects are named without it, in both editions."""
NOT_FOUND = 404
_NAMESPACE = "k8s-namespace"
"""By this tag Kong's ingress controller tells whose a route is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Under which names the objects of one configured Kong go."""

    gateway: str
    cluster: str
    """The cluster whose ingress controller configures it; empty where people do."""

    def id(self, workspace: str, *names: str) -> str:
        return "/".join((self.gateway, *filter(None, (workspace,)), *names))


@dataclass(slots=True)
class Routes:
    """Every route by name and workspace, as it was listed last; one that is gone keeps its place: it may have counted."""

    known: dict[str, dict[str, Ref]] = field(default_factory=dict)

    def keep(self, workspace: str, name: str, ref: Ref) -> None:
        self.known.setdefault(name, {})[workspace] = ref

    def find(self, workspace: str, name: str) -> Ref | None:
        """The route that a sample of Kong's metrics is about; without a workspace the one of its name, if it is one."""
        named = self.known.get(name, {})
        if not workspace and len(named) == 1:
            return next(iter(named.values()))
        return named.get(_called(workspace))


def listing(outside: Outside, path: str, type_: type[Listed[E]]) -> Iterator[E]:
    """Every row of a list; raises what `pages` does."""
    for page in pages(outside, path, type_):
        if page.body is not None:
            yield from page.body.data


def pages(outside: Outside, path: str, type_: type[Listed[E]]) -> Iterator[Answer[Listed[E]]]:
    """Every page of a list.

    Raises:
        SourceError: one of its pages can't be had.
        Unexpected: the same page comes again and again.
    """
    walk, offset = Walk(path), None
    while True:
        params = {"size": SIZE, "offset": offset}
        answer: Answer[Listed[E]] = walk.page(_ids, partial(outside.get, path, type_, params=params))
        yield answer
        offset = answer.body.offset if answer.body else None
        if not offset:
            return


def _ids(answer: Answer[Listed[E]]) -> tuple[str, ...]:
    return tuple(row.id for row in answer.body.data) if answer.body else ()


def _called(workspace: str) -> str:
    return "" if workspace == DEFAULT else workspace


def workspaces(globs: Iterable[str], outside: Outside) -> list[str]:
    """The workspaces to read, that without a name for the default one; the open source edition has that alone."""
    try:
        names = [row.name for row in listing(outside, "/workspaces", Listed[Workspace])]
    except Unexpected as error:
        if error.status != NOT_FOUND:
            raise
        names = [DEFAULT]
    return [_called(name) for name in names if any(fnmatchcase(name, glob) for glob in globs)]


def at(workspace: str, name: str) -> str:
    """The path of a list in a workspace."""
    return f"/{quote(workspace, safe='')}/{name}" if workspace else f"/{name}"


@dataclass(slots=True)
class Standing:
    """What stands in one workspace, read in an order in which each row finds what it names."""

    place: Place
    workspace: str
    _refs: dict[str, tuple[str, Ref]] = field(default_factory=dict)
    """Name and reference of services, routes and consumers by their ids."""

    def routes(self, outside: Outside) -> Iterator[tuple[str, Route]]:
        """Each with its name. A route that has none is called by its id, as Kong's metrics call it."""
        tags: dict[str, Mapping[str, str]] = {}
        for service in listing(outside, at(self.workspace, "services"), Listed[ServiceRow]):
            tags[service.id] = {"service": service.name or service.id, **_words(service)}
            self._keep("service", service, service.name, tags[service.id])
        for route in listing(outside, at(self.workspace, "routes"), Listed[RouteRow]):
            labels = {**(tags.get(route.service.id, {}) if route.service else {}), **_words(route)}
            ref = self._keep("route", route, route.name, labels)
            yield route.name or route.id, Route(about=ref, since=route.since, gateway=self.place.gateway)

    def consumers(self, outside: Outside) -> Iterator[Consumer]:
        """An address of a person is no name of an application: such a consumer is called by its id."""
        for row in listing(outside, at(self.workspace, "consumers"), Listed[ConsumerRow]):
            name = row.username if row.username and "@" not in row.username else None
            ref = self._keep("consumer", row, name, _words(row))
            yield Consumer(about=ref, since=row.since, gateway=self.place.gateway)

    def plugins(self, outside: Outside) -> Iterator[Plugin]:
        """Those that are switched on, as whoever owns the route, the service or the consumer that each is on has them."""
        for row in listing(outside, at(self.workspace, "plugins"), Listed[PluginRow]):
            if not row.enabled:
                continue
            on = [self._refs.get(id_, (id_, None)) for id_ in map(_id, (row.route, row.service, row.consumer)) if id_]
            of = next((ref for _, ref in on if ref), None)
            ref = Ref(
                system=SYSTEM,
                kind="plugin",
                id=self.place.id(self.workspace, *(name for name, _ in on), row.name),
                labels=_sorted({**(dict(of.labels) if of else {}), **_words(row)}),
                links=of.links if of else (),
            )
            yield Plugin(about=ref, since=row.since, gateway=self.place.gateway, plugin=row.name)

    def _keep(self, kind: str, row: Entity, name: str | None, labels: Mapping[str, str]) -> Ref:
        namespace = labels.get(_NAMESPACE)
        ref = Ref(
            system=SYSTEM,
            kind=kind,
            id=self.place.id(self.workspace, name or row.id),
            labels=_sorted(labels),
            links=(f"kubernetes:{self.place.cluster}/{namespace}",) if namespace and self.place.cluster else (),
        )
        self._refs[row.id] = (name or row.id, ref)
        return ref


def _id(named: Ident | str | None) -> str:
    return named.id if isinstance(named, Ident) else named or ""


def _sorted(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(labels.items()))


def _words(row: Entity) -> dict[str, str]:
    """Its tags as labels: `team:pay` and `team=pay` are a name and a value, `public` is a name that is true."""
    found: dict[str, str] = {}
    for tag in row.tags or ():
        name, _, value = tag.replace("=", ":", 1).partition(":")
        if name:
            found.setdefault(name, value or "true")
    return found
