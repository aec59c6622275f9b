"""What the page of sources asks of the store beside what measures do: what reading costs, who does it, how much there is."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from platform_meter.model.facts import Event, Reading
from platform_meter.store import Calls, GapRow, Lease, Quota, Told


class Records(Protocol):
    """The store implements it; all is of one moment, that of the view."""

    def calls(self, span: timedelta) -> Sequence[Calls]:
        """Calls to APIs of the last `span`, at most a day, by source and outcome, by whichever replica."""
        ...

    def quotas(self) -> Sequence[Quota]:
        """What APIs last told of their quotas."""
        ...

    def leases(self) -> Mapping[str, Lease]:
        """Who polls which source."""
        ...

    def gap_counts(self) -> Mapping[str, int]:
        """How many ranges of history could not be read, by source."""
        ...

    def gaps(self, limit: int, instance: str = "") -> Sequence[GapRow]:
        """Ranges of history that could not be read, of one source or of all, the latest first."""
        ...

    def told(self, instance: str, kinds: Collection[type[Event | Reading]], since: datetime) -> Sequence[Told]:
        """How much one source has told of each of these kinds, by name; events since `since` are counted."""
        ...

    def rejected(self) -> Sequence[tuple[str, str, str, int]]:
        """Rows that were refused: type of the source, kind, reason, and how often one was seen."""
        ...
