"""PagerDuty: incidents with when they were triggered, acknowledged and resolved, read and pushed.

Its list has incidents by when they were made, so what happens to one later is looked for in three ways: all open ones
are listed at each poll; one that is open no more is asked for; and those of the last two days are listed again, since
a priority is often given when all is over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from platform_meter.model.facts.incidents import Incident
from platform_meter.model.progress import Progress
from platform_meter.model.proposal import Proposal, Surroundings
from platform_meter.model.source import Answer, Area, Forbidden, Outside, Page, Source, Stream, Unexpected
from platform_meter.model.typed import decode
from platform_meter.sources.kit.cursor import Cursor, mark
from platform_meter.sources.kit.open_things import Open, Watch, put
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.pagerduty.config import Config, access
from platform_meter.sources.pagerduty.facts import read_incident
from platform_meter.sources.pagerduty.lists import Lists
from platform_meter.sources.pagerduty.rows import IncidentRow, Incidents, LogEntries, One
from platform_meter.sources.pagerduty.webhooks import RECEIVER

__all__ = ["SOURCE", "Config"]

AGAIN = timedelta(days=2)
"""How far back the list is read again in each poll."""
LONGEST = timedelta(days=400)
"""One that is open for longer than events are kept will never end."""


class _Open(Open, omit_defaults=True):
    mark: str = ""
    """Of what was told of it last."""


class _State(Cursor, omit_defaults=True):
    asked: list[list[str]] = msgspec.field(default_factory=list)
    """Services and teams that were asked for; others start anew."""
    open: dict[str, _Open] = msgspec.field(default_factory=dict)


class _Poll:
    """One poll's way through the lists."""

    def __init__(self, config: Config, outside: Sieve, state: _State, since: datetime, now: datetime) -> None:
        self.config, self.outside, self.state, self.now = config, outside, state, now
        self.lists = Lists(outside, config.filters)
        self.again = max(AGAIN, config.overlap)
        self.told: set[str] = set()
        if state.began is None:
            state.begin(now, state.next_start(since, self.again))

    def pages(self) -> Iterator[Page]:
        state = self.state
        for rows in self.lists.open(self.now):
            yield self._page(rows)
        watch = Watch(outside=self.outside, now=self.now, what="incident", becomes=Incident, longest=LONGEST)
        for _, _, one in watch.look(state.open, self._ask, lambda id_, _: id_ not in self.told):
            yield self._page([one.incident])
        start, end = state.at or state.start or self.now, state.began or self.now
        for rows, reached in self.lists.made(start, end):
            told = [incident for row in rows if (incident := self._tell(row))]
            state.at = reached or state.at
            progress = Progress(what="incidents", done=len(self.told))
            yield Page(facts=told, checkpoint=msgspec.json.encode(state), progress=progress)
        state.end(self.again)
        yield Page(checkpoint=msgspec.json.encode(state))

    def _page(self, rows: Sequence[IncidentRow]) -> Page:
        told = [incident for row in rows if (incident := self._tell(row))]
        return Page(facts=told, checkpoint=msgspec.json.encode(self.state))

    def _ask(self, id_: str, held: _Open) -> Answer[One]:
        return self.outside.get(f"/incidents/{id_}", One, etag=held.etag)

    def _tell(self, row: IncidentRow) -> Incident | None:
        """The incident, where it is another than was told."""
        state = self.state
        if row.id in self.told:
            return None
        self.told.add(row.id)
        held = state.open.get(row.id)
        now = mark(row.created_at, f"{row.changed:%Y-%m-%dT%H:%M:%SZ} {row.status}")
        known = state.told(row.id, now) or (held is not None and held.mark == now)
        told = None
        if not known:
            texts = self.lists.details(row) if self.config.details else ()
            told = read_incident(row, self.config.conventions, self.lists.log(row), texts)
        if row.ended:
            state.open.pop(row.id, None)
        else:
            etag = held.etag if held else ""
            put(state.open, row.id, _Open(created=row.created_at, etag=etag, asked=self.now, mark=now))
        if row.created_at >= (state.began or self.now) - self.again:
            state.done[row.id] = now
        return told


def connect(config: Config, outside: Outside, instance: str) -> Sequence[Stream]:
    del instance
    asked = [sorted(config.services), sorted(config.teams)]

    def pages(outside: Sieve, checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        state = decode(checkpoint, _State) if checkpoint else _State(asked=asked)
        if state.asked != asked:
            state = _State(asked=asked)
        yield from _Poll(config, outside, state, since, now).pages()

    def read(checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        return Sieve.over(outside, lambda sieve: pages(sieve, checkpoint, since, now))

    return [Stream(name="incidents", read=read, gives=SOURCE.gives)]


def check(config: Config, outside: Outside) -> Sequence[str]:
    """One line per thing that the key may not read, or that is not there."""
    key = "give the source an API key of the account, read-only, or of a user who may see it"
    try:
        found = outside.get("/incidents", Incidents, params={**config.filters, "date_range": "all", "limit": 1}).body
    except Forbidden as error:
        return [f"incidents: {error}; {key}"]
    lines = []
    for word, path, ids in (("service", "services", config.services), ("team", "teams", config.teams)):
        for id_ in ids:
            try:
                outside.get(f"/{path}/{id_}", msgspec.Raw)
            except Forbidden as error:
                lines.append(f"{path}: {word} {id_}: {error}; {key}")
            except Unexpected as error:
                if error.status != 404:
                    raise
                lines.append(f"{path}: there is no {word} {id_}; write the id at the end of its page's address")
    for row in found.incidents if found else ():
        try:
            outside.get(f"/incidents/{row.id}/log_entries", LogEntries, params={"limit": 1})
        except Forbidden as error:
            lines.append(f"the log of incident {row.id}: {error}; {key}")
    return lines


def propose(around: Surroundings) -> Proposal:
    """A sample: nothing here tells of an account."""
    variable = around.variable("PAGERDUTY_TOKEN", "PAGERDUTY_API_KEY", "PD_API_KEY") or "PAGERDUTY_TOKEN"
    return Proposal(
        about="Incidents, for what deployments break and how fast that is mended. The key needs to read only.",
        sample=("pagerduty", {"token": {"env": variable}}),
        fill_in="your key, and the region where it is not the US",
        by_hand=True,
    )


SOURCE = Source(
    name="pagerduty",
    title="PagerDuty",
    area=Area.TICKETS,
    reads="incidents: when each was triggered, acknowledged and resolved, and how bad it was; read or pushed",
    needs="a read-only API key",
    config=Config,
    gives=frozenset({Incident}),
    access=access,
    connect=connect,
    check=check,
    receives=RECEIVER,
    propose=propose,
)
