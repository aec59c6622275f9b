"""Where credentials come from, used against a real server."""

from __future__ import annotations

import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.support.http import Certificate, Reply, Seen, authority, certificate, serving
from tests.support.ways import Kit, authorization, write

from platform_meter.model.access import (
    Access,
    Aws,
    Basic,
    ClientCertificate,
    Credential,
    Eks,
    GithubApp,
    Gke,
    InCluster,
    Kubeconfig,
    Secret,
    SecretHeaders,
    Token,
)
from platform_meter.model.source import Refused, Unreachable
from platform_meter.runtime.outside.credentials import credentials, unaccepted
from platform_meter.runtime.outside.grants import Grant

OK = Reply(body=b"[1]")


@pytest.mark.parametrize(
    ("prefix", "sent"),
    [("Bearer", "Bearer s3cret"), ("token", "token s3cret"), ("Token token=", "Token token=s3cret"), ("", "s3cret")],
)
def test_tokens_take_the_prefix_of_their_system(kit: Kit, prefix: str, sent: str) -> None:
    """GitHub, GitLab, PagerDuty and plain keys differ only in what stands before the token."""
    kit.environ["TOKEN"] = " s3cret\n"
    with serving() as server:
        server.on("/items", OK)
        kit.way(Access(url=server.url, credential=Token(secret=Secret(env="TOKEN"), prefix=prefix))).get(
            "/items", list[int]
        )
        assert authorization(server) == [sent]


def test_secret_files_are_read_again_when_they_change(kit: Kit, tmp_path: Path) -> None:
    """A mounted secret is swapped by a symlink; the next call uses the new one."""
    write(tmp_path / "v1", "first\n")
    write(tmp_path / "v2", "other\n")
    link = tmp_path / "token"
    link.symlink_to(tmp_path / "v1")
    with serving() as server:
        server.on("/items", OK)
        way = kit.way(Access(url=server.url, credential=Token(secret=Secret(file=str(link)))))
        way.get("/items", list[int])
        (tmp_path / "new").symlink_to(tmp_path / "v2")
        (tmp_path / "new").replace(link)
        way.get("/items", list[int])
        assert authorization(server) == ["Bearer first", "Bearer other"]


def test_a_token_that_is_swapped_while_a_call_is_on_its_way_costs_nothing(kit: Kit, tmp_path: Path) -> None:
    """The call is sent once more with the new one; with the same one it is refused at once."""
    file = tmp_path / "token"
    write(file, "first")
    with serving() as server:

        def swapping(_: Seen) -> Reply:
            write(file, "other-token")
            return Reply(401)

        server.on("/items", swapping, OK, Reply(401))
        way = kit.way(Access(url=server.url, credential=Token(secret=Secret(file=str(file)))))
        assert way.get("/items", list[int]).body == [1]
        with pytest.raises(Refused, match="401"):
            way.get("/items", list[int])
        assert authorization(server) == ["Bearer first", "Bearer other-token", "Bearer other-token"]


def test_a_pod_reads_its_token_again_when_it_is_refused(
    kit: Kit, tmp_path: Path, certs: dict[str, Certificate]
) -> None:
    """Kubernetes swaps it when four fifths of its life are over; nothing is lost in between."""
    write(tmp_path / "ca.crt", certs["ca"].cert.read_text())
    write(tmp_path / "token", "first")
    with serving(certs["server"]) as server:

        def swapping(_: Seen) -> Reply:
            write(tmp_path / "token", "other-token")
            return Reply(401)

        server.on("/items", swapping, OK)
        address = urlsplit(server.url)
        environ = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(address.port)}
        access = Access(credential=InCluster())
        held = credentials(access, clock=kit.time.clock, environ=environ, service_account=tmp_path)
        assert kit.way(access, credential=held).get("/items", list[int]).body == [1]
        assert authorization(server) == ["Bearer first", "Bearer other-token"]
        assert held.renew(held.grant()) is False


