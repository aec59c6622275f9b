"""A real OpenSearch for tests, of one node and without its security plugin; its parts are got once into the cache.

    python -m tests.support.opensearch

gets them there, as the first test that needs it would. It takes a Java with its compiler (17 or later) and Maven.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.client import Client
from tests.support.kube_api import CACHE, alone
from tests.support.places import ROOT
from tests.support.processes import Server, free_ports
from tests.support.waiting import PATIENCE

MADE = ROOT / "tests" / "real" / "opensearch"
FOLDER = CACHE / "opensearch-2.19.1"
_AT_ONCE = 10_000
"""Documents of one bulk request."""


def programs() -> Path:
    """Folder of its parts."""
    with alone(FOLDER.name):
        if not FOLDER.is_dir():
            new = FOLDER.with_name(f"{FOLDER.name}.new")
            copy: list[str | Path] = [
                "mvn",
                "-q",
                "-f",
                MADE / "pom.xml",
                "dependency:copy-dependencies",
                f"-DoutputDirectory={new}",
            ]
            subprocess.run(copy, check=True)
            new.replace(FOLDER)
    return FOLDER


class OpenSearch(Client):
    """The server, and what its users write there."""

    def __init__(self, url: str) -> None:
        super().__init__(url, "/_cluster/health")

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """A call that must succeed, and its answer."""
        answer = self._session.request(method, f"{self.url}{path}", json=body, timeout=PATIENCE)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:300]}"
        return answer.json()

    def index(self, name: str, dates: str = "date", replicas: int = 0) -> None:
        """A new index of requests, with dates of this type."""
        fields = {"@timestamp": {"type": dates}, "status": {"type": "integer"}}
        settings = {"number_of_shards": 2, "number_of_replicas": replicas}
        self.call("PUT", f"/{name}", {"settings": settings, "mappings": {"properties": fields}})

    def log(self, name: str, documents: Sequence[tuple[str, int]]) -> list[str]:
        """Requests by date and status, which can be found when this returns; their ids."""
        made = [
            self.call("POST", f"/{name}/_doc?refresh=true", {"@timestamp": at, "status": status})
            for at, status in documents
        ]
        return [one["_id"] for one in made]

    def bulk(self, name: str, documents: Sequence[tuple[float, int]]) -> None:
        """Many requests by date (epoch seconds) and status, which can be found when this returns."""
        for at in range(0, len(documents), _AT_ONCE):
            rows = [
                f'{{"create":{{}}}}\n{{"@timestamp":{round(moment * 1000)},"status":{status}}}\n'
                for moment, status in documents[at : at + _AT_ONCE]
            ]
            headers = {"content-type": "application/x-ndjson"}
            address = f"{self.url}/{name}/_bulk?refresh=true"
            answer = self._session.post(address, data="".join(rows), headers=headers, timeout=PATIENCE)
            assert answer.ok, answer.text[:300]
            assert not answer.json()["errors"], answer.text[:300]


@contextmanager
def opensearch(folder: Path) -> Iterator[OpenSearch]:
    """One of the test's own, on loopback, for the time of the block."""
    parts, (port, transport) = programs(), free_ports(2)
    (folder / "config").mkdir(parents=True)
    # It lives for seconds: what the second compiler and threads that collect garbage cost would never come back.
    lean = ("-Xmx384m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
    command: list[str | Path] = ["java", *lean, f"-Dopensearch.path.home={folder}", "-cp", f"{parts}/*"]
    command += [MADE / "One.java", folder, str(port), str(transport)]
    made = OpenSearch(f"http://127.0.0.1:{port}")
    server = Server(command, folder / "log", made.is_ready)
    server.start()
    try:
        yield made
    finally:
        made.close()
        server.stop()


if __name__ == "__main__":
    programs()
