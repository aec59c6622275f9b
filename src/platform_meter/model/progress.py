"""How far a long read is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a long import is, for the Sources page and the terminal. What is not known is None."""

    what: str
    """What is read, in the source's words: `repositories of acme`."""
    done: int | None = None
    """How many of them are read."""
    of: int | None = None
    """How many there are."""
    back_to: datetime | None = None
    """How far back history was read, by a source that reads the latest first."""

    def __str__(self) -> str:
        """As people say it: `120 of 308 repositories of acme, back to 2026-03-05`."""
        done = "" if self.done is None else f"{self.done:,} "
        of = "" if self.done is None or self.of is None else f"of {self.of:,} "
        back = "" if self.back_to is None else f", back to {self.back_to:%Y-%m-%d}"
        return f"{done}{of}{self.what}{back}"
