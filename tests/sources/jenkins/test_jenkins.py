"""Jenkins: the case of the contract test, and what only Jenkins does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.sources.jenkins.jenkins_server import FOLDER, FREESTYLE, MULTIBRANCH, PIPELINE, Jenkins, build, code, ms

from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.ci import Outcome, PipelineActive, PipelineJob, PipelineRun
from platform_meter.model.proposal import Surroundings
from platform_meter.model.source import Page
from platform_meter.sources.jenkins import SOURCE, Config
from platform_meter.testing import Case, Later
from platform_meter.testing.outside import Call, FakeOutside, Reply

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
SINCE = NOW - timedelta(days=7)
SETTINGS: dict[str, Any] = {
    "url": "https://jenkins.example",
    "user": "meter",
    "token": {"env": "JENKINS_TOKEN"},
    "outcomes": [{"step": "Provision*", "class": "infra_failure"}],
}
BRANCH = "team/shop/main"


def log(text: str) -> Reply:
    return Reply(body=[line.encode() for line in text.split("\n")])


def small_world() -> Jenkins:
    world = Jenkins(folders={"team": FOLDER, "team/shop": MULTIBRANCH, "sealed": FOLDER})
    world.put(
        "nightly",
        FREESTYLE,
        build(
            1,
            "08:00:00",
            "SUCCESS",
            actions=[{"causes": [{"_class": "hudson.triggers.TimerTrigger$TimerTriggerCause"}]}],
        ),
        build(2, "09:00:00", "UNSTABLE"),
        build(3, "11:58:00", "SUCCESS", queueId=7),
        build(4, "11:59:30", None),
    )
    world.put(BRANCH, PIPELINE, build(1, "11:30:00", "FAILURE", 120, actions=[*code("abc1"), None]))
    world.put("sealed/secret", FREESTYLE, build(1, "08:00:00", "ABORTED"))
    world.put("empty", FREESTYLE)
    world.others["/queue/item/7/api/json"] = Reply(body={"inQueueSince": ms("11:57:20")})
    world.others[f"/job/{BRANCH.replace('/', '/job/')}/1/consoleText"] = log(
        "tests\nERROR: script returned exit code 1"
    )
    world.others[f"/job/{BRANCH.replace('/', '/job/')}/1/wfapi/describe"] = Reply(
        body={
            "pauseDurationMillis": 30_000,
            "stages": [{"name": "Build", "status": "SUCCESS"}, {"name": "Test", "status": "FAILED", "error": {}}],
        }
    )
    world.queue = [
        {"why": "Waiting for next available executor on ‘linux’", "buildable": True},
        {"why": "In the quiet period. Expires in 3 sec", "buildable": False},
    ]
    labels = [{"name": "node-1"}, {"name": "linux"}]
    busy = {"currentExecutable": {"number": 4}}
    world.nodes = [
        {"displayName": "Built-In Node", "assignedLabels": [], "executors": [{"currentExecutable": None}]},
        {"displayName": "node-1", "assignedLabels": labels, "executors": [busy, {"currentExecutable": None}]},
    ]
    return world


def later_world() -> Jenkins:
    """What ran has ended, behind a page of others; a job was deleted, a folder is refused, and a build is odd."""
    world = small_world()
    builds = world.jobs["nightly"][1]
    builds[-1] = build(4, "11:59:30", "FAILURE", 600)
    builds += [build(number, "12:10:00", "SUCCESS", number) for number in range(5, 125)]
    builds.append(build(125, "12:30:00", "SUCCESS", duration=9 * 10**18))
    del world.jobs[BRANCH]
    world.others["/job/nightly/4/consoleText"] = log(
        "FATAL: Cannot contact node-1: hudson.remoting.ChannelClosedException"
    )
    world.others["/job/sealed/api/json"] = Reply(status=403)
    return world


def ref(name: str, *links: str) -> Ref:
    return Ref(system="jenkins", kind="job", id=name, links=links)


def pair(
    name: str, number: int, at: str, outcome: Outcome, seconds: int, *, queued: int | None = None, **more: Any
) -> tuple[Fact, Fact]:
    key, began = f"{name}/{number}/{ms(at)}", datetime.fromtimestamp(ms(at) / 1000, UTC)
    own: dict[str, Any] = {"about": ref(name), "pipeline": name, "pool": "linux", "rule": "success", **more}
    path = "".join(f"/job/{part}" for part in name.split("/"))
    paused = own.get("approval") or timedelta()
    ran = timedelta(seconds=seconds)
    run = PipelineRun(
        key=f"build/{key}",
        at=began + ran + paused,
        outcome=outcome,
        ran=ran,
        executing=ran,
        url=f"https://jenkins.example{path}/{number}/",
        **{"group": f"{name}|{number}|{ms(at)}", **own},
    )
    job = PipelineJob(
        key=f"executor/{key}",
        at=run.at,
        about=run.about,
        run=run.key,
        pool=run.pool,
        outcome=outcome,
        ran=ran,
        queued=None if queued is None else timedelta(seconds=queued),
    )
    return run, job


EXPECTED: Sequence[Fact] = (
    *pair("nightly", 1, "08:00:00", Outcome.SUCCESS, 60, trigger="schedule"),
    *pair("nightly", 2, "09:00:00", Outcome.USER_FAILURE, 60, reason="UNSTABLE", rule="unstable"),
    *pair("nightly", 3, "11:58:00", Outcome.SUCCESS, 60, queued=40),
    *pair(
        BRANCH,
        1,
        "11:30:00",
        Outcome.USER_FAILURE,
        90,
        about=ref(BRANCH, "jenkins:team/shop", "github:acme/shop"),
        pipeline="team/shop",
        pool="",
        group=f"{BRANCH}|abc1|",
        sha="abc1",
        reason="failed in Test",
        rule="user_log",
        approval=timedelta(seconds=30),
    ),
    *pair("sealed/secret", 1, "08:00:00", Outcome.CANCELLED, 60, reason="ABORTED", rule="aborted"),
    PipelineActive(
        about=Ref(system="jenkins", kind="pool", id="Built-In Node"), pool="Built-In Node", queued=0, running=0
    ),
    PipelineActive(about=Ref(system="jenkins", kind="pool", id="linux"), pool="linux", queued=1, running=1),
)
LATER = [
    *pair("nightly", 4, "11:59:30", Outcome.INFRA_FAILURE, 600, reason="FAILURE", rule="platform_log"),
    *(fact for number in range(5, 125) for fact in pair("nightly", number, "12:10:00", Outcome.SUCCESS, number)),
]
CASE = Case(
    settings=SETTINGS,
    answers=small_world,
    now=NOW,
    since=SINCE,
    expected=EXPECTED,
    people=("meter",),
    later=Later(
        answers=later_world,
        after=timedelta(hours=1),
        expected=LATER,
        gaps=("sealed: ",),
        rejected=1,
    ),
)


def told(world: Jenkins, *polls: datetime, **settings: Any) -> tuple[list[Page], FakeOutside]:
    """Pages of polls in a row at these times, and what was asked and said beside."""
    config, outside, checkpoint, pages = Config.model_validate({**SETTINGS, **settings}), FakeOutside(world), None, []
    for now in polls:
        stream = SOURCE.connect(config, outside, "jenkins")[0]
        for page in stream.read(checkpoint, now - timedelta(days=7), now):
            checkpoint = page.checkpoint or checkpoint
            pages.append(page)
    return pages, outside


def runs(pages: Sequence[Page]) -> list[PipelineRun]:
    return [fact for page in pages for fact in page.facts if isinstance(fact, PipelineRun)]


def one_build(class_: str, stages: dict[str, Any] | None, text: str, result: str = "FAILURE") -> PipelineRun:
    """A build that failed just now, with its stages and the end of its log."""
    world = Jenkins().put("x", class_, build(1, "11:59:00", result, 30))
    if stages is not None:
        world.others["/job/x/1/wfapi/describe"] = Reply(body=stages)
    world.others["/job/x/1/consoleText"] = log(text)
    (run,) = runs(told(world, NOW)[0])
    return run


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("+ make\nBuild step 'Execute shell' marked build as failure", Outcome.USER_FAILURE),
        ("ERROR: script returned exit code 2", Outcome.USER_FAILURE),
        ("ERROR: Error cloning remote repo 'origin'", Outcome.INFRA_FAILURE),
        ("java.io.IOException: No space left on device\nmarked build as failure", Outcome.INFRA_FAILURE),
        ("Cannot contact node-1: java.lang.InterruptedException", Outcome.INFRA_FAILURE),
        ("fatal: unable to access: The requested URL returned error: 503", Outcome.INFRA_FAILURE),
        ("fatal: unable to access: The requested URL returned error: 403", Outcome.UNKNOWN),
        ("", Outcome.UNKNOWN),
    ],
)
def test_the_end_of_a_log_tells_whose_failure_it_was(text: str, outcome: Outcome) -> None:
    """The platform's signs come first: what they break, a step of the user reports too."""
    assert one_build(FREESTYLE, None, text).outcome is outcome


