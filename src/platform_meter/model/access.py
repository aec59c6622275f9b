"""How to reach a system: its address, ways to be let in, and how fast it lets one credential call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, model_validator

from platform_meter.model.scalars import LocalPath


class Secret(BaseModel):
    """Where a secret stands: exactly one of `file` (its path) and `env` (a variable's name). Read anew at each use."""

    model_config = {
        "extra": "forbid",
        "frozen": True,
        "json_schema_extra": {"example": "{env: NAME}"},
    }
    file: LocalPath | None = None
    env: str | None = None

    @model_validator(mode="after")
    def _one(self) -> Secret:
        if bool(self.file) == bool(self.env):
            raise ValueError("a secret stands in one place; write either {env: NAME} or {file: path}")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token in the header Authorization."""

    secret: Secret
    prefix: str = "Bearer"
    """What its system wants before it: `token`, `Token token=`, nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Basic:
    """A user and a password in the header Authorization."""

    user: str
    password: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretHeaders:
    """Headers whose values are secrets, such as the two keys `DD-API-KEY` and `DD-APPLICATION-KEY`."""

    headers: Mapping[str, Secret]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCertificate:
    """A certificate that TLS shows to the server. PEM files, read again when they change; the key has no passphrase."""

    cert_file: str
    """Path of the certificate, with those between it and its authority."""
    key_file: str
    """Path of its key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubeconfig:
    """A context of a kubeconfig, which brings address, authority and credential."""

    path: str = ""
    """Empty for the default one."""
    context: str = ""
    """Empty for the current one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InCluster:
    """The service account of the pod that we run in, which brings address, authority and token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Eks:
    """A cluster of Amazon EKS, which brings address, authority and token. The environment says as whom we sign in."""

    cluster: str
    region: str
    role: str = ""
    """ARN of a role to assume; empty for none."""
    profile: str = ""
    """Of the shared AWS files; empty for what is found without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aws:
    """One service of Amazon in one region, which brings the address; each request is signed. The environment says as whom."""

    service: str
    """As boto3 names it: `apigateway`."""
    region: str
    role: str = ""
    """ARN of a role to assume; empty for none."""
    profile: str = ""
    """Of the shared AWS files; empty for what is found without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Google:
    """One API of Google, entered with a token. The environment says as whom we sign in."""

    url: str
    key_file: str = ""
    """Path of a service account's key; empty for what is found without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gke:
    """A cluster of Google GKE, which brings address, authority and token. The environment says as whom we sign in."""

    project: str
    location: str
    """Region or zone."""
    cluster: str
    endpoint: Literal["public", "private", "dns"] = "public"
    """Which of the cluster's addresses."""
    key_file: str = ""
    """Path of a service account's key; empty for what is found without one."""
    api: str = "https://container.googleapis.com"
    """Address of the container API."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GithubApp:
    """An app that an organisation has installed: its key signs for tokens of an hour."""

    app: str
    """Its client id, or its number."""
    key_file: str
    """Path of its private key, as GitHub gives it (PEM)."""
    org: str
    """Which installation: that of this organisation."""
    url: str
    """Address of the API."""

    @property
    def whence(self) -> str:
        """Where to look when it is not accepted."""
        return f"the key {self.key_file} of the GitHub App {self.app}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth:
    """A client of OAuth 2.0, whose secret is exchanged for tokens that end."""

    client: str
    """Its id."""
    secret: Secret
    refresh: Secret | None = None
    """A refresh token, of a person who let the client in; None where it speaks for itself."""
    url: str
    """Address of the system."""
    path: str
    """Where tokens are given there."""

    @property
    def whence(self) -> str:
        """Where to look when it is not accepted."""
        return f"the OAuth client {self.client}, its secret, and whether it may still ask for tokens"


Credential = (
    Token
    | Basic
    | SecretHeaders
    | ClientCertificate
    | Kubeconfig
    | InCluster
    | Eks
    | Aws
    | Google
    | Gke
    | GithubApp
    | OAuth
)
"""Ways to be let in. `runtime.outside.credentials` makes each of them work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast a system lets one credential call, beside the quota that its answers tell of."""

    at_once: int = 1
    """Calls side by side."""
    points: int = 0
    """What calls may cost in any `per`; 0 for no such bound. What is answered "unchanged" costs as much as any other."""
    per: timedelta = timedelta(minutes=1)
    get: int = 1
    """Points of a GET."""
    post: int = 1
    """Points of a POST."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How to reach a system."""

    url: str = ""
    """Empty where the credential brings the address; without one, there is no system to call (probes)."""
    credential: Credential | None = None
    """None for a system that lets everybody in."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent with each call."""
    ca_file: str | None = None
    """Authority of the server's certificate; None for those that this machine trusts, or the credential's."""
    rate_headers: tuple[str, str, str] | None = None
    """Names of the limit, remaining and reset (epoch seconds) headers, where the system tells its quota."""
    pace: Pace | None = None
    """What all instances with the same credential keep to together; None for a system that says nothing of it."""
    beside: Mapping[str, Access] = field(default_factory=dict)
    """Other addresses that the same source reads, by the name that it gives them (`Outside.beside`)."""
