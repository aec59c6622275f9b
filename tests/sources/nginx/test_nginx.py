"""NGINX: the case of the contract test, its settings, and what each way in gives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from platform_meter.model.access import Access, Basic, Secret
from platform_meter.model.facts import Ref
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.facts.traffic import GatewayLatency, GatewayRequests, Route
from platform_meter.model.facts.use import Usage
from platform_meter.sources.nginx import SOURCE
from platform_meter.sources.nginx.config import Config
from platform_meter.testing import Case, Later
from platform_meter.testing.outside import FakeOutside, Reply

NOW = datetime(2026, 5, 4, 12, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
EDGE = Ref(system="nginx", kind="gateway", id="edge")
LOGS = "/var/log/nginx"
LOG = f"{LOGS}/access.json"
ROUTES = {"shop.example/cart/*": "cart", "shop.example*": "shop"}
SETTINGS: dict[str, Any] = {
    "slice": "1m",
    "gateway": "edge",
    "status": "http://127.0.0.1:8080/nginx_status",
    "access_log": LOG,
    "routes": ROUTES,
}


def line(clock: str, uri: str = "/cart/1", status: int = 200, took: str = "0.020", **more: str) -> str:
    """One line as the documented format writes it, at such a time of that day."""
    row = {
        "time": f"2026-05-04T{clock}+00:00",
        "server_name": "shop.example",
        "uri": uri,
        "status": str(status),
        "request_time": took,
        **more,
    }
    return msgspec.json.encode(row).decode() + "\n"


def at(clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-05-04T{clock}+00:00").astimezone(UTC)


def route(name: str) -> Ref:
    return Ref(system="nginx", kind="route", id=f"edge/{name}")


def requests(key: str, clock: str, name: str, good: float, bad: float = 0.0) -> GatewayRequests:
    return GatewayRequests(key=f"requests/{key}", at=at(clock), about=route(name), gateway="edge", good=good, bad=bad)


def latency(key: str, clock: str, name: str, within: dict[str, float], seconds: float) -> GatewayLatency:
    about = route(name)
    return GatewayLatency(
        key=f"latency/{key}", at=at(clock), about=about, gateway="edge", within=within, seconds=seconds
    )


def stub(accepted: int, handled: int, total: int) -> str:
    return (
        "Active connections: 2 \nserver accepts handled requests\n"
        f" {accepted} {handled} {total} \nReading: 0 Writing: 1 Waiting: 1 \n"
    )


FIRST = (
    line("11:58:01", "/cart/jane")
    + line("11:58:59", status=502, took="1.5")
    + line("11:58:59", status=499)
    + line("11:59:40", "/")
)
FRESH = line("12:01:00", "/health?deep=1") + "no JSON\n" + line("12:03:10", took="")
ONE, OTHER_ONE = "9eb7b9078539b49b", "9eb694c10c6bca5d"
"""What the two files are known by."""
CASE = Case(
    settings=SETTINGS,
    answers={"status:/nginx_status": stub(10, 10, 30), LOGS: {LOG: FIRST}},
    now=NOW,
    since=NOW - timedelta(days=7),
    expected=(
        requests(f"{ONE}@0", "11:59:00", "cart", 1.0, 1.0),
        latency(f"{ONE}@0", "11:59:00", "cart", {"0.025": 1.0, "2.5": 1.0}, 1.52),
        Route(about=route("cart"), gateway="edge"),
        Route(about=route("shop"), gateway="edge"),
    ),
    people=("jane",),
    momentary=frozenset({Usage, SliCount}),
    later=Later(
        answers={"status:/nginx_status": stub(15, 14, 45), LOGS: {LOG: FRESH}},
        after=timedelta(minutes=10),
        expected=(
            requests(f"{ONE}@361", "12:00:00", "shop", 1.0),
            latency(f"{ONE}@361", "12:00:00", "shop", {"0.025": 1.0}, 0.02),
            requests(f"{OTHER_ONE}@0", "12:02:00", "shop", 1.0),
            latency(f"{OTHER_ONE}@0", "12:02:00", "shop", {"0.025": 1.0}, 0.02),
            requests(f"{OTHER_ONE}@135", "12:04:00", "cart", 1.0),
            # How much of them depends on when one looks: test_status.py.
            Usage(key="served", at=NOW, about=EDGE, action="served", amount=15.0),
            SliCount(key="c", at=NOW, about=EDGE, sli="edge/connections", good=4.0, bad=1.0, width=MINUTE),
        ),
        gaps=[f"{LOG} was emptied, deleted or moved away"],
        rejected=1,
    ),
    without=[
        ({"status": None}, frozenset({Usage, SliCount})),
        ({"access_log": None}, frozenset({GatewayRequests, GatewayLatency, Route})),
    ],
)


def test_each_way_is_known_up_to_its_last_slice() -> None:
    """The page of a controller is asked once a slice; the log is known up to the slice that was told last."""
    settings = {"metrics": ["http://ingress:10254/metrics"]}
    (page,) = SOURCE.connect(Config.model_validate(settings), FakeOutside({}), "edge")
    (kept,) = SOURCE.connect(Config.model_validate({"access_log": LOG, "delay": "2m"}), FakeOutside({}), "edge")
    assert (page.every, page.behind) == (timedelta(minutes=5), timedelta(0))
    assert (kept.every, kept.behind) == (None, timedelta(minutes=7))


def check(settings: dict[str, Any], world: dict[str, Any]) -> list[str]:
    return list(SOURCE.check(Config.model_validate(settings), FakeOutside(world)))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "it reads nothing; write status, metrics or access_log"),
        (
            {"metrics": ["http://a/metrics"], "access_log": LOG},
            "metrics and access_log tell of the same requests, which would be counted twice; write one of them",
        ),
        ({"access_log": LOG, "user": "meter"}, "user and password go together; write both or none"),
        ({"access_log": LOG, "gateway": "a/b"}, "'a/b' is no name; write letters and digits, without /"),
        ({"access_log": LOG, "routes": {"*": " a"}}, "' a' is no name; write letters and digits, without /"),
        ({"access_log": LOG, "fields": {"tim": "ts"}}, "Extra inputs are not permitted"),
        ({"status": "nginx.example"}, "write https://nginx.example"),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, Any], says: str) -> None:
    """Each says what to write."""
    with pytest.raises(ValidationError) as caught:
        Config.model_validate(settings)
    assert says in str(caught.value)


def test_pages_are_addresses_beside_the_source() -> None:
    """Each server by itself, with the credential of all; the source has no address of its own."""
    told = Config.model_validate(
        {
            "status": "http://127.0.0.1/nginx_status",
            "metrics": ["https://a.example:10254/metrics", "https://b.example"],
            "user": "meter",
            "password": {"env": "NGINX"},
            "ca_file": "/ca.pem",
        }
    )
    credential = Basic(user="meter", password=Secret(env="NGINX"))
    assert told.access() == Access(
        beside={
            "status": Access(url="http://127.0.0.1", credential=credential, ca_file="/ca.pem"),
            "metrics-1": Access(url="https://a.example:10254", credential=credential, ca_file="/ca.pem"),
            "metrics-2": Access(url="https://b.example", credential=credential, ca_file="/ca.pem"),
        }
    )
    names = [stream.name for stream in SOURCE.connect(told, FakeOutside({}), "web")]
    assert names == ["status", "metrics a.example:10254", "metrics b.example"]


def test_a_gateway_is_called_as_its_source_where_nothing_is_said() -> None:
    """In the objects that routes are, too."""
    config = Config.model_validate({"access_log": LOG})
    (stream,) = SOURCE.connect(config, FakeOutside({LOGS: {LOG: FIRST}}), "web")
    facts = [fact for page in stream.read(None, NOW - timedelta(days=1), NOW) for fact in page.facts]
    assert {(fact.gateway, fact.about.id) for fact in facts if isinstance(fact, Route)} == {("web", "web/shop.example")}


def test_check_says_what_is_wrong_with_each_way() -> None:
    """All at once: a page that is none, a log in another format."""
    world = {"status:/nginx_status": "<html>", LOGS: {LOG: '1.2.3.4 - "GET /"\n' * 3, f"{LOG}.1": FIRST}}
    assert check(SETTINGS, world) == [
        "status: /nginx_status is no page of metrics: it begins with '<html>'",
        (
            f"access_log: {LOG}: a line is no JSON object; write each line as one JSON object, as docs/sources.md shows, "
            "or name its keys in `fields`"
        ),
    ]
    refused = {"status:/nginx_status": Reply(status=403), LOGS: {}}
    assert check(SETTINGS, refused) == [
        "status: LINES /nginx_status: 403",
        f"access_log: {LOG} is not there; correct the path, or have the log written where platform-meter can see it",
    ]


def test_check_takes_an_empty_log_for_sound() -> None:
    """As it is just after its rotation; and old files may be in another format."""
    world = {"status:/nginx_status": stub(1, 1, 1), LOGS: {LOG: "", f"{LOG}.1": "odd\n" * 20}}
    assert check(SETTINGS, world) == []