def test_a_stage_that_the_platform_answers_for_is_its_failure() -> None:
    """As the settings name it."""
    stages = {
        "stages": [{"name": "Provision db", "status": "FAILED", "error": {"message": "script returned exit code 1"}}]
    }
    run = one_build(PIPELINE, stages, "")
    assert (run.outcome, run.reason, run.rule) == (
        Outcome.INFRA_FAILURE,
        "failed in Provision db",
        "outcomes 1: step Provision*",
    )


def test_waiting_for_a_person_is_neither_queue_nor_run() -> None:
    """An input step of 20 s in a build of 30."""
    run = one_build(PIPELINE, {"pauseDurationMillis": 20_000, "stages": []}, "", "SUCCESS")
    assert (run.ran, run.approval, run.outcome) == (timedelta(seconds=10), timedelta(seconds=20), Outcome.SUCCESS)


def test_a_skipped_build_had_no_executor() -> None:
    """So it is no job, which would have a duration."""
    (page,) = [p for p in told(Jenkins().put("x", FREESTYLE, build(1, "11:00:00", "NOT_BUILT")), NOW)[0] if p.facts]
    assert [(type(fact), fact.outcome) for fact in page.facts if isinstance(fact, PipelineRun)] == [
        (PipelineRun, Outcome.SKIPPED)
    ]
    assert len(page.facts) == 1


