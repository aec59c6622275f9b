"""The table of views."""

from __future__ import annotations

from platform_meter.model.facts import event_kinds
from platform_meter.render.reference.columns import views


def test_a_view_tells_its_rows_and_its_columns() -> None:
    """One written out; each kind of event has a row."""
    table = views()
    assert (
        "| `pm_v1_rollout_ended` | A progressive rollout of one version was promoted to all, or aborted. "
        "| `result`: text<br>`version`: text |\n"
    ) in table
    assert table.count("\n| `pm_v1_") == len(event_kinds())
