"""A sweep of GitHub's repositories when some of it fails: who goes on, who waits, what is kept and what is said."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from tests.sources.github.github_server import Github, Repo, deployment, run, text
from tests.sources.github.test_github import MINUTE, NOW, SINCE, Told, minutes, small_world
from tests.support.organisation import Organisation, Polling

from platform_meter.model.access import Pace
from platform_meter.model.facts.ci import PipelineActive, PipelineRun
from platform_meter.model.source import Gap, Limited, Refused, SourceError, Unexpected, Unreachable
from platform_meter.sources.github import SOURCE, config
from platform_meter.sources.github.state import OpenRun, RepoState, State
from platform_meter.sources.github.sweep import due
from platform_meter.sources.kit.cursor import Cursor
from platform_meter.testing.outside import Call, FakeOutside, Reply

HOUR = timedelta(hours=1)
REFUSED, DOWN = Refused("403 access blocked"), Unreachable("502 after 3 tries")


def _repo(name: str, **more: Any) -> Repo:
    more = {
        "runs": [run(1, minutes(60))],
        "deployments": [deployment(1, "a" * 40, minutes(60), ("success", 1))],
        **more,
    }
    return Repo(name=f"acme/{name}", created=NOW - timedelta(days=900), **more)


def _told(*names: str, **settings: Any) -> Told:
    return Told(Github([_repo(name) for name in names]), codeowners=False, **settings)


def _failing(told: Told, fails: Callable[[Call], bool], how: Exception | Reply) -> None:
    """From now on calls that fit fail."""
    world = told.world

    def answer(call: Call) -> Reply:
        if not fails(call):
            return world(call)
        if isinstance(how, Reply):
            return how
        raise how

    told.world = answer


def _of(part: str) -> Callable[[Call], bool]:
    return lambda call: part in call.path


def _error(told: Told, now: Any) -> SourceError | None:
    """How a poll ended."""
    try:
        told.poll(now, SINCE)
    except SourceError as error:
        return error
    return None


def _whose(told: Told, kind: str = "PipelineRun") -> set[str]:
    return {fact.about.id.removeprefix("acme/") for (name, _), fact in told.facts.items() if name == kind}


def _distinct(told: Told) -> None:
    """Each repository's runs and deployments have ids of their own, as GitHub's do."""
    github = told.world
    assert isinstance(github, Github)
    for number, repo in enumerate(github.repos, 1):
        repo.runs = [{**row, "id": row["id"] + 100 * number} for row in repo.runs]
        repo.deployments = [{**row, "id": row["id"] + 100 * number} for row in repo.deployments]


def _three(**settings: Any) -> Told:
    told = _told("api", "blocked", "web", **settings)
    _distinct(told)
    return told


@pytest.mark.parametrize("error", [REFUSED, DOWN])
@pytest.mark.parametrize(
    ("part", "kind"), [("actions/runs", "PipelineRun"), ("deployments", "Deployment"), ("", "PipelineRun")]
)
def test_one_repository_that_keeps_failing_stops_no_other(part: str, kind: str, error: SourceError) -> None:
    """Refused or without an answer at every poll: all others are told, and each poll ends well and is complete."""
    told = _three()
    whole = told.world
    _failing(told, _of(f"/repos/acme/blocked/{part}"), error)
    for minute in range(20):
        assert _error(told, NOW + minute * MINUTE) is None
        assert told.pages[-1].complete == {PipelineActive}
    assert _whose(told, kind) == {"api", "web"}
    told.world = whole
    assert _error(told, NOW + 20 * MINUTE) is None
    assert _whose(told, kind) == {"api", "blocked", "web"}


@pytest.mark.parametrize(("error", "reason"), [(REFUSED, "forbidden"), (DOWN, "unreadable")])
def test_trouble_that_lasts_is_one_gap(error: SourceError, reason: str) -> None:
    """Not at its first poll, when it may pass. After that the same range at each poll: what would have been read then."""
    told = _three()
    _failing(told, _of("/repos/acme/blocked/actions/runs"), error)
    gaps: list[list[Gap]] = []
    for minute in range(4):
        told.poll(NOW + minute * MINUTE, SINCE)
        gaps.append(told.outside.gaps)
    text_ = f"acme/blocked: {error}"
    assert gaps == [[], *[[Gap(start=SINCE, end=NOW, reason=reason, text=text_, what="acme/blocked runs")]] * 3]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(status=451), "forbidden"),
        (Reply(status=404), "forbidden"),
        (Reply(status=422), "unreadable"),
        (Reply(body={"updated_at": text(NOW)}), "unreadable"),
    ],
)
def test_an_answer_that_cannot_be_read_is_one_gap(reply: Reply, reason: str) -> None:
    """It stops no other repository and fails no poll; however often it comes, its range is the same."""
    told = _three()
    _failing(told, _of("/repos/acme/blocked/pulls"), reply)
    gaps = set()
    for minute in range(3):
        assert _error(told, NOW + minute * MINUTE) is None
        gaps |= {(gap.start, gap.end, gap.reason) for gap in told.outside.gaps}
    assert gaps == {(SINCE, NOW, reason)}
    assert _whose(told) == {"api", "blocked", "web"}


def test_a_gap_of_a_list_that_was_read_starts_at_its_last_read() -> None:
    """What was told before is no gap: it starts where the next read would have started."""
    told = _three()
    told.poll(NOW, SINCE)
    _failing(told, _of("/repos/acme/blocked/actions/runs"), Reply(status=451))
    for minute in (1, 2):
        told.poll(NOW + minute * MINUTE)
        assert [(gap.start, gap.end) for gap in told.outside.gaps] == [(NOW - 15 * MINUTE, NOW + MINUTE)]


def test_a_permission_that_is_missing_everywhere_fails_the_poll() -> None:
    """Deployments are refused in each of nine repositories: it says so after three of them, and reads all other lists."""
    told = _told(*"abcdefghi")
    _distinct(told)
    _failing(told, lambda call: call.path.endswith("/deployments"), REFUSED)
    for minute in range(5):
        assert _error(told, NOW + minute * MINUTE) is REFUSED
        assert len(told.asked("/deployments")) == 3
        assert told.outside.gaps == []
        assert len(told.asked("/pulls")) == 9
    assert _whose(told) == set("abcdefghi")


def test_a_list_that_no_repository_shows_fails_the_poll() -> None:
    """One queue of tickets without the permission to read it: that is no single repository's trouble."""
    told = _three(issues=["web"])
    _failing(told, _of("/issues"), REFUSED)
    assert [_error(told, NOW + minute * MINUTE) for minute in range(3)] == [REFUSED] * 3
    assert _whose(told) == {"api", "blocked", "web"}