def test_more_builds_than_a_page_holds_are_all_told_once() -> None:
    """Each page begins with the last build of the one before."""
    world = Jenkins().put("x", FREESTYLE, *(build(n, "10:00:00", "SUCCESS") for n in range(1, 1_101)))
    keys = [run.key for run in runs(told(world, NOW)[0])]
    assert len(keys) == len(set(keys)) == 1_100


def test_builds_discarded_while_pages_are_read_hide_no_other() -> None:
    """What stood behind them moved up to a page that was read already."""
    world = Jenkins().put("x", FREESTYLE, *(build(n, "10:00:00", "SUCCESS") for n in range(1, 251)))
    asked = 0

    def answer(call: Call) -> Reply:
        nonlocal asked
        if call.path == "/job/x/api/json":
            asked += 1
            if asked == 2:  # the newest five go after the first page
                del world.jobs["x"][1][245:]
        return world(call)

    stream = SOURCE.connect(Config.model_validate(SETTINGS), FakeOutside(answer), "jenkins")[0]
    found = runs(list(stream.read(None, SINCE, NOW)))
    assert {run.key.split("/")[2] for run in found} >= {str(n) for n in range(1, 246)}


def test_an_idle_job_costs_nothing() -> None:
    """Its last build's number, which its folder's list tells, is the one that was told."""
    world = Jenkins(folders={"team": FOLDER}).put("team/x", FREESTYLE, build(1, "11:00:00", "SUCCESS"))
    _, outside = told(world, NOW, NOW + timedelta(minutes=1))
    assert [call.path for call in outside.calls[3:]] == ["/api/json", "/job/team/api/json"]


