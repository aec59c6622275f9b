"""GitHub: the case of the contract test, and what only GitHub does (caps, re-runs, runs that last, validators)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sources.github.github_hooks import deliveries
from tests.sources.github.github_server import Github, Repo, Row, deployment, job, run, runner, text

from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.ci import Outcome, PipelineActive, PipelineJob, PipelineRun, PipelineRunners
from platform_meter.model.facts.delivery import Change, DeployKind, Deployment, DeployResult, Repository
from platform_meter.model.facts.incidents import Incident, IncidentWay, Severity
from platform_meter.model.facts.roadmap import Planned, RoadmapItem
from platform_meter.model.facts.tickets import Role, TicketChange, TicketEvent
from platform_meter.model.proposal import Surroundings
from platform_meter.model.source import Page, Refused, Unreachable
from platform_meter.sources.github import SOURCE, Config
from platform_meter.testing import Case, Later
from platform_meter.testing.outside import Answering, Call, FakeOutside, Reply

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
SINCE = NOW - timedelta(days=10)
OLD, NEW = "a" * 40, "b" * 40
BETWEEN = ["d" * 40, "e" * 40]
PAYMENTS = Ref(system="github", kind="repository", id="acme/payments", labels=(("topic:money", "true"),))
LEGACY = Ref(system="github", kind="repository", id="acme/legacy")
SETTINGS: dict[str, Any] = {
    "org": "acme",
    "token": {"env": "GITHUB_TOKEN"},
    "issues": ["pay*"],
    "runners": True,
    "lookback": "1h",
}
MINUTE = timedelta(minutes=1)


def minutes(before_now: float) -> datetime:
    return NOW - before_now * MINUTE


def _person(login: str, kind: str = "User") -> dict[str, str]:
    return {"login": login, "type": kind}


def _review(id_: int, before_now: float, user: dict[str, str]) -> Row:
    return {"id": id_, "state": "COMMENTED", "user": user, "submitted_at": text(minutes(before_now)), "body": "secret"}


def small_world() -> Github:
    """One repository with a run that failed and was run again, one that goes on, and one of each other row."""
    again = run(
        1, minutes(40), head_sha=NEW, run_attempt=2, run_started_at=text(minutes(25)), updated_at=text(minutes(20))
    )
    lost = job(11, 1, minutes(39), conclusion="failure", runner_id=8, labels=["self-hosted", "linux"])
    redone = job(12, 1, minutes(24), run_attempt=2, labels=["self-hosted", "linux"])
    going = run(2, minutes(3), status="in_progress", conclusion=None)
    pull = {
        "id": 900,
        "number": 9,
        "title": 'Revert "Mona\'s secret"',
        "user": _person("mona-lisa"),
        "labels": [{"name": "bug"}],
        "created_at": text(minutes(200)),
        "updated_at": text(minutes(45)),
        "merged_at": text(minutes(45)),
        "merge_commit_sha": NEW,
        "head": {"ref": "mona/undo", "sha": "c" * 40},
        "base": {"ref": "main", "sha": OLD},
        "body": "Reverts acme/payments#7\n\nMona's secret",
        "html_url": "https://github.example/acme/payments/pull/9",
    }
    closed = {**pull, "id": 901, "number": 10, "merged_at": None}
    issue = {
        "id": 500,
        "number": 5,
        "state": "closed",
        "title": "Mona can't log in",
        "user": _person("mona-lisa"),
        "labels": [{"name": "P1"}, "login"],
        "created_at": text(minutes(300)),
        "updated_at": text(minutes(100)),
    }
    timeline: list[Row] = [
        {"event": "labeled", "id": 1, "created_at": text(minutes(300)), "actor": _person("mona-lisa"), "label": {"name": "P2"}},
        {"event": "labeled", "id": 2, "created_at": text(minutes(250)), "actor": _person("ada"), "label": {"name": "P1"}},
        {"event": "unlabeled", "id": 3, "created_at": text(minutes(250)), "actor": _person("ada"), "label": {"name": "P2"}},
        {"event": "commented", "id": 4, "created_at": text(minutes(240)), "user": _person("triage[bot]", "Bot"), "author_association": "MEMBER"},
        {"event": "commented", "id": 5, "created_at": text(minutes(230)), "user": _person("ada"), "author_association": "MEMBER", "body": "Dear Mona"},
        {"event": "committed", "sha": NEW},
        {"event": "closed", "id": 6, "created_at": text(minutes(100)), "actor": _person("ada"), "state_reason": "not_planned"},
    ]  # fmt: skip
    payments = Repo(
        name="acme/payments",
        created=NOW - timedelta(days=900),
        topics=["money"],
        runs=[again, going],
        jobs={(1, 1): [lost], (1, 2): [redone]},
        deployments=[
            deployment(70, OLD, minutes(90), ("pending", 0), ("success", 2), ("inactive", 32)),
            deployment(71, NEW, minutes(60), ("success", 3)),
            deployment(72, OLD, minutes(30), ("in_progress", 0), ("success", 1)),
            deployment(73, NEW, minutes(10), ("failure", 2), task="hotfix"),
            deployment(74, NEW, minutes(2), ("queued", 0)),
        ],
        pulls=[pull, closed],
        commits={9: [{"commit": {"author": {"name": "Mona Lisa", "date": text(minutes(260))}, "message": "Mona's"}}]},
        reviews={
            9: [
                _review(1, 199, _person("mona-lisa")),
                _review(2, 198, _person("triage[bot]", "Bot")),
                {**_review(3, 150, _person("ada")), "state": "PENDING", "submitted_at": None},
                _review(4, 120, _person("ada")),
                _review(5, 90, _person("ada")),
            ]
        },
        trunk=[OLD, *BETWEEN, NEW],
        issues=[issue, {**issue, "id": 501, "number": 6, "pull_request": {}}],
        timelines={5: timeline},
    )
    legacy = Repo(name="acme/legacy", created=NOW - timedelta(days=2000), archived=True)
    return Github(
        [payments, legacy],
        runners=[runner(1, group=2, busy=True)],
        groups=[{"id": 2, "name": "builders"}],
        projects={"acme/7": [planned("Gateway v2"), planned("Old portal")]},
    )


def planned(name: str) -> Row:
    """An item of a project that is no issue yet."""
    quarter = {"name": "Q3 2026", "updatedAt": text(minutes(500))}
    return {
        "id": name,
        "createdAt": text(minutes(600)),
        "period": quarter,
        "content": {"title": name, "body": "Mona's secret"},
    }


def planned_item(name: str) -> RoadmapItem:
    return RoadmapItem(
        about=Ref(system="github", kind="roadmap_item", id=name),
        since=minutes(600),
        roadmap="plan",
        name=name,
        title=name,
        period="Q3 2026",
        periods=(Planned(minutes(500), "Q3 2026"),),
    )


def _run(attempt: int, at: datetime, outcome: Outcome, ran: timedelta, reason: str = "") -> PipelineRun:
    return PipelineRun(
        key=f"run/1/{attempt}",
        at=at,
        about=PAYMENTS,
        updated=at,
        pipeline="acme/payments/.github/workflows/ci.yml",
        outcome=outcome,
        ran=ran,
        group=f"7|{NEW}|push",
        sha=NEW,
        attempt=attempt,
        trigger="push",
        reason=reason,
        pool="linux",
        executing=4 * MINUTE,
        rule=reason or "success",
        url="https://github.example/runs/1",
    )


def _ended(id_: int, at: datetime, ran: timedelta, updated: datetime | None = None, pool: str = "") -> Fact:
    sha = f"{id_:040x}"
    return replace(
        _run(1, at, Outcome.SUCCESS, ran),
        key=f"run/{id_}/1", url=f"https://github.example/runs/{id_}", updated=updated or at, group=f"7|{sha}|push", sha=sha, pool=pool,
        executing=4 * MINUTE if pool else None,
    )  # fmt: skip


def _named(name: str, age: timedelta) -> Repository:
    return Repository(about=Ref(system="github", kind="repository", id=name), since=NOW - age)


def _job(id_: int, attempt: int, at: datetime, outcome: Outcome, run: str = "", pool: str = "linux") -> Fact:
    return PipelineJob(
        key=f"job/{id_}",
        at=at,
        about=PAYMENTS,
        run=run or f"run/1/{attempt}",
        pool=pool,
        outcome=outcome,
        ran=4 * MINUTE,
        queued=timedelta(seconds=20),
    )


def _deployment(id_: int, sha: str, created: datetime, took: float, kind: DeployKind, **more: Any) -> Fact:
    at = created + took * MINUTE
    return Deployment(
        key=f"deployment/{id_}",
        at=at,
        about=PAYMENTS,
        updated=at,
        environment="production",
        sha=sha,
        result=more.get("result", DeployResult.SUCCESS),
        kind=kind,
        started=created,
        after=OLD if more.get("changes") else "",
        changes=tuple(more.get("changes", ())),
        url=f"https://ci.example/rollouts/{id_}",
    )


def _ticket(key: str, before_now: float, change: TicketChange, role: Role, **more: Any) -> Fact:
    return TicketEvent(
        key=f"issue/500/{key}",
        at=minutes(before_now),
        about=PAYMENTS,
        queue="acme/payments",
        ticket="500",
        change=change,
        role=role,
        requester=ACTORS[role] if change is TicketChange.CREATED else "",
        actor=ACTORS[role],
        **more,
    )


ACTORS = {Role.REPORTER: "414249a59a4fb282", Role.AGENT: "e36b1088dea70435", Role.BOT: ""}
"""What mona-lisa and ada are hashed to; a bot is nobody."""
LINUX = PipelineActive(about=Ref(system="github", kind="pool", id="acme/linux"), pool="linux", queued=0, running=1)


def later_world() -> Answering:
    """An hour on, in pages of two rows: what went on has ended, one repository is closed to us, some rows are odd."""
    world = small_world()
    world.page_limit = 2
    payments = world.repos[0]
    again, _ = payments.runs
    ended = run(2, minutes(3), minutes=13)
    queued = run(3, minutes(-20), status="queued", conclusion=None)
    odd = run(4, minutes(-21), updated_at="0001-01-01T00:00:00+14:00")
    payments.runs = [again, ended, queued, odd, run(5, minutes(-25), minutes=2), run(6, minutes(-30), minutes=2)]
    payments.jobs |= {
        (2, 1): [
            job(21, 2, minutes(2)),
            job(22, 2, minutes(2), started_at="2026-05-20T11:58:00"),
            job(23, 2, minutes(2)),
        ],
        (5, 1): [],
        (6, 1): [],
    }
    hotfix = payments.pulls[0] | {
        "id": 902,
        "number": 11,
        "title": "Mona's limit",
        "body": "Caused by #9",
        "created_at": text(minutes(-10)),
        "updated_at": text(minutes(-20)),
        "merged_at": text(minutes(-20)),
        "merge_commit_sha": "f" * 40,
        "head": {"ref": "hotfix/limit", "sha": "9" * 40},
        "html_url": "https://github.example/acme/payments/pull/11",
    }
    payments.pulls.append(hotfix)
    payments.reviews[11] = [_review(n, -11 - n, _person("mona-lisa" if n < 3 else "ada")) for n in range(1, 5)]
    payments.deployments[-1] = deployment(74, NEW, minutes(2), ("queued", 0), ("in_progress", 5), ("success", 12))
    closed = Repo(name="acme/closed", created=NOW - timedelta(days=3), runs=[run(90, minutes(50))])
    strange = Repo(name="acme/strange", created=NOW)
    world.projects["acme/7"] = [planned("Gateway v2"), planned("Probes") | {"createdAt": "soon"}, planned("Queues")]
    world.repos = [payments, strange, closed, Repo(name="acme/tools", created=NOW - timedelta(days=1))]

    def answer(call: Call) -> Reply:
        if call.path.startswith("/repos/acme/closed/"):
            return Reply(status=403 if "pulls" in call.path else 404)
        reply = world(call)
        if call.path == "/orgs/acme/repos":
            rows = [
                {**row, "created_at": "2020-00-00T00:00:00Z"} if row["full_name"] == strange.name else row
                for row in reply.body
            ]
            return Reply(body=rows, headers=reply.headers)
        return reply

    return answer


LATER = Later(
    answers=later_world,
    after=timedelta(hours=1),
    expected=[
        _ended(2, minutes(-2), 5 * MINUTE, updated=minutes(-10), pool="ubuntu-latest"),
        _ended(5, minutes(-27), 2 * MINUTE),
        _ended(6, minutes(-32), 2 * MINUTE),
        *(_job(id_, 1, minutes(-2), Outcome.SUCCESS, run="run/2/1", pool="ubuntu-latest") for id_ in (21, 23)),
        PipelineActive(
            about=Ref(system="github", kind="pool", id="acme/ubuntu-latest"), pool="ubuntu-latest", queued=1, running=0
        ),
        _deployment(74, NEW, minutes(2), 12, DeployKind.PLANNED, changes=[*BETWEEN, NEW]),
        Change(
            key="pull/902",
            at=minutes(-20),
            about=PAYMENTS,
            updated=minutes(-20),
            sha="f" * 40,
            opened=minutes(-10),
            first_review=minutes(-14),
            labels=("bug", "hotfix"),
            name="acme/payments#11",
            branch="main",
            mends=("acme/payments#9",),
            url="https://github.example/acme/payments/pull/11",
        ),
        _named("acme/closed", timedelta(days=3)),
        _named("acme/tools", timedelta(days=1)),
        planned_item("Queues"),
    ],
    over=frozenset(
        {
            (RoadmapItem, "plan/Old portal"),
            (Repository, Repository(about=LEGACY).key),
            (PipelineActive, LINUX.key),
        }
    ),
    gaps=["acme/closed: "],
    rejected=4,
)
ROADMAP = {
    "kind": "RoadmapSource",
    "id": "plan",
    "source": {"type": "github_project", "project": "acme/7"},
    "period_field": "Quarter",
}
CASE = Case(
    settings={**SETTINGS, "incidents": {"labels": ["login"]}, "roadmaps": [ROADMAP]},
    answers=small_world,
    hooks=tuple(deliveries(small_world())),
    later=LATER,
    without=[({"jobs": "none"}, frozenset({PipelineJob})), ({"issues": [], "incidents": None}, frozenset({TicketEvent, Incident})), ({"incidents": None}, frozenset({Incident})), ({"runners": False}, frozenset({PipelineRunners})), ({"roadmaps": []}, frozenset({RoadmapItem}))],
    now=NOW,
    since=SINCE,
    people=("mona", "Mona", "ada", "m@example.test", "secret", "triage"),
    expected=[
        Repository(about=PAYMENTS, since=NOW - timedelta(days=900)),
        Repository(about=LEGACY, since=NOW - timedelta(days=2000), archived=True),
        planned_item("Gateway v2"),
        planned_item("Old portal"),
        _run(1, minutes(35), Outcome.INFRA_FAILURE, 5 * MINUTE, "runner_lost"),
        _run(2, minutes(20), Outcome.SUCCESS, 5 * MINUTE),
        _job(11, 1, minutes(35), Outcome.INFRA_FAILURE),
        _job(12, 2, minutes(20), Outcome.SUCCESS),
        LINUX,
        PipelineRunners(
            about=Ref(system="github", kind="pool", id="acme/builders"), pool="builders", idle=0, busy=1, offline=0
        ),
        _deployment(70, OLD, minutes(90), 2, DeployKind.PLANNED),
        _deployment(71, NEW, minutes(60), 3, DeployKind.PLANNED, changes=[*BETWEEN, NEW]),
        _deployment(72, OLD, minutes(30), 1, DeployKind.ROLLBACK),
        _deployment(73, NEW, minutes(10), 2, DeployKind.HOTFIX, result=DeployResult.FAILED),
        Change(
            key="pull/900",
            at=minutes(45),
            about=PAYMENTS,
            updated=minutes(45),
            sha=NEW,
            opened=minutes(200),
            first_commit=minutes(260),
            first_review=minutes(120),
            labels=("bug", "revert"),
            name="acme/payments#9",
            branch="main",
            undoes=("acme/payments#7",),
            url="https://github.example/acme/payments/pull/9",
        ),
        _ticket(
            "created", 300, TicketChange.CREATED, Role.REPORTER,
            updated=minutes(100), name="acme/payments#5", status="open", priority="P2", category="login",
            issue_type="", labels=("P2", "login"), answers=("issue/500/commented/5",),
        ),
        _ticket("labeled/2", 250, TicketChange.PRIORITY, Role.AGENT, priority="P1", labels=("P1", "P2", "login")),
        _ticket("unlabeled/3", 250, TicketChange.LABELED, Role.AGENT, labels=("P1", "login")),
        _ticket("commented/4", 240, TicketChange.COMMENT, Role.BOT),
        _ticket("commented/5", 230, TicketChange.COMMENT, Role.AGENT),
        _ticket("closed/6/status", 100, TicketChange.STATUS, Role.AGENT, status="closed"),
        _ticket("closed/6", 100, TicketChange.RESOLVED, Role.AGENT, resolution="Won't Do"),
        Incident(
            key="issue/500", at=minutes(300), about=PAYMENTS, updated=minutes(100), severity=Severity.CRITICAL,
            way=IncidentWay.TICKET, name="acme/payments#5", ids=("acme/payments#5",), valid=False,
        ),
    ],
)  # fmt: skip


class Told:
    """Polls one world again and again, as the runner does: each with the last checkpoint."""

    def __init__(self, world: Github, **settings: Any) -> None:
        self.world: Answering = world
        self.config = Config.model_validate({"org": "acme", "token": {"env": "TOKEN"}, **settings})
        self.checkpoint: bytes | None = None
        self.facts: dict[tuple[str, str], Fact] = {}
        self.pages: list[Page] = []
        self.outside = FakeOutside(world)

    def poll(self, now: datetime, since: datetime | None = None, fail_at: int | None = None) -> list[Fact]:
        """Facts of one poll; an injected failure ends it as it would a real one."""
        self.outside = FakeOutside(
            self.world, fail_at=fail_at, error=Unreachable("down") if fail_at is not None else None
        )
        (stream,) = SOURCE.connect(self.config, self.outside, "test")
        said: list[Fact] = []
        try:
            for page in stream.read(self.checkpoint, since or now - timedelta(hours=1), now):
                self.checkpoint = page.checkpoint or self.checkpoint
                self.pages.append(page)
                said += page.facts
        except Unreachable:
            if fail_at is None:
                raise
        finally:
            self.facts |= {(type(fact).__name__, fact.key): fact for fact in said}
        return said

    def after(self, path: str, pages: int, change: Callable[[], object]) -> None:
        """Once so many pages of a list were read, the world changes."""
        world, left = self.world, iter(range(pages))

        def answer(call: Call) -> Reply:
            reply = world(call)
            if call.path.endswith(path) and next(left, None) == pages - 1:
                change()
            return reply

        self.world = answer

    def runs(self) -> set[str]:
        return {key for kind, key in self.facts if kind == "PipelineRun"}

    def asked(self, part: str) -> list[Call]:
        return [call for call in self.outside.calls if part in call.path]


def _one_repo(**more: Any) -> tuple[Github, Repo]:
    repo = Repo(name="acme/api", created=NOW - timedelta(days=900), **more)
    return Github([repo]), repo


def test_ten_thousand_plain_runs_cost_a_hundred_and_one_calls() -> None:
    """A first import of 10,000 runs that ended well reads 101 pages of runs and asks for no detail."""
    world, _ = _one_repo(runs=[run(n, minutes(10 * n + 500)) for n in range(10_000)])
    told = Told(world)
    told.poll(NOW, NOW - timedelta(days=90))
    assert len(told.runs()) == 10_000
    assert len(told.asked("/actions/")) == 101
    assert len(told.outside.calls) == 108  # with three places for CODEOWNERS, and teams
    assert max(len(page.facts) for page in told.pages) <= 1_100


def test_import_goes_on_below_the_result_cap() -> None:
    """A server that gives 1,000 results at most still tells all 2,500 runs: the range of creation times is cut."""
    world, _ = _one_repo(runs=[run(n, minutes(n + 500)) for n in range(2_500)])
    world.cap_all = True
    told = Told(world)
    told.poll(NOW, NOW - timedelta(days=90))
    assert len(told.runs()) == 2_500
    assert told.outside.gaps == []


def test_a_second_with_more_runs_than_the_cap_is_a_gap() -> None:
    """1,200 runs created in one second can't be told apart by time: the gap is said, runs before it are still read."""
    crowd = [run(n, minutes(600)) for n in range(1_200)]
    world, _ = _one_repo(runs=[*crowd, run(9_999, minutes(700))])
    world.cap_all = True
    told = Told(world)
    told.poll(NOW, NOW - timedelta(days=90))
    (gap,) = told.outside.gaps
    assert (gap.start, gap.end, gap.reason) == (minutes(600), minutes(600) + timedelta(seconds=1), "result_cap")
    assert gap.text == "acme/api: 1201 runs created in one second, 1000 can be read"
    assert "run/9999/1" in told.runs()


