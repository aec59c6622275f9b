"""Totals of `stub_status` and of the exporter's page: what NGINX served, and connections that it could not handle."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.sources.nginx.test_nginx import EDGE, MINUTE, NOW, stub

from platform_meter.model.facts import Fact
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.facts.use import Usage
from platform_meter.model.source import Unexpected
from platform_meter.sources.nginx import status
from platform_meter.testing.outside import FakeOutside


def exported(accepted: int, handled: int, total: int) -> str:
    """The page of prometheus-nginx-exporter, as far as it matters."""
    return (
        "# HELP nginx_connections_accepted Accepted client connections\n# TYPE nginx_connections_accepted counter\n"
        f"nginx_connections_accepted {accepted}\nnginx_connections_handled {handled}\n"
        f"# TYPE nginx_http_requests_total counter\nnginx_http_requests_total {total}\nnginx_up 1\n"
    )


class Reader:
    def __init__(self) -> None:
        self.checkpoint: bytes | None = None
        self.looks = 0
        self.rejected = 0

    def __call__(self, page: Any) -> list[Fact]:
        """Facts of one look, a minute after the last one."""
        outside, now = FakeOutside({"/s": page}), NOW + self.looks * MINUTE
        self.looks += 1
        facts: list[Fact] = []
        for told in status.read("edge", "/s", MINUTE, outside, self.checkpoint, now - timedelta(days=1), now):
            facts += told.facts
            self.checkpoint = told.checkpoint or self.checkpoint
            self.rejected += sum(told.rejected.values())
        return facts


@pytest.mark.parametrize("page", [stub, exported], ids=["stub_status", "exporter"])
def test_what_was_counted_since_the_last_look_is_told(page: Any) -> None:
    """The first look says nothing; requests have no result, connections do."""
    read = Reader()
    assert read(page(10, 10, 30)) == []
    key = "@2026-05-04T12:00:30.000000Z"
    assert read(page(15, 14, 45)) == [
        Usage(key=f"served/{key}", at=NOW + MINUTE, about=EDGE, action="served", amount=15.0),
        SliCount(
            key=f"connections/{key}",
            at=NOW + MINUTE,
            about=EDGE,
            sli="edge/connections",
            good=4.0,
            bad=1.0,
            width=MINUTE,
        ),
    ]


def test_the_two_pages_are_one() -> None:
    """Whoever changes from one to the other loses nothing."""
    read = Reader()
    read(stub(10, 10, 30))
    assert [fact.amount for fact in read(exported(10, 10, 33)) if isinstance(fact, Usage)] == [3.0]


def test_a_restart_counts_from_zero() -> None:
    """What was counted between the last look and its end is known to nobody."""
    read = Reader()
    read(stub(1_000, 990, 3_000))
    facts = read(stub(4, 4, 9))
    assert [fact.amount for fact in facts if isinstance(fact, Usage)] == [9.0]
    assert [(fact.good, fact.bad) for fact in facts if isinstance(fact, SliCount)] == [(4.0, 0.0)]


def test_what_the_exporter_could_not_reach_is_not_told_again() -> None:
    """It has a page without any totals then."""
    read = Reader()
    read(exported(10, 10, 30))
    assert read("nginx_up 0\n") == []
    assert [fact.amount for fact in read(exported(10, 10, 31)) if isinstance(fact, Usage)] == [1.0]


def test_no_connections_are_no_count() -> None:
    """Requests came over those that were open."""
    read = Reader()
    read(stub(10, 10, 30))
    assert [type(fact) for fact in read(stub(10, 10, 31))] == [Usage]


@pytest.mark.parametrize(
    ("page", "says"),
    [
        ("<html>", "/s is no page of metrics: it begins with '<html>'"),
        ("", "/s is empty"),
        ("Active connections: 1\nserver\n", "/s is empty"),
    ],
)
def test_another_page_is_refused(page: str, says: str) -> None:
    """What it is is said."""
    with pytest.raises(Unexpected, match=says):
        Reader()(page)
