"""Quota and breaker: shared by credential, told by headers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from tests.support.http import Reply, Server, serving
from tests.support.ways import NOON, Kit

from platform_meter.model.source import Access, Limited, Secret
from platform_meter.runtime.http import Way
from platform_meter.runtime.quota import moment

NAMES = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
RESET = NOON + timedelta(minutes=10)


def left(remaining: int, *, limit: int = 1000, reset: datetime = RESET, **more: str) -> Reply:
    headers = dict(zip(NAMES, (str(limit), str(remaining), str(int(reset.timestamp()))), strict=True))
    return Reply(200, headers | {k.replace("_", "-"): v for k, v in more.items()}, b"[]")


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


@pytest.fixture
def kit(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kit]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    made = Kit(environ={"TOKEN": "one-token", "OTHER": "other-token"})
    yield made
    made.close()


def asking(kit: Kit, server: Server, instance: str = "a", variable: str = "TOKEN") -> Way:
    return kit.way(Access(url=server.url, token=Secret(env=variable), rate_headers=NAMES), instance=instance)


def test_the_share_left_is_told(kit: Kit, server: Server) -> None:
    """Unknown before the first answer; afterwards remaining of limit, and 1 once the reset has passed."""
    server.on("/items", left(400))
    way = asking(kit, server)
    assert kit.budgets.remaining_ratio("github") is None
    way.get("/items", list[int])
    assert kit.budgets.remaining_ratio("github") == 0.4
    assert kit.budgets.instance_ratio("a") == 0.4
    assert (kit.budgets.remaining_ratio("gitlab"), kit.budgets.instance_ratio("b")) == (None, None)
    kit.time.pass_(minutes=10)
    assert kit.budgets.remaining_ratio("github") == 1.0


def test_systems_that_tell_nothing_have_no_share(kit: Kit, server: Server) -> None:
    """Without the headers, or with unreadable ones, there is no number."""
    server.on("/items", Reply(body=b"[]"), Reply(200, dict.fromkeys(NAMES, "many"), b"[]"))
    way = asking(kit, server)
    for _ in range(2):
        way.get("/items", list[int])
    assert kit.budgets.remaining_ratio("github") is None


def test_the_scarcest_instance_counts_for_its_type(kit: Kit, server: Server) -> None:
    """Two credentials of a type: the metric shows the lower share, each instance its own."""
    server.on("/items", left(400), left(900))
    asking(kit, server, "a", "TOKEN").get("/items", list[int])
    asking(kit, server, "b", "OTHER").get("/items", list[int])
    assert kit.budgets.remaining_ratio("github") == 0.4
    assert (kit.budgets.instance_ratio("a"), kit.budgets.instance_ratio("b")) == (0.4, 0.9)


def test_above_the_reserve_nothing_waits(kit: Kit, server: Server) -> None:
    """10 % of the limit left is still enough."""
    server.on("/items", left(100))
    way = asking(kit, server)
    for _ in range(3):
        way.get("/items", list[int])
    assert kit.time.slept == []


def test_below_the_reserve_calls_are_spread_to_the_reset(kit: Kit, server: Server) -> None:
    """99 calls for 198 s: one every 2 s, whichever instance makes it; the first goes at once."""
    server.on("/items", left(99, reset=NOON + timedelta(seconds=198)))
    ways = [asking(kit, server, "a"), asking(kit, server, "b")]
    for turn in range(5):
        ways[turn % 2].get("/items", list[int])
    assert kit.time.slept == pytest.approx([2.0, 2.0, 1.98], abs=0.001)


def test_pauses_have_a_bound(kit: Kit, server: Server) -> None:
    """However little is left, a call waits 5 s at most."""
    server.on("/items", left(2))
    way = asking(kit, server)
    for _ in range(4):
        way.get("/items", list[int])
    assert kit.time.slept == [5.0, 5.0]


def test_with_nothing_left_no_call_is_made(kit: Kit, server: Server) -> None:
    """Every instance with that secret is limited until the reset, another secret is not."""
    server.on("/items", left(0), left(500), left(999))
    way, same, other = asking(kit, server), asking(kit, server, "b"), asking(kit, server, "c", "OTHER")
    way.get("/items", list[int])
    for each in (way, same):
        with pytest.raises(Limited, match="the quota of 1000 calls is used up until 12:10:00 UTC") as caught:
            each.get("/items", list[int])
        assert caught.value.until == RESET
    other.get("/items", list[int])
    assert len(server.seen) == 2
    kit.time.pass_(minutes=10)
    assert way.get("/items", list[int]).body == []


def test_the_same_secret_on_another_host_is_another_budget(kit: Kit, server: Server) -> None:
    """A quota belongs to a host."""
    server.on("/items", left(0))
    asking(kit, server).get("/items", list[int])
    with serving() as second:
        second.on("/items", left(500))
        asking(kit, second, "b").get("/items", list[int])
        assert kit.budgets.instance_ratio("b") == 0.5


def test_a_new_secret_is_a_new_budget(kit: Kit, server: Server) -> None:
    """After a change of token the old token's quota is forgotten."""
    server.on("/items", left(0), left(700))
    way = asking(kit, server)
    way.get("/items", list[int])
    kit.environ["TOKEN"] = "rotated"
    way.get("/items", list[int])
    assert kit.budgets.remaining_ratio("github") == 0.7


def test_late_answers_do_not_give_quota_back(kit: Kit, server: Server) -> None:
    """Of one period the lowest count holds; a new period starts over; free 304s need nothing special."""
    server.on("/items", left(400), left(410), left(990, reset=RESET + timedelta(minutes=10)))
    way = asking(kit, server)
    shares = []
    for _ in range(3):
        way.get("/items", list[int])
        shares.append(kit.budgets.remaining_ratio("github"))
    assert shares == [0.4, 0.4, 0.99]


def test_resources_of_one_credential_are_kept_apart(kit: Kit, server: Server) -> None:
    """GitHub counts search on its own: an empty search quota does not stop the rest."""
    server.on("/search/issues", left(0, limit=30, x_ratelimit_resource="search"))
    server.on("/repos/acme", left(4000, limit=5000, x_ratelimit_resource="core"))
    way = asking(kit, server)
    way.get("/search/issues", list[int])
    way.get("/repos/acme", list[int])
    way.get("/repos/acme", list[int])
    with pytest.raises(Limited):
        way.get("/search/issues", list[int])
    assert kit.budgets.remaining_ratio("github") == 0.0


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("90", NOON + timedelta(seconds=90)),
        ("0", NOON),
        ("-5", NOON),
        ("1777896600", datetime(2026, 5, 4, 12, 10, tzinfo=UTC)),
        ("Mon, 04 May 2026 12:10:00 GMT", RESET),
        ("2026-05-04T12:10:00Z", RESET),
        ("2026-05-04T14:10:00+02:00", RESET),
        ("soon", None),
        ("", None),
        ("nan", None),
        ("inf", None),
        ("1e300", None),
    ],
)
def test_headers_name_moments_in_four_ways(text: str, means: datetime | None) -> None:
    """Seconds from now, epoch seconds, HTTP date and ISO 8601; anything else is no time."""
    assert moment(text, NOON) == means