def test_a_cloud_needs_a_way_to_be_called(kit: Kit) -> None:
    """Whoever makes its credential has to give one."""
    with pytest.raises(ValueError, match="a cloud's credential can't be made without a way to call the cloud"):
        credentials(Access(credential=Eks(cluster="prod", region="eu-west-1")), clock=kit.time.clock)


def test_unusable_secrets_say_what_to_do(kit: Kit, tmp_path: Path) -> None:
    """Missing, empty and broken secrets are Refused without a request and without showing what was found."""
    kit.environ["BROKEN"] = "line-one\nline-two"
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    cases = {
        Secret(env="UNSET"): "the variable UNSET is not set; set it to the secret's value, or name a file",
        Secret(
            env="BROKEN"
        ): "the variable BROKEN holds a line break or a character outside ASCII; write the bare value",
        Secret(
            file=str(tmp_path / "none")
        ): f"the secret file {tmp_path}/none can't be read: No such file or directory; create it or name another file",
        Secret(
            file=write(tmp_path / "empty", "\n")
        ): f"the secret file {tmp_path}/empty is empty; write the value into it",
        Secret(
            file=str(tmp_path / "binary")
        ): f"the secret file {tmp_path}/binary is not UTF-8 text; write the bare value into it",
    }
    with serving() as server:
        for secret, says in cases.items():
            with pytest.raises(Refused) as caught:
                kit.way(Access(url=server.url, credential=Token(secret=secret))).get("/items", list[int])
            assert str(caught.value) == says
        assert server.seen == []


def test_a_grant_hides_what_it_carries() -> None:
    """Neither its repr nor a text passed through it shows a secret; the longest goes first."""
    grant = Grant(base="https://git.example", headers={"Authorization": "Bearer abcdef"}, secrets=("abc", "abcdef"))
    assert "abc" not in repr(grant)
    assert grant.hide("found abcdef and abc") == "found *** and ***"


def test_a_certificate_authority_may_stand_in_the_home(
    kit: Kit, certs: dict[str, Certificate], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`~` means the same as in every other path."""
    ca = certs["ca"].cert
    monkeypatch.setenv("HOME", str(ca.parent))
    with serving(certs["server"]) as server:
        server.on("/version", OK)
        assert kit.way(Access(url=server.url, ca_file=f"~/{ca.name}")).get("/version", list[int]).body == [1]


def test_in_cluster_uses_the_service_account(kit: Kit, tmp_path: Path, certs: dict[str, Certificate]) -> None:
    """Host and port come from the pod's environment, CA and token from its files; the token is read again."""
    account = tmp_path / "serviceaccount"
    account.mkdir()
    write(account / "ca.crt", certs["ca"].cert.read_text())
    write(account / "token", "pod-token")
    access = Access(credential=InCluster())
    with serving(certs["server"]) as server:
        server.on("/version", OK)
        environ = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": server.url.rpartition(":")[2]}
        held = credentials(access, clock=kit.time.clock, environ=environ, service_account=account)
        way = kit.way(access, credential=held)
        way.get("/version", list[int])
        write(account / "token", "rotated-pod-token")
        way.get("/version", list[int])
        assert authorization(server) == ["Bearer pod-token", "Bearer rotated-pod-token"]


def test_a_pods_token_that_ends_in_the_middle_of_a_list_loses_nothing(
    kit: Kit, tmp_path: Path, certs: dict[str, Certificate]
) -> None:
    """The page is asked for once more with the token that stands there by then, and the list goes on behind it."""
    write(tmp_path / "ca.crt", certs["ca"].cert.read_text())
    write(tmp_path / "token", "first")
    with serving(certs["server"]) as server:

        def page(seen: Seen) -> Reply:
            if seen.query == "continue=2" and seen.headers["authorization"] == "Bearer first":
                write(tmp_path / "token", "other-token")
                return Reply(401)
            return Reply(body=f"[{seen.query[-1:] or 1}]".encode())

        server.on("/pods", page)
        address = urlsplit(server.url)
        environ = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(address.port)}
        access = Access(credential=InCluster())
        held = credentials(access, clock=kit.time.clock, environ=environ, service_account=tmp_path)
        way = kit.way(access, credential=held)
        asked = (None, {"continue": 2}, {"continue": 3})
        assert [way.get("/pods", list[int], params=params).body for params in asked] == [[1], [2], [3]]
        sent = [(seen.query, seen.headers["authorization"]) for seen in server.seen]
        assert sent == [
            ("", "Bearer first"),
            ("continue=2", "Bearer first"),
            ("continue=2", "Bearer other-token"),
            ("continue=3", "Bearer other-token"),
        ]


