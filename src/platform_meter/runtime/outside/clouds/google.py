"""Google as whom google-auth finds in the environment: signing in, and one API that is entered with the token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from platform_meter.model.access import Google
from platform_meter.model.source import Refused, SourceError, Unreachable
from platform_meter.runtime.outside.clouds.calls import TRIES, Calls
from platform_meter.runtime.outside.clouds.reader import Pass, Place

SCOPES = ("https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/userinfo.email")
"""What gke-gcloud-auth-plugin asks for: the first for Google's APIs, the second so that RBAC may name us by e-mail."""
_UNTOLD = timedelta(minutes=30)
"""Taken as the life of a token whose end is not told; Google's live an hour."""


class GoogleIdentity:
    """Who we are at Google, anew at each sign-in: a key file, gcloud's, or the metadata server.

    Args:
        key_file: path of a key; empty for what is found without one.
        calls: carries what google-auth asks on the way.
        where: what is entered, as errors name it.
    """

    def __init__(self, key_file: str, calls: Calls, *, where: str) -> None:
        self._key_file, self._calls, self._where = key_file, calls, where

    def sign_in(self, now: datetime) -> Pass:
        """A new token.

        Raises:
            SourceError: nobody is found, or Google gives none.
        """
        with self._told():
            found = self._found()
            found.refresh(_Carrier(self._calls))
            token, expiry = str(found.token), found.expiry
        return Pass(token=token, ends=now + _UNTOLD if expiry is None else expiry.replace(tzinfo=UTC))

    def _found(self) -> Any:
        """Credentials as they stand now."""
        import google.auth
        from google.oauth2 import service_account

        if self._key_file:
            path = str(Path(self._key_file).expanduser())
            return service_account.Credentials.from_service_account_file(path, scopes=SCOPES)
        request: Any = _Carrier(
            self._calls, looking=True
        )  # its base class would have to be imported before it is needed
        return google.auth.default(scopes=SCOPES, request=request)[0]

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What goes wrong in here is told as an error of ours, with what to mend."""
        try:
            from google.auth.exceptions import GoogleAuthError
        except ImportError:
            raise Refused(f"{self._where} needs google-auth: pip install platform-meter[gcp]") from None
        try:
            yield
        except SourceError:
            raise
        except (GoogleAuthError, ValueError, KeyError, OSError) as error:
            # Of others the text may quote what was read.
            why = type(error).__name__
            if isinstance(error, GoogleAuthError) and error.args:
                why = str(error.args[0])[:300]
            elif isinstance(error, OSError) and error.filename:
                why = f"{error.filename}: {error.strerror}"
            raise Refused(
                f"{self._where}: google-auth can't sign in ({why}); name a key in key_file or "
                "GOOGLE_APPLICATION_CREDENTIALS, or let the pod's service account be a Google one by workload identity"
            ) from None


class GoogleCloud:
    """`Cloud` of one API."""

    def __init__(self, credential: Google, calls: Calls) -> None:
        self._google = credential
        self._identity = GoogleIdentity(credential.key_file, calls, where=credential.url)

    @property
    def identity(self) -> tuple[str, ...]:
        return ("google", self._google.url, self._google.key_file)

    def sign_in(self, now: datetime) -> Pass:
        return self._identity.sign_in(now)

    def place(self) -> Place:
        return Place(base=self._google.url.rstrip("/"))


class _Answer:
    """`google.auth.transport.Response`."""

    def __init__(self, status: int, headers: Mapping[str, str], data: bytes) -> None:
        self.status, self.headers, self.data = status, headers, data


class _Carrier:
    """`google.auth.transport.Request`.

    Args:
        looking: whether anybody is there is only being found out: one try, and no answer is an answer to google-auth.
    """

    def __init__(self, calls: Calls, *, looking: bool = False) -> None:
        self._calls, self._looking = calls, looking

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: Any,
    ) -> _Answer:
        from google.auth.exceptions import TransportError

        try:
            tries = 1 if self._looking else TRIES
            said = self._calls.send(method, url, headers or {}, body, timeout=timeout, tries=tries)
        except Unreachable as error:
            if self._looking:
                raise TransportError(str(error)) from None
            raise
        return _Answer(said.status, said.headers, said.body)
