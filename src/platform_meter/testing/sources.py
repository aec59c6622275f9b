"""The promise of every source: it may repeat, it must not skip.

A source's test module brings `CASE`, one small world with the facts that must come out of it: each kind of fact that
the source gives, in as few rows as that takes. `CHECKS` hold the source to it, each on worlds of its own.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from platform_meter.model.facts import Event, Fact
from platform_meter.model.proposal import Surroundings
from platform_meter.model.push import Unreadable
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
from platform_meter.testing.case import Case, Told, hold, kinds, poll, settings, some, streams, world
from platform_meter.testing.moving import (
    failing_call_in_a_later_world_skips_nothing,
    goes_on_past_slips_of_pages,
    goes_on_past_totals_that_lie,
    sees_the_world_move,
)

ERRORS = (Unreachable, TimedOut, Refused, Limited, Expired, Unexpected)
"""All that a call may raise."""


def says_what_it_is(source: Source[Any], case: Case) -> None:
    """Title, what it reads and what that takes fill a row of a table; it has the settings that every source has."""
    del case
    for word in ("title", "reads", "needs"):
        text = getattr(source, word)
        hold("" < text.strip() == text and text.isprintable(), f"{word} is {text!r}; write one line of text")
    hold(issubclass(source.config, SourceConfig), f"its settings are {source.config!r}; derive them from SourceConfig")


def proposes_what_it_accepts(source: Source[Any], case: Case) -> None:
    """The sample that `init` writes is sound as it stands, but for the names to fill in."""
    del case
    proposal = source.propose(Surroundings())
    if proposal is not None:
        try:
            source.config.model_validate(dict(proposal.sample[1]))
        except ValueError as error:
            raise AssertionError(f"it proposes settings that it does not accept: {error}") from error


def gives_the_expected_facts(source: Source[Any], case: Case) -> None:
    """One poll of the recorded world gives the facts of the case, no more and no fewer."""
    said, expected = Counter(map(repr, _clean(source, case).facts)), Counter(map(repr, case.expected))
    hold(said == expected, f"a poll lacks {some(expected - said)} and has {some(said - expected)} beyond the case")


def gives_the_declared_kinds(source: Source[Any], case: Case) -> None:
    """A source says facts of the kinds it declares, and its case shows each of them, at the latest in the later world."""
    said = {type(fact) for fact in _clean(source, case).facts}
    said |= {type(fact) for fact in case.later.expected} if case.later else set()
    hold(said <= source.gives, f"it says {kinds(said - source.gives)}, which its `gives` does not declare")
    hold(source.gives <= said, f"the case shows no {kinds(source.gives - said)}; add a row that becomes one")


def streams_give_their_kinds(source: Source[Any], case: Case) -> None:
    """Facts of the kinds a stream declares and no others, since a kind is as fresh as its streams; together the source's."""
    _clean(source, case)  # says it where a call fails
    given: set[type[Fact]] = set()
    for stream in streams(source, case, world(case)):
        pages = list(stream.read(None, case.since, case.now))
        said = {type(fact) for page in pages for fact in page.facts}
        said |= {kind for page in pages for kind in (*page.complete, *(kind for kind, _ in page.gone))}
        hold(
            said <= stream.gives,
            f"stream {stream.name} says {kinds(said - stream.gives)}, which its `gives` does not declare",
        )
        given |= stream.gives
    hold(given == source.gives, f"its streams give {kinds(given)} and the source {kinds(source.gives)}")


def gives_what_its_settings_switch_on(source: Source[Any], case: Case) -> None:
    """Where settings switch a kind off no stream declares it, so that no page takes what nobody reads for 0."""
    for changed, off in case.without:
        other = dataclasses.replace(case, settings={**case.settings, **changed})
        given = {kind for stream in streams(source, other, world(other)) for kind in stream.gives}
        hold(not given & off, f"with {dict(changed)} its streams still give {kinds(given & off)}")
        hold(
            given == source.gives - off, f"with {dict(changed)} its streams give no {kinds(source.gives - off - given)}"
        )
        said = {type(fact) for fact in _clean(source, other).facts}
        hold(said <= given, f"with {dict(changed)} it says {kinds(said - given)}, which no stream declares")


