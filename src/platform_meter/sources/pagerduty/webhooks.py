"""What PagerDuty pushes (V3 webhooks): the same incidents, under the same keys, as far as a delivery tells them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from platform_meter.model.facts import Event
from platform_meter.model.push import Pushed, Receiver, Scheme, Unreadable
from platform_meter.sources.kit.pushed import decoded, past
from platform_meter.sources.pagerduty.config import Config
from platform_meter.sources.pagerduty.facts import ACKNOWLEDGING, pushed_incidents
from platform_meter.sources.pagerduty.rows import Delivery, IncidentRow

ENDING = "incident.resolved"
TELLING = frozenset(
    {
        "incident.triggered",
        ACKNOWLEDGING,
        "incident.unacknowledged",
        ENDING,
        "incident.reopened",
        "incident.priority_updated",
        "incident.service_updated",
        "incident.reassigned",
        "incident.delegated",
        "incident.escalated",
    }
)
"""Events whose `data` is an incident."""


def read_pushed(config: Config, pushed: Pushed) -> Sequence[Event]:
    """The incident that a delivery tells of; nothing where it tells of something else, or of another service or team.

    Of one that stands resolved only its resolution says when that was: what else happens to it is told by the next poll.

    Raises:
        Unreadable: it is no delivery of a V3 webhook.
    """
    event = decoded(pushed.body, Delivery).event
    if event.event_type not in TELLING:
        return ()
    row = decoded(bytes(event.data), IncidentRow)
    if event.occurred_at is None:
        raise Unreadable("`event.occurred_at` is missing; send V3 webhooks, which say when an event occurred")
    occurred = past(event.occurred_at, pushed.at, "`event.occurred_at`")
    unsaid = row.ended and event.event_type != ENDING and row.resolved_at is None and row.last_status_change_at is None
    if unsaid or not config.conventions.wants(row):
        return ()
    return pushed_incidents(row, config.conventions, event.event_type, occurred)


RECEIVER = Receiver(read=read_pushed, scheme=Scheme.PAGERDUTY, secret=lambda config: config.webhook)
