"""JSON documents over HTTP: what is told again, in which parts, and documents of another shape."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sources.documents.test_pointer import JSON

from platform_meter.model.facts.slis import SliCount
from platform_meter.model.source import Page, Unexpected
from platform_meter.sources.documents import facts
from platform_meter.sources.documents.config import Config, SliRows
from platform_meter.sources.documents.fetched import read
from platform_meter.sources.kit.rows import Sieve
from platform_meter.testing.outside import FakeOutside, Reply

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def entry(**said: Any) -> SliRows:
    told = {"id": "orders", "path": "/x", "good": "/ok", "bad": "/bad", "at": "/at", **said}
    return Config.model_validate({"url": "http://x", "slis": [told]}).slis[0]


def row(minute: int, ok: Any = 1) -> dict[str, Any]:
    return {"at": (NOON + minute * MINUTE).isoformat(), "ok": ok, "bad": 0}


def polled(
    document: Any, checkpoint: bytes | None = None, now: datetime = NOON, of: SliRows | None = None
) -> list[Page]:
    sieve = Sieve(FakeOutside({"/x": document}))
    return list(read(of or entry(), "/x", MINUTE, sieve, checkpoint, NOON - timedelta(days=1), now))


def told(pages: list[Page]) -> list[tuple[int, float, datetime | None]]:
    """Minute, good events and when it was read."""
    found = [fact for page in pages for fact in page.facts if isinstance(fact, SliCount)]
    return [(round((fact.at - NOON) / MINUTE), fact.good, fact.updated) for fact in found]


def test_what_did_not_change_is_not_told_again() -> None:
    """What did, is: also back to what was said first."""
    first = polled([row(-10), row(-9)])
    assert told(first) == [(-9, 1.0, NOON), (-8, 1.0, NOON)]
    again = polled([row(-10), row(-9)], first[-1].checkpoint, NOON + MINUTE)
    assert again == []  # nor is the place to go on saved again
    changed = polled([row(-10, 5), row(-9)], first[-1].checkpoint, NOON + 2 * MINUTE)
    assert told(changed) == [(-9, 5.0, NOON + 2 * MINUTE)]
    back = polled([row(-10), row(-9)], changed[-1].checkpoint, NOON + 3 * MINUTE)
    assert told(back) == [(-9, 1.0, NOON + 3 * MINUTE)]


def test_a_row_that_goes_is_forgotten() -> None:
    """The checkpoint is as long as the document; history begins where the first poll began it."""
    first = polled([row(-10), row(-9)])
    gone = polled([row(-9)], first[-1].checkpoint)
    assert told(gone) == []
    state = msgspec.json.decode(gone[-1].checkpoint or b"")
    assert (len(state["told"]), state["start"]) == (1, "2026-05-03T12:00:00Z")


def test_the_first_telling_of_the_present_stands() -> None:
    """Another poll within the same slice says nothing more."""
    present = entry(at="now", width="5m")
    first = polled([{"ok": 1, "bad": 0}], of=present)
    assert told(first) == [(0, 1.0, NOON)]
    again = polled([{"ok": 9, "bad": 0}], first[-1].checkpoint, NOON + MINUTE, present)
    assert again == []
    after = polled([{"ok": 9, "bad": 0}], first[-1].checkpoint, NOON + 5 * MINUTE, present)
    assert told(after) == [(5, 9.0, NOON + 5 * MINUTE)]


def test_a_long_document_is_saved_in_parts() -> None:
    """Only the last one has the place to go on, so that what was not saved is told again."""
    pages = polled([row(-1, 1), *(row(-minute) for minute in range(2, 1_205))], now=NOON + 2 * MINUTE)
    assert [len(page.facts) for page in pages] == [1_000, 204]
    assert [page.checkpoint is None for page in pages] == [True, False]


def test_parameters_are_sent() -> None:
    """As the settings name them."""
    outside = FakeOutside({"/x": []})
    said = entry(params={"since": "1h"})
    list(read(said, "/x", MINUTE, Sieve(outside), None, NOON, NOON))
    assert [(call.path, dict(call.params)) for call in outside.calls] == [("/x", {"since": "1h"})]


def test_a_document_that_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of it is told."""
    monkeypatch.setattr(facts, "MOST_ROWS", 1)
    with pytest.raises(Unexpected, match=r"^/x: there are more than 1 rows; have it tell of less, as by params$"):
        polled([row(-10), row(-9)])


def test_rows_of_another_shape_fail_the_poll() -> None:
    """After what is sound was told; with what is wrong with them."""
    with pytest.raises(Unexpected, match="none of 11 rows can be read: a row has nothing at /at"):
        polled([{"ok": 1}] * 11)
    with pytest.raises(Unexpected, match="at the top stands a text"):
        polled("down for maintenance")
    with pytest.raises(Unexpected, match="GET /x: "):
        polled(Reply(body=b"<html>"))


@given(JSON, st.sampled_from(["", "/0", "/a", "/a/0"]), st.sampled_from(["", "/ok", "/0"]))
def test_any_document_is_facts_left_out_rows_or_unexpected(document: Any, items: str, place: str) -> None:
    """Nothing else comes of it, whatever the pointers are."""
    sieve = Sieve(FakeOutside({"/x": document}))
    said = entry(items=items, good=place, at=f"{place}/at")
    try:
        pages = list(read(said, "/x", MINUTE, sieve, None, NOON - timedelta(days=1), NOON))
    except Unexpected as error:
        assert str(error).startswith(("/x: ", "GET /x: "))  # noqa: PT017 - nothing has to be raised
    else:
        assert [page.checkpoint is not None for page in pages] == [True]
