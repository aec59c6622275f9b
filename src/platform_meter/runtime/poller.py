"""Runs the streams of every source: polls on a schedule, watches on threads of their own, each failing alone.

APScheduler starts polls; `max_instances=1` keeps a stream from overlapping itself, `misfire_grace_time=None` runs a
late poll instead of dropping it, and every start that had to be skipped is logged and counted. Only the replica that
holds a source's lease polls it; the store refuses pages of a replica whose lease was taken over.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from pydantic import BaseModel

from platform_meter.model.catalogue.meter import EVENTS_REJECTED
from platform_meter.model.facts import Event
from platform_meter.model.metric import Increment
from platform_meter.model.source import Expired, Limited, Mode, Page, Refused, Source, SourceConfig, SourceError, Stream
from platform_meter.runtime.imports import Imports
from platform_meter.runtime.trouble import Trouble
from platform_meter.store import ConfiguredStream, LeaseLost, Round, Store, StoreError

log = logging.getLogger(__name__)

_JITTER_FROM = 60
"""Seconds between two polls from which on their starts are spread; probes keep their beat, a slot each."""
_WATCH_PAUSES = (1.0, 2.0, 5.0, 15.0, 30.0)
"""Seconds before a failed watch is tried again, by failures in a row."""
_REFUSED_PAUSES = (*_WATCH_PAUSES, 60.0, 120.0, 300.0, 600.0)
"""The same of one that is refused: what it lacks is given by people, and a reload tries at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One configured source, connected."""

    name: str
    source: Source[BaseModel]
    settings: SourceConfig
    streams: tuple[Stream, ...]

    def reconcile(self, stream: Stream) -> timedelta | None:
        """How long a stream may rest while what it would tell is pushed; None where it never does."""
        polled = stream.mode is Mode.POLL and not stream.probe and self.source.receives is not None
        return self.settings.reconcile if polled else None

    def expected(self, stream: Stream) -> ConfiguredStream:
        """How often the stream should succeed, and when what it gives is stale.

        How long a watch is silent hangs on the server, not on our settings: it never has less than three times as long.
        """
        every, stale_after = stream.every or self.settings.every, self.settings.stale_after
        if (reconcile := self.reconcile(stream)) is not None:
            every = max(every, reconcile)
        if stream.mode is Mode.WATCH:
            stale_after = max(3 * every, stale_after or every)
        return ConfiguredStream(
            name=stream.name,
            gives=stream.gives,
            every=every,
            stale_after=stale_after,
            behind=stream.behind,
            sli=stream.sli,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one run of one stream did."""

    instance: str
    stream: str
    new: int = 0
    repeated: int = 0
    error: str = ""
    skipped: str = ""
    refused: bool = False
    """The error is that the credential may not."""
    again: timedelta | None = None
    """When a watch that has nothing to watch is run again; None is at once."""


@dataclass(slots=True)
class _Held:
    """What this replica knows of one source between polls."""

    trouble: Trouble
    paused_until: datetime | None = None
    late: int = 0
    leased: bool = False
    """Whether it ever was this replica's to poll."""


