"""Counters of proxies become facts of services, whichever way they were read."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sources.kit.mesh.proxies import asked

from platform_meter.model.facts.slis import Verdict
from platform_meter.model.facts.traffic import LATENCY_BUCKETS, MeshLatency, MeshRequests, MeshSecurity
from platform_meter.sources.kit.mesh.traffic import (
    GRPC_BAD,
    GRPC_CLIENT,
    Amounts,
    Counted,
    Fits,
    Labels,
    Mesh,
    Place,
    Stretch,
    facts,
)

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
ONCE = Stretch(key="1", at=NOON)
BY = ("ns", "svc", "word")
REQUESTS = Counted(name="requests_total", by=BY)
DURATIONS = Counted(name="took_bucket", by=("ns", "svc", "le"))
SUMS = Counted(name="took_sum", by=("ns", "svc"))
SECURITY = Counted(name="secured_total", by=BY)
CART = {"ns": "shop", "svc": "cart"}


def _place(labels: Labels) -> Place | None:
    return Place(namespace=labels["ns"], name=labels["svc"], workload=labels.get("of", "")) if labels["ns"] else None


MESH = Mesh(
    system="some",
    requests=REQUESTS,
    durations=DURATIONS,
    sums=SUMS,
    security=SECURITY,
    place=_place,
    verdict=lambda labels: {"good": Verdict.GOOD, "bad": Verdict.BAD}.get(labels["word"]),
    mutual=lambda labels: {"yes": True, "no": False}.get(labels["word"]),
)


def buckets(**up_to: float) -> list[tuple[Labels, float]]:
    return [({**CART, "le": bound.removeprefix("le")}, amount) for bound, amount in up_to.items()]


def test_a_service_is_what_all_its_series_count_together() -> None:
    """What is valid for nobody, and what is no service, is in none of them."""
    amounts: Amounts = {
        REQUESTS: [
            ({**CART, "word": "good", "of": "Deployment/cart"}, 5.0),
            ({**CART, "word": "good", "of": "Deployment/cart-canary"}, 2.0),
            ({**CART, "word": "bad"}, 1.0),
            ({**CART, "word": "client"}, 9.0),
            ({"ns": "", "svc": "cart", "word": "good"}, 9.0),
        ],
        SECURITY: [({**CART, "word": "yes"}, 3.0), ({**CART, "word": "no"}, 1.0), ({**CART, "word": "?"}, 9.0)],
    }
    requests, security = facts(MESH, "eu", ONCE, amounts)
    assert isinstance(requests, MeshRequests)
    assert (requests.key, requests.good, requests.bad) == ("requests/eu/shop/cart/1", 7.0, 1.0)
    assert isinstance(security, MeshSecurity)
    assert (security.mutual, security.plain) == (3.0, 1.0)
    assert requests.about == security.about
    assert requests.about.links == (
        "kubernetes:eu/shop/Deployment/cart",
        "kubernetes:eu/shop/Deployment/cart-canary",
        "kubernetes:eu/shop",
    )


def test_nothing_counted_is_no_fact() -> None:
    """0 requests tell nothing of a service, and an amount that is no number makes its own fact unknown alone."""
    amounts: Amounts = {
        REQUESTS: [({**CART, "word": "good"}, 0.0), ({**CART, "word": "client"}, 4.0)],
        SECURITY: [({**CART, "word": "yes"}, math.nan), ({**CART, "word": "no"}, 4.0)],
        DURATIONS: buckets(le5=1.0, **{"+Inf": 2.0}),
    }
    (latency,) = facts(MESH, "eu", ONCE, amounts)
    assert isinstance(latency, MeshLatency)


def test_durations_stand_under_our_next_higher_bound() -> None:
    """20 ms is none of ours; what took longer than our last one is in none; `seconds` is all of them together."""
    amounts: Amounts = {
        DURATIONS: buckets(le5=10.0, le20=30.0, le25=35.0, le60000=38.0, le300000=39.0, **{"+Inf": 40.0}),
        SUMS: [(CART, 2500.0)],
    }
    (latency,) = facts(MESH, "eu", ONCE, amounts)
    assert isinstance(latency, MeshLatency)
    assert latency.within == {"0.005": 10.0, "0.025": 25.0, "60": 3.0, "+Inf": 2.0}
    assert latency.seconds == 2.5


def test_no_duration_is_told_without_all_of_them() -> None:
    """Without `+Inf` nobody knows how many there were."""
    assert list(facts(MESH, "eu", ONCE, {DURATIONS: buckets(le5=10.0)})) == []


@given(st.dictionaries(st.sampled_from([0.5, 5, 10, 30, 100, 1000, 90_000]), st.floats(0, 1000), max_size=7))
def test_buckets_that_contradict_lose_and_make_up_none(up_to: dict[float, float]) -> None:
    """Estimates of two buckets may cross: none of ours is below 0, and together they are all requests."""
    all_ = max([*up_to.values(), 1.0])
    told = [({**CART, "le": f"{bound:g}"}, amount) for bound, amount in {**up_to, math.inf: all_}.items()]
    (latency,) = facts(MESH, "eu", ONCE, {DURATIONS: told})
    assert isinstance(latency, MeshLatency)
    assert all(amount > 0 for amount in latency.within.values())
    assert math.isclose(sum(latency.within.values()), all_, abs_tol=1e-4)
    assert set(latency.within) <= {*(f"{bound:g}" for bound in LATENCY_BUCKETS), "+Inf"}


@pytest.mark.parametrize(("again", "seconds"), [(True, 8), (False, None)])
def test_of_two_reads_of_one_slice_that_which_counted_more_is_later(again: bool, seconds: int | None) -> None:
    """What is read once has no versions."""
    stretch = Stretch(key="1", at=NOON, again=again)
    (fact,) = facts(MESH, "eu", stretch, {REQUESTS: [({**CART, "word": "good"}, 8.0)]})
    assert (fact.updated.timestamp() if fact.updated else None) == seconds


@pytest.mark.parametrize(
    ("value", "fits", "expected"),
    [("DC", True, True), ("DCX", True, False), ("", True, False), ("", False, True), ("DC", False, False)],
)
def test_a_pattern_is_for_all_of_a_value(value: str, fits: bool, expected: bool) -> None:
    """As a matcher of PromQL; a label that is not there is empty."""
    one = Fits(label="flags", pattern="DC|UF", fits=fits)
    assert one.takes({"flags": value} if value else {}) is expected


@given(st.text(max_size=8), st.dictionaries(st.sampled_from(["a", "b"]), st.text(max_size=4)))
def test_a_query_takes_what_a_page_is_read_for(value: str, labels: dict[str, str]) -> None:
    """One parser reads what the other wrote, whatever stands in a value: names, labels and matchers are the same."""
    counter = Counted(name="x_total", by=("a",), only=(Fits(label="b", pattern="4..|101", fits=False),))
    name, by, takes = asked(counter.query({"c": value}, 300, 30))
    assert (name, by) == ("x_total", ["a"])
    assert takes({**labels, "c": value}) is counter.only[0].takes(labels)
    assert takes({**labels, "c": f"{value}x"}) is False


def test_a_query_reaches_a_scrape_further_and_counts_new_series_whole() -> None:
    """Of a proxy that was there before; all else by what it grew by, scaled back to its window."""
    text = Counted(name="x_total", by=("a", "b"), only=(Fits(label="r", pattern="source"),)).query({"c": "eu"}, 60, 15)
    x = 'x_total{c="eu", r=~"source"}'
    assert text == (
        f'sum by (a, b) (({x} unless {x} offset 60s) and on (instance, job) x_total{{c="eu"}} offset 60s '
        f"or increase({x}[75s]) * 60 / 75)"
    )
    promql_parser.parse(text)


def test_statuses_of_grpc_are_bad_or_the_clients_or_good() -> None:
    """0 alone is good, and none is both."""
    assert not GRPC_BAD & GRPC_CLIENT
    assert {str(n) for n in range(17)} - GRPC_BAD - GRPC_CLIENT == {"0"}