def test_an_interrupted_import_goes_on_where_it_was() -> None:
    """After a failure at page 21 of 26 of the runs the next poll reads what is left, not all again."""
    world, _ = _one_repo(runs=[run(n, minutes(n + 500)) for n in range(2_500)])
    told = Told(world)
    told.poll(NOW, NOW - timedelta(days=90), fail_at=22)
    assert [str(page.progress or "") for page in told.pages] == [
        "",
        "0 of 1 repositories of acme",
        "0 of 1 repositories of acme, back to 2026-05-19",
        "0 of 1 repositories of acme, back to 2026-05-18",
        "0 of 1 repositories of acme, back to 2026-05-18",
    ]
    assert len(told.runs()) == 1_998
    told.poll(NOW + MINUTE, NOW - timedelta(days=90))
    assert len(told.runs()) == 2_500
    assert len(told.asked("/actions/runs")) == 6


def test_runs_of_a_long_downtime_are_all_told() -> None:
    """After five hours without a poll, what fills several pages is read back to where the last poll was."""
    world, repo = _one_repo(runs=[run(1, minutes(30))])
    told = Told(world)
    told.poll(NOW, SINCE)
    repo.runs += [run(n, NOW + timedelta(minutes=n), minutes=1) for n in range(2, 292)]
    told.poll(NOW + timedelta(hours=5), since=NOW + timedelta(hours=4))
    assert len(told.runs()) == 291
    assert len(told.asked("/actions/runs")) >= 3


