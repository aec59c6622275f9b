"""The world moves while a source looks away, and slips while it looks: nothing is lost and nothing made up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import msgspec

from platform_meter.model.facts import Fact
from platform_meter.model.source import Expired, Source, Unexpected, Unreachable
from platform_meter.testing.case import Answers, Case, Later, Told, hold, poll, some, system, world
from platform_meter.testing.outside import Answering, Call, FakeOutside, Reply

AGAIN = timedelta(minutes=7)
"""From one poll to the next: what is refused for a moment is no gap yet."""
PAGING = frozenset(
    {
        "page",
        "continue",
        "nextPageToken",
        "nextToken",
        "NextToken",
        "pageToken",
        "position",
        "startAt",
        "offset",
        "cursor",
        "after",
        "skip",
    }
)
"""Parameters that ask for a page; a call that differs in one of them alone asks for another page of a list."""
TOTALS = frozenset({"total", "total_count", "totalCount", "count"})


def sees_the_world_move(source: Source[Any], case: Case) -> None:
    """What ended, came or was deleted meanwhile is said; what is refused is a gap, what is odd is counted, the rest is read."""
    later = case.later
    if later is None:
        return
    first = poll(source, case, world(case))
    there, again = system(later.answers), system(later.answers)
    second = poll(source, case, there, later=later.after, before=first, whole=True)
    third = poll(source, case, again, later=later.after + AGAIN, before=second, whole=True)
    for told in (second, third):
        failed = {name: error for name, error in told.errors.items() if name not in later.failing}
        hold(
            not failed,
            f"a poll of the later world fails: {some([str(e) for e in failed.values()])}; go on past what fails",
        )
        spared = later.failing - told.errors.keys()
        hold(not spared, f"stream {some(spared)} is refused in the later world and does not fail")
    said = Counter(dict.fromkeys(map(repr, _lasting(case, [*second.facts, *third.facts])), 1))
    said -= Counter(map(repr, first.facts))
    expected = Counter(map(repr, _lasting(case, later.expected)))
    hold(
        said == expected,
        f"the later world lacks {some(expected - said)} and has {some(said - expected)} beyond the case",
    )
    over = {place[1:] for place in first.standing.keys() - third.standing.keys()}
    hold(
        over == later.over,
        f"readings {some(over ^ later.over)} {'end' if over - later.over else 'still hold'} in the later world",
    )
    gaps = [gap.text for gap in (*there.gaps, *again.gaps)]
    silent = [text for text in later.gaps if not any(text in gap for gap in gaps)]
    hold(not silent, f"no gap tells of {some(silent)}, but of {some(gaps)}")
    hold(bool(later.gaps) or not gaps, f"gaps beyond the case: {some(gaps)}")
    hold(
        second.rejected == later.rejected,
        f"{second.rejected} odd rows are counted and not {later.rejected}; read through `sources.kit.rows.Sieve`",
    )


def failing_call_in_a_later_world_skips_nothing(source: Source[Any], case: Case) -> None:
    """Whichever call fails there, the next poll says what that one could not."""
    for walk in _walks(source, case, whole=False):
        for kind in (Unreachable, Unexpected):
            for position, call in enumerate(walk.clean_calls):
                broken = system(walk.answers, fail_at=position, error=kind("made up by the contract"))
                _hold_together(source, case, walk, broken, f"{kind.__name__} at {_shown(call)} of the later world")


def goes_on_past_slips_of_pages(source: Source[Any], case: Case) -> None:
    """A page that repeats the one before it, and a cursor that jumps back to the first: once, and for all of a poll."""
    for walk in _walks(source, case):
        for position, call in enumerate(walk.clean_calls):
            others = [n for n, other in enumerate(walk.clean_calls[:position]) if _pages_of_one(other, call)]
            for word, earlier in {"repeats": others[-1:], "jumps back to": others[:1]}.items():
                for lasting in (False, True):
                    if earlier:
                        slip = _Slip(_made(walk.answers), call, walk.clean_calls[earlier[0]], lasting=lasting)
                        where = f"a page that {word} an earlier one{' for all of a poll' if lasting else ''}, at {_shown(call)},"
                        _hold_together(source, case, walk, FakeOutside(slip), where)


def goes_on_past_totals_that_lie(source: Source[Any], case: Case) -> None:
    """A total that promises more than there is, or fewer than have come: no list ends by it."""
    for walk in _walks(source, case):
        for word, lie in _LIES.items():
            made = _made(walk.answers)
            outside = FakeOutside(lambda call, made=made, lie=lie: _lying(made(call), lie))  # type: ignore[misc]
            _hold_together(source, case, walk, outside, f"a total that is too {word}")


_LIES: Mapping[str, Callable[[int], int]] = {"high": lambda total: total + 7, "low": lambda total: min(total, 1)}


class _Walk:
    """One world, from where a poll of it begins, with what a clean poll says."""

    def __init__(self, source: Source[Any], case: Case, answers: Answers, before: Told, later: Later | None) -> None:
        self.answers, self.before = answers, before
        self.after = timedelta(0) if later is None else later.after
        self.failing = frozenset[str]() if later is None else later.failing
        outside = system(answers)
        self.clean = poll(source, case, outside, later=self.after, before=before, whole=True)
        self.clean_calls = outside.calls
        then = poll(source, case, system(answers), later=self.after + AGAIN, before=self.clean, whole=True)
        self.last = poll(source, case, system(answers), later=self.after + 2 * AGAIN, before=then, whole=True)
        self.facts = [*self.clean.facts, *then.facts, *self.last.facts]
        """All that the same three polls say where nothing goes wrong."""


def _walks(source: Source[Any], case: Case, *, whole: bool = True) -> Iterator[_Walk]:
    if whole:
        yield _Walk(source, case, case.answers, Told(), None)
    if case.later is not None:
        yield _Walk(source, case, case.later.answers, poll(source, case, world(case)), case.later)


def _hold_together(source: Source[Any], case: Case, walk: _Walk, broken: FakeOutside, where: str) -> None:
    """A poll that something goes wrong in, and the next one, say together what clean ones do."""
    first = poll(source, case, broken, later=walk.after, before=walk.before, whole=True)
    for name, error in first.errors.items():
        if isinstance(error, Expired):
            first.checkpoints.pop(name, None)
    # Two more, since a list that failed may be given up once before it is read from its newest row again.
    then = poll(source, case, system(walk.answers), later=walk.after + AGAIN, before=first, whole=True)
    last = poll(source, case, system(walk.answers), later=walk.after + 2 * AGAIN, before=then, whole=True)
    failed = {name: error for name, error in last.errors.items() if name not in walk.failing}
    hold(not failed, f"{where} makes the next polls fail: {some([str(e) for e in failed.values()])}")
    said = _lasting(case, [*first.facts, *then.facts, *last.facts])
    clean = _lasting(case, walk.facts)
    missing = set(clean) - set(said)
    hold(not missing, f"{where} loses {some(missing)}")
    extra = {fact.key for fact in said} - {fact.key for fact in clean} - {place[2] for place in walk.before.standing}
    hold(not extra, f"{where} makes up {some(extra)}")
    lost = walk.last.standing.keys() - last.standing.keys()
    hold(not lost, f"{where} ends {some([place[1:] for place in lost])}, which still hold")


def _lasting(case: Case, facts: Any) -> list[Fact]:
    return [fact for fact in facts if type(fact) not in case.momentary]


def _made(answers: Answers) -> Answering:
    return system(answers).answering


class _Slip:
    """A system that answers one call as another, once or each time it comes."""

    def __init__(self, answering: Answering, call: Call, other: Call, *, lasting: bool) -> None:
        self._answering, self._call, self._other, self._left = answering, call, other, -1 if lasting else 1

    def __call__(self, call: Call) -> Reply:
        if self._left and _same(call, self._call):
            self._left -= 1
            return self._answering(self._other)
        return self._answering(call)


def _same(one: Call, other: Call) -> bool:
    return (*_place(one), one.params, one.body) == (*_place(other), other.params, other.body)


def _place(call: Call) -> tuple[str, str, str]:
    return call.method, call.beside, call.path


def _pages_of_one(one: Call, other: Call) -> bool:
    """Whether they ask for two pages of one list, the other one later: what says no page begins a list, perhaps again."""
    if _place(one) != _place(other):
        return False
    asked = [{**call.params, **(call.body if isinstance(call.body, dict) else {})} for call in (one, other)]
    differing = {name for name in asked[0].keys() | asked[1].keys() if asked[0].get(name) != asked[1].get(name)}
    return len(differing) == 1 and differing <= PAGING & asked[1].keys()


def _lying(reply: Reply, lie: Callable[[int], int]) -> Reply:
    body = msgspec.json.decode(reply.body) if isinstance(reply.body, bytes) else reply.body
    if not isinstance(body, dict):
        return reply
    told = {name: lie(value) if name in TOTALS and isinstance(value, int) else value for name, value in body.items()}
    return Reply(body=told, status=reply.status, headers=reply.headers)


def _shown(call: Call) -> str:
    return f"{call.method} {call.path} {dict(call.params) or ''}".rstrip()
