"""Kong's answers as far as they are read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar, Generic, TypeVar

from msgspec import Struct, field

from platform_meter.sources.kit.rows import Row, sound

E = TypeVar("E", bound="Entity | DataPlane")


class Ident(Struct):
    id: str


class Entity(Row, kw_only=True):
    """What every list of the Admin API has rows of."""

    id: str
    tags: list[str] | None = None
    created_at: float | None = None
    """Epoch seconds."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.created_at is not None:
            try:
                made = datetime.fromtimestamp(self.created_at, UTC)
            except (OverflowError, OSError, ValueError):
                raise ValueError("`created_at` is an impossible time") from None
            sound(made, "created_at")

    @property
    def since(self) -> datetime | None:
        return None if self.created_at is None else datetime.fromtimestamp(self.created_at, UTC)


class Workspace(Entity, kw_only=True):
    name: str


class ServiceRow(Entity):
    becomes: ClassVar[str] = "Route"

    name: str | None = None


class RouteRow(Entity):
    becomes: ClassVar[str] = "Route"

    name: str | None = None
    service: Ident | None = None


class ConsumerRow(Entity):
    becomes: ClassVar[str] = "Consumer"

    username: str | None = None


class DataPlane(Row, kw_only=True):
    becomes: ClassVar[str] = "SliCount"

    id: str
    last_seen: float
    """Epoch seconds of its last sign of life, twice a minute while all is well."""


class Switches(Struct):
    """Of a plugin's configuration, what the plugin prometheus counts. Other plugins may call other things so."""

    status_code_metrics: Any = None
    latency_metrics: Any = None


class PluginRow(Entity, kw_only=True):
    becomes: ClassVar[str] = "Plugin"

    name: str
    enabled: bool = True
    route: Ident | str | None = None
    service: Ident | str | None = None
    consumer: Ident | str | None = None
    """The official description has ids here, Kong itself writes objects that hold one."""
    config: Switches = field(default_factory=Switches)


class Listed(Struct, Generic[E]):
    """One page of a list; the last has no `offset`."""

    data: list[E]
    offset: str | None = None


class Plugins(Struct):
    enabled_in_cluster: list[str] | dict[str, Any] = field(default_factory=list)
    """An empty list of Lua is written as an object."""


class Configuration(Struct):
    role: Any = None


class Info(Struct):
    """What Kong says of itself."""

    plugins: Plugins = field(default_factory=Plugins)
    configuration: Configuration = field(default_factory=Configuration)
