"""One service of Amazon: who signs is boto3's to find, against moto's server; what is signed is reckoned here once more."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import sys
from collections.abc import Iterator
from threading import Event

import pytest
from tests.support.http import Reply, Seen, Server, serving
from tests.support.ways import NOON, Kit, Time

from platform_meter.model.access import Access, Aws
from platform_meter.model.source import Forbidden, Limited, Refused, SourceError, Unexpected
from platform_meter.runtime.outside.clouds.amazon import AwsCloud
from platform_meter.runtime.outside.clouds.calls import Calls
from platform_meter.runtime.outside.exchange import Exchange

OK = Reply(body=b"[1]")
CLOUDWATCH = Access(credential=Aws(service="cloudwatch", region="eu-central-1"))
ROLE = Aws(service="cloudwatch", region="eu-central-1", role="arn:aws:iam::123456789012:role/meter")
SECRET = "aws-s3cret"
"""Of the account's own keys."""


@pytest.fixture
def signing(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signatures are of the test's time."""
    monkeypatch.setattr("botocore.auth.get_current_datetime", kit.time.clock)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch, amazon: object) -> Iterator[Server]:
    """CloudWatch's address; all else is moto's."""
    del amazon
    with serving() as server:
        server.on("/", OK)
        server.on("/restapis", OK)
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", server.url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_API_GATEWAY", server.url)
        yield server


AUTHORIZATION = re.compile(r"AWS4-HMAC-SHA256 Credential=([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})")


def signed(seen: Seen) -> tuple[str, str, str]:
    """Whose key, which scope and which headers a request came with."""
    found = AUTHORIZATION.fullmatch(seen.headers["authorization"])
    assert found is not None
    key, _, scope = found[1].partition("/")
    return key, scope, found[2]


def signature(seen: Seen, secret: str) -> str:
    """What the one who holds this key would have signed, by the steps of Signature Version 4, from what came."""
    _, scope, names = signed(seen)
    headers = "".join(f"{name}:{seen.headers[name].strip()}\n" for name in names.split(";"))
    query = "&".join(sorted(seen.query.split("&"))) if seen.query else ""
    body = hashlib.sha256(seen.body).hexdigest()
    request = f"{seen.method}\n{seen.path}\n{query}\n{headers}\n{names}\n{body}"
    digest = hashlib.sha256(request.encode()).hexdigest()
    text = "\n".join(("AWS4-HMAC-SHA256", seen.headers["x-amz-date"], scope, digest))
    key = b"AWS4" + secret.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def carried(seen: Seen) -> str:
    found = AUTHORIZATION.fullmatch(seen.headers["authorization"])
    assert found is not None
    return found[3]


@pytest.mark.usefixtures("signing")
def test_each_request_is_signed(kit: Kit, service: Server) -> None:
    """With its method, query and body, for the service as Amazon signs for it; the secret itself is never sent."""
    kit.way(CLOUDWATCH).post(
        "/", list[int], body={"a": 1}, headers={"X-Amz-Target": "T.Op", "Content-Type": "application/x-amz-json-1.0"}
    )
    (seen,) = service.seen
    assert signed(seen) == (
        "AKIATEST",
        "20260504/eu-central-1/monitoring/aws4_request",
        "content-type;host;x-amz-date;x-amz-target",
    )
    assert seen.headers["content-type"] == "application/x-amz-json-1.0"
    assert carried(seen) == signature(seen, SECRET)
    assert carried(seen) != signature(seen, "another")
    assert SECRET not in str(seen)
    # Signing in and signing cost no call.
    assert kit.outcomes == ["ok"]


def test_a_query_is_signed_as_it_is_sent(kit: Kit, service: Server) -> None:
    """In order of names; blanks, slashes and pluses of a place in a list are those that Amazon reads."""
    way = kit.way(Access(credential=Aws(service="apigateway", region="eu-central-1")))
    way.get("/restapis", list[int], params={"position": "a b+c/d==", "limit": 5})
    (seen,) = service.seen
    assert seen.query == "position=a%20b%2Bc%2Fd%3D%3D&limit=5"
    assert signed(seen)[1].endswith("/eu-central-1/apigateway/aws4_request")
    assert carried(seen) == signature(seen, SECRET)


def test_a_role_is_assumed(kit: Kit, service: Server) -> None:
    """Its session's token goes with each request, under the signature, and into no text."""
    way = kit.way(Access(credential=ROLE))
    way.get("/", list[int])
    (seen,) = service.seen
    key, _, names = signed(seen)
    assert key.startswith("ASIA")
    assert "x-amz-security-token" in names
    token = seen.headers["x-amz-security-token"]
    service.on("/", lambda came: Reply(404, body=came.headers["x-amz-security-token"].encode()))
    with pytest.raises(Unexpected) as caught:
        way.get("/", list[int])
    assert token not in str(caught.value)
    assert "***" in str(caught.value)


