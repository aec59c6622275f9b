"""Answers and invitations of rows: numbers and salted hashes; no text is kept."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from platform_meter.model.facts import Ref
from platform_meter.model.facts.surveys import Invitation, SurveyResponse
from platform_meter.model.ownership import RESPONDENTS
from platform_meter.model.personal import by_person
from platform_meter.model.surveying import folded
from platform_meter.sources.kit.pushed import SKEW
from platform_meter.sources.kit.rows import sound
from platform_meter.sources.surveys.config import SYSTEM, Config
from platform_meter.sources.surveys.rows import ID, Answer

NO_TEAM = "unknown"
MOST_LETTERS = 100
"""Of a team or a persona."""
_ANSWER = re.compile(r"\s*([0-9]{1,3})(?:\.0+)?\s*(?:[-\u2013\u2014:.)](?:\s.*)?)?", re.DOTALL)
"""A number, also with what it means behind it: `10 - very likely`."""
_PARTED = re.compile(r"[;,]")
"""Between answers of a question that takes several, as exports write them."""
_NUMBER = re.compile(r"[0-9]{9,13}(\.[0-9]{1,9})?")
_GOOGLE = re.compile(
    r"(\d{4})/(\d{1,2})/(\d{1,2}) (\d{1,2}):(\d\d):(\d\d) ([AaPp])[Mm] (?:GMT|UTC)([+-]\d{1,2})?(?::?(\d\d))?"
)
_MILLISECONDS = 1e11
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HALF_A_DAY = 12


class Odd(ValueError):
    """A row that is left out and counted; `reason` is a bounded word."""

    def __init__(self, text: str, reason: str = "invalid") -> None:
        super().__init__(text)
        self.reason = reason


def response(
    config: Config, row: Answer, hashed: Callable[[str], str], now: datetime, seen: Counter[str]
) -> tuple[SurveyResponse | None, int]:
    """What a row answers, and how many of its answers can't be read; None where it answers nothing that can.

    Raises:
        Odd: nobody knows when it was.
    """
    at = moment(config, row.get(config.at), now)
    answers, odd = _answers(config, row)
    if not answers:
        return None, odd
    person, key = _who(config, row, hashed, at, seen, answers)
    told = SurveyResponse(
        key=key,
        at=at,
        about=group(_word(row.get(config.team))),
        survey=config.survey,
        respondent=person or key,
        answers=answers,
        persona=_word(row.get(config.persona)),
    )
    return told, odd


def invitation(config: Config, row: Answer, hashed: Callable[[str], str], now: datetime) -> Invitation:
    """Who a row says was asked.

    Raises:
        Odd: nobody knows who or when.
    """
    at, person = moment(config, row.get(config.at), now), _person(row.get(config.respondent), hashed)
    if not person:
        raise Odd(f"nothing stands under {config.respondent!r}")
    id_ = row.get(ID)
    return Invitation(
        key=f"asked/{digest(str(id_)) if id_ else by_person(digest(person, at.isoformat()))}",
        at=at,
        about=group(_word(row.get(config.team))),
        survey=config.survey,
        respondent=person,
        persona=_word(row.get(config.persona)),
    )


def group(team: str) -> Ref:
    """Those who answer, by the team that they name; the name of a team owns what they say."""
    return Ref(system=SYSTEM, kind=RESPONDENTS, id=team or NO_TEAM)


def digest(*parts: str) -> str:
    """One word for all of them."""
    return blake2b(msgspec.json.encode(parts), digest_size=12).hexdigest()


def moment(config: Config, value: Any, now: datetime) -> datetime:
    """In UTC.

    Raises:
        Odd: it is none, or still to come.
    """
    try:
        at = sound(_read(config, value), config.at).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise Odd(f"what stands under {config.at!r} is no moment") from None
    if at > now + SKEW:
        raise Odd("it has not been yet", "future")
    return at


def _read(config: Config, value: Any) -> datetime:
    text, zone = str(value).strip() if isinstance(value, str | int | float) else "", ZoneInfo(config.zone)
    if config.format:
        at = datetime.strptime(text, config.format)  # noqa: DTZ007 - the zone comes next
    elif _NUMBER.fullmatch(text):
        seconds = float(text)
        return _EPOCH + timedelta(seconds=seconds if seconds < _MILLISECONDS else seconds / 1_000)
    elif found := _GOOGLE.fullmatch(text):
        year, month, day, hour, minute, second = map(int, found.groups()[:6])
        hour = hour % _HALF_A_DAY + (_HALF_A_DAY if found[7] in "pP" else 0)
        hours, minutes = int(found[8] or 0), int(found[9] or 0)
        ahead = timedelta(hours=hours, minutes=math.copysign(minutes, hours))
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC) - ahead
    else:
        at = datetime.fromisoformat(text)
    return at if at.tzinfo is not None else at.replace(tzinfo=zone)


def _answers(config: Config, row: Answer) -> tuple[tuple[tuple[str, float], ...], int]:
    """By field, sorted; and how many cells hold something else."""
    found: dict[str, float] = {}
    odd = 0
    for name, (low, high) in sorted(config.fields.items()):
        value = row.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        read = _number(value)
        if read is None or not low <= read <= high:
            odd += 1
        else:
            found[name] = read
    for name, options in config.themes.items():
        some, other = _themes(row.get(name), options)
        found |= dict.fromkeys(some, 1.0)
        odd += other
    return tuple(sorted(found.items())), odd


def _themes(value: Any, options: Mapping[str, str]) -> tuple[set[str], int]:
    """The themes that a cell names, and how many of its answers name none: one answer, a list, or a text of several."""
    texts = [text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str) and text.strip()]
    parts = [part for text in texts for part in ([text] if folded(text) in options else _PARTED.split(text))]
    given = [folded(part) for part in parts if part.strip()]
    return {options[text] for text in given if text in options}, sum(text not in options for text in given)


def _number(value: Any) -> float | None:
    if isinstance(value, str) and (found := _ANSWER.fullmatch(value)):
        value = int(found[1])
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if plain and math.isfinite(value) and value == int(value) else None


def _who(
    config: Config,
    row: Answer,
    hashed: Callable[[str], str],
    at: datetime,
    seen: Counter[str],
    answers: tuple[tuple[str, float], ...],
) -> tuple[str, str]:
    """The person, empty where the survey is anonymous, and the key of the answer: by its id, by who and when, or, of
    nobody, by when and its place among those that are all the same.
    """
    person = _person(row.get(config.respondent), hashed)
    id_ = row.get(ID)
    if isinstance(id_, str | int) and str(id_).strip():
        return person, f"id/{digest(str(id_))}"
    if person:
        return person, by_person(digest(person, at.isoformat()))
    said = digest(at.isoformat(), *(f"{name}={value:g}" for name, value in answers))
    seen[said] += 1
    return "", f"nobody/{said}/{seen[said]}"


def _person(value: Any, hashed: Callable[[str], str]) -> str:
    text = str(value).strip().lower() if isinstance(value, str | int) else ""
    return hashed(text) if text else ""


def _word(value: Any) -> str:
    """A name of a team or a persona; what may be a person's address is none."""
    text = value.strip() if isinstance(value, str) else ""
    return text if len(text) <= MOST_LETTERS and text.isprintable() and "@" not in text else ""
