"""Prometheus: the case of the contract test, and what only Prometheus does (slices, templates, partial answers)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from pydantic import ValidationError

from platform_meter.model.access import Access, Basic, Secret, Token
from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.instances import InstanceKind, Instances
from platform_meter.model.facts.probes import ProbeCheck, ProbeResult, ServedCertificate
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.facts.use import Usage
from platform_meter.model.proposal import Surroundings
from platform_meter.model.source import Page, SourceError, TimedOut, Unexpected, Unreachable
from platform_meter.sources.prometheus import SOURCE
from platform_meter.sources.prometheus.config import Config
from platform_meter.testing import Case, Later
from platform_meter.testing.outside import Call, FakeOutside, Reply

NOW = datetime(2026, 5, 4, 12, 0, 30, tzinfo=UTC)
NOON = int(NOW.timestamp()) - 30
SINCE = NOW - timedelta(minutes=12)
ONCE = datetime(1970, 1, 1, tzinfo=UTC)
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
GATEWAYS: dict[str, Any] = {
    "kind": "gateway",
    "cluster": "eu",
    "group": "kong",
    "heard": "kong_build_info",
    "expected": 3,
}
BLACKBOX: dict[str, Any] = {"name": "eu", "select": '{job="blackbox"}'}
SETTINGS: dict[str, Any] = {
    "url": "http://prometheus.example:9090",
    "delay": "30s",
    "usage": [USAGE],
    "slis": [SLI],
    "instances": [GATEWAYS],
    "probes": [BLACKBOX],
}
HEARD = (
    "(count(count by (instance) (count_over_time(kong_build_info[2m]))) or vector(0))"
    " and count(count_over_time(up[1m])) and count(count_over_time(up[1m] offset 1m))"
)
SAMPLES = {"probe_success": {-30: "1", 400: "0"}, "probe_duration_seconds": {-30: "0.25", 400: "5"}}
"""Of the one target that blackbox_exporter probes: seconds after noon, and what was scraped then."""

Value = Callable[[int], float | None]
"""A series: what it is worth at an end in epoch seconds; None where it is absent."""


def answering(series: dict[str, list[tuple[dict[str, str], Value]]]) -> Callable[[Call], Reply]:
    """A server with these series by query; it answers range and instant queries."""

    def answer(call: Call) -> Reply:
        if call.method == "TEXT":
            return Reply(body=msgspec.json.encode({"status": "success", "data": {"result": []}}).decode())
        if raw := re.fullmatch(r'(\w+)\{job="blackbox"\}\[(\d+)s\]', call.params["query"]):
            return scraped(raw[1], call.params["time"], int(raw[2]))
        found = series.get(call.params["query"], [])
        if call.path == "/api/v1/query":
            end = call.params["time"]
            result = [{"metric": m, "value": [end, f"{value(end)}"]} for m, value in found if value(end) is not None]
            return Reply(body={"status": "success", "data": {"resultType": "vector", "result": result}})
        ends = range(int(call.params["start"]), int(call.params["end"]) + 1, int(call.params["step"]))
        result = [
            {"metric": labels, "values": [[end, f"{value(end)}"] for end in ends if value(end) is not None]}
            for labels, value in found
        ]
        result = [one for one in result if one["values"]]
        return Reply(body={"status": "success", "data": {"resultType": "matrix", "result": result}})

    return answer


def scraped(metric: str, end: int, seconds: int) -> Reply:
    """Samples as they were scraped, those of both ends too."""
    certificate = {-30: f"{NOON + 864_000}"}
    there = {NOON + at: value for at, value in SAMPLES.get(metric, certificate).items()}
    values = [[at, value] for at, value in there.items() if end - seconds <= at <= end]
    labels = {"__name__": metric, "job": "blackbox", "instance": "https://portal"}
    result = [{"metric": labels, "values": values}] if values else []
    return Reply(body={"status": "success", "data": {"resultType": "matrix", "result": result}})


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
            HEARD: [({}, lambda end: 5.0 if end == NOON else 2.0)],
        }
    )


def minute(minutes: int, good: float, bad: float) -> SliCount:
    """Reporting and silent gateways in the minute that ended then."""
    return SliCount(
        key=f"instances/eu/gateway/kong/{NOON + 60 * minutes}",
        at=at(minutes),
        about=Ref(system="prometheus", kind="instances", id="eu/gateway/kong"),
        updated=ONCE + timedelta(seconds=good),
        sli="eu/gateway/kong/instance-minutes",
        good=good,
        bad=bad,
        width=timedelta(minutes=1),
    )


def standing(reporting: int) -> Instances:
    about = Ref(system="prometheus", kind="instances", id="eu/gateway/kong")
    kind = InstanceKind.GATEWAY
    return Instances(about=about, cluster="eu", instance_kind=kind, group="kong", expected=3, reporting=reporting)


PORTAL = Ref(system="probes", kind="endpoint", id="https://portal")


def checked(seconds: int, result: ProbeResult, took: float) -> ProbeCheck:
    moment = datetime.fromtimestamp(NOON + seconds, UTC)
    key = f"https://portal/{NOON + seconds}000"
    return ProbeCheck(key=key, at=moment, about=PORTAL, target="https://portal", result=result, seconds=took)


SERVED = ServedCertificate(about=PORTAL, target="https://portal", ends=NOW.replace(day=14, second=0))


def at(minutes: int) -> datetime:
    return datetime.fromtimestamp(NOON + 60 * minutes, UTC)


def used(id_: str, minutes: int, amount: float) -> Usage:
    """Use in the 5 minutes that ended then, dated by their middle."""
    about = Ref(system="kong", kind="route", id=id_)
    key = f"usage/request/kong/route/{id_}/{NOON + 60 * minutes}"
    middle = at(minutes) - timedelta(seconds=150)
    return Usage(
        key=key, at=middle, about=about, updated=ONCE + timedelta(seconds=amount), action="request", amount=amount
    )


def counted(minutes: int, good: float, bad: float, *, twice: float | None = None) -> SliCount:
    """Of an SLI whose total and bad events, or those that are counted `twice`, were read."""
    about = Ref(system="prometheus", kind="sli", id="web")
    key, read = (
        f"sli/web/{NOON + 60 * minutes}",
        ONCE + timedelta(seconds=good + bad + (bad if twice is None else twice)),
    )
    five = timedelta(minutes=5)
    return SliCount(key=key, at=at(minutes), about=about, updated=read, sli="web", good=good, bad=bad, width=five)


def later_world() -> Callable[[Call], Reply]:
    """Minutes on: the query of usage is refused, and the SLI has a number that is none in one slice."""
    answer = world()

    def odd(call: Call) -> Reply:
        if "route" in call.params["query"]:
            return Reply(status=422)
        reply = answer(call)
        if "_total" not in call.params["query"]:
            return reply
        for series in reply.body["data"]["result"]:
            series["values"] = [[end, "many" if end == NOON + 300 else value] for end, value in series["values"]]
        return reply

    return odd


LATER = Later(
    answers=later_world,
    after=timedelta(minutes=10),
    expected=[
        counted(10, 100.0, 0.0),
        counted(15, 100.0, 0.0),
        *(minute(m, 2.0, 1.0) for m in range(1, 18)),
        standing(2),
        checked(400, ProbeResult.ERROR, 5.0),
    ],
    failing=frozenset({"usage/request/kong/route"}),
    rejected=1,
)
CASE = Case(
    settings={**SETTINGS, "lookback": "15m"},
    answers=world,
    later=LATER,
    without=[
        ({"usage": []}, frozenset({Usage})),
        ({"instances": []}, frozenset({Instances})),
        ({"slis": [], "instances": []}, frozenset({SliCount, Instances})),
        ({"probes": []}, frozenset({ProbeCheck, ServedCertificate})),
    ],
    now=NOW,
    since=SINCE,
    expected=(
        used("shop/cart", 0, 20.0),
        used("shop/_unknown", -10, 10.0),
        used("shop/_unknown", -5, 10.0),
        counted(-10, 100.0, 0.0),
        counted(-5, 100.0, 0.0),
        counted(0, 97.0, 3.0),
        *(minute(m, 2.0, 1.0) for m in range(-11, 0)),
        minute(0, 3.0, 0.0),
        standing(5),
        checked(-30, ProbeResult.OK, 0.25),
        SERVED,
    ),
)


def read(
    outside: FakeOutside, stream: str = "sli/web", checkpoint: bytes | None = None, now: datetime = NOW, **said: Any
) -> Iterator[Page]:
    """One poll; without an overlap where a test does not ask for one, so that each slice is read once."""
    config = Config.model_validate({**SETTINGS, "lookback": "0s", **said})
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
    assert [str(page.progress or "") for page in pages] == [
        "1,000 of 2,500 slices of sli/web",
        "2,000 of 2,500 slices of sli/web",
        "",
    ]


@pytest.mark.parametrize(
    ("bad", "total", "expected"),
    [
        (None, 100.0, (100.0, 0.0)),
        (0.0, 0.0, (0.0, 0.0)),
        (3.0, None, None),
        (float("nan"), 100.0, None),
        (3.0, float("nan"), None),
        (3.0, float("inf"), None),
        (100.5, 100.0, (0.0, 100.0)),
        (-1.0, 100.0, (100.0, 0.0)),
    ],
)
def test_absent_and_odd_numbers(bad: float | None, total: float | None, expected: tuple[float, float] | None) -> None:
    """No total, no fact; a part that is absent is 0, one that is no number is unknown; 0 stays 0; a part never leaves
    0..total.
    """
    told = facts(read(sli_world(lambda _: bad, lambda _: total), checkpoint=str(NOON - 300).encode(), **PLAIN))
    assert [(f.good, f.bad) for f in told if isinstance(f, SliCount)] == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    ("bad", "rejected"),
    [(111.0, {}), (112.0, {("SliCount", "contradiction"): 1}), (-12.0, {("SliCount", "contradiction"): 1})],
)
def test_a_part_beyond_its_total_is_no_number(bad: float, rejected: dict[tuple[str, str], int]) -> None:
    """A tenth of the total and one event more are estimates; beyond that the slice is left out and counted, with its reason."""
    pages = list(read(sli_world(lambda _: bad, lambda _: 100.0), checkpoint=str(NOON - 300).encode(), **PLAIN))
    assert [dict(page.rejected) for page in pages if page.rejected] == ([rejected] if rejected else [])
    assert [(f.good, f.bad) for f in facts(iter(pages)) if isinstance(f, SliCount)] == (
        [] if rejected else [(0.0, 100.0)]
    )


def test_good_instead_of_bad() -> None:
    """With `good`, what is not good is bad; an absent good part makes all bad."""
    good = {"id": "web", "good": "sum(increase(good_total[{{window}}]))", "total": TOTAL, "scrape_interval": "0s"}
    outside = sli_world(lambda end: 90.0 if end == NOON else None, lambda _: 100.0, part=good["good"])
    told = facts(read(outside, checkpoint=str(NOON - 600).encode(), slis=[good]))
    assert [(f.good, f.bad) for f in told if isinstance(f, SliCount)] == [(0.0, 100.0), (90.0, 10.0)]


@pytest.mark.parametrize(("part", "order"), [("bad", [BAD, TOTAL]), ("good", [TOTAL, BAD])])
def test_what_comes_between_two_calls_makes_nothing_look_worse(part: str, order: list[str]) -> None:
    """Bad events are asked for before all of them, good ones after."""
    outside = sli_world(lambda _: 1.0, lambda _: 2.0)
    list(read(outside, checkpoint=str(NOON - 300).encode(), slis=[{"id": "web", "total": TOTAL, part: BAD}]))
    assert [call.params["query"] for call in outside.calls] == [text.replace("{{window}}", "330s") for text in order]


def test_good_events_that_may_be_late_are_waited_for() -> None:
    """A slice that ended half a minute ago has a total and no good events yet: nothing is said of it, its place stays, and
    it is read again. Five minutes after its end none are expected any more, and all of it is bad.
    """
    good = {"id": "web", "good": "sum(increase(good_total[{{window}}]))", "total": TOTAL, "scrape_interval": "0s"}
    came: dict[int, float] = {NOON - 300: 90.0}
    outside = sli_world(came.get, lambda _: 100.0, part=good["good"])
    (page,) = read(outside, checkpoint=str(NOON - 600).encode(), slis=[good])
    assert [(f.key, f.good) for f in page.facts if isinstance(f, SliCount)] == [(f"sli/web/{NOON - 300}", 90.0)]
    assert (page.checkpoint, page.caught_up) == (str(NOON - 300).encode(), False)
    assert str(page.progress) == "sli/web waits for good events of the slice until 12:00 UTC"
    later = NOW + timedelta(minutes=4, seconds=30)
    told = facts(read(outside, checkpoint=page.checkpoint, now=later - timedelta(seconds=1), slis=[good]))
    assert told == []
    told = facts(read(outside, checkpoint=page.checkpoint, now=later, slis=[good]))
    assert [(f.good, f.bad) for f in told if isinstance(f, SliCount)] == [(0.0, 100.0)]
    came[NOON] = 95.0
    told = facts(read(outside, checkpoint=page.checkpoint, slis=[good]))
    assert [(f.good, f.bad) for f in told if isinstance(f, SliCount)] == [(95.0, 5.0)]


def test_what_came_late_corrects_what_was_said() -> None:
    """Slices of the overlap are read again with the next one. Of two reads of one slice that which counted more is the
    newer version, whatever came first; what stayed as it was is the same fact.
    """
    totals = {NOON - 600: 50.0, NOON - 300: 60.0}
    outside = sli_world(lambda _: 1.0, totals.get)
    sli: dict[str, Any] = {**PLAIN, "lookback": "15m"}
    early = facts(read(outside, checkpoint=str(NOON - 900).encode(), now=NOW - timedelta(minutes=5), **sli))
    totals |= {NOON - 300: 100.0, NOON: 70.0}
    pages = list(read(outside, checkpoint=str(NOON - 300).encode(), **sli))
    assert [page.checkpoint for page in pages] == [str(NOON).encode()]
    late = facts(iter(pages))
    assert [(f.key, f.good) for f in early + late if isinstance(f, SliCount)] == [
        (f"sli/web/{NOON - 600}", 49.0),
        (f"sli/web/{NOON - 300}", 59.0),
        (f"sli/web/{NOON - 600}", 49.0),
        (f"sli/web/{NOON - 300}", 99.0),
        (f"sli/web/{NOON}", 69.0),
    ]
    assert early[0] == late[0]
    versions = [f.updated for f in (early[1], late[1]) if isinstance(f, SliCount)]
    assert versions == [ONCE + timedelta(seconds=counted) for counted in (61, 101)]


def test_hours_are_read_again_with_the_first_slice_of_a_quarter_of_an_hour() -> None:
    """Samples that stood still on their way come under their old times. `lookback` where it is set is all."""
    outside = sli_world(lambda _: 1.0, lambda _: 50.0)
    sli: dict[str, Any] = {**PLAIN, "lookback": None}
    first = [
        facts(read(outside, checkpoint=str(NOON + at).encode(), now=NOW + timedelta(seconds=at + 300), **sli))
        for at in (-300, 0)
    ]
    assert [len(told) for told in first] == [36 + 1, 3 + 1]


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
        lambda _: Reply(body={"status": "success", "data": {"resultType": "matrix", "result": []}, "warnings": [text]}),
    )


def test_a_partial_answer_is_no_answer() -> None:
    """What a server says may not be whole would stand for good: the slices are asked for again at the next poll."""
    with pytest.raises(Unreachable, match="the server says its answer may not be whole: remote read: timeout"):
        list(read(_warned("remote read: timeout")))


def test_a_remark_on_the_query_is_no_partial_answer() -> None:
    """Newer servers remark on PromQL itself; the numbers are whole."""
    (page,) = read(_warned('PromQL warning: bucket label "le" is missing'))
    assert page.facts == ()


def matrix(*series: dict[str, Any], **more: Any) -> Reply:
    return Reply(body={"status": "success", "data": {"resultType": "matrix", "result": list(series)}, **more})


HISTOGRAM = {"count": "99", "sum": "10", "buckets": [[3, "0", "0.5", "99"]]}


@pytest.mark.parametrize(
    ("reply", "error", "text"),
    [
        (matrix(isPartial=True), Unreachable, "the server says its answer may not be whole: isPartial"),
        (
            matrix(warnings=["PromQL warning: encountered a mix of histograms and floats for aggregation"]),
            Unexpected,
            "the server left samples out; mend the query: PromQL warning: encountered a mix",
        ),
        (
            Reply(body={"status": "error", "errorType": "execution", "error": "found duplicate series"}),
            Unexpected,
            "the server refuses the query: found duplicate series",
        ),
        (
            Reply(body={"status": "success", "data": {"resultType": "scalar", "result": [NOON, "99"]}}),
            Unexpected,
            "the answer is a scalar and not the matrix that was asked for",
        ),
        (
            Reply(body={"status": "success", "data": {"resultType": "string", "result": [NOON, "99"]}}),
            Unexpected,
            "the answer is a string and not the matrix that was asked for",
        ),
        (
            Reply(
                body={
                    "status": "success",
                    "data": {"resultType": "vector", "result": [{"metric": {}, "value": [NOON, "99"]}]},
                }
            ),
            Unexpected,
            "the answer is a vector and not the matrix that was asked for",
        ),
        (
            matrix({"metric": {}, "histograms": [[NOON, HISTOGRAM]]}),
            Unexpected,
            "the answer is a native histogram and no number; count it, for example by histogram_count",
        ),
        (
            matrix({"metric": {}, "values": [[NOON - 7, "99"]]}),
            Unexpected,
            "the answer has series without a number at the moments that were asked for",
        ),
    ],
    ids=["partial", "samples left out", "an error", "a scalar", "a string", "a vector", "a histogram", "other moments"],
)
def test_an_answer_to_something_else_is_no_answer(reply: Reply, error: type[SourceError], text: str) -> None:
    """Nothing of it is kept, as good as 0 good events it would be: the poll fails with the reason, and asks again."""
    with pytest.raises(error, match=text):
        list(read(FakeOutside(lambda _: reply), checkpoint=str(NOON - 300).encode()))


def test_a_server_whose_clock_is_behind_has_not_seen_the_slice_yet() -> None:
    """Its answers are dated: one from before the slice's end lacks what is still to come, by its clock."""
    series = {"metric": {}, "values": [[NOON, "7"]]}
    answers = [
        Reply(body=matrix(series).body, headers={"date": f"Mon, 04 May 2026 {time} GMT"})
        for time in ("11:59:59", "12:00:00", "12:00:00")
    ]
    outside = FakeOutside(lambda _: answers.pop(0))
    with pytest.raises(
        Unreachable, match=r"the server's clock says 2026-05-04 11:59:59 UTC, before the slice's end at"
    ):
        list(read(outside, checkpoint=str(NOON - 300).encode(), **PLAIN))
    told = facts(read(outside, checkpoint=str(NOON - 300).encode(), **PLAIN))
    assert [(f.good, f.bad) for f in told if isinstance(f, SliCount)] == [(0.0, 7.0)]


