"""What the config file may say of one NGINX: its pages, its access log, and what its routes are called."""

from __future__ import annotations

import re
from datetime import timedelta
from fnmatch import translate
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from platform_meter.model.access import Access, Basic, Secret
from platform_meter.model.scalars import Address, Definition, Duration, LocalPath, PlacedError
from platform_meter.model.source import SourceConfig
from platform_meter.sources.kit.slicing import Slice
from platform_meter.sources.kit.tail import Log

SYSTEM = "nginx"
STATUS = "status"
"""Name of the status page beside the source (`Outside.beside`)."""
_ADDRESS = re.compile(r"(https?://[^/]+)(/.*)?")


def is_name(text: str) -> str:
    """What a gateway or a route may be called.

    Raises:
        ValueError: it would be read as a path of two names, or can't be seen.
    """
    if text != text.strip() or not text.isprintable() or "/" in text:
        raise ValueError(f"'{text}' is no name; write letters and digits, without / and blanks around")
    return text


Name = Annotated[str, AfterValidator(is_name)]
Some = Annotated[str, Field(min_length=1)]


class Fields(Definition):
    """Keys of a line of the access log that hold what is read."""

    time: Some = "time"
    """Seconds since 1970 (`$msec`) or ISO 8601 (`$time_iso8601`)."""
    status: Some = "status"
    request_time: Some = "request_time"
    server_name: Some = "server_name"
    uri: Some = "uri"
    route: Some = "route"
    """What the configuration of NGINX itself calls the route, where it does."""


class Config(SourceConfig):
    """Settings of one NGINX. At least one of `status`, `metrics` and `access_log` is given."""

    gateway: Name = ""
    """What it is called in metrics; the name of the source unless it is said."""
    status: Address | None = None
    """Address of `stub_status`, or of the page of prometheus-nginx-exporter."""
    metrics: tuple[Address, ...] = ()
    """Addresses of the pages of ingress-nginx's controllers."""
    cluster: Name = ""
    """What the kubernetes source calls the cluster of the controllers."""
    access_log: LocalPath | None = None
    """Path of the access log, in JSON."""
    rotated: str = ""
    """Glob of the names of its rotated files; without it all that begin with its own."""
    fields: Fields = Fields()
    routes: dict[Some, Name] = Field(default_factory=dict)
    """What routes are called, by globs of server name and path, the first that fits."""
    slice: Slice = timedelta(minutes=5)
    """Of the log and of `metrics`, what was counted in so much time is told as one."""
    delay: Duration = timedelta(minutes=1)
    """A slice of the log is told when it ended this long ago."""
    user: str = ""
    password: Secret | None = None
    ca_file: LocalPath | None = None

    @model_validator(mode="after")
    def _reads(self) -> Self:
        if not (self.status or self.metrics or self.access_log):
            raise ValueError("it reads nothing; write status, metrics or access_log")
        if self.metrics and self.access_log:
            text = "metrics and access_log tell of the same requests, which would be counted twice; write one of them, and another source for another NGINX"
            raise PlacedError(text, "access_log")
        if bool(self.user) != (self.password is not None):
            text = "user and password go together; write both or none"
            raise PlacedError(text, "user" if self.user else "password")
        return self

    @property
    def pages(self) -> dict[str, Address]:
        """Addresses by their names beside the source."""
        status = {STATUS: self.status} if self.status else {}
        return status | {f"metrics-{number}": address for number, address in enumerate(self.metrics, 1)}

    @property
    def log(self) -> Log | None:
        return None if self.access_log is None else Log(path=self.access_log, rotated=self.rotated)

    def access(self) -> Access:
        credential = None if self.password is None else Basic(user=self.user, password=self.password)
        beside = {
            name: Access(url=place(address)[0], credential=credential, ca_file=self.ca_file)
            for name, address in self.pages.items()
        }
        return Access(beside=beside)


def place(address: Address) -> tuple[str, str]:
    """The server and the path of a page there."""
    found = _ADDRESS.fullmatch(address)
    return (found[1], found[2] or "/") if found else (address, "/")


class Routes:
    """What the settings call routes."""

    def __init__(self, globs: dict[str, str]) -> None:
        self._named = [(re.compile(translate(glob)), name) for glob, name in globs.items()]

    def name(self, server: str, path: str) -> str:
        """Of the first glob that fits; empty where none does."""
        place = server + path
        return next((name for glob, name in self._named if glob.match(place)), "")
