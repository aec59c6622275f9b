"""The past of an SLO out of a Prometheus, as it answers, refuses and is not asked again."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from tests.support.http import Reply, Seen, serving

from platform_meter.model.source import SourceError
from platform_meter.runtime.backtesting import Past
from platform_meter.runtime.traffic import prometheus_at
from platform_meter.slo.backtest.line import Line
from platform_meter.slo.backtest.questions import POINTS, Questions

MINUTE = timedelta(minutes=1)
START = datetime(2026, 3, 1, tzinfo=UTC)
ASKED = Questions(step=MINUTE, valid="valid", part="part")
_PATH = "/api/v1/query_range"


class Counting:
    """A query API that has 10 events a minute, 1 of them bad, and at most so many points of patience."""

    def __init__(self, most: int = 11_000) -> None:
        self.most, self.asked = most, 0

    def __call__(self, seen: Seen) -> Reply:
        self.asked += 1
        said = {key: values[0] for key, values in parse_qs(seen.query).items()}
        start, end, step = (int(said[key]) for key in ("start", "end", "step"))
        moments = range(start, end + 1, step)
        if len(moments) > self.most:
            return Reply(422, body=b'{"status":"error","errorType":"execution","error":"too many samples"}')
        value = "10" if said["query"] == "valid" else "1"
        rows = [[moment, value] for moment in moments]
        return Reply(
            body=json.dumps({"status": "success", "data": {"result": [{"metric": {}, "values": rows}]}}).encode()
        )


def read(url: str, keep: Path | None = None, *, size: int = 15_000, asked: Questions = ASKED) -> Line:
    return Past(prometheus_at(url), url, keep=keep).line(asked, START, START + size * MINUTE)


def test_a_long_past_comes_in_several_answers() -> None:
    """Each step of it once."""
    with serving() as server:
        server.on(_PATH, answers := Counting())
        line = read(server.url)
    assert (len(line), sum(line.valid), sum(line.bad), sum(line.known)) == (15_000, 150_000, 15_000, 15_000)
    assert answers.asked == 6, "three of each query, the first of which began before the start"


def test_good_events_are_the_rest() -> None:
    """Where these are counted."""
    with serving() as server:
        server.on(_PATH, Counting())
        line = read(server.url, size=10, asked=Questions(step=MINUTE, valid="valid", part="part", good=True))
    assert list(line.bad) == [9.0] * 10


def test_a_range_that_is_refused_is_asked_for_in_halves() -> None:
    """Down to some steps, below which the refusal stands."""
    with serving() as server:
        server.on(_PATH, Counting(most=POINTS // 3))
        assert sum(read(server.url).valid) == 150_000
        server.on(_PATH, Counting(most=10))
        with pytest.raises(SourceError, match=r"422.*too many samples"):
            read(server.url)


def test_answers_are_kept_for_a_run_that_goes_on(tmp_path: Path) -> None:
    """Those that can't change any more; the last one is asked for again."""
    with serving() as server:
        server.on(_PATH, answers := Counting())
        first = read(server.url, tmp_path)
        assert answers.asked == 6
        again = read(server.url, tmp_path)
        assert answers.asked == 8
        longer = read(server.url, tmp_path, size=15_010)
        assert answers.asked == 10
    assert (list(again.valid), len(longer)) == (list(first.valid), 15_010)
    assert not list(tmp_path.glob("*.part"))


def test_what_is_no_prometheus_is_told() -> None:
    """With what it said."""
    with serving() as server:
        server.on(_PATH, Reply(body=b"<html>Login</html>"))
        with pytest.raises(SourceError, match="it answered 200, and not as a Prometheus query API does: <html>Login"):
            read(server.url, size=10)


def test_nothing_is_known_of_a_series_that_is_not_there() -> None:
    """An empty answer is no 0."""
    with serving() as server:
        server.on(_PATH, Reply(body=b'{"status":"success","data":{"result":[]}}'))
        assert sum(read(server.url, size=10).known) == 0
