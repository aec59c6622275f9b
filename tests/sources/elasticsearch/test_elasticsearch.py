"""Elasticsearch and OpenSearch: the case of the contract test, what is told of a minute, and what `check` says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.sources.elasticsearch.elasticsearch_server import Elasticsearch, a
from tests.support.minutes import minute
from tests.support.stores import Opener, configured, put

from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.logs import LogIndex
from platform_meter.model.facts.probes import ProbeCheck, ProbeResult
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.proposal import Surroundings
from platform_meter.model.source import Severed, SourceError, Stream, TimedOut, Unreachable
from platform_meter.sources.elasticsearch import SOURCE, connect
from platform_meter.sources.elasticsearch.config import Config
from platform_meter.testing import Case, Later
from platform_meter.testing.outside import Call, FakeOutside, Reply

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
NOW = NOON + timedelta(minutes=2, seconds=30)
WEB: dict[str, Any] = {"id": "web", "index": "logs-*", "total": "*", "bad": "status:>=500"}
SETTINGS: dict[str, Any] = {
    "url": "https://logs.example:9200",
    "api_key": {"env": "LOGS_API_KEY"},
    "slis": [WEB],
    "indices": [{"index": "logs-*"}, {"index": "audit-*"}],
    "health": True,
}
LOGS = [
    a(NOON, -5, 10),
    a(NOON, -5, 50, 500),
    a(NOON, -1, 59.999),
    a(NOON, 0, 0),
    a(NOON, 300, 0),
]
"""The last one is dated in the future."""


def world() -> Elasticsearch:
    return Elasticsearch(documents={"logs-*": LOGS, "audit-*": []})


def later_world() -> Elasticsearch:
    """Minutes on: one document came late, one minute has a count that is none, and of one pattern nothing may be read."""
    late = [a(NOON, -5, 30, 503), a(NOON, 4, 0), a(NOON, 5, 0, 500)]
    return Elasticsearch(
        documents={"logs-*": [*LOGS, *late], "audit-*": []},
        status="red",
        refused=frozenset({"audit-*"}),
        odd={NOON + timedelta(minutes=4): "many"},
    )


def counted(minutes: int, good: float, bad: float, *, at: datetime | None = None) -> SliCount:
    """Of the minute that ended so long after noon, as read at a moment."""
    return minute("elasticsearch", "web", NOON + timedelta(minutes=minutes), good, bad, updated=at)


def index(pattern: str, newest: datetime | None) -> LogIndex:
    return LogIndex(about=Ref(system="elasticsearch", kind="index", id=pattern), index=pattern, newest=newest)


def probed(result: ProbeResult, *, at: datetime = NOW, key: str = "1777896120") -> ProbeCheck:
    name = "elasticsearch-test"
    about = Ref(system="elasticsearch", kind="cluster", id=name)
    return ProbeCheck(key=f"health/{key}", at=at, about=about, target=f"{name}/health", result=result, seconds=0.0)


def level(fact: Fact) -> Fact:
    """Without what hangs on the moment of a poll."""
    if isinstance(fact, ProbeCheck):
        return replace(fact, seconds=0.0)
    return replace(fact, updated=None) if isinstance(fact, SliCount) else fact


CASE = Case(
    settings=SETTINGS,
    answers=world,
    now=NOW,
    since=NOW - timedelta(minutes=10),
    level=level,
    momentary=frozenset({ProbeCheck}),
    expected=[
        counted(-4, 1.0, 1.0),
        counted(0, 1.0, 0.0),
        index("logs-*", NOON),
        index("audit-*", None),
        probed(ProbeResult.OK),
    ],
    later=Later(
        answers=later_world,
        after=timedelta(minutes=10),
        expected=[
            counted(-4, 1.0, 2.0),
            counted(1, 1.0, 0.0),
            counted(6, 0.0, 1.0),
            index("logs-*", NOON + timedelta(minutes=5)),
        ],
        failing=frozenset({"index/audit-*"}),
        rejected=1,
    ),
    without=[
        ({"slis": []}, frozenset({SliCount})),
        ({"indices": []}, frozenset({LogIndex})),
        ({"health": False}, frozenset({ProbeCheck})),
    ],
)


def stream(outside: FakeOutside, name: str, **said: Any) -> Stream:
    config = Config.model_validate({**SETTINGS, **said})
    return next(s for s in SOURCE.connect(config, outside, "elasticsearch-test") if s.name == name)


def web(
    server: Callable[[Call], Reply], checkpoint: bytes | None, now: datetime, **said: Any
) -> tuple[bytes, list[Fact]]:
    """One poll of the SLI that must say something, if only its place: the place, and what it told."""
    found = stream(FakeOutside(server), "sli/web", **said)
    pages = list(found.read(checkpoint, NOW - timedelta(minutes=10), now))
    return pages[-1].checkpoint or b"", [fact for page in pages for fact in page.facts]


def test_a_minute_is_read_once_its_delay_has_passed() -> None:
    """Not a second before; a window over it ends so long before the poll."""
    place, _ = web(world(), None, NOW)
    outside = FakeOutside(world())
    found = stream(outside, "sli/web")
    assert found.behind == timedelta(minutes=2)
    assert list(found.read(place, NOW, NOON + timedelta(minutes=2, seconds=59))) == []
    assert outside.calls == []
    assert web(world(), place, NOON + timedelta(minutes=3))[1] == [counted(1, 1.0, 0.0, at=NOON + timedelta(minutes=3))]


def test_what_changed_is_told_again_by_the_later_read() -> None:
    """Documents that came late, that were corrected and that were deleted; a minute that has none any more has nothing. Once
    it is `lookback` old a minute stays as it was told until the next quarter of an hour begins.
    """
    server = world()
    place, told = web(server, None, NOW)
    assert told == [counted(-4, 1.0, 1.0, at=NOW), counted(0, 1.0, 0.0, at=NOW)]
    then = NOW + timedelta(minutes=1)
    server.documents = {"logs-*": [a(NOON, -5, 10), a(NOON, -5, 50), a(NOON, -3, 0, 500)]}
    place, told = web(server, place, then)
    assert told == [
        counted(-4, 2.0, 0.0, at=then),
        counted(-2, 0.0, 1.0, at=then),
        counted(0, 0.0, 0.0, at=then),
    ]
    place, told = web(server, place, then + timedelta(minutes=1))
    assert told == []
    server.documents = {"logs-*": []}
    late = NOW + timedelta(minutes=13)
    place, told = web(server, place, late)
    assert told == [counted(-4, 0.0, 0.0, at=late), counted(-2, 0.0, 0.0, at=late)]
    server.documents = {"logs-*": [a(NOON, -5, 10)]}
    place, told = web(server, place, late + timedelta(minutes=1))
    assert told == []
    late += timedelta(minutes=2)
    assert web(server, place, late)[1] == [counted(-4, 1.0, 0.0, at=late)]


def test_what_is_stored_is_right_after_the_correction(tmp_path: Path) -> None:
    """Fewer bad ones and fewer of all, too: what counted more before is over."""
    opener, server = Opener(f"sqlite:///{tmp_path / 'meter.db'}"), world()
    store = opener()

    def stored(then: datetime) -> dict[str, float]:
        with store.history(then, [configured("eu", SliCount)]) as history:
            found = history.counts(SliCount, "eu", NOON - timedelta(hours=1), NOON + timedelta(hours=1))
        return {dim.verdict.value: count.amount for (_, dim), count in found.items()}

    place, told = web(server, None, NOW)
    put(store, told, NOW, instance="eu")
    assert stored(NOW) == {"good": 2.0, "bad": 1.0}
    server.documents = {"logs-*": [a(NOON, -5, 50, 200)]}
    then = NOW + timedelta(seconds=30)
    put(store, web(server, place, then)[1], then, instance="eu")
    assert stored(then) == {"good": 1.0}
    opener.close()


def test_only_minutes_that_are_read_again_are_remembered() -> None:
    """Those of the last three hours, or of `lookback`, however long the import."""
    server = Elasticsearch(documents={"logs-*": [a(NOON, -minute, 0) for minute in range(1, 200)]})
    found = stream(FakeOutside(server), "sli/web")
    (page,) = found.read(None, NOW - timedelta(hours=4), NOW)
    assert len(page.facts) == 199
    held = msgspec.json.decode(page.checkpoint or b"")
    assert (held["end"], len(held["told"])) == (int(NOON.timestamp()), 180)
    held = msgspec.json.decode(web(server, None, NOW, lookback="5m")[0])
    assert len(held["told"]) == 5


def test_of_an_answer_with_an_odd_minute_none_is_taken_for_empty() -> None:
    """The odd one may be the one that is not there: what was told of it stands."""
    server = world()
    place, _ = web(server, None, NOW)
    server.odd = {NOON - timedelta(minutes=1): -1}
    assert web(server, place, NOW + timedelta(minutes=1))[1] == [counted(1, 1.0, 0.0, at=NOW + timedelta(minutes=1))]


def test_good_instead_of_bad_and_clauses_instead_of_texts() -> None:
    """With `good`, what is not good is bad; a clause of the query DSL is passed on as it is."""
    good = {"id": "web", "index": "logs-*", "total": "*", "good": {"term": {"status": 200}}}
    assert web(world(), None, NOW, slis=[good])[1] == [counted(-4, 1.0, 1.0, at=NOW), counted(0, 1.0, 0.0, at=NOW)]


def test_long_ranges_are_asked_in_parts() -> None:
    """A day at once, each a page with its own place; where that is too much half of it, once one minute has worked."""
    hour = timedelta(hours=1)
    found = stream(FakeOutside(world()), "sli/web")
    pages = list(found.read(None, NOW - 50 * hour, NOW))
    assert [str(page.progress or "") for page in pages] == [
        "1,440 of 2,998 minutes of sli/web",
        "2,880 of 2,998 minutes of sli/web",
        "",
    ]
    slow = world()
    slow.most = 400
    outside = FakeOutside(slow)
    pages = list(stream(outside, "sli/web").read(None, NOW - 10 * hour, NOW))
    asked = [call.body["query"]["bool"]["filter"][0]["range"]["@timestamp"] for call in outside.calls]
    assert [(one["lt"] - one["gte"]) // 60_000 for one in asked] == [598, 1, 299, 298]
    assert [fact.key for page in pages for fact in page.facts] == [counted(-4, 1, 1).key, counted(0, 1, 0).key]


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (
            {"_shards": {"total": 5, "successful": 3, "failed": 1}},
            "the answer is not whole: 2 of 5 shards did not answer",
        ),
        ({"timed_out": True}, "the answer is not whole: the search timed out"),
        ({"terminated_early": True}, "the answer is not whole: the search was terminated early"),
        (
            {"_clusters": {"total": 2, "successful": 1, "skipped": 1}},
            "the answer is not whole: 1 remote clusters did not answer in full",
        ),
        (
            {"_shards": {"total": 0, "successful": 0}},
            "no index fits logs-\\*; correct the pattern or, where there are some, grant",
        ),
        ({"aggregations": None}, "answered without its aggregations"),
        (
            {"aggregations": {"minutes": {"buckets": [{"key": 0, "doc_count": 1, "part": {"doc_count": 0}}]}}},
            "counted a minute until 1970-01-01 00:01:00\\+00:00, which was not asked for",
        ),
    ],
)
def test_of_an_answer_that_is_not_whole_nothing_is_taken(said: dict[str, Any], text: str) -> None:
    """The poll fails with the reason, and the minutes are read again by the next one."""
    server = world()
    server.said = said
    with pytest.raises(SourceError, match=text):
        web(server, None, NOW)


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (Reply(body='{"status": "yellow"}'), ProbeResult.OK),
        (Reply(body='{"status": "red"}'), ProbeResult.ERROR),
        (Reply(body="<html>"), ProbeResult.ERROR),
        (Reply(status=503, body='{"status": "green"}'), ProbeResult.ERROR),
    ],
)
def test_the_health_is_good_while_all_documents_are_there(answer: Reply, result: ProbeResult) -> None:
    """Yellow lacks copies only; what is no such answer is an error."""
    (page,) = stream(FakeOutside(lambda _: answer), "health").read(None, NOW, NOW)
    assert [level(fact) for fact in page.facts] == [probed(result)]


@pytest.mark.parametrize(
    ("error", "result"), [(TimedOut("late"), ProbeResult.TIMEOUT), (Unreachable("refused"), ProbeResult.ERROR)]
)
def test_no_answer_is_a_fact_about_the_cluster(error: SourceError, result: ProbeResult) -> None:
    """The poll does not fail by it."""
    (page,) = stream(FakeOutside(world(), fail_at=0, error=error), "health").read(None, NOW, NOW)
    assert [level(fact) for fact in page.facts] == [probed(result)]


def test_what_fails_on_our_side_tells_nothing_of_the_cluster() -> None:
    """Such as an authority that is not trusted: the poll fails and no check is told."""
    with pytest.raises(Severed):
        list(stream(FakeOutside(world(), fail_at=0, error=Severed("no route")), "health").read(None, NOW, NOW))


def test_each_check_takes_as_long_as_the_stopwatch_says() -> None:
    """In seconds, from asking to the answer."""
    times = iter((5.0, 5.25))
    config = Config.model_validate({**SETTINGS, "slis": [], "indices": []})
    (health,) = connect(config, FakeOutside(world()), "eu", clock=lambda: next(times))
    (page,) = health.read(None, NOW, NOW)
    assert [(fact.target, fact.seconds) for fact in page.facts if isinstance(fact, ProbeCheck)] == [("eu/health", 0.25)]


def test_check_tells_what_is_missing() -> None:
    """Each query and pattern that is refused, what to grant, and a field that dates no document."""
    refusing = FakeOutside(later_world())
    config = Config.model_validate(SETTINGS)
    assert SOURCE.check(config, refusing) == [
        "index/audit-*: POST /audit-*/_search: 403; grant it the index privilege `read` on audit-*"
    ]
    server = Elasticsearch(documents={"logs-*": LOGS}, types={"when": ["keyword", "date"]})
    dated = [{"index": "logs-*", "time_field": "when"}, {"index": "logs-1", "time_field": "when"}]
    assert SOURCE.check(Config.model_validate({**SETTINGS, "indices": dated}), FakeOutside(server)) == [
        "sli/web: no index of logs-* has a field @timestamp; write the one that dates its documents as time_field",
        "index/logs-*: when is date, keyword in logs-*; write a field of dates as time_field, or name fewer indices",
        "index/logs-1: POST /logs-1/_search: 404; there is no index logs-1: correct the pattern",
    ]
    only_health = Config.model_validate({**SETTINGS, "slis": [], "indices": []})
    assert SOURCE.check(only_health, FakeOutside(lambda _: Reply(status=403))) == [
        "health: /_cluster/health answered 403; grant it the cluster privilege `monitor`, or write health: false"
    ]
    nothing = Config.model_validate({"url": "https://logs.example"})
    assert SOURCE.check(nothing, FakeOutside({})) == [
        "nothing is read; write slis, indices or health: true, or SLO files with type: elasticsearch"
    ]


def test_what_may_not_be_asked_fails_the_stream() -> None:
    """It says nothing of the cluster's health: that is known to answer."""
    with pytest.raises(SourceError, match="/_cluster/health answered 401: the credential may not ask for it"):
        list(stream(FakeOutside(lambda _: Reply(status=401)), "health").read(None, NOW, NOW))


def test_init_proposes_the_cluster_that_a_variable_names() -> None:
    """With the variable of its key, where there is one."""
    around = Surroundings(
        variables=frozenset({"ELASTICSEARCH_API_KEY"}), addresses={"OPENSEARCH_URL": "https://logs.example:9200"}
    )
    proposal = SOURCE.propose(around)
    assert proposal is not None
    assert proposal.found == {
        "elasticsearch": {"url": "https://logs.example:9200", "api_key": {"env": "ELASTICSEARCH_API_KEY"}}
    }
