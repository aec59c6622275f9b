"""What each folder here says of its system, as one constant `API`: how it is served, and what the exporter is told of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Any
from wsgiref.types import WSGIApplication

from platform_meter.demo.company.layout import Company
from platform_meter.demo.world import World
from platform_meter.model.found import found

SECRETS = "secrets"
"""The folder of credentials, beside the configuration."""
PROFILES = "aws"
"""The file in it that AWS' own programs would call their configuration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One server of a system, about to be served."""

    name: str
    url: str
    """Under which callers reach it."""
    stop: Event
    """Set when serving ends: what waits has to end then."""
    settings: Mapping[str, int] = field(default_factory=dict)
    """Those of its `DemoApi`, as the command line wants them."""
    urls: Mapping[str, str] = field(default_factory=dict)
    """Of every server by its name, known once the first one is asked."""
    authority: str = ""
    """PEM of the authority of those that speak TLS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A profile of AWS' shared configuration, which leads to a simulated account."""

    url: str
    """Of all services."""
    key: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the exporter's files say of a system."""

    sources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Sections of `sources:` by name."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Text of each file under `SECRETS`, which only its owner may read."""
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    """Profiles of AWS by name, in `SECRETS`/`PROFILES`."""
    definitions: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    """Documents by the name of their file, without `.yaml`."""
    rules: Sequence[Mapping[str, str]] = ()
    """Rules of ownership for what the system names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoApi:
    """A system that is simulated."""

    name: str
    """As people write it."""
    instances: Callable[[Company], Sequence[str]]
    """Names of its servers; no other system has one of these."""
    app: Callable[[World, Instance], WSGIApplication]
    threads: int
    """Per server; each watch holds one."""
    scraped: bool = False
    """Whether prometheus.yml names it: then it comes first, so that its port stays however many others there are."""
    settings: Mapping[str, int] = field(default_factory=dict)
    """Usual numbers by the option of `demo.stage.server` that says them otherwise, without its dashes."""
    secure: Callable[[Company], Sequence[str]] = lambda _company: ()
    """Those of its servers that speak TLS."""
    told: Callable[[Company, Mapping[str, str]], Told] = lambda _company, _urls: Told()
    """`urls` holds the address of every instance, by its name."""


def apis() -> tuple[DemoApi, ...]:
    """Every system found beside this module, in order of its folder's name."""
    return found("platform_meter.demo.apis", DemoApi)


def instances(company: Company) -> dict[str, DemoApi]:
    """Every server by its name, in the order of their ports: those that are scraped, then the others.

    Raises:
        ValueError: two have the same name.
    """
    named: dict[str, DemoApi] = {}
    for api in sorted(apis(), key=lambda api: not api.scraped):
        for name in api.instances(company):
            if name in named:
                raise ValueError(
                    f"{named[name].name} and {api.name} both have an instance {name!r}; rename one of them"
                )
            named[name] = api
    return named


def secret(name: str) -> dict[str, str]:
    """How a source's settings name one of `Told.secrets`."""
    return {"file": f"{SECRETS}/{name}"}