def says_utc(source: Source[Any], case: Case) -> None:
    """Every moment in every fact is aware and in UTC."""
    wrong = [fact for fact in _clean(source, case).facts if any(at.tzinfo is not UTC for at in _moments(fact))]
    hold(not wrong, f"moments that are not in UTC: {some(wrong)}")


def keys_are_unique(source: Source[Any], case: Case) -> None:
    """Within one poll no two facts of a kind share a key: the store would keep only one of them."""
    keys = Counter(f"{type(fact).__name__} {fact.key}" for fact in _clean(source, case).facts)
    twice = [key for key, n in keys.items() if n > 1]
    hold(not twice, f"one key for several facts, of which the store keeps one: {some(twice)}")


def second_poll_repeats_or_is_silent(source: Source[Any], case: Case) -> None:
    """With its checkpoint, a poll of an unchanged world says nothing that the first did not say."""
    told = _clean(source, case)
    again = poll(source, case, world(case), told.checkpoints)
    hold(again.error is None, f"a second poll fails: {again.error}")
    hold(set(again.facts) <= set(told.facts), f"a second poll makes up {some(set(again.facts) - set(told.facts))}")


def checkpoint_is_json(source: Source[Any], case: Case) -> None:
    """Decoded and written anew, checkpoints lead to the same next poll."""
    held = _clean(source, case).checkpoints
    rewritten = {
        stream: None if text is None else msgspec.json.encode(msgspec.json.decode(text))
        for stream, text in held.items()
    }
    ours, theirs = world(case), world(case)
    same = poll(source, case, ours, held).facts == poll(source, case, theirs, rewritten).facts
    hold(same and ours.calls == theirs.calls, "the next poll hangs on how the JSON of its checkpoint is written")


def failing_call_skips_nothing(source: Source[Any], case: Case) -> None:
    """Whichever call fails in whatever way, the facts before and after the resumption are together those of a clean poll.

    `Expired` makes the runner go on without a checkpoint; every other error keeps the last one that was saved.
    """
    outside = world(case)
    clean = poll(source, case, outside)
    for kind in ERRORS:
        for position, call in enumerate(outside.calls):
            first = poll(source, case, world(case, fail_at=position, error=_made_up(kind, case)))
            kept = {} if isinstance(first.error, Expired) else first.checkpoints
            second = poll(source, case, world(case), kept)
            where = f"{kind.__name__} at call {position} ({call.method} {call.path})"
            hold(second.error is None, f"{where} makes the next poll fail: {second.error}")
            missing = set(clean.facts) - set(first.facts) - set(second.facts)
            hold(not missing, f"{where} loses {some(missing)}; give no checkpoint behind what was not said")
            extra = {fact.key for fact in (*first.facts, *second.facts)} - {fact.key for fact in clean.facts}
            hold(not extra, f"{where} makes up {some(extra)}")


def later_poll_after_failures_skips_nothing(source: Source[Any], case: Case) -> None:
    """The same holds when the resumption comes hours later, after the poll that failed and one more that failed too."""
    outside = world(case)
    clean = poll(source, case, outside)
    for position, call in enumerate(outside.calls):
        first = poll(source, case, world(case, fail_at=position, error=Unreachable("down")))
        second = poll(source, case, world(case, fail_at=0, error=Unreachable("still down")), first.checkpoints)
        third = poll(source, case, world(case), second.checkpoints, timedelta(hours=5))
        where = f"a failure at call {position} ({call.method} {call.path}) and one more"
        hold(third.error is None, f"{where} make a poll five hours later fail: {third.error}")
        told = {fact.key for fact in (*first.facts, *second.facts, *third.facts)}
        missing = {fact.key for fact in clean.facts if type(fact) not in case.momentary} - told
        hold(not missing, f"{where} lose {some(missing)}")


