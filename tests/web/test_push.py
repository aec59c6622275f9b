"""`/api/v1/events`: who may push, and what he is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from tests.support import pushing
from tests.support.pushing import SECRET, signature
from tests.support.stores import NOON, Opener
from tests.support.views import site, view
from werkzeug.test import Client, TestResponse

from platform_meter.model.access import Secret
from platform_meter.runtime.access.doors import Doors
from platform_meter.runtime.access.settings import AccessSettings
from platform_meter.runtime.poller import Instance
from platform_meter.runtime.push import Inbox
from platform_meter.store import Store, StoreError
from platform_meter.web.app import make_app

BODY = pushing.body("1", at=NOON)
TOKENS = {name: {"role": name, "token": {"env": name.upper()}} for name in ("viewer", "reporter")}
REPORTER = {"Authorization": "Bearer reporter-secret"}
VIEWER = {"Authorization": "Bearer viewer-secret"}


@dataclass
class Bench:
    """The application over an inbox on a real store, with a source that is signed for and one that is not."""

    store: Store
    counted: list[tuple[str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        settings = pushing.Config(webhook=Secret(env="WEBHOOK"))
        sources = {"hooks": pushing.source(), "apps": pushing.source("push", scheme=None)}
        self.inbox = Inbox(
            self.store,
            [Instance(name=n, source=cast("Any", one), settings=settings, streams=()) for n, one in sources.items()],
            hashed=dict.fromkeys(sources, str),
            environ={"WEBHOOK": SECRET},
            clock=lambda: NOON,
            changed=lambda: None,
            count=lambda *told: self.counted.append(told),
            most=1024,
        )

    def client(self, *, alone: bool = False) -> Client:
        access = AccessSettings.model_validate({} if alone else {"tokens": TOKENS})
        doors = Doors(lambda: access, environ={"VIEWER": "viewer-secret", "REPORTER": "reporter-secret"}, alone=alone)
        return Client(make_app(site(view(NOON), inbox=lambda: self.inbox), doors=doors))

    def push(self, to: str = "", body: bytes = BODY, *, alone: bool = False, **more: Any) -> TestResponse:
        said = {"content_type": "application/json", "data": body, **more}
        return self.client(alone=alone).post(f"/api/v1/events{to}", **said)

    @property
    def count(self) -> float:
        return sum(row.value for row in self.store.counters(["platform_meter_events_total"]))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    opener = Opener(f"sqlite:///{tmp_path / 'meter.db'}")
    yield Bench(opener())
    opener.close()


def test_a_reporter_may_push(bench: Bench) -> None:
    """He learns what came of it; sent again it is repeated."""
    first, again = bench.push(headers=REPORTER), bench.push("/apps", headers=REPORTER)
    assert first.get_json() == {"stored": 1, "revised": 0, "repeated": 0, "rejected": []}
    assert (first.status_code, first.content_type) == (200, "application/json")
    assert again.get_json() == {"stored": 0, "revised": 0, "repeated": 1, "rejected": []}
    assert bench.count == 1


def test_who_signs_needs_no_role(bench: Bench) -> None:
    """Only for the source whose secret it is, and nothing else is open to him."""
    signed = {"X-Hub-Signature-256": signature(BODY)}
    assert bench.push("/hooks", headers=signed).status_code == 200
    assert bench.push("/hooks", headers={**signed, **VIEWER}).get_json()["repeated"] == 1
    assert bench.push("/apps", headers=signed).status_code == 401
    assert bench.push(headers=signed).status_code == 401
    assert bench.client().get("/metrics", headers=signed).status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        (VIEWER, 403),
        ({"Authorization": "Bearer no"}, 401),
        ({"X-Hub-Signature-256": signature(BODY, "another")}, 401),
        ({"X-Hub-Signature-256": signature(BODY)[:-1]}, 401),
        ({"X-Hub-Signature-256": signature(BODY + b" ")}, 401),
        ({"X-Hub-Signature-256": signature(BODY, "another"), **VIEWER}, 401),
        ({"X-Hub-Signature-256": signature(BODY, "another"), **REPORTER}, 401),
    ],
)
def test_neither_role_nor_signature_keeps_nothing(bench: Bench, headers: dict[str, str], status: int) -> None:
    """It is counted as refused, and the answer tells nothing of what would be right."""
    answer = bench.push("/hooks", headers=headers)
    assert answer.status_code == status
    assert bench.count == 0
    assert bench.counted == [("invented", "hooks", "refused")]
    assert SECRET not in answer.text
    assert signature(BODY).removeprefix("sha256=") not in answer.text


def test_a_wrong_signature_is_refused_where_everybody_may(bench: Bench) -> None:
    """On loopback, where a proxy makes everybody local: what is signed has to be signed well."""
    assert bench.push("/hooks", alone=True).status_code == 200
    wrong = {"X-Hub-Signature-256": signature(BODY, "another")}
    answer = bench.push("/hooks", alone=True, headers=wrong)
    assert (answer.status_code, answer.text) == (
        401,
        "The signature does not fit: sign with the secret that `webhook` of this source names, and send it at once.\n",
    )


def test_a_page_from_elsewhere_cannot_push(bench: Bench) -> None:
    """Whoever's browser it is."""
    for said in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert bench.push(headers={**REPORTER, **said}).status_code == 403
    assert bench.count == 0


