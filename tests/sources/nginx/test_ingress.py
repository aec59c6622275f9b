"""Metrics of ingress-nginx's controllers, in the form in which they write them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.sources.nginx.test_nginx import MINUTE, NOW

from platform_meter.model.facts import Ref
from platform_meter.model.facts.traffic import GatewayLatency, GatewayRequests, Route
from platform_meter.model.source import Page
from platform_meter.sources.nginx.ingress import Ingress, apart
from platform_meter.testing.outside import FakeOutside

BORN = f"process_start_time_seconds {NOW.timestamp() - 3600}"
PAGE = Ingress(gateway="edge", cluster="prod", path="/metrics", name="http://ingress:10254/metrics", slice=MINUTE)
COMMON = 'canary="",controller_class="k8s.io/ingress-nginx",controller_namespace="ingress-nginx",controller_pod="c-1"'


def labels(status: int, space: str = "shop", ingress: str = "cart", service: str = "cart") -> str:
    named = f'ingress="{ingress}",method="GET",namespace="{space}",path="/",service="{service}"'
    return f'{COMMON},host="shop.example",{named},status="{status}"'


def asked(status: int, n: int, space: str = "shop", ingress: str = "cart") -> str:
    return f"nginx_ingress_controller_requests{{{labels(status, space, ingress)}}} {n}"


def took(status: int, seconds: float, **up_to: int) -> list[str]:
    """Buckets by bound, `_5` for 0.5 and `inf`; and their sum."""
    name = "nginx_ingress_controller_request_duration_seconds"
    bounds = {key: "+Inf" if key == "inf" else key.replace("_", "0.", 1).replace("s", "") for key in up_to}
    lines = [f'{name}_bucket{{{labels(status)},le="{bounds[key]}"}} {n}' for key, n in up_to.items()]
    return [*lines, f"{name}_sum{{{labels(status)}}} {seconds}"]


class Reader:
    def __init__(self, page: Ingress = PAGE) -> None:
        self.page, self.checkpoint = page, None
        self.looks = 0
        self.last = Page()

    def __call__(self, *lines: str, after: timedelta = MINUTE) -> Page:
        self.looks += 1
        now = NOW + self.looks * after
        outside = FakeOutside({"/metrics": "\n".join((BORN, *lines)) + "\n"})
        (self.last,) = self.page.read(outside, self.checkpoint, now - timedelta(days=1), now)
        self.checkpoint = self.last.checkpoint  # type: ignore[assignment]  # bytes from now on
        return self.last


def counts(page: Page) -> list[tuple[str, float, float]]:
    return [(fact.about.id, fact.good, fact.bad) for fact in page.facts if isinstance(fact, GatewayRequests)]


def test_requests_are_told_by_ingress() -> None:
    """5xx is bad, what clients got wrong or gave up is left out; series that differ in others are added up."""
    read = Reader()
    first = (asked(200, 10), asked(302, 1), asked(503, 2), asked(404, 5), asked(200, 7, "pay", "api"))
    assert counts(read(*first)) == []
    page = read(
        asked(200, 14), asked(302, 2), asked(503, 5), asked(404, 50), asked(499, 3), asked(200, 8, "pay", "api")
    )
    assert counts(page) == [("edge/pay/api", 1.0, 0.0), ("edge/shop/cart", 5.0, 3.0)]
    (fact, *_) = (fact for fact in page.facts if isinstance(fact, GatewayRequests))
    about = Ref(system="nginx", kind="route", id="edge/pay/api", links=("kubernetes:prod/pay",))
    assert (fact.about, fact.gateway, fact.at) == (about, "edge", datetime(2026, 5, 4, 12, 2, tzinfo=UTC))
    assert fact.key == (
        f"requests/pay/api/http://ingress:10254/metrics/{NOW.timestamp() - 3600:.6f}@2026-05-04T12:01:30.000000Z"
    )


def test_durations_are_told_by_our_bounds() -> None:
    """Of good and bad requests; a connection that became another protocol lasts as long as its client wants."""
    read = Reader()
    read(*took(200, 1.0, _1=2, _5=3, inf=3), *took(101, 900.0, inf=1), *took(404, 0.1, _1=1, inf=1))
    page = read(*took(200, 4.5, _1=4, _5=6, inf=7), *took(101, 999.0, inf=2), *took(404, 9.1, _1=5, inf=5))
    (told,) = (fact for fact in page.facts if isinstance(fact, GatewayLatency))
    assert (dict(told.within), told.seconds, told.about.id) == (
        {"0.1": 2.0, "0.5": 1.0, "+Inf": 1.0},
        3.5,
        "edge/shop/cart",
    )


def test_bounds_of_others_go_to_the_next_higher_one() -> None:
    """A share in time is never told as larger than it was; an estimate that goes back counts nothing."""
    assert apart({0.3: 1.0, 0.4: 3.0, 0.5: 3.0, 7.0: 4.0, float("inf"): 6.0}) == {"0.5": 3.0, "10": 1.0, "+Inf": 2.0}
    assert apart({0.1: 2.0, 0.5: 1.0, float("inf"): 3.0}) == {"0.1": 2.0, "+Inf": 1.0}


def test_a_request_that_no_ingress_is_for_has_no_name() -> None:
    """It counts all the same, and is no route."""
    read = Reader(replace(PAGE, cluster=""))
    read(asked(200, 1, "", ""), asked(200, 1))
    page = read(asked(200, 4, "", ""), asked(200, 2))
    assert counts(page) == [("edge/_unknown", 3.0, 0.0), ("edge/shop/cart", 1.0, 0.0)]
    assert all(fact.about.links == () for fact in page.facts)
    assert [fact.about.id for fact in page.facts if isinstance(fact, Route)] == ["edge/shop/cart"]


def test_routes_are_those_that_pages_have() -> None:
    """Also of another controller that answers in turn; a week after they were told last they are none any more."""
    read = Reader()

    def standing() -> list[str]:
        assert read.last.complete == {Route}
        return [fact.about.id for fact in read.last.facts if isinstance(fact, Route)]

    read(asked(200, 1), asked(200, 1, "pay", "api"))
    assert standing() == ["edge/pay/api", "edge/shop/cart"]
    read(asked(200, 1))
    assert standing() == ["edge/pay/api", "edge/shop/cart"]
    read(asked(200, 1), after=timedelta(days=4))
    assert standing() == ["edge/shop/cart"]
