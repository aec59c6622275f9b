"""Which of a tool's queues a text names."""

from __future__ import annotations

import pytest

from platform_meter.measures.support.selects import queue_keys


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