def test_deployments_and_changes_of_a_long_downtime_are_all_told() -> None:
    """The same for lists of other kinds: each goes on from its own cursor, whatever the poll is asked for."""
    world, repo = _one_repo(deployments=[deployment(1, OLD, minutes(30), ("success", 1))])
    told = Told(world)
    told.poll(NOW, SINCE)
    repo.deployments += [deployment(n, NEW, NOW + timedelta(minutes=n), ("success", 0.5)) for n in range(2, 152)]
    pull = small_world().repos[0].pulls[0]
    repo.pulls += [
        {**pull, "id": n, "number": n, "updated_at": text(at), "merged_at": text(at)}
        for n in range(1, 151)
        if (at := NOW + timedelta(minutes=n))
    ]
    told.poll(NOW + timedelta(hours=5), since=NOW + timedelta(hours=4))
    kinds = [kind for kind, _ in told.facts]
    assert (kinds.count("Deployment"), kinds.count("Change")) == (151, 150)


def test_an_idle_organisation_costs_no_quota() -> None:
    """When nothing changed, every call of the second poll is answered 304; one of them looks after a failed deployment."""
    told = Told(small_world(), issues=["*"])
    told.poll(NOW, SINCE)
    told.poll(NOW + MINUTE)
    assert told.outside.paid == []
    assert len(told.outside.calls) == 7