LONG: dict[str, Any] = {
    "slis": [
        {
            "id": "web",
            "scrape_interval": "0s",
            "bad": BAD,
            "total": f'sum(increase(x{{a=~"{"b|" * 1_500}"}}[{{{{window}}}}]))',
        }
    ]
}


ADDED = {"partial_response": "false", "deny_partial_response": "1", "timeout": "27000ms"}


@pytest.mark.parametrize(("takes", "methods"), [(True, ["GET", "POST"]), (False, ["GET", "POST", "GET"])])
def test_a_query_that_is_too_long_for_an_address_is_posted(takes: bool, methods: list[str]) -> None:
    """As a form, with the same words; a server that does not take that is asked by the address after all."""

    def answer(call: Call) -> Reply:
        if call.method == "POST" and not takes:
            return Reply(status=405)
        return matrix(
            {"metric": {}, "values": [[NOON, "5" if "errors" in (call.body or call.params)["query"] else "8"]]}
        )

    outside = FakeOutside(answer)
    told = facts(read(outside, checkpoint=str(NOON - 300).encode(), **LONG))
    assert [(f.good, f.bad) for f in told if isinstance(f, SliCount)] == [(3.0, 5.0)]
    assert [call.method for call in outside.calls] == methods
    assert {name: value for name, value in outside.calls[1].body.items() if name != "query"} == {
        "start": NOON,
        "end": NOON,
        "step": 300,
        **ADDED,
    }


