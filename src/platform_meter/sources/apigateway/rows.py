"""What Amazon's API answers, as far as it is read. Of API keys that is never the key."""

from __future__ import annotations

from typing import Any, ClassVar, Generic, TypeVar

from msgspec import Struct, field

from platform_meter.sources.kit.rows import Row

R = TypeVar("R")


class RestPage(Struct, Generic[R]):
    """Of the API of REST APIs."""

    asks: ClassVar[tuple[str, int, str]] = ("limit", 500, "position")
    """What says how many rows a page may have, how many these are, and what says where it begins."""

    item: list[R] = field(default_factory=list)
    position: str | None = None

    @property
    def rows(self) -> list[R]:
        return self.item

    @property
    def place(self) -> str | None:
        """Where the next page begins; none on the last one."""
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