def test_builds_that_are_discarded_between_two_polls_are_a_gap() -> None:
    """And so is one that was running."""
    world = Jenkins().put("x", FREESTYLE, build(1, "11:00:00", "SUCCESS"), build(2, "11:30:00", None))
    config, outside = Config.model_validate(SETTINGS), FakeOutside(world)
    (stream, _) = SOURCE.connect(config, outside, "jenkins")
    *_, page = stream.read(None, SINCE, NOW)
    world.jobs["x"][1][:] = [build(5, "12:10:00", "SUCCESS")]
    facts = [fact.key for p in stream.read(page.checkpoint, SINCE, NOW + timedelta(hours=1)) for fact in p.facts]
    assert facts == [f"build/x/5/{ms('12:10:00')}", f"executor/x/5/{ms('12:10:00')}"]
    assert [gap.text for gap in outside.gaps] == ["x: 3 builds were discarded before they were told"]


def test_a_job_made_anew_has_other_builds_of_the_same_numbers() -> None:
    """Build 1 of a job that was deleted, and build 1 of the one made under its name, are two."""
    world = Jenkins().put("x", FREESTYLE, build(1, "11:00:00", "SUCCESS"), build(2, "11:10:00", "SUCCESS"))
    pages, _ = told(world, NOW)
    world.jobs["x"][1][:] = [build(1, "12:10:00", "FAILURE")]
    outside = FakeOutside(world)
    stream = SOURCE.connect(Config.model_validate({**SETTINGS, "details": "none"}), outside, "jenkins")[0]
    found = runs(list(stream.read(pages[-1].checkpoint, SINCE, NOW + timedelta(hours=1))))
    assert [(run.key, run.outcome) for run in found] == [(f"build/x/1/{ms('12:10:00')}", Outcome.UNKNOWN)]


@pytest.mark.parametrize(
    ("anew", "later", "until"),
    [
        (True, timedelta(hours=1), NOW + timedelta(hours=1)),
        (False, timedelta(days=9), NOW.replace(hour=23, minute=59, second=59, microsecond=999_999)),
    ],
)
def test_a_job_that_is_gone_while_it_builds_is_a_gap(*, anew: bool, later: timedelta, until: datetime) -> None:
    """Made anew under its name, or seen no more for a week: nobody knows how its build ended."""
    world = (
        Jenkins().put("x", FREESTYLE, build(1, "11:00:00", "SUCCESS"), build(2, "11:50:00", None)).put("y", FREESTYLE)
    )
    outside, checkpoint = FakeOutside(world), None
    (stream, _) = SOURCE.connect(Config.model_validate(SETTINGS), outside, "jenkins")
    for now in (NOW, NOW + later, NOW + later + timedelta(minutes=1)):
        for page in stream.read(checkpoint, SINCE, now):
            checkpoint = page.checkpoint or checkpoint
        if anew:
            world.jobs["x"][1][:] = [build(1, "12:10:00", "SUCCESS")]
        else:
            world.jobs.pop("x", None)
    (gap,) = outside.gaps
    assert (gap.start, gap.end, gap.reason) == (NOW.replace(hour=11, minute=50), until, "pruned")
    assert gap.text == "x is gone, and 1 of its builds had not ended"


def test_a_renamed_job_tells_nothing_again() -> None:
    """Its last build is the one that was told under the old name."""
    world = Jenkins().put("old", FREESTYLE, build(1, "11:00:00", "SUCCESS"))
    pages, _ = told(world, NOW)
    world.jobs["new"] = world.jobs.pop("old")
    stream = SOURCE.connect(Config.model_validate(SETTINGS), FakeOutside(world), "jenkins")[0]
    *_, page = stream.read(pages[-1].checkpoint, SINCE, NOW + timedelta(minutes=1))
    assert not page.facts
    world.put("new", FREESTYLE, build(2, "12:05:00", "SUCCESS"))
    found = runs(list(stream.read(page.checkpoint, SINCE, NOW + timedelta(hours=1))))
    assert [run.key for run in found] == [f"build/new/2/{ms('12:05:00')}"]


