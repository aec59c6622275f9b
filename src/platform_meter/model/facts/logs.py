"""Facts of where logs are kept (domain section 13)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from platform_meter.model.facts import Facts, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class LogIndex(Reading):
    """The documents of all indices that one pattern names, as they were when they were last looked at."""

    index: str
    """The pattern as it is declared: `logs-*`."""
    newest: datetime | None
    """What the newest of its documents is dated, of those that are not dated in the future; None where there is none."""


FACTS = Facts(readings=(LogIndex,))