def test_in_cluster_elsewhere_says_so(kit: Kit, tmp_path: Path) -> None:
    """Outside of a pod, or without a mounted service account, the text says what to use; IPv6 hosts get brackets."""
    held = credentials(Access(credential=InCluster()), clock=kit.time.clock, environ={}, service_account=tmp_path)
    with pytest.raises(Refused, match="in_cluster works only in a pod"):
        held.grant()
    environ = {"KUBERNETES_SERVICE_HOST": "fd00::1"}
    held = credentials(Access(credential=InCluster()), clock=kit.time.clock, environ=environ, service_account=tmp_path)
    with pytest.raises(
        Refused, match=r"the cluster's CA .*/ca.crt does not exist; mount the service account or set ca_file"
    ):
        held.grant()
    write(tmp_path / "ca.crt", "-")
    write(tmp_path / "token", "t")
    assert held.grant().base == "https://[fd00::1]:443"


def test_secret_headers_are_sent_together(kit: Kit) -> None:
    """Two keys let in what one would not; no header Authorization is sent."""
    kit.environ |= {"API_KEY": "one-key", "APP_KEY": "other-key"}
    keys = SecretHeaders(headers={"DD-API-KEY": Secret(env="API_KEY"), "DD-APPLICATION-KEY": Secret(env="APP_KEY")})
    with serving() as server:
        server.on("/items", OK)
        kit.way(Access(url=server.url, credential=keys, headers={"Accept-Language": "en"})).get("/items", list[int])
        (seen,) = server.seen
    names = ("dd-api-key", "dd-application-key", "accept-language", "authorization")
    assert [seen.headers.get(name) for name in names] == ["one-key", "other-key", "en", None]


def test_a_client_certificate_lets_in(kit: Kit, tmp_path: Path, certs: dict[str, Certificate]) -> None:
    """A server that asks for one takes it; without one, or with a stranger's, there is no connection."""
    stranger = certificate(tmp_path, authority(tmp_path), "stranger")
    with serving(certs["server"], client_ca=certs["ca"].cert) as server:
        server.on("/items", OK)
        ca = str(certs["ca"].cert)
        held = ClientCertificate(cert_file=str(certs["client"].cert), key_file=str(certs["client"].key))
        assert kit.way(Access(url=server.url, credential=held, ca_file=ca)).get("/items", list[int]).body == [1]
        other = ClientCertificate(cert_file=str(stranger.cert), key_file=str(stranger.key))
        for access in (Access(url=server.url, ca_file=ca), Access(url=server.url, credential=other, ca_file=ca)):
            with pytest.raises(Unreachable):
                kit.way(access).get("/items", list[int])
        assert len(server.seen) == 1


def test_a_renewed_client_certificate_is_used(kit: Kit, tmp_path: Path, certs: dict[str, Certificate]) -> None:
    """The next connection shows the files as they stand then; to quota and breaker it is another credential."""
    own = authority(tmp_path, "own")
    expired, renewed = certificate(tmp_path, own, "expired"), certs["client"]
    cert, key = tmp_path / "tls.crt", tmp_path / "tls.key"

    def put(there: Certificate) -> None:
        for path, text in ((cert, there.cert.read_text()), (key, there.key.read_text())):
            path.unlink(missing_ok=True)
            write(path, text)

    held = ClientCertificate(cert_file=str(cert), key_file=str(key))
    with serving(certs["server"], client_ca=certs["ca"].cert) as server:
        server.on("/items", OK)
        access = Access(url=server.url, credential=held, ca_file=str(certs["ca"].cert))
        way, read = kit.way(access), credentials(access, clock=kit.time.clock)
        put(expired)
        before = read.grant()
        with pytest.raises(Unreachable):
            way.get("/items", list[int])
        put(renewed)
        assert way.get("/items", list[int]).body == [1]
        assert read.grant().fingerprint not in {"", before.fingerprint}


