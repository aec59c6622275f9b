"""The API server's own `/metrics`: which requests are read, listed and written, and which are bad."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.sources.kubernetes.kubernetes_server import Cluster
from tests.support.stores import open_at

from platform_meter.measures import kubernetes
from platform_meter.model.facts.kubernetes import ApiLatency, ApiRequests
from platform_meter.model.measure import Counting
from platform_meter.model.source import Forbidden
from platform_meter.sources.kubernetes import SOURCE, Config
from platform_meter.sources.kubernetes.apiserver import is_bad, may_read, read
from platform_meter.store import LeaseLost
from platform_meter.testing.outside import FakeOutside, Reply

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
REFUSED = FakeOutside(lambda _: Reply(status=403))


def told(
    cluster: Cluster, now: datetime, checkpoint: bytes | None
) -> tuple[dict[str, tuple[float, float]], bytes | None]:
    """Good and bad by class of verb, and the next checkpoint."""
    [page] = read("eu", MINUTE, FakeOutside(cluster), checkpoint, now)
    facts = [fact for fact in page.facts if isinstance(fact, ApiRequests)]
    assert all((fact.at, fact.cluster, fact.about.name) == (now, "eu", "kubernetes:eu") for fact in facts)
    return {fact.verb_class.value: (fact.good, fact.bad) for fact in facts}, page.checkpoint


def test_verbs_and_codes() -> None:
    """Good is neither 5xx nor 429; WATCH, CONNECT and verbs that nobody knows are left out (domain section 8)."""
    verbs = ("GET", "LIST", "POST", "PUT", "PATCH", "APPLY", "DELETE", "DELETECOLLECTION", "WATCH", "CONNECT", "other")
    cluster = Cluster(requests={(verb, code): 1_000 for verb in verbs for code in (200, 404, 429, 500)})
    nothing, checkpoint = told(cluster, NOW, None)
    assert nothing == {}
    for verb in verbs:
        cluster.requests[verb, 200] += 10
        cluster.requests[verb, 404] += 5
        cluster.requests[verb, 429] += 2
        cluster.requests[verb, 500] += 1
    found, checkpoint = told(cluster, NOW + MINUTE, checkpoint)
    assert found == {"read": (15.0, 3.0), "list": (15.0, 3.0), "write": (90.0, 18.0)}
    assert told(cluster, NOW + 2 * MINUTE, checkpoint)[0] == {}


def test_in_time_and_late() -> None:
    """One object within 1 s, to read or to write, and lists within 30 s; other bounds say nothing."""
    bounds = ("0.5", "1", "30", "+Inf")
    cluster = Cluster(within={(verb, bound): 100 for verb in ("GET", "LIST", "PATCH", "WATCH") for bound in bounds})
    [page] = read("eu", MINUTE, FakeOutside(cluster), None, NOW)
    for verb in ("GET", "LIST", "PATCH", "WATCH"):
        for bound, n in zip(bounds, (1, 5, 8, 9), strict=True):
            cluster.within[verb, bound] += n
    [page] = read("eu", MINUTE, FakeOutside(cluster), page.checkpoint, NOW + MINUTE)
    assert {f.verb_class.value: (f.good, f.bad) for f in page.facts if isinstance(f, ApiLatency)} == {
        "read": (5.0, 4.0),
        "list": (8.0, 1.0),
        "write": (5.0, 4.0),
    }
    assert len(page.facts) == 3


@pytest.mark.parametrize(
    ("code", "bad"), [("200", False), ("0", False), ("404", False), ("429", True), ("500", True), ("599", True), ("5", False)]
)  # fmt: skip
def test_bad_codes(code: str, bad: bool) -> None:
    """Too many requests are the server's doing too; a client that went away is not."""
    assert is_bad(code) is bad


def test_servers_behind_one_address_are_told_apart() -> None:
    """What one of them counted is no reset of the other."""
    servers = [Cluster(requests={("GET", 200): n}, began=f"177730000{i}") for i, n in enumerate((90_000, 50))]
    checkpoint, found = None, []
    for number in range(6):
        at = servers[number % 2]
        at.requests["GET", 200] += 7
        said, checkpoint = told(at, NOW + number * MINUTE, checkpoint)
        found.append(said)
    assert found == [{}, {}, *[{"read": (7.0, 0.0)}] * 4]


@pytest.mark.parametrize("crash", ["before it is saved", "while it is saved", "before the poll ends", "never"])
def test_a_crash_repeats_and_never_doubles(crash: str, tmp_path: Path) -> None:
    """Wherever the second of three polls dies, each request after the first scrape is counted once."""
    countings = [c for c in kubernetes.MEASURES.standing if isinstance(c, Counting)]
    address = f"sqlite:///{tmp_path / 'meter.db'}"
    cluster = Cluster(requests={("GET", 200): 1_000})
    for number in range(4):
        now = NOW + number * MINUTE
        store = open_at(address, countings=countings)
        poll = store.begin_poll(
            "eu", "kubernetes", "apiserver", now=now, lookback=timedelta(minutes=15), history=timedelta(days=1)
        )
        [page] = read("eu", MINUTE, FakeOutside(cluster), poll.checkpoint, now)
        dies = crash if number == 2 else "never"
        if dies == "while it is saved":
            # Another replica has taken over: the transaction ends without effect.
            with pytest.raises(LeaseLost):
                store.write(replace(poll, token=7), page, now=now)
        elif dies != "before it is saved":
            store.write(poll, page, now=now)
            if dies == "never":
                store.end_poll(poll, now=now)
        store.close()
        cluster.requests["GET", 200] += 10
    store = open_at(address, countings=countings)
    name = "platform_cluster_api_requests_total"
    assert {row.labels: row.value for row in store.counters() if row.metric == name} == {
        ("eu", "read", "good"): 30.0,
        ("eu", "read", "bad"): 0.0,
    }
    store.close()


def test_a_role_that_may_not_is_told_what_to_grant() -> None:
    """By the stream and by `check`, and nothing else of the cluster is asked less for it."""
    text = "the credential may not get nonResourceURL /metrics; grant it as deploy/kubernetes/rbac.yaml does"
    with pytest.raises(Forbidden, match=re.escape(f"{text}, or set `api_requests: false`")):
        list(read("eu", MINUTE, REFUSED, None, NOW))
    assert not may_read(REFUSED)
    assert may_read(FakeOutside(Cluster()))
    cluster = Cluster()
    config = Config.model_validate({"cluster": "eu", "in_cluster": True, "api_requests": True})
    outside = FakeOutside(lambda call: Reply(status=403) if call.path == "/metrics" else cluster(call))
    assert SOURCE.check(config, outside) == [text]


def test_it_is_read_on_request_alone() -> None:
    """Large clusters have large pages."""
    for asked in (True, False):
        config = Config.model_validate({"cluster": "eu", "in_cluster": True, "api_requests": asked})
        assert any(s.name == "apiserver" for s in SOURCE.connect(config, REFUSED, "eu")) is asked


def test_a_poll_that_comes_seldom_is_no_gap() -> None:
    """Three times `every` is, and never less than 15 minutes."""
    for every, after, gaps in ((MINUTE, 15, 0), (MINUTE, 16, 1), (20 * MINUTE, 60, 0), (20 * MINUTE, 61, 1)):
        cluster = Cluster(requests={("GET", 200): 1})
        _, checkpoint = told(cluster, NOW, None)
        outside = FakeOutside(cluster)
        list(read("eu", every, outside, checkpoint, NOW + after * MINUTE))
        assert len(outside.gaps) == gaps
