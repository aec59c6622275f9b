"""Quota and breaker: shared by credential, told by headers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from tests.support.http import Reply, Server, serving
from tests.support.ways import NOON, Kit

from platform_meter.model.access import Access, Pace, Secret, Token
from platform_meter.model.source import Limited, Refused
from platform_meter.runtime.outside.http import Way
from platform_meter.runtime.outside.quota import Budget, Left, moment

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
    return kit.way(
        Access(url=server.url, credential=Token(secret=Secret(env=variable)), rate_headers=NAMES), instance=instance
    )


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


def test_what_was_told_of_each_quota_is_known_with_its_moment(kit: Kit, server: Server) -> None:
    """By the name that the API gives it, for whoever shares the credential; nothing before the first answer."""
    server.on("/items", left(400))
    server.on("/search/code", left(9, limit=30, reset=NOON + timedelta(minutes=1), X_RateLimit_Resource="search"))
    way, other = asking(kit, server), asking(kit, server, "b")
    assert kit.budgets.left("a") == []
    way.get("/items", list[int])
    kit.time.pass_(minutes=0.5)
    other.get("/search/code", list[int])
    half = NOON + timedelta(minutes=0.5)
    assert (
        kit.budgets.left("a")
        == kit.budgets.left("b")
        == [
            Left(name="", limit=1000, remaining=400, reset=RESET, at=NOON),
            Left(name="search", limit=30, remaining=9, reset=NOON + timedelta(minutes=1), at=half),
        ]
    )


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


def test_quotas_of_one_version_of_an_api_are_kept_apart(kit: Kit, server: Server) -> None:
    """Datadog names one for each kind of call, whose reset it tells in seconds from now: without a query left monitors are listed."""
    query = left(0, limit=1600, reset=datetime.fromtimestamp(300, UTC), x_ratelimit_name="query")
    server.on("/api/v1/query", query)
    server.on("/api/v1/monitor", left(2900, limit=3000, x_ratelimit_name="monitors"))
    way = asking(kit, server)
    way.get("/api/v1/query", list[int])
    for _ in range(2):
        way.get("/api/v1/monitor", list[int])
    with pytest.raises(Limited, match="the quota of 1600 calls is used up until 12:05:00 UTC"):
        way.get("/api/v1/query", list[int])
    assert len(server.seen) == 3


SECONDARY = b'{"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}'
ABUSE = b'{"message": "You have triggered an abuse detection mechanism."}'


@pytest.mark.parametrize(
    "limit",
    [
        Reply(429),
        Reply(403, dict(zip(NAMES, ("5000", "4200", "1777900000"), strict=True)), SECONDARY),
        Reply(403, body=ABUSE),
    ],
    ids=["bare 429", "secondary limit", "abuse"],
)
def test_a_limit_without_a_time_is_waited_for_a_minute_and_then_longer(kit: Kit, server: Server, limit: Reply) -> None:
    """60 s by the call itself; still limited then, nobody with that secret calls for 2 min, then 4; an answer starts over."""
    fine = Reply(body=b"[]")
    server.on("/items", limit, limit, limit, fine, fine, limit, fine)
    way, same, other = asking(kit, server), asking(kit, server, "b"), asking(kit, server, "c", "OTHER")
    with pytest.raises(
        Limited, match=r"GET /items of a: 4\d\d, the quota is used up until 2026-05-04 12:03:00 UTC"
    ) as caught:
        way.get("/items", list[int])
    assert kit.time.slept == [60.5]
    assert caught.value.until == NOON + timedelta(seconds=180.5)
    with pytest.raises(Limited, match="the server asked us to wait until 12:03:00 UTC"):
        same.get("/items", list[int])
    kit.time.pass_(minutes=2)
    with pytest.raises(Limited) as caught:
        way.get("/items", list[int])
    assert caught.value.until == NOON + timedelta(seconds=180.5 + 240)
    assert other.get("/items", list[int]).body == [], "another secret is not limited"
    kit.time.pass_(minutes=4)
    assert same.get("/items", list[int]).body == []
    assert way.get("/items", list[int]).body == []
    assert kit.time.slept == [60.5, 60.5]
    assert kit.outcomes == ["limited", "limited", "limited", "ok", "ok", "limited", "ok"]


def test_a_limit_stops_the_other_instances_while_one_waits(kit: Kit, server: Server) -> None:
    """The server asked for 30 s: who comes meanwhile with the same secret is told so, and makes no call."""
    other: list[Way] = []
    found: list[Exception] = []

    def slow(seconds: float) -> None:
        kit.time.slept.append(seconds)
        with pytest.raises(Limited, match="the server asked us to wait until 12:00:30 UTC") as caught:
            other[0].get("/items", list[int])
        found.append(caught.value)
        kit.time.pass_(seconds=seconds)

    server.on("/items", Reply(429, {"Retry-After": "30"}), Reply(body=b"[]"))
    way = asking(kit, server)
    other.append(asking(kit, server, "b"))
    way._sleep = slow
    assert way.get("/items", list[int]).body == []
    assert (len(found), len(server.seen)) == (1, 2)


def test_answers_under_way_when_a_limit_came_do_not_lengthen_it(kit: Kit) -> None:
    """Three calls side by side are limited at once: that is one limit, of a minute."""
    budget = Budget(kit.time.clock, kit.time.sleep)
    assert [budget.limited("/items", None) for _ in range(3)] == [NOON + timedelta(seconds=60)] * 3
    kit.time.pass_(seconds=61)
    assert budget.limited("/items", None) == NOON + timedelta(seconds=61 + 120)
    budget.passed()
    kit.time.pass_(hours=1)
    assert budget.limited("/items", None) == kit.time.now + timedelta(seconds=60)


def test_a_limit_without_a_time_grows_to_an_hour(kit: Kit) -> None:
    """1, 2, 4, ... 32 minutes, then every hour."""
    budget = Budget(kit.time.clock, kit.time.sleep)
    waits = []
    for _ in range(8):
        until = budget.limited("/items", None)
        waits.append((until - kit.time.now).total_seconds() / 60)
        kit.time.now = until
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.parametrize("status", [500, 503])
def test_a_long_retry_after_of_a_failing_server_is_obeyed(kit: Kit, server: Server, status: int) -> None:
    """A server in maintenance for an hour is not asked again, by no instance with that secret, and is no quota."""
    server.on("/items", Reply(status, {"Retry-After": "3600"}), Reply(body=b"[]"))
    way, same = asking(kit, server), asking(kit, server, "b")
    with pytest.raises(
        Limited, match=rf"GET /items of a: {status}, the server asks us to wait until 2026-05-04 13:00:00 UTC"
    ) as caught:
        way.get("/items", list[int])
    assert caught.value.until == NOON + timedelta(hours=1)
    kit.time.pass_(minutes=59)
    with pytest.raises(Limited):
        same.get("/items", list[int])
    assert (len(server.seen), kit.time.slept) == (1, [])
    kit.time.pass_(minutes=1)
    assert same.get("/items", list[int]).body == []


def test_a_short_retry_after_of_a_failing_server_is_waited_for(kit: Kit, server: Server) -> None:
    """Up to a minute the call itself waits, and then tries again."""
    server.on("/items", Reply(503, {"Retry-After": "60"}), Reply(body=b"[]"))
    assert asking(kit, server).get("/items", list[int]).body == []
    assert kit.time.slept == [60.5]


def test_a_forbidden_path_with_quota_left_is_no_limit(kit: Kit, server: Server) -> None:
    """A 403 that speaks of permissions opens the breaker, whatever the quota headers say."""
    headers = dict(zip(NAMES, ("5000", "4200", "1777900000"), strict=True))
    server.on("/items", Reply(403, headers, b'{"message": "Resource not accessible by integration"}'))
    with pytest.raises(Refused):
        asking(kit, server).get("/items", list[int])
    assert kit.outcomes == ["error"]


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
        ("86400", NOON + timedelta(days=1)),
        ("99999999", NOON + timedelta(days=1)),
        ("99999999999", NOON + timedelta(days=1)),
        ("2099-01-01T00:00:00Z", NOON + timedelta(days=1)),
    ],
)
def test_headers_name_moments_in_four_ways(text: str, means: datetime | None) -> None:
    """Seconds from now, epoch seconds, HTTP date and ISO 8601, a day from now at most; anything else is no time."""
    assert moment(text, NOON) == means


PACE = Pace(at_once=2, points=60, per=timedelta(minutes=1), get=1, post=5)


def pacing(kit: Kit, methods: str, pace: Pace = PACE) -> list[tuple[datetime, int]]:
    """When calls leave that are made as fast as may be, and their points: `g` is a GET, `p` a POST."""
    budget, left = Budget(kit.time.clock, kit.time.sleep), list[tuple[datetime, int]]()
    for method in methods:
        with budget.turn(pace, "POST" if method == "p" else "GET"):
            left.append((kit.time.now, pace.post if method == "p" else pace.get))
    return left


@pytest.mark.parametrize("methods", ["g" * 300, "p" * 60, "gggp" * 60])
def test_no_minute_has_more_points_than_allowed(kit: Kit, methods: str) -> None:
    """However calls are mixed; a minute has nearly all of them, and calls that leave 2 s apart may arrive together."""
    left = pacing(kit, methods)
    spans = [sum(points for at, points in left if start <= at < start + timedelta(seconds=62)) for start, _ in left]
    assert 50 <= max(spans) <= 60


def test_a_few_calls_go_at_once(kit: Kit) -> None:
    """A tenth of a minute's points does not wait, again once they are earned; what comes after goes evenly."""
    assert kit.time.now == pacing(kit, "g" * 6)[-1][0]
    seconds = [(at - NOON).total_seconds() for at, _ in pacing(kit, "g" * 9)]
    assert seconds == pytest.approx([0] * 6 + [1.148, 2.296, 3.444], abs=0.001)


