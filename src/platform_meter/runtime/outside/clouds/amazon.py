"""Amazon as whom boto3 finds in the environment: signing in, and one service whose requests are each signed.

Signature Version 4 (docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html) is botocore's;
the requests are the source's own, with its quota, its retries and its bounds.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from requests import PreparedRequest

from platform_meter.model.access import Aws, Eks
from platform_meter.model.source import Refused, SourceError, Unexpected
from platform_meter.runtime.outside.clouds.calls import Calls
from platform_meter.runtime.outside.clouds.reader import Pass, Place

LIVES = timedelta(minutes=15)
"""How long keys are used until who we are is asked anew; those that end before are refused, and renewed then."""
_LACKS = {
    "AssumeRole": "allow it sts:AssumeRole on the role, and name it in the role's trust policy",
    "AssumeRoleWithWebIdentity": "name the cluster's OIDC provider and our service account in the role's trust policy",
}
"""What lacks where an operation is refused."""
_ENDED = frozenset({"ExpiredTokenException", "ExpiredToken", "InvalidIdentityToken", "InvalidClientTokenId"})
_UNKNOWN = _ENDED | {
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
"""Codes that mean a refusal of who we are, under whatever status."""
_FORBIDDEN = frozenset({"AccessDenied", "AccessDeniedException", "NotAuthorized", "OptInRequired"})
_TOO_MANY = frozenset({"RequestLimitExceeded", "Throttling", "ThrottledException", "ThrottlingException"})
_CODE = re.compile(rb'"(?:__type|code|Code)"\s*:\s*"(?:[^"]*#)?([A-Za-z]+)')
_LOOKED = 4_096
"""Bytes of an answer in which its code is looked for."""


class Amazon:
    """Who we are in Amazon, anew at each sign-in: environment, shared files, pod identity, IRSA, instance; or a role.

    Args:
        credential: region, role and profile.
        calls: carries what boto3 asks on the way.
        where: what is entered, as errors name it.
        lacks: what to allow where an operation is refused, beside those of signing in.
    """

    def __init__(self, credential: Aws | Eks, calls: Calls, *, where: str, lacks: Mapping[str, str]) -> None:
        self._credential, self._calls, self._where = credential, calls, where
        self._lacks = {**_LACKS, **lacks}
        self._session: Any = None

    def sign_in(self) -> None:
        """Find out who we are."""
        # A new session each time: files and variables may name other keys than before.
        self._session = _session(self._calls, profile=self._credential.profile or None)
        if self._credential.role:
            given = self.client("sts").assume_role(RoleArn=self._credential.role, RoleSessionName="platform-meter")
            self._session = _session(self._calls, keys=given["Credentials"])

    def client(self, service: str) -> Any:
        """boto3's client, as who signed in last."""
        return self._session.client(service, region_name=self._credential.region)

    def keys(self) -> Any:
        """Keys of who signed in last, as they stand now (botocore's ReadOnlyCredentials)."""
        from botocore.exceptions import NoCredentialsError

        found = self._session.get_credentials()
        if found is None:
            raise NoCredentialsError
        return found.get_frozen_credentials()

    @contextmanager
    def told(self) -> Iterator[None]:
        """What goes wrong in here is told as an error of ours, with what to mend."""
        try:
            from botocore.exceptions import BotoCoreError, ClientError
        except ImportError:
            raise Refused(f"{self._where} needs boto3: pip install platform-meter[aws]") from None
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
        if status in {401, 403} or code in _ENDED:
            lacks = self._lacks.get(operation, f"allow {operation} to that identity")
            role = f" (role {self._credential.role})" if operation == "AssumeRole" else ""
            return Refused(f"{text}; {lacks}{role}")
        return Unexpected(text, status)


class AwsCloud:
    """`Cloud` of one service: its requests are signed, and its address is the one that boto3 would call."""

    def __init__(self, credential: Aws, calls: Calls) -> None:
        self._aws = credential
        where = f"{credential.service} of Amazon in {credential.region}"
        self._amazon = Amazon(credential, calls, where=where, lacks={})

    @property
    def identity(self) -> tuple[str, ...]:
        return ("aws", self._aws.region, self._aws.service, self._aws.role, self._aws.profile)

    def sign_in(self, now: datetime) -> Pass:
        with self._amazon.told():
            self._amazon.sign_in()
            keys = self._amazon.keys()
            name = self._amazon.client(self._aws.service).meta.service_model.signing_name
            signer = _Signer(keys, name, self._aws.region)
        # The secret key is never sent; the token of a session is, with each request.
        return Pass(token=keys.token or keys.secret_key, ends=now + LIVES, signer=signer)

    def place(self) -> Place:
        with self._amazon.told():
            return Place(base=self._amazon.client(self._aws.service).meta.endpoint_url.rstrip("/"))


class _Signer:
    """Signs the requests of one service with keys of a moment."""

    def __init__(self, keys: Any, service: str, region: str) -> None:
        from botocore.auth import SigV4Auth

        self._auth = SigV4Auth(keys, service, region)

    def sign(self, request: PreparedRequest) -> None:
        from botocore.awsrequest import AWSRequest

        # requests writes a blank as a plus, which Amazon signs as the plus that it is not.
        path, mark, query = (request.url or "").partition("?")
        request.url = path + mark + query.replace("+", "%20")
        # No header that a proxy may change on the way.
        lasting = {n: v for n, v in request.headers.items() if n.lower() == "content-type" or n.lower()[:6] == "x-amz-"}
        signed = AWSRequest(method=request.method, url=request.url, data=request.body or b"", headers=lasting)
        self._auth.add_auth(signed)
        request.headers.update(dict(signed.headers.items()))

    def meant(self, status: int, headers: Mapping[str, str], body: bytes) -> int:
        """Services that speak JSON say 400 of most that they refuse, and others 403 of a session that has ended."""
        if status not in {400, 403}:
            return status
        found = _CODE.search(body[:_LOOKED])
        code = headers.get("x-amzn-errortype", "").partition(":")[0] or (found[1].decode() if found else "")
        if code in _TOO_MANY:
            return 429
        if code in _UNKNOWN:
            return 401
        return 403 if code in _FORBIDDEN else status


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
