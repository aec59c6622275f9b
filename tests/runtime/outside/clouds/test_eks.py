"""EKS by boto3 itself, against moto's server, with a TLS server on loopback as the cluster."""

from __future__ import annotations

import base64
import json
import sys
from datetime import timedelta
from pathlib import Path
from threading import Event
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from tests.runtime.outside.clouds.conftest import Puts
from tests.support.http import Certificate, Reply, Seen, Server, serving
from tests.support.ways import NOON, Kit, Time, authorization, write

from platform_meter.model.access import Access, Eks
from platform_meter.model.source import Limited, Refused, Unexpected, Unreachable
from platform_meter.runtime.outside.clouds.calls import Calls
from platform_meter.runtime.outside.clouds.eks import EksCloud
from platform_meter.runtime.outside.exchange import Exchange

OK = Reply(body=b"[1]")
PROD = Access(credential=Eks(cluster="prod", region="eu-central-1"))


@pytest.fixture
def signing(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signatures are of the test's time."""
    monkeypatch.setattr("botocore.auth.get_current_datetime", kit.time.clock)


def signed(server: Server) -> list[str]:
    """The URL in each token that came."""
    tokens = [sent.removeprefix("Bearer k8s-aws-v1.") for sent in authorization(server)]
    return [base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode() for token in tokens]


def caller(url: str, cluster: str) -> str:
    """Whom STS takes the holder of this URL for, asked as the cluster asks."""
    # moto finds service and caller in the header that other calls have.
    credential = parse_qs(urlsplit(url).query)["X-Amz-Credential"][0]
    headers = {
        "x-k8s-aws-id": cluster,
        "Authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host",
    }
    answer = requests.get(url, headers=headers, timeout=10)
    return str(answer.text)


def test_a_cluster_is_found_and_entered(kit: Kit, amazon: Puts, certs: dict[str, Certificate], moto: str) -> None:
    """Address and authority are told by EKS; the token is a GetCallerIdentity signed for this cluster, which STS answers."""
    with serving(certs["server"]) as server:
        server.on("/version", OK)
        amazon(server.url, certs["ca"])
        assert kit.way(PROD).get("/version", list[int]).body == [1]
        (url,) = signed(server)
    query = parse_qs(urlsplit(url).query)
    assert url.startswith(moto)
    assert query["Action"] == ["GetCallerIdentity"]
    assert query["X-Amz-SignedHeaders"] == ["host;x-k8s-aws-id"]
    assert query["X-Amz-Expires"] == ["60"]
    assert query["X-Amz-Credential"][0].endswith("/eu-central-1/sts/aws4_request")
    assert "arn:aws:sts::123456789012:user/moto" in caller(url, "prod")
    # DescribeCluster and the call of the source; a signature costs no call.
    assert kit.outcomes == ["ok", "ok"]


@pytest.mark.usefixtures("signing")
def test_a_token_is_renewed_after_ten_minutes(kit: Kit, amazon: Puts, certs: dict[str, Certificate]) -> None:
    """EKS takes one for fifteen; where the cluster is, is asked once an hour."""
    with serving(certs["server"]) as server:
        server.on("/version", OK)
        amazon(server.url, certs["ca"])
        way = kit.way(PROD)
        for minutes in (0, 9.9, 0.1, 9.9, 0.1):
            kit.time.pass_(minutes=minutes)
            way.get("/version", list[int])
        dates = [parse_qs(urlsplit(url).query)["X-Amz-Date"][0] for url in signed(server)]
        assert [d[9:13] for d in dates] == ["1200", "1200", "1210", "1210", "1220"]
        assert len(kit.outcomes) == 5 + 1
        kit.time.pass_(minutes=40)
        way.get("/version", list[int])
        assert len(kit.outcomes) == 5 + 1 + 2


@pytest.mark.usefixtures("signing")
def test_a_token_that_ends_in_the_middle_of_a_list_loses_nothing(
    kit: Kit, amazon: Puts, certs: dict[str, Certificate]
) -> None:
    """The page is asked for once more with a new token; where that is refused too, the source is."""
    with serving(certs["server"]) as server:
        first: list[str] = []

        def page(seen: Seen) -> Reply:
            first.append(seen.headers["authorization"])
            if seen.query == "continue=2" and seen.headers["authorization"] == first[0]:
                return Reply(401)
            return Reply(body=b"[2]" if seen.query else b"[1]")

        server.on("/pods", page)
        amazon(server.url, certs["ca"])
        way = kit.way(PROD)
        rows = list(way.get("/pods", list[int]).body or [])
        kit.time.pass_(minutes=5)
        rows += way.get("/pods", list[int], params={"continue": 2}).body or []
        assert rows == [1, 2]
        assert [sent == first[0] for sent in authorization(server)] == [True, True, False]

        kit.time.pass_(minutes=5)
        server.on("/pods", Reply(401))
        with pytest.raises(Refused, match="401"):
            way.get("/pods", list[int])
        assert len(server.seen) == 3 + 2


def test_a_role_is_assumed(kit: Kit, amazon: Puts, certs: dict[str, Certificate]) -> None:
    """The token is the role's, and so is the look at the cluster."""
    role = Eks(cluster="prod", region="eu-central-1", role="arn:aws:iam::123456789012:role/meter")
    with serving(certs["server"]) as server:
        server.on("/version", OK)
        amazon(server.url, certs["ca"])
        kit.way(Access(credential=role)).get("/version", list[int])
        assert "arn:aws:sts::123456789012:assumed-role/meter/platform-meter" in caller(signed(server)[0], "prod")
    assert kit.outcomes == ["ok", "ok", "ok"]


def test_a_service_account_of_eks_is_somebody(
    kit: Kit, amazon: Puts, certs: dict[str, Certificate], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By IRSA, a token in a file, and by pod identity, an agent: their calls are counted as well."""
    token = write(tmp_path / "token", "web-identity")
    with serving(certs["server"]) as server, serving() as agent:
        server.on("/version", OK)
        amazon(server.url, certs["ca"])
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        with monkeypatch.context() as irsa:
            irsa.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/irsa")
            irsa.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", token)
            kit.way(PROD, instance="irsa").get("/version", list[int])
        assert "assumed-role/irsa/" in caller(signed(server)[0], "prod")
        assert kit.outcomes == ["ok", "ok", "ok"]

        keys = {"AccessKeyId": "ASIAPOD", "SecretAccessKey": "s", "Token": "t", "Expiration": "2099-01-01T00:00:00Z"}
        agent.on("/v1/credentials", Reply(body=json.dumps(keys).encode()))
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{agent.url}/v1/credentials")
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token)
        kit.way(PROD, instance="pod").get("/version", list[int])
        assert authorization(agent) == ["web-identity"]
        assert parse_qs(urlsplit(signed(server)[1]).query)["X-Amz-Credential"][0].startswith("ASIAPOD/")
        assert len(kit.outcomes) == 3 + 3


def aws_error(status: int, code: str, message: str = "no") -> Reply:
    body = json.dumps({"__type": code, "message": message}).encode()
    return Reply(status, headers={"x-amzn-errortype": code, "Content-Type": "application/json"}, body=body)


@pytest.mark.parametrize(
    ("reply", "error", "says", "sent"),
    [
        (
            aws_error(403, "AccessDeniedException", "User: arn:aws:iam::1:user/me is not authorized"),
            Refused,
            (
                "DescribeCluster answered 403 AccessDeniedException: User: arn:aws:iam::1:user/me is not authorized; "
                "allow eks:DescribeCluster on this cluster to that identity"
            ),
            1,
        ),
        (
            aws_error(404, "ResourceNotFoundException"),
            Unexpected,
            "EKS cluster prod in eu-central-1 does not exist in the account of our identity; correct name, region or role",
            1,
        ),
        (
            aws_error(400, "ExpiredTokenException"),
            Refused,
            "answered 400 ExpiredTokenException: no; allow eks:DescribeCluster",
            1,
        ),
        (aws_error(400, "ThrottlingException"), Limited, "ThrottlingException, too many calls; the next one", 1),
        (
            Reply(429, headers={"Retry-After": "30"}),
            Limited,
            "429, too many calls; the next one is made at 12:00:30",
            1,
        ),
        (aws_error(400, "InvalidParameterException"), Unexpected, "answered 400 InvalidParameterException: no", 1),
        (Reply(503), Unreachable, "GET /clusters/prod of github-main: 127.0.0.1 answered 503 Service Unavailable", 3),
        (
            Reply(body=b'{"cluster": {"name": "prod", "status": "CREATING"}}'),
            Unexpected,
            "is CREATING and has no endpoint yet; wait until it is ACTIVE",
            1,
        ),
        (
            Reply(body=b'{"cluster": {"endpoint": "https://x", "certificateAuthority": {"data": "%"}}}'),
            Unexpected,
            "its certificate authority is no base64 of a PEM",
            1,
        ),
    ],
)
@pytest.mark.usefixtures("amazon")
def test_what_amazon_refuses_says_what_lacks(
    kit: Kit, monkeypatch: pytest.MonkeyPatch, reply: Reply, error: type[Exception], says: str, sent: int
) -> None:
    """One of the declared errors, after at most three tries, each of them counted; within a minute nobody is asked again."""
    with serving() as eks:
        eks.on("/clusters/prod", reply)
        monkeypatch.setenv("AWS_ENDPOINT_URL_EKS", eks.url)
        way = kit.way(PROD)
        for _ in range(2):
            with pytest.raises(error) as caught:
                way.get("/version", list[int])
        assert says in str(caught.value)
        assert "aws-s3cret" not in str(caught.value)
        assert len(eks.seen) == len(kit.outcomes) == sent
        kit.time.pass_(minutes=1)
        with pytest.raises(error):
            way.get("/version", list[int])
        assert len(eks.seen) == 2 * sent


@pytest.mark.usefixtures("amazon")
def test_a_role_that_may_not_be_assumed_is_named(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its trust policy is the other half of what lacks."""
    body = b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>"
    with serving() as sts:
        sts.on("/", Reply(403, headers={"Content-Type": "text/xml"}, body=body))
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts.url)
        role = Eks(cluster="prod", region="eu-central-1", role="arn:aws:iam::1:role/meter")
        with pytest.raises(Refused) as caught:
            kit.way(Access(credential=role)).get("/version", list[int])
    assert str(caught.value) == (
        "EKS cluster prod in eu-central-1: AssumeRole answered 403 AccessDenied: not you; allow it sts:AssumeRole on the "
        "role, and name it in the role's trust policy (role arn:aws:iam::1:role/meter)"
    )


def test_nobody_is_told_so(kit: Kit) -> None:
    """Without any credentials, and with a profile that is not there."""
    for eks, says in (
        (Eks(cluster="prod", region="eu-central-1"), "Unable to locate credentials"),
        (Eks(cluster="prod", region="eu-central-1", profile="p"), r"The config profile \(p\) could not be found"),
    ):
        with pytest.raises(Refused, match=f"boto3 can't sign in .*{says}.*; give it credentials by IRSA, pod identity"):
            kit.way(Access(credential=eks)).get("/version", list[int])
    assert kit.outcomes == []


@pytest.mark.usefixtures("signing")
def test_amazon_may_be_away_while_a_token_lives(
    kit: Kit, amazon: Puts, certs: dict[str, Certificate], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was told is used on until the token ends, and the cluster is read."""
    with serving(certs["server"]) as server:
        server.on("/version", OK)
        amazon(server.url, certs["ca"])
        role = Eks(cluster="prod", region="eu-central-1", role="arn:aws:iam::123456789012:role/meter")
        way = kit.way(Access(credential=role))
        way.get("/version", list[int])
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        kit.time.pass_(minutes=14)
        assert way.get("/version", list[int]).body == [1]
        kit.time.now += timedelta(minutes=1)
        with pytest.raises(Unreachable, match=r"POST / of github-main: 127\.0\.0\.1:1: Connection refused"):
            way.get("/version", list[int])


def no_calls() -> Calls:
    exchange = Exchange("eu", rate_headers=None, stop=Event(), outcome=print, max_bytes=1)
    return Calls(exchange, clock=Time().clock, sleep=print, jitter=lambda: 0.5, stop=Event(), timeout=1)


@pytest.mark.usefixtures("amazon")
def test_a_token_is_of_the_clusters_own_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the environment would have the old, global address of STS; signing takes no call."""
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")
    token = EksCloud(Eks(cluster="prod", region="eu-central-1"), no_calls()).sign_in(NOON).token
    text = token.removeprefix("k8s-aws-v1.")
    url = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    assert url.startswith("https://sts.eu-central-1.amazonaws.com/?Action=GetCallerIdentity&")


def test_who_signs_in_is_part_of_what_the_breaker_knows() -> None:
    """A cluster entered in another role or profile is entered with another credential, whatever its tokens are."""
    calls = no_calls()
    found = {
        EksCloud(Eks(cluster=cluster, region=region, role=role, profile=profile), calls).identity
        for cluster, region, role, profile in ("aaaa", "baaa", "abaa", "aaba", "aaab", "aaaa")
    }
    assert len(found) == 5


def test_without_the_extra_its_name_is_said(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """boto3 is an extra."""
    monkeypatch.setitem(sys.modules, "botocore.exceptions", None)
    with pytest.raises(
        Refused, match=r"EKS cluster prod in eu-central-1 needs boto3: pip install platform-meter\[aws\]"
    ):
        kit.way(PROD).get("/version", list[int])
