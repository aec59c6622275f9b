"""Own forms of surveys: who is invited gets a link that answers once. Of a link only a hash is stored.

A link is all the credential there is. Its hash is the key of the invitation and of the answer, so that an answer is stored
once whoever sends it how often, and whatever fails in between.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from platform_meter.model.definitions import Definitions, Survey
from platform_meter.model.facts import Ref
from platform_meter.model.facts.surveys import Invitation, SurveyResponse
from platform_meter.model.ownership import RESPONDENTS
from platform_meter.store import Store, StoredHistory

SYSTEM = "surveys"
"""Source type of forms."""
_BYTES = 18
"""Of a link's chance: more than anybody can try."""
_LETTERS = 64
_NO_TEAM = "unknown"


class Closed(LookupError):
    """Nothing can be answered here; the text is for who tries. `known`: the link is one of ours."""

    def __init__(self, text: str, *, known: bool = False) -> None:
        super().__init__(text)
        self.known = known


class Unfit(ValueError):
    """What was sent is no answer; the text is for who sent it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who is to be asked."""

    name: str
    """What the survey's `respondent` holds: a mail address."""
    team: str = ""
    persona: str = ""


class Forms:
    """The forms of all surveys that have one. For any number of threads.

    Args:
        store: where invitations and answers go.
        history: a view of it.
        definitions: the surveys.
        zone: cuts their waves.
        clock: the current time, UTC.
    """

    def __init__(
        self,
        store: Store,
        history: Callable[[], AbstractContextManager[StoredHistory]],
        definitions: Definitions,
        *,
        zone: ZoneInfo,
        clock: Callable[[], datetime],
    ) -> None:
        self._store, self._history, self._zone, self._clock = store, history, zone, clock
        self._surveys = {one.id: one for one in definitions.surveys if one.source.type == "form"}

    def opened(self, survey: str, link: str) -> Survey:
        """The survey that this link may answer now.

        Raises:
            Closed: it may not.
        """
        return self._invited(survey, link)[0]

    def answer(self, survey: str, link: str, answers: Mapping[str, int]) -> None:
        """Store what somebody answers, by field.

        Raises:
            Closed: the link may not answer, or has answered.
            Unfit: nothing is answered, or something that is not asked or not on its scale.
            StoreError: nothing is stored.
        """
        asked, invitation = self._invited(survey, link)
        bounds = asked.bounds
        for name, value in answers.items():
            low, high = bounds.get(name, (1, 0))
            if not low <= value <= high:
                raise Unfit("something was sent that this survey does not ask; go back and choose again")
        if not answers:
            raise Unfit("nothing is answered yet; choose an answer to one question or more")
        now = self._clock()
        told = SurveyResponse(
            key=f"answer/{_digest(link)}",
            at=now,
            about=invitation.about,
            survey=asked.id,
            respondent=invitation.respondent,
            answers=tuple(sorted((name, float(value)) for name, value in answers.items())),
            persona=invitation.persona,
        )
        if not self._store.take(asked.instance, SYSTEM, [told], now=now, lookback=timedelta(0)).new:
            raise _used()

    def invite(self, survey: str, people: Iterable[Person], hashed: Callable[[str], str]) -> Sequence[tuple[str, str]]:
        """A name and a new link for each; who stands there twice has one.

        Raises:
            Closed: there is no such form.
            StoreError: nobody is invited.
        """
        asked = self._surveys.get(survey)
        if asked is None:
            there = ", ".join(sorted(self._surveys)) or "none"
            raise Closed(f"no Survey file with source: {{type: form}} has the id '{survey}'; there are: {there}")
        now, made, known, told = self._clock(), dict[str, str](), set[str](), list[Invitation]()
        for person in people:
            name = person.name.strip()
            if not name or name.lower() in known:
                continue
            known.add(name.lower())
            made[name] = link = secrets.token_urlsafe(_BYTES)
            told.append(
                Invitation(
                    key=f"asked/{_digest(link)}",
                    at=now,
                    about=Ref(system=SYSTEM, kind=RESPONDENTS, id=person.team.strip() or _NO_TEAM),
                    survey=asked.id,
                    respondent=hashed(name.lower()),
                    persona=person.persona.strip(),
                )
            )
        self._store.take(asked.instance, SYSTEM, told, now=now, lookback=timedelta(0))
        return list(made.items())

    def _invited(self, survey: str, link: str) -> tuple[Survey, Invitation]:
        asked = self._surveys.get(survey)
        if asked is None or not 0 < len(link) <= _LETTERS:
            raise _unknown()
        digest = _digest(link)
        with self._history() as history:
            invitation = history.event(Invitation, asked.instance, f"asked/{digest}")
            answered = history.event(SurveyResponse, asked.instance, f"answer/{digest}")
        if invitation is None:
            raise _unknown()
        if answered is not None:
            raise _used()
        if asked.around(invitation.at, self._zone)[1] <= self._clock():
            raise Closed(f"this survey was that of {asked.wave_of(invitation.at, self._zone)}, and is over", known=True)
        return asked, invitation


def _unknown() -> Closed:
    return Closed("this is no link that was sent to anybody; open the one in your mail")


def _used() -> Closed:
    return Closed("this link has been used: your answer is stored, and counts once", known=True)


def _digest(link: str) -> str:
    return hashlib.blake2b(link.encode(errors="replace"), digest_size=16).hexdigest()
