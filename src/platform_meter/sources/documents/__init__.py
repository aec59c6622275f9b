"""Documents: what internal dashboards tell as JSON over HTTP, and CSV and NDJSON files of a folder.

People say where rows stand and what each of them tells; each entry is a stream.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from platform_meter.model.facts.incidents import Incident
from platform_meter.model.facts.roadmap import Feedback
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.facts.training import Enrolment
from platform_meter.model.facts.use import Usage
from platform_meter.model.source import Area, Outside, Page, Source, SourceError, Stream
from platform_meter.sources.documents import fetched, files
from platform_meter.sources.documents.cells import Look
from platform_meter.sources.documents.config import NOW, SYSTEM, Config, Entry, SliRows
from platform_meter.sources.documents.facts import all_odd, becomes
from platform_meter.sources.kit.rows import Sieve

_LATER = datetime(9000, 1, 1, tzinfo=UTC)
"""For a look at which no row is too late."""


def connect(config: Config, outside: Outside, instance: str) -> Sequence[Stream]:
    """One stream for each entry."""
    del instance
    return [_stream(entry, config, outside) for entry in config.entries]


def _stream(entry: Entry, config: Config, outside: Outside) -> Stream:
    late = config.delay if isinstance(entry, SliRows) and entry.at != NOW else timedelta(0)
    read = partial(_read, entry, config.delay, outside)
    return Stream(name=entry.stream, read=read, gives=frozenset({becomes(entry)}), behind=late)


def _read(
    entry: Entry,
    delay: timedelta,
    outside: Outside,
    checkpoint: bytes | None,
    since: datetime,
    now: datetime,
) -> Iterator[Page]:
    if entry.path is not None:
        way = partial(fetched.read, entry, entry.path)
    else:
        way = partial(files.read, entry, entry.files or "")
    return Sieve.over(outside, lambda sieve: way(delay, sieve, checkpoint, since, now))


def check(config: Config, outside: Outside) -> Sequence[str]:
    """Look at each document and the newest of its files once; a line for each of which no row can be read."""
    return [f"{entry.stream}: {problem}" for entry in config.entries if (problem := _problem(entry, outside))]


def _problem(entry: Entry, outside: Outside) -> str:
    sieve = Sieve(outside)
    look = Look(start=_LATER, now=_LATER, delay=timedelta(0), hashed=outside.hashed)
    try:
        if entry.path is not None:
            all_odd(fetched.look_at(entry, entry.path, sieve, look), entry.path, most=0)
        elif (file := files.newest(entry.files or "", sieve)) is not None:
            said, _ = files.look_at(entry, file, sieve, look)
            all_odd(said, file.path, most=0)
        else:
            return (
                f"no file is called {entry.files}; correct it, or have them written where platform-meter can see them"
            )
    except SourceError as error:
        return str(error)
    return ""


SOURCE = Source(
    name=SYSTEM,
    title="JSON documents, CSV and NDJSON files",
    area=Area.OBSERVABILITY,
    reads="good and bad events, use of capabilities, incidents, feedback and courses from the rows of JSON documents, and of CSV and NDJSON files, by JSON Pointers of yours",
    needs="reading the documents; read access to the files and their folder",
    config=Config,
    gives=frozenset({SliCount, Usage, Incident, Feedback, Enrolment}),
    access=lambda config: config.access,
    connect=connect,
    check=check,
    people=True,
)
