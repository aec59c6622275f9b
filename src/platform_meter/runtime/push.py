"""What other systems push: whose it is, whether its signature lets it in, what it says; stored before it is answered."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel

from platform_meter.model.push import Pushed, Receiver, Unreadable
from platform_meter.model.source import Refused
from platform_meter.runtime.access.signatures import fits, is_signed
from platform_meter.runtime.outside.credentials import SecretReader
from platform_meter.runtime.poller import Instance
from platform_meter.store import Store, StoreError, Written

log = logging.getLogger(__name__)

PUSH = "push"
"""Source type that is pushed to where no source is named."""


class Signed(StrEnum):
    """What a signature says of who sent something."""

    NOTHING = "nothing"
    """There is none, or nothing to hold it against: only a role lets it in."""
    RIGHT = "right"
    WRONG = "wrong"


class Outcome(StrEnum):
    """How something pushed ends."""

    OK = "ok"
    UNREADABLE = "unreadable"
    REFUSED = "refused"
    """Whoever sent it has neither the role nor the right signature."""
    FAILED = "failed"
    """The store could not be used, or reading it has a bug."""


class NoReceiver(LookupError):
    """Nobody takes it; the text is for who sent it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One request with something pushed."""

    to: str | None
    """The source; None for the one of type `push`."""
    headers: Mapping[str, str]
    """By name in small letters."""
    body: Callable[[], bytes]
    """Reads it: of what carries no credential it is not read at all."""


class Inbox:
    """Takes what is pushed to sources. For any number of threads.

    Args:
        store: where its facts go.
        instances: every configured source.
        hashed: by source, how people are hashed there.
        environ: variables that secrets may stand in.
        clock: the current time, UTC.
        changed: called after facts were stored.
        count: called with (source type, source, outcome) for each delivery to a source that takes some.
        most: bytes of one body.
    """

    def __init__(
        self,
        store: Store,
        instances: Sequence[Instance],
        *,
        hashed: Mapping[str, Callable[[str], str]],
        environ: Mapping[str, str],
        clock: Callable[[], datetime],
        changed: Callable[[], None],
        count: Callable[[str, str, str], None],
        most: int,
    ) -> None:
        self._store, self._hashed, self._environ, self._clock = store, hashed, environ, clock
        self._changed, self._count, self.most = changed, count, most
        self._instances = {i.name: i for i in instances}
        self._said: set[tuple[str, str]] = set()

    def signed(self, delivery: Delivery) -> Signed:
        """Whether it is signed with the secret of the source that it is for.

        One signature that is sent again is right again, within the time that its scheme allows: its facts count once.
        """
        try:
            instance, receiver = self._receiver(delivery.to)
        except NoReceiver:
            return Signed.NOTHING
        secret = receiver.secret(instance.settings)
        if receiver.scheme is None or secret is None or not is_signed(receiver.scheme, delivery.headers):
            return Signed.NOTHING
        try:
            known = SecretReader(secret, self._environ).read()
        except Refused as error:
            if (instance.name, str(error)) not in self._said:  # once: a stranger could have it said with each request
                self._said.add((instance.name, str(error)))
                log.warning("%s: its webhook secret lets nothing in: %s", instance.name, error)
            return Signed.WRONG
        right = fits(receiver.scheme, known, delivery.headers, delivery.body(), self._clock())
        return Signed.RIGHT if right else Signed.WRONG

    def refused(self, delivery: Delivery) -> None:
        """Who sent it was not let in."""
        try:
            instance, _ = self._receiver(delivery.to)
        except NoReceiver:
            return
        self._count(instance.source.name, instance.name, Outcome.REFUSED)

    def take(self, delivery: Delivery) -> Written:
        """Store what it says; what came before is repeated, and changes nothing.

        Raises:
            NoReceiver: no source takes it.
            Unreadable: nobody can read it; nothing of it is stored.
            StoreError: the store can't be used; nothing of it is stored.
        """
        instance, receiver = self._receiver(delivery.to)
        outcome = Outcome.FAILED
        try:
            at = self._clock()
            pushed = Pushed(headers=delivery.headers, body=delivery.body(), at=at, hashed=self._hashed[instance.name])
            events = receiver.read(instance.settings, pushed)
            lookback = instance.settings.overlap
            written = self._store.take(instance.name, instance.source.name, events, now=at, lookback=lookback)
            outcome = Outcome.OK
        except Unreadable:
            outcome = Outcome.UNREADABLE
            raise
        except StoreError as error:
            log.warning("%s: what was pushed was not stored, and who sent it was told so: %s", instance.name, error)
            raise
        finally:
            self._count(instance.source.name, instance.name, outcome)
        if written.rejected:
            told = ", ".join(f"{n} {reason}" for reason, n in sorted(written.rejected.items()))
            log.info("%s: events that were pushed are refused: %s", instance.name, told)
        self._changed()
        return written

    def _receiver(self, name: str | None) -> tuple[Instance, Receiver[BaseModel]]:
        named = [i for i in self._instances.values() if (i.source.name == PUSH if name is None else i.name == name)]
        found = [(i, i.source.receives) for i in named if i.source.receives is not None]
        if len(found) == 1:
            return found[0]
        taking = [f"/api/v1/events/{i.name}" for i in self._instances.values() if i.source.receives is not None]
        instead = f"push to {' or '.join(sorted(taking))}" if taking else "no other source takes what is pushed"
        if name is None and found:
            raise NoReceiver(f"several sources have the type {PUSH}; {instead}")
        if name is None:
            raise NoReceiver(f"no source has the type {PUSH}; add NAME: {{type: {PUSH}}} to sources, or {instead}")
        if named:
            raise NoReceiver(f"source '{name}' of type {named[0].source.name} takes nothing pushed; {instead}")
        raise NoReceiver(f"no source is called '{name}'; {instead}")
