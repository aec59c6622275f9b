"""Good and bad events by the minute of a system that gives each count in a call of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from platform_meter.model.facts.slis import SliCount
from platform_meter.model.progress import Progress
from platform_meter.model.source import Page
from platform_meter.sources.kit.late import Again
from platform_meter.sources.kit.minutes import Ask, Minutes, TooMuch, stream_of
from platform_meter.sources.kit.rows import Sieve
from platform_meter.testing.outside import FakeOutside, Reply

NOW = datetime(2026, 6, 1, 12, 4, tzinfo=UTC)
NOON = int(datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp())
MINUTE = timedelta(minutes=1)


class System:
    """Counts by the end of a minute; notes what it was asked for."""

    def __init__(self, total: Mapping[int, float], part: Mapping[int, float]) -> None:
        self.calls: list[tuple[str, int]] = []
        self.total, self.part = self._ask("total", total), self._ask("part", part)

    def _ask(self, name: str, counts: Mapping[int, float]) -> Ask:
        def ask(ends: range) -> Mapping[int, float]:
            self.calls.append((name, len(ends)))
            if len(ends) > 2:
                raise TooMuch("at most two")
            return {end: value for end, value in counts.items() if end in ends}

        return ask


def read(system: System, *, good: bool = False, since: timedelta = MINUTE) -> list[Page]:
    """The minutes that ended since then, two minutes ago: those until 12:02."""
    minutes = Minutes(
        outside=Sieve(FakeOutside(lambda _: Reply(status=404))),
        system="nova",
        id="web",
        total=system.total,
        part=system.part,
        part_is_good=good,
        most=100,
        again=Again(each=MINUTE, most=MINUTE),
    )
    begin = NOW - 2 * MINUTE - since
    return list(minutes.read(None, begin, NOW, delay=2 * MINUTE))


def amounts(pages: list[Page]) -> list[tuple[int, float, float]]:
    facts = [fact for page in pages for fact in page.facts if isinstance(fact, SliCount)]
    return [(int(fact.at.timestamp()) - NOON, fact.good, fact.bad) for fact in facts]


def test_bad_ones_are_asked_for_before_all_and_good_ones_after() -> None:
    """What comes between the two calls makes nothing look worse."""
    bad = System({NOON + 120: 5.0}, {NOON + 120: 2.0})
    assert amounts(read(bad)) == [(120, 3.0, 2.0)]
    assert bad.calls == [("part", 1), ("total", 1)]
    good = System({NOON + 120: 5.0}, {NOON + 120: 2.0})
    assert amounts(read(good, good=True)) == [(120, 2.0, 3.0)]
    assert good.calls == [("total", 1), ("part", 1)]


@pytest.mark.parametrize(("total", "part"), [(1.0, 1.5), (1.0, -1.0), (1e12, 0.0)])
def test_counts_that_contradict_are_none(total: float, part: float) -> None:
    """More of the part than of all, fewer than none, more than anybody counts: of that minute nothing is said."""
    system = System({NOON + 60: 1.0, NOON + 120: total}, {NOON + 120: part})
    assert amounts(read(system, since=2 * MINUTE)) == [(60, 1.0, 0.0)]


def test_too_much_is_asked_for_by_halves() -> None:
    """One minute first, then as many as may go; the place goes with what was read."""
    pages = read(System({NOON + n * 60: 1.0 for n in range(-1, 3)}, {}), since=4 * MINUTE)
    assert [int(page.checkpoint or b"0") - NOON for page in pages] == [-60, 60, 120]
    assert [page.progress for page in pages] == [
        Progress(what="minutes of sli/web", done=1, of=4),
        Progress(what="minutes of sli/web", done=3, of=4),
        None,
    ]


def test_a_stream_reads_one_sli_behind_its_delay() -> None:
    """What it leaves out on its way is told with its pages; its reading ends as long ago as minutes are left to settle."""

    class Odd:
        def __init__(self, sieve: Sieve) -> None:
            self.sieve = sieve

        def read(self, checkpoint: bytes | None, since: datetime, now: datetime, *, delay: timedelta) -> Iterator[Page]:
            self.sieve.reject(SliCount, "contradiction")
            yield Page(checkpoint=f"{checkpoint!r} {now - since} {delay}".encode())

    stream = stream_of(FakeOutside(lambda _: Reply(status=404)), "web", Odd, delay=2 * MINUTE)
    assert (stream.name, stream.sli, stream.behind, stream.every) == ("sli/web", "web", 2 * MINUTE, None)
    assert stream.gives == {SliCount}
    page = Page(checkpoint=b"b'9' 0:03:00 0:02:00", rejected={("SliCount", "contradiction"): 1})
    assert list(stream.read(b"9", NOW - 3 * MINUTE, NOW)) == [page]
