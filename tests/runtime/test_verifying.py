from __future__ import annotations

import json
from urllib.parse import parse_qsl

import pytest
from tests.support.asked import Asked
from tests.support.http import Reply, Seen, serving
from tests.support.slos import RATIO, planned

from platform_meter.model.source import SourceError
from platform_meter.runtime.traffic import prometheus_at
from platform_meter.runtime.verifying import held_against

FILES = (("slo.yaml", RATIO),)


def test_calls_are_reads_one_after_another() -> None:
    """GETs of the query API alone, without a credential, and what they say comes back with its place."""
    told = Asked(series=[{"__name__": "http_requests", "code": "200"}])

    def answer(seen: Seen) -> Reply:
        status, body = told.ask(seen.path, dict(parse_qsl(seen.query)))
        return Reply(status, body=body.encode())

    with serving() as server:
        for path in ("query", "query_range", "labels", "label/__name__/values", "status/runtimeinfo"):
            server.on(f"/api/v1/{path}", answer)
        with prometheus_at(server.url) as outside:
            found = held_against(outside, [planned(RATIO)], FILES)
        assert {one.method for one in server.seen} == {"GET"}
        assert not any("authorization" in one.headers for one in server.seen)
        assert found.asked == len(server.seen) == 4
    text = "the server has no metric 'http_requests_total'; did you mean 'http_requests'?"
    assert [problem.text for problem in found.problems] == [text, text]


def test_nobody_is_there() -> None:
    """An address that nobody listens at is told as such."""
    with serving() as server:
        url = server.url
    with prometheus_at(url) as outside, pytest.raises(SourceError, match="Connection refused"):
        held_against(outside, [planned(RATIO)], FILES)


def test_a_server_that_breaks_off() -> None:
    """What one answer does not have is no verdict."""
    with serving() as server, prometheus_at(server.url) as outside:
        time = json.dumps({"status": "success", "data": {"result": [1.0, "1"]}}).encode()
        server.on("/api/v1/query", Reply(body=time))
        server.on("/api/v1/labels", Reply(500, body=b"broken"))
        with pytest.raises(SourceError, match="/api/v1/labels: it answered 500"):
            held_against(outside, [planned(RATIO)], FILES)
