"""Which tickets belong to a queue."""

from __future__ import annotations

import pytest
from tests.support.history import source
from tests.support.tickets import MONDAY, created, ticketing

from platform_meter.measures.support.tickets import belongs


@pytest.mark.parametrize(
    ("wanted", "belonging"),
    [
        ({"type": "jira"}, True),
        ({"type": "jira", "instance": "jira-eu"}, True),
        ({"type": "jira", "select": "project in (OPS, PLAT)"}, True),
        ({"type": "jira", "select": "project = OPS"}, False),
        ({"type": "jira", "instance": "jira-us"}, False),
        ({"type": "github"}, False),
    ],
)
def test_a_ticket_belongs_by_source_type_instance_and_queue(wanted: dict[str, str], belonging: bool) -> None:
    """The instance only counts where it is named, the queue only where one is selected."""
    state = source("jira-eu", "jira", watermark=MONDAY)
    assert belongs(ticketing(source=wanted), state, created()) is belonging
