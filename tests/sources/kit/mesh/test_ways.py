"""A mesh is read from a Prometheus in whole slices, or from pages of proxies, with the same facts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.sources.kit.mesh.proxies import Prometheus, page

from platform_meter.model.facts import Fact
from platform_meter.model.facts.traffic import MeshLatency, MeshRequests, MeshSecurity
from platform_meter.model.source import Page, Unexpected, Unreachable
from platform_meter.sources.istio import SOURCE, Config
from platform_meter.sources.kit.mesh.traffic import Counted, Fits
from platform_meter.sources.kit.mesh.ways import families
from platform_meter.sources.kit.scrape import Family
from platform_meter.testing.outside import Call, FakeOutside, Reply

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
NOW = NOON + timedelta(seconds=90)
END = int(NOON.timestamp())
CLIENT = {
    "reporter": "source",
    "destination_service_namespace": "shop",
    "destination_service_name": "cart",
    "destination_workload": "cart",
    "response_code": "200",
    "response_flags": "-",
}
SERVER = {**CLIENT, "reporter": "destination", "connection_security_policy": "mutual_tls"}
ONE, TWO = "http://10.0.0.1:15020/stats/prometheus", "http://10.0.0.2:15020/stats/prometheus"


def read(
    answering: Callable[[Call], Reply] | FakeOutside,
    stream: str = "traffic",
    checkpoint: bytes | None = None,
    now: datetime = NOW,
    **said: Any,
) -> list[Page]:
    outside = answering if isinstance(answering, FakeOutside) else FakeOutside(answering)
    settings: dict[str, Any] = {"cluster": "eu", **said}
    if "scrape" not in said:
        settings.setdefault("prometheus", {"url": "https://p.example"})
    config = Config.model_validate(settings)
    found = next(s for s in SOURCE.connect(config, outside, "istio") if s.name == stream)
    return list(found.read(checkpoint, NOW - timedelta(minutes=8), now))


def told(pages: list[Page]) -> list[tuple[str, datetime, float]]:
    """Kind, moment and how many, of each fact."""
    found = []
    for fact in (fact for one in pages for fact in one.facts):
        if isinstance(fact, MeshRequests):
            found.append(("requests", fact.at, fact.good + fact.bad))
        elif isinstance(fact, MeshLatency):
            found.append(("latency", fact.at, sum(fact.within.values())))
        elif isinstance(fact, MeshSecurity):
            found.append(("security", fact.at, fact.mutual + fact.plain))
    return found


def proxies(amount: float = 10.0) -> Prometheus:
    world = Prometheus()
    world.grew("istio_requests_total", lambda _: amount, **CLIENT)
    return world


def test_a_slice_is_read_once_its_delay_has_passed() -> None:
    """Before that nothing is asked."""
    outside = FakeOutside(proxies())
    assert read(outside, checkpoint=str(END - 300).encode(), now=NOON + timedelta(seconds=59)) == []
    assert outside.calls == []
    (page_,) = read(outside, checkpoint=str(END - 300).encode(), now=NOON + timedelta(seconds=60), lookback="0s")
    assert told([page_]) == [("requests", NOON, 10.0)]
    assert (page_.checkpoint, page_.progress) == (str(END).encode(), None)


def test_what_came_late_corrects_what_was_said() -> None:
    """Slices of the overlap are read again with the next one; that which counted more is the newer version."""
    early = read(proxies(10.0), checkpoint=str(END - 600).encode(), now=NOON - timedelta(minutes=4), lookback="5m")
    late = read(proxies(12.0), checkpoint=str(END - 300).encode(), lookback="5m")
    assert told(early) == [("requests", NOON - timedelta(minutes=m), 10.0) for m in (10, 5)]
    assert told(late) == [("requests", NOON - timedelta(minutes=m), 12.0) for m in (5, 0)]
    versions = [
        (fact.key, fact.updated)
        for page_ in (*early, *late)
        for fact in page_.facts
        if isinstance(fact, MeshRequests) and fact.at == NOON - timedelta(minutes=5)
    ]
    key, once = f"requests/eu/shop/cart/{END - 300}", datetime(1970, 1, 1, tzinfo=UTC)
    assert versions == [(key, once + timedelta(seconds=10)), (key, once + timedelta(seconds=12))]


def test_after_a_stop_all_slices_are_read_in_order() -> None:
    """Twelve in one call, each part a page with its own checkpoint."""
    outside = FakeOutside(proxies())
    pages = read(outside, checkpoint=str(END - 30 * 300).encode(), lookback="0s")
    assert [page_.checkpoint for page_ in pages] == [str(END - 300 * n).encode() for n in (18, 6, 0)]
    assert [str(page_.progress or "") for page_ in pages] == [
        "12 of 30 slices of istio",
        "24 of 30 slices of istio",
        "",
    ]
    assert len(told(pages)) == 30


@pytest.mark.parametrize("error", [Unexpected("too many samples", 422), Unreachable("no answer in time")])
def test_a_range_that_is_too_much_is_read_in_smaller_ones(error: Exception) -> None:
    """One slice is tried first; that which fails alone fails the poll."""
    world = proxies()

    def bears(most: int) -> Callable[[Call], Reply]:
        def answer(call: Call) -> Reply:
            if (call.params["end"] - call.params["start"]) // call.params["step"] >= most:
                raise error
            return world(call)

        return answer

    assert len(told(read(bears(4), checkpoint=str(END - 12 * 300).encode(), lookback="0s"))) == 12
    with pytest.raises(type(error)):
        read(bears(0), checkpoint=str(END - 12 * 300).encode(), lookback="0s")


def test_a_row_that_is_none_fails_the_poll() -> None:
    """Nobody knows whose requests it would have counted: those of any service would be too few."""
    world = proxies()
    world.odd = {"metric": "none"}
    with pytest.raises(Unexpected, match="1 series of istio_requests_total can't be read, and nobody knows whose"):
        read(world, checkpoint=str(END - 300).encode())


class Pages:
    """Pages of proxies by the name of their address, each answered in turn."""

    def __init__(self, **pages: list[str]) -> None:
        self.pages = pages

    def __call__(self, call: Call) -> Reply:
        return Reply(body=self.pages[call.beside.replace("-", "_")].pop(0))


def counters(requests: float, *, gave_up: float = 0.0, took: float = 0.0) -> str:
    return page(
        ("istio_requests_total", CLIENT, requests),
        ("istio_requests_total", {**CLIENT, "response_flags": "DC"}, gave_up),
        ("istio_requests_total", SERVER, requests),
        ("istio_request_duration_milliseconds_bucket", {**CLIENT, "le": "5"}, took),
        ("istio_request_duration_milliseconds_bucket", {**CLIENT, "le": "+Inf"}, took),
        ("istio_request_duration_milliseconds_bucket", {**CLIENT, "response_code": "404", "le": "+Inf"}, took),
    )


def test_pages_tell_what_they_counted_since_the_last_look() -> None:
    """The same is taken of them as of a Prometheus; the first look says nothing, and a restart counts from 0."""
    world = Pages(page_1=[counters(100), counters(107, gave_up=5, took=7), counters(3, gave_up=6, took=8)])
    outside, checkpoint, found = FakeOutside(world), None, []
    for minute in range(3):
        now = NOON + timedelta(minutes=minute)
        name = "traffic/10.0.0.1:15020/stats/prometheus"
        (one,) = read(outside, name, checkpoint, now, scrape=[{"url": ONE}])
        checkpoint = one.checkpoint
        found.append([(kind, amount) for kind, _, amount in told([one])])
    assert found == [
        [],
        [("requests", 7.0), ("latency", 7.0), ("security", 7.0)],
        [("requests", 3.0), ("latency", 1.0), ("security", 3.0)],
    ]


def test_two_proxies_tell_of_one_service_under_keys_of_their_own() -> None:
    """Else the store would keep what one of them counted."""
    world = Pages(page_1=[counters(1), counters(3)], page_2=[counters(5), counters(10)])
    outside, keys = FakeOutside(world), list[str]()
    for address in (ONE, TWO):
        name = f"traffic/{address.removeprefix('http://')}"
        scrape = {"scrape": [{"url": ONE}, {"url": TWO}]}
        (first,) = read(outside, name, None, NOON, **scrape)
        (second,) = read(outside, name, first.checkpoint, NOW, **scrape)
        requests: list[Fact] = [fact for fact in second.facts if isinstance(fact, MeshRequests)]
        keys += [fact.key for fact in requests]
    assert len(set(keys)) == 2
    assert [call.beside for call in outside.calls] == ["page-1", "page-1", "page-2", "page-2"]


def test_a_counter_is_read_once_with_all_that_is_asked_of_it() -> None:
    """Two questions to one counter are one family of a page, told by the labels of both."""
    counters_ = (
        Counted(name="x_total", by=("a", "b"), only=(Fits(label="c", pattern="1"),)),
        Counted(name="y_sum", by=("a",)),
        Counted(name="x_total", by=("a", "d"), only=(Fits(label="b", pattern="2"),)),
    )
    assert families(counters_) == (Family(name="x_total", keep=("a", "b", "c", "d")), Family(name="y_sum", keep=("a",)))


def test_labels_that_a_page_lacks_are_added() -> None:
    """As a Prometheus would; those that it has stand."""
    bare = {name: value for name, value in CLIENT.items() if name != "destination_service_namespace"}
    pages = [page(("istio_requests_total", bare, value)) for value in (1, 3)]
    added = {"destination_service_namespace": "till", "destination_service_name": "no"}
    outside, checkpoint = FakeOutside(Pages(page_1=pages)), None
    for now in (NOON, NOW):
        name = "traffic/10.0.0.1:15020/stats/prometheus"
        (one,) = read(outside, name, checkpoint, now, scrape=[{"url": ONE, "labels": added}])
        checkpoint = one.checkpoint
    assert [fact.about.id for fact in one.facts] == ["eu/till/cart"]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(status=403), "the Prometheus answers 403 to a query; the credential must be allowed to read"),
        (Reply(body="<html>"), "istio_requests_total: it answered 200 with no Prometheus answer; check that url is"),
        (Reply(body='{"error": "bad data"}'), "istio_requests_total: it refuses the query (200): bad data"),
        (Reply(body='{"data": {"result": []}}'), "istio_requests_total: it has no series of late; check"),
    ],
)
def test_check_tells_what_the_server_says(reply: Reply, expected: str) -> None:
    """Of each counter, but a refusal once."""
    config = Config.model_validate({"cluster": "eu", "prometheus": {"url": "https://p.example"}})
    said = list(SOURCE.check(config, FakeOutside(lambda _: reply)))
    assert said[0].startswith(expected)
    assert len(said) == (1 if reply.status == 403 else 4)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(body=counters(1)), []),
        (Reply(status=404), [f"{ONE} answered 404; write the address of a proxy's page of metrics"]),
        (
            Reply(body="# HELP x y\nx 1\n"),
            [f"{ONE} has no istio_requests_total; nothing was asked through that proxy yet, or it is another page"],
        ),
    ],
)
def test_check_looks_at_each_page(reply: Reply, expected: list[str]) -> None:
    """One that is away or another page is named, and hides no other."""

    def answer(call: Call) -> Reply:
        if call.beside == "page-2":
            raise Unreachable("GET / of istio: 10.0.0.2:15020: connection refused")
        return reply

    config = Config.model_validate({"cluster": "eu", "scrape": [{"url": ONE}, {"url": TWO}]})
    said = list(SOURCE.check(config, FakeOutside(answer)))
    assert said == [*expected, "GET / of istio: 10.0.0.2:15020: connection refused"]


def test_what_is_newer_than_the_delay_is_not_known_yet() -> None:
    """A Prometheus is not asked for it, so no window may hold it; a page tells of all up to now."""
    asked = {"cluster": "eu", "prometheus": {"url": "https://p.example", "delay": "2m"}}
    (traffic,) = SOURCE.connect(Config.model_validate(asked), FakeOutside({}), "istio")
    assert traffic.behind == timedelta(minutes=2)
    (scraped,) = SOURCE.connect(
        Config.model_validate({"cluster": "eu", "scrape": [{"url": ONE}]}), FakeOutside({}), "istio"
    )
    assert scraped.behind == timedelta(0)