class Poller:
    """Polls all `instances` into `store` until stopped.

    Args:
        clock: the current time, UTC.
        holder: this replica's name for leases; two replicas must differ.
        changed: called after facts were stored, from polling threads.
        observe: called with (source type, seconds) after each poll; a watch is none.
        imports: told how far first imports are.
        keep: called now and then and at the end, to store what reading costs.
        lease: how long a source stays this replica's after its last sign of life.
    """

    def __init__(
        self,
        store: Store,
        instances: Sequence[Instance],
        *,
        clock: Callable[[], datetime],
        holder: str,
        stop: threading.Event,
        changed: Callable[[], None],
        observe: Callable[[str, float], None],
        imports: Imports,
        keep: Callable[[], None] = lambda: None,
        lease: timedelta = timedelta(seconds=30),
    ) -> None:
        self._lease = lease
        self._store, self._clock, self._holder, self._stop = store, clock, holder, stop
        self._changed, self._observe, self._imports, self._keep = changed, observe, imports, keep
        self._instances: Mapping[str, Instance] = {i.name: i for i in instances}
        self._held = {name: _Held(Trouble(name, clock)) for name in self._instances}
        self._threads: list[threading.Thread] = []
        self._scheduler: BackgroundScheduler | None = None

    def start(self) -> None:
        """Begin: every poll starts within its first second or a tenth of its interval, watches at once."""
        polls = [(i, s) for i in self._instances.values() for s in i.streams if s.mode is Mode.POLL]
        scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(max(1, len(polls) + 1))},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone="UTC",
        )
        scheduler.add_listener(self._late, EVENT_JOB_MAX_INSTANCES | EVENT_JOB_MISSED)
        # The scheduler goes by the wall's clock: ours may be set, and a start far behind it would be made up for.
        begin = datetime.now(UTC)  # noqa: TID251
        for instance, stream in polls:
            every = instance.expected(stream).every.total_seconds()
            scheduler.add_job(
                self.run,
                IntervalTrigger(seconds=every, jitter=int(every / 10) if every >= _JITTER_FROM else None),
                args=(instance, stream),
                id=f"{instance.name}/{stream.name}",
                next_run_time=begin + timedelta(seconds=random.uniform(0, min(1.0, every / 10))),
            )
        scheduler.add_job(self._renew, IntervalTrigger(seconds=self._lease.total_seconds() / 3), id="leases")
        scheduler.start()
        self._scheduler = scheduler
        for instance in self._instances.values():
            for stream in instance.streams:
                if stream.mode is Mode.WATCH:
                    thread = threading.Thread(
                        target=self._watch,
                        args=(instance, stream),
                        name=f"watch {instance.name}/{stream.name}",
                        daemon=True,
                    )
                    thread.start()
                    self._threads.append(thread)

    def close(self, timeout: float = 5.0) -> None:
        """Stop all and give the leases back. `stop` must be set first so that running calls end."""
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=True)
            self._scheduler = None
        for thread in self._threads:
            thread.join(timeout)
        self._keep()
        for name, held in self._held.items():
            if held.leased:
                self._release(name)

    def _release(self, name: str) -> None:
        try:
            self._store.release(name, self._holder)
        except StoreError as error:
            log.warning("%s: its lease is not given back, and ends by itself: %s", name, error)

    def once(self) -> list[Result]:
        """Run every stream one time, sources side by side; a watch ends when its first list is complete."""
        results: list[Result] = []

        def all_of(instance: Instance) -> None:
            for stream in instance.streams:
                results.append(self.run(instance, stream, once=True))  # noqa: PERF401 - each result must show at once

        threads = [threading.Thread(target=all_of, args=(i,), name=f"once {i.name}") for i in self._instances.values()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._keep()
        return sorted(results, key=lambda r: (r.instance, r.stream))

    def late(self, instance: str) -> int:
        """Starts of this source's polls that were skipped because the last one still ran."""
        return self._held[instance].late

    def next(self, instance: str, stream: str) -> datetime | None:
        """When this process looks next whether a stream is to be polled; None for a watch, and before the start."""
        job = self._scheduler.get_job(f"{instance}/{stream}") if self._scheduler is not None else None
        due: datetime | None = None if job is None else job.next_run_time
        # The scheduler goes by the wall's clock, as in `start`.
        return None if due is None else self._clock() + (due - datetime.now(UTC))  # noqa: TID251

    def paused_until(self, instance: str) -> datetime | None:
        """Until when this source rests because its quota is used up."""
        return self._held[instance].paused_until

    def run(self, instance: Instance, stream: Stream, *, once: bool = False) -> Result:
        """One poll of one stream. Every failure ends here, in the store and the log."""
        try:
            return self._run(instance, stream, once=once)
        except LeaseLost as error:
            log.info("%s/%s: %s", instance.name, stream.name, error)
            return Result(instance=instance.name, stream=stream.name, skipped="another replica took over")
        except StoreError as error:
            # It can't be used now: the next poll tries again, and a watch's thread must live to do so.
            self._held[instance.name].trouble.failed(stream.name, str(error))
            return Result(instance=instance.name, stream=stream.name, error=str(error))
        except Exception as error:  # noqa: BLE001 - it is logged with its trace
            text = f"{type(error).__name__}: {error}"
            self._held[instance.name].trouble.failed(stream.name, text, odd=True)
            return Result(instance=instance.name, stream=stream.name, error=text)

    def _run(self, instance: Instance, stream: Stream, *, once: bool) -> Result:
        held = self._held[instance.name]
        now = self._clock()
        if held.paused_until is not None and now < held.paused_until and not stream.probe:
            return Result(
                instance=instance.name, stream=stream.name, skipped=f"quota used up until {held.paused_until:%H:%M:%S}"
            )
        if self._store.acquire(instance.name, self._holder, self._lease, now) is None:
            return Result(instance=instance.name, stream=stream.name, skipped="another replica polls it")
        held.leased = True
        rest = instance.reconcile(stream)
        if rest is not None and not once and self._store.rests(instance.name, stream.name, rest, now):
            return Result(instance=instance.name, stream=stream.name, skipped="what it would tell is pushed")
        poll = self._begin(instance, stream, now)
        try:
            result = self._read(instance, stream, poll, once=once)
        except Limited as error:
            held.paused_until = error.until
            return self._failed(instance, poll, error)
        except LeaseLost:
            raise
        except (SourceError, StoreError) as error:
            failed = self._failed(instance, poll, error)
            return replace(failed, refused=isinstance(error, Refused))
        except Exception as error:  # noqa: BLE001 - it is logged with its trace
            # A source's bug must not end the others; it is logged with its trace and shown on the Sources page.
            return self._failed(instance, poll, error, odd=True)
        finally:
            if stream.mode is Mode.POLL:  # a watch lasts as long as the server lets it
                self._observe(instance.source.name, (self._clock() - now).total_seconds())
        if not stream.probe:
            held.paused_until = None
        return result

    def _begin(self, instance: Instance, stream: Stream, now: datetime, *, anew: bool = False) -> Round:
        return self._store.begin_poll(
            instance.name,
            instance.source.name,
            stream.name,
            now=now,
            lookback=instance.settings.overlap,
            history=self._reach(instance, stream),
            holder=self._holder,
            anew=anew,
        )

    def _reach(self, instance: Instance, stream: Stream) -> timedelta:
        """How far back a first poll reads: of what was counted elsewhere only what the store would take, with a day for the poll."""
        events = [kind for kind in stream.gives if issubclass(kind, Event)]
        takes = self._store.detail - timedelta(days=1)
        full = not events or not all(kind.elsewhere for kind in events)
        return instance.settings.history if full else min(instance.settings.history, takes)

    def _read(self, instance: Instance, stream: Stream, poll: Round, *, once: bool) -> Result:
        try:
            # One round lists what a watch would only tell the changes of, and so comes to an end.
            anew = once and stream.mode is Mode.WATCH
            return self._pages(instance, stream, poll, None if anew else poll.checkpoint, once=once)
        except Expired as error:
            log.info("%s/%s: %s; reading again from the start", instance.name, stream.name, error)
            # A poll of its own, so that what vanished meanwhile is not taken for repeated.
            again = self._begin(instance, stream, self._clock(), anew=True)
            return self._pages(instance, stream, again, None, once=once)

    def _pages(
        self, instance: Instance, stream: Stream, poll: Round, checkpoint: bytes | None, *, once: bool
    ) -> Result:
        result = Result(instance=instance.name, stream=stream.name)
        watching = stream.mode is Mode.WATCH
        pages = stream.read(checkpoint, poll.since, poll.now)
        # A page iterator that is left early holds a connection open until it is closed.
        with closing(pages) if isinstance(pages, Generator) else nullcontext():
            for page in pages:
                if self._stop.is_set():
                    return result
                if watching:
                    # A watch lasts: what it says holds from the moment it says it.
                    poll = replace(poll, now=self._clock())
                written = self._store.write(poll, page, now=self._clock())
                result = replace(
                    result,
                    new=result.new + written.new,
                    repeated=result.repeated + written.repeated,
                    again=page.again,
                )
                self._reject(instance, stream, page)
                if page.progress:
                    self._imports.saw(poll, page.progress, self._clock())
                if written.new or written.revised or page.complete or page.gone:
                    self._changed()
                if watching and page.checkpoint is not None:
                    # Within its list a watch has no place to go on from, and is not done.
                    self._end(poll)
                    if once and page.caught_up:
                        break
        if not self._stop.is_set():
            self._end(poll)
            self._changed()
        return result

    def _end(self, poll: Round) -> None:
        self._store.end_poll(poll, now=self._clock())
        self._held[poll.instance].trouble.worked(poll.stream)
        self._imports.ended(poll)

    def _reject(self, instance: Instance, stream: Stream, page: Page) -> None:
        """Count the rows that the source had to leave out; each look at them counts, as it does in the store."""
        if not page.rejected:
            return
        increments = [
            Increment(metric=EVENTS_REJECTED, labels=(instance.source.name, kind, reason), amount=float(n))
            for (kind, reason), n in page.rejected.items()
        ]
        self._store.add_counters(increments, now=self._clock())
        told = ", ".join(f"{n} {kind} ({reason})" for (kind, reason), n in sorted(page.rejected.items()))
        log.info("%s/%s: rows that can't be read are left out: %s", instance.name, stream.name, told)

    def _failed(self, instance: Instance, poll: Round, error: Exception, *, odd: bool = False) -> Result:
        if self._stop.is_set():
            # A call that was cut short because we stop is no failure of the source.
            return Result(instance=instance.name, stream=poll.stream, skipped="stopped")
        kind = type(error).__name__
        text = f"{kind}: {error}" if odd else str(error)
        self._held[instance.name].trouble.failed(poll.stream, text, odd=odd)
        if isinstance(error, Refused) and error.retry is not None:
            text = f"{text}; tried again at {error.retry:%H:%M:%S} UTC or once the secret changes"
        self._store.fail_poll(poll, now=self._clock(), error=text, kind=kind)
        self._changed()
        return Result(instance=instance.name, stream=poll.stream, error=text)

    def _watch(self, instance: Instance, stream: Stream) -> None:
        failures = 0
        while not self._stop.is_set():
            result = self.run(instance, stream)
            failures = failures + 1 if result.error or result.skipped else 0
            pauses = _REFUSED_PAUSES if result.refused else _WATCH_PAUSES
            pause = pauses[min(failures, len(pauses)) - 1] if failures else 0.1
            if result.again is not None:
                pause = result.again.total_seconds()
            self._stop.wait(pause * random.uniform(0.8, 1.2))

    def _renew(self) -> None:
        now = self._clock()
        for name in self._instances:
            self._store.renew(name, self._holder, self._lease, now)
        self._keep()

    def _late(self, event: JobExecutionEvent) -> None:
        name = str(event.job_id).split("/", 1)[0]
        if name in self._held:
            self._held[name].late += 1
            log.warning("%s: its last poll still runs or came late; this start is skipped", event.job_id)
