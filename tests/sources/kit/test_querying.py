"""How servers that speak Prometheus's query API are asked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from platform_meter.model.source import Forbidden, Unexpected
from platform_meter.sources.kit.querying import LONGEST, Querying, is_long
from platform_meter.testing.outside import Call, FakeOutside, Reply

ADDED = {"partial_response": "false", "deny_partial_response": "1", "timeout": "27000ms"}
LONG = {"query": "x" * LONGEST}


def asked(*statuses: int, most: int = 1) -> tuple[FakeOutside, list[str]]:
    """The same long query `most` times, of a server that answers so at first, and with 200 from then on."""
    left = list(statuses)
    outside = FakeOutside(lambda _: Reply(body={"a": 1}, status=left.pop(0) if left else 200))
    querying = Querying(outside, timedelta(seconds=30))
    for _ in range(most):
        assert querying.get("/api/v1/query", dict[str, int], params=LONG).body == {"a": 1}
    return outside, [call.method for call in outside.calls]


def test_a_query_asks_for_all_or_nothing_in_time() -> None:
    """In the words of Thanos and VictoriaMetrics, and within less time than is waited for the answer."""
    outside = FakeOutside(lambda _: Reply(body={}))
    Querying(outside, timedelta(seconds=30)).get("/api/v1/query", dict[str, int], params={"query": "up"})
    assert [(call.method, call.params) for call in outside.calls] == [("GET", {"query": "up", **ADDED})]


def test_a_long_query_is_posted_as_a_form_with_the_same_words() -> None:
    """Each time, as long as nobody refuses that."""
    outside, methods = asked(most=2)
    assert methods == ["POST", "POST"]
    assert outside.calls[0].body == {**LONG, **ADDED}


@pytest.mark.parametrize("refusal", [403, 405, 501], ids=["a proxy that lets only GET pass", "not allowed", "not done"])
def test_who_takes_no_forms_is_asked_by_the_address_from_then_on(refusal: int) -> None:
    """The first query finds out; the others cost one call."""
    assert asked(refusal, most=3)[1] == ["POST", "GET", "GET", "GET"]


@pytest.mark.parametrize(("refusal", "error"), [(403, Forbidden), (405, Unexpected)])
def test_who_takes_neither_is_asked_both_ways_again(refusal: int, error: type[Exception]) -> None:
    """An address that is too long tells nothing; what is told is that the form is refused, which can be mended."""

    def answer(call: Call) -> Reply:
        return Reply(status=refusal if call.method == "POST" else 414)

    outside = FakeOutside(answer)
    querying = Querying(outside, timedelta(seconds=30))
    for _ in range(2):
        with pytest.raises(error, match=f"POST /api/v1/query: {refusal}"):
            querying.get("/api/v1/query", dict[str, Any], params=LONG)
    assert [call.method for call in outside.calls] == ["POST", "GET", "POST", "GET"]


def test_a_query_that_is_refused_is_not_asked_again() -> None:
    """A 422 speaks of the query, by whichever way it came."""
    with pytest.raises(Unexpected, match="POST /api/v1/query: 422"):
        asked(422)


def test_long_is_what_it_takes_in_an_address() -> None:
    """With all that must be escaped there."""
    assert not is_long({"q": "x" * (LONGEST - 2)})
    assert is_long({"q": "x" * (LONGEST - 1)})
    assert is_long({"q": "{" * (LONGEST // 3)})
