"""People planted in all that a source is told: whoever comes out of it in clear carries a mark that no hash has.

Which of the strings are people is known by what systems call them: mail addresses wherever they stand, the fields that
hold a login (`login`, `accountId`, `createdBy`), and whatever names somebody below an author, reporter or assignee.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from platform_meter.model.endpoint import Look
from platform_meter.model.personal import people
from platform_meter.model.source import Source
from platform_meter.testing import Call, Case, FakeOutside, Reply
from platform_meter.testing.case import Answers, Told, poll, settings

MARK = "zqp"
"""In small letters, so that it outlives a source that lowers them."""
NOBODY = "nobody/"
"""How an answer of somebody who gave no name is told from the others: by its digest."""
_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_LOGIN = re.compile(
    r"login|user_?name|e_?mail(_?address)?|account_?id|(sys_)?(created|updated)_?by|(author|user|real)_?name|who|handle"
    r"|user_?ref|user_?entity_?ref",
    re.IGNORECASE,
)
"""Fields that hold one of a person's names wherever they stand."""
_SOMEBODY = re.compile(
    r"author|creator|reporter|assignee|acknowledger|actor|agent|users?|members?|caller_id|assigned_to|initiated_?by"
    r"|created_?by|requester|submitter|committer|merged_?by|sender|profile|opened_?by|approver|reviewer",
    re.IGNORECASE,
)
"""Fields that hold a person."""
_NAME = re.compile(r"id|ref|key|slug|name|full_?name|display_?(name|value)|value|summary|title", re.IGNORECASE)
"""What a person is called there; what else stands there tells of what kind they are and how to reach them."""
_BESIDE = ("labels", "annotations", "metric")
"""Words of anybody's choosing, by name, of an object or of a series."""
_CONTACT = "contact"


def marked(text: str) -> str:
    """The same name with the mark, a mail address still one."""
    name, at, host = text.partition("@")
    return f"{name}{MARK}{at}{host}"


@dataclass(frozen=True, slots=True)
class Planter:
    """Puts the mark on people in answers of any form."""

    words: tuple[str, ...] = ()
    """Names that stand in what is no JSON: lines of a log, rows of a table."""
    machines: frozenset[str] = frozenset()
    """Fields that look like logins and hold what no person is called."""
    planted: set[str] = field(default_factory=set)
    """Who came by, as the answers called them."""

    def in_text(self, text: str) -> str:
        """A text with its mail addresses, and the `words`, marked."""
        found = _MAIL.sub(lambda match: self._one(match[0]), text)
        for word in self.words:
            found = re.sub(rf"(?<![\w@.-]){re.escape(word)}(?![\w@.-])", lambda match: self._one(match[0]), found)
        return found

    def in_json(self, value: Any, key: str = "", *, somebody: bool = False) -> Any:
        """A decoded answer with all people in it marked, and one more person among the labels of each object."""
        if isinstance(value, Mapping):
            told = {k: self.in_json(v, k, somebody=self._is_somebody(k, v, inside=somebody)) for k, v in value.items()}
            return {**told, _CONTACT: self._one("carla")} if key in _BESIDE else told
        if isinstance(value, list):
            return [self.in_json(item, key, somebody=somebody) for item in value]
        if not isinstance(value, str) or not value.strip():
            return value
        login = key not in self.machines and _LOGIN.fullmatch(key)
        if login or (somebody and (_NAME.fullmatch(key) or _SOMEBODY.fullmatch(key))):
            return self._one(value)
        return _MAIL.sub(lambda match: self._one(match[0]), value)

    def in_answer(self, body: Any) -> Any:
        """The body of an answer: JSON, a text, lines, files by path, or how an endpoint answered."""
        if isinstance(body, Look) or body is None:
            return body
        if isinstance(body, bytes):
            try:
                return msgspec.json.encode(self.in_json(msgspec.json.decode(body)))
            except (msgspec.DecodeError, UnicodeDecodeError):
                return self._bytes(body)
        if isinstance(body, str):
            return self.in_text(body)
        if isinstance(body, list) and any(isinstance(line, bytes) for line in body):
            return [self.in_answer(line) for line in body]
        return self.in_json(msgspec.json.decode(msgspec.json.encode(body)))

    def in_files(self, held: Mapping[str, bytes | str]) -> dict[str, bytes | str]:
        """What files hold, by their paths."""
        return {path: self._bytes(text) if isinstance(text, bytes) else self._held(text) for path, text in held.items()}

    def _held(self, text: str) -> str:
        try:
            return msgspec.json.encode(self.in_json(msgspec.json.decode(text))).decode()
        except msgspec.DecodeError:
            return self.in_text(text)

    def _bytes(self, body: bytes) -> bytes:
        try:
            return self._held(body.decode()).encode()
        except UnicodeDecodeError:  # packed: nothing in it is marked
            return body

    @staticmethod
    def _is_somebody(key: str, value: Any, *, inside: bool) -> bool:
        """Whether what stands under this key is a person, or inside of one; machines are none."""
        if isinstance(value, Mapping) and str(value.get("type", "")).lower() in ("bot", "organization"):
            return False
        return inside or _SOMEBODY.fullmatch(key) is not None

    def _one(self, name: str) -> str:
        self.planted.add(name)
        return marked(name)


