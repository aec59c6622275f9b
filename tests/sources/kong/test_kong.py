"""Kong: what stands in it, page by page, and what each of its nodes counted from scrape to scrape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from tests.sources.kong.kong_server import Kong, Node, Rows, consumer, made, plane, plugin, route, service

from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.instances import InstanceKind, Instances
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.facts.traffic import Consumer, GatewayLatency, GatewayRequests, Plugin, Route
from platform_meter.model.proposal import Surroundings
from platform_meter.model.source import SourceError, Unexpected
from platform_meter.sources.kong import SOURCE
from platform_meter.sources.kong.config import Config
from platform_meter.sources.kong.metrics import is_bad
from platform_meter.testing import Case, Later
from platform_meter.testing.case import Told, poll
from platform_meter.testing.outside import FakeOutside

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SETTINGS: Mapping[str, Any] = {
    "url": "https://kong-admin.example:8444",
    "token": {"env": "KONG_TOKEN"},
    "gateway": "edge",
    "cluster": "eu",
    "every": "10m",
    "data_planes": 3,
    "metrics": ["http://kong-1:8100", "http://kong-2:8100/metrics"],
}
COUNTS = plugin("prometheus", config={"status_code_metrics": True, "latency_metrics": True, "per_consumer": False})
LISTS: dict[str, Rows] = {
    "/services": [
        service("pay", "team:pay", "tier=1"),
        service("shop", "team:shop", "k8s-namespace:store"),
        service("old"),
    ],
    "/routes": [
        route("pay-api", "pay", "public"),
        route("cart", "shop", "team:cart"),
        route("gone", "old"),
        route(None, None, id_="7a7e"),
    ],
    "/consumers": [consumer("mobile-app", "team:app"), consumer("jo@acme.example"), consumer("partner")],
    "/plugins": [
        COUNTS,
        plugin("rate-limiting", route="cart"),
        plugin("key-auth", service="pay"),
        plugin("acl", service="pay", consumer="mobile-app"),
        plugin("cors", route="pay-api", enabled=False),
    ],
    "/clustering/data-planes": [plane(1, 20), plane(2, 120), plane(3, 121), plane(4, 900_000)],
}
PAY = (("public", "true"), ("service", "pay"), ("team", "pay"), ("tier", "1"))
CART = (("k8s-namespace", "store"), ("service", "shop"), ("team", "cart"))
STORE = ("kubernetes:eu/store",)


def ref(kind: str, id_: str, labels: Sequence[tuple[str, str]] = (), links: tuple[str, ...] = ()) -> Ref:
    return Ref(system="kong", kind=kind, id=f"edge/{id_}", labels=tuple(labels), links=links)


def at(minute: int) -> datetime:
    return NOON + minute * MINUTE


ROUTES = {
    "pay-api": Route(about=ref("route", "pay-api", PAY), since=at(1), gateway="edge"),
    "cart": Route(about=ref("route", "cart", CART, STORE), since=at(1), gateway="edge"),
    "gone": Route(about=ref("route", "gone", [("service", "old")]), since=at(1), gateway="edge"),
    "7a7e": Route(about=ref("route", "7a7e"), since=at(1), gateway="edge"),
}
CONSUMERS = [
    Consumer(about=ref("consumer", "mobile-app", [("team", "app")]), since=at(2), gateway="edge"),
    Consumer(about=ref("consumer", "id-of-jo"), since=at(2), gateway="edge"),
    Consumer(about=ref("consumer", "partner"), since=at(2), gateway="edge"),
]
OF_PAY = [("service", "pay"), ("team", "pay"), ("tier", "1")]
PLUGINS = [
    Plugin(about=ref("plugin", "prometheus"), since=at(3), gateway="edge", plugin="prometheus"),
    Plugin(about=ref("plugin", "cart/rate-limiting", CART, STORE), since=at(3), gateway="edge", plugin="rate-limiting"),
    Plugin(about=ref("plugin", "pay/key-auth", OF_PAY), since=at(3), gateway="edge", plugin="key-auth"),
    Plugin(about=ref("plugin", "pay/mobile-app/acl", OF_PAY), since=at(3), gateway="edge", plugin="acl"),
]
GATEWAYS = Ref(system="kong", kind="instances", id="eu/gateway/edge")
HEARD = Instances(
    about=GATEWAYS, cluster="eu", instance_kind=InstanceKind.GATEWAY, group="edge", expected=3, reporting=2
)
MINUTE_OF_PLANES = SliCount(
    key=f"eu/gateway/edge/{made(0)}",
    at=NOON,
    about=GATEWAYS,
    sli="eu/gateway/edge/instance-minutes",
    good=2.0,
    bad=1.0,
    width=MINUTE,
)
STANDING: Sequence[Fact] = [*ROUTES.values(), *CONSUMERS, *PLUGINS, HEARD]


def small_world() -> Kong:
    first = Node().answered("pay-api", 200, 100).answered("pay-api", 500, 3).took("pay-api", {20: 100}, 2_000)
    return Kong(LISTS, nodes={"kong-1:8100": first, "kong-2:8100": Node("node-2").answered("cart", 200, 50)})


def later_world() -> Kong:
    """A route and a plugin are gone, one of each is new, a row is odd; the second node lets nobody in."""
    first = Node().answered("pay-api", 200, 140).answered("pay-api", 500, 5).answered("pay-api", 404, 9)
    first.took("pay-api", {20: 120, 90: 30}, 5_500)
    odd = {**route("odd", "pay"), "created_at": 10**15}
    lists = {
        **LISTS,
        "/routes": [*LISTS["/routes"][:2], odd, LISTS["/routes"][3], route("new", "shop", minute=30)],
        "/plugins": [*LISTS["/plugins"][:3], plugin("cors", route="new")],
    }
    nodes = {"kong-1:8100": first, "kong-2:8100": Node("node-2")}
    return Kong(lists, nodes=nodes, refused=frozenset({"kong-2:8100:/metrics"}))


NEW = [("k8s-namespace", "store"), ("service", "shop"), ("team", "shop")]
CASE = Case(
    settings=SETTINGS,
    answers=small_world,
    now=NOON,
    since=NOON - timedelta(days=1),
    expected=[*STANDING, MINUTE_OF_PLANES],
    people=["jo@acme", "acme.example"],
    momentary=frozenset({GatewayRequests, GatewayLatency, SliCount}),
    later=Later(
        answers=later_world,
        after=5 * MINUTE,
        expected=[
            Route(about=ref("route", "new", NEW, STORE), since=at(30), gateway="edge"),
            Plugin(about=ref("plugin", "new/cors", NEW, STORE), since=at(3), gateway="edge", plugin="cors"),
            GatewayRequests(
                key="requests/edge/pay-api/kong-1:8100/node-1@2026-06-01T12:00:00.000000Z",
                at=at(5),
                about=ROUTES["pay-api"].about,
                gateway="edge",
                good=40.0,
                bad=2.0,
            ),
            GatewayLatency(
                key="latency/edge/pay-api/kong-1:8100/node-1@2026-06-01T12:00:00.000000Z",
                at=at(5),
                about=ROUTES["pay-api"].about,
                gateway="edge",
                within={"0.025": 20.0, "0.1": 30.0},
                seconds=3.5,
            ),
        ],
        over=frozenset({(Route, "route/edge/gone"), (Plugin, "plugin/edge/pay/mobile-app/acl")}),
        failing=frozenset({"metrics kong-2:8100"}),
        rejected=1,
    ),
    without=[
        ({"consumers": False}, frozenset({Consumer})),
        ({"traffic": False}, frozenset({GatewayRequests, GatewayLatency})),
        ({"data_planes": 0}, frozenset({Instances, SliCount})),
    ],
)


def told(world: Kong, before: Told | None = None, minutes: int = 0, **settings: Any) -> Told:
    """One poll, of the small world's gateway unless said otherwise."""
    case = replace(CASE, settings={**SETTINGS, "metrics": [], "data_planes": 0, **settings})
    return poll(SOURCE, case, FakeOutside(world), later=minutes * MINUTE, before=before, whole=True)