def test_answers_of_another_shape_everywhere_fail_the_poll() -> None:
    """What can be read in none of three repositories is no single repository's oddity."""
    told = _three()
    _failing(told, _of("/pulls"), Reply(body={"message": "moved"}))
    assert isinstance(_error(told, NOW), Unexpected)
    assert _whose(told) == {"api", "blocked", "web"}


@pytest.mark.parametrize("error", [REFUSED, DOWN])
def test_a_sweep_ends_when_nothing_can_be_read_any_more(error: SourceError) -> None:
    """The system goes down, or the token's time is up, behind the second of nine repositories: three more are tried.

    What was read is kept, nothing is said to be a gap, and the next poll goes on with those that were not reached.
    """
    told = _told(*"abcdefghi")
    _distinct(told)
    whole = told.world
    _failing(told, lambda call: call.path > "/repos/acme/c", error)
    assert _error(told, NOW) is error
    assert _whose(told) == {"a", "b"}
    failed = [call.path.split("/")[3] for call in told.outside.calls if call.path > "/repos/acme/c"]
    assert failed == [*"cccdddeee"]
    assert told.outside.gaps == []
    told.world = whole
    assert _error(told, NOW + MINUTE) is None
    assert [call.path.split("/")[3] for call in told.asked("/pulls")] == [*"fghiabcde"]
    assert _whose(told) == set("abcdefghi")


def test_blocked_repositories_side_by_side_are_no_end_of_the_sweep() -> None:
    """Five in a row that can never be read: their first poll fails, then the others go first and polls end well."""
    told = _told(*"abcdefghi")
    _distinct(told)
    _failing(told, lambda call: call.path[:14] in {f"/repos/acme/{n}/" for n in "abcde"}, REFUSED)
    ends = [_error(told, NOW + minute * MINUTE) for minute in range(5)]
    assert ends == [REFUSED, None, None, None, None]
    assert _whose(told) == {*"fghi"}


