"""What a source's test module brings: `CASE`, one small world with the facts that must come out of it.

`test_contract.py` finds every `CASE` and holds the source to its promise: it may repeat, it must not skip.
A case shows each type of fact that the source gives, in as few rows as that takes.
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from tests.sources.fake_outside import Answering, FakeOutside
from tests.support.places import DOCS

from platform_meter.model.facts import Fact
from platform_meter.model.source import Outside, Page, Source, SourceError, Stream

HERE = Path(__file__).parent
PAGE = DOCS / "sources.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Settings, a world that answers, and the facts of one poll of it."""

    settings: Mapping[str, Any]
    """As the config file says them, without `type`."""
    answers: Mapping[str, Any] | Callable[[], Answering]
    """Recorded answers by path (`fake_outside.from_paths`), or what makes the system anew for one test."""
    now: datetime
    since: datetime
    expected: Sequence[Fact]
    """Every fact of a poll without a checkpoint, in any order."""
    people: Sequence[str] = field(default=())
    """Names, logins and texts that stand in the answers and must leave the source in no form."""
    momentary: frozenset[type[Fact]] = frozenset()
    """Types that tell of the moment of a poll (a probe): what a failed poll would have seen can't be made up later."""
    level: Callable[[Fact], Fact] = lambda fact: fact
    """Takes out of a fact what a clock made (the seconds of a probe), so that two polls can be compared."""


@dataclass(slots=True)
class Told:
    """What a poll said before it ended or failed."""

    facts: list[Fact] = field(default_factory=list)
    checkpoints: dict[str, bytes | None] = field(default_factory=dict)
    pages: list[Page] = field(default_factory=list)
    error: SourceError | None = None


def case_of(name: str) -> Case:
    """The case of one source.

    Raises:
        AssertionError: its test module or the case in it is missing; the text says what to write.
    """
    path = HERE / f"test_{name}.py"
    assert path.is_file(), f"source '{name}' has no test; write tests/sources/test_{name}.py with a CASE"
    module = importlib.import_module(f"tests.sources.test_{name}")
    assert isinstance(getattr(module, "CASE", None), Case), f"tests/sources/test_{name}.py has no CASE = Case(...)"
    case: Case = module.CASE
    return case


def world(case: Case, *, fail_at: int | None = None, error: SourceError | None = None) -> FakeOutside:
    answers = case.answers() if callable(case.answers) else case.answers
    return FakeOutside(answers, fail_at=fail_at, error=error)


def streams(source: Source[BaseModel], case: Case, outside: Outside) -> Sequence[Stream]:
    return source.connect(source.config.model_validate(dict(case.settings)), outside, f"{source.name}-test")


def poll(
    source: Source[BaseModel],
    case: Case,
    outside: FakeOutside,
    checkpoints: Mapping[str, bytes | None] | None = None,
    later: timedelta = timedelta(0),
) -> Told:
    """Read every stream once, in order, up to the first error. A watch must end when its recorded lines do."""
    told = Told(checkpoints=dict(checkpoints or {}))
    for stream in streams(source, case, outside):
        try:
            for page in stream.read(told.checkpoints.get(stream.name), case.since, case.now + later):
                told.pages.append(page)
                told.facts += map(case.level, page.facts)
                if page.checkpoint is not None:
                    told.checkpoints[stream.name] = page.checkpoint
        except SourceError as error:
            told.error = error
            break
    return told


def moments(value: Any) -> Iterator[datetime]:
    """Every datetime inside a fact."""
    if isinstance(value, datetime):
        yield value
    elif dataclasses.is_dataclass(value):
        for part in dataclasses.fields(value):
            yield from moments(getattr(value, part.name))
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from moments(item)