def test_run_longer_than_the_overlap_is_told_when_it_ends() -> None:
    """A run that goes on for a day, long off the first page, is followed by its id."""
    long = run(1, minutes(5), status="in_progress", conclusion=None)
    world, repo = _one_repo(runs=[long])
    told = Told(world)
    told.poll(NOW, SINCE)
    repo.runs += [run(n, NOW + timedelta(hours=n % 20, seconds=n)) for n in range(2, 150)]
    told.poll(NOW + timedelta(hours=22))
    assert "run/1/1" not in told.runs()
    assert [fact for fact in told.pages[-1].facts if isinstance(fact, PipelineActive)][-1].running == 1
    long |= {"status": "completed", "conclusion": "success", "updated_at": text(NOW + timedelta(hours=23))}
    told.poll(NOW + timedelta(hours=23, minutes=1))
    found = told.facts["PipelineRun", "run/1/1"]
    assert isinstance(found, PipelineRun)
    assert found.ran == timedelta(hours=23, minutes=5)


def test_end_that_shows_late_is_told() -> None:
    """GitHub may show the end of a run long after its stamp: a run that was followed is told all the same."""
    row = run(1, minutes(5), status="in_progress", conclusion=None)
    world, _ = _one_repo(runs=[row])
    told = Told(world)
    for later in range(0, 60, 5):
        told.poll(NOW + later * MINUTE, SINCE)
    row |= {"status": "completed", "conclusion": "success", "updated_at": text(NOW + 9 * MINUTE)}
    told.poll(NOW + 60 * MINUTE)
    assert told.runs() == {"run/1/1"}


