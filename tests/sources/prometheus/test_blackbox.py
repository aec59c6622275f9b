"""Checks by blackbox_exporter, as they were scraped."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.probes import ProbeCheck, ProbeResult, ServedCertificate
from platform_meter.model.source import Page
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.prometheus import blackbox
from platform_meter.sources.prometheus.config import ProbesQuery
from platform_meter.testing.outside import Call, FakeOutside, Reply

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
START = int(NOON.timestamp())
QUERY: dict[str, Any] = {"name": "eu", "select": '{job="blackbox"}'}
Series = tuple[dict[str, str], Mapping[float, str]]
"""Labels, and samples by seconds from noon."""


def answering(**metrics: list[Series]) -> FakeOutside:
    """A server with these series, which gives the samples of both ends too, as Prometheus 2 does."""

    def answer(call: Call) -> Reply:
        asked = re.fullmatch(r"(\w+)\{.*\}\[(\d+)s\]", call.params["query"])
        assert asked is not None
        end = call.params["time"] - START
        result = [
            {
                "metric": dict(labels, __name__=asked[1]),
                "values": [[START + at, v] for at, v in samples.items() if end - int(asked[2]) <= at <= end],
            }
            for labels, samples in metrics.get(asked[1], [])
        ]
        return Reply(body={"status": "success", "data": {"resultType": "matrix", "result": result}})

    return FakeOutside(answer)


def read(
    outside: FakeOutside, minutes: float, checkpoint: bytes | None = None, overlap: float = 0, **query: Any
) -> list[Page]:
    """One poll that many minutes after noon, back to noon."""
    asked = ProbesQuery.model_validate({**QUERY, **query})
    now, again = NOON + timedelta(minutes=minutes), timedelta(minutes=overlap)
    return list(
        Sieve.over(outside, lambda sieve: blackbox.read(asked, timedelta(0), again, sieve, checkpoint, NOON, now))
    )


def told(pages: list[Page]) -> list[Fact]:
    return [fact for page in pages for fact in page.facts]


def seen(facts: list[Fact]) -> list[tuple[str, float, ProbeResult, float]]:
    """Target, seconds from noon, result and duration of each check."""
    found = [fact for fact in facts if isinstance(fact, ProbeCheck)]
    return [(one.target, (one.at - NOON).total_seconds(), one.result, one.seconds) for one in found]


WEB = {"job": "blackbox", "instance": "https://portal", "team": "web"}
OK, ERROR = ProbeResult.OK, ProbeResult.ERROR


def test_each_scrape_is_one_check() -> None:
    """At its own moment, to the millisecond; it is about the endpoint that our own probe would name."""
    outside = answering(
        probe_success=[(WEB, {15.25: "1", 45.25: "0"})], probe_duration_seconds=[(WEB, {15.25: "0.2", 45.25: "9.5"})]
    )
    facts = told(read(outside, 1, labels=["team", "none"]))
    about = Ref(system="probes", kind="endpoint", id="https://portal", labels=(("team", "web"),))
    first = ProbeCheck(
        key=f"https://portal/{START + 15}250",
        at=NOON + timedelta(seconds=15.25),
        about=about,
        target="https://portal",
        result=OK,
        seconds=0.2,
    )
    assert facts[0] == first
    assert seen(facts) == [("https://portal", 15.25, OK, 0.2), ("https://portal", 45.25, ERROR, 9.5)]


def test_a_target_is_named_by_labels() -> None:
    """Joined, behind a prefix; a label that is missing is told."""
    api = {"job": "blackbox", "instance": "api", "module": "tcp"}
    outside = answering(
        probe_success=[(api, {5: "1"}), (WEB, {5: "1"})],
        probe_duration_seconds=[(api, {5: "1"}), (WEB, {5: "1"})],
    )
    pages = read(outside, 1, by=["instance", "module"], prefix="eu/")
    assert [name for name, *_ in seen(told(pages))] == ["eu/api/tcp", "eu/https://portal/_unknown"]


def test_a_password_in_an_address_is_not_shown() -> None:
    """In no name, key or object of a check or a certificate."""
    secret = {"job": "blackbox", "instance": "https://me:hunter2@portal/@home"}
    outside = answering(
        probe_success=[(secret, {5: "1"})],
        probe_duration_seconds=[(secret, {5: "1"})],
        probe_ssl_earliest_cert_expiry=[(secret, {5: f"{START}"})],
    )
    facts = told(read(outside, 1))
    assert [fact.about.id for fact in facts] == ["https://portal/@home"] * 2
    assert "hunter2" not in repr(facts)


def test_durations_belong_to_their_own_series() -> None:
    """Two targets that are scraped at one moment keep their own."""
    api = {"job": "blackbox", "instance": "api"}
    outside = answering(
        probe_success=[(api, {5: "1"}), (WEB, {5: "1"})],
        probe_duration_seconds=[(WEB, {5: "2"}), (api, {5: "1"})],
    )
    assert seen(told(read(outside, 1))) == [("api", 5.0, OK, 1.0), ("https://portal", 5.0, OK, 2.0)]


@pytest.mark.parametrize(
    ("success", "took"),
    [("0.5", "1"), ("NaN", "1"), ("yes", "1"), ("1", "NaN"), ("1", "-1"), ("1", "+Inf"), ("1", None)],
)
def test_what_can_not_be_read_is_left_out_and_counted(success: str, took: str | None) -> None:
    """A check without its duration too, which may come late; the others stand."""
    durations: dict[float, str] = {5: took, 35: "0.1"} if took is not None else {35: "0.1"}
    outside = answering(
        probe_success=[(WEB, {5: success, 35: "1"})],
        probe_duration_seconds=[(WEB, durations)],
        probe_ssl_earliest_cert_expiry=[(WEB, {5: "-62135596800"})],
    )
    pages = read(outside, 1)
    assert seen(told(pages)) == [("https://portal", 35.0, OK, 0.1)]
    assert [page.rejected for page in pages] == [{("ProbeCheck", "invalid"): 1, ("ServedCertificate", "invalid"): 1}]


def test_the_last_certificate_that_was_seen_stands() -> None:
    """In whichever part of what was read; with the last page, which says all that stand."""
    outside = answering(
        probe_ssl_earliest_cert_expiry=[(WEB, {5: f"{START + 60}", 1_300: f"{START + 900.5}", 1_500: f"{START + 901}"})]
    )
    first, last = read(outside, 30)
    assert (first.facts, first.complete, last.complete) == ([], frozenset(), frozenset({ServedCertificate}))
    about = Ref(system="probes", kind="endpoint", id="https://portal")
    ends = NOON + timedelta(seconds=901)
    assert last.facts == [ServedCertificate(about=about, target="https://portal", ends=ends)]
    early = answering(probe_ssl_earliest_cert_expiry=[(WEB, {5: f"{START + 60}"})])
    assert [type(fact) for fact in read(early, 30)[-1].facts] == [ServedCertificate]


def test_every_scrape_is_read_once_and_late_ones_with_the_overlap() -> None:
    """Parts meet without a gap and without a scrape in two of them."""
    samples = {float(at): "1" for at in range(0, 3_601, 20)}
    outside = answering(probe_success=[(WEB, samples)], probe_duration_seconds=[(WEB, samples)])
    pages = read(outside, 60)
    assert [at for _, at, *_ in seen(told(pages))] == [float(at) for at in range(20, 3_601, 20)]
    assert [page.checkpoint for page in pages] == [str(START + at).encode() for at in (1_200, 2_400, 3_600)]
    later = read(outside, 60, checkpoint=str(START + 3_600).encode(), overlap=1)
    assert [at for _, at, *_ in seen(told(later))] == [3_560.0, 3_580.0, 3_600.0]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"select": "{job="}, "the selector is no PromQL"),
        ({"select": "{} or up"}, "is more or less than a selector of one metric"),
        ({"select": "[5m]"}, "is more or less than a selector of one metric"),
        ({"name": "a b"}, "'a b' is no such name"),
        ({"by": []}, "at least 1 item"),
    ],
)
def test_selectors_that_are_none_are_refused(query: dict[str, Any], says: str) -> None:
    """All series are selected by {}."""
    with pytest.raises(ValidationError, match=re.escape(says)):
        ProbesQuery.model_validate({**QUERY, **query})
    assert ProbesQuery.model_validate({"name": "all", "select": "{}"}).select == "{}"