def test_without_points_nothing_waits(kit: Kit) -> None:
    """A server of one's own sets no bound: only calls side by side are."""
    pacing(kit, "g" * 1000, Pace(at_once=8))
    assert kit.time.slept == []


def test_instances_with_one_secret_share_a_pace(kit: Kit, server: Server) -> None:
    """Six calls of the one, and the first of the other waits; another secret does not."""
    server.on("/items", Reply(body=b"[]"))
    access = Access(url=server.url, credential=Token(secret=Secret(env="TOKEN")), pace=PACE)
    other = Access(url=server.url, credential=Token(secret=Secret(env="OTHER")), pace=PACE)
    ways = [kit.way(access, instance="a"), kit.way(access, instance="b"), kit.way(other, instance="c")]
    assert [way.at_once for way in ways] == [2, 2, 2]
    for _ in range(6):
        ways[0].get("/items", list[int])
    ways[2].get("/items", list[int])
    assert kit.time.slept == []
    ways[1].get("/items", list[int])
    assert kit.time.slept == pytest.approx([1.148], abs=0.001)


def test_an_answer_that_nothing_changed_costs_points_too(kit: Kit, server: Server) -> None:
    """304 is free of the quota and not of the pace; so is each try of a call that fails."""
    server.on("/items", *[Reply(304, {"ETag": '"x"'})] * 5, Reply(502), Reply(304, {"ETag": '"x"'}))
    way = kit.way(Access(url=server.url, pace=PACE))
    for _ in range(6):
        way.get("/items", list[int], etag='"x"')
    assert kit.time.slept == pytest.approx([0.5, 0.648], abs=0.001)