def test_check_posts_a_long_query_too() -> None:
    """And tells what is said to it."""
    told = {"status": "error", "error": "parse error"}
    outside = FakeOutside(
        lambda call: Reply(body=told) if call.method == "POST" else Reply(body='{"status": "success"}')
    )
    config = Config.model_validate({**SETTINGS, "usage": [], **LONG})
    assert list(SOURCE.check(config, outside)) == ["sli/web: the server refuses the query: parse error"]


def sizes(outside: FakeOutside) -> list[int]:
    """How many slices each call asked for."""
    return [(call.params["end"] - call.params["start"]) // call.params["step"] + 1 for call in outside.calls]


class Slow(FakeOutside):
    """A server that bears at most so many slices in one call, and fails in its own way beyond."""

    def __init__(self, most: int, error: SourceError) -> None:
        super().__init__(answering({}))
        self.most, self.refusal = most, error

    def _ask(self, call: Call) -> Reply:
        reply = super()._ask(call)
        if sizes(self)[-1] > self.most:
            raise self.refusal
        return reply


@pytest.mark.parametrize(
    "error",
    [
        Unreachable("GET /api/v1/query_range: the server answered 503 Service Unavailable"),
        TimedOut("no answer in time"),
        Unexpected("GET /api/v1/query_range: the server answered 422 Unprocessable Entity", 422),
        Unexpected("GET /api/v1/query_range: the answer is larger than 33554432 bytes"),
    ],
    ids=["its own timeout", "ours", "too many samples", "too large an answer"],
)
def test_a_range_that_is_too_much_is_read_in_smaller_ones(error: SourceError) -> None:
    """A week of 2,016 slices from a server that bears 100 of them at once is read whole in one poll: by halves that
    stay small until it ends. The next poll begins large again.
    """
    outside = Slow(100, error)
    usage = {**USAGE, "scrape_interval": "0s"}
    checkpoint: bytes | None = str(NOON - 2_016 * 300).encode()
    for page in read(outside, "usage/request/kong/route", checkpoint, usage=[usage]):
        checkpoint = page.checkpoint
    assert sizes(outside) == [1_000, 1, 500, 1, 250, 1, 125, 1, *[62] * 32, 28]
    assert checkpoint == str(NOON).encode()
    outside.calls.clear()
    list(read(outside, "usage/request/kong/route", str(NOON - 70 * 300).encode(), usage=[usage]))
    assert sizes(outside) == [70]


@pytest.mark.parametrize("error", [Unreachable("connection refused"), Unexpected("422", 422)])
def test_a_server_that_bears_not_even_one_slice_fails_at_once(error: SourceError) -> None:
    """After a range fails one slice is tried; where that fails too, so does the poll, and its place stays."""
    outside = Slow(0, error)
    with pytest.raises(type(error)):
        list(read(outside, checkpoint=str(NOON - 8 * 300).encode()))
    assert sizes(outside) == [8, 1]


@pytest.mark.parametrize(
    ("window", "seconds", "zone"),
    [
        ("5m", 300, "UTC"),
        ("1h", 3_600, "UTC"),
        ("1d", 86_400, "UTC"),
        ("1d", 86_400, "Europe/Berlin"),
        ("1d", 86_400, "America/New_York"),
    ],
)
def test_the_use_of_a_friday_is_of_friday(window: str, seconds: int, zone: str) -> None:
    """A slice belongs to the day that most of it lies in, whatever the zone that days are cut in. Were it dated by its
    end, the last slice of each day would be the next day's, and with `1d` every business week would lose its Friday.
    """
    friday = datetime(2026, 5, 8, tzinfo=UTC)
    series: list[tuple[dict[str, str], Value]] = [({"ns": "shop", "route": "cart"}, lambda _: 1.0)]
    outside = FakeOutside(answering({f"increase(requests_total[{seconds}s])": series}))
    usage = {**USAGE, "query": "increase(requests_total[{{window}}])", "scrape_interval": "0s", "window": window}
    start, now = str(int(friday.timestamp())).encode(), friday + timedelta(days=1, minutes=1)
    told = facts(read(outside, "usage/request/kong/route", start, now, usage=[usage]))
    assert len(told) == 86_400 // seconds
    assert {e.at.astimezone(ZoneInfo(zone)).strftime("%A") for e in told if isinstance(e, Usage)} == {"Friday"}


# Instant queries.

MESHED: dict[str, Any] = {
    "action": "meshed",
    "instant": True,
    "query": "count by (ns) (istio_build)",
    "by": ["ns"],
    "kind": "namespace",
    "system": "kubernetes",
    "window": "5m",
}


def test_an_instant_query_tells_how_things_stand_at_the_end_of_each_slice() -> None:
    """Every missed slice is one call and one page; what stands is told as it is, widened and scaled by nothing."""
    standing = {NOON - 600: 2.0, NOON - 300: 3.0}
    outside = FakeOutside(answering({MESHED["query"]: [({"ns": "shop"}, standing.get)]}))
    pages = list(read(outside, "usage/meshed/kubernetes/namespace", str(NOON - 900).encode(), usage=[MESHED]))
    assert [(call.path, call.params) for call in outside.calls] == [
        ("/api/v1/query", {"query": "count by (ns) (istio_build)", "time": NOON - seconds, **ADDED})
        for seconds in (600, 300, 0)
    ]
    assert [page.checkpoint for page in pages] == [str(NOON - seconds).encode() for seconds in (600, 300, 0)]
    about = Ref(system="kubernetes", kind="namespace", id="shop")
    key = "usage/meshed/kubernetes/namespace/shop"
    assert facts(iter(pages)) == [
        Usage(
            key=f"{key}/{NOON - seconds}",
            at=at(-seconds // 60) - timedelta(seconds=150),
            about=about,
            updated=ONCE + timedelta(seconds=amount),
            action="meshed",
            amount=amount,
        )
        for seconds, amount in ((600, 2.0), (300, 3.0))
    ]


def test_an_instant_sli_counts_what_stands() -> None:
    """Targets that are up of all targets, at the end of each slice."""
    up = {"id": "web", "instant": True, "good": "count(up == 1)", "total": "count(up)"}
    series: dict[str, list[tuple[dict[str, str], Value]]] = {
        "count(up == 1)": [({}, lambda end: 9.0 if end == NOON else None)],
        "count(up)": [({}, lambda _: 10.0)],
    }
    told = facts(read(FakeOutside(answering(series)), checkpoint=str(NOON - 600).encode(), slis=[up]))
    assert told == [counted(-5, 0.0, 10.0, twice=0.0), counted(0, 9.0, 1.0, twice=9.0)]


def test_a_window_in_an_instant_query_is_that_of_its_slice() -> None:
    """What is counted under `{{window}}` is widened and scaled as in a range; what stands beside it is not."""
    sli = {"id": "web", "instant": True, "bad": BAD, "total": "sum(expected_requests)"}
    series: dict[str, list[tuple[dict[str, str], Value]]] = {
        BAD.replace("{{window}}", "330s"): [({}, lambda _: 3.3)],
        "sum(expected_requests)": [({}, lambda _: 100.0)],
    }
    told = facts(read(FakeOutside(answering(series)), checkpoint=str(NOON - 300).encode(), slis=[sli]))
    assert told == [counted(0, 97.0, 3.0)]


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
            "for example increase(requests_total[{{window}}]), or instant: true where it tells how things stand",
        ),
        ({"usage": [{**USAGE, "query": "sum(x)"}]}, "the query has no {{window}}; write the range as [{{window}}], "),
        ({"slis": [{**SLI, "instant": False, "good": "up"}]}, "the query has no {{window}}; write the range"),
        (
            {"usage": [{**MESHED, "query": "count by (ns) (up"}]},
            "the query is no PromQL: unclosed left parenthesis; correct it there",
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
        (
            {"url": "prometheus:9090"},
            "'prometheus:9090' begins with neither https:// nor http://; write https://prometheus:9090",
        ),
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
    bearer = Token(secret=Secret(env="T"))
    assert SOURCE.access(token) == Access(url=plain["url"], credential=bearer, headers=headers)
    basic = Config.model_validate({**plain, "user": "me", "password": {"env": "P"}})
    pair = Basic(user="me", password=Secret(env="P"))
    assert SOURCE.access(basic) == Access(url=plain["url"], credential=pair, headers=headers)


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
    config = Config.model_validate({**SETTINGS, "usage": [], "instances": [], "probes": []})
    assert list(SOURCE.check(config, FakeOutside(lambda _: reply))) == expected


def test_what_is_newer_than_the_delay_is_not_known_yet() -> None:
    """No stream reads it, so no window may hold it: a slice without a check would be bad where its file says so."""
    streams = SOURCE.connect(Config.model_validate(SETTINGS), FakeOutside({}), "prometheus")
    assert {s.name: s.behind for s in streams} == dict.fromkeys(
        ["usage/request/kong/route", "sli/web", "instances/eu/gateway/kong", "probes/eu"], timedelta(seconds=30)
    )


def test_check_tries_instances_and_probes_too() -> None:
    """Their own questions, as they are asked: what is heard, what is expected, and whether there are checks."""
    scaled = {**GATEWAYS, "expected": None, "expected_query": "sum(kube_deployment_spec_replicas)"}
    config = Config.model_validate({"url": SETTINGS["url"], "instances": [scaled], "probes": [BLACKBOX]})
    outside = FakeOutside(lambda _: Reply(body='{"error": "no such function"}'))
    assert list(SOURCE.check(config, outside)) == [
        "instances/eu/gateway/kong: the server refuses the query (200): no such function",
        "instances/eu/gateway/kong: the server refuses the query (200): no such function",
        "probes/eu: the server refuses the query (200): no such function",
    ]
    assert [call.params["query"] for call in outside.calls] == [
        HEARD,
        "min_over_time((sum(kube_deployment_spec_replicas))[2m:30s])",
        'probe_success{job="blackbox"}',
    ]


def test_check_asks_a_server_that_only_pages_ask() -> None:
    """Without queries of its own it is called all the same."""
    outside = FakeOutside(lambda _: Reply(status=404, body="not here"))
    assert list(SOURCE.check(Config.model_validate({"url": SETTINGS["url"]}), outside)) == [
        "vector(1): the server answered 404 with no Prometheus answer; check that url is that of a query API: 'not here'"
    ]
    assert [call.params for call in outside.calls] == [{"query": "vector(1)"}]


def test_it_proposes_the_server_that_a_variable_names() -> None:
    """With a token where one is set."""
    around = Surroundings(addresses={"PROMETHEUS_URL": "http://p.example"}, variables=frozenset({"PROMETHEUS_TOKEN"}))
    found = SOURCE.propose(around)
    assert found is not None
    assert found.found == {"prometheus": {"url": "http://p.example", "token": {"env": "PROMETHEUS_TOKEN"}}}
