"""What a portal's catalog says (domain section 3)."""

from __future__ import annotations

from dataclasses import dataclass, field

from platform_meter.model.facts import Facts, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogEntity(Reading):
    """A portal's entry: its owner and the annotations that tie other systems' objects to it (rule 2)."""

    service: str
    team: str
    annotations: tuple[tuple[str, str], ...] = field(default=())


FACTS = Facts(readings=(CatalogEntity,))