def test_deleted_run_is_forgotten() -> None:
    """A run that was deleted while it went on is asked for once more and then no longer counts as active."""
    world, repo = _one_repo(runs=[run(1, minutes(5), status="queued", conclusion=None)])
    told = Told(world)
    told.poll(NOW, SINCE)
    repo.runs.clear()
    told.poll(NOW + MINUTE)
    told.poll(NOW + 2 * MINUTE)
    assert told.asked("/actions/runs/1") == []


@pytest.mark.parametrize(
    ("age", "bound"), [(timedelta(days=1), timedelta(hours=1)), (timedelta(days=29), timedelta(days=1))]
)
def test_rerun_of_an_old_run_is_found_in_time(age: timedelta, bound: timedelta) -> None:
    """GitHub lists a re-run at its old place. One of the last 2 days is seen within an hour, of the last 30 within a day."""
    old = run(1, NOW - age, conclusion="failure")
    world, repo = _one_repo(runs=[old, *(run(n, NOW - age + timedelta(seconds=n)) for n in range(2, 400))])
    repo.jobs[1, 1] = [
        job(5, 1, NOW - age, conclusion="failure", steps=[{"name": "make test", "conclusion": "failure"}])
    ]
    told = Told(world)
    told.poll(NOW, NOW - timedelta(days=40))
    ended = NOW + 2 * MINUTE
    old |= {"run_attempt": 2, "conclusion": "success", "run_started_at": text(NOW + MINUTE), "updated_at": text(ended)}
    for minute in range(5, int(bound / MINUTE) + 10, 5):
        told.poll(NOW + minute * MINUTE)
    found = told.facts["PipelineRun", "run/1/2"]
    assert isinstance(found, PipelineRun)
    assert (found.at, found.ran, found.outcome) == (ended, MINUTE, Outcome.SUCCESS)
    first = told.facts["PipelineRun", "run/1/1"]
    assert isinstance(first, PipelineRun)
    assert (first.outcome, first.group) == (Outcome.USER_FAILURE, found.group)