def test_the_place_in_a_job_that_vanishes_for_a_moment_is_kept() -> None:
    """For a week: what was told is not told again, and a later one of that name is read anew."""
    world = Jenkins().put("x", FREESTYLE, build(1, "11:00:00", "SUCCESS")).put("y", FREESTYLE)
    pages, _ = told(world, NOW)
    held = world.jobs.pop("x")
    stream = SOURCE.connect(Config.model_validate(SETTINGS), FakeOutside(world), "jenkins")[0]
    *_, page = stream.read(pages[-1].checkpoint, SINCE, NOW + timedelta(minutes=1))
    *_, later = stream.read(page.checkpoint, SINCE, NOW + timedelta(days=9))
    world.jobs["x"] = held
    assert not runs(list(stream.read(page.checkpoint, SINCE, NOW + timedelta(minutes=2))))
    assert len(runs(list(stream.read(later.checkpoint, SINCE, NOW + timedelta(days=9))))) == 1


def test_a_hudson_is_read_without_ranges_and_all_builds() -> None:
    """It knows neither, and answers 500 to a range."""
    world = Jenkins(hudson=True).put("x", FREESTYLE, *(build(n, "10:00:00", "SUCCESS") for n in range(1, 151)))
    assert len(runs(told(world, NOW)[0])) == 150


def test_the_measured_wait_comes_before_the_queue() -> None:
    """The metrics plugin knows how long no executor was free."""
    world = Jenkins().put(
        "x", FREESTYLE, build(1, "11:58:00", "SUCCESS", queueId=7, actions=[{"buildableTimeMillis": 2_500}])
    )
    (job,) = [fact for page in told(world, NOW)[0] for fact in page.facts if isinstance(fact, PipelineJob)]
    assert job.queued == timedelta(seconds=2.5)


def test_builds_of_a_commit_and_equal_parameters_are_one_group() -> None:
    """Values are in no fact, only whether they are the same."""
    world = Jenkins().put(
        "x",
        FREESTYLE,
        build(1, "11:00:00", "FAILURE", actions=code("abc1", TOKEN="s3cret")),
        build(2, "11:10:00", "SUCCESS", actions=code("abc1", TOKEN="s3cret")),
        build(3, "11:20:00", "SUCCESS", actions=code("abc1", TOKEN="other")),
    )
    found = {run.key.split("/")[2]: run.group for run in runs(told(world, NOW)[0])}
    assert found["1"] == found["2"] != found["3"]
    assert "s3cret" not in repr(found)


def test_a_refused_job_that_alone_has_news_fails_no_poll() -> None:
    """It is a gap: the list shows that the others have none."""
    world = Jenkins().put("x", FREESTYLE, build(1, "11:00:00", "SUCCESS"))
    world.put("y", FREESTYLE, build(1, "11:00:00", "SUCCESS"))
    pages, _ = told(world, NOW)
    world.put("x", FREESTYLE, build(2, "11:59:00", "SUCCESS"))
    world.others["/job/x/api/json"] = Reply(status=403)
    outside = FakeOutside(world)
    stream = SOURCE.connect(Config.model_validate(SETTINGS), outside, "jenkins")[0]
    checkpoint = pages[-1].checkpoint
    for minutes in (1, 2):
        *_, page = stream.read(checkpoint, SINCE, NOW + timedelta(minutes=minutes))
        checkpoint = page.checkpoint
    assert [gap.text.partition(":")[0] for gap in outside.gaps] == ["x"]


def test_check_names_what_the_account_lacks() -> None:
    """One line each."""
    config = Config.model_validate(SETTINGS)
    assert SOURCE.check(config, FakeOutside(small_world())) == []
    assert SOURCE.check(config, FakeOutside(Jenkins())) == [
        "no job can be seen; give the account the permission Job/Read"
    ]
    world = small_world()
    world.others["/computer/api/json"] = Reply(status=403)
    (line,) = SOURCE.check(config, FakeOutside(world))
    assert line.startswith("/computer/api/json: ")


def test_it_proposes_the_server_that_a_variable_names() -> None:
    """With the variable of its token."""
    around = Surroundings(variables=frozenset({"JENKINS_TOKEN"}), addresses={"JENKINS_URL": "https://ci.acme.example"})
    found = SOURCE.propose(around)
    assert found is not None
    assert found.found == {
        "jenkins": {"url": "https://ci.acme.example", "user": "platform-meter", "token": {"env": "JENKINS_TOKEN"}}
    }
    sample = SOURCE.propose(Surroundings())
    assert sample is not None
    assert not sample.found
