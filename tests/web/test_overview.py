"""The Overview page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.support.adoption import capability
from tests.support.history import MemoryHistory, owner, source
from tests.support.stores import run
from tests.support.views import html, rows, tables, view

from platform_meter.measures import catalogue as c
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Outcome, PodStarted, Ref
from platform_meter.web.overview import overview

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
POD = Ref(system="kubernetes", kind="pod", id="eu/pay/x")


def pod(key: str, seconds: float, at: datetime = NOW) -> PodStarted:
    return PodStarted(key=key, at=at, about=POD, cluster="eu", owner_kind="deployment", seconds=seconds)


def test_the_tiles_say_what_is_true_now() -> None:
    """Runs the platform did not break leave out what was cancelled; nodes leave out the cordoned ones."""
    outcomes = [Outcome.SUCCESS] * 6 + [Outcome.USER_FAILURE] * 3 + [Outcome.INFRA_FAILURE] + [Outcome.CANCELLED] * 5
    told = [("gh", owner("pay"), run(str(n), NOW - timedelta(hours=n), outcome=o)) for n, o in enumerate(outcomes, 1)]
    counted = rows(
        (c.CLUSTER_NODES, ("eu", "ready"), 9.0),
        (c.CLUSTER_NODES, ("eu", "not_ready"), 1.0),
        (c.CLUSTER_NODES, ("eu", "cordoned"), 3.0),
        (c.TICKETS_OPEN, ("help", "P1", "1d"), 4.0),
        (c.TICKETS_OPEN, ("help", "P2", "7d"), 3.0),
        (c.OBJECTS, ("github", "repository"), 8.0),
        (c.UNOWNED_OBJECTS, ("github", "repository"), 2.0),
    )
    seen = view(NOW, MemoryHistory(told, sources=[source("gh", watermark=NOW)]), rows=counted)
    tiles = {name: (value, more) for name, value, more in overview(seen)["tiles"]}
    assert tiles["Pipeline runs the platform did not break, 28 d"] == (
        "90.0 %",
        "60.0 % felt as success by users; 15 runs",
    )
    assert tiles["Nodes ready"] == ("9 of 10", "cordoned ones left out")
    assert tiles["Open tickets"][0] == "7"
    assert tiles["Objects without an owner"] == ("25.0 %", "2 of 8")
    assert tiles["Sources up"][0] == "1 of 1"


def test_pods_are_judged_at_a_minute() -> None:
    """60 s is in time; a day without a start has no value."""
    told = [("k8s", owner("pay"), pod(str(n), s)) for n, s in enumerate((3.0, 60.0, 61.0, 700.0))]
    seen = view(NOW, MemoryHistory(told, sources=[source("k8s", watermark=NOW)]))
    table = tables(seen, "/")["Last 28 days / Pods ready within a minute"]
    assert table.rows[-1] == ("10 Jun", "50.0 %")
    assert table.rows[-2] == ("09 Jun", "–")


def test_capabilities_lead_to_their_own_page() -> None:
    """Units left out of the denominator are not eligible here either."""
    counted = rows(
        (c.ADOPTION_UNITS, ("gateway", "team", "active"), 3.0),
        (c.ADOPTION_UNITS, ("gateway", "team", "eligible"), 1.0),
        (c.ADOPTION_UNITS, ("gateway", "team", "exempt"), 5.0),
        (c.ADOPTION_ACTIVE_RATIO, ("gateway", "team", "true"), 0.75),
    )
    seen = view(NOW, definitions=Definitions(capabilities=(capability(mandated=True),)), rows=counted)
    (row,) = tables(seen, "/")["Capabilities"].rows
    assert row[:4] == ("gateway mandated", "4", "–", "75.0 %")
    assert 'href="/adoption#gateway"' in html(seen, "/")