def test_jobs_of_a_run_are_read_once() -> None:
    """The overlap shows a run again in many polls; its jobs cost one call."""
    world, repo = _one_repo(runs=[run(1, minutes(8))])
    repo.jobs[1, 1] = [job(5, 1, minutes(8))]
    told = Told(world)
    told.poll(NOW, SINCE)
    assert len(told.asked("/attempts/")) == 1
    repo.runs.append(run(2, minutes(1), status="queued", conclusion=None))
    told.poll(NOW + MINUTE)
    assert told.asked("/attempts/") == []


@pytest.mark.parametrize(("jobs", "expected"), [("recent", {"2"}), ("failed", set()), ("none", set())])
def test_jobs_setting_decides_which_runs_cost_a_call(jobs: str, expected: set[str]) -> None:
    """`recent` asks for jobs of runs that ended since the first poll's overlap; failed ones of 28 days come on top."""
    failed = run(3, NOW - timedelta(days=5), conclusion="failure")
    world, _ = _one_repo(runs=[run(1, NOW - timedelta(days=5)), run(2, minutes(8)), failed])
    told = Told(world, jobs=jobs)
    told.poll(NOW, SINCE)
    asked = {call.path.split("/")[6] for call in told.asked("/attempts/")}
    assert asked == expected | ({"3"} if jobs != "none" else set())


def test_run_without_details_is_unknown() -> None:
    """With `jobs: none` a failure is told, and told to be nobody's."""
    world, _ = _one_repo(runs=[run(1, minutes(60), conclusion="failure")])
    told = Told(world, jobs="none")
    told.poll(NOW, SINCE)
    found = told.facts["PipelineRun", "run/1/1"]
    assert isinstance(found, PipelineRun)
    assert (found.outcome, found.reason, found.rule) == (Outcome.UNKNOWN, "failure", "")


def test_ones_own_rules_come_first() -> None:
    """Of runs and jobs alike, and the run says which rule it was."""
    failed = {"name": "e2e smoke", "conclusion": "failure"}
    world, repo = _one_repo(runs=[run(1, minutes(60), conclusion="failure")])
    repo.jobs[1, 1] = [job(1, 1, minutes(60), conclusion="failure", steps=[failed])]
    told = Told(world, outcomes=[{"step": "e2e*", "class": "infra_failure"}])
    told.poll(NOW, SINCE)
    found, part = told.facts["PipelineRun", "run/1/1"], told.facts["PipelineJob", "job/1"]
    assert isinstance(found, PipelineRun)
    assert isinstance(part, PipelineJob)
    assert (found.outcome, found.reason, found.rule) == (
        Outcome.INFRA_FAILURE,
        "e2e smoke",
        "outcomes 1: step e2e*",
    )
    assert part.outcome is Outcome.INFRA_FAILURE


def test_deployment_is_told_when_it_ends() -> None:
    """One that waits is followed by its statuses; once it succeeded, `inactive` changes nothing."""
    waiting = deployment(1, OLD, minutes(5), ("waiting", 0))
    world, repo = _one_repo(deployments=[waiting])
    told = Told(world)
    assert not [fact for fact in told.poll(NOW, SINCE) if isinstance(fact, Deployment)]
    repo.deployments[:] = [deployment(1, OLD, minutes(5), ("waiting", 0), ("success", 100), ("inactive", 110))]
    (found,) = (fact for fact in told.poll(NOW + timedelta(hours=3)) if isinstance(fact, Deployment))
    assert (found.at, found.result) == (minutes(-95), DeployResult.SUCCESS)
    assert not [fact for fact in told.poll(NOW + timedelta(hours=4)) if isinstance(fact, Deployment)]


