"""A look at a survey's files or its address: what is told, what is told again, and what a half-written file tells."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from platform_meter.model.facts.surveys import SurveyResponse
from platform_meter.model.source import FoundFile, Page, Unexpected
from platform_meter.sources.surveys import SOURCE, read
from platform_meter.sources.surveys.config import Config
from platform_meter.testing.outside import FakeOutside

NOW = datetime(2026, 5, 6, 12, tzinfo=UTC)
URL, PLACE = "https://surveys.example.org/answers", "/answers"
NONE = (
    "no answer can be read; wanted are a moment and numbers under submitted_at, nps; correct the survey's `at`, `field`, "
    "`scale`, `themes` or `format`"
)
SINCE = NOW - timedelta(days=400)


def config(**more: Any) -> Config:
    return Config.model_validate({"survey": "s", "shape": "csv", "fields": {"nps": (0, 10)}, **more})


def poll(made: Config, world: dict[str, Any], checkpoint: bytes | None = None, now: datetime = NOW) -> list[Page]:
    (stream,) = SOURCE.connect(made, FakeOutside(world), "survey-s")
    return list(stream.read(checkpoint, SINCE, now))


def scores(pages: list[Page]) -> list[float]:
    return [dict(f.answers)["nps"] for page in pages for f in page.facts if isinstance(f, SurveyResponse)]


def test_what_stands_there_still_is_told_once_and_what_changed_again() -> None:
    """Of two tellings of one answer the later read stands."""
    made = config(shape="http_json", url=URL, items="answers")
    row = {"id": 1, "submitted_at": "2026-05-04T09:00:00Z", "nps": 9}
    first = poll(made, {PLACE: {"answers": [row]}})
    assert scores(first) == [9.0]
    assert poll(made, {PLACE: {"answers": [row]}}, first[-1].checkpoint) == []
    later = poll(made, {PLACE: {"answers": [{**row, "nps": 4}]}}, first[-1].checkpoint, NOW + timedelta(minutes=5))
    assert scores(later) == [4.0]
    keys = {
        (fact.key, fact.updated) for page in (*first, *later) for fact in page.facts if isinstance(fact, SurveyResponse)
    }
    assert len({key for key, _ in keys}) == 1
    assert {at for _, at in keys} == {NOW, NOW + timedelta(minutes=5)}


def test_what_was_before_history_is_none() -> None:
    """Neither is it counted as odd."""
    made = config(shape="http_json", url=URL)
    rows = [{"submitted_at": "2020-05-04", "nps": 9}, {"submitted_at": "2026-05-04", "nps": 3}]
    assert scores(poll(made, {PLACE: rows})) == [3.0]


def test_the_last_line_of_a_file_that_is_being_written_waits() -> None:
    """It may be the beginning of a 10; a minute later it is what stands there."""
    world = {"/var": {"/var/a.csv": "submitted_at,nps\n2026-05-04,7\n2026-05-05,1"}}
    assert scores(poll(config(path="/var/a.csv"), world)) == [7.0, 1.0]
    young = datetime(1970, 1, 1, 0, 0, 59, tzinfo=UTC)
    assert read.text_of("/var/a.csv", FakeOutside(world), young) == "submitted_at,nps\n2026-05-04,7\n"


def test_json_of_a_file() -> None:
    """As the API of the tool answered it."""
    body = b'{"responses": [{"responseId": "r", "createTime": "2026-05-04T09:00:00Z", "answers": {"nps": {"textAnswers": {"answers": [{"value": "8"}]}}}}]}'
    assert scores(poll(config(shape="google_forms", path="/var/g.json"), {"/var": {"/var/g.json": body}})) == [8.0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "submitted_at,nps\nyesterday,9\n",
            f"/var/a.csv: {NONE}",
        ),
        (b"submitted_at,nps\n\xff,9\n", "/var/a.csv: not written as UTF-8; save it so"),
    ],
)
def test_a_file_of_which_nothing_can_be_read_fails(text: str | bytes, said: str) -> None:
    """A survey without answers would look as if nobody had said anything."""
    with pytest.raises(Unexpected) as found:
        poll(config(path="/var/a.csv"), {"/var": {"/var/a.csv": text}})
    assert str(found.value) == said


def test_a_file_without_answers_yet_is_sound() -> None:
    """Its header alone."""
    assert scores(poll(config(path="/var/a.csv"), {"/var": {"/var/a.csv": "submitted_at,nps\n"}})) == []


def test_names_of_files_are_no_globs() -> None:
    """A bracket is a bracket."""
    world = {"/var": {"/var/a[1].csv": "submitted_at,nps\n2026-05-04,7\n"}}
    assert scores(poll(config(path="/var/a[1].csv"), world)) == [7.0]


def test_large_surveys_come_in_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """The place to go on comes with the last of them."""
    monkeypatch.setattr(read, "PAGE", 2)
    rows = [{"id": n, "submitted_at": "2026-05-04", "nps": 9} for n in range(5)]
    found = poll(config(shape="http_json", url=URL), {PLACE: rows})
    assert [(len(page.facts), page.checkpoint is not None) for page in found] == [(2, False), (2, False), (1, True)]


def test_a_file_that_is_too_large_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small gzip may hold more than there is memory."""
    read_so_far: list[int] = []

    def blocks(file: FoundFile, start: int = 0) -> Iterator[bytes]:
        del file, start
        for number in range(4):
            read_so_far.append(number)
            yield bytes(1 << 20)

    outside = FakeOutside({"/var": {"/var/a.csv": ""}})
    monkeypatch.setattr(outside, "blocks", blocks)
    monkeypatch.setattr(read, "MOST_BYTES", 2 << 20)
    with pytest.raises(Unexpected, match=r"^/var/a\.csv: more than 2 MiB; part it into several surveys$"):
        read.text_of("/var/a.csv", outside, NOW)
    assert read_so_far == [0, 1, 2]
