"""A cluster of a cloud as a credential: where it is and a token for it, both told by the cloud and renewed."""

from __future__ import annotations

import hashlib
import logging
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from platform_meter.model.source import SourceError
from platform_meter.runtime.outside.grants import Grant, Signer, fingerprint

log = logging.getLogger(__name__)

_EARLY = timedelta(minutes=5)
"""A token is replaced this long before it ends, one of a short life after two thirds of it."""
_STANDS = timedelta(hours=1)
"""Address and authority are asked for again after this long: clusters are moved, and authorities replaced."""
_QUIET = timedelta(minutes=1)
"""A cloud that gave nothing is asked again after this long, and no 401 gets a second new token before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a cluster is."""

    base: str
    """Address of its API server."""
    authority: str = ""
    """PEM of the certificate authority of that; empty for those that this machine trusts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What lets in until it ends."""

    token: str = field(repr=False)
    ends: datetime
    signer: Signer | None = field(repr=False, default=None)
    """Signs each request, in place of the token in its header."""


class Cloud(Protocol):
    """A cluster as its cloud tells of it. All calls raise the errors of `model.source.Outside` and nothing else."""

    @property
    def identity(self) -> tuple[str, ...]:
        """What stays the same from token to token."""
        ...

    def sign_in(self, now: datetime) -> Pass:
        """A new token, from the cloud's credentials as they stand now."""
        ...

    def place(self) -> Place:
        """Ask where the cluster is, as who signed in last."""
        ...


class CloudReader:
    """What one cluster of a cloud grants. Threads may share it."""

    def __init__(self, cloud: Cloud, *, headers: Mapping[str, str], clock: Callable[[], datetime]) -> None:
        self._cloud, self._headers, self._clock = cloud, dict(headers), clock
        self._lock = threading.Lock()
        self._pass: tuple[datetime, Pass] | None = None
        self._place: tuple[datetime, Place] | None = None
        self._failed: tuple[datetime, SourceError] | None = None
        self._folder: Path | None = None

    def grant(self) -> Grant:
        """Address, authority and token of this moment. What fails to be renewed is used as long as it holds."""
        with self._lock:
            now = self._clock()
            held, stands = self._pass, self._place
            if held is None or _outdated(*held, now) or stands is None or now - stands[0] >= _STANDS:
                held, stands = self._ask(now)
            return self._granted(held[1], stands[1])

    def renew(self, refused: Grant) -> bool:
        """Sign in and look for the cluster again, unless that was done within the last minute for this very grant."""
        with self._lock:
            if self._pass is None or self._place is None:
                return True  # somebody else was refused too, and saw to it
            made, held = self._pass
            if refused.secrets != (held.token,):
                return True
            if self._clock() - made < _QUIET:
                return False
            self._pass = self._place = self._failed = None
            return True

    def _ask(self, now: datetime) -> tuple[tuple[datetime, Pass], tuple[datetime, Place]]:
        """Renew what is due; a cloud that failed within the last minute is not asked."""
        error: SourceError | None = None
        if self._failed is not None and now - self._failed[0] < _QUIET:
            error = self._failed[1]
        else:
            try:
                if self._pass is None or _outdated(*self._pass, now):
                    self._pass = (now, self._cloud.sign_in(now))
                if self._place is None or now - self._place[0] >= _STANDS:
                    self._place = (now, self._cloud.place())
                self._failed = None
            except SourceError as found:
                self._failed, error = (now, found), found
                if self._pass is not None and self._place is not None and now < self._pass[1].ends:
                    until = f"{self._pass[1].ends:%H:%M:%S} UTC"
                    log.warning("%s; what was told before is used on until %s", found, until)
        if self._pass is None or self._place is None or (error is not None and now >= self._pass[1].ends):
            assert error is not None  # noqa: S101 - else both stand
            raise error.with_traceback(None)
        return self._pass, self._place

    def _granted(self, held: Pass, place: Place) -> Grant:
        bearer = {} if held.signer else {"Authorization": f"Bearer {held.token}"}
        return Grant(
            base=place.base,
            headers={**self._headers, **bearer},
            # Each sign-in gives another token; the breaker must still know it as the same credential.
            fingerprint=fingerprint(*self._cloud.identity),
            secrets=(held.token,),
            verify=self._file(place.authority) if place.authority else True,
            signer=held.signer,
        )

    def _file(self, authority: str) -> str:
        """A file with this PEM, which TLS wants. One that was handed out stays until this reader is gone."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="platform-meter-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        path = self._folder / f"{hashlib.sha256(authority.encode()).hexdigest()[:16]}.pem"
        if not path.is_file():
            path.write_text(authority)
        return str(path)


def _outdated(made: datetime, held: Pass, now: datetime) -> bool:
    return now >= held.ends - min(_EARLY, (held.ends - made) / 3)
