"""Requests that meshes and gateways counted: what they add to rollups, and what SLOs take of them."""

from __future__ import annotations

from datetime import UTC, datetime
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_meter.model import dims
from platform_meter.model.dims import Dim
from platform_meter.model.facts import Ref, Tallied, Tally
from platform_meter.model.facts.slis import Verdict
from platform_meter.model.facts.traffic import (
    GATEWAY_LATENCY,
    GATEWAY_REQUESTS,
    LATENCY_BUCKETS,
    MESH_LATENCY,
    MESH_REQUESTS,
    GatewayDim,
    GatewayLatency,
    GatewayRequests,
    MeshDim,
    MeshLatency,
    MeshRequests,
    MeshSecurity,
    Security,
    SecurityDim,
    TookDim,
    latency_bucket,
    latency_within,
)
from platform_meter.model.objective import Countable, StoredSli

AT = datetime(2026, 6, 1, tzinfo=UTC)
ROUTE = Ref(system="kong", kind="route", id="edge/pay")
SERVICE = Ref(system="istio", kind="service", id="eu/pay/api")
IN_MESH = MeshRequests(key="1", at=AT, about=SERVICE, cluster="eu", good=97.5, bad=2.5)
THROUGH = GatewayRequests(key="1", at=AT, about=ROUTE, gateway="edge", good=1_200.0, bad=0.0)
WITHIN = {"0.005": 0.0, "0.1": 90.0, "0.5": 6.5, "+Inf": 1.0}
TIMED = MeshLatency(key="1", at=AT, about=SERVICE, cluster="eu", within=WITHIN, seconds=12.0)
ROUTED = GatewayLatency(key="1", at=AT, about=ROUTE, gateway="edge", within=WITHIN, seconds=12.0)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            IN_MESH,
            [
                Tally(dim=MeshDim("eu", Verdict.GOOD), amount=97.5),
                Tally(dim=MeshDim("eu", Verdict.BAD), n=0, amount=2.5),
            ],
        ),
        (
            THROUGH,
            [
                Tally(dim=GatewayDim("edge", Verdict.GOOD), amount=1_200.0),
                Tally(dim=GatewayDim("edge", Verdict.BAD), n=0, amount=0.0),
            ],
        ),
        (
            MeshSecurity(key="1", at=AT, about=SERVICE, cluster="eu", mutual=9.0, plain=1.0),
            [
                Tally(dim=SecurityDim("eu", Security.MUTUAL), amount=9.0),
                Tally(dim=SecurityDim("eu", Security.PLAIN), n=0, amount=1.0),
            ],
        ),
        (
            TIMED,
            [
                Tally(dim=TookDim("eu", "0.1"), amount=90.0),
                Tally(dim=TookDim("eu", "0.5"), n=0, amount=6.5),
                Tally(dim=TookDim("eu", "+Inf"), n=0, amount=1.0),
            ],
        ),
        (
            ROUTED,
            [
                Tally(dim=TookDim("edge", "0.1"), amount=90.0),
                Tally(dim=TookDim("edge", "0.5"), n=0, amount=6.5),
                Tally(dim=TookDim("edge", "+Inf"), n=0, amount=1.0),
            ],
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Tallied) else "",
)
def test_what_counted_requests_add_to_rollups(event: Tallied[Dim], expected: list[Tally[Dim]]) -> None:
    """One event, whatever it counted; its words are read back as they were written."""
    assert list(event.tallies()) == expected
    assert [dims.decode(dims.encode(tally.dim), event.dim()) for tally in expected] == [t.dim for t in expected]


@pytest.mark.parametrize(
    ("seconds", "bucket"),
    [
        (0.0, "0.005"),
        (0.005, "0.005"),
        (0.0051, "0.01"),
        (1.0, "1"),
        (60.0, "60"),
        (60.1, "+Inf"),
        (float("inf"), "+Inf"),
    ],
)
def test_a_bound_of_a_system_stands_under_the_next_higher_one(seconds: float, bucket: str) -> None:
    """One that both have is the same."""
    assert latency_bucket(seconds) == bucket


@given(st.floats(0, 100), st.sampled_from(LATENCY_BUCKETS))
def test_what_was_counted_as_in_time_was_in_time(seconds: float, threshold: float) -> None:
    """Its bound is at or under the threshold only if it is so itself."""
    assert TookDim("eu", latency_bucket(seconds)).within(threshold) is (seconds <= threshold)


