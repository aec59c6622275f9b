"""What a request carries to be let in. Secrets are read anew at each use and never shown: not in texts, logs or reprs.

`credentials` has one case for each kind of `model.source.Credential`; a new kind is a class there and a case here. Those
that only add to a request of the settings' address give a function from the bare grant to the full one; a kind that
brings the address itself, or is renewed, is a `Credentials` of its own.
"""

from __future__ import annotations

import base64
import os
import ssl
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import assert_never

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from platform_meter.model.access import (
    Access,
    Aws,
    Basic,
    ClientCertificate,
    Credential,
    Eks,
    GithubApp,
    Gke,
    Google,
    InCluster,
    Kubeconfig,
    OAuth,
    Secret,
    SecretHeaders,
    Token,
)
from platform_meter.model.source import Refused
from platform_meter.runtime.outside.clouds.amazon import AwsCloud
from platform_meter.runtime.outside.clouds.calls import Calls
from platform_meter.runtime.outside.clouds.eks import EksCloud
from platform_meter.runtime.outside.clouds.github_app import GithubAppCloud
from platform_meter.runtime.outside.clouds.gke import GkeCloud
from platform_meter.runtime.outside.clouds.google import GoogleCloud
from platform_meter.runtime.outside.clouds.oauth import OAuthCloud
from platform_meter.runtime.outside.clouds.reader import Cloud, CloudReader
from platform_meter.runtime.outside.grants import Credentials, Grant, fingerprint
from platform_meter.runtime.outside.kubeconfig import KubeconfigReader

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
        self._where = _place(secret)

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


def unaccepted(credential: Credential | None) -> str:
    """What to do where a system does not accept the credential: where it stands is said, it itself never."""
    where = _whence(credential)
    if not where:
        return "it wants a credential and none is configured; write one into the settings of this source"
    return f"the credential is not accepted: it has expired, is wrong or is of another system; look at {where}"


def _whence(credential: Credential | None) -> str:
    match credential:
        case None:
            return ""
        case Token():
            return _place(credential.secret)
        case Basic():
            return f"{_place(credential.password)} and the user '{credential.user}'"
        case SecretHeaders():
            return " and ".join(dict.fromkeys(_place(secret) for secret in credential.headers.values()))
        case ClientCertificate():
            return f"the client certificate {credential.cert_file}"
        case Kubeconfig():
            context = f"the context '{credential.context}'" if credential.context else "the current context"
            return f"{context} of the kubeconfig {credential.path}".rstrip()
        case InCluster():
            return f"the service account of this pod ({SERVICE_ACCOUNT / 'token'})"
        case Eks():
            as_whom = credential.role or (f"the profile {credential.profile}" if credential.profile else "")
            return (
                f"{as_whom or 'the AWS identity of this process'}, which needs an access entry of {credential.cluster}"
            )
        case Aws():
            as_whom = credential.role or (f"the profile {credential.profile}" if credential.profile else "")
            return as_whom or "the AWS identity of this process"
        case Gke() | Google():
            return credential.key_file or "the Google identity of this process"
        case GithubApp() | OAuth():
            return credential.whence
        case _:
            assert_never(credential)


def _place(secret: Secret) -> str:
    return f"the variable {secret.env}" if secret.file is None else f"the secret file {secret.file}"


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


LetIn = Callable[[Grant], Grant]
"""From a bare request to one that is let in, with the secrets as they stand now."""


class _Fixed:
    """The address that the settings name, with what a credential adds to each request."""

    def __init__(self, access: Access, let_in: LetIn) -> None:
        verify: bool | str = str(Path(access.ca_file).expanduser()) if access.ca_file else True
        self._bare = Grant(base=check_url(access.url), headers=access.headers, verify=verify)
        self._let_in = let_in

    def grant(self) -> Grant:
        return self._let_in(self._bare)

    def renew(self, refused: Grant) -> bool:
        # Read anew at each use already: it helps where the secret was swapped while the call was on its way.
        return self.grant() != refused


def _nothing(bare: Grant) -> Grant:
    return bare


class _Nowhere:
    """No address at all: of a source that makes no calls."""

    def grant(self) -> Grant:
        raise Refused("this source has no address to call; it only looks at what its settings name")

    def renew(self, refused: Grant) -> bool:
        del refused
        return False


def _token(credential: Token, environ: Mapping[str, str]) -> LetIn:
    reader = SecretReader(credential.secret, environ)
    # `Token token=KEY` takes no blank between the two.
    glue = "" if not credential.prefix or credential.prefix.endswith("=") else " "

    def let_in(bare: Grant) -> Grant:
        token = reader.read()
        return _carrying(bare, {"Authorization": f"{credential.prefix}{glue}{token}"}, token)

    return let_in


