"""Probes: the case of the contract test, what a good answer is, and what is no check."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from platform_meter.model.access import Access
from platform_meter.model.endpoint import Endpoint, Look
from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.probes import ProbeCheck, ProbeResult, ServedCertificate
from platform_meter.model.source import Gap, Page, Severed
from platform_meter.sources.probes import SOURCE, Config
from platform_meter.testing import Case, Later
from platform_meter.testing.outside import Call, FakeOutside, Reply

NOW = datetime(2026, 5, 4, 12, 0, 30, tzinfo=UTC)
ENDS = datetime(2026, 8, 1, 9, tzinfo=UTC)
PORTAL = {"name": "portal", "url": "https://portal.example/healthz", "labels": {"team": "web"}}
QUEUE = {"name": "queue", "tcp": "[2001:db8::7]:5671"}
API = {"name": "api", "url": "http://api.example"}
SETTINGS: dict[str, Any] = {"targets": [PORTAL, QUEUE, API]}
OK, ERROR, TIMEOUT = ProbeResult.OK, ProbeResult.ERROR, ProbeResult.TIMEOUT
GOOD = Look(result=OK, seconds=0.25, status=200, text="all is well", certificate_ends=ENDS)
TAKEN = Look(result=OK, seconds=0.01)
FINE = Look(result=OK, seconds=0.5, status=200)
HANGS = Look(result=TIMEOUT, seconds=5.0, why="no answer in time")


def about(name: str) -> Ref:
    return Ref(system="probes", kind="endpoint", id=name, labels=(("team", "web"),) if name == "portal" else ())


def checked(name: str, result: ProbeResult, seconds: float, at: datetime = NOW) -> ProbeCheck:
    key = f"{name}/{at:%Y-%m-%dT%H:%M:%S}.000000Z"
    return ProbeCheck(key=key, at=at, about=about(name), target=name, result=result, seconds=seconds)


def served(ends: datetime) -> ServedCertificate:
    return ServedCertificate(about=about("portal"), target="portal", ends=ends)


def severed(call: Call) -> Reply:
    raise Severed(f"{call.path}: its name is not known here")


GOOD_ONES = {"portal.example:443/healthz": GOOD, "[2001:db8::7]:5671": TAKEN, "api.example:80/": FINE}
CASE = Case(
    settings=SETTINGS,
    answers=GOOD_ONES,
    now=NOW,
    since=NOW - timedelta(days=90),
    expected=[checked("portal", OK, 0.25), served(ENDS), checked("queue", OK, 0.01), checked("api", OK, 0.5)],
    momentary=frozenset({ProbeCheck, ServedCertificate}),
    rows=False,
    later=Later(
        answers={
            "portal.example:443/healthz": replace(GOOD, certificate_ends=ENDS + timedelta(days=90)),
            "[2001:db8::7]:5671": HANGS,
            "api.example:80/": severed,
        },
        after=timedelta(seconds=30),
        expected=[
            checked("portal", OK, 0.25, NOW + timedelta(seconds=30)),
            served(ENDS + timedelta(days=90)),
            checked("queue", TIMEOUT, 5.0, NOW + timedelta(seconds=30)),
        ],
        gaps=["api: checks of this hour are missing"],
    ),
)


def pages(outside: FakeOutside, **settings: object) -> dict[str, list[Page]]:
    """What each stream says now."""
    config = Config.model_validate({**SETTINGS, **settings})
    return {s.name: list(s.read(None, CASE.since, NOW)) for s in SOURCE.connect(config, outside, "ours")}


def facts(seen: Look, **target: object) -> list[Fact]:
    """What a target says that was seen like this."""
    found = pages(FakeOutside(lambda _: Reply(body=seen)), targets=[{**PORTAL, **target}])["portal"]
    return [fact for page in found for fact in page.facts]


@pytest.mark.parametrize(
    ("expect", "seen", "result"),
    [
        ({}, GOOD, OK),
        ({}, replace(GOOD, status=204, text=""), OK),
        ({}, replace(GOOD, status=302), ERROR),
        ({}, replace(GOOD, status=500), ERROR),
        ({"status": 302}, replace(GOOD, status=302), OK),
        ({"status": [200, 401]}, replace(GOOD, status=401), OK),
        ({"status": [200, 401]}, replace(GOOD, status=204), ERROR),
        ({"body": "is well"}, GOOD, OK),
        ({"body": "maintenance"}, GOOD, ERROR),
        ({"body": ""}, HANGS, TIMEOUT),
        ({}, Look(result=ERROR, seconds=0.1, why="Connection refused"), ERROR),
    ],
)
def test_what_a_good_answer_is(expect: dict[str, object], seen: Look, result: ProbeResult) -> None:
    """2xx, or the statuses that are named, and the text where one is; no answer stays what it was."""
    assert [fact.result for fact in facts(seen, expect=expect) if isinstance(fact, ProbeCheck)] == [result]


def test_an_expired_certificate_is_told_with_the_error() -> None:
    """Its end is in the past, and stays told."""
    seen = Look(result=ERROR, seconds=0.1, why="the certificate has expired", certificate_ends=NOW - timedelta(days=1))
    assert facts(seen) == [checked("portal", ERROR, 0.1), served(NOW - timedelta(days=1))]


def test_a_certificate_that_was_not_seen_is_not_over() -> None:
    """A check that timed out says nothing of it."""
    (page,) = pages(FakeOutside(lambda _: Reply(body=HANGS)))["portal"]
    assert (page.facts, page.complete) == ((checked("portal", TIMEOUT, 5.0),), frozenset())


def test_what_fails_on_our_side_is_a_gap_of_that_target_alone() -> None:
    """No check and no failure of the source, once an hour; the other targets go on."""
    outside = FakeOutside(GOOD_ONES, fail_at=0, error=Severed("portal.example:443: its name is not known here"))
    found = pages(outside)
    assert [page.facts for page in found["portal"]] == [()]
    assert [page.facts for page in found["queue"]] == [(checked("queue", OK, 0.01),)]
    text = "portal: checks of this hour are missing, we could not look: portal.example:443: its name is not known here"
    noon = datetime(2026, 5, 4, 12, tzinfo=UTC)
    assert outside.gaps == [
        Gap(start=noon, end=noon + timedelta(hours=1), reason="unreadable", text=text, what="portal")
    ]


def test_kinds_are_given_where_there_is_a_certificate() -> None:
    """A stream of a target without TLS gives checks alone; each is a probe with the beat of the source."""
    config = Config.model_validate({"targets": [PORTAL, QUEUE, {**QUEUE, "name": "queue-tls", "tls": True}]})
    streams = SOURCE.connect(config, FakeOutside({}), "ours")
    assert {s.name: (s.gives, s.every, s.probe) for s in streams} == {
        "portal": (frozenset({ProbeCheck, ServedCertificate}), None, True),
        "queue": (frozenset({ProbeCheck}), None, True),
        "queue-tls": (frozenset({ProbeCheck, ServedCertificate}), None, True),
    }
    assert (config.every, config.timeout) == (timedelta(seconds=30), timedelta(seconds=5))


@pytest.mark.parametrize(
    ("target", "endpoint"),
    [
        ({"url": "http://api.example"}, Endpoint(host="api.example", port=80, path="/")),
        ({"url": "https://api.example:8443/a/b"}, Endpoint(host="api.example", port=8443, tls=True, path="/a/b")),
        (
            {"url": "https://[::1]/x", "ca_file": "/ca"},
            Endpoint(host="::1", port=443, tls=True, path="/x", ca_file="/ca"),
        ),
        ({"tcp": "db.example:5432"}, Endpoint(host="db.example", port=5432)),
        ({"tcp": "[::1]:636", "tls": True, "ca_file": "/ca"}, Endpoint(host="::1", port=636, tls=True, ca_file="/ca")),
    ],
)
def test_where_a_target_is(target: dict[str, object], endpoint: Endpoint) -> None:
    """As its url or its host and port say."""
    (found,) = Config.model_validate({"targets": [{"name": "one", **target}]}).targets
    assert found.endpoint == endpoint


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"targets": []}, "at least 1 item"),
        (
            {"targets": [PORTAL, PORTAL]},
            "the target portal is there twice; its checks would be one SLO's, give each its",
        ),
        ({"targets": [{"name": "a"}]}, "a target has exactly one of url and tcp; remove or add one"),
        ({"targets": [{**PORTAL, **QUEUE}]}, "a target has exactly one of url and tcp; remove or add one"),
        ({"targets": [{**PORTAL, "tls": True}]}, "tls belongs to tcp; remove it, a url says it by https"),
        ({"targets": [{**QUEUE, "expect": {"status": 200}}]}, "over tcp nothing is asked, so nothing can be expected"),
        ({"targets": [{**QUEUE, "tcp": "db.example"}]}, "'db.example' is no host and port; write HOST:PORT"),
        ({"targets": [{**QUEUE, "tcp": "db:0"}]}, "'db:0' is no host and port"),
        ({"targets": [{**QUEUE, "name": "eu west"}]}, "'eu west' is no such name; write letters, digits and . _ / -"),
        (
            {"targets": [{**QUEUE, "timeout": "30s"}]},
            "the target queue may hang for its timeout, 30 s, and every is 30 s; write a shorter timeout",
        ),
    ],
)
def test_settings_that_can_not_work_are_refused(settings: dict[str, object], says: str) -> None:
    """With what to write instead."""
    with pytest.raises(ValidationError, match=re.escape(says)):
        Config.model_validate(settings)


def test_each_target_has_its_time() -> None:
    """Its own timeout, else that of the source."""
    asked: list[float] = []

    class Patient(FakeOutside):
        def look(self, endpoint: Endpoint, *, timeout: float) -> Look:
            asked.append(timeout)
            return super().look(endpoint, timeout=timeout)

    pages(Patient(GOOD_ONES), targets=[PORTAL, {**QUEUE, "timeout": "2s"}])
    assert asked == [5.0, 2.0]


def test_check_says_what_is_not_good_now() -> None:
    """A line for each target, whether it is theirs or ours; the good ones say nothing."""
    answers = {
        "portal.example:443/healthz": replace(GOOD, status=503),
        "[2001:db8::7]:5671": Look(result=ERROR, seconds=0.01, why="Connection refused"),
        "api.example:80/": severed,
    }
    assert SOURCE.check(Config.model_validate(SETTINGS), FakeOutside(answers)) == [
        "portal: error after 0.25 s: it answers 503; 2xx is expected",
        "queue: error after 0.01 s: Connection refused",
        "api can't be checked from here: api.example:80/: its name is not known here",
    ]
    texts = Config.model_validate({"targets": [{**PORTAL, "expect": {"body": "fine"}}]})
    (line,) = SOURCE.check(texts, FakeOutside({"portal.example:443/healthz": GOOD}))
    assert (
        line == "portal: error after 0.25 s: its answer does not hold the text that `body` expects (11 characters came)"
    )


def test_it_brings_no_credential() -> None:
    """There is no system but what the targets name."""
    assert SOURCE.access(Config.model_validate(SETTINGS)) == Access()
