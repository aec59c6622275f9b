"""The weekly report, sent by itself: once a week by each way, by whichever replica comes first, also across restarts.

What was sent is kept in the store. It is kept as soon as the other side has taken the report: a process that is killed
between the two sends it twice, and the mail has the same Message-ID then.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from platform_meter.model.history import History
from platform_meter.model.kept import Fold
from platform_meter.model.source import SourceError
from platform_meter.model.typed import decode
from platform_meter.model.weeks import Week, last_whole
from platform_meter.runtime.files.report_settings import ReportSettings
from platform_meter.runtime.outside import mail
from platform_meter.runtime.outside.chat import post
from platform_meter.runtime.service import Service
from platform_meter.store import StoreError

log = logging.getLogger(__name__)

_NAME = "report"
"""Under which is kept what was sent."""
_TURN = "~report"
"""The lease that one replica has while it sends; no source can be called so."""
_LEASE = timedelta(minutes=5)
"""Longer than all ways take together."""
_AGAIN = timedelta(minutes=10)
"""Between two tries."""
_LOOK = 30.0
"""Seconds between two looks at the clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A report in the forms in which it is sent."""

    week: str
    subject: str
    made: datetime
    text: str
    html: str
    chat: str


class Way(msgspec.Struct, frozen=True):
    """What came of one way."""

    week: str = ""
    """The last one that was sent."""
    error: str = ""
    """Why the one after it was not, so far; empty where none is due."""


def sent(history: History) -> Mapping[str, Way]:
    """What came of each way: `mail`, `chat`."""
    fold = history.fold(_NAME)
    return {} if fold is None else decode(fold.body, dict[str, Way])


def send(settings: ReportSettings, way: str, letter: Letter, environ: Mapping[str, str]) -> None:
    """By one of the ways that the settings have.

    Raises:
        SourceError: it was not taken; the text says why.
    """
    if way == "chat" and settings.chat is not None:
        post(settings.chat, letter.chat, environ)
    elif way == "mail" and settings.mail is not None:
        made = mail.message(
            settings.mail,
            subject=letter.subject,
            key=f"report-{letter.week}",
            made=letter.made,
            text=letter.text,
            html=letter.html,
        )
        mail.send(settings.mail, made, environ)


def ways(settings: ReportSettings) -> list[str]:
    """Those that the settings have."""
    return [way for way in ("mail", "chat") if getattr(settings, way) is not None]


@dataclass(slots=True, kw_only=True)
class Reporting:
    """Sends reports while it runs. For one thread."""

    current: Callable[[], Service]
    """A reload puts another in its place."""
    write: Callable[[Service, Week], Letter]
    environ: Mapping[str, str]
    _tried: dict[str, datetime] = field(default_factory=dict)
    """By way, when it last failed here."""

    def look(self) -> None:
        """Send what is due. At the first look ever nothing is: what was before is nobody's to expect."""
        service = self.current()
        settings, now = service.config.report, service.clock()
        if settings.every is None:
            return
        week = last_whole(settings.every.last(now, service.zone), service.zone)
        if not self._due(service, week)[0] or service.store.acquire(_TURN, service.holder, _LEASE, now) is None:
            return
        try:
            self._send(service, settings, week, now)
        finally:
            service.store.release(_TURN, service.holder)

    def _due(self, service: Service, week: Week) -> tuple[list[str], Mapping[str, Way]]:
        """Ways by which this week was not sent, and that did not fail just now; and what came of each so far."""
        now = service.clock()
        with service.history() as history:
            known = sent(history)
        due = [
            way
            for way in ways(service.config.report)
            if known.get(way, Way()).week < week.label
            and not (way in self._tried and self._tried[way] <= now < self._tried[way] + _AGAIN)
        ]
        return due, known

    def _send(self, service: Service, settings: ReportSettings, week: Week, now: datetime) -> None:
        # Asked again under the lease: another replica may have sent it since.
        due, told = self._due(service, week)
        known = dict(told)
        letter = self.write(service, week) if any(way in known for way in due) else None
        for way in due:
            error = ""
            if way in known and letter is not None:
                try:
                    send(settings, way, letter, self.environ)
                except SourceError as failed:
                    error = str(failed)
                    self._tried[way] = now
                    log.warning("the report of %s was not sent by %s: %s", week.label, way, error)
            known[way] = Way(week=known.get(way, Way()).week if error else week.label, error=error)
            service.store.put_fold(_NAME, Fold(made_under="", body=msgspec.json.encode(known)))


def run(reporting: Reporting, stop: threading.Event) -> None:
    """Look until `stop` is set; what goes wrong is logged, and tried again."""
    while not stop.wait(_LOOK):
        try:
            reporting.look()
        except StoreError as error:
            log.warning("the report waits for the store: %s", error)
        except Exception:
            log.exception("the report could not be made")
            stop.wait(_AGAIN.total_seconds())
