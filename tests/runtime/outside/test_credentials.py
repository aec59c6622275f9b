"""Where credentials come from, used against a real server."""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.http import Certificate, Reply, Seen, Server, authority, certificate, serving
from tests.support.ways import NOON, Kit, write

from platform_meter.model.source import Access, Refused, Secret, Unreachable
from platform_meter.runtime.outside.credentials import credentials
from platform_meter.runtime.outside.grants import Grant
from platform_meter.runtime.outside.kubeconfig import Kubeconfig

OK = Reply(body=b"[1]")


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Certificate]:
    folder = tmp_path_factory.mktemp("certs")
    ca = authority(folder)
    made = {name: certificate(folder, ca, name) for name in ("server", "client")}
    return {"ca": ca, "named": certificate(folder, ca, "named", san="DNS:kube.example"), **made}


@pytest.fixture
def kit(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kit]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    made = Kit()
    yield made
    made.close()


def authorization(server: Server) -> list[str]:
    return [s.headers.get("authorization", "") for s in server.seen]


@pytest.mark.parametrize(
    ("prefix", "sent"),
    [("Bearer", "Bearer s3cret"), ("token", "token s3cret"), ("Token token=", "Token token=s3cret"), ("", "s3cret")],
)
def test_tokens_take_the_prefix_of_their_system(kit: Kit, prefix: str, sent: str) -> None:
    """GitHub, GitLab, PagerDuty and plain keys differ only in what stands before the token."""
    kit.environ["TOKEN"] = " s3cret\n"
    with serving() as server:
        server.on("/items", OK)
        kit.way(Access(url=server.url, token=Secret(env="TOKEN"), token_prefix=prefix)).get("/items", list[int])
        assert authorization(server) == [sent]


def test_secret_files_are_read_again_when_they_change(kit: Kit, tmp_path: Path) -> None:
    """A mounted secret is swapped by a symlink; the next call uses the new one."""
    write(tmp_path / "v1", "first\n")
    write(tmp_path / "v2", "other\n")
    link = tmp_path / "token"
    link.symlink_to(tmp_path / "v1")
    with serving() as server:
        server.on("/items", OK)
        way = kit.way(Access(url=server.url, token=Secret(file=str(link))))
        way.get("/items", list[int])
        (tmp_path / "new").symlink_to(tmp_path / "v2")
        (tmp_path / "new").replace(link)
        way.get("/items", list[int])
        assert authorization(server) == ["Bearer first", "Bearer other"]


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
                kit.way(Access(url=server.url, token=secret)).get("/items", list[int])
            assert str(caught.value) == says
        assert server.seen == []


def test_a_grant_hides_what_it_carries() -> None:
    """Neither its repr nor a text passed through it shows a secret; the longest goes first."""
    grant = Grant(base="https://git.example", headers={"Authorization": "Bearer abcdef"}, secrets=("abc", "abcdef"))
    assert "abc" not in repr(grant)
    assert grant.hide("found abcdef and abc") == "found *** and ***"


def kubeconfig(tmp_path: Path, server: str, user: dict[str, Any], cluster: dict[str, Any] | None = None) -> str:
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "main",
        "contexts": [{"name": "main", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server, **(cluster or {})}}],
        "users": [{"name": "u", "user": user}],
    }
    return write(tmp_path / "kubeconfig", yaml.safe_dump(content))