def counted(before: Node, after: Node, lists: Mapping[str, Rows] | None = None, **settings: Any) -> list[Fact]:
    """What one node says of the time between two scrapes; the Admin API is its own."""
    held = dict(LISTS if lists is None else lists)
    first = told(Kong(held, nodes={"": before}), **settings)
    then = told(Kong(held, nodes={"": after}), first, 1, **settings)
    assert not first.errors
    assert not then.errors
    return [fact for fact in then.facts if isinstance(fact, GatewayRequests | GatewayLatency)]


def requests(facts: Sequence[Fact]) -> dict[str, tuple[float, float]]:
    return {fact.about.id: (fact.good, fact.bad) for fact in facts if isinstance(fact, GatewayRequests)}


@pytest.mark.parametrize(
    ("code", "by", "every", "own"),
    [
        ("200", "service", False, False),
        ("302", "kong", False, False),
        ("101", "service", False, False),
        ("500", "service", True, False),
        ("503", "kong", True, True),
        ("502", "exit", True, True),
        ("504", "error", True, True),
        ("404", "service", None, None),
        ("429", "kong", None, None),
        ("499", "kong", None, None),
        ("0", "kong", None, None),
        ("5xx", "kong", None, None),
        ("", "", None, None),
    ],
)
def test_what_is_bad(code: str, by: str, every: bool | None, own: bool | None) -> None:
    """5xx of whoever gave it, or of Kong alone; what clients got wrong or gave up, and what is no status, is in neither."""
    assert (is_bad(code, by, own=False), is_bad(code, by, own=True)) == (every, own)