def people_stay_outside(source: Source[Any], case: Case) -> None:
    """No name, login or text of a person is in any fact, checkpoint or progress text."""
    told = _clean(source, case)
    said = repr([told.facts, [page.progress for page in told.pages], told.checkpoints])
    leaked = [person for person in case.people if person in said]
    hold(not leaked, f"it lets out {some(leaked)}; keep people as `outside.hashed` or not at all")


def reads_what_is_pushed(source: Source[Any], case: Case) -> None:
    """Of each request of the case facts as a poll would say them, or nothing; of what is broken a text for who sent it."""
    if source.receives is None:
        return
    config, told = settings(source, case), list[Event]()
    for request in (*case.pushed, *case.hooks):
        told += source.receives.read(config, request)
        try:
            source.receives.read(config, dataclasses.replace(request, body=b'{"'))
        except Unreadable as error:
            hold(bool(str(error).strip()), "what nobody can read is refused without a word; say what to send instead")
        except Exception as error:
            raise AssertionError(f"a request that is cut off fails with {error!r}; raise Unreadable") from error
    hold(
        bool(told), "it is pushed to, and its case shows no request that says something; add it to `pushed` or `hooks`"
    )
    undeclared = {type(fact) for fact in told} - source.gives
    hold(not undeclared, f"a request says {kinds(undeclared)}, which its `gives` does not declare")
    wrong = [fact for fact in told if any(at.tzinfo is not UTC for at in _moments(fact))]
    hold(not wrong, f"moments that are pushed and not in UTC: {some(wrong)}")
    leaked = [person for person in case.people if person in repr(told)]
    hold(not leaked, f"what is pushed lets out {some(leaked)}; keep people as `pushed.hashed` or not at all")


def check_is_silent(source: Source[Any], case: Case) -> None:
    """`check` finds nothing missing in the recorded world."""
    missing = list(source.check(settings(source, case), world(case)))
    hold(not missing, f"`check` of a source that is well set up says {some(missing)}")


CHECKS: tuple[Callable[[Source[Any], Case], None], ...] = (
    says_what_it_is,
    proposes_what_it_accepts,
    gives_the_expected_facts,
    gives_the_declared_kinds,
    streams_give_their_kinds,
    gives_what_its_settings_switch_on,
    says_utc,
    keys_are_unique,
    second_poll_repeats_or_is_silent,
    checkpoint_is_json,
    failing_call_skips_nothing,
    later_poll_after_failures_skips_nothing,
    sees_the_world_move,
    failing_call_in_a_later_world_skips_nothing,
    goes_on_past_slips_of_pages,
    goes_on_past_totals_that_lie,
    people_stay_outside,
    reads_what_is_pushed,
    check_is_silent,
)
"""All that a source is held to, each by itself."""


def held_to_contract(source: Source[Any], case: Case) -> None:
    """Hold the source to all `CHECKS`.

    Raises:
        AssertionError: the first thing that does not hold.
    """
    for check in CHECKS:
        check(source, case)


def _clean(source: Source[Any], case: Case) -> Told:
    told = poll(source, case, world(case))
    hold(told.error is None, f"a poll of the recorded world fails: {told.error}")
    return told


def _made_up(kind: type[SourceError], case: Case) -> SourceError:
    text = "made up by the contract"
    return Limited(text, case.now) if kind is Limited else kind(text)


def _moments(value: Any) -> Iterator[datetime]:
    """Every datetime inside a fact."""
    if isinstance(value, datetime):
        yield value
    elif dataclasses.is_dataclass(value):
        for part in dataclasses.fields(value):
            yield from _moments(getattr(value, part.name))
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _moments(item)
