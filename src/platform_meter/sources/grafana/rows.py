"""Grafana's answers, as far as they are read. Pure.

Titles of dashboards and rules, queries and who made something are not declared, so they are dropped while decoding.
"""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec import Struct, field

from platform_meter.sources.kit.rows import Row


class Folder(Struct, rename="camel"):
    uid: str
    title: str
    folder_uid: str = ""
    """Of the folder that it lies in; empty at the top."""


class DashboardRow(Row, rename="camel"):
    becomes: ClassVar[str] = "Dashboard"
    uid: str
    tags: list[str] | None = None
    folder_uid: str = ""
    """Empty at the top."""
    folder_title: str = ""


class Views(Struct, rename="camel"):
    """A dashboard in a list that is sorted by views."""

    uid: str
    sort_meta: float = 0.0
    sort_meta_name: str = ""
    """What `sort_meta` counts; empty where the list was not sorted by it."""


class Sorting(Struct):
    """A way in which lists may be sorted."""

    name: str = ""


class Sortings(Struct, rename="camel"):
    """Answer of `/api/search/sorting`."""

    sort_options: list[Sorting] = field(default_factory=list)


class RuleRow(Row):
    """A rule as the provisioning API has it."""

    becomes: ClassVar[str] = "AlertRule"
    uid: str
    folder_uid: str = field(default="", name="folderUID")
    labels: dict[str, str] | None = None
    paused: bool = field(default=False, name="isPaused")
    record: Any = None
    """Of a recording rule, which alerts nobody."""


class Ruled(Struct):
    """What Grafana itself has of a rule in the ruler's answer."""

    uid: str
    namespace_uid: str = ""
    """Of its folder."""
    is_paused: bool = False
    record: Any = None


class RulerRule(Struct):
    grafana_alert: Ruled
    labels: dict[str, str] | None = None


class Group(Struct):
    rules: list[RulerRule] = field(default_factory=list)


Ruler = dict[str, list[Group]]
"""Answer of the ruler: groups of rules by the name of their folder."""
