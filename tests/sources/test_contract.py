"""The promise of every source: it may repeat, it must not skip. A new module in `sources/` is held to it unasked."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, timedelta

import msgspec
import pytest
from pydantic import BaseModel
from tests.sources.contract import PAGE, Case, Told, case_of, moments, poll, streams, world

from platform_meter import sources
from platform_meter.model.facts import Fact
from platform_meter.model.source import (
    Expired,
    Limited,
    Refused,
    Source,
    SourceConfig,
    SourceError,
    TimedOut,
    Unexpected,
    Unreachable,
)

NAMES = tuple(sources.load())
ERRORS = (Unreachable, TimedOut, Refused, Limited, Expired, Unexpected)


def _source(name: str) -> Source[BaseModel]:
    found = sources.load()
    assert name in found, f"sources/{name}.py must name its SOURCE '{name}', as its module"
    return found[name]


def _clean(name: str) -> tuple[Source[BaseModel], Case, Told]:
    source, case = _source(name), case_of(name)
    told = poll(source, case, world(case))
    assert told.error is None, told.error
    return source, case, told


def _error(kind: type[SourceError], case: Case) -> SourceError:
    text = "made up by the contract test"
    return Limited(text, case.now) if kind is Limited else kind(text)


def _section(name: str) -> str:
    """The part of docs/sources.md under the heading that is the source's name in backticks."""
    text = PAGE.read_text(encoding="utf-8")
    found = re.search(rf"^## `{re.escape(name)}`$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return found.group(1) if found else ""


@pytest.mark.parametrize("name", NAMES)
def test_source_is_documented_with_every_setting(name: str) -> None:
    """docs/sources.md has a row and a section for the source, and the section names each of its settings."""
    text = PAGE.read_text(encoding="utf-8")
    assert re.search(rf"^\| \[`{name}`\]\(#{name}\) \|", text, re.MULTILINE), (
        f"docs/sources.md: the table has no row that begins '| [`{name}`](#{name}) |'"
    )
    section = _section(name)
    assert section, f"docs/sources.md: there is no section '## `{name}`'"
    own = set(_source(name).config.model_fields) - set(SourceConfig.model_fields)
    missing = sorted(setting for setting in own if f"| `{setting}` |" not in section)
    assert not missing, f"docs/sources.md: section '{name}' lacks settings {missing}; add rows '| `NAME` | ...'"


def test_common_settings_are_documented() -> None:
    """What every source may be told stands in docs/sources.md once."""
    text = PAGE.read_text(encoding="utf-8")
    assert [s for s in SourceConfig.model_fields if f"| `{s}` |" not in text] == []


@pytest.mark.parametrize("name", NAMES)
def test_documented_sources_exist(name: str) -> None:
    """A source that went away doesn't stay in the docs: headings and modules are the same set."""
    headings = set(re.findall(r"^## `([\w-]+)`$", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert headings <= set(NAMES), f"docs/sources.md documents {sorted(headings - set(NAMES))}, which no module is"
    assert name in headings


@pytest.mark.parametrize("name", NAMES)
def test_poll_gives_the_expected_facts(name: str) -> None:
    """One poll of the recorded world gives the facts of the case, no more and no fewer."""
    _, case, told = _clean(name)
    assert sorted(map(repr, told.facts)) == sorted(map(repr, case.expected))


@pytest.mark.parametrize("name", NAMES)
def test_facts_are_of_the_declared_types(name: str) -> None:
    """A source says facts of the types it declares, and its case shows each of them."""
    source, _, told = _clean(name)
    assert {type(fact) for fact in told.facts} == source.gives


@pytest.mark.parametrize("name", NAMES)
def test_each_stream_says_what_it_gives(name: str) -> None:
    """Facts of the kinds it declares and no others, since a kind is as fresh as its streams; together the source's."""
    source, case = _source(name), case_of(name)
    given: set[type[Fact]] = set()
    for stream in streams(source, case, world(case)):
        pages = list(stream.read(None, case.since, case.now))
        said = {type(fact) for page in pages for fact in page.facts}
        said |= {kind for page in pages for kind in (*page.complete, *(kind for kind, _ in page.gone))}
        assert said <= stream.gives, stream.name
        given |= stream.gives
    assert given == source.gives


@pytest.mark.parametrize("name", NAMES)
def test_times_are_utc(name: str) -> None:
    """Every moment in every fact is aware and in UTC."""
    _, _, told = _clean(name)
    wrong = [fact for fact in told.facts if any(moment.tzinfo is not UTC for moment in moments(fact))]
    assert wrong == []


@pytest.mark.parametrize("name", NAMES)
def test_keys_are_unique(name: str) -> None:
    """Within one poll no two facts of a type share a key: the store would keep only one of them."""
    _, _, told = _clean(name)
    twice = [key for key, n in Counter((type(fact).__name__, fact.key) for fact in told.facts).items() if n > 1]
    assert twice == []


@pytest.mark.parametrize("name", NAMES)
def test_second_poll_repeats_or_is_silent(name: str) -> None:
    """With its checkpoint, a poll of an unchanged world says nothing that the first did not say."""
    source, case, told = _clean(name)
    again = poll(source, case, world(case), told.checkpoints)
    assert again.error is None
    assert set(again.facts) <= set(told.facts)


@pytest.mark.parametrize("name", NAMES)
def test_checkpoint_is_json_and_survives_a_round_trip(name: str) -> None:
    """Checkpoints are JSON; decoded and written anew they lead to the same next poll."""
    source, case, told = _clean(name)
    rewritten = {
        stream: None if held is None else msgspec.json.encode(msgspec.json.decode(held))
        for stream, held in told.checkpoints.items()
    }
    outsides = world(case), world(case)
    polls = [poll(source, case, o, c) for o, c in zip(outsides, (told.checkpoints, rewritten), strict=True)]
    assert polls[0].facts == polls[1].facts
    assert outsides[0].calls == outsides[1].calls


@pytest.mark.parametrize("kind", ERRORS)
@pytest.mark.parametrize("name", NAMES)
def test_a_failing_call_skips_nothing(name: str, kind: type[SourceError]) -> None:
    """Whichever call fails, the facts before and after the resumption are together those of a clean poll.

    `Expired` makes the runner go on without a checkpoint; every other error keeps the last one that was saved.
    """
    source, case = _source(name), case_of(name)
    outside = world(case)
    clean = poll(source, case, outside)
    for position in range(len(outside.calls)):
        first = poll(source, case, world(case, fail_at=position, error=_error(kind, case)))
        kept = {} if isinstance(first.error, Expired) else first.checkpoints
        second = poll(source, case, world(case), kept)
        assert second.error is None
        missing = set(clean.facts) - set(first.facts) - set(second.facts)
        assert not missing, f"{kind.__name__} at call {position} ({outside.calls[position].path}) loses {missing}"
        extra = {fact.key for fact in (*first.facts, *second.facts)} - {fact.key for fact in clean.facts}
        assert not extra, f"{kind.__name__} at call {position} makes up {extra}"


@pytest.mark.parametrize("name", NAMES)
def test_later_poll_after_a_failure_skips_nothing(name: str) -> None:
    """The same holds when the resumption comes hours later, after the poll that failed and one more that failed too."""
    source, case = _source(name), case_of(name)
    outside = world(case)
    clean = poll(source, case, outside)
    for position in range(len(outside.calls)):
        first = poll(source, case, world(case, fail_at=position, error=Unreachable("down")))
        second = poll(source, case, world(case, fail_at=0, error=Unreachable("still down")), first.checkpoints)
        third = poll(source, case, world(case), second.checkpoints, timedelta(hours=5))
        assert third.error is None
        told = {fact.key for fact in (*first.facts, *second.facts, *third.facts)}
        assert {fact.key for fact in clean.facts if type(fact) not in case.momentary} <= told


@pytest.mark.parametrize("name", NAMES)
def test_people_stay_outside(name: str) -> None:
    """No name, login or text of a person is in any fact, checkpoint or progress text."""
    _, case, told = _clean(name)
    said = repr([told.facts, [page.progress for page in told.pages], told.checkpoints])
    assert [person for person in case.people if person in said] == []


@pytest.mark.parametrize("name", NAMES)
def test_check_of_a_well_set_up_source_is_silent(name: str) -> None:
    """`check` finds nothing missing in the recorded world."""
    source, case = _source(name), case_of(name)
    assert list(source.check(source.config.model_validate(dict(case.settings)), world(case))) == []
