"""Runs of software templates: when each began, how it ended, and which repository it made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import parse_qs, urlsplit

import msgspec

from platform_meter.model.facts import Event, Ref
from platform_meter.model.facts.portal import TemplateOutcome, TemplateRun, TemplateStarted
from platform_meter.model.source import Answer, Forbidden, Page
from platform_meter.model.typed import decode
from platform_meter.sources.backstage import names
from platform_meter.sources.backstage.config import SYSTEM
from platform_meter.sources.backstage.rows import Step, TaskRow, Tasks, related
from platform_meter.sources.kit.cursor import Cursor
from platform_meter.sources.kit.open_things import Open, Watch, unless_gone
from platform_meter.sources.kit.remotes import repository
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.walk import Walk

PATH = "/api/scaffolder/v2/tasks"
PER_PAGE = 100
NEWEST_FIRST = "desc:created_at"
OVERLAP = timedelta(minutes=15)
ENDS = {
    "completed": TemplateOutcome.SUCCESS,
    "failed": TemplateOutcome.FAILED,
    "cancelled": TemplateOutcome.CANCELLED,
    "skipped": TemplateOutcome.CANCELLED,
}
"""By a run's status; any other is one of a run that goes on."""


class State(Cursor, omit_defaults=True):
    """The checkpoint: how far the list was read, and runs that went on then."""

    going: dict[str, Open] = msgspec.field(default_factory=dict)


def pages(outside: Sieve, checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
    """What began since the last time, and what has ended of the runs that went on."""
    state = decode(checkpoint, State) if checkpoint else State()
    watch = Watch(
        outside=outside, now=now, what="template run", becomes=TemplateRun, longest=timedelta(days=30), pace=24
    )

    def ask(id_: str, held: Open) -> Answer[TaskRow]:
        return outside.get(f"{PATH}/{id_}", TaskRow, etag=held.etag)

    def tell(rows: Iterable[TaskRow], *, known: bool = False) -> Page:
        facts: list[Event] = []
        for row in rows:
            ref, actor = _about(row), names.actor(row.created_by, outside.hashed)
            if not known:
                facts.append(_started(row, ref, actor))
            if row.status in ENDS:
                state.going.pop(row.id, None)
                facts.append(_ended(row, ref, actor, outside))
            else:
                state.going.setdefault(row.id, Open(created=row.created_at))
        return Page(facts=facts, checkpoint=msgspec.json.encode(state))

    yield tell((row for _, _, row in watch.look(state.going, ask)), known=True)
    if state.began is None:
        state.begin(now, state.next_start(since, OVERLAP))
    start = state.start or since
    for rows in state.changed(made(outside), lambda row: (row.id, row.created_at), OVERLAP, floor=start):
        yield tell(rows)
    yield tell(())


def made(outside: Sieve) -> Iterator[list[TaskRow]]:
    """All runs, the newest first; all at once from a release that knows no pages."""
    walk, offset = Walk(PATH), 0
    while True:
        params = {"limit": PER_PAGE, "offset": offset, "order": NEWEST_FIRST}
        answer = walk.page(_ids, partial(outside.get, PATH, Tasks, params=params))
        body = answer.body or Tasks()
        got = len(body.tasks) + answer.odd
        yield sorted(body.tasks, key=lambda row: row.created_at, reverse=True)
        if body.total_tasks is None or not got:
            return
        offset += got


def _ids(answer: Answer[Tasks]) -> tuple[str, ...]:
    return tuple(row.id for row in answer.body.tasks) if answer.body else ()


def _about(row: TaskRow) -> Ref:
    """A run is that of the team which it was for, else of the one team of whoever started it, else of what it made.

    Where it was for a person their name is not kept.
    """
    said = row.spec.parameters.owner if row.spec.parameters else None
    ref = names.whole(said, "group") if isinstance(said, str) and said else ""
    owner = [ref] if names.kind(ref) not in {"", "user"} else []
    starter = row.spec.user.entity if row.spec.user else None
    groups = related(starter.relations, "memberOf") if starter else []
    place = _place(row)
    links = [names.link(ref) for ref in owner or (groups if len(groups) == 1 else [])]
    return Ref(system=SYSTEM, kind="template_run", id=row.id, links=(*links, *([place] if place else [])))


def _place(row: TaskRow) -> str:
    """The repository that somebody asked for (`github.com?owner=acme&repo=shop`), as its own source names it."""
    said = row.spec.parameters.repo_url if row.spec.parameters else None
    if not isinstance(said, str):
        return ""
    try:
        parts = urlsplit(said if "://" in said else f"https://{said}")
    except ValueError:
        return ""
    asked = parse_qs(parts.query)
    owner, name = asked.get("owner", [""])[0], asked.get("repo", [""])[0]
    return repository(f"https://{parts.netloc}/{owner}/{name}") if owner and name else ""


def _template(row: TaskRow) -> str:
    ref = row.spec.template_info.entity_ref if row.spec.template_info else ""
    return names.short(names.whole(ref, "template")) if ref else "unknown"


def _started(row: TaskRow, about: Ref, actor: str) -> TemplateStarted:
    at = row.created_at.astimezone(UTC)
    return TemplateStarted(key=f"started/{row.id}", at=at, about=about, template=_template(row), actor=actor)


def _ended(row: TaskRow, about: Ref, actor: str, outside: Sieve) -> TemplateRun:
    """The last sign of life of a run is its end: it gives one each second."""
    started = row.created_at.astimezone(UTC)
    ended = max(started, (row.last_heartbeat_at or row.created_at).astimezone(UTC))
    outcome = ENDS[row.status]
    return TemplateRun(
        key=f"run/{row.id}",
        at=ended,
        about=about,
        updated=ended,
        template=_template(row),
        outcome=outcome,
        started=started,
        actor=actor,
        repository=_made(row, outside) if outcome is TemplateOutcome.SUCCESS else "",
    )


def _made(row: TaskRow, outside: Sieve) -> str:
    """The repository that was asked for; where nobody had to ask, the one that the run told of at its end."""
    if place := _place(row):
        return place
    path = f"{PATH}/{row.id}/events"
    try:
        answer = unless_gone(partial(outside.get, path, list[Step]))
    except Forbidden:  # what it made is then as unknown as where a template tells nothing
        return ""
    outputs = [step.body.output for step in (answer.body if answer else None) or () if step.body and step.body.output]
    return next((repository(o.remote_url) for o in reversed(outputs) if isinstance(o.remote_url, str)), "")
