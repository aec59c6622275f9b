"""Monitors as they stand."""

from __future__ import annotations

from typing import Any

from tests.sources.datadog.datadog_server import Datadog, monitor
from tests.sources.datadog.test_datadog import facts, read

from platform_meter.model.facts.observability import AlertMonitor
from platform_meter.testing.outside import Reply


def standing(*rows: dict[str, Any], tags: tuple[str, ...] = ("team",)) -> list[AlertMonitor]:
    told = facts(read(Datadog(counted={}, monitors=list(rows)), "monitors", tags=tags))
    return [fact for fact in told if isinstance(fact, AlertMonitor)]


def test_each_state_of_a_monitor_has_its_word() -> None:
    """A state that is absent or new is unknown."""
    states = ("OK", "Alert", "Warn", "No Data", "Ignored", "Skipped", "Unknown", "Snoozed", None)
    told = standing(*(monitor(number, state) for number, state in enumerate(states, start=1)))
    words = ["ok", "alert", "warn", "no_data", "ignored", "skipped", "unknown", "unknown", "unknown"]
    assert [one.state.value for one in told] == words


def test_drafts_and_deleted_monitors_watch_nothing() -> None:
    """They are none; nor do they end the list."""
    rows = [
        monitor(1, "OK", draft_status="draft"),
        monitor(2, "OK", deleted="2026-05-01T10:00:00+00:00"),
        monitor(3, "OK", draft_status="published"),
    ]
    assert [one.about.id for one in standing(*rows)] == ["3"]


def test_wanted_tags_alone_say_whose_a_monitor_is() -> None:
    """And its service; one with several values says nothing, one without a value is none."""
    row = monitor(1, "OK", "team:pay", "squad:a", "squad:b", "service:checkout:eu", "env:prod", "team", "org:")
    (told,) = standing(row, tags=("team", "squad", "org"))
    assert told.about.labels == (("app.kubernetes.io/name", "checkout:eu"), ("team", "pay"))


def test_a_monitor_that_is_deleted_meanwhile_moves_no_other() -> None:
    """Pages begin behind the last number, not behind so many rows."""
    world = Datadog(counted={}, monitors=[monitor(number, "OK") for number in range(1, 5)])

    def answer(call: Any) -> Reply:
        found = world(call)
        world.monitors = [row for row in world.monitors if row["id"] != 1]
        return found

    (page,) = read(answer, "monitors")
    assert [fact.about.id for fact in page.facts] == ["1", "2", "3", "4"]