def test_a_cumulative_histogram_counts_each_observation_once() -> None:
    """Bounds of which we have none go to the next higher one; an estimate below the one before it has none of its own."""
    assert latency_within({0.025: 1.5, 0.08: 3.0, 0.1: 7.0, 0.4: 6.0, inf: 9.0}) == {
        "0.025": 1.5,
        "0.1": 5.5,
        "+Inf": 2.0,
    }
    assert latency_within({0.1: 0.0, inf: 0.0}) == {}


@given(st.dictionaries(st.floats(0.001, 100), st.integers(0, 1_000), max_size=8), st.sampled_from(LATENCY_BUCKETS))
def test_a_histogram_is_never_told_faster_than_it_was(alone: dict[float, int], threshold: float) -> None:
    """As many as it has in all; within a threshold at most those that it has up to there, and exactly where it has that bound."""
    bounds = sorted(alone)
    up_to = {bound: float(sum(alone[b] for b in bounds if b <= bound)) for bound in bounds}
    up_to[inf] = float(sum(alone.values()))
    found = latency_within(up_to)
    in_time = sum(n for le, n in found.items() if TookDim("eu", le).within(threshold))
    assert sum(found.values()) == up_to[inf]
    assert in_time <= max((n for bound, n in up_to.items() if bound <= threshold), default=0.0)
    assert threshold not in up_to or in_time == up_to[threshold]


@pytest.mark.parametrize(
    ("counts", "event", "word", "named"),
    [
        (MESH_REQUESTS, IN_MESH, "cluster", "eu"),
        (GATEWAY_REQUESTS, THROUGH, "gateway", "edge"),
    ],
    ids=["mesh", "gateway"],
)
def test_requests_are_good_and_bad_where_they_are_asked_for(
    counts: Countable[Tallied[Dim], Dim], event: Tallied[Dim], word: str, named: str
) -> None:
    """Of the cluster or gateway that is named, or of all; of others they are nothing."""
    dims_ = [tally.dim for tally in event.tallies()]
    for where, verdicts in (({}, [True, False]), ({word: named}, [True, False]), ({word: "other"}, [None, None])):
        assert [counts.good(StoredSli(events=counts, where=where), dim) for dim in dims_] == verdicts
    assert counts.elsewhere
    assert counts.where == (word,)


@pytest.mark.parametrize(
    ("counts", "event", "word", "named"),
    [
        (MESH_LATENCY, TIMED, "cluster", "eu"),
        (GATEWAY_LATENCY, ROUTED, "gateway", "edge"),
    ],
    ids=["mesh", "gateway"],
)
def test_requests_are_in_time_up_to_the_threshold(
    counts: Countable[Tallied[Dim], Dim], event: Tallied[Dim], word: str, named: str
) -> None:
    """At the bound is in time; what no bound holds never is."""
    dims_ = [tally.dim for tally in event.tallies()]
    for threshold, where, verdicts in (
        (0.1, {}, [True, False, False]),
        (0.25, {word: named}, [True, False, False]),
        (60.0, {word: named}, [True, True, False]),
        (60.0, {word: "other"}, [None, None, None]),
    ):
        sli = StoredSli(events=counts, where=where, threshold=threshold)
        assert [counts.good(sli, dim) for dim in dims_] == verdicts
    assert counts.elsewhere
    assert counts.thresholds == LATENCY_BUCKETS


def test_what_was_bad_is_told_in_words() -> None:
    """Which service or route it was, and how many of how many."""
    assert MESH_REQUESTS.told(IN_MESH) == ("eu/pay/api", "2.5 of 100 bad")
    assert GATEWAY_REQUESTS.told(THROUGH) == ("edge/pay", "0 of 1,200 bad")
    assert MESH_LATENCY.told(TIMED) == ("eu/pay/api", "90 in 0.1 s, 6.5 in 0.5 s, 1 longer")
    assert GATEWAY_LATENCY.told(ROUTED) == ("edge/pay", "90 in 0.1 s, 6.5 in 0.5 s, 1 longer")


def test_requests_are_use_of_what_they_come_through() -> None:
    """As much as they are, good and bad; told apart by cluster or gateway."""
    assert (MeshRequests.verb, GatewayRequests.verb) == ("request", "request")
    assert MeshRequests.use_fields() == ("at", "good", "bad", "cluster")
    assert GatewayRequests.use_fields() == ("at", "good", "bad", "gateway")
