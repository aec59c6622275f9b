"""First imports: how far they are, when they end, and how often that is said."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.support.stores import NOON

from platform_meter.model.progress import Progress
from platform_meter.runtime.imports import Imports, share, words
from platform_meter.store import Round

UTC = ZoneInfo("UTC")
MINUTE = timedelta(minutes=1)
HISTORY = timedelta(days=90)


def poll(stream: str = "runs", *, instance: str = "gh", first: bool = True) -> Round:
    return Round(
        instance=instance,
        type="github",
        stream=stream,
        number=1,
        checkpoint=None,
        since=NOON - HISTORY,
        now=NOON,
        backfill_before=NOON,
        first=first,
    )


def of(done: int, total: int = 300) -> Progress:
    return Progress(what="repositories of acme", done=done, of=total)


@dataclass
class Terminal:
    lines: list[tuple[str, str]] = field(default_factory=list)
    left: float | None = None

    def imports(self) -> Imports:
        return Imports(lambda *line: self.lines.append(line), quota=lambda _: self.left, zone=UTC)


@pytest.mark.parametrize(
    ("progress", "read"),
    [
        (of(75), 0.25),
        (of(301), 1.0),
        (of(0, 0), None),
        (Progress(what="issues", done=12), None),
        (Progress(what="issues", back_to=NOON - timedelta(days=45)), 0.5),
        (Progress(what="issues", back_to=NOON - timedelta(days=91)), 1.0),
        (Progress(what="issues", done=3, of=4, back_to=NOON - timedelta(days=45)), 0.75),
    ],
)
def test_how_much_is_read(progress: Progress, read: float | None) -> None:
    """Of the number of things where it is known, else of the time; nothing of what is not known."""
    assert share(progress, NOON, NOON - HISTORY) == read


def test_an_import_ends_at_its_pace_so_far() -> None:
    """100 of 300 were read before we looked, 50 more in 10 minutes: the other 150 take 30."""
    imports = Terminal().imports()
    imports.saw(poll(), of(100), NOON)
    assert imports.ends("gh", "runs") is None
    imports.saw(poll(), of(150), NOON + 10 * MINUTE)
    assert imports.ends("gh", "runs") == NOON + 40 * MINUTE
    assert imports.ends("gh", "issues") is None


def test_no_end_is_made_up() -> None:
    """One step in a hundred tells no pace; what begins anew, or tells no number, has none."""
    imports = Terminal().imports()
    imports.saw(poll(), of(0), NOON)
    imports.saw(poll(), of(3), NOON + MINUTE)
    assert imports.ends("gh", "runs") is None
    imports.saw(poll(), of(150), NOON + 2 * MINUTE)
    assert imports.ends("gh", "runs") == NOON + 4 * MINUTE
    imports.saw(poll(), Progress(what="owners of repositories", done=200, of=300), NOON + 3 * MINUTE)
    assert imports.ends("gh", "runs") is None
    imports.saw(poll(), Progress(what="owners of repositories", done=20, of=300), NOON + 4 * MINUTE)
    imports.saw(poll(), Progress(what="owners of repositories", done=50, of=300), NOON + 5 * MINUTE)
    assert imports.ends("gh", "runs") == NOON + timedelta(minutes=13, seconds=20)
    imports.saw(poll(), Progress(what="owners of repositories"), NOON + 6 * MINUTE)
    assert (imports.ends("gh", "runs"), imports.ratio("gh")) == (None, None)
    imports.saw(poll(), of(300), NOON + 7 * MINUTE)
    assert imports.ends("gh", "runs") is None


def test_the_terminal_hears_of_it_each_minute() -> None:
    """At the first page, then once a minute for all streams of a source, and once more when it is over."""
    terminal = Terminal(left=0.834)
    imports = terminal.imports()
    imports.saw(poll(), of(0), NOON)
    imports.saw(poll("issues"), Progress(what="issues", back_to=NOON - timedelta(days=1)), NOON + 0.5 * MINUTE)
    imports.saw(poll(), of(30), NOON + 0.9 * MINUTE)
    terminal.left = None
    imports.saw(poll(), of(60), NOON + MINUTE)
    imports.saw(poll(), Progress(what="owners of repositories", done=300), NOON + 1.5 * MINUTE)
    imports.ended(poll("issues"))
    imports.ended(poll())
    imports.ended(poll())
    assert terminal.lines == [
        ("gh", "importing 0 of 300 repositories of acme; 83 % of the quota left"),
        ("gh", "importing 60 of 300 repositories of acme, done at about 12:05"),
        ("gh", "imported repositories of acme"),
    ]
    assert (imports.ends("gh", "runs"), imports.ratio("gh")) == (None, None)


def test_later_polls_are_no_imports() -> None:
    """A stream that was read whole once is not told of, however far its poll is."""
    terminal = Terminal()
    imports = terminal.imports()
    imports.saw(poll(first=False), of(0), NOON)
    imports.ended(poll(first=False))
    assert (terminal.lines, imports.ratio("gh")) == ([], None)


def test_a_source_is_as_far_as_its_slowest_stream() -> None:
    """Streams that tell no number do not count, nor those of another source."""
    imports = Terminal().imports()
    for stream, done in (("a", 30), ("b", 270)):
        imports.saw(poll(stream), of(done), NOON)
    imports.saw(poll("c"), Progress(what="issues"), NOON)
    imports.saw(poll("a", instance="other"), of(3), NOON)
    assert imports.ratio("gh") == 0.1


@pytest.mark.parametrize(
    ("ends", "text"),
    [
        (None, "3 of 300 repositories of acme"),
        (NOON + timedelta(hours=2), "3 of 300 repositories of acme, done at about 16:00"),
        (NOON + timedelta(hours=11), "3 of 300 repositories of acme, done at about 2026-06-11 01:00"),
    ],
)
def test_moments_are_in_the_configured_zone(ends: datetime | None, text: str) -> None:
    """With the day where it is another one."""
    noon = NOON.replace(month=6, day=10, year=2026)
    moved = None if ends is None else noon + (ends - NOON)
    assert words(of(3), moved, ZoneInfo("Europe/Berlin"), noon) == text
