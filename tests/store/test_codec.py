"""Bodies of stored facts outlive the code that wrote them."""

from __future__ import annotations

from dataclasses import replace

from platform_meter.model.facts.tickets import TicketEvent
from platform_meter.store import codec

OLD = (
    b'{"key":"1/created","at":"2026-05-20T12:00:00Z","about":{"system":"jira","kind":"project","id":"PLAT","labels":[],'
    b'"links":[]},"updated":null,"queue":"PLAT","ticket":"PLAT-1","change":"created","role":"reporter","public":true,'
    b'"status":"Open","priority":"P3","category":"CI","resolution":null}'
)


def test_a_ticket_stored_before_types_and_labels_were_kept_is_read() -> None:
    """What it lacks is not known; the rest is as it was."""
    event = codec.decoder(TicketEvent).decode(OLD)
    assert (event.category, event.issue_type, event.labels) == ("CI", None, None)


def test_labels_come_back_as_they_were() -> None:
    """None (unchanged), none at all and some are three things."""
    event = codec.decoder(TicketEvent).decode(OLD)
    for labels in (None, (), ("a", "b")):
        body = codec.encode(replace(event, labels=labels))
        assert codec.decoder(TicketEvent).decode(body).labels == labels
