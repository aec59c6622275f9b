"""Which tickets belong to a queue."""

from __future__ import annotations

import pytest
from tests.support.history import source
from tests.support.tickets import MONDAY, created, ticketing

from platform_meter.measures.support.queues import queue_keys
from platform_meter.measures.support.tickets import belongs


@pytest.mark.parametrize(
    ("select", "keys"),
    [
        ("", set()),
        ("  ", set()),
        ("PLAT", {"PLAT"}),
        ("acme/payments", {"acme/payments"}),
        ('"Platform support"', {"Platform support"}),
        ("project = PLAT", {"PLAT"}),
        ("project=PLAT", {"PLAT"}),
        ("PROJECT = 'PLAT'", {"PLAT"}),
        ("project in (PLAT)", {"PLAT"}),
        ('project IN (PLAT, "OPS" ,HELP)', {"PLAT", "OPS", "HELP"}),
    ],
)
def test_a_select_names_queues(select: str, keys: set[str]) -> None:
    """One project, several, a bare key, or nothing for all."""
    assert queue_keys(select) == keys


@pytest.mark.parametrize(
    "select",
    [
        "project = PLAT AND priority = P1",
        "project != PLAT",
        "project in ()",
        "project in (PLAT OPS)",
        "labels = ci",
        "PLAT OPS",
        "PLAT,",
    ],
)
def test_any_other_query_is_refused(select: str) -> None:
    """The text shows it and says what can be written."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole text is compared below
        queue_keys(select)
    assert str(caught.value) == (
        f"{select!r} says more than which queues; write project = PLAT, project in (PLAT, OPS), "
        "one queue's key, or leave select out for every queue of the source"
    )


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
