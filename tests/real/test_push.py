"""`platform-meter serve` is pushed to: what it answered is kept whatever happens to it, and counted once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from tests.support.company import samples
from tests.support.places import ROOT
from tests.support.processes import free_ports
from tests.support.waiting import PATIENCE, until

COMMAND = (sys.executable, "-c", "from platform_meter.cli import main; main()")
SECRET = "of-the-webhook"
KEY = "b2YtdGhlLXBpcGVsaW5l"
"""Base64, as Standard Webhooks want it."""
REPORTER = {"Authorization": "Bearer of-the-pipeline"}
VIEWER = {"Authorization": "Bearer of-prometheus"}


def deployment(key: str, at: datetime, **more: Any) -> dict[str, Any]:
    """In plain JSON, ended at this moment."""
    return {
        "deployment": {
            "id": key,
            "service": "payments",
            "environment": "prod",
            "sha": hashlib.sha1(key.encode(), usedforsecurity=False).hexdigest(),
            "finished_at": at.isoformat(),
            **more,
        }
    }


def delivery(number: int, moment: datetime) -> bytes:
    """A webhook of GitHub for a deployment that ended well at this moment."""
    at = moment.isoformat()
    row = {"id": number, "sha": "c" * 40, "ref": "main", "task": "deploy", "environment": "prod"}
    status = {"id": 1, "state": "success", "created_at": at, "updated_at": at}
    told = {"created_at": at, "updated_at": at}
    return json.dumps(
        {
            "action": "created",
            "deployment": {**row, **told},
            "deployment_status": status,
            "repository": {"full_name": "acme/payments", "topics": []},
        }
    ).encode()


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-GitHub-Event": "deployment_status", "X-Hub-Signature-256": f"sha256={digest}"}


def standard(body: bytes, at: datetime) -> dict[str, str]:
    """Signed by Standard Webhooks at this moment."""
    seconds = str(int(at.timestamp()))
    digest = hmac.new(base64.b64decode(KEY), f"msg_1.{seconds}.".encode() + body, hashlib.sha256).digest()
    shown = f"v1,{base64.b64encode(digest).decode()}"
    return {"webhook-id": "msg_1", "webhook-timestamp": seconds, "webhook-signature": shown}


@dataclass
class Exporter:
    """One `platform-meter serve`, which can be killed and started again on the same store."""

    folder: Path
    port: int
    ago: datetime
    """A minute before it was first started."""
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        (nobody,) = free_ports(1)
        said = {
            "zone": "UTC",
            "listen": f"127.0.0.1:{self.port}",
            "tick": "1s",
            "zero_for": "1s",
            "push_bytes": 4096,
            "access": {
                "tokens": {
                    "pipeline": {"role": "reporter", "token": {"env": "PIPELINE"}},
                    "prometheus": {"role": "viewer", "token": {"env": "PROMETHEUS"}},
                }
            },
            "sources": {
                "apps": {"type": "push", "every": "1s", "webhook": {"env": "APPS"}},
                "hub": {
                    "type": "github",
                    "org": "acme",
                    "token": {"env": "HUB"},
                    "url": f"http://127.0.0.1:{nobody}",
                    "webhook": {"env": "WEBHOOK"},
                },
            },
        }
        path = self.folder / "platform-meter.yaml"
        path.write_text(yaml.safe_dump(said))
        environ = {
            **os.environ,
            "PIPELINE": "of-the-pipeline",
            "PROMETHEUS": "of-prometheus",
            "HUB": "unused",
            "WEBHOOK": SECRET,
            "APPS": f"whsec_{KEY}",
        }
        log = (self.folder / "log").open("ab")
        with log:
            started = subprocess.Popen(
                [*COMMAND, "serve", "-c", str(path)], cwd=ROOT, env=environ, stderr=log, stdout=log
            )
        self.processes.append(started)
        until(self.answers)

    def answers(self) -> bool:
        assert self.processes[-1].poll() is None, (self.folder / "log").read_text()
        try:
            return self.asked("GET", "/-/ready").ok
        except requests.ConnectionError:
            return False

    def kill(self) -> None:
        self.processes[-1].kill()
        self.processes[-1].wait()

    def asked(self, method: str, path: str, **more: Any) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            return session.request(method, f"http://127.0.0.1:{self.port}{path}", timeout=PATIENCE, **more)

    def push(self, to: str, body: bytes, headers: Mapping[str, str]) -> requests.Response:
        json_ = {"Content-Type": "application/json"}
        return self.asked("POST", f"/api/v1/events{to}", data=body, headers={**json_, **headers})

    def plain(self, *told: dict[str, Any], headers: Mapping[str, str] = REPORTER) -> requests.Response:
        return self.push("", json.dumps(list(told)).encode(), headers)

    def counted(self, name: str, **labels: str) -> float:
        """The sum of the series of this name with these labels."""
        found = samples(self.asked("GET", "/metrics", headers=VIEWER).text).get(name, {})
        return sum(value for own, value in found.items() if labels.items() <= dict(own).items())

    def stored(self) -> float:
        return self.counted("platform_meter_events_total", kind="Deployment")


@pytest.fixture
def exporter(tmp_path: Path) -> Iterator[Exporter]:
    now = datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - a real server goes by the real clock
    made = Exporter(folder=tmp_path, port=free_ports(1)[0], ago=now - timedelta(minutes=1))
    try:
        made.start()
        yield made
    finally:
        for process in made.processes:
            process.kill()
            process.wait()


def test_what_was_answered_is_kept(exporter: Exporter) -> None:
    """`kill -9` right behind the answer loses nothing, and what is sent again afterwards is not new."""
    first = exporter.plain(deployment("1", exporter.ago), deployment("2", exporter.ago))
    body = delivery(7, exporter.ago)
    second = exporter.push("/hub", body, signed(body))
    exporter.kill()
    assert first.json() == {"stored": 2, "revised": 0, "repeated": 0, "rejected": []}
    assert second.json()["stored"] == 1
    exporter.start()
    until(lambda: exporter.stored() == 3)
    again = exporter.plain(deployment("2", exporter.ago), deployment("1", exporter.ago), deployment("3", exporter.ago))
    assert again.json() == {"stored": 1, "revised": 0, "repeated": 2, "rejected": []}
    assert exporter.push("/hub", body, signed(body)).json()["repeated"] == 1
    known = json.dumps(deployment("3", exporter.ago)).encode()
    assert exporter.push("", known, standard(known, exporter.ago)).json()["repeated"] == 1
    until(lambda: exporter.stored() == 4)
    until(lambda: exporter.counted("platform_deployments_total") == 4)


def test_who_may_not_push_leaves_nothing(exporter: Exporter) -> None:
    """Neither in the store nor in the log; what he is told says what to do."""
    body, plain = delivery(7, exporter.ago), json.dumps(deployment("1", exporter.ago)).encode()
    forged = signed(body, "guessed")
    recorded = standard(plain, exporter.ago - timedelta(minutes=10))
    answers = {
        "recorded long ago": exporter.push("", plain, recorded),
        "nobody": exporter.push("", plain, {}),
        "wrong token": exporter.push("", plain, {"Authorization": "Bearer guessed"}),
        "viewer": exporter.push("", plain, VIEWER),
        "unsigned": exporter.push("/hub", body, {"X-GitHub-Event": "deployment_status"}),
        "forged": exporter.push("/hub", body, forged),
        "cut off": exporter.push("/hub", body, {**signed(body), "X-Hub-Signature-256": "sha256="}),
        "another body": exporter.push("/hub", delivery(8, exporter.ago), signed(body)),
        "another source": exporter.push("/apps", body, signed(body)),
        "a page elsewhere": exporter.push("", plain, {**REPORTER, "Origin": "https://evil.example"}),
        "unreadable": exporter.push("", b'{"deployment": 1}', REPORTER),
        "no JSON": exporter.push("", plain, {**REPORTER, "Content-Type": "text/plain"}),
        "too long": exporter.push("", plain + b" " * 4096, REPORTER),
        "nowhere": exporter.push("/nowhere", plain, REPORTER),
        "future": exporter.plain(
            deployment("1", exporter.ago, finished_at=(exporter.ago + timedelta(days=1)).isoformat())
        ),
    }
    assert {name: answer.status_code for name, answer in answers.items()} == {
        "recorded long ago": 401,
        "nobody": 401,
        "wrong token": 401,
        "viewer": 403,
        "unsigned": 401,
        "forged": 401,
        "cut off": 401,
        "another body": 401,
        "another source": 401,
        "a page elsewhere": 403,
        "unreadable": 400,
        "no JSON": 415,
        "too long": 413,
        "nowhere": 404,
        "future": 400,
    }
    assert exporter.stored() == 0
    until(lambda: exporter.counted("platform_meter_source_pushes_total", source_instance="hub", outcome="refused") == 4)
    assert exporter.counted("platform_meter_source_pushes_total", outcome="ok") == 0
    log = (exporter.folder / "log").read_text()
    for secret in (SECRET, "of-the-pipeline", "guessed", forged["X-Hub-Signature-256"].removeprefix("sha256=")):
        assert secret not in log


def test_pushed_from_everywhere_at_once_it_counts_once(exporter: Exporter) -> None:
    """Many senders, each delivery three times, while polls and ticks go on."""
    told = [[deployment(f"{n}-{one}", exporter.ago) for one in range(4)] for n in range(15)]
    bodies = [delivery(n, exporter.ago) for n in range(15)]

    def send(n: int) -> int:
        answer = exporter.plain(*told[n % 15])
        hooked = exporter.push("/hub", bodies[n % 15], signed(bodies[n % 15]))
        assert (answer.status_code, hooked.status_code) == (200, 200)
        return int(answer.json()["stored"]) + int(hooked.json()["stored"])

    with ThreadPoolExecutor(12) as senders:
        assert sum(senders.map(send, range(45))) == 75
    until(lambda: exporter.stored() == 75)
    until(lambda: exporter.counted("platform_deployments_total") == 75)
    pushes = {o: exporter.counted("platform_meter_source_pushes_total", outcome=o) for o in ("ok", "failed")}
    assert pushes == {"ok": 90, "failed": 0}
