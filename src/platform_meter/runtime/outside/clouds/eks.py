"""A cluster of Amazon EKS: found by eks:DescribeCluster, entered with a signed sts:GetCallerIdentity.

The token is that of aws-iam-authenticator (README, "API Authorization from Outside a Cluster"): a presigned URL that
names the cluster in a signed header. EKS takes it for 15 minutes.
"""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from platform_meter.model.access import Eks
from platform_meter.model.source import Refused, SourceError, Unexpected
from platform_meter.runtime.outside.clouds.calls import Calls
from platform_meter.runtime.outside.clouds.reader import Pass, Place

LIVES = timedelta(minutes=15)
"""How long EKS takes a token after it was signed, whatever the URL says of its own end."""
_URL_SECONDS = 60
"""The end that the URL itself names: the authenticator takes up to 15 minutes here too, and kubectl's plugin writes 60 s."""
_SIGNED_IN_AS = {
    "DescribeCluster": "allow eks:DescribeCluster on this cluster to that identity",
    "AssumeRole": "allow it sts:AssumeRole on the role, and name it in the role's trust policy",
    "AssumeRoleWithWebIdentity": "name the cluster's OIDC provider and our service account in the role's trust policy",
}
"""What lacks where an operation is refused."""
_REFUSALS = frozenset({"ExpiredTokenException", "ExpiredToken", "InvalidIdentityToken", "InvalidClientTokenId"})
"""Codes that mean a refusal under a status of 400."""
_TOO_MANY = frozenset({"Throttling", "ThrottlingException", "ThrottledException", "RequestLimitExceeded"})


class EksCloud:
    """`Cloud` of one EKS cluster. boto3 finds the identity: environment, shared files, pod identity, IRSA, instance."""

    def __init__(self, credential: Eks, calls: Calls) -> None:
        self._eks, self._calls = credential, calls
        self._where = f"EKS cluster {credential.cluster} in {credential.region}"
        self._session: Any = None

    @property
    def identity(self) -> tuple[str, ...]:
        return ("eks", self._eks.region, self._eks.cluster, self._eks.role, self._eks.profile)

    def sign_in(self, now: datetime) -> Pass:
        with self._told():
            # A new session each time: files and variables may name other keys than before.
            self._session = _session(self._calls, profile=self._eks.profile or None)
            if self._eks.role:
                given = self._client("sts").assume_role(RoleArn=self._eks.role, RoleSessionName="platform-meter")
                self._session = _session(self._calls, keys=given["Credentials"])
            sts = self._client("sts")
            sts.meta.events.register("before-sign.sts.GetCallerIdentity", self._name_cluster)
            url = sts.generate_presigned_url("get_caller_identity", ExpiresIn=_URL_SECONDS, HttpMethod="GET")
        token = base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
        return Pass(token=f"k8s-aws-v1.{token}", ends=now + LIVES)

    def place(self) -> Place:
        with self._told():
            found = self._client("eks").describe_cluster(name=self._eks.cluster)["cluster"]
        endpoint, authority = found.get("endpoint"), (found.get("certificateAuthority") or {}).get("data")
        if not endpoint or not authority:
            status = str(found.get("status") or "of unknown status")
            raise Unexpected(f"{self._where} is {status} and has no endpoint yet; wait until it is ACTIVE")
        try:
            return Place(base=endpoint.rstrip("/"), authority=base64.b64decode(authority, validate=True).decode())
        except (binascii.Error, UnicodeDecodeError):
            raise Unexpected(f"{self._where}: its certificate authority is no base64 of a PEM") from None

    def _client(self, service: str) -> Any:
        return self._session.client(service, region_name=self._eks.region)

    def _name_cluster(self, request: Any, **_: Any) -> None:
        request.headers["x-k8s-aws-id"] = self._eks.cluster

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What goes wrong in here is told as an error of ours, with what to mend."""
        try:
            from botocore.exceptions import BotoCoreError, ClientError
        except ImportError:
            raise Refused("eks needs boto3: pip install platform-meter[aws]") from None
        try:
            yield
        except SourceError:
            raise
        except ClientError as error:
            raise self._meant(error) from None
        except (BotoCoreError, ValueError, KeyError, OSError) as error:
            # Of others the text may quote what was read.
            why = str(error) if isinstance(error, BotoCoreError) else type(error).__name__
            raise Refused(
                f"{self._where}: boto3 can't sign in ({why}); give it credentials by IRSA, pod identity, the "
                "environment or a profile, and see with 'aws sts get-caller-identity' whom it finds"
            ) from None

    def _meant(self, error: Any) -> SourceError:
        """`error` is botocore's ClientError: an answer that says no."""
        code = str(error.response.get("Error", {}).get("Code", ""))
        said = str(error.response.get("Error", {}).get("Message", ""))[:300]
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        operation = str(error.operation_name)
        if code in _TOO_MANY:
            return self._calls.limited(f"{self._where}: {operation} answered {code}")
        if code == "ResourceNotFoundException":
            text = f"{self._where} does not exist in the account of our identity; correct name, region or role"
            return Unexpected(text, status)
        text = f"{self._where}: {operation} answered {status} {code}: {said}"
        if status in {401, 403} or code in _REFUSALS:
            lacks = _SIGNED_IN_AS.get(operation, f"allow {operation} to that identity")
            role = f" (role {self._eks.role})" if operation == "AssumeRole" else ""
            return Refused(f"{text}; {lacks}{role}")
        return Unexpected(text, status)


def _session(calls: Calls, *, profile: str | None = None, keys: Any = None) -> Any:
    """A session of boto3 all of whose clients send by `calls`, once: trying again is done there."""
    import boto3.session
    import botocore.session
    from botocore.config import Config
    from botocore.credentials import ContainerProvider
    from botocore.utils import ContainerMetadataFetcher

    core = botocore.session.Session(profile=profile)
    core.set_default_client_config(Config(retries={"total_max_attempts": 1, "mode": "standard"}))
    # Of the global endpoint of STS a token says another region than its cluster's.
    core.set_config_variable("sts_regional_endpoints", "regional")
    carrier = _Carrier(calls)
    core.register("before-send", carrier.take)
    if keys is not None:
        core.set_credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
        return boto3.session.Session(botocore_session=core)
    # The agent of pod identity is asked past all events.
    chain = core.get_component("credential_provider")
    fetcher = ContainerMetadataFetcher(session=carrier, sleep=lambda _: None)
    chain.insert_before(ContainerProvider.METHOD, ContainerProvider(fetcher=fetcher))
    return boto3.session.Session(botocore_session=core)


class _Carrier:
    """Carries botocore's requests out and the answers back."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def take(self, request: Any, **_: Any) -> Any:
        """Handler of `before-send`: what it gives is taken in place of an answer that botocore would fetch."""
        return self.send(request)

    def send(self, request: Any) -> Any:
        """In the place of botocore's own HTTP session."""
        from botocore.awsrequest import AWSResponse

        body = request.body.encode() if isinstance(request.body, str) else request.body
        headers = {name: _text(value) for name, value in request.headers.items()}
        said = self._calls.send(request.method, request.url, headers, body)
        return AWSResponse(request.url, said.status, dict(said.headers), _Raw(said.body))


class _Raw(io.BytesIO):
    """A body as urllib3 gives it."""

    def stream(self) -> Iterator[bytes]:
        yield self.read()


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