def test_5xx_of_services_are_good_where_only_our_own_are_bad() -> None:
    """Kong did what it should: it passed them on."""
    before = Node().answered("cart", 200, 10).answered("cart", 500, 1).answered("cart", 503, 1, by="kong")
    after = Node().answered("cart", 200, 15).answered("cart", 500, 3).answered("cart", 503, 2, by="kong")
    assert requests(counted(before, after)) == {"edge/cart": (5.0, 3.0)}
    assert requests(counted(before, after, bad="own")) == {"edge/cart": (7.0, 1.0)}


def test_a_node_that_begins_anew_counts_from_zero() -> None:
    """What it counted since is known, and what it had counted before the last scrape is told already."""
    assert requests(counted(Node().answered("cart", 200, 900), Node().answered("cart", 200, 4))) == {
        "edge/cart": (4.0, 0.0)
    }


def test_what_only_clients_got_wrong_is_no_event() -> None:
    """A route with 4xx alone has no request that counts; how long they took is known of all."""
    before = Node().answered("cart", 404, 1).took("cart", {30: 1}, 30)
    facts = counted(before, Node().answered("cart", 404, 5).took("cart", {30: 5}, 150))
    (fact,) = facts
    assert isinstance(fact, GatewayLatency)
    assert (fact.about.id, dict(fact.within), fact.seconds) == ("edge/cart", {"0.05": 4.0}, 0.12)


def test_kongs_bounds_stand_under_ours() -> None:
    """80 ms under 100 ms, 400 ms under 500 ms, 700 ms under a second; past a minute under none."""
    before = Node().took("cart", {}, 0)
    after = Node().took("cart", {10: 1, 70: 2, 95: 4, 399: 8, 650: 16, 900: 32, 1_999: 64, 60_001: 128}, 1_000_000)
    (fact,) = counted(before, after)
    assert isinstance(fact, GatewayLatency)
    assert dict(fact.within) == {"0.025": 1.0, "0.1": 6.0, "0.5": 8.0, "1": 48.0, "2.5": 64.0, "+Inf": 128.0}
    assert fact.seconds == 1_000.0


def test_consumers_of_one_route_are_added_up() -> None:
    """Who called is nothing that is told."""
    before = Node().answered("cart", 200, 1, workspace="default").answered("cart", 200, 1, workspace="default", x="jo")
    after = Node().answered("cart", 200, 3, workspace="default").answered("cart", 200, 6, workspace="default", x="jo")
    assert requests(counted(before, after)) == {"edge/cart": (7.0, 0.0)}


