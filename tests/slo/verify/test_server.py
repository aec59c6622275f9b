from __future__ import annotations

from datetime import timedelta

import pytest
from tests.support.asked import NOW, Asked

from platform_meter.model.source import SourceError, TimedOut
from platform_meter.slo.promql import Matcher, Selector
from platform_meter.slo.verify.server import HOUR, Kept, NotAnswered, Server, selector_text, shown

REQUESTS = Selector(metric="requests_total", matchers=(Matcher(label="code", operator="=~", value='5"..'),))
BARE = Selector(metric="requests_total", matchers=())
SERIES = ({"__name__": "requests_total", "code": "200"}, {"__name__": "requests_total", "code": "503", "pod": "a"})


def test_selectors_as_text() -> None:
    """For the server by a matcher of the name, which holds for any name; for people as they write it."""
    assert selector_text(REQUESTS) == r'{__name__="requests_total",code=~"5\".."}'
    assert (shown(REQUESTS), shown(BARE)) == (r'requests_total{code=~"5\".."}', "requests_total")


def test_what_there_is_comes_from_the_index_of_a_day() -> None:
    """Labels, values and names are asked for within a day of the server's own clock, and no more of them than a bound."""
    told = Asked(series=SERIES)
    server = Server(told.ask)
    assert server.labels(BARE) == ("__name__", "code", "pod")
    assert server.values("code", BARE) == ("200", "503")
    assert server.names() == ("requests_total",)
    match, start, end = '{__name__="requests_total"}', f"{NOW - 86_400:.3f}", f"{NOW:.3f}"
    assert told.seen[1:] == [
        ("/api/v1/labels", {"match[]": match, "start": start, "end": end, "limit": "1000"}),
        ("/api/v1/label/code/values", {"match[]": match, "start": start, "end": end, "limit": "1000"}),
        ("/api/v1/label/__name__/values", {"start": start, "end": end, "limit": "100000"}),
    ]


def test_the_same_is_asked_once() -> None:
    """SLOs over the same metric cost the server one question."""
    server = Server(Asked(series=SERIES).ask)
    assert server.labels(BARE) == server.labels(BARE)
    assert server.asked == 2


def test_what_there_was_a_day_ago() -> None:
    """One number by the samples of that time."""
    told = Asked(series=SERIES)
    assert Server(told.ask).had(BARE)
    path, params = told.seen[-1]
    assert (path, params["query"]) == ("/api/v1/query", 'count({__name__="requests_total"})')
    assert float(params["time"]) == NOW - 86_400
    assert not Server(Asked(series=SERIES, young=True).ask).had(BARE)


def test_counts_by_step() -> None:
    """One number for each step that has data, by its end; the server gives up by itself what takes too long."""
    told = Asked(counts={"increase": [1.0, None, 3.0, float("nan"), "many"]})
    assert Server(told.ask).counted("sum(increase(x[1h]))", HOUR, 5) == {NOW - 14_400: 1.0, NOW - 7200: 3.0}
    path, params = told.seen[-1]
    assert (path, params["step"], params["timeout"]) == ("/api/v1/query_range", "1h", "10s")
    assert (float(params["start"]), float(params["end"])) == (NOW - 14_400, NOW)


def test_the_interval_is_that_of_most_samples() -> None:
    """A scrape that was missed does not change it, nor how it was before; with two samples nobody knows."""
    samples = [*(NOW - 15 * n for n in range(10) if n != 7), *(NOW - 150 - 60 * n for n in range(40))]
    told = Asked(series=SERIES, samples=samples[::-1])
    assert Server(told.ask).interval(BARE) == timedelta(seconds=15)
    assert told.seen[-1][1]["query"] == '{__name__="requests_total",code="200"}[1h]'
    assert Server(Asked(series=SERIES, samples=samples[:2]).ask).interval(BARE) is None
    assert Server(Asked().ask).interval(BARE) is None


@pytest.mark.parametrize(
    ("said", "length"),
    [
        ("15d", timedelta(days=15)),
        ("1y35d", timedelta(days=400)),
        ("2w", timedelta(weeks=2)),
        ("15d or 10GiB", timedelta(days=15)),
        ("10GiB or 36h", timedelta(hours=36)),
        ("10GiB", None),
        ("", None),
        (None, None),
    ],
)
def test_how_long_it_keeps(said: str | None, length: timedelta | None) -> None:
    """In its own units; of a size, and of servers that do not say, nothing is known."""
    assert Server(Asked(retention=said).ask).kept() == Kept(said=said or "", length=length)


@pytest.mark.parametrize(
    ("refusal", "too_much"),
    [
        ((400, "bad_data", "parse error"), False),
        ((422, "execution", "found duplicate series"), False),
        ((422, "execution", "query processing would load too many samples into memory in query execution"), True),
        ((503, "timeout", "query timed out in expression evaluation"), True),
        ((504, "", ""), True),
    ],
)
def test_a_question_that_is_refused(refusal: tuple[int, str, str], too_much: bool) -> None:
    """What is no good and what is too much are told apart; neither ends the rest."""
    server = Server(Asked(refused={"x": refusal}).ask)
    with pytest.raises(NotAnswered) as caught:
        server.counted("x", HOUR, 1)
    assert caught.value.too_much is too_much


def test_no_answer_in_time_is_too_much() -> None:
    """Of a query; of the first question it is that nobody is there."""
    told = Asked()

    def late(path: str, params: object) -> tuple[int, str]:
        assert isinstance(params, dict)
        if params.get("query") == "x":
            raise TimedOut("no answer in time")
        return told.ask(path, params)

    with pytest.raises(NotAnswered, match="no answer in time") as caught:
        Server(late).gives("x")
    assert caught.value.too_much


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ((200, "<html>"), "/api/v1/query: it answered 200, and not as the query API of a Prometheus does; correct the address"),
        ((404, "no"), "/api/v1/query: it answered 404, and not as the query API of a Prometheus does; correct the address"),
        ((401, ""), "/api/v1/query: it answered 401: it lets nobody in without a credential, and none is sent; give an address that asks for none"),
        ((400, '{"error": "no such function", "errorType": "bad_data"}'), "it does not know its own time: no such function; correct the address"),
        ((500, '{"error": "out of disk", "errorType": "internal"}'), "/api/v1/query: it answered 500: out of disk"),
    ],
)  # fmt: skip
def test_no_prometheus(answer: tuple[int, str], text: str) -> None:
    """What is none, or lets nobody in, is told by the first question."""
    with pytest.raises(SourceError) as caught:
        Server(lambda _path, _params: answer)
    assert str(caught.value) == text
