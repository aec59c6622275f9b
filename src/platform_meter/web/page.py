"""What a page is: an address, a place in the navigation, a template and the function that fills it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from platform_meter.runtime.access.roles import Role
from platform_meter.web.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """The page of one thing, below the page that lists all."""

    template: str
    fill: Callable[[View, str], Mapping[str, Any] | None]
    """Values by the names that the template uses; None for a thing that is not known."""
    role: Role | None = None
    """Who may see it; None is who may see the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebPage:
    """One page; each folder in `web/pages/` names its own."""

    path: str
    title: str
    place: int
    """Where it stands in the navigation: domain section 15 counts so, the overview is 0."""
    template: str
    """Its place below `web/pages/`."""
    fill: Callable[[View], Mapping[str, Any]]
    """Values by the names that the template uses."""
    detail: Detail | None = None
    role: Role = Role.VIEWER
    """Who may see it."""