def test_an_unusable_client_certificate_says_why(tmp_path: Path, certs: dict[str, Certificate], kit: Kit) -> None:
    """Missing files, a key of another certificate and a key with a passphrase are Refused before anything is sent."""
    client, locked = certs["client"], tmp_path / "locked.key"
    lock: list[str | Path] = ["openssl", "ec", "-in", client.key, "-aes128", "-passout", "pass:secret", "-out", locked]
    subprocess.run(lock, check=True, capture_output=True)
    cases = {
        (tmp_path / "none", client.key): "can't be read: No such file or directory; create it or name another file",
        (client.cert, tmp_path / "none"): "can't be read: No such file or directory; create it or name another file",
        (client.cert, certs["server"].key): "can't be used (KEY_VALUES_MISMATCH); write PEM files that belong together",
        (client.cert, locked): "write PEM files that belong together, the key without a passphrase",
    }
    for (cert, key), says in cases.items():
        held = ClientCertificate(cert_file=str(cert), key_file=str(key))
        with pytest.raises(Refused) as caught:
            kit.way(Access(url="https://127.0.0.1:1", credential=held)).get("/items", list[int])
        assert says in str(caught.value)
    with pytest.raises(ValueError, match="a client certificate is shown over TLS only; write https:// in url"):
        kit.way(Access(url="http://127.0.0.1:1", credential=held))


@pytest.mark.parametrize(
    ("credential", "where"),
    [
        (Token(secret=Secret(env="GH_TOKEN")), "the variable GH_TOKEN"),
        (Token(secret=Secret(file="/run/gh")), "the secret file /run/gh"),
        (Basic(user="bot", password=Secret(env="P")), "the variable P and the user 'bot'"),
        (
            SecretHeaders(headers={"A": Secret(env="A"), "B": Secret(file="b")}),
            "the variable A and the secret file b",
        ),
        (ClientCertificate(cert_file="c.pem", key_file="k.pem"), "the client certificate c.pem"),
        (Kubeconfig(path="/kube", context="prod"), "the context 'prod' of the kubeconfig /kube"),
        (Kubeconfig(), "the current context of the kubeconfig"),
        (InCluster(), "the service account of this pod (/var/run/secrets/kubernetes.io/serviceaccount/token)"),
        (
            Eks(cluster="eu", region="eu-1", role="arn:r"),
            "arn:r, which needs an access entry of eu",
        ),
        (
            Eks(cluster="eu", region="eu-1", profile="ops"),
            "the profile ops, which needs an access entry of eu",
        ),
        (Aws(service="cloudwatch", region="eu", role="arn:r"), "arn:r"),
        (Aws(service="cloudwatch", region="eu", profile="ops"), "the profile ops"),
        (Aws(service="cloudwatch", region="eu"), "the AWS identity of this process"),
        (Gke(project="p", location="l", cluster="c"), "the Google identity of this process"),
        (Gke(project="p", location="l", cluster="c", key_file="/key"), "/key"),
        (GithubApp(app="7", key_file="/key", org="acme", url=""), "the key /key of the GitHub App 7"),
    ],
)
def test_a_credential_that_is_not_accepted_is_called_by_where_it_stands(credential: Credential, where: str) -> None:
    """So that whoever reads it knows which one to renew; never by its value."""
    assert unaccepted(credential) == (
        f"the credential is not accepted: it has expired, is wrong or is of another system; look at {where}"
    )


def test_a_system_that_wants_a_credential_where_none_is_configured() -> None:
    """Nothing can have expired there."""
    assert unaccepted(None) == (
        "it wants a credential and none is configured; write one into the settings of this source"
    )
