"""What a source's test brings: its settings, its world, a later one, and how a poll of either is made."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from platform_meter.model.facts import Fact, Reading
from platform_meter.model.push import Pushed
from platform_meter.model.source import Outside, Page, Source, SourceError, Stream
from platform_meter.testing.outside import Answering, FakeOutside

_SHOWN = 5
Answers = Mapping[str, Any] | Callable[[], Answering]
"""Recorded answers by path (`from_paths`), or what makes the system anew for one check."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """The same system some time afterwards: a second page, something running that has ended, something deleted, one
    object that is refused, one odd row.
    """

    answers: Answers
    after: timedelta
    expected: Sequence[Fact]
    """Every fact that polls of it say and polls of the first world did not, in any order."""
    over: frozenset[tuple[type[Reading], str]] = frozenset()
    """Readings of the first world, by type and key, that hold no more."""
    gaps: Sequence[str] = ()
    """What stands in the text of a gap: one for each object that is refused."""
    failing: frozenset[str] = frozenset()
    """Streams that are refused as a whole: they fail, and no other does."""
    rejected: int = 0
    """Odd rows that one poll leaves out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Settings, a world that answers, and the facts of one poll of it."""

    settings: Mapping[str, Any]
    """As the config file says them, without `type`."""
    answers: Answers
    now: datetime
    since: datetime
    expected: Sequence[Fact]
    """Every fact of a poll without a checkpoint, and of what is `pushed`, in any order."""
    pushed: Sequence[Pushed] = ()
    """Requests that are let in, where nothing else tells of what is in them."""
    hooks: Sequence[Pushed] = ()
    """Requests that are let in and tell, sooner, what polls tell too."""
    people: Sequence[str] = field(default=())
    """Names, logins and texts that stand in the answers and must leave the source in no form."""
    momentary: frozenset[type[Fact]] = frozenset()
    """Types that tell of the moment of a poll (a probe): what a failed poll would have seen can't be made up later."""
    level: Callable[[Fact], Fact] = lambda fact: fact
    """Takes out of a fact what a clock made (the seconds of a probe), so that two polls can be compared."""
    rows: bool = True
    """Whether its system answers in rows, of which one may be odd."""
    later: Later | None = None
    """Without it nothing shows that the source remembers what was running, reads on, and goes on past what is refused."""
    without: Sequence[tuple[Mapping[str, Any], frozenset[type[Fact]]]] = ()
    """Other settings, and the kinds of fact that they switch off."""


@dataclass(slots=True)
class Told:
    """What a poll said before it ended or failed."""

    facts: list[Fact] = field(default_factory=list)
    checkpoints: dict[str, bytes | None] = field(default_factory=dict)
    pages: list[Page] = field(default_factory=list)
    errors: dict[str, SourceError] = field(default_factory=dict)
    """By stream."""
    standing: dict[tuple[str, type[Reading], str], Reading] = field(default_factory=dict)
    """Readings that hold after it by stream, type and key, as the store would have them."""

    @property
    def error(self) -> SourceError | None:
        """The first of them."""
        return next(iter(self.errors.values()), None)

    @property
    def rejected(self) -> int:
        return sum(sum(page.rejected.values()) for page in self.pages)


def world(case: Case, *, fail_at: int | None = None, error: SourceError | None = None) -> FakeOutside:
    """The case's system anew; its call number `fail_at` (from 0) raises `error`."""
    return system(case.answers, fail_at=fail_at, error=error)


def system(answers: Answers, *, fail_at: int | None = None, error: SourceError | None = None) -> FakeOutside:
    """One that answers so, anew."""
    return FakeOutside(answers() if callable(answers) else answers, fail_at=fail_at, error=error)


def streams(source: Source[Any], case: Case, outside: Outside) -> Sequence[Stream]:
    """The source, connected."""
    return source.connect(settings(source, case), outside, f"{source.name}-test")


def poll(
    source: Source[Any],
    case: Case,
    outside: Outside,
    checkpoints: Mapping[str, bytes | None] | None = None,
    later: timedelta = timedelta(0),
    *,
    before: Told | None = None,
    whole: bool = False,
) -> Told:
    """Read every stream once, in order, up to the first error, or a `whole` round. A watch must end when its lines do.

    `before` is the poll that this one goes on from, in place of its checkpoints.
    """
    told = Told(checkpoints=dict(before.checkpoints if before else checkpoints or {}))
    told.standing = dict(before.standing) if before else {}
    for stream in streams(source, case, outside):
        said = set[tuple[str, type[Reading], str]]()
        try:
            for page in stream.read(told.checkpoints.get(stream.name), case.since, case.now + later):
                told.pages.append(page)
                told.facts += map(case.level, page.facts)
                _stand(told, stream.name, page, said)
                if page.checkpoint is not None:
                    told.checkpoints[stream.name] = page.checkpoint
        except SourceError as error:
            told.errors[stream.name] = error
            if not whole:
                break
    if source.receives is not None:
        told.facts += [fact for one in case.pushed for fact in source.receives.read(settings(source, case), one)]
    return told


def _stand(told: Told, stream: str, page: Page, said: set[tuple[str, type[Reading], str]]) -> None:
    """What holds after a page; `said` is what this stream has said in this poll."""
    for fact in page.facts:
        if isinstance(fact, Reading):
            said.add((stream, type(fact), fact.key))
            told.standing[stream, type(fact), fact.key] = fact
    over = {(stream, kind, key) for kind, key in page.gone}
    over |= {place for place in told.standing if place[0] == stream and place[1] in page.complete and place not in said}
    for place in over:
        told.standing.pop(place, None)


def settings(source: Source[Any], case: Case) -> Any:
    return source.config.model_validate(dict(case.settings))


def hold(holds: bool, text: str) -> None:
    """Raises:
    AssertionError: it does not hold.
    """
    if not holds:
        raise AssertionError(text)


def kinds(kinds: Collection[type[Fact]]) -> str:
    return ", ".join(sorted(kind.__name__ for kind in kinds)) or "nothing"


def some(things: Collection[Any]) -> str:
    """The first of them, in order of their texts."""
    texts = sorted(thing if isinstance(thing, str) else repr(thing) for thing in things)
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return ("; ".join(texts[:_SHOWN]) or "nothing") + more
