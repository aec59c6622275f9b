"""Kinds of event as tables for people who ask in SQL: the columns of each, and what each column holds.

`store.views` makes views of them, `docs/sql.md` names them. Within a version columns are added alone: none goes, none is
renamed, and none comes to hold something else.
"""

from __future__ import annotations

import re
from dataclasses import MISSING, Field, dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, get_args, get_type_hints

from platform_meter.model.facts import Event

VERSION = 1
PREFIX = f"pm_v{VERSION}_"


class Holds(StrEnum):
    """What a column holds."""

    TIME = "time (UTC)"
    SECONDS = "seconds"
    WHOLE = "whole number"
    NUMBER = "number"
    TRUTH = "true or false"
    TEXT = "text"
    JSON = "text of JSON"


_HOLDS = (
    (datetime, Holds.TIME),
    (timedelta, Holds.SECONDS),
    (bool, Holds.TRUTH),  # before `int`, which it is too
    (int, Holds.WHOLE),
    (float, Holds.NUMBER),
    (str, Holds.TEXT),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    name: str
    holds: Holds
    default: Any = None
    """What it says of an event that was stored before its kind had this field."""


COMMON = (
    Column(name="source", holds=Holds.TEXT),
    Column(name="key", holds=Holds.TEXT),
    Column(name="at", holds=Holds.TIME),
    Column(name="updated", holds=Holds.TIME),
    Column(name="object", holds=Holds.TEXT),
    Column(name="object_kind", holds=Holds.TEXT),
    Column(name="service", holds=Holds.TEXT),
    Column(name="team", holds=Holds.TEXT),
)
"""What every view begins with; service and team are those of the event's time."""


def name(kind: type[Event]) -> str:
    """Of its view: `pm_v1_pipeline_run`."""
    return PREFIX + re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).lower()


def columns(kind: type[Event]) -> tuple[Column, ...]:
    """The columns of its own fields, in their order; they follow `COMMON`."""
    base, hints = {field.name for field in fields(Event)}, get_type_hints(kind)
    return tuple(_column(field, hints[field.name]) for field in fields(kind) if field.name not in base)


def _column(field: Field[Any], hint: Any) -> Column:
    said = [one for one in get_args(hint) if one is not NoneType] if isinstance(hint, UnionType) else [hint]
    type_ = said[0] if isinstance(said[0], type) else object
    holds = next((held for of, held in _HOLDS if issubclass(type_, of)), Holds.JSON)
    default = field.default if field.default_factory is MISSING else field.default_factory()
    return Column(name=field.name, holds=holds, default=None if default is MISSING else default)