def _basic(credential: Basic, environ: Mapping[str, str]) -> LetIn:
    reader = SecretReader(credential.password, environ)

    def let_in(bare: Grant) -> Grant:
        password = reader.read()
        pair = base64.b64encode(f"{credential.user}:{password}".encode()).decode()
        return _carrying(bare, {"Authorization": f"Basic {pair}"}, password, pair)

    return let_in


def _secret_headers(credential: SecretHeaders, environ: Mapping[str, str]) -> LetIn:
    readers = {name: SecretReader(secret, environ) for name, secret in credential.headers.items()}

    def let_in(bare: Grant) -> Grant:
        headers = {name: reader.read() for name, reader in readers.items()}
        return _carrying(bare, headers, *headers.values())

    return let_in


def _carrying(bare: Grant, headers: Mapping[str, str], *secrets: str) -> Grant:
    return replace(bare, headers={**bare.headers, **headers}, secrets=secrets, fingerprint=fingerprint(*secrets))


def _client_certificate(credential: ClientCertificate, url: str) -> LetIn:
    if not url.lower().startswith("https://"):
        raise ValueError("a client certificate is shown over TLS only; write https:// in url")
    cert, key = (Path(path).expanduser() for path in (credential.cert_file, credential.key_file))
    readers = FileReader(cert, "the client certificate"), FileReader(key, "the key of the client certificate")
    fits: list[tuple[str, ...]] = []

    def let_in(bare: Grant) -> Grant:
        texts = tuple(reader.read() for reader in readers)
        if texts not in fits:
            try:
                # With a passphrase OpenSSL would ask for it on the terminal, and wait.
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(cert, key, password="")
            except (OSError, ValueError) as error:
                why = getattr(error, "reason", None) or "it is no PEM of both"
                raise Refused(
                    f"the client certificate {cert} with key {key} can't be used ({why}); "
                    "write PEM files that belong together, the key without a passphrase"
                ) from None
            fits[:] = [texts]
        return replace(bare, cert=(str(cert), str(key)), fingerprint=fingerprint(*texts))

    return let_in


class _Pod:
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

    def renew(self, refused: Grant) -> bool:
        return self.grant() != refused  # Kubernetes may have swapped the token while the call was on its way


def credentials(
    access: Access,
    *,
    clock: Callable[[], datetime],
    environ: Mapping[str, str] = os.environ,
    service_account: Path = SERVICE_ACCOUNT,
    calls: Calls | None = None,
) -> Credentials:
    """The reader of what `access` names. Those of clouds make calls of their own, by `calls`.

    Raises:
        ValueError: the URL is unusable, or a cloud's credential has no `calls`.
    """
    credential = access.credential
    match credential:
        case None:
            return _Fixed(access, _nothing) if access.url else _Nowhere()
        case Token():
            return _Fixed(access, _token(credential, environ))
        case Basic():
            return _Fixed(access, _basic(credential, environ))
        case SecretHeaders():
            return _Fixed(access, _secret_headers(credential, environ))
        case ClientCertificate():
            return _Fixed(access, _client_certificate(credential, access.url))
        case Kubeconfig():
            return KubeconfigReader(credential, headers=access.headers, clock=clock, environ=environ)
        case InCluster():
            return _Pod(access, environ, service_account)
        case Eks() | Aws() | Google() | Gke() | GithubApp() | OAuth():
            if calls is None:
                raise ValueError("a cloud's credential can't be made without a way to call the cloud")
            return CloudReader(_cloud(credential, calls, environ), headers=access.headers, clock=clock)
        case _:
            assert_never(credential)


def _cloud(credential: Eks | Aws | Google | Gke | GithubApp | OAuth, calls: Calls, environ: Mapping[str, str]) -> Cloud:
    match credential:
        case Eks():
            return EksCloud(credential, calls)
        case Aws():
            return AwsCloud(credential, calls)
        case Google():
            return GoogleCloud(credential, calls)
        case Gke():
            return GkeCloud(credential, calls)
        case GithubApp():
            return GithubAppCloud(credential, calls)
        case OAuth():
            refresh = SecretReader(credential.refresh, environ).read if credential.refresh else None
            return OAuthCloud(credential, calls, secret=SecretReader(credential.secret, environ).read, refresh=refresh)
        case _:
            assert_never(credential)