def test_what_nobody_can_read_is_told_in_the_readers_words(bench: Bench) -> None:
    """400, as sending it again would not help."""
    answer = bench.push(body=b"{}x", headers=REPORTER)
    assert (answer.status_code, answer.text) == (
        400,
        "the body is no list of deployments; send [{key, at, updated}]\n",
    )


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json; charset=utf-8", 200),
        ("application/cloudevents+json", 200),
        ("application/cloudevents-batch+json", 200),
        ("application/x-www-form-urlencoded", 415),
        ("text/plain", 415),
        ("", 415),
    ],
)
def test_only_json_is_read(bench: Bench, kind: str, status: int) -> None:
    """What a form sends is refused: GitHub and curl send so unless told otherwise."""
    answer = bench.push(headers=REPORTER, content_type=kind)
    assert answer.status_code == status
    if status == 415:
        assert answer.text.endswith("send it with Content-Type: application/json.\n")
        assert bench.count == 0


def test_a_body_is_bounded(bench: Bench) -> None:
    """The bound itself is taken; more is not even read, whoever sends it."""
    full = BODY + b" " * (1024 - len(BODY))
    assert bench.push("/hooks", full, headers={"X-Hub-Signature-256": signature(full)}).status_code == 200
    more = full + b" "
    for headers in ({"X-Hub-Signature-256": signature(more)}, REPORTER, {}):
        answer = bench.push("/hooks", more, headers=headers)
        assert (answer.status_code, answer.text) == (
            413,
            "A body may have 1024 bytes (`push_bytes`); send less at a time.\n",
        )
    assert bench.count == 1


def test_an_unknown_source_is_told_to_reporters_alone(bench: Bench) -> None:
    """404 with the addresses that there are; somebody unknown does not learn them."""
    assert bench.push("/nowhere").status_code == 401
    answer = bench.push("/nowhere", headers=REPORTER)
    assert (answer.status_code, answer.text) == (
        404,
        "no source is called 'nowhere'; push to /api/v1/events/apps or /api/v1/events/hooks\n",
    )


def test_without_a_store_it_is_to_be_sent_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 says when; where the store is, is nobody's business."""

    def down(*_: object, **__: object) -> None:
        raise StoreError("the store at sqlite:////srv/meter.db failed: disk full")

    monkeypatch.setattr(bench.store, "take", down)
    answer = bench.push(headers=REPORTER)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.text == "The store can't be used now, and nothing of this is stored; send it again.\n"


def test_what_the_store_refuses_is_told_with_why(bench: Bench) -> None:
    """The rest of it is stored."""
    late = pushing.body("2", at=NOON.replace(year=2027))
    answer = bench.push(body=BODY[:-1] + b"," + late[1:], headers=REPORTER)
    assert answer.get_json() == {
        "stored": 1,
        "revised": 0,
        "repeated": 0,
        "rejected": [
            {
                "reason": "future",
                "events": 1,
                "text": "ended more than an hour from now; set the clock of who sends it",
            }
        ],
    }


def test_nothing_else_is_done_there(bench: Bench) -> None:
    """Only POST."""
    assert bench.client().get("/api/v1/events", headers=REPORTER).status_code == 405