def test_blocked_repositories_among_others_fail_no_poll() -> None:
    """However many they are: between them the same list can be read."""
    told = _told(*"abcdefghi")
    _distinct(told)
    _failing(told, lambda call: call.path[:14] in {f"/repos/acme/{n}/" for n in "bdfh"}, DOWN)
    assert [_error(told, NOW + minute * MINUTE) for minute in range(3)] == [None, None, None]
    assert _whose(told) == {*"acegi"}


def test_the_quota_ends_a_sweep_that_goes_on_where_it_was() -> None:
    """Forty repositories at four calls each, fifty calls an hour: twelve are read each hour, until all are."""
    told = _told(*(f"r{n:02}" for n in range(40)))
    _distinct(told)
    _failing(told, lambda _: len(told.outside.paid) > 50, Limited("used up", NOW))
    read = []
    for hour in range(4):
        ended = _error(told, NOW + hour * HOUR)
        assert isinstance(ended, Limited) == (hour < 3)
        read.append(len(_whose(told)))
    assert read == [12, 24, 36, 40]


def test_whatever_ends_a_sweep_what_was_told_is_kept() -> None:
    """A mistake of our own in the last repository: the facts of all before it come with their place, and it is not hidden."""
    told = _three()
    _failing(told, _of("/repos/acme/web/pulls"), ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        told.poll(NOW, SINCE)
    assert _whose(told) == {"api", "blocked", "web"}
    assert told.pages[-1].checkpoint == told.checkpoint


def test_a_step_that_was_not_told_is_told_later() -> None:
    """The jobs of one run can't be read, after those of others on its page were: all runs are told when they can."""
    world = Github([_repo("api", runs=[run(n, minutes(5 + n)) for n in range(1, 5)], deployments=[]), _repo("web")])
    told = Told(world, codeowners=False)
    for error in (DOWN, Limited("used up", NOW), Reply(status=422)):
        _failing(told, _of("/actions/runs/3/"), error)
        _error(told, NOW)
        told.world = world
        assert [key for kind, key in told.facts if kind == "PipelineRun" and key != "run/1/1"] == []
    told.poll(NOW + MINUTE)
    assert told.runs() == {"run/1/1", "run/2/1", "run/3/1", "run/4/1"}


def test_a_place_that_can_never_be_read_keeps_nothing_new_waiting() -> None:
    """The page with one old run is never answered: new runs are told all the same, at the latest three polls later."""
    api = _repo("api", runs=[run(n, minutes(n + 500)) for n in range(2, 1_502)], deployments=[])
    told = Told(Github([api, _repo("web")]), codeowners=False)
    world = told.world

    def answer(call: Call) -> Reply:
        reply = world(call)
        if "/api/actions/runs" in call.path and any(row["id"] == 700 for row in reply.body.get("workflow_runs", ())):
            raise DOWN
        return reply

    told.world = answer
    for minute in range(16):
        if minute % 4 == 0:
            api.runs.append(run(5_000 + minute, NOW + (minute - 1) * MINUTE, minutes=0.5))
        assert _error(told, NOW + minute * MINUTE) is None
        if minute % 4 == 3:
            assert f"run/{5_000 + minute - 3}/1" in told.runs()
    assert len(told.runs()) >= 600


def test_a_place_is_kept_although_nothing_is_told() -> None:
    """Of 250 idle repositories those visited are known after each hundred."""
    told = _told(*(f"r{n:03}" for n in range(250)))
    assert isinstance(told.world, Github)
    for repo in told.world.repos:
        repo.runs, repo.deployments = [], []
    told.poll(NOW, SINCE)
    assert [page.progress and page.progress.done for page in told.pages] == [None, 0, 100, 200, None]
    assert {page.progress.of for page in told.pages if page.progress} == {250}
    kept = msgspec.json.decode(told.pages[2].checkpoint or b"")
    assert sum("visited" in repo for repo in kept["repos"].values()) == 100


def test_an_archived_repository_is_read_once_more() -> None:
    """What it did between the last poll and its end is told, the run that still goes on too; then it rests."""
    told = _told("api")
    assert isinstance(told.world, Github)
    (repo,) = told.world.repos
    told.poll(NOW, SINCE)
    last = run(3, NOW + 20 * timedelta(seconds=1), status="in_progress", conclusion=None)
    repo.runs += [run(2, NOW + 5 * timedelta(seconds=1), minutes=0.3), last]
    repo.archived = True
    told.poll(NOW + MINUTE)
    assert told.runs() == {"run/1/1", "run/2/1"}
    last |= {"status": "completed", "conclusion": "success", "updated_at": text(NOW + 90 * timedelta(seconds=1))}
    told.poll(NOW + 2 * MINUTE)
    assert told.runs() == {"run/1/1", "run/2/1", "run/3/1"}
    told.poll(NOW + 3 * MINUTE)
    assert [call.path for call in told.outside.calls] == ["/orgs/acme/repos"]


def test_an_archived_repository_that_cannot_be_read_waits() -> None:
    """Its last read failed: it is tried again until it works."""
    told = _told("api", "web")
    _distinct(told)
    github = told.world
    assert isinstance(github, Github)
    told.poll(NOW, SINCE)
    github.repos[0].archived = True
    github.repos[0].runs.append(run(900, NOW + timedelta(seconds=1), minutes=0.3))
    _failing(told, _of("/acme/api/actions"), DOWN)
    told.poll(NOW + MINUTE)
    told.world = github
    told.poll(NOW + 2 * MINUTE)
    assert "run/900/1" in told.runs()
    told.poll(NOW + 3 * MINUTE)
    assert told.asked("/acme/api/") == []


def test_pipelines_of_the_small_world_are_unharmed_by_a_second_repository_that_fails() -> None:
    """The case of the contract test beside one that can't be read: the same runs."""
    alone, beside = Told(small_world()), small_world()
    beside.repos.append(_repo("blocked"))
    told = Told(beside)
    _failing(told, _of("/acme/blocked/"), DOWN)
    alone.poll(NOW, SINCE)
    told.poll(NOW, SINCE)
    assert {f for f in told.facts.values() if isinstance(f, PipelineRun)} == {
        f for f in alone.facts.values() if isinstance(f, PipelineRun)
    }


def _settings(**settings: Any) -> config.Config:
    return config.Config.model_validate({"org": "acme", "token": {"env": "TOKEN"}, **settings})


def _quiet(count: int, **special: RepoState) -> State:
    """Repositories that were visited one after the other, and long enough ago to have nothing to say; others beside."""
    repos = {f"acme/r{n:04}": RepoState(visited=NOW - MINUTE * (count - n)) for n in range(count)}
    return State(first=NOW - 99 * HOUR, repos=repos | {f"acme/{name}": repo for name, repo in special.items()})


def test_everybody_has_a_turn_while_there_is_time() -> None:
    """240 repositories in a minute, the one visited longest ago first; on a server of one's own any number."""
    state = _quiet(240)
    assert due(_settings(), state, NOW) == [*state.repos]
    own = _settings(url="https://github.acme.example/api/v3")
    assert len(due(own, _quiet(5_000), NOW)) == 5_000


SEEN = NOW - 2 * MINUTE


@pytest.mark.parametrize(
    "repo",
    [
        RepoState(),
        RepoState(visited=SEEN, stirred=NOW - 60 * MINUTE),
        RepoState(visited=SEEN, archived=True),
        RepoState(visited=SEEN, pulls=Cursor(began=SEEN)),
        RepoState(visited=SEEN, pulls=Cursor(failing=(SEEN, SEEN))),
    ],
)
def test_where_something_may_have_happened_is_looked_each_time(repo: RepoState) -> None:
    """One never visited, one that stirred within the hour, one to be read to its end, one that failed."""
    assert "acme/special" in due(_settings(), _quiet(1_000, special=repo), NOW)
    calm = RepoState(visited=SEEN, stirred=NOW - 61 * MINUTE)
    assert "acme/special" not in due(_settings(), _quiet(1_000, special=calm), NOW)


def test_one_with_a_run_that_goes_on_is_looked_at_each_time() -> None:
    """However long ago it said something new."""
    repo = RepoState(visited=SEEN)
    repo.runs.open["1"] = OpenRun(created=NOW - 9 * HOUR, workflow="ci")
    assert "acme/special" in due(_settings(), _quiet(1_000, special=repo), NOW)


def test_quiet_ones_take_turns() -> None:
    """As many as there is time for, beside ten that are not quiet; those that wait longest first."""
    lively = {f"busy{n}": RepoState(visited=SEEN, stirred=NOW) for n in range(10)}
    chosen = due(_settings(), _quiet(1_000, **lively), NOW)
    assert [name for name in chosen if "busy" not in name] == [f"acme/r{n:04}" for n in range(230)]
    assert len(chosen) == 240


@pytest.mark.parametrize(("since_last", "turns", "sooner"), [(1, 108, 231), (3, 322, 693), (45, 3_000, 3_000)])
def test_quiet_ones_come_round_although_time_is_short(since_last: int, turns: int, sooner: int) -> None:
    """300 that are not quiet take all the time of a poll: of 3,000 others a 28th for each minute since the last one."""
    lively = {f"busy{n}": RepoState(visited=SEEN, stirred=NOW) for n in range(300)}
    state = _quiet(3_000, **lively)
    state.swept = NOW - since_last * MINUTE
    assert len(due(_settings(), state, NOW)) == 300 + turns
    assert len(due(_settings(all_within="15m"), state, NOW)) == 300 + sooner


def test_a_push_and_a_fact_stir_a_repository() -> None:
    """What happened in the last hour, not what a first poll reads of the past."""
    told = _told("api", "web")
    _distinct(told)
    github = told.world
    assert isinstance(github, Github)
    told.poll(NOW + 2 * HOUR, SINCE)
    kept = msgspec.json.decode(told.checkpoint or b"", type=State)
    assert [repo.lively(NOW + 2 * HOUR) for repo in kept.repos.values()] == [False, False]
    github.repos[0].pushed = NOW + 2 * HOUR
    github.repos[1].runs.append(run(900, NOW + 2 * HOUR, minutes=0.3))
    told.poll(NOW + 2 * HOUR + MINUTE)
    kept = msgspec.json.decode(told.checkpoint or b"", type=State)
    assert kept.swept == NOW + 2 * HOUR + MINUTE
    assert [repo.lively(NOW + 3 * HOUR) for repo in kept.repos.values()] == [True, True]
    assert [repo.lively(NOW + 4 * HOUR) for repo in kept.repos.values()] == [False, False]


@pytest.mark.parametrize("fail_at", [None, 40, 77])
def test_side_by_side_the_same_is_told(fail_at: int | None) -> None:
    """Thirty repositories eight at a time, with a quota that ends it here and there: all facts, each once, as one at a time."""
    names = [f"r{n:02}" for n in range(30)]
    alone, beside = _told(*names, issues=["*"]), _told(*names, issues=["*"])
    for told in (alone, beside):
        _distinct(told)
    alone.poll(NOW, SINCE)
    checkpoint: bytes | None = None
    events: list[str] = []
    for number in (fail_at, None):
        outside = FakeOutside(beside.world, fail_at=number, error=Limited("used up", NOW), at_once=8)
        (stream,) = SOURCE.connect(beside.config, outside, "test")
        try:
            for page in stream.read(checkpoint, SINCE, NOW):
                checkpoint = page.checkpoint or checkpoint
                events += [fact.key for fact in page.facts if hasattr(fact, "updated")]
        except Limited:
            assert number is not None
    assert sorted(events) == sorted(key for kind, key in alone.facts if kind in {"PipelineRun", "Deployment"})
    assert len(events) == 60


def test_a_large_organisation_is_read_within_githubs_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """200 repositories, and a tenth of what GitHub allows: like 2,000 at 900 points a minute and 5,000 calls an hour.

    The import takes what the quota lets it; then each is looked at within 30 minutes, and what happened where a push
    tells of it at once.
    """
    monkeypatch.setattr(config, "PACE", Pace(at_once=8, points=90, post=5))
    world = Organisation(200)
    polling = Polling(world, quota=500)
    polling.poll()
    (done,) = {page.progress.done for page in polling.pages[-1:] if page.progress}
    assert done is not None
    assert 50 < done < 150
    assert polling.until_read(9 * HOUR) < 4 * HOUR
    for _ in range(90):
        polling.poll()
    pushed = world.push("acme/r00150", polling.hub.now - 3 * MINUTE)
    silent = world.push("acme/r00151", polling.hub.now - 3 * MINUTE)
    world.pushed["acme/r00151"] = world.pushed["acme/r00000"]
    began = polling.hub.now
    polling.poll()
    polling.poll()
    assert polling.told[f"run/{pushed}/1"] - began <= 2 * MINUTE
    assert polling.round(2 * HOUR) <= 30 * MINUTE
    assert polling.told[f"run/{silent}/1"] - began <= 30 * MINUTE
    assert 60 <= polling.hub.minute.most <= 90
    assert 400 <= polling.hub.hour.most <= 500