def test_a_route_without_a_name_goes_by_its_id_and_one_that_is_gone_keeps_its_owner() -> None:
    """Kong's metrics call the one by its id; of the other a last request came before it was deleted."""
    before = Node().answered("7a7e", 200, 1).answered("cart", 200, 1)
    after = Node().answered("7a7e", 200, 2).answered("cart", 200, 2)
    world = Kong(LISTS, nodes={"": before})
    streams = SOURCE.connect(
        SOURCE.config.model_validate({**SETTINGS, "metrics": [], "data_planes": 0}), outside := FakeOutside(world), "k"
    )
    api, metrics = streams
    list(api.read(None, NOON, NOON))
    (page,) = metrics.read(None, NOON, NOON)
    outside.answering = Kong({**LISTS, "/routes": LISTS["/routes"][:1]}, nodes={"": after})
    list(api.read(None, NOON, NOON + MINUTE))
    (page,) = metrics.read(page.checkpoint, NOON, NOON + MINUTE)
    assert [(fact.about.id, fact.about.labels) for fact in page.facts] == [("edge/7a7e", ()), ("edge/cart", CART)]


def test_requests_wait_for_whose_they_are() -> None:
    """A route that was made since the last list is looked up; while that fails nothing is told, and nothing is lost."""
    held = {**LISTS, "/routes": [*LISTS["/routes"], route("new", "pay", minute=9)]}
    config = SOURCE.config.model_validate({**SETTINGS, "metrics": [], "data_planes": 0})
    outside = FakeOutside(Kong(LISTS, nodes={"": Node().answered("cart", 200, 1)}))
    api, metrics = SOURCE.connect(config, outside, "k")
    list(api.read(None, NOON, NOON))
    (first,) = metrics.read(None, NOON, NOON)
    after = Node().answered("cart", 200, 1).answered("new", 200, 8)
    outside.answering = Kong(held, nodes={"": after}, refused=frozenset({"/routes"}))
    with pytest.raises(SourceError):
        list(metrics.read(first.checkpoint, NOON, NOON + MINUTE))
    outside.answering = Kong(held, nodes={"": after})
    (page,) = metrics.read(first.checkpoint, NOON, NOON + 2 * MINUTE)
    assert [(fact.about.id, fact.about.labels) for fact in page.facts] == [("edge/new", tuple(OF_PAY))]
    listed = len(outside.calls)
    (again,) = metrics.read(page.checkpoint, NOON, NOON + 3 * MINUTE)
    assert (again.facts, len(outside.calls) - listed) == ((), 1)


SPACES: dict[str, Rows] = {
    "/workspaces": [{"id": "w1", "name": "default"}, {"id": "w2", "name": "team-a"}, {"id": "w3", "name": "team-b"}],
    **{path: [] for path in LISTS},
    **{f"/{space}{path}": [] for space in ("team-a", "team-b") for path in LISTS},
    "/routes": [route("home", None)],
    "/team-a/routes": [route("home", None, "team:a", id_="a")],
    "/team-b/routes": [route("only-b", None, "team:b", id_="b")],
}


def test_routes_of_other_workspaces_are_named_with_them() -> None:
    """That of the default workspace is named as in the open source edition; globs select."""
    found = told(Kong(SPACES, nodes={"": Node()}))
    assert [fact.about.id for fact in found.facts] == ["edge/home", "edge/team-a/home", "edge/team-b/only-b"]
    found = told(Kong(SPACES, nodes={"": Node()}), workspaces=["team-*"])
    assert [fact.about.id for fact in found.facts] == ["edge/team-a/home", "edge/team-b/only-b"]


def test_requests_are_those_of_their_workspace() -> None:
    """Where a family lacks the workspace the name decides, if one route alone has it."""
    before = Node().answered("home", 200, 1, workspace="default").answered("home", 200, 1, workspace="team-a")
    after = Node().answered("home", 200, 2, workspace="default").answered("home", 200, 5, workspace="team-a")
    facts = counted(before.took("only-b", {}, 0), after.took("only-b", {30: 2}, 60), SPACES)
    assert requests(facts) == {"edge/home": (1.0, 0.0), "edge/team-a/home": (4.0, 0.0)}
    (slow,) = (fact for fact in facts if isinstance(fact, GatewayLatency))
    assert (slow.about.id, slow.about.labels) == ("edge/team-b/only-b", (("team", "b"),))


