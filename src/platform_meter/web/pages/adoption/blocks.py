"""What keeps units from a capability: where its journey loses them, what they ask for, who is left out, what nothing matches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from platform_meter.measures.journeys.help import asked_lately
from platform_meter.model.catalogue.journeys import FUNNEL_DROPOFF
from platform_meter.model.definitions import Capability
from platform_meter.web.view import View, first_of, percent

BACK = timedelta(days=28)
MOST = 5
"""Names of exempt units."""


def what_blocks(view: View, cap: Capability, unmatched: Sequence[str], today: date) -> Sequence[Mapping[str, Any]]:
    """A line for each thing, with the page that tells more of it."""
    return [{"said": said, "href": href} for said, href in _lines(view, cap, unmatched, today)]


def _lines(view: View, cap: Capability, unmatched: Sequence[str], today: date) -> Iterator[tuple[str, str]]:
    lost = {labels["stage"]: v for labels, v in view.get(FUNNEL_DROPOFF) if labels["journey"] == cap.id and v > 0}
    if lost:
        worst = max(lost, key=lambda stage: lost[stage])
        yield f"{percent(lost[worst])} of those who come that far do not come to {worst}.", f"/journeys/{cap.id}"
    asked = asked_lately(view.scene, cap, BACK)
    if asked is not None and cap.tickets is not None:
        tickets = "1 ticket" if asked == 1 else f"{asked} tickets"
        yield f"{tickets} about {cap.tickets.category} in {BACK.days} days.", f"/support#{cap.tickets.queue}"
    left_out = sorted(one.unit for one in cap.exempt if one.until >= today)
    if left_out:
        yield f"Exempt: {first_of(left_out, MOST)}.", f"/adoption#{cap.id}"
    for text in unmatched:
        yield text, f"/adoption#{cap.id}"
