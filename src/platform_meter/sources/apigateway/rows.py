"""What Amazon's API answers, as far as it is read. Of API keys that is never the key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Generic, Protocol, TypeVar

from msgspec import Meta, Raw, Struct, field

from platform_meter.sources.kit.rows import Row

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Pageful(Protocol[R_co]):
    """One page of any list."""

    asks: ClassVar[tuple[str, int, str]]
    """What says how many rows a page may have, how many these are, and what says where it begins."""

    @property
    def rows(self) -> Sequence[R_co]: ...

    @property
    def place(self) -> str | None:
        """Where the next page begins; none on the last one."""
        ...


class RestPage(Struct, Generic[R]):
    """Of the API of REST APIs."""

    asks: ClassVar[tuple[str, int, str]] = ("limit", 500, "position")

    item: list[R] = field(default_factory=list)
    position: str | None = None

    @property
    def rows(self) -> list[R]:
        return self.item

    @property
    def place(self) -> str | None:
        return self.position


class HttpPage(Struct, Generic[R], rename="camel"):
    """Of the API of HTTP APIs."""

    asks: ClassVar[tuple[str, int, str]] = ("maxResults", 100, "nextToken")

    items: list[R] = field(default_factory=list)
    next_token: str | None = None

    @property
    def rows(self) -> list[R]:
        return self.items

    @property
    def place(self) -> str | None:
        return self.next_token


class RestApi(Row):
    becomes: ClassVar[str] = "Route"
    id: str
    name: str
    tags: dict[str, str] | None = None


class Resource(Row, rename="camel"):
    becomes: ClassVar[str] = "Route"
    id: str
    path: str
    resource_methods: dict[str, Any] | None = None
    """By verb, or `ANY`."""


class HttpApi(Row, rename="camel"):
    becomes: ClassVar[str] = "Route"
    api_id: str
    name: str
    protocol_type: str
    """HTTP or WEBSOCKET."""
    tags: dict[str, str] | None = None


class HttpRoute(Row, rename="camel"):
    becomes: ClassVar[str] = "Route"
    route_id: str
    route_key: str
    """`GET /orders`, `$default`."""


class ApiKey(Row):
    becomes: ClassVar[str] = "Consumer"
    id: str
    name: str = ""
    enabled: bool = True


class UsagePlan(Row):
    becomes: ClassVar[str] = "Usage"
    id: str
    name: str = ""


class PlanUsage(Struct):
    """What keys used of a plan, by the id of each: its `DayLogs`, as they came, so that one that is odd spoils no other."""

    asks: ClassVar[tuple[str, int, str]] = ("limit", 500, "position")

    values: dict[str, Raw] = field(default_factory=dict)
    position: str | None = None

    @property
    def rows(self) -> list[tuple[str, bytes]]:
        return [(key, bytes(logs)) for key, logs in self.values.items()]

    @property
    def place(self) -> str | None:
        return self.position


DayLogs = list[tuple[Annotated[int, Meta(ge=0)], int]]
"""Of each day that was asked for: how many requests were made, and how many were left."""