class Watching(FakeOutside):
    """A case's system with people planted in it; who was hashed is remembered, with the hash."""

    def __init__(self, answers: Answers, planter: Planter) -> None:
        super().__init__({})
        self.hashes: dict[str, str] = {}
        """Everybody who was hashed, by hash."""
        self._hashing = threading.Lock()
        self.world(answers, planter)

    def world(self, answers: Answers, planter: Planter) -> None:
        """From now on it answers so."""
        inner = FakeOutside(answers() if callable(answers) else answers).answering

        def answer(call: Call) -> Reply:
            reply = inner(call)
            plant = planter.in_files if call.method in ("FILES", "FILE") and reply.body else planter.in_answer
            return replace(reply, body=plant(reply.body))

        self.answering = answer

    def hashed(self, person: str) -> str:
        found = hashlib.sha256(f"pepper {person}".encode()).hexdigest()[:32]
        with self._hashing:
            self.hashes[found] = person
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunt:
    """What came of a source that was told of planted people."""

    told: Told
    """Of a poll, and of what was pushed."""
    planted: frozenset[str]
    hashed: frozenset[str]
    """Planted people whom the source asked to hash."""
    leaks: tuple[str, ...]
    """Everything that it lets out with somebody in it, in clear."""
    unhashed: tuple[str, ...]
    """What stands in fields of people and is no hash that it was given."""


def hunt(source: Source[Any], case: Case, *, later: bool = False, machines: Iterable[str] = ()) -> Hunt:
    """Poll the case's world and read its requests, with people planted in all of it.

    Args:
        source: the one that may let somebody out.
        case: its settings and its worlds.
        later: poll its later world too, from where the first poll ended.
        machines: fields that look like logins and hold what no person is called.
    """
    planter = Planter(words=tuple(word for word in case.people if word.isalnum()), machines=frozenset(machines))
    outside = Watching(case.answers, planter)
    polled = replace(case, pushed=(), hooks=())
    told = poll(source, polled, outside, whole=True)
    if later and case.later is not None:
        outside.world(case.later.answers, planter)
        before, told = told, poll(source, polled, outside, later=case.later.after, before=told, whole=True)
        told.facts[:0], told.pages[:0] = before.facts, before.pages
    if source.receives is not None:
        for one in (*case.pushed, *case.hooks):
            request = replace(one, body=planter.in_answer(one.body), hashed=outside.hashed)
            told.facts += source.receives.read(settings(source, case), request)
    named = [(fact, person) for fact in told.facts for person in people(fact)]
    return Hunt(
        told=told,
        planted=frozenset(planter.planted),
        hashed=frozenset(person for person in outside.hashes.values() if MARK in person.casefold()),
        leaks=tuple(_with_the_mark(told, outside)),
        unhashed=tuple(
            f"{type(fact).__name__}: {person}"
            for fact, person in named
            if person not in outside.hashes and not person.startswith(NOBODY)
        ),
    )


def _with_the_mark(told: Told, outside: Watching) -> Iterable[str]:
    """Facts field by field, places to go on from, and texts that people see."""
    for fact in told.facts:
        for name in type(fact).__dataclass_fields__:
            if MARK in (said := repr(getattr(fact, name))).casefold():
                yield f"{type(fact).__name__}.{name}: {said}"
    for stream, checkpoint in told.checkpoints.items():
        if MARK.encode() in (checkpoint or b"").lower():
            yield f"checkpoint of {stream}: {checkpoint!r}"
    seen = [*outside.gaps, *(page.progress for page in told.pages), *map(str, told.errors.values())]
    yield from (repr(one) for one in seen if MARK in repr(one).casefold())
    for page in told.pages:
        yield from (f"gone: {key}" for _, key in page.gone if MARK in key.casefold())
