"""A kubeconfig as kubectl reads it, used against a real server."""

from __future__ import annotations

import base64
import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.http import Certificate, Reply, Seen, serving
from tests.support.waiting import PATIENCE
from tests.support.ways import NOON, Kit, authorization, write

from platform_meter.model.access import Access, Kubeconfig
from platform_meter.model.source import Refused, Unreachable
from platform_meter.runtime.outside.kubeconfig import KubeconfigReader

OK = Reply(body=b"[1]")


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
        way = kit.way(Access(credential=Kubeconfig(path=path, context="main")))
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
        kit.way(Access(credential=Kubeconfig())).get("/version", list[int])
        assert authorization(server) == ["Bearer t0ken"]


def test_kubeconfig_with_a_client_certificate(kit: Kit, tmp_path: Path, certs: dict[str, Certificate]) -> None:
    """The server lets in only who has a certificate of its CA."""
    client = {"client-certificate-data": data(certs["client"].cert), "client-key-data": data(certs["client"].key)}
    with serving(certs["server"], client_ca=certs["ca"].cert) as server:
        server.on("/version", OK)
        ca = {"certificate-authority": str(certs["ca"].cert)}
        path = kubeconfig(tmp_path, server.url, client, ca)
        assert kit.way(Access(credential=Kubeconfig(path=path))).get("/version", list[int]).body == [1]
        with pytest.raises(Unreachable):
            kit.way(Access(url=server.url, ca_file=str(certs["ca"].cert))).get("/version", list[int])


def test_kubeconfig_may_name_the_server(kit: Kit, tmp_path: Path, certs: dict[str, Certificate]) -> None:
    """tls-server-name is what the certificate must carry, in place of the address."""
    with serving(certs["named"]) as server:
        server.on("/version", OK)
        ca = {"certificate-authority": str(certs["ca"].cert)}
        right = kubeconfig(tmp_path, server.url, {}, {**ca, "tls-server-name": "kube.example"})
        assert kit.way(Access(credential=Kubeconfig(path=right))).get("/version", list[int]).body == [1]
        wrong = kubeconfig(tmp_path, server.url, {}, ca)
        with pytest.raises(Unreachable, match="the server's certificate is not trusted"):
            kit.way(Access(credential=Kubeconfig(path=wrong))).get("/version", list[int])


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
        way = kit.way(Access(credential=Kubeconfig(path=path)))
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
        way = kit.way(Access(credential=Kubeconfig(path=path)))
        way.get("/version", list[int])
        kit.time.pass_(minutes=2)
        assert way.get("/version", list[int]).body == [1]
        for _ in range(2):
            with pytest.raises(Refused, match="401"):
                way.get("/version", list[int])
        assert authorization(server) == ["Bearer token-1", "Bearer token-1", "Bearer token-2", "Bearer token-2"]


@pytest.mark.parametrize(
    ("ends", "passed", "sent"),
    [
        (timedelta(days=900), timedelta(minutes=2), ["1", "1", "2", "2"]),
        (timedelta(hours=1), timedelta(minutes=58), ["1", "2", "2"]),
    ],
    ids=["refused early", "as was told"],
)
def test_a_plugins_token_that_ends_in_the_middle_of_a_list_loses_nothing(
    kit: Kit, tmp_path: Path, ends: timedelta, passed: timedelta, sent: list[str]
) -> None:
    """The page that it ends at is read with the next one, and so are those behind it."""
    with serving() as server:

        def page(seen: Seen) -> Reply:
            over = seen.query == "continue=2" and seen.headers["authorization"] == "Bearer token-1"
            return Reply(401) if over else Reply(body=f"[{seen.query[-1:] or 1}]".encode())

        server.on("/pods", page)
        plugin_ = counting(tmp_path, (NOON + ends).strftime("%Y-%m-%dT%H:%M:%SZ"))
        way = kit.way(Access(credential=Kubeconfig(path=kubeconfig(tmp_path, server.url, plugin_))))
        rows = list(way.get("/pods", list[int]).body or [])
        kit.time.pass_(minutes=passed / timedelta(minutes=1))
        for token in (2, 3):
            rows += way.get("/pods", list[int], params={"continue": token}).body or []
        assert rows == [1, 2, 3]
        assert authorization(server) == [f"Bearer token-{number}" for number in sent]


def test_a_token_that_ends_for_two_threads_is_renewed_once(kit: Kit, tmp_path: Path) -> None:
    """Whoever comes second finds the new token there already, and is not refused."""
    path = kubeconfig(tmp_path, "http://127.0.0.1:1", counting(tmp_path, "2030-01-01T00:00:00Z"))
    held = KubeconfigReader(Kubeconfig(path=path), headers={}, clock=kit.time.clock, environ={})
    ended = held.grant()
    assert held.renew(ended) is False
    kit.time.pass_(minutes=2)
    assert held.renew(ended) is True
    assert held.renew(ended) is True
    new = held.grant()
    assert held.renew(ended) is True
    assert held.renew(new) is False
    assert new.headers["Authorization"] == "Bearer token-2"
    assert held.grant() == new


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
        assert kit.way(Access(credential=Kubeconfig(path=path))).get("/version", list[int]).body == [1]


def test_a_hanging_plugin_holds_nobody_up(kit: Kit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin that waits for a browser is given up, and not started a second time meanwhile."""
    monkeypatch.setattr("platform_meter.runtime.outside.kubeconfig._LOAD_SECONDS", 0.05)
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    path = kubeconfig(tmp_path, "http://127.0.0.1:1", plugin(tmp_path, f"read x < {gate}; exit 1"))
    held = KubeconfigReader(Kubeconfig(path=path), headers={}, clock=kit.time.clock, environ={})
    with pytest.raises(Refused, match=r"its exec plugin gave no answer in 0\.05 s; run it by hand to see why"):
        held.grant()
    with pytest.raises(Refused, match=r"the exec plugin of kubeconfig .* still hangs"):
        held.grant()
    gate.write_text("go on\n")  # lets the plugin end
    assert held._loading is not None
    held._loading.join(PATIENCE)


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
        kit.way(Access(credential=Kubeconfig(path=path))).get("/version", list[int])
    assert str(caught.value).startswith(f"kubeconfig {path}")
    assert says in str(caught.value)


def test_missing_kubeconfigs_and_contexts_are_named(kit: Kit, tmp_path: Path) -> None:
    """The file, then the context."""
    with pytest.raises(
        Refused, match=r"kubeconfig /does/not/exist does not exist; name another file or use in_cluster"
    ):
        kit.way(Access(credential=Kubeconfig(path="/does/not/exist"))).get("/version", list[int])
    path = kubeconfig(tmp_path, "https://127.0.0.1:1", {"token": "t"})
    with pytest.raises(
        Refused, match=r"context staging can't be used: .*staging.*; check it with 'kubectl config view'"
    ):
        kit.way(Access(credential=Kubeconfig(path=path, context="staging"))).get("/version", list[int])


def test_without_the_extra_its_name_is_said(kit: Kit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The official client is an extra."""
    monkeypatch.setitem(sys.modules, "kubernetes.client", None)
    path = kubeconfig(tmp_path, "https://127.0.0.1:1", {"token": "t"})
    with pytest.raises(Refused, match=r"pip install platform-meter\[kubernetes\]"):
        kit.way(Access(credential=Kubeconfig(path=path))).get("/version", list[int])