def test_only_an_older_sha_brought_back_is_a_rollback() -> None:
    """A, B, A, B, B: the third brings back the older A; going on to B again, once or twice, is planned."""
    shas = [OLD, NEW, OLD, NEW, NEW]
    rows = [deployment(n, sha, minutes(500 - n), ("success", 0.5)) for n, sha in enumerate(shas)]
    world, _ = _one_repo(deployments=rows)
    told = Told(world)
    facts = [fact for fact in told.poll(NOW, SINCE) if isinstance(fact, Deployment)]
    assert [fact.kind.value for fact in facts] == ["planned", "planned", "rollback", "planned", "planned"]


def test_repository_without_access_is_a_gap() -> None:
    """A repository that answers 404 to its lists is said to be unreadable, and is tried again."""
    world, _ = _one_repo(runs=[run(1, minutes(60))])

    def hidden(call: Call) -> Reply:
        return Reply(status=404) if call.path.startswith("/repos/") else world(call)

    outside = FakeOutside(hidden)
    (stream,) = SOURCE.connect(Config.model_validate(SETTINGS), outside, "test")
    pages = list(stream.read(None, SINCE, NOW))
    assert {(gap.start, gap.end, gap.reason) for gap in outside.gaps} == {(SINCE, NOW, "forbidden")}
    later = list(
        SOURCE.connect(Config.model_validate(SETTINGS), FakeOutside(world), "test")[0].read(
            pages[-1].checkpoint, SINCE, NOW
        )
    )
    assert "run/1/1" in {fact.key for page in later for fact in page.facts}


def test_other_globs_take_effect_at_once() -> None:
    """New globs select anew although the list of repositories itself did not change."""
    told = Told(small_world(), repositories=["legacy"])
    told.poll(NOW, SINCE)
    assert told.runs() == set()
    told.config = Config.model_validate({**SETTINGS, "repositories": ["pay*"]})
    told.poll(NOW + MINUTE)
    assert told.runs() == {"run/1/1", "run/1/2"}


def test_list_of_many_repositories_is_read_to_the_end() -> None:
    """250 repositories take three pages; when the last page changed, the two before it are read anew."""
    world = Github([Repo(name=f"acme/r{n:03}", created=NOW - timedelta(days=n)) for n in range(250)])
    told = Told(world)
    told.poll(NOW, SINCE)
    assert len([key for key in told.facts if key[0] == "Repository"]) == 250
    world.repos[249].topics = ("late",)
    facts = told.poll(NOW + MINUTE)
    assert len([fact for fact in facts if isinstance(fact, Repository)]) == 250
    assert len([call for call in told.outside.paid if call.path.startswith("/orgs/")]) == 4


STEP = st.tuples(
    st.sampled_from([timedelta(minutes=20), MINUTE, timedelta(hours=7)]),  # time since the step before
    st.lists(st.sampled_from(["fails", "passes", "again", "goes on"]), min_size=3, max_size=3),  # by turns, to each run
    st.lists(st.booleans(), max_size=3),  # new runs, and whether each waits for approval first
    st.none() | st.integers(0, 9),  # the call that fails
    st.none() | st.integers(1, 6),  # the page of runs behind which the newest one that ended is deleted
)


@given(st.lists(STEP, min_size=3, max_size=8), st.sampled_from([2, 100]), st.booleans())
def test_no_attempt_is_skipped_whatever_happens(
    steps: list[tuple[timedelta, list[str], list[bool], int | None, int | None]], page_limit: int, blocked: bool
) -> None:
    """Runs start, wait for approval, end, fail, are run again and deleted between and within polls, some of which break
    off, beside a repository that may be blocked for ever: every attempt that ended is told, and none that did not.

    With two runs on a page most re-runs and approvals stand where no poll looks, so the looks at old runs find them.
    """
    world, repo = _one_repo()
    world.page_limit = page_limit
    other = Repo(name="acme/blocked", created=NOW - timedelta(days=900))
    world.repos.append(other)
    told, now, ended, deleted = Told(world, jobs="failed"), NOW, set[str](), set[str]()
    left: Iterator[int] = iter(())

    def answer(call: Call) -> Reply:
        if blocked and call.path.startswith("/repos/acme/blocked/"):
            raise Unreachable("502")
        reply = world(call)
        if call.path == "/repos/acme/api/actions/runs" and next(left, None) == 0:
            over = [row for row in repo.runs if row["conclusion"] in {"failure", "success"}]
            for row in sorted(over, key=lambda row: row["created_at"])[-1:]:
                repo.runs.remove(row)
                deleted.update(f"run/{row['id']}/{n}" for n in range(1, 10))
        return reply

    told.world = answer
    for step, (pause, fates, new, fail_at, gone) in enumerate(steps):
        now += pause
        for number, row in enumerate(repo.runs):
            id_, attempt, fate = row["id"], row["run_attempt"], fates[number % len(fates)]
            over = row["conclusion"] in {"failure", "success"}
            if not over and fate in {"fails", "passes"}:
                word = "failure" if fate == "fails" else "success"
                row |= {"status": "completed", "conclusion": word, "updated_at": text(now)}
                start = now - MINUTE
                done = job(id_ * 10 + attempt, id_, start, minutes=1, run_attempt=attempt, conclusion=word)
                repo.jobs[id_, attempt] = [done]
                ended.add(f"run/{id_}/{attempt}")
            elif over and fate == "again":
                row |= {"status": "queued", "conclusion": None, "run_attempt": attempt + 1, "updated_at": text(now)}
                row["run_started_at"] = text(now)
        for n, waits in enumerate(new):
            state = {"conclusion": "action_required"} if waits else {"status": "in_progress", "conclusion": None}
            repo.runs.append(run(step * 10 + n, now - timedelta(seconds=n), minutes=0, **state))
        left = iter(range((gone or 0) - 1, -1, -1))
        told.poll(now, fail_at=fail_at)
    left = iter(())
    other.runs.append(run(9_999, now, minutes=0))
    told.poll(now + MINUTE)
    told.poll(now + timedelta(hours=25))
    told_here = {key for key in told.runs() if key != "run/9999/1"}
    assert ended - deleted <= told_here <= ended
    assert blocked == (("PipelineRun", "run/9999/1") not in told.facts)