def test_calls_side_by_side_are_bounded(kit: Kit) -> None:
    """Two of six threads are let in together, and never a third."""
    budget, together, lock = Budget(kit.time.clock, kit.time.sleep), threading.Barrier(2, timeout=20), threading.Lock()
    inside, most = [0], [0]

    def call() -> None:
        with budget.turn(PACE, "GET"):
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            together.wait()
            with lock:
                inside[0] -= 1

    threads = [threading.Thread(target=call) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [2]


def test_calls_on_their_way_count_as_made(kit: Kit) -> None:
    """Two calls are left and two are on their way, whose answers may leave none: no third is made."""
    budget = Budget(kit.time.clock, kit.time.sleep)
    headers = dict(zip(NAMES, ("20", "2", str(int(RESET.timestamp()))), strict=True))
    budget.learn("/items", headers, NAMES)
    budget.admit("/items")
    with budget.turn(PACE, "GET"), budget.turn(PACE, "GET"), pytest.raises(Limited):
        budget.admit("/items")


def test_threads_are_spread_below_the_reserve_too(kit: Kit) -> None:
    """Four calls admitted at one moment with very few left leave 5 s after each other."""
    slept = list[float]()
    budget = Budget(kit.time.clock, slept.append)
    budget.learn("/a", dict(zip(NAMES, ("1000", "9", str(int(RESET.timestamp()))), strict=True)), NAMES)
    for _ in range(4):
        budget.admit("/a")
    assert slept == [5.0, 10.0, 15.0]
