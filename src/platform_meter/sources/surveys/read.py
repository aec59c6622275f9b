"""One look at a survey's files or address: what was not told yet, or is told otherwise by now, is told."""

from __future__ import annotations

import glob
import posixpath
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any
from urllib.parse import urlsplit

import msgspec

from platform_meter.model.facts.surveys import Invitation, SurveyResponse
from platform_meter.model.source import FoundFile, Outside, Page, Unexpected
from platform_meter.model.typed import decode
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.surveys.config import Config
from platform_meter.sources.surveys.facts import Odd, invitation, response
from platform_meter.sources.surveys.rows import Answer, decoded, of_json, of_table

PAGE = 1_000
"""Facts that are saved at once."""
MOST_BYTES = 16 << 20
"""Of one file."""
AT_REST = timedelta(minutes=1)
"""A file that was not changed for so long is written to its end; before that its last line may be half of one."""
Said = SurveyResponse | Invitation


class State(msgspec.Struct):
    """The checkpoint."""

    start: datetime
    """What was before it is no history."""
    told: list[str] = []
    """Marks of what was told of what stood there last."""


def answers(config: Config, outside: Sieve, now: datetime) -> list[Said]:
    """All that is answered there.

    Raises:
        SourceError: it can't be had, or none of it can be read.
    """
    rows, seen, facts = _rows(config, outside, now), Counter[str](), list[Said]()
    odd = 0
    for row in rows:
        try:
            fact, unread = response(config, row, outside.hashed, now, seen)
        except Odd as error:
            outside.reject(SurveyResponse, error.reason)
            odd += 1
            continue
        for _ in range(unread):
            outside.reject(SurveyResponse, "answer")
        odd += bool(unread) and fact is None
        facts += [fact] if fact is not None else []
    if odd and not facts:
        wanted = ", ".join([config.at, *config.fields, *config.themes])
        raise Unexpected(
            f"{config.path or config.url}: no answer can be read; wanted are a moment and numbers under {wanted}; correct "
            "the survey's `at`, `field`, `scale`, `themes` or `format`"
        )
    return facts


def invitations(config: Config, outside: Sieve, now: datetime) -> list[Said]:
    """All who were asked.

    Raises:
        SourceError: they can't be had.
    """
    path = config.invited or ""
    rows, facts = of_table(text_of(path, outside, now), "invited", path), list[Said]()
    _columns(rows, (config.at, config.respondent), path)
    for row in rows:
        try:
            facts.append(invitation(config, row, outside.hashed, now))
        except Odd as error:
            outside.reject(Invitation, error.reason)
    return facts


def pages(told: Sequence[Said], checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
    """What of it is new, and the place to go on with the last page."""
    state = State(start=since) if checkpoint is None else decode(checkpoint, State)
    marked = [(_mark(fact), fact) for fact in told if fact.at >= state.start]
    known = set(state.told)
    new = [replace(fact, updated=now) for mark, fact in marked if mark not in known]
    state.told = sorted({mark for mark, _ in marked})
    held = msgspec.json.encode(state)
    for start in range(0, len(new), PAGE):
        last = start + PAGE >= len(new)
        yield Page(facts=new[start : start + PAGE], checkpoint=held if last else None)
    if not new and held != checkpoint:
        yield Page(checkpoint=held)


def _mark(fact: Said) -> str:
    return blake2b(msgspec.json.encode(fact), digest_size=8).hexdigest()


def _rows(config: Config, outside: Sieve, now: datetime) -> Sequence[Answer]:
    if config.url is not None:
        body = outside.get(urlsplit(config.url).path or "/", Any, params=config.params or None).body
        return of_json(body, config.shape, config.items, config.url)
    path = config.path or ""
    text = text_of(path, outside, now)
    if path.lower().endswith(".json"):
        return of_json(decoded(text.encode(), path), config.shape, config.items, path)
    rows = of_table(text, config.shape, path)
    _columns(rows, (config.at, *config.fields, *config.themes), path)
    return rows


def _columns(rows: Sequence[Answer], wanted: Sequence[str], path: str) -> None:
    """Raises:
    Unexpected: a column is in no row.
    """
    there = dict.fromkeys(name for row in rows for name in row)
    lost = [name for name in wanted if name not in there]
    if rows and lost:
        names = ", ".join(name.strip()[:60] for name in list(there)[:20])
        raise Unexpected(
            f"{path}: there is no column {lost[0]}; those that are there: {names}; correct the survey's file"
        )


def text_of(path: str, outside: Outside, now: datetime) -> str:
    """What the file holds; without its last line while that may be half of one.

    Raises:
        Unexpected: there is no such file, it is too large, or no UTF-8.
    """
    file = _found(path, outside)
    held = bytearray()
    for block in outside.blocks(file):
        held += block
        if len(held) > MOST_BYTES:
            raise Unexpected(f"{path}: more than {MOST_BYTES >> 20} MiB; part it into several surveys")
    if now - file.changed < AT_REST and not path.lower().endswith(".json"):
        held = held[: held.rfind(b"\n") + 1]
    try:
        return held.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unexpected(f"{path}: not written as UTF-8; save it so") from None


def _found(path: str, outside: Outside) -> FoundFile:
    folder, name = posixpath.split(path)
    found = outside.files(folder or ".", glob.escape(name))
    if not found:
        raise Unexpected(
            f"there is no {path}; correct the survey's file, or have it written where platform-meter can see it"
        )
    return found[-1]