def test_several_nodes_behind_one_address_are_told_apart() -> None:
    """By who they say they are: what one counted is no growth of the other."""
    held, found = dict(LISTS), list[Fact]()
    before: Told | None = None
    for minute, (node, n) in enumerate([("a", 100), ("b", 900), ("a", 103), ("b", 905)]):
        before = told(Kong(held, nodes={"": Node(node).answered("cart", 200, n)}), before, minute)
        found += [fact for fact in before.facts if isinstance(fact, GatewayRequests)]
    assert [fact.good for fact in found if isinstance(fact, GatewayRequests)] == [3.0, 5.0]
    assert len({fact.key for fact in found}) == 2


def test_a_list_without_an_end_is_no_list() -> None:
    """Nothing of it is taken for all that stands."""
    world = Kong(LISTS, nodes={"": Node()})
    lists = {"/routes": {"data": list(LISTS["/routes"][:2]), "offset": "at-0"}}
    outside = FakeOutside(lambda call: world(replace(call, params={})) if call.path in lists else world(call))
    found = poll(SOURCE, replace(CASE, settings={**SETTINGS, "metrics": []}), outside)
    assert isinstance(found.error, Unexpected)
    assert "/routes: the same page again and again" in str(found.error)
    assert not [fact for fact in found.facts if isinstance(fact, Route)]


def planes(rows: Rows, expected: int, minutes: int = 0) -> list[Fact]:
    world = Kong({**LISTS, "/clustering/data-planes": rows}, nodes={"": Node()})
    found = told(world, minutes=minutes, data_planes=expected)
    return [fact for fact in found.facts if isinstance(fact, Instances | SliCount)]


def test_data_planes_are_those_that_there_should_be() -> None:
    """Heard from within two minutes by Kong's clock; more than there should be make up for no silent one before."""
    assert planes(LISTS["/clustering/data-planes"], 3) == [HEARD, MINUTE_OF_PLANES]
    assert planes([plane(n, 1) for n in range(5)], 3) == [
        replace(HEARD, reporting=5),
        replace(MINUTE_OF_PLANES, good=3.0, bad=0.0),
    ]
    assert planes([], 3) == [replace(HEARD, reporting=0), replace(MINUTE_OF_PLANES, good=0.0, bad=3.0)]


def test_kongs_own_clock_tells_who_is_silent() -> None:
    """Ours may be half an hour ahead of it; the minute that is counted is one of ours."""
    standing, minute = planes(LISTS["/clustering/data-planes"], 3, minutes=30)
    assert standing == HEARD
    assert isinstance(minute, SliCount)
    assert (minute.at, minute.good, minute.bad) == (at(30), 2.0, 1.0)


def test_a_data_plane_that_can_not_be_read_is_not_silent() -> None:
    """How many report is not known then, and of the minute nothing is said."""
    assert planes([plane(1, 1), {**plane(2, 1), "last_seen": "now"}], 3) == [replace(HEARD, reporting=None)]


def problems(world: Kong, **settings: Any) -> list[str]:
    config = SOURCE.config.model_validate({**SETTINGS, **settings})
    return list(SOURCE.check(config, FakeOutside(world)))


def test_check_tells_what_is_missing() -> None:
    """All of it at once, and what to do."""
    world = replace(small_world(), refused=frozenset({"/consumers", "kong-1:8100:/metrics"}), nodes={})
    assert problems(world) == [
        "/consumers: GET /consumers: 403; give the user of the token the RBAC permission `read` on it",
        "http://kong-1:8100/metrics: LINES /metrics: 403; let this machine read it",
        "http://kong-2:8100/metrics is no page of metrics; write the address of the node's Status API (`status_listen`)",
    ]
    assert problems(world, consumers=False, traffic=False) == []
    alone = replace(
        small_world(), lists={path: rows for path, rows in LISTS.items() if path != "/clustering/data-planes"}
    )
    assert problems(alone) == [
        (
            "/clustering/data-planes: GET /clustering/data-planes: 404; url is that of no control plane, which alone knows "
            "its data planes: remove data_planes"
        )
    ]
    assert problems(replace(world, refused=frozenset({"/workspaces"}))) == [
        "workspaces: GET /workspaces: 403; give the user of the token the RBAC permission `read` on /workspaces"
    ]
    assert problems(small_world(), workspaces=["a", "b"]) == ["no workspace is called a or b; correct `workspaces`"]


