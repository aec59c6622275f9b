"""Rows that are incidents: their moments, how bad they were, what they name, and those that are there no more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_meter.model.facts import Ref
from platform_meter.model.facts.incidents import Incident, IncidentWay, Severity
from platform_meter.model.source import Page
from platform_meter.sources.documents.cells import Look
from platform_meter.sources.documents.config import Config, IncidentRows
from platform_meter.sources.documents.facts import told
from platform_meter.sources.documents.fetched import read
from platform_meter.sources.kit.rows import Sieve
from platform_meter.testing.outside import FakeOutside

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
LOOK = Look(start=NOON - DAY, now=NOON, delay=MINUTE, hashed=str)


def entry(**said: Any) -> IncidentRows:
    rows = {"id": "status", "path": "/x", "by": ["/service"], "key": ["/id"], "at": "/began", "resolved": "/ended"}
    return Config.model_validate({"url": "http://x", "incidents": [{**rows, **said}]}).incidents[0]


def at(minutes: float) -> str:
    return (NOON + minutes * MINUTE).isoformat()


def row(**said: Any) -> dict[str, Any]:
    return {"id": 7, "service": "payments", "began": at(-60), "ended": at(-30), **said}


def one(of: IncidentRows, said: dict[str, Any]) -> Incident:
    (fact,) = told(of, [said], LOOK).facts
    assert isinstance(fact, Incident)
    return fact


def test_all_that_a_row_can_tell() -> None:
    """Its texts are looked through for names and not kept; the service is that of the Service file."""
    of = entry(
        detected="/seen",
        acknowledged="/taken",
        severity="/bad",
        severities={"3": "major"},
        name="/name",
        url="/page",
        texts=["/title", "/text", "/none"],
    )
    said = row(
        seen=at(-55),
        taken=at(-50),
        bad=3,
        name="INC-7",
        page="https://status.example/7",
        title="INC-7: after v1.4.2\n" + "and more " * 100,
        text="reverted shop@1.4.1, see https://status.example/6",
    )
    found = one(of, said)
    assert found == Incident(
        key=f"incidents/status/{found.key.rpartition('/')[2]}",
        at=NOON - 60 * MINUTE,
        about=Ref(system="documents", kind="service", id="payments", labels=(("app.kubernetes.io/name", "payments"),)),
        severity=Severity.MAJOR,
        way=IncidentWay.INCIDENTS_API,
        detected=NOON - 55 * MINUTE,
        acknowledged=NOON - 50 * MINUTE,
        resolved=NOON - 30 * MINUTE,
        name="INC-7",
        url="https://status.example/7",
        ids=("INC-7", "https://status.example/7"),
        mentions=("https://status.example/6", "shop@1.4.1", "v1.4.2"),
    )


def test_what_a_row_need_not_tell() -> None:
    """It is absent and not made up; its key hangs on its id alone."""
    found = one(entry(), row())
    assert (found.severity, found.detected, found.acknowledged, found.ids) == (Severity.UNKNOWN, None, None, ())
    moved = one(entry(), row(began=at(-59), service="shop"))
    assert moved.key == found.key != one(entry(), row(id=8)).key


def test_one_that_ended_as_it_began() -> None:
    """Is one: minutes are all that its page may tell."""
    assert one(entry(), row(ended=at(-60))).resolved == NOON - 60 * MINUTE


def test_texts_may_be_anything() -> None:
    """What is none names nothing; of a long one a hundred names are kept."""
    of = entry(texts=["/text"])
    assert [one(of, row(text=text)).mentions for text in (5, [5], {"a": 5}, True, None)] == [()] * 5
    assert len(one(of, row(text=" ".join(f"PLAT-{number}" for number in range(101)))).mentions) == 100


@pytest.mark.parametrize("ended", [None, "", "absent"])
def test_one_that_is_open(ended: Any) -> None:
    """Null, an empty text or nothing stands where its end will."""
    said = row(ended=ended)
    if ended == "absent":
        del said["ended"]
    assert one(entry(), said).resolved is None


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"began": at(6), "ended": None}, "future"),
        ({"ended": at(6)}, "future"),
        ({"ended": at(-61)}, "contradiction"),
        ({"ended": "soon"}, "invalid"),
        ({"began": None}, "invalid"),
        ({"began": "2026-05-04T11:00:00"}, "naive"),
        ({"service": ""}, "invalid"),
        ({"id": None}, "invalid"),
        ({"page": "status.example/7"}, "invalid"),
        ({"name": ["INC-7"]}, "invalid"),
    ],
)
def test_rows_that_are_left_out(said: dict[str, Any], reason: str) -> None:
    """No end is made up, and none comes before its beginning."""
    found = told(entry(url="/page", name="/name"), [row(**said), row(id=8)], LOOK)
    assert (dict(found.odd), len(found.facts)) == ({reason: 1}, 1)


def test_what_ended_before_is_no_history() -> None:
    """One that began before and has not ended is."""
    began = at(-48 * 60)
    assert told(entry(), [row(began=began, ended=at(-24 * 60 - 1))], LOOK).facts == []
    assert len(told(entry(), [row(began=began, ended=at(-24 * 60))], LOOK).facts) == 1
    assert len(told(entry(), [row(began=began, ended=None)], LOOK).facts) == 1


def polled(document: Any, checkpoint: bytes | None, minutes: int) -> tuple[list[tuple[Any, ...]], bytes | None]:
    """What is told: when it began and ended, whether it is one, and when that was read."""
    sieve = Sieve(FakeOutside({"/x": document}))
    pages: list[Page] = list(read(entry(), "/x", MINUTE, sieve, checkpoint, NOON - DAY, NOON + minutes * MINUTE))
    facts = [fact for page in pages for fact in page.facts if isinstance(fact, Incident)]
    found = [(fact.at, fact.resolved, fact.valid, fact.updated) for fact in facts]
    return found, pages[-1].checkpoint if pages else checkpoint


def test_an_open_one_that_is_there_no_more_is_taken_back() -> None:
    """Once, and not while a row is odd that may be it; when it comes back, it is one again."""
    began = NOON - 60 * MINUTE
    first, held = polled([row(ended=None), row(id=8)], None, 0)
    assert first == [(began, None, True, NOON), (began, NOON - 30 * MINUTE, True, NOON)]
    odd, held = polled([{"id": 7}], held, 1)
    assert odd == []
    gone, held = polled([], held, 2)
    assert gone == [(began, None, False, NOON + 2 * MINUTE)]
    after, held = polled([], held, 3)
    assert after == []
    back, _ = polled([row()], held, 4)
    assert back == [(began, NOON - 30 * MINUTE, True, NOON + 4 * MINUTE)]


def test_one_that_ended_is_told_anew() -> None:
    """And is looked for no more."""
    _, held = polled([row(ended=None)], None, 0)
    ended, held = polled([row()], held, 1)
    assert ended == [(NOON - 60 * MINUTE, NOON - 30 * MINUTE, True, NOON + MINUTE)]
    gone, _ = polled([], held, 2)
    assert gone == []


VALUE: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.integers(), st.text(max_size=5), st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)
)


@given(st.lists(st.dictionaries(st.sampled_from(["id", "service", "began", "ended", "text"]), VALUE), max_size=5))
def test_any_rows_are_incidents_or_left_out(rows: list[Any]) -> None:
    """None ends before it began or in time to come."""
    found = told(entry(texts=["/text"]), rows, LOOK)
    assert found.sound + found.odd.total() == len(rows)
    incidents = [fact for fact in found.facts if isinstance(fact, Incident)]
    assert len(incidents) == len(found.facts)
    assert all(fact.at <= (fact.resolved or fact.at) <= NOON + 5 * MINUTE for fact in incidents)
