"""Instances heard from, minute by minute."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from platform_meter.model.facts import Fact
from platform_meter.model.facts.instances import InstanceKind, Instances
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.source import Unexpected
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.prometheus import instances
from platform_meter.sources.prometheus.config import Config, InstancesQuery
from platform_meter.testing.outside import Call, FakeOutside, Reply

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
QUERY: dict[str, Any] = {"kind": "agent", "cluster": "eu", "group": "otel", "heard": 'otelcol_build{job="a"}'}
SCALED = {**QUERY, "expected_query": "count(kube_node_info)"}
Numbers = Callable[[int], str | None]
"""By minutes from noon."""


def answering(heard: Numbers, expected: Numbers = lambda _: None, longest: int = 9_999) -> FakeOutside:
    """A server that gives at most so many moments at once."""

    def answer(call: Call) -> Reply:
        number = expected if "kube_node_info" in call.params["query"] else heard
        ends = range(call.params["start"], call.params["end"] + 1, call.params["step"])
        if len(ends) > longest:
            return Reply(status=422)
        minutes = {end: number((end - int(NOON.timestamp())) // 60) for end in ends}
        values = [[end, value] for end, value in minutes.items() if value is not None]
        result = [{"metric": {}, "values": values}] if values else []
        return Reply(body={"status": "success", "data": {"resultType": "matrix", "result": result}})

    return FakeOutside(answer)


def read(outside: FakeOutside, minutes: int, checkpoint: bytes | None = None, **query: Any) -> list[Fact]:
    """One poll half a minute after that many minutes past noon, back to noon, with a delay of that half minute."""
    asked = InstancesQuery.model_validate({**QUERY, **query})
    half = timedelta(seconds=30)
    now = NOON + timedelta(minutes=minutes) + half
    pages = list(Sieve.over(outside, lambda sieve: instances.read(asked, half, sieve, checkpoint, NOON, now)))
    assert all(page.complete == frozenset({Instances}) for page in pages[-1:])
    return [fact for page in pages for fact in page.facts]


def counts(facts: list[Fact]) -> dict[float, tuple[float, float]]:
    """Good and bad by minutes from noon."""
    found = [fact for fact in facts if isinstance(fact, SliCount)]
    return {(one.at - NOON).total_seconds() / 60: (one.good, one.bad) for one in found}


def standing(facts: list[Fact]) -> list[tuple[InstanceKind, str, str, int | None, int | None]]:
    found = [fact for fact in facts if isinstance(fact, Instances)]
    return [(one.instance_kind, one.cluster, one.group, one.expected, one.reporting) for one in found]


def test_each_minute_counts_those_who_report_and_those_who_are_silent() -> None:
    """More than expected are as many as expected; the surplus of one minute does not make up for another."""
    facts = read(answering(lambda minute: ["", "3", "5", "0"][minute]), 3, expected=3)
    assert counts(facts) == {1: (3.0, 0.0), 2: (3.0, 0.0), 3: (0.0, 3.0)}
    assert standing(facts) == [(InstanceKind.AGENT, "eu", "otel", 3, 0)]


def test_a_minute_in_which_nobody_listened_is_unknown() -> None:
    """No count and no number, neither good nor bad; the minutes around it count."""
    facts = read(answering(lambda minute: None if minute == 2 else "2"), 3, expected=3)
    assert counts(facts) == {1: (2.0, 1.0), 3: (2.0, 1.0)}
    facts = read(answering(lambda minute: None if minute == 3 else "2"), 3, expected=3)
    assert standing(facts) == [(InstanceKind.AGENT, "eu", "otel", 3, None)]


@pytest.mark.parametrize("odd", [None, "NaN", "+Inf", "many", "-1"])
def test_what_is_expected_may_be_unknown_too(odd: str | None) -> None:
    """As a query that has no number for a minute says it."""
    facts = read(answering(lambda _: "2", lambda minute: odd if minute == 2 else "4"), 2, **SCALED)
    assert counts(facts) == {1: (2.0, 2.0)}
    assert standing(facts) == [(InstanceKind.AGENT, "eu", "otel", None, 2)]


def test_a_series_that_can_not_be_read_leaves_its_minutes_unknown() -> None:
    """It may be the one that counts."""
    end = int(NOON.timestamp()) + 60
    series = [{"metric": {}, "values": "many"}, {"metric": {"replica": "b"}, "values": [[end, "1"]]}]
    odd = {"data": {"resultType": "matrix", "result": series}}
    facts = read(FakeOutside(lambda _: Reply(body=odd)), 1, expected=3)
    assert (counts(facts), standing(facts)) == ({}, [(InstanceKind.AGENT, "eu", "otel", 3, None)])


def test_nobody_expected_is_no_minute() -> None:
    """Scaled to nothing: neither good nor bad, and 0 of 0 stands."""
    facts = read(answering(lambda _: "0", lambda _: "0"), 1, **SCALED)
    assert (counts(facts), standing(facts)) == ({}, [(InstanceKind.AGENT, "eu", "otel", 0, 0)])


def test_minutes_are_read_on_from_the_last_one() -> None:
    """Each once; nothing is asked where none has ended."""
    last = str(int((NOON + timedelta(minutes=2)).timestamp())).encode()
    outside = answering(lambda _: "3")
    assert sorted(counts(read(outside, 4, last, expected=3))) == [3, 4]
    assert len(outside.calls) == 1
    assert read(outside, 2, last, expected=3) == []
    assert len(outside.calls) == 1


def test_too_many_minutes_are_asked_for_in_parts() -> None:
    """One goes first; where that fails too, so does the poll."""
    assert sorted(counts(read(answering(lambda _: "3", longest=2), 5, expected=3))) == [1, 2, 3, 4, 5]
    with pytest.raises(Unexpected):
        read(answering(lambda _: "3", longest=0), 5, expected=3)


def test_what_is_asked() -> None:
    """Distinct instances with a sample of two minutes, where samples were taken in each of them; and the fewest wanted."""
    query = InstancesQuery.model_validate({**SCALED, "by": ["pod", "node"], "listening": 'up{job="a"}'})
    assert instances.heard(query) == (
        '(count(count by (pod, node) (count_over_time(otelcol_build{job="a"}[2m]))) or vector(0))'
        ' and count(count_over_time(up{job="a"}[1m])) and count(count_over_time(up{job="a"}[1m] offset 1m))'
    )
    assert instances.expected(query) == "min_over_time((count(kube_node_info))[2m:30s])"


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({}, "instances need exactly one of expected and expected_query; remove or add one"),
        ({"expected": 3, "expected_query": "count(a)"}, "instances need exactly one of expected and expected_query"),
        (
            {"expected": 3, "heard": "up"},
            "up is written by Prometheus itself, of silent instances too; select a metric",
        ),
        (
            {"expected": 3, "heard": " scrape_duration_seconds{a='b'}"},
            "scrape_duration_seconds is written by Prometheus",
        ),
        (
            {"expected": 3, "heard": "count(a)"},
            "'count(a)' is more or less than a selector of one metric; write a metric",
        ),
        ({"expected": 3, "heard": "a offset 5m"}, "'a offset 5m' is more or less than a selector of one metric"),
        ({"expected": 3, "heard": "a[5m]"}, "'a[5m]' is more or less than a selector of one metric"),
        ({"expected": 3, "heard": "a{"}, "the selector is no PromQL"),
        ({"expected": 3, "listening": '{job="a"}'}, "is more or less than a selector of one metric"),
        ({"expected_query": "3"}, "the query gives no instant vector; write for example sum(kube_deployment_spec"),
        ({"expected_query": "sum("}, "the query is no PromQL"),
        ({"expected": -1}, "greater than or equal to 0"),
        ({"expected": 3, "cluster": "eu/west"}, "'eu/west' is no such name; write letters, digits and . _ -"),
        ({"expected": 3, "kind": "router"}, "Input should be 'gateway', 'agent', 'proxy' or 'controller'"),
    ],
)
def test_questions_that_can_not_be_answered_are_refused(query: dict[str, Any], says: str) -> None:
    """With what to write instead; a label may hold any text."""
    with pytest.raises(ValidationError, match=re.escape(says)):
        InstancesQuery.model_validate({**QUERY, **query})
    assert InstancesQuery.model_validate({**QUERY, "expected": 1, "heard": 'a{team="offset@x"}'}).expected == 1


def test_one_group_is_there_once() -> None:
    """Its minutes would be counted once only."""
    group = {**QUERY, "expected": 3}
    with pytest.raises(ValidationError, match="instances/eu/agent/otel is there twice"):
        Config.model_validate({"url": "http://p", "instances": [group, group]})
