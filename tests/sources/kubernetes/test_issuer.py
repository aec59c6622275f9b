"""By which name a cluster signs its tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.sources.kubernetes.kubernetes_server import Cluster

from platform_meter.model.facts.kubernetes import ClusterIssuer
from platform_meter.model.source import Forbidden, Page, Unexpected
from platform_meter.sources.kubernetes import SOURCE, Config
from platform_meter.sources.kubernetes.issuer import PATH
from platform_meter.testing.outside import Answering, Call, FakeOutside, Reply

NOW = datetime(2026, 5, 4, 12, 0, 40, tzinfo=UTC)
CONFIG = Config.model_validate({"cluster": "eu", "in_cluster": True})
ADVICE = f"the credential may not get nonResourceURL {PATH}; grant it as deploy/kubernetes/rbac.yaml does"


def read(answering: Answering) -> list[Page]:
    stream = next(s for s in SOURCE.connect(CONFIG, FakeOutside(answering), "eu") if s.name == "issuer")
    return list(stream.read(None, NOW - timedelta(days=1), NOW))


def with_status(status: int) -> Answering:
    def answer(call: Call) -> Reply:
        return (
            Reply(status=status, body="" if call.method == "TEXT" else None) if call.path == PATH else Cluster()(call)
        )

    return answer


def test_a_cluster_that_does_not_tell_has_no_name() -> None:
    """Nobody knows then which one of a cloud it is; what was told before is over."""
    (page,) = read(Cluster(issuer=""))
    assert (page.facts, page.complete) == ((), frozenset({ClusterIssuer}))
    assert list(SOURCE.check(CONFIG, FakeOutside(Cluster(issuer="")))) == []


def test_who_may_not_read_it_is_told_what_to_grant() -> None:
    """By the stream and by `check`; any other answer is a failure."""
    with pytest.raises(Forbidden, match=r"may not get nonResourceURL /\.well-known"):
        read(with_status(403))
    assert list(SOURCE.check(CONFIG, FakeOutside(with_status(403)))) == [ADVICE]
    with pytest.raises(Unexpected):
        read(with_status(400))