@pytest.mark.usefixtures("signing")
def test_who_we_are_is_asked_anew_every_ten_minutes(kit: Kit, service: Server) -> None:
    """Each request is signed by itself; a role is assumed again, and its keys are others."""
    way = kit.way(Access(credential=ROLE))
    for minutes in (0, 9.9, 0.1):
        kit.time.pass_(minutes=minutes)
        way.get("/", list[int])
    assert [seen.headers["x-amz-date"][9:13] for seen in service.seen] == ["1200", "1209", "1210"]
    keys = [signed(seen)[0] for seen in service.seen]
    assert (keys[0] == keys[1], keys[1] == keys[2]) == (True, False)
    # Three calls of the source, two of its credential.
    assert kit.outcomes == ["ok"] * 5


def said(status: int, code: str, *, in_body: bool = False) -> Reply:
    body = json.dumps({"__type": f"com.amazonaws#{code}" if in_body else "", "message": "no"}).encode()
    return Reply(status, headers={} if in_body else {"x-amzn-ErrorType": f"{code}:http://x"}, body=body)


@pytest.mark.parametrize("in_body", [True, False])
@pytest.mark.parametrize(
    ("status", "code", "error", "calls"),
    [
        (403, "AccessDeniedException", Forbidden, 1),
        (400, "AccessDenied", Forbidden, 1),
        (403, "Unheard", Forbidden, 1),
        (400, "InvalidParameterValue", Unexpected, 1),
        (404, "AccessDeniedException", Unexpected, 1),
        (400, "ThrottlingException", Limited, 2),
        (403, "UnrecognizedClientException", Refused, 1),
        (400, "SignatureDoesNotMatch", Refused, 1),
    ],
)
def test_what_amazon_says_is_meant(
    kit: Kit, service: Server, status: int, code: str, error: type[SourceError], calls: int, *, in_body: bool
) -> None:
    """Its services say 400 or 403 of much; the code, in a header or in the answer, says which of our errors it is."""
    service.on("/", said(status, code, in_body=in_body))
    with pytest.raises(SourceError) as caught:
        kit.way(CLOUDWATCH).get("/", list[int])
    assert type(caught.value) is error
    assert len(service.seen) == calls


def test_a_session_that_ended_is_renewed_once(kit: Kit, service: Server) -> None:
    """And the call repeated, so that nothing of a list is lost; what is refused anew is refused."""
    service.on("/", OK, said(403, "ExpiredTokenException"), OK, said(400, "ExpiredToken", in_body=True))
    way = kit.way(Access(credential=ROLE))
    way.get("/", list[int])
    kit.time.pass_(minutes=2)
    assert way.get("/", list[int]).body == [1]
    keys = [signed(seen)[0] for seen in service.seen]
    assert keys[0] == keys[1] != keys[2]
    kit.time.pass_(seconds=30)
    with pytest.raises(Refused, match=re.escape("look at arn:aws:iam::123456789012:role/meter")):
        way.get("/", list[int])
    assert len(service.seen) == 4


@pytest.mark.usefixtures("amazon")
def test_addresses_are_those_of_the_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the environment names no other; in China they end otherwise."""
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    found = []
    for name, region in (("cloudwatch", "eu-central-1"), ("apigateway", "cn-north-1")):
        cloud = AwsCloud(Aws(service=name, region=region), no_calls())
        cloud.sign_in(NOON)
        found.append(cloud.place().base)
    assert found == ["https://monitoring.eu-central-1.amazonaws.com", "https://apigateway.cn-north-1.amazonaws.com.cn"]


def test_who_signs_is_part_of_what_the_breaker_knows() -> None:
    """Another service, region, role or profile is another credential."""
    calls = no_calls()
    found = {
        AwsCloud(Aws(service=service, region=region, role=role, profile=profile), calls).identity
        for service, region, role, profile in ("aaaa", "baaa", "abaa", "aaba", "aaab", "aaaa")
    }
    assert len(found) == 5


def test_nobody_is_told_so(kit: Kit) -> None:
    """Without any credentials, and with a profile that is not there."""
    for credential, says in (
        (CLOUDWATCH.credential, "Unable to locate credentials"),
        (Aws(service="cloudwatch", region="eu-central-1", profile="p"), r"The config profile \(p\) could not be found"),
    ):
        with pytest.raises(Refused, match=f"cloudwatch of Amazon in eu-central-1: boto3 can't sign in .*{says}"):
            kit.way(Access(credential=credential)).get("/", list[int])
    assert kit.outcomes == []


def test_without_the_extra_its_name_is_said(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """boto3 is an extra."""
    monkeypatch.setitem(sys.modules, "botocore.exceptions", None)
    with pytest.raises(Refused, match=r"cloudwatch of Amazon .* needs boto3: pip install platform-meter\[aws\]"):
        kit.way(CLOUDWATCH).get("/", list[int])


def no_calls() -> Calls:
    exchange = Exchange("eu", rate_headers=None, stop=Event(), outcome=print, max_bytes=1)
    return Calls(exchange, clock=Time().clock, sleep=print, jitter=lambda: 0.5, stop=Event(), timeout=1)
