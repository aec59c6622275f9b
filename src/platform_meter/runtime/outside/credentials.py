"""What a request carries to be let in. Secrets are read anew at each use and never shown: not in texts, logs or reprs."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from platform_meter.model.source import Access, Refused, Secret
from platform_meter.runtime.outside.grants import Credentials, Grant, fingerprint
from platform_meter.runtime.outside.kubeconfig import Kubeconfig

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where Kubernetes puts a pod's token and its CA."""
_LONGEST = 64 * 1024


class FileReader:
    """The text of a small file, read again when the file has changed (mounted secrets are swapped by symlink)."""

    def __init__(self, path: Path, what: str) -> None:
        self._path, self._what = path, what
        self._seen: tuple[int, int, int] | None = None
        self._text = ""

    def read(self) -> str:
        """The stripped text.

        Raises:
            Refused: the file is missing, unreadable or empty.
        """
        try:
            stat = self._path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if stamp != self._seen:
                with self._path.open("rb") as file:
                    self._text = file.read(_LONGEST).decode().strip()
                self._seen = stamp
        except OSError as error:
            raise Refused(
                f"{self._what} {self._path} can't be read: {error.strerror}; create it or name another file"
            ) from error
        except UnicodeDecodeError:
            raise Refused(f"{self._what} {self._path} is not UTF-8 text; write the bare value into it") from None
        if not self._text:
            raise Refused(f"{self._what} {self._path} is empty; write the value into it")
        return self._text


class SecretReader:
    """The value of one `Secret`."""

    def __init__(self, secret: Secret, environ: Mapping[str, str]) -> None:
        self._name = secret.env
        self._environ = environ
        self._file = None if secret.file is None else FileReader(Path(secret.file).expanduser(), "the secret file")
        self._where = f"the variable {secret.env}" if secret.file is None else f"the secret file {secret.file}"

    def read(self) -> str:
        """The value as it stands now, stripped.

        Raises:
            Refused: it is missing, empty, or can't be sent in a header.
        """
        if self._file is not None:
            value = self._file.read()
        else:
            value = self._environ.get(self._name or "", "").strip()
            if not value:
                raise Refused(f"{self._where} is not set; set it to the secret's value, or name a file")
        if not (value.isascii() and value.isprintable()):
            # A header with a line break in it would be refused later with the value in the message.
            raise Refused(f"{self._where} holds a line break or a character outside ASCII; write the bare value")
        return value


def check_url(url: str) -> str:
    """`url` without a slash at its end.

    Raises:
        ValueError: it is no http(s) URL, or carries credentials, a query or a fragment. The text holds no credential.
    """
    try:
        parsed = parse_url(url)
    except LocationParseError:
        raise ValueError("the url can't be read; write https://HOST or https://HOST:PORT/PATH") from None
    if parsed.auth is not None:
        raise ValueError(
            f"the url of {parsed.host} carries credentials; leave them out and use 'token' or 'basic' with a secret"
        )
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise ValueError(f"url {url!r} is no http address; write https://HOST or https://HOST:PORT/PATH")
    if parsed.query is not None or parsed.fragment is not None:
        raise ValueError(
            f"the url of {parsed.host} has a query or fragment; only scheme, host, port and path belong there"
        )
    return url.rstrip("/")


class _Static:
    """A fixed address with a token, a user and password, secret headers, or nothing."""

    def __init__(self, access: Access, environ: Mapping[str, str]) -> None:
        self._base = check_url(access.url)
        self._headers = dict(access.headers)
        self._prefix = access.token_prefix
        self._verify: bool | str = str(Path(access.ca_file).expanduser()) if access.ca_file else True
        self._token = None if access.token is None else SecretReader(access.token, environ)
        self._user = "" if access.basic is None else access.basic[0]
        self._password = None if access.basic is None else SecretReader(access.basic[1], environ)
        self._secret_headers = {k: SecretReader(v, environ) for k, v in access.secret_headers.items()}

    def grant(self) -> Grant:
        headers = dict(self._headers)
        secrets: list[str] = []
        for name, reader in self._secret_headers.items():
            headers[name] = reader.read()
            secrets.append(headers[name])
        if self._token is not None:
            token = self._token.read()
            # `Token token=KEY` takes no blank between the two.
            glue = "" if not self._prefix or self._prefix.endswith("=") else " "
            headers["Authorization"] = f"{self._prefix}{glue}{token}"
            secrets.append(token)
        if self._password is not None:
            password = self._password.read()
            pair = base64.b64encode(f"{self._user}:{password}".encode()).decode()
            headers["Authorization"] = f"Basic {pair}"
            secrets += [password, pair]
        return Grant(
            base=self._base,
            headers=headers,
            fingerprint=fingerprint(self._user, *secrets) if secrets else "",
            secrets=tuple(secrets),
            verify=self._verify,
        )

    def renew(self) -> bool:
        return False  # read anew at each use already


class _InCluster:
    """The pod's own service account."""

    def __init__(self, access: Access, environ: Mapping[str, str], account: Path) -> None:
        self._environ = environ
        self._headers = dict(access.headers)
        self._ca = access.ca_file or str(account / "ca.crt")
        self._token = FileReader(account / "token", "the service account token")

    def grant(self) -> Grant:
        host, port = (self._environ.get(f"KUBERNETES_SERVICE_{part}", "") for part in ("HOST", "PORT"))
        if not host:
            raise Refused(
                "in_cluster works only in a pod (KUBERNETES_SERVICE_HOST is not set); use kubeconfig elsewhere"
            )
        if not Path(self._ca).is_file():
            raise Refused(f"the cluster's CA {self._ca} does not exist; mount the service account or set ca_file")
        token = self._token.read()
        name = f"[{host}]" if ":" in host else host
        return Grant(
            base=f"https://{name}:{port or '443'}",
            headers={**self._headers, "Authorization": f"Bearer {token}"},
            fingerprint=fingerprint(token),
            secrets=(token,),
            verify=self._ca,
        )

    def renew(self) -> bool:
        return False


def credentials(
    access: Access,
    *,
    clock: Callable[[], datetime],
    environ: Mapping[str, str] = os.environ,
    service_account: Path = SERVICE_ACCOUNT,
) -> Credentials:
    """The reader of what `access` names.

    Raises:
        ValueError: the settings contradict each other or the URL is unusable.
    """
    ways = {
        "token": access.token is not None,
        "basic": access.basic is not None,
        "kubeconfig": access.kubeconfig is not None,
        "in_cluster": access.in_cluster,
    }
    chosen = [name for name, given in ways.items() if given]
    if len(chosen) > 1:
        raise ValueError(f"{' and '.join(chosen)} are given; keep one of them")
    if access.kubeconfig is not None:
        path, context = access.kubeconfig
        return Kubeconfig(path, context, headers=access.headers, clock=clock, environ=environ)
    if access.in_cluster:
        return _InCluster(access, environ, service_account)
    return _Static(access, environ)
