"""Documents: the case of the contract test, its streams, and what `check` says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.minutes import minute

from platform_meter.model.facts import Event, Fact, Ref
from platform_meter.model.facts.incidents import Incident, Severity
from platform_meter.model.facts.roadmap import Feedback
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.facts.training import Enrolment
from platform_meter.model.facts.use import Usage
from platform_meter.sources.documents import SOURCE
from platform_meter.sources.documents.config import Config
from platform_meter.testing import Case, Later
from platform_meter.testing.outside import FakeOutside, Reply

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
NOW = NOON + timedelta(minutes=2, seconds=30)
MINUTE = timedelta(minutes=1)
FOLDER = "/var/exports"
CREATED = f"{FOLDER}/created-0504.csv"
ORDERS: dict[str, Any] = {
    "id": "orders",
    "path": "/api/orders",
    "items": "/data/minutes",
    "good": "/ok",
    "total": "/all",
    "at": "/minute",
}
PAGES: dict[str, Any] = {
    "action": "open_page",
    "path": "/api/pages",
    "by": ["/service"],
    "kind": "service",
    "subject": "/page",
    "actor": "/who",
    "amount": "/times",
    "at": "/at",
    "key": ["/id"],
}
REPOSITORIES: dict[str, Any] = {
    "action": "create_repo",
    "files": f"{FOLDER}/created-*.csv",
    "by": ["/org", "/repository"],
    "kind": "repository",
    "system": "github",
    "at": "/created",
    "format": "%d.%m.%Y %H:%M",
    "zone": "Europe/Berlin",
    "key": ["/id"],
}
INCIDENTS: dict[str, Any] = {
    "id": "status",
    "path": "/api/incidents",
    "by": ["/service"],
    "key": ["/id"],
    "at": "/began",
    "resolved": "/ended",
    "severity": "/bad",
}
INTERVIEWS: dict[str, Any] = {
    "id": "interviews",
    "path": "/api/interviews",
    "key": ["/id"],
    "at": "/at",
    "theme": "/theme",
    "persona": "/persona",
    "told": "/told",
    "closed": {"value": "/state", "among": ["closed"]},
}
COURSES: dict[str, Any] = {
    "id": "academy",
    "path": "/api/courses",
    "at": "/began",
    "course": "/course",
    "person": "/who",
    "completed": "/ended",
}
SETTINGS: dict[str, Any] = {
    "url": "https://status.example",
    "token": {"env": "STATUS_TOKEN"},
    "slis": [ORDERS],
    "usage": [PAGES, REPOSITORIES],
    "incidents": [INCIDENTS],
    "feedback": [INTERVIEWS],
    "training": [COURSES],
}


JANE = "d6a68527214289e0"


def minutes(*rows: tuple[int, Any, Any]) -> dict[str, Any]:
    """The document of orders: minutes after noon, good and all."""
    told = [{"minute": (NOON + m * MINUTE).isoformat(), "ok": ok, "all": all_} for m, ok, all_ in rows]
    return {"data": {"minutes": told}, "total": 7}


def visit(page: str, who: str, times: int = 1) -> dict[str, Any]:
    return {
        "id": 17,
        "service": "payments",
        "page": page,
        "who": who,
        "times": times,
        "at": "2026-05-04T11:30:00+02:00",
    }


def counted(minutes: int, good: float, bad: float) -> SliCount:
    return minute("documents", "orders", NOON + minutes * MINUTE, good, bad)


def opened(key: str, page: str, actor: str, amount: float = 1.0) -> Usage:
    return Usage(
        key=f"usage/open_page/documents/service/{key}",
        at=datetime(2026, 5, 4, 9, 30, tzinfo=UTC),
        about=Ref(system="documents", kind="service", id="payments"),
        action="open_page",
        amount=amount,
        subject=page,
        actor=actor,
    )


def created(key: str, repository: str, hour: int) -> Usage:
    return Usage(
        key=f"usage/create_repo/github/repository/{key}",
        at=datetime(2026, 5, 4, hour, 15, tzinfo=UTC),
        about=Ref(system="github", kind="repository", id=repository),
        action="create_repo",
    )


def trouble(id_: int, ended: str | None = None, bad: str = "SEV-2") -> dict[str, Any]:
    began = "2026-05-04T11:00:00Z"
    return {"id": id_, "service": "payments", "began": began, "ended": ended, "bad": bad}


def incident(
    key: str, severity: Severity = Severity.UNKNOWN, ended: datetime | None = None, *, valid: bool = True
) -> Incident:
    return Incident(
        key=f"incidents/status/{key}",
        at=NOON - 60 * MINUTE,
        about=Ref(system="documents", kind="service", id="payments", labels=(("app.kubernetes.io/name", "payments"),)),
        severity=severity,
        resolved=ended,
        valid=valid,
    )


def said(**more: Any) -> dict[str, Any]:
    return {"id": "i1", "at": "2026-05-03T12:00:00Z", "theme": "build time", "text": "jane waits", **more}


def heard(**more: Any) -> Feedback:
    return Feedback(
        key="feedback/interviews/2acc7e139a20d2eb83eaf698",
        at=datetime(2026, 5, 3, 12, tzinfo=UTC),
        about=Ref(system="documents", kind="feedback", id="interviews"),
        theme="build time",
        name="i1",
        **more,
    )


def took(completed: datetime | None = None) -> Enrolment:
    return Enrolment(
        key="training/academy/@bfc38d94d2ada74b8a4baccb",
        at=datetime(2026, 5, 2, 9, tzinfo=UTC),
        about=Ref(system="documents", kind="course", id="gateway"),
        course="gateway",
        person=JANE,
        completed=completed,
    )


def level(fact: Fact) -> Fact:
    """Without the moment at which a document was read."""
    return replace(fact, updated=None) if isinstance(fact, Event) else fact


ONE, OTHER = "920e5654a4e797aeb6ca7d96", "686e7da3f591962f5fab3d7b"
"""What the two incidents are known by."""
HEADER = "id,org,repository,created\n"
FIRST = HEADER + 'r1,acme,"shop, old",04.05.2026 11:15\n'
CASE = Case(
    settings=SETTINGS,
    answers={
        "/api/orders": minutes((-2, 9, 10), (0, "3", 3), (2, 1, 1)),
        "/api/pages": [visit("home", "jane", 3)],
        "/api/incidents": [trouble(1), trouble(2)],
        "/api/interviews": [said()],
        "/api/courses": [{"began": "2026-05-02T09:00:00Z", "course": "gateway", "who": "jane"}],
        FOLDER: {CREATED: FIRST},
    },
    now=NOW,
    since=NOW - timedelta(days=7),
    expected=(
        counted(-1, 9.0, 1.0),
        counted(1, 3.0, 0.0),
        opened("6dbe536b8c3a794b0f8a9979", "home", JANE, 3.0),
        created("5325bda181ff13b8e60036a2", "acme/shop, old", 9),
        incident(ONE, Severity.MAJOR),
        incident(OTHER, Severity.MAJOR),
        heard(),
        took(),
    ),
    people=("jane",),
    level=level,
    later=Later(
        answers={
            # One minute is corrected, one is over by now, one came, and one has a part that is none.
            "/api/orders": minutes((-2, 9, 10), (0, 2, 3), (2, 1, 1), (3, 0, 2), (4, "many", 3)),
            "/api/pages": Reply(status=403),
            "/api/incidents": [trouble(1, "2026-05-04T12:05:00Z")],
            "/api/interviews": [said(told="2026-05-04T12:01:00Z", persona="developer", state="closed")],
            "/api/courses": [
                {"began": "2026-05-02T09:00:00Z", "course": "gateway", "who": "jane", "ended": "2026-05-04T12:05:00Z"}
            ],
            FOLDER: {CREATED: FIRST + "r2,acme,shop,04.05.2026 14:15\n"},
        },
        after=timedelta(minutes=10),
        expected=(
            counted(1, 2.0, 1.0),
            counted(3, 1.0, 0.0),
            counted(4, 0.0, 2.0),
            created("f29a34f2fe75e0019bf55bc7", "acme/shop", 12),
            incident(ONE, Severity.MAJOR, NOON + 5 * MINUTE),
            incident(OTHER, valid=False),
            heard(told=NOON + MINUTE, persona="developer", closed=True),
            took(NOON + 5 * MINUTE),
        ),
        failing=frozenset({"usage/open_page/documents/service"}),
        rejected=1,
    ),
    without=[
        ({"slis": []}, frozenset({SliCount})),
        ({"usage": []}, frozenset({Usage})),
        ({"incidents": []}, frozenset({Incident})),
        ({"feedback": []}, frozenset({Feedback})),
        ({"training": []}, frozenset({Enrolment})),
    ],
)


def test_each_entry_is_a_stream() -> None:
    """A slice is known `delay` after its end, and the present at once."""
    present = {"id": "up", "path": "/up", "good": "/up", "total": 1, "at": "now"}
    config = Config.model_validate({**SETTINGS, "slis": [ORDERS, present], "delay": "5m"})
    streams = SOURCE.connect(config, FakeOutside({}), "status")
    assert [(stream.name, stream.behind, stream.gives) for stream in streams] == [
        ("sli/orders", timedelta(minutes=5), {SliCount}),
        ("sli/up", timedelta(0), {SliCount}),
        ("usage/open_page/documents/service", timedelta(0), {Usage}),
        ("usage/create_repo/github/repository", timedelta(0), {Usage}),
        ("incidents/status", timedelta(0), {Incident}),
        ("feedback/interviews", timedelta(0), {Feedback}),
        ("training/academy", timedelta(0), {Enrolment}),
    ]


def check(world: dict[str, Any]) -> list[str]:
    return list(SOURCE.check(Config.model_validate(SETTINGS), FakeOutside(world)))


def test_check_says_what_is_wrong_with_each_entry() -> None:
    """All at once: a list that is not there, rows of which none can be read, a column that is not there."""
    world = {
        "/api/orders": {"data": {"hours": []}},
        "/api/pages": [{**visit("home", "jane"), "at": "yesterday"}],
        "/api/incidents": {"incidents": [trouble(1)]},
        "/api/interviews": [],
        "/api/courses": [],
        FOLDER: {CREATED: "id;org;repository;created\n"},
    }
    assert check(world) == [
        (
            "sli/orders: /api/orders: nothing stands at /data/minutes; at /data stands an object with hours; "
            "correct `items`"
        ),
        (
            "usage/open_page/documents/service: /api/pages: none of 1 rows can be read: a text is no moment; "
            "write it such as 2026-05-04T12:00:00Z, or name its `format`"
        ),
        (
            f"usage/create_repo/github/repository: {CREATED}: there is no column /org; those that are there: "
            "id;org;repository;created; correct it, or `separator`"
        ),
        "incidents/status: /api/incidents: none of 1 rows can be read: a row has nothing at /began",
    ]
    refused = {
        "/api/orders": Reply(status=403),
        "/api/pages": [],
        "/api/incidents": [],
        "/api/interviews": [],
        "/api/courses": [],
        FOLDER: {},
    }
    assert check(refused) == [
        "sli/orders: GET /api/orders: 403",
        (
            f"usage/create_repo/github/repository: no file is called {FOLDER}/created-*.csv; correct it, or have them "
            "written where platform-meter can see them"
        ),
    ]


def test_check_takes_one_row_that_can_be_read_for_sound() -> None:
    """Odd ones beside it are counted when they are read; a document without rows is sound too."""
    world = {
        "/api/orders": minutes((0, 1, 2), (1, 3, 2)),
        "/api/pages": [],
        "/api/incidents": [trouble(1)],
        "/api/interviews": [said()],
        "/api/courses": [],
        FOLDER: {CREATED: "odd\n", f"{FOLDER}/created-0505.csv": FIRST},
    }
    assert check(world) == []


def test_check_reads_the_rows_of_the_newest_file() -> None:
    """One of which none can be read is told."""
    world = {
        "/api/orders": minutes(),
        "/api/pages": [],
        "/api/incidents": [],
        "/api/interviews": [],
        "/api/courses": [],
        FOLDER: {CREATED: FIRST, f"{FOLDER}/created-0505.csv": f"{HEADER}r1,acme,shop,2026-05-04\n"},
    }
    assert check(world) == [
        (
            f"usage/create_repo/github/repository: {FOLDER}/created-0505.csv: none of 1 rows can be read: "
            "'2026-05-04' is no moment; write it as %d.%m.%Y %H:%M"
        ),
    ]
