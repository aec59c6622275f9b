"""Calls to a server that answers as an API server or a proxy may: what comes of it in words. All else is in tests/real."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from platform_meter.model.access import Access
from platform_meter.operator.cluster import Cluster, ClusterError
from platform_meter.operator.kinds import CONFIG_MAP, LEASE, RULE, SLOTH
from platform_meter.operator.leading import Leader
from platform_meter.operator.loop import Keeper
from platform_meter.operator.wanted import Settings
from platform_meter.runtime.outside.credentials import credentials

NOW = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)


class Answers(ThreadingHTTPServer):
    """Gives every call the same answer, and keeps what was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.body = 200, b"{}"
        self.asked: list[str] = []

    def cluster(self) -> Cluster:
        access = Access(url=f"http://127.0.0.1:{self.server_address[1]}")
        return Cluster(credentials(access, clock=lambda: NOW))


class _Handler(BaseHTTPRequestHandler):
    def _answer(self) -> None:
        assert isinstance(self.server, Answers)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append(f"{self.command} {self.path}")
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - http.server's own spelling

    def log_message(self, *_: Any) -> None:
        """Tests print nothing."""


@pytest.fixture
def answers() -> Iterator[Answers]:
    server = Answers()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_missing_right_names_verb_and_resource(answers: Answers) -> None:
    answers.status = 403
    with pytest.raises(ClusterError) as refused:
        answers.cluster().say_status(SLOTH, "shop", "a", {})
    assert str(refused.value) == (
        "may not patch prometheusservicelevels.sloth.slok.dev/status in namespace shop; give the account that verb on that "
        "resource, as deploy/kubernetes/operator.yaml does"
    )
    with pytest.raises(ClusterError, match="may not list configmaps; give"):
        answers.cluster().list(CONFIG_MAP)
    assert answers.asked[-1] == "GET /api/v1/configmaps?limit=500&labelSelector=platform-meter.io%2Fslo%3Dtrue"


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        (401, b"", "the cluster does not accept the credential; look whether it has expired"),
        (422, b'{"message": "spec is\\n wrong"}', "cannot list configmaps in namespace shop: spec is wrong"),
        (500, b"<html>", "cannot list configmaps in namespace shop: HTTP 500"),
        (
            200,
            b"<html>",
            "GET /api/v1/namespaces/shop/configmaps: what came is no JSON; look for a proxy before the API",
        ),
        (200, b"[]", "GET /api/v1/namespaces/shop/configmaps: what came is no object; look for a proxy before the API"),
    ],
)
def test_what_else_is_refused(answers: Answers, status: int, body: bytes, text: str) -> None:
    answers.status, answers.body = status, body
    with pytest.raises(ClusterError) as refused:
        answers.cluster().list(CONFIG_MAP, "shop")
    assert str(refused.value) == text


def test_what_is_gone_is_none_and_need_not_be_deleted(answers: Answers) -> None:
    answers.status = 404
    assert answers.cluster().get(LEASE, "shop", "a") is None
    answers.cluster().delete(RULE, "shop", "a", "uid")
    assert answers.asked[-1] == "DELETE /apis/monitoring.coreos.com/v1/namespaces/shop/prometheusrules/a"


def test_who_is_refused_does_not_lead(answers: Answers, caplog: pytest.LogCaptureFixture) -> None:
    """And says so once."""
    answers.status = 403
    leader = Leader(answers.cluster(), "shop", "a", clock=lambda: NOW)
    leader.try_once()
    leader.try_once()
    assert not leader.leads()
    assert caplog.text.count("may not get leases.coordination.k8s.io in namespace shop") == 1
    answers.status, answers.body = 200, json.dumps({"metadata": {"name": "x"}, "spec": {}}).encode()
    leader.try_once()
    assert leader.leads()
    leader.give_back()
    assert not leader.leads()


def test_a_cluster_without_any_kind(answers: Answers) -> None:
    """Nothing is written, and what is missed is counted."""
    answers.status = 404
    done = Keeper(answers.cluster(), Settings(), clock=lambda: NOW).look()
    assert str(done) == "0 objects, 0 PrometheusRules written, 0 deleted, 0 objects with problems, 1 calls refused"
