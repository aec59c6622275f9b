"""One job's builds: those since the last one told, and those that had not ended then.

Builds are numbered in the order of their beginning. A list is read from its newest build back to the last one told and
to the oldest that was still running.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec import Struct, field

from platform_meter.model.facts import Event
from platform_meter.model.outcomes import Rules
from platform_meter.model.source import Gap, Unexpected
from platform_meter.sources.jenkins.facts import Known, Place, facts_of
from platform_meter.sources.jenkins.rows import BUILDS, Build, Job, Stages, Waiting, moment
from platform_meter.sources.kit.rows import Sieve

PER_PAGE = 100
EXPLAINED = timedelta(days=28)
"""How far back before the first poll it is read why a build failed."""
LEFT = timedelta(minutes=5)
"""How long Jenkins remembers when something that left the queue had come into it."""
LOG_LINES = 200
"""Lines at the end of a console that are looked at."""
SLIPS = 10
"""Times a list is begun anew whose builds were discarded while it was read."""


class Told(Struct, omit_defaults=True):
    """The place in one job's builds."""

    number: int = 0
    """The newest one that was seen; all up to it were told but those that are `open`."""
    at: datetime | None = None
    """When that one began."""
    open: list[int] = field(default_factory=list)
    """Builds that had not ended."""
    failing: tuple[datetime, datetime] | None = None

    def abandon(self) -> None:
        """A read that breaks off begins with the newest build anyway."""

    def start(self, since: datetime) -> datetime:
        return self.at or since


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One job in one poll."""

    outside: Sieve
    place: Place
    now: datetime
    since: datetime
    """Where builds that were never read start."""
    young: datetime
    """Details that cost a call each are read of what ended after this."""
    ranges: bool
    """Whether the server gives parts of lists."""
    details: str
    rules: Rules

    def read(self, told: Told) -> Iterator[Sequence[Event]]:
        """Facts of builds that ended, a page at a time; the place moves when all were told."""
        floor = min([told.number, *(number - 1 for number in told.open)]) if told.number else 0
        seen: dict[int, Build] = {}
        left: list[int] = []
        for label, page in self._pages(floor, first=not told.number):
            facts: list[Event] = []
            for build in page:
                if build.number in seen or (build.number <= told.number and build.number not in told.open):
                    continue
                seen[build.number] = build
                if build.ended is None:
                    left.append(build.number)
                elif build.ended >= self.since or told.number:
                    facts += facts_of(self.place, build, label, self._known(build), self.rules)
            yield facts
        self._discarded(told, seen)
        if seen and (newest := seen[max(seen)]).number >= told.number:
            told.number, told.at = newest.number, newest.began
        told.open = sorted(left)
        yield ()

    def _pages(self, floor: int, *, first: bool) -> Iterator[tuple[str, Sequence[Build]]]:
        """The job's label, and its builds down to `floor` or, at first, to where history begins.

        Each page begins with the last build of the one before. Another one in its place shows that builds were
        discarded, and those behind them moved up, past this page: then the list is begun anew.

        Raises:
            Unexpected: it never stands still.
        """
        for _ in range(SLIPS):
            start, last, odd = 0, 0, 0
            while True:
                label, page, left_out = self._page(start)
                # An odd build has no number to be known by.
                if last and not (odd or left_out) and (not page or page[0].number != last):
                    break
                yield label, page
                got, odd = len(page) + left_out, left_out
                if not self.ranges or got < PER_PAGE:
                    return
                last = page[-1].number if page else last
                if last <= floor or (first and page and page[-1].began < self.since):
                    return
                start += got - 1
        raise Unexpected(f"{self.place.path}: its builds were discarded {SLIPS} times while they were read")

    def _page(self, start: int) -> tuple[str, Sequence[Build], int]:
        """The job's label, builds from this place on, and how many of them are odd."""
        part = f"{{{start},{start + PER_PAGE}}}" if self.ranges else ""
        wanted = f"allBuilds{BUILDS}{part}" if self.ranges else f"builds{BUILDS}"
        answer = self.outside.get(f"{self.place.path}/api/json", Job, params={"tree": f"labelExpression,{wanted}"})
        job = answer.body or Job()
        builds = job.all_builds if job.all_builds is not None else job.builds
        return job.label_expression or "", builds or (), answer.odd

    def _discarded(self, told: Told, seen: dict[int, Build]) -> None:
        """Tell a gap where builds are gone that were never told, or whose end was not."""
        if not told.number:
            return
        newest = max(seen, default=told.number)
        missing = [n for n in (*told.open, *range(told.number + 1, newest)) if n not in seen]
        if missing:
            behind = (seen[n].began for n in sorted(seen) if n > missing[-1])
            text = f"{self.place.name}: {len(missing)} builds were discarded before they were told"
            start = told.at or self.since
            self.outside.gap(Gap(start=start, end=max(start, next(behind, self.now)), reason="pruned", text=text))

    def _known(self, build: Build) -> Known:
        """What it costs a call to know, of a young build, and of a failed one that is not much older."""
        failed = build.result == "FAILURE"
        since = self.young - EXPLAINED if failed else self.young
        if build.ended is None or build.ended < since or self.details == "none":
            return Known(queued=_measured(build))
        stages = self._stages(build) if self.place.pipeline and (failed or self.details == "recent") else None
        log = self._log(build) if failed else ""
        return Known(stages=stages, log=log, queued=self._queued(build))

    def _stages(self, build: Build) -> Stages | None:
        """None where the plugin is missing, or the build is gone."""
        try:
            return self.outside.get(f"{self.place.path}/{build.number}/wfapi/describe", Stages).body
        except Unexpected as error:
            if error.status != 404:
                raise
            return None

    def _log(self, build: Build) -> str:
        """The end of its console; empty where it is gone."""
        kept: deque[bytes] = deque(maxlen=LOG_LINES)
        try:
            for lines in self.outside.lines(f"{self.place.path}/{build.number}/consoleText", timeout=60.0):
                kept.extend(lines)
        except Unexpected as error:
            if error.status != 404:
                raise
        return b"\n".join(kept).decode("utf-8", "replace")

    def _queued(self, build: Build) -> timedelta | None:
        """How long it waited for an executor: as the metrics plugin measured it, else since it came into the queue.

        Absent where neither is told: a queue item is remembered for some minutes only.
        """
        measured = _measured(build)
        if measured is not None or build.queue_id < 0 or build.began < self.now - LEFT:
            return measured
        try:
            item = self.outside.get(
                f"/queue/item/{build.queue_id}/api/json", Waiting, params={"tree": "inQueueSince"}
            ).body
        except Unexpected as error:
            if error.status != 404:
                raise
            return None
        waited = build.began - moment(item.in_queue_since) if item and item.in_queue_since else None
        return waited if waited is not None and waited >= timedelta() else None


def _measured(build: Build) -> timedelta | None:
    told = (a.buildable_time_millis for a in build.actions if a and a.buildable_time_millis is not None)
    found = next(told, None)
    return None if found is None else timedelta(milliseconds=found)