def data(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def test_kubeconfig_with_a_token(kit: Kit, tmp_path: Path, certs: dict[str, Certificate]) -> None:
    """Host, CA and token come from the file; another token in the file is used at once."""
    with serving(certs["server"]) as server:
        server.on("/api/v1/pods", OK)
        ca = {"certificate-authority-data": data(certs["ca"].cert)}
        path = kubeconfig(tmp_path, server.url, {"token": "kube-token"}, ca)
        way = kit.way(Access(kubeconfig=(path, "main")))
        way.get("/api/v1/pods", list[int])
        kubeconfig(tmp_path, server.url, {"token": "new-kube-token"}, ca)
        os.utime(path, ns=(1, 1))
        way.get("/api/v1/pods", list[int])
        assert authorization(server) == ["Bearer kube-token", "Bearer new-kube-token"]


def test_kubeconfig_by_default_is_where_kubectl_looks(kit: Kit, tmp_path: Path) -> None:
    """KUBECONFIG names the file when the settings don't."""
    with serving() as server:
        server.on("/version", OK)
        kit.environ["KUBECONFIG"] = kubeconfig(tmp_path, server.url, {"token": "t0ken"})
        kit.way(Access(kubeconfig=("", ""))).get("/version", list[int])
        assert authorization(server) == ["Bearer t0ken"]


def test_kubeconfig_with_a_client_certificate(kit: Kit, tmp_path: Path, certs: dict[str, Certificate]) -> None:
    """The server lets in only who has a certificate of its CA."""
    client = {"client-certificate-data": data(certs["client"].cert), "client-key-data": data(certs["client"].key)}
    with serving(certs["server"], client_ca=certs["ca"].cert) as server:
        server.on("/version", OK)
        ca = {"certificate-authority": str(certs["ca"].cert)}
        path = kubeconfig(tmp_path, server.url, client, ca)
        assert kit.way(Access(kubeconfig=(path, ""))).get("/version", list[int]).body == [1]
        with pytest.raises(Unreachable):
            kit.way(Access(url=server.url, ca_file=str(certs["ca"].cert))).get("/version", list[int])


def test_a_certificate_authority_may_stand_in_the_home(
    kit: Kit, certs: dict[str, Certificate], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`~` means the same as in every other path."""
    ca = certs["ca"].cert
    monkeypatch.setenv("HOME", str(ca.parent))
    with serving(certs["server"]) as server:
        server.on("/version", OK)
        assert kit.way(Access(url=server.url, ca_file=f"~/{ca.name}")).get("/version", list[int]).body == [1]


def test_kubeconfig_may_name_the_server(kit: Kit, tmp_path: Path, certs: dict[str, Certificate]) -> None:
    """tls-server-name is what the certificate must carry, in place of the address."""
    with serving(certs["named"]) as server:
        server.on("/version", OK)
        ca = {"certificate-authority": str(certs["ca"].cert)}
        right = kubeconfig(tmp_path, server.url, {}, {**ca, "tls-server-name": "kube.example"})
        assert kit.way(Access(kubeconfig=(right, ""))).get("/version", list[int]).body == [1]
        wrong = kubeconfig(tmp_path, server.url, {}, ca)
        with pytest.raises(Unreachable, match="the server's certificate is not trusted"):
            kit.way(Access(kubeconfig=(wrong, ""))).get("/version", list[int])


def plugin(tmp_path: Path, script: str) -> dict[str, Any]:
    path = Path(write(tmp_path / "plugin.sh", f"#!/bin/sh\n{script}\n"))
    path.chmod(0o755)
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(path), "interactiveMode": "Never"}}


def credential(status: dict[str, Any]) -> str:
    return json.dumps({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status})


def counting(tmp_path: Path, expires: str) -> dict[str, Any]:
    """A plugin whose token tells how often it ran."""
    made = credential({"token": "token-$n", "expirationTimestamp": expires}).replace('"', '\\"')
    return plugin(tmp_path, f'echo x >> {tmp_path}/runs; n=$(wc -l < {tmp_path}/runs); echo "{made}"')


def test_exec_plugins_run_again_shortly_before_their_token_expires(kit: Kit, tmp_path: Path) -> None:
    """A token for an hour is used for 58 minutes."""
    with serving() as server:
        server.on("/version", OK)
        path = kubeconfig(
            tmp_path, server.url, counting(tmp_path, (NOON + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ"))
        )
        way = kit.way(Access(kubeconfig=(path, "")))
        for minutes in (0, 57, 1):
            kit.time.pass_(minutes=minutes)
            way.get("/version", list[int])
        assert authorization(server) == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]


def test_a_plugin_is_asked_again_when_its_token_is_refused(kit: Kit, tmp_path: Path) -> None:
    """A 401 long after the plugin ran gets one new token; a 401 on that opens the breaker, for every later token."""
    with serving() as server:

        def answer(seen: Seen) -> Reply:
            return OK if seen.headers["authorization"] in {"Bearer token-1", "Bearer token-2"} else Reply(401)

        server.on("/version", OK, Reply(401), answer, Reply(401))
        path = kubeconfig(tmp_path, server.url, counting(tmp_path, "2030-01-01T00:00:00Z"))
        way = kit.way(Access(kubeconfig=(path, "")))
        way.get("/version", list[int])
        kit.time.pass_(minutes=2)
        assert way.get("/version", list[int]).body == [1]
        for _ in range(2):
            with pytest.raises(Refused, match="401"):
                way.get("/version", list[int])
        assert authorization(server) == ["Bearer token-1", "Bearer token-1", "Bearer token-2", "Bearer token-2"]


def test_exec_plugins_may_give_certificates(kit: Kit, tmp_path: Path, certs: dict[str, Certificate]) -> None:
    """Some plugins issue a client certificate in place of a token."""
    given = {
        "clientCertificateData": certs["client"].cert.read_text(),
        "clientKeyData": certs["client"].key.read_text(),
    }
    write(tmp_path / "answer.json", credential(given))
    with serving(certs["server"], client_ca=certs["ca"].cert) as server:
        server.on("/version", OK)
        user = plugin(tmp_path, f"cat {tmp_path}/answer.json")
        path = kubeconfig(tmp_path, server.url, user, {"certificate-authority": str(certs["ca"].cert)})
        assert kit.way(Access(kubeconfig=(path, ""))).get("/version", list[int]).body == [1]


def test_a_hanging_plugin_holds_nobody_up(kit: Kit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin that waits for a browser is given up, and not started a second time meanwhile."""
    monkeypatch.setattr("platform_meter.runtime.outside.kubeconfig._LOAD_SECONDS", 0.05)
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    path = kubeconfig(tmp_path, "http://127.0.0.1:1", plugin(tmp_path, f"read x < {gate}; exit 1"))
    held = Kubeconfig(path, "", headers={}, clock=kit.time.clock, environ={})
    with pytest.raises(Refused, match=r"its exec plugin gave no answer in 0\.05 s; run it by hand to see why"):
        held.grant()
    with pytest.raises(Refused, match=r"the exec plugin of kubeconfig .* still hangs"):
        held.grant()
    gate.write_text("go on\n")  # lets the plugin end
    assert held._loading is not None
    held._loading.join(10)


@pytest.mark.parametrize(
    ("user", "cluster", "says"),
    [
        (
            {"token": "t"},
            {"insecure-skip-tls-verify": True},
            "sets insecure-skip-tls-verify; set certificate-authority-data instead",
        ),
        (
            {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "/does/not/exist"}},
            {},
            "its exec plugin gave neither token nor certificate; the log says why",
        ),
        (
            {"client-certificate": "/does/not/exist", "client-key": "/does/not/exist"},
            {},
            "can't be used: File does not exist: /does/not",
        ),
    ],
)
def test_unusable_kubeconfigs_say_why(
    kit: Kit, tmp_path: Path, user: dict[str, Any], cluster: dict[str, Any], says: str
) -> None:
    """TLS is always verified; a failed plugin and missing files are named."""
    path = kubeconfig(tmp_path, "https://127.0.0.1:1", user, cluster)
    with pytest.raises(Refused) as caught:
        kit.way(Access(kubeconfig=(path, ""))).get("/version", list[int])
    assert str(caught.value).startswith(f"kubeconfig {path}")
    assert says in str(caught.value)


def test_missing_kubeconfigs_and_contexts_are_named(kit: Kit, tmp_path: Path) -> None:
    """The file, then the context."""
    with pytest.raises(
        Refused, match=r"kubeconfig /does/not/exist does not exist; name another file or use in_cluster"
    ):
        kit.way(Access(kubeconfig=("/does/not/exist", ""))).get("/version", list[int])
    path = kubeconfig(tmp_path, "https://127.0.0.1:1", {"token": "t"})
    with pytest.raises(
        Refused, match=r"context staging can't be used: .*staging.*; check it with 'kubectl config view'"
    ):
        kit.way(Access(kubeconfig=(path, "staging"))).get("/version", list[int])


def test_without_the_extra_its_name_is_said(kit: Kit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The official client is an extra."""
    monkeypatch.setitem(sys.modules, "kubernetes.client", None)
    path = kubeconfig(tmp_path, "https://127.0.0.1:1", {"token": "t"})
    with pytest.raises(Refused, match=r"pip install platform-meter\[kubernetes\]"):
        kit.way(Access(kubeconfig=(path, ""))).get("/version", list[int])


def test_in_cluster_uses_the_service_account(kit: Kit, tmp_path: Path, certs: dict[str, Certificate]) -> None:
    """Host and port come from the pod's environment, CA and token from its files; the token is read again."""
    account = tmp_path / "serviceaccount"
    account.mkdir()
    write(account / "ca.crt", certs["ca"].cert.read_text())
    write(account / "token", "pod-token")
    access = Access(in_cluster=True)
    with serving(certs["server"]) as server:
        server.on("/version", OK)
        environ = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": server.url.rpartition(":")[2]}
        held = credentials(access, clock=kit.time.clock, environ=environ, service_account=account)
        way = kit.way(access, credential=held)
        way.get("/version", list[int])
        write(account / "token", "rotated-pod-token")
        way.get("/version", list[int])
        assert authorization(server) == ["Bearer pod-token", "Bearer rotated-pod-token"]


def test_in_cluster_elsewhere_says_so(kit: Kit, tmp_path: Path) -> None:
    """Outside of a pod, or without a mounted service account, the text says what to use; IPv6 hosts get brackets."""
    held = credentials(Access(in_cluster=True), clock=kit.time.clock, environ={}, service_account=tmp_path)
    with pytest.raises(Refused, match="in_cluster works only in a pod"):
        held.grant()
    environ = {"KUBERNETES_SERVICE_HOST": "fd00::1"}
    held = credentials(Access(in_cluster=True), clock=kit.time.clock, environ=environ, service_account=tmp_path)
    with pytest.raises(
        Refused, match=r"the cluster's CA .*/ca.crt does not exist; mount the service account or set ca_file"
    ):
        held.grant()
    write(tmp_path / "ca.crt", "-")
    write(tmp_path / "token", "t")
    assert held.grant().base == "https://[fd00::1]:443"