def _refusing(*parts: str, status: int = 403) -> FakeOutside:
    world = small_world()

    def answer(call: Call) -> Reply:
        return Reply(status=status) if any(call.path.endswith(part) for part in parts) else world(call)

    return FakeOutside(answer)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((), []),
        (
            ("/actions/runs", "/deployments", "/pulls", "/contents", "/teams", "/issues"),
            [
                "repository acme/payments: its workflow runs can't be read; give the token the repository permission 'Actions: read'",
                "repository acme/payments: its deployments can't be read; give the token the repository permission 'Deployments: read'",
                "repository acme/payments: its pull requests can't be read; give the token the repository permission 'Pull requests: read'",
                "repository acme/payments: its CODEOWNERS and commits that were rolled out can't be read; give the token the repository permission 'Contents: read'",
                "repository acme/payments: its teams, asked where there is no CODEOWNERS, can't be read; give the token the repository permission 'Administration: read'",
                "repository acme/payments: its issues can't be read; give the token the repository permission 'Issues: read'",
            ],
        ),
        (
            ("/orgs/acme/repos",),
            [
                "organisation acme: GET /orgs/acme/repos: 403; give the token the repository permission 'Metadata: read'",
            ],
        ),
    ],
)
def test_check_names_each_missing_permission(parts: tuple[str, ...], expected: list[str]) -> None:
    """One line per permission of a fine-grained token that is missing, for the lists that this configuration reads."""
    assert SOURCE.check(Config.model_validate(SETTINGS), _refusing(*parts)) == expected


def test_check_of_a_token_that_is_not_accepted() -> None:
    """No permission is named: none would help."""
    with pytest.raises(Refused) as caught:
        SOURCE.check(Config.model_validate(SETTINGS), _refusing("/orgs/acme/repos", status=401))
    assert str(caught.value) == "GET /orgs/acme/repos: 401"


def test_check_of_a_server_without_rate_limits() -> None:
    """GitHub Enterprise Server answers 404 to `/rate_limit` where limits are off: nothing is missing."""
    assert SOURCE.check(Config.model_validate(SETTINGS), _refusing("/rate_limit", status=404)) == []


def test_check_of_an_empty_repository() -> None:
    """One without contents answers 404 to them: nothing is missing. Teams are asked for with `codeowners` alone."""
    config = Config.model_validate(SETTINGS)
    assert SOURCE.check(config, _refusing("/contents", status=404)) == []
    without = config.model_copy(update={"codeowners": False})
    assert SOURCE.check(without, _refusing("/contents", "/teams")) == [
        "repository acme/payments: its commits that were rolled out can't be read; give the token the repository permission 'Contents: read'"
    ]
    neither = without.model_copy(update={"change_sets": False})
    assert SOURCE.check(neither, _refusing("/contents", "/teams")) == []


def test_check_of_an_unknown_organisation() -> None:
    """GitHub answers 404 for what a token may not see: the line says both."""
    found = SOURCE.check(Config.model_validate(SETTINGS), _refusing("/orgs/acme/repos", status=404))
    assert found == ["organisation acme: there is none of this name that the token may see ('Metadata: read')"]


def test_check_without_a_matching_repository() -> None:
    """Globs that match nothing are said."""
    config = Config.model_validate({**SETTINGS, "repositories": ["nope-*"]})
    (line,) = SOURCE.check(config, FakeOutside(small_world()))
    assert line == "organisation acme: no repository that the token may see ('Metadata: read') matches nope-*"


def test_access_sends_githubs_headers_and_reads_its_quota() -> None:
    """The API version is pinned and the quota's headers are named."""
    access = SOURCE.access(Config.model_validate(SETTINGS))
    assert access.url == "https://api.github.com"
    assert access.headers == {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
    assert access.rate_headers == ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")


def test_it_proposes_the_owners_of_github_remotes() -> None:
    """However a remote is written; that of `origin` first, each once; look-alikes are none."""
    remotes = (
        ("fork", "https://github.com/Zeta/app.git"),
        ("mirror", "ssh://github.com/beta/app"),
        ("origin", "github.com:acme/app.git"),
        ("upstream", "https://github.com/acme/other"),
        ("lab", "gitlab.com:acme/app.git"),
        ("trap", "https://github.com.evil.example/a/b"),
    )
    found = SOURCE.propose(Surroundings(remotes=remotes, variables=frozenset({"GH_TOKEN"})))
    assert found is not None
    assert [*found.found] == ["github-acme", "github-zeta", "github-beta"]
    assert found.found["github-zeta"] == {"org": "Zeta", "token": {"env": "GH_TOKEN"}}
