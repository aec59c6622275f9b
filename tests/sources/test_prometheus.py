"""Prometheus: the case of the contract test, and what only Prometheus does (slices, templates, partial answers)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.sources.contract import Case
from tests.sources.fake_outside import Call, FakeOutside, Reply

from platform_meter.model.facts import Fact, Ref, SliCount, Usage
from platform_meter.model.source import Access, Page, Secret, Unexpected, Unreachable
from platform_meter.sources._prometheus_config import Config
from platform_meter.sources.prometheus import SOURCE, slices

NOW = datetime(2026, 5, 4, 12, 0, 30, tzinfo=UTC)
NOON = int(NOW.timestamp()) - 30
SINCE = NOW - timedelta(minutes=12)
BAD, TOTAL = "sum(increase(errors_total[{{window}}]))", "sum(increase(requests_total[{{window}}]))"
USAGE: dict[str, Any] = {
    "action": "request",
    "query": "sum by (ns, route) (increase(requests_total[{{ window }}]))",
    "by": ["ns", "route"],
    "kind": "route",
    "system": "kong",
    "window": "5m",
}
SLI: dict[str, Any] = {"id": "web", "bad": BAD, "total": TOTAL}
SETTINGS: dict[str, Any] = {"url": "http://prometheus.example:9090", "delay": "30s", "usage": [USAGE], "slis": [SLI]}

Value = Callable[[int], float | None]
"""A series: what it is worth at an end in epoch seconds; None where it is absent."""


def answering(series: dict[str, list[tuple[dict[str, str], Value]]]) -> Callable[[Call], Reply]:
    """A server with these series by query; it answers range and instant queries."""

    def answer(call: Call) -> Reply:
        if call.method == "TEXT":
            return Reply(body=msgspec.json.encode({"status": "success", "data": {"result": []}}).decode())
        ends = range(int(call.params["start"]), int(call.params["end"]) + 1, int(call.params["step"]))
        result = [
            {"metric": labels, "values": [[end, f"{value(end)}"] for end in ends if value(end) is not None]}
            for labels, value in series.get(call.params["query"], [])
        ]
        return Reply(body={"status": "success", "data": {"resultType": "matrix", "result": result}})

    return answer


def world() -> Callable[[Call], Reply]:
    """Counts as a server gives them for 330 s; scaled back to 300 s they are 10/11 of that."""
    usage = "sum by (ns, route) (increase(requests_total[330s]))"
    return answering(
        {
            usage: [
                ({"ns": "shop", "route": "cart"}, lambda end: 22.0 if end == NOON else 0.0),
                ({"ns": "shop"}, lambda end: None if end == NOON else 11.0),
            ],
            BAD.replace("{{window}}", "330s"): [({}, lambda end: 3.3 if end == NOON else None)],
            TOTAL.replace("{{window}}", "330s"): [({}, lambda _: 110.0)],
        }
    )


def at(minutes: int) -> datetime:
    return datetime.fromtimestamp(NOON + 60 * minutes, UTC)


def used(id_: str, minutes: int, amount: float) -> Usage:
    about = Ref(system="kong", kind="route", id=id_)
    key = f"usage/request/kong/route/{id_}/{NOON + 60 * minutes}"
    return Usage(key=key, at=at(minutes), about=about, action="request", amount=amount)


def counted(minutes: int, good: float, bad: float) -> SliCount:
    about = Ref(system="prometheus", kind="sli", id="web")
    key = f"sli/web/{NOON + 60 * minutes}"
    return SliCount(key=key, at=at(minutes), about=about, sli="web", good=good, bad=bad, width=timedelta(minutes=5))


CASE = Case(
    settings=SETTINGS,
    answers=world,
    now=NOW,
    since=SINCE,
    expected=(
        used("shop/cart", 0, 20.0),
        used("shop/_unknown", -10, 10.0),
        used("shop/_unknown", -5, 10.0),
        counted(-10, 100.0, 0.0),
        counted(-5, 100.0, 0.0),
        counted(0, 97.0, 3.0),
    ),
)


def read(
    outside: FakeOutside, stream: str = "sli/web", checkpoint: bytes | None = None, now: datetime = NOW, **said: Any
) -> Iterator[Page]:
    config = Config.model_validate({**SETTINGS, **said})
    found = next(s for s in SOURCE.connect(config, outside, "prometheus") if s.name == stream)
    return found.read(checkpoint, SINCE, now)


def facts(pages: Iterator[Page]) -> list[Fact]:
    return [fact for page in pages for fact in page.facts]


def sli_world(bad: Value, total: Value, part: str = BAD) -> FakeOutside:
    """The SLI's two queries without the scrape interval's widening."""
    return FakeOutside(
        answering({part.replace("{{window}}", "300s"): [({}, bad)], TOTAL.replace("{{window}}", "300s"): [({}, total)]})
    )


PLAIN: dict[str, Any] = {"slis": [{**SLI, "scrape_interval": "0s"}]}


@given(
    st.integers(0, 5_000_000).map(lambda seconds: NOW + timedelta(seconds=seconds)),
    st.lists(st.integers(0, 10_000), max_size=6),
    st.sampled_from([60, 300, 3600, 86_400]),
)
def test_slices_read_in_steps_are_those_read_at_once(first: datetime, pauses: list[int], step: int) -> None:
    """Polls at any moments read every whole slice once, in order: none is skipped, none read twice."""
    window = timedelta(seconds=step)
    whole: list[int] = []
    last = now = first
    for pause in pauses:
        now += timedelta(seconds=pause)
        ends = slices(last, now, window)
        whole += ends
        last = datetime.fromtimestamp(ends[-1], UTC) if ends else last
    assert whole == list(slices(first, now, window))
    assert all(end % step == 0 and first.timestamp() < end <= now.timestamp() for end in whole)


def test_a_slice_is_read_once_its_delay_has_passed() -> None:
    """`delay` after its end the slice is whole; before, nothing is asked."""
    checkpoint = str(NOON - 300).encode()
    outside = FakeOutside(world())
    assert list(read(outside, checkpoint=checkpoint, now=NOW - timedelta(seconds=1))) == []
    assert outside.calls == []
    assert facts(read(outside, checkpoint=checkpoint)) == [counted(0, 97.0, 3.0)]


def test_long_ranges_are_asked_in_parts() -> None:
    """1,000 points a call at most, each part a page with its own checkpoint."""
    outside = sli_world(lambda _: 0.0, lambda _: 1.0)
    checkpoint = str(NOON - 2_500 * 300).encode()
    pages = list(read(outside, checkpoint=checkpoint, **PLAIN))
    assert [len(page.facts) for page in pages] == [1_000, 1_000, 500]
    assert [page.checkpoint for page in pages] == [str(NOON - 300 * n).encode() for n in (1_500, 500, 0)]
    assert [page.progress for page in pages] == ["2026-04-29 07:00 of sli/web", "2026-05-02 18:20 of sli/web", ""]


@pytest.mark.parametrize(
    ("bad", "total", "expected"),
    [
        (None, 100.0, (100.0, 0.0)),
        (0.0, 0.0, (0.0, 0.0)),
        (3.0, None, None),
        (float("nan"), 100.0, (100.0, 0.0)),
        (3.0, float("nan"), None),
        (3.0, float("inf"), None),
        (100.5, 100.0, (0.0, 100.0)),
        (-1.0, 100.0, (100.0, 0.0)),
    ],
)
def test_absent_and_odd_numbers(bad: float | None, total: float | None, expected: tuple[float, float] | None) -> None:
    """No total, no fact; a part that is absent is 0; 0 stays 0; a part never leaves 0..total."""
    told = facts(read(sli_world(lambda _: bad, lambda _: total), checkpoint=str(NOON - 300).encode(), **PLAIN))
    assert [(f.good, f.bad) for f in told if isinstance(f, SliCount)] == ([] if expected is None else [expected])


def test_good_instead_of_bad() -> None:
    """With `good`, what is not good is bad; an absent good part makes all bad."""
    good = {"id": "web", "good": "sum(increase(good_total[{{window}}]))", "total": TOTAL, "scrape_interval": "0s"}
    outside = sli_world(lambda end: 90.0 if end == NOON else None, lambda _: 100.0, part=good["good"])
    told = facts(read(outside, checkpoint=str(NOON - 600).encode(), slis=[good]))
    assert [(f.good, f.bad) for f in told if isinstance(f, SliCount)] == [(0.0, 100.0), (90.0, 10.0)]


def test_series_that_name_the_same_object_are_added_up() -> None:
    """Labels that `by` leaves out do not part an object in two, of which the store would keep one."""
    query = "increase(requests_total[{{window}}])"
    two: list[tuple[dict[str, str], Value]] = [({"ns": "shop", "pod": p}, lambda _: 2.0) for p in "ab"]
    usage = {**USAGE, "query": query, "by": ["ns"], "scrape_interval": "0s", "prefix": "eu/"}
    outside = FakeOutside(answering({query.replace("{{window}}", "300s"): two}))
    (found,) = facts(read(outside, "usage/request/kong/route/eu", str(NOON - 300).encode(), usage=[usage]))
    assert isinstance(found, Usage)
    assert (found.about.id, found.amount) == ("eu/shop", 4.0)


def _warned(text: str) -> FakeOutside:
    return FakeOutside(
        lambda _: Reply(body={"status": "success", "data": {"result": []}, "warnings": [text]}),
    )


def test_a_partial_answer_is_no_answer() -> None:
    """What a server says may not be whole would stand for good: the slices are asked for again at the next poll."""
    with pytest.raises(Unreachable, match="the server says its answer may not be whole: remote read: timeout"):
        list(read(_warned("remote read: timeout")))


def test_a_remark_on_the_query_is_no_partial_answer() -> None:
    """Newer servers remark on PromQL itself; the numbers are whole."""
    (page,) = read(_warned('PromQL warning: bucket label "le" is missing'))
    assert page.facts == ()


def test_a_refused_single_slice_fails() -> None:
    """Ranges are halved while the server says 422, down to one slice; then the poll fails and its place stays."""
    outside = FakeOutside(lambda _: Reply(status=422))
    with pytest.raises(Unexpected, match="422"):
        list(read(outside, checkpoint=str(NOON - 8 * 300).encode()))
    sizes = [(c.params["end"] - c.params["start"]) // 300 + 1 for c in outside.calls]
    assert sizes == [8, 4, 2, 1]


def test_an_answer_without_data_is_unexpected() -> None:
    """JSON of something else than a query API is told as such."""
    with pytest.raises(Unexpected, match="check that url is that of a Prometheus query API"):
        list(read(FakeOutside(lambda _: Reply(body={"message": "hello"}))))


# Settings and check.


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (
            {"usage": [{**USAGE, "query": "sum(x)"}]},
            "the query has no {{window}}; write the range as [{{window}}], for example",
        ),
        (
            {"usage": [{**USAGE, "query": "sum(increase(x[{{window}}])"}]},
            "the query is no PromQL once 5m stands for {{window}}: unclosed left parenthesis; correct it there",
        ),
        (
            {"slis": [{**SLI, "total": "requests_total[{{window}}]"}]},
            "the query gives no instant vector; put the range into a function, for example increase(requests_total[{{window}}])",
        ),
        (
            {"usage": [{**USAGE, "by": ["ns", "service"]}]},
            "the query aggregates by (ns, route), so service can name no object; add it there",
        ),
        ({"slis": [{**SLI, "good": BAD}]}, "an SLI needs exactly one of good and bad beside total; remove or add one"),
        (
            {"slis": [{"id": "web", "total": TOTAL}]},
            "an SLI needs exactly one of good and bad beside total; remove or add one",
        ),
        ({"slis": [SLI, SLI]}, "sli/web is there twice; what it counts would be counted once only"),
        ({"user": "me"}, "basic auth needs both user and password; add the other one"),
        (
            {"user": "me", "password": {"env": "P"}, "token": {"env": "T"}},
            "token and user are two ways in; remove one",
        ),
        ({"slis": [{**SLI, "window": "30s"}]}, "a window is whole seconds from 1m to 1d; write for example 5m or 1h"),
        ({"url": "prometheus:9090"}, "'prometheus:9090' is no address; write it with http:// or https://"),
        (
            {"usage": [{**USAGE, "action": "API call"}]},
            "'API call' is no such name; write small letters, digits and _, beginning with a letter",
        ),
    ],
)
def test_wrong_settings_are_told(said: dict[str, Any], text: str) -> None:
    """Queries and ways in are checked before anything runs; each message says what to write."""
    with pytest.raises(ValidationError) as caught:
        Config.model_validate({**SETTINGS, **said})
    assert text in str(caught.value)


def test_access_is_what_the_settings_say() -> None:
    """A token, or user and password, and headers for tenants."""
    plain: dict[str, Any] = {"url": "https://mimir.example/prometheus", "headers": {"X-Scope-OrgID": "platform"}}
    headers = {"X-Scope-OrgID": "platform"}
    token = Config.model_validate({**plain, "token": {"env": "T"}})
    assert SOURCE.access(token) == Access(url=plain["url"], token=Secret(env="T"), headers=headers)
    basic = Config.model_validate({**plain, "user": "me", "password": {"env": "P"}})
    assert SOURCE.access(basic) == Access(url=plain["url"], basic=("me", Secret(env="P")), headers=headers)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (
            Reply(status=403),
            [
                "the server answers 403 to a query; the credential must be allowed to read /api/v1/query and /api/v1/query_range"
            ],
        ),
        (
            Reply(status=400, body='{"status":"error","error":"parse error: unknown function"}'),
            ["sli/web: the server refuses the query (400): parse error: unknown function"] * 2,
        ),
        (
            Reply(body="<html>"),
            [
                "sli/web: the server answered 200 with no Prometheus answer; check that url is that of a query API: '<html>'"
            ]
            * 2,
        ),
    ],
)
def test_check_tells_what_the_server_says(reply: Reply, expected: list[str]) -> None:
    """Both queries of the SLI are tried; a refused credential is said once."""
    config = Config.model_validate({**SETTINGS, "usage": []})
    assert list(SOURCE.check(config, FakeOutside(lambda _: reply))) == expected
