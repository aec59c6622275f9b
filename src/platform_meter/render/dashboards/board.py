"""What a dashboard is made of, before it becomes JSON: variables, marks on the time axis, and rows of panels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from platform_meter.slo.plan import Plan

COLUMNS = 24
"""Width of Grafana's grid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A grafanalib panel in its place."""

    panel: Any
    height: int
    width: int = 0
    """Of 24 columns; 0 shares what the row has left."""
    may_be_empty: str = ""
    """The demo scenario that fills a panel which is rightly empty while all is well."""

    @property
    def title(self) -> str:
        return str(self.panel.title)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A choice at the top of the dashboard: label values that Prometheus knows, or a list."""

    name: str
    label: str
    query: str
    """`label_values(...)`, or values with commas between them."""
    listed: bool = False
    """The query is the list itself."""
    several: bool = False
    """Any number of values, all at first."""
    default: str = ""
    hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Events drawn on the time axis: one wherever the query has a value."""

    name: str
    expr: str
    title: str
    text: str
    color: str
    step: str = "60s"
    may_be_empty: str = ""
    """As for a Card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One dashboard. Its `uid` is its address and its file's name, and never changes."""

    uid: str
    title: str
    description: str
    """For whom it is, and what it answers."""
    span: str
    """Time range shown at first: `now-24h`."""
    rows: tuple[tuple[Card, ...], ...]
    variables: tuple[Variable, ...] = ()
    marks: tuple[Mark, ...] = ()
    refresh: str = "1m"

    def may_be_empty(self) -> dict[str, str]:
        """Title of each panel or mark that may be empty, and the demo scenario that fills it."""
        cards = {card.title: card.may_be_empty for row in self.rows for card in row if card.may_be_empty}
        return cards | {mark.name: mark.may_be_empty for mark in self.marks if mark.may_be_empty}


@dataclass(frozen=True, slots=True)
class Dashboard:
    """What each module in `boards/` names: how its board is made of the SLOs there are."""

    board: Callable[[Sequence[Plan]], Board]