def test_check_tells_why_nothing_is_counted() -> None:
    """A control plane, no plugin that counts, or one that is told to leave things out."""
    assert problems(replace(small_world(), role="control_plane", nodes={"": Node()}), metrics=[]) == [
        (
            "url is that of a control plane, through which no request passes; write the Status API of each data plane: "
            "metrics: [http://NODE:8100, ...]"
        )
    ]
    assert problems(replace(small_world(), plugins=())) == [
        "no plugin prometheus is in use, without which Kong counts no requests; add it, or write traffic: false"
    ]
    silent = plugin("prometheus", config={"status_code_metrics": False, "latency_metrics": True})
    assert problems(replace(small_world(), lists={**LISTS, "/plugins": [silent]})) == [
        "the plugin prometheus has status_code_metrics: false; set it to true"
    ]


def test_check_tells_of_one_node_at_two_addresses() -> None:
    """It says itself who it is, and its requests would count twice; the same address twice is no setting at all."""
    one = {name: Node("same") for name in ("kong-1:8100", "kong-2:8100")}
    assert problems(replace(small_world(), nodes=one)) == [
        "http://kong-1:8100 and http://kong-2:8100 are one node, whose requests would count twice; write one of them"
    ]
    with pytest.raises(ValidationError, match="kong-1:8100 stands here twice, and its requests would count twice"):
        SOURCE.config.model_validate({**SETTINGS, "metrics": ["http://kong-1:8100/", "http://kong-1:8100/metrics"]})


def test_the_token_goes_to_the_admin_api_alone() -> None:
    """Nodes have addresses of their own, which nobody vouches for."""
    access = SOURCE.access(Config.model_validate(SETTINGS))
    assert access.credential is not None
    assert {name: (way.url, way.credential) for name, way in access.beside.items()} == {
        "kong-1:8100": ("http://kong-1:8100", None),
        "kong-2:8100": ("http://kong-2:8100", None),
    }
    assert SOURCE.access(Config.model_validate({"url": "http://kong:8001"})).credential is None


def test_init_finds_the_admin_api_that_a_variable_names() -> None:
    """With the token that another names."""
    around = Surroundings(
        variables=frozenset({"KONG_ADMIN_TOKEN"}), addresses={"KONG_ADMIN_URL": "https://kong.example:8444"}
    )
    found = SOURCE.propose(around)
    assert found is not None
    assert found.found == {"kong": {"url": "https://kong.example:8444", "token": {"env": "KONG_ADMIN_TOKEN"}}}
    nothing = SOURCE.propose(Surroundings())
    assert nothing is not None
    assert nothing.found == {}


def test_times_are_those_of_the_world() -> None:
    """The server in memory writes seconds since 1970, as Kong does."""
    assert datetime.fromtimestamp(made(0), UTC) == NOON


def test_requests_are_told_by_slices_of_five_minutes_unless_it_is_said() -> None:
    """Each node is asked once a slice, and dated by the one that has just ended; lists and data planes are asked each minute."""
    streams = SOURCE.connect(Config.model_validate({**SETTINGS, "every": "1m"}), FakeOutside({}), "edge")
    assert {s.name: s.every for s in streams} == {
        "api": None,
        "data planes": None,
        "metrics kong-1:8100": 5 * MINUTE,
        "metrics kong-2:8100": 5 * MINUTE,
    }
    for slice_, minute in (("5m", 5), ("1m", 7)):
        settings: dict[str, Any] = {"every": "1m", "slice": slice_, "metrics": ()}
        before = told(Kong(LISTS, nodes={"": Node("a").answered("cart", 200, 100)}), **settings)
        after = told(Kong(LISTS, nodes={"": Node("a").answered("cart", 200, 103)}), before, 7, **settings)
        assert [(f.at, f.good) for f in after.facts if isinstance(f, GatewayRequests)] == [(at(minute), 3.0)]
