"""What Prometheus tells a page of SLOs: which calls are made of it, and what of its answers counts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from platform_meter.measures.objectives.slices import Counts
from platform_meter.model.source import TimedOut
from platform_meter.testing.outside import Call, FakeOutside, Reply
from platform_meter.web.pages.slos.recorded import Recorded, Unanswered, days, is_young, now

MIDNIGHT = datetime(2026, 6, 9, tzinfo=UTC)
DAY = 86_400
Pair = tuple[float, str]


def told(result: Sequence[dict[str, Any]]) -> Reply:
    return Reply(body=json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}))


def series(name: str, value: str, **labels: str) -> dict[str, Any]:
    return {"metric": {"__name__": name, **labels}, "value": [1.0, value]}


def test_all_slos_come_in_one_call() -> None:
    """Each series by its window, the budget by its period; what has no number yet is not there."""
    prometheus = FakeOutside(
        lambda _: told(
            [
                series("slo:burn:rate", "14.4", slo="web", window="1h"),
                series("slo:burn:rate", "NaN", slo="web", window="5m"),
                series("slo:bad_events:count", "+Inf", slo="web", window="1h"),
                series("slo:sli:ratio", "0.999", slo="web", window="28d"),
                series("slo:budget_remaining:ratio", "-0.5", slo="web", period="28d"),
                series("slo:data_coverage:ratio", "0.98", slo="web", period="28d"),
                series("slo:total_events:count", "100", slo="api", window="28d"),
                series("slo:burn:rate", "1", window="1h"),
                series("ALERTS", "1", slo="web", alertname="SLOBurn", alertstate="firing", level="ticket", window="3d"),
                series("ALERTS", "1", slo="web", alertname="SLOBurn", alertstate="pending", level="page", window="1h"),
                series("ALERTS", "1", slo="api", alertname="SLONoData", alertstate="firing", level="ticket"),
            ]
        )
    )
    assert now(prometheus) == {
        "web": Recorded(
            burn={"1h": 14.4},
            sli={"28d": 0.999},
            budget=-0.5,
            coverage=0.98,
            firing=frozenset({("ticket", "3d")}),
        ),
        "api": Recorded(total={"28d": 100.0}, firing=frozenset()),
    }
    (call,) = prometheus.calls
    assert call.path == "/api/v1/query"
    assert call.params == {
        "query": '{__name__=~"slo:burn:rate|slo:sli:ratio|slo:bad_events:count|slo:total_events:count|slo:budget_remaining:ratio|slo:data_coverage:ratio|ALERTS"}'
    }


def test_one_slo_is_asked_for_by_its_name() -> None:
    """Whatever characters it holds."""
    prometheus = FakeOutside(lambda _: told([]))
    assert now(prometheus, 'a"b') == {}
    assert prometheus.calls[0].params["query"].endswith(',slo="a\\"b"}')


@pytest.mark.parametrize(("tiles", "young"), [(None, True), ("4031", True), ("4032", False)])
def test_half_of_the_period_has_tiles(tiles: str | None, young: bool) -> None:
    """Of 28 days that is 4,032 tiles of five minutes."""
    prometheus = FakeOutside(lambda _: told([] if tiles is None else [{"metric": {}, "value": [1.0, tiles]}]))
    assert is_young(prometheus, "web", timedelta(days=28)) is young
    assert prometheus.calls[0].params["query"] == 'count_over_time(slo:total_events:tile5m{slo="web"}[28d])'


def ranged(bad: Sequence[Pair], total: Sequence[Pair]) -> FakeOutside:
    """A Prometheus that answers ranges of bad and of all events; no pair at all is no series."""

    def answer(call: Call) -> Reply:
        values = bad if "bad_events" in call.params["query"] else total
        return told([{"metric": {}, "values": values}] if values else [])

    return FakeOutside(answer)


def test_days_are_sums_of_tiles_in_two_calls() -> None:
    """Good is what is left of all; a day without an answer has nothing in it."""
    start = int(MIDNIGHT.timestamp())
    prometheus = ranged([(start, "2"), (start + 2 * DAY, "1")], [(start, "10"), (start + 2 * DAY, "5")])
    found = days(prometheus, "web", [MIDNIGHT + timedelta(days=n) for n in range(3)])
    assert found == [Counts(8, 2), Counts(0, 0), Counts(4, 1)]
    assert [(call.path, dict(call.params)) for call in prometheus.calls] == [
        (
            "/api/v1/query_range",
            {
                "query": f'sum_over_time(slo:{kind}_events:tile5m{{slo="web"}}[1d])',
                "start": start,
                "end": start + 2 * DAY,
                "step": DAY,
            },
        )
        for kind in ("bad", "total")
    ]


def test_more_bad_than_all_is_all_bad() -> None:
    """Both are estimates of `increase`, and good can't be less than nothing."""
    at = MIDNIGHT.timestamp()
    assert days(ranged([(at, "7.5")], [(at, "7")]), "web", [MIDNIGHT]) == [Counts(0, 7)]


def test_no_bad_series_is_no_bad_event() -> None:
    """An SLO that never failed has no series of failures."""
    at = MIDNIGHT.timestamp()
    assert days(ranged([], [(at, "7")]), "web", [MIDNIGHT]) == [Counts(7, 0)]


@pytest.mark.parametrize(
    ("prometheus", "said"),
    [
        (FakeOutside({}, fail_at=0, error=TimedOut("no answer in 5 s")), "no answer in 5 s"),
        (
            FakeOutside(lambda _: Reply(body="<html>", status=502)),
            "/api/v1/query answered 502, and not as a Prometheus",
        ),
        (
            FakeOutside(lambda _: Reply(body='{"error": "bad query"}', status=400)),
            "/api/v1/query answered 400: bad query",
        ),
        (FakeOutside(lambda _: Reply(body="{}")), "/api/v1/query answered 200: no data"),
    ],
    ids=["silent", "no json", "refused", "empty"],
)
def test_what_is_no_answer_is_said_to_the_reader(prometheus: FakeOutside, said: str) -> None:
    """One error for all of it, with the reason."""
    with pytest.raises(Unanswered) as raised:
        now(prometheus)
    assert str(raised.value).startswith(said)
