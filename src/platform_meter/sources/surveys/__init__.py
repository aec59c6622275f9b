"""Surveys: answers in CSV, JSON, exports of Google Forms and Typeform; those of our own form come by themselves.

Its instances are made of Survey files, one of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial

from platform_meter.model.facts.surveys import Invitation, SurveyResponse
from platform_meter.model.source import Area, Outside, Page, Source, SourceError, Stream
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.surveys import read
from platform_meter.sources.surveys.config import SYSTEM, Config, declared

_LATER = datetime(9000, 1, 1, tzinfo=UTC)
"""For a look at which no row is too late."""
_All = Callable[[Config, Sieve, datetime], list[read.Said]]


def connect(config: Config, outside: Outside, instance: str) -> Sequence[Stream]:
    """A stream of answers, and one of invitations where somebody says who was asked."""
    del instance
    if config.shape == "form":
        return [Stream(name="form", read=_stored, gives=frozenset({SurveyResponse, Invitation}))]
    streams = [_stream("answers", read.answers, config, outside, SurveyResponse)]
    if config.invited is not None:
        streams.append(_stream("invited", read.invitations, config, outside, Invitation))
    return streams


def _stream(name: str, all_: _All, config: Config, outside: Outside, kind: type[SurveyResponse | Invitation]) -> Stream:
    return Stream(name=name, read=partial(_read, all_, config, outside), gives=frozenset({kind}))


def _read(
    all_: _All, config: Config, outside: Outside, checkpoint: bytes | None, since: datetime, now: datetime
) -> Iterator[Page]:
    return Sieve.over(outside, lambda sieve: read.pages(all_(config, sieve, now), checkpoint, since, now))


def _stored(checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
    """What the form is told is stored at once: a poll finds that nothing is missing."""
    del checkpoint, since, now
    yield Page()


def check(config: Config, outside: Outside) -> Sequence[str]:
    """Look at its files or its address once."""
    looks: list[tuple[str, _All]] = []
    if config.shape != "form":
        looks.append(("answers", read.answers))
    if config.invited is not None:
        looks.append(("invited", read.invitations))
    problems = []
    for name, look in looks:
        try:
            look(config, Sieve(outside), _LATER)
        except SourceError as error:
            problems.append(f"{name}: {error}")
    return problems


SOURCE = Source(
    name=SYSTEM,
    title="Surveys",
    area=Area.PEOPLE,
    reads="answers and invitations of Survey files: CSV, JSON over HTTP, exports of Google Forms and Typeform, our own form",
    needs="read access to the files; reading the answers at their address",
    config=Config,
    gives=frozenset({SurveyResponse, Invitation}),
    access=lambda config: config.access,
    connect=connect,
    check=check,
    declared=declared,
)
