"""Analytics events of a portal: in which forms they may come, what each says, and what is told to who sent one that says nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from platform_meter.model.push import Pushed, Unreadable
from platform_meter.sources.backstage import analytics
from platform_meter.sources.backstage.config import Config
from platform_meter.testing.outside import FakeOutside

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
hashed = FakeOutside({}).hashed
CONFIG = Config.model_validate(
    {"url": "https://backstage.example", "token": {"env": "BACKSTAGE_TOKEN"}, "analytics": True}
)


def event(action: str = "click", subject: str = "Ann's page", **more: Any) -> dict[str, Any]:
    return {"action": action, "subject": subject, "timestamp": "2026-06-01T11:00:00Z", **more}


def read(body: Any, config: Config = CONFIG) -> list[Any]:
    text = body if isinstance(body, str) else json.dumps(body)
    return list(analytics.read(config, Pushed(headers={}, body=text.encode(), at=NOW, hashed=hashed)))


@pytest.mark.parametrize(
    "body",
    [
        event(),
        [event()],
        {"events": [event()]},
        json.dumps(event()) + "\n",
        json.dumps(event(id="1")) + "\n" + json.dumps(event(id="2")) + "\n",
    ],
    ids=["one", "list", "envelope", "line", "lines"],
)
def test_events_may_come_in_several_forms(body: Any) -> None:
    """One, a list, in an envelope, or one each line."""
    assert {type(one).__name__ for one in read(body)} == {"PortalVisit"}


@pytest.mark.parametrize(
    ("subject", "area"),
    [
        ("/docs/default/component/shop", "shop"),
        ("/docs/default/Component/Shop/guide/?q=x#y", "shop"),
        ("https://portal.example/portal/docs/ops/api/shop", "ops/shop"),
        ("/catalog/default/component/shop/docs/guide/start", "shop"),
        ("/docs", None),
        ("/docs/default/component", None),
        ("/catalog/default/component/docs", None),
        ("/catalog/default/component/shop", None),
    ],
)
def test_a_page_of_docs_is_known_by_its_address(subject: str, area: str | None) -> None:
    """What it documents, as the portal names it; any other page is a visit."""
    (found,) = read(event("navigate", subject))
    assert (type(found).__name__, found.area) == (("DocsView", area) if area else ("PortalVisit", "unknown"))


@pytest.mark.parametrize(("value", "said"), [(0, "miss"), (1, "hit"), (250, "hit"), (None, "")])
def test_a_search_is_a_hit_or_a_miss(value: int | None, said: str) -> None:
    """By how much it found; where that is hidden it says no more than that somebody was there."""
    (found,) = read(event("search", "who is Ann", value=value, context={"pluginId": "search"}))
    assert (type(found).__name__, found.area) == ("PortalSearch" if said else "PortalVisit", "search")
    assert getattr(found, "found", "") == said
    assert "Ann" not in repr(found)


def test_a_person_is_a_hash_however_they_are_told() -> None:
    """In the event or in its context, with or without the kind; what is no user is nobody."""
    ann = hashed("ann")
    for more in (
        {"userEntityRef": "user:default/Ann"},
        {"userEntityRef": "ann"},
        {"context": {"userEntityRef": "ann"}},
    ):
        (found,) = read(event(**more))
        assert (found.actor, found.about.id) == (ann, ann)
    for more in ({}, {"userEntityRef": ""}, {"userEntityRef": "group:default/pay"}):
        (found,) = read(event(**more))
        assert (found.actor, found.about.id) == ("", "unknown")


def test_what_is_sent_twice_is_one_event() -> None:
    """By its id, else by all that it says, in whatever order."""
    assert read(event(id="7"))[0].key == read(event("search", id="7"))[0].key == "analytics/7"
    first, second = read([event(), dict(reversed(event().items()))])
    assert first.key == second.key != read(event(subject="other"))[0].key


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("{", "the body is no JSON: Input data was truncated; send application/json in UTF-8"),
        ({"subject": "x"}, "the event [0] has another shape: Object missing required field `action`"),
        (
            event(timestamp="yesterday"),
            "the event [0] has another shape: Invalid RFC3339 encoded datetime - at `$.timestamp`",
        ),
        (event(timestamp="2026-06-01T11:00:00"), "[0]: `timestamp` has no zone; write it as 2026-05-04T12:00:00Z"),
        (
            event(timestamp="2026-06-02T11:00:00Z"),
            "[0].timestamp is 2026-06-02T11:00:00Z, which is still to come; set the sender's clock or zone",
        ),
        (event("helpful"), "[0] is a vote without `value`; write 1 where it helped, 0 where it did not"),
        ([event()] * 1001, "1001 events in one request; send at most 1000 at once"),
    ],
)
def test_what_nobody_can_read_is_told_to_who_sent_it(body: Any, text: str) -> None:
    """Where, what was found, what to send instead."""
    with pytest.raises(Unreadable) as told:
        read(body)
    assert str(told.value) == text


def test_what_nobody_asked_for_is_not_kept() -> None:
    """Where the setting is off nothing of it is stored."""
    off = Config.model_validate({"url": "https://backstage.example", "token": {"env": "T"}})
    assert read(event(), off) == []
