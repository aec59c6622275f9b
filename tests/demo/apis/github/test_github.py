from __future__ import annotations

import base64
from datetime import datetime, timedelta

import pytest
from tests.demo.worlds import START, Clock, github, small_world

from platform_meter.demo.apis.github import API
from platform_meter.demo.company.records import Pull
from platform_meter.demo.company.scenarios import Scenario, Trouble
from platform_meter.demo.world import World


@pytest.fixture(scope="module")
def big() -> World:
    """A company in full size at its start: one of its repositories has more runs than a search may list."""
    return small_world(Clock(), services=300)


def busiest(world: World) -> str:
    return max(world.history.runs, key=lambda name: len(world.history.runs[name]))


def test_who_may_ask(still: World) -> None:
    """Without a token, with a wrong one and with a wrong path GitHub's own bodies come back."""
    api = github(still)
    docs = "https://docs.github.com/rest"
    wrong = api.get("/orgs/acme/repos", Authorization="Bearer ghs_other")
    assert (wrong.status_code, wrong.json) == (
        401,
        {"message": "Bad credentials", "documentation_url": docs, "status": "401"},
    )
    none = api.get("/orgs/acme/repos", Authorization="")
    assert (none.status_code, none.json["message"]) == (401, "Requires authentication")
    for path in ("/orgs/other/repos", "/repos/acme/nothing/pulls", "/repos/acme/sandbox-1/issues/99999", "/user"):
        missing = api.get(path)
        assert (missing.status_code, missing.json) == (
            404,
            {"message": "Not Found", "documentation_url": docs, "status": "404"},
        )


def test_pages_and_their_links(still: World) -> None:
    """Pages follow each other by Link headers without gap or repeat; a page past the end is empty."""
    api = github(still)
    whole = api.get("/orgs/acme/repos?per_page=100")
    assert "Link" not in whole.headers
    pages = list(api.pages("/orgs/acme/repos?per_page=15"))
    assert [len(page) for page in pages] == [15, 15, 9]
    assert [repo for page in pages for repo in page] == whole.json
    middle = api.get("/orgs/acme/repos?per_page=15&page=2").headers["Link"]
    at = "http://github.test/orgs/acme/repos?per_page=15&page="
    assert middle == f'<{at}1>; rel="prev", <{at}3>; rel="next", <{at}3>; rel="last", <{at}1>; rel="first"'
    assert api.get("/orgs/acme/repos?per_page=15&page=9").json == []
    assert len(api.get("/orgs/acme/repos").json) == 30


def test_at_most_a_hundred_on_a_page(big: World) -> None:
    """However many are asked for, a page holds at most 100."""
    assert len(github(big).get("/orgs/acme/repos?per_page=500").json) == 100


def test_unchanged_answers_cost_nothing() -> None:
    """An answer to a known ETag is 304 without body and without cost; when something changed it is whole again."""
    clock = Clock()
    world = small_world(clock)
    api = github(world)
    path = f"/repos/acme/{busiest(world)}/actions/runs?per_page=5"
    first = api.get(path)
    left = int(first.headers["X-RateLimit-Remaining"])
    same = api.get(path, If_None_Match=first.headers["ETag"])
    assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert int(same.headers["X-RateLimit-Remaining"]) == left
    clock.at += timedelta(minutes=10)
    changed = api.get(path, If_None_Match=first.headers["ETag"])
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]
    assert int(changed.headers["X-RateLimit-Remaining"]) == left - 1
    old = f"/repos/acme/{busiest(world)}/actions/runs?created=2026-03-01..2026-03-10"
    etag = api.get(old).headers["ETag"]
    clock.at += timedelta(minutes=10)
    assert api.get(old, If_None_Match=etag).status_code == 304  # what is past stays as it was


def test_the_quota_runs_out_and_comes_back() -> None:
    """After the last call of the hour GitHub answers 403 with the time of reset, after which all is well again."""
    clock = Clock()
    api = github(small_world(clock), limit=3)
    for left in ("2", "1", "0"):
        assert api.get("/orgs/acme/repos").headers["X-RateLimit-Remaining"] == left
    over = api.get("/orgs/acme/repos")
    assert over.status_code == 403
    assert over.json["message"] == "API rate limit exceeded for installation ID 4711."
    assert over.headers["X-RateLimit-Remaining"] == "0"
    assert over.headers["X-RateLimit-Limit"] == "3"
    reset = int((START + timedelta(hours=1)).timestamp())
    assert over.headers["X-RateLimit-Reset"] == str(reset)
    limits = api.get("/rate_limit").json
    assert limits["rate"] == {"limit": 3, "remaining": 0, "reset": reset, "used": 3}
    assert limits["resources"]["search"]["remaining"] == 30
    assert api.get("/search/issues?q=is:pr").status_code == 200
    clock.at += timedelta(hours=1)
    assert api.get("/orgs/acme/repos").headers["X-RateLimit-Remaining"] == "2"


def test_secondary_limit() -> None:
    """In the scenario api-limits every 50th call is refused with Retry-After; without it none is."""
    scenario = Scenario(trouble=Trouble.API_LIMITS, begin=START)
    api = github(small_world(Clock(), scenario))
    answers = [api.get("/repos/acme/sandbox-1") for _ in range(100)]
    refused = [n for n, answer in enumerate(answers, 1) if answer.status_code == 403]
    assert refused == [49, 99]
    assert answers[48].headers["Retry-After"] == "2"
    assert "secondary rate limit" in answers[48].json["message"]
    calm = github(small_world(Clock()))
    assert {calm.get("/repos/acme/sandbox-1").status_code for _ in range(60)} == {200}


def test_a_search_lists_a_thousand_runs(big: World) -> None:
    """With a filter at most 1,000 runs are listed, though the total is told; without one all are; ranges get the rest."""
    api, name = github(big), busiest(big)
    path = f"/repos/acme/{name}/actions/runs?per_page=100"
    capped = list(api.pages(f"{path}&created=2026-01-01..2026-12-31"))
    total = capped[0]["total_count"]
    assert total == len(big.history.runs[name]) > 1_000
    assert sum(len(page["workflow_runs"]) for page in capped) == 1_000
    assert api.get(f"{path}&created=2026-01-01..2026-12-31&page=11").json == {
        "total_count": total,
        "workflow_runs": [],
    }
    assert sum(len(page["workflow_runs"]) for page in api.pages(path)) == total
    halves = ("2026-01-01..2026-04-10", "2026-04-11..2026-12-31")
    found = [
        run["id"] for half in halves for page in api.pages(f"{path}&created={half}") for run in page["workflow_runs"]
    ]
    assert len(found) == len(set(found)) == total


def test_filters_of_runs(still: World) -> None:
    """Created ranges, status, event, branch and sha choose runs; newest come first."""
    api, name = github(still), busiest(still)
    runs = api.get(f"/repos/acme/{name}/actions/runs?per_page=100").json["workflow_runs"]
    assert [run["created_at"] for run in runs] == sorted((run["created_at"] for run in runs), reverse=True)

    def ids(query: str) -> list[int]:
        answer = api.get(f"/repos/acme/{name}/actions/runs?per_page=100&{query}").json["workflow_runs"]
        return [run["id"] for run in answer]

    tenth, twentieth = runs[10]["created_at"], runs[20]["created_at"]
    all_ids = [run["id"] for run in runs]
    assert ids(f"created={twentieth}..{tenth}") == all_ids[10:21]
    assert ids(f"created=>={tenth}") == all_ids[:11]
    assert ids(f"created=>{tenth}") == all_ids[:10]
    assert ids("created=2020-01-01") == []
    assert ids(f"head_sha={runs[3]['head_sha']}&event={runs[3]['event']}") == [runs[3]["id"]]
    failed = api.get(f"/repos/acme/{name}/actions/runs?status=failure").json["workflow_runs"]
    assert {run["conclusion"] for run in failed} == {"failure"}
    running = [run["id"] for run in runs if run["status"] == "in_progress"]
    assert ids("status=in_progress") == running
    assert {
        run["path"] for run in api.get(f"/repos/acme/{name}/actions/workflows/release.yml/runs").json["workflow_runs"]
    } == {".github/workflows/release.yml"}
    assert api.get(f"/repos/acme/{name}/actions/runs?created=soon").status_code == 422


def test_who_owns_a_repository(still: World) -> None:
    """CODEOWNERS stands in one of three places, as GitHub gives files; teams come with their roles; the rest is 404."""
    api = github(still)
    for repo in still.company.repos:
        path = f"/repos/{repo.full_name}"
        found = [
            answer.json
            for place in (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
            if (answer := api.get(f"{path}/contents/{place}")).status_code == 200
        ]
        assert [body["path"] for body in found] == ([repo.codeowners] if repo.codeowners else [])
        for body in found:
            text = base64.b64decode(body["content"]).decode()
            assert f"*         @acme/{repo.team}  # whose it is\n" in text
            assert body["size"] == len(text)
        roles = {team["slug"]: team["permission"] for team in api.get(f"{path}/teams").json}
        if repo.team != "platform-ci":
            assert roles.pop(repo.team, "") == (
                "maintain" if repo.maintained else "" if repo.team == "_unowned" else "push"
            )
        assert roles == {"platform-ci": "pull"}
        top = {entry["path"] for entry in api.get(f"{path}/contents").json}
        assert {".github", "docs", "README.md"} <= top
    etag = api.get(f"{path}/contents").headers["ETag"]
    assert api.get(f"{path}/contents", If_None_Match=etag).status_code == 304
    assert api.get(f"{path}/contents/LICENSE").status_code == 404


def test_pull_requests_by_last_change(still: World) -> None:
    """Sorted by update, newest first, so that a reader may stop at what it knows."""
    api, name = github(still), busiest(still)
    path = f"/repos/acme/{name}/pulls?state=all&sort=updated&direction=desc&per_page=100"
    moments = [pull["updated_at"] for page in api.pages(path) for pull in page]
    assert moments == sorted(moments, reverse=True)
    states = {
        state: len(api.get(f"/repos/acme/{name}/pulls?state={state}&per_page=100").json) for state in ("open", "all")
    }
    assert 0 < states["open"] < states["all"]


def test_what_lies_between_two_commits(still: World) -> None:
    """Oldest first and in pages that follow each other; nothing the other way; an unknown commit is not there."""
    api, name = github(still), busiest(still)
    shas = [pull.merge_sha for at, pull in still.history.main[name] if at <= still.now()]
    path = f"/repos/acme/{name}/compare/{shas[2]}...{shas[12]}"
    pages = list(api.pages(f"{path}?per_page=4&page=1"))
    assert [len(page["commits"]) for page in pages] == [4, 4, 2]
    assert [commit["sha"] for page in pages for commit in page["commits"]] == shas[3:13]
    assert {(page["status"], page["total_commits"]) for page in pages} == {("ahead", 10)}
    commits = pages[0]["commits"]
    assert (commits[0]["parents"][0]["sha"], commits[1]["parents"][0]["sha"]) == (shas[2], shas[3])
    back = api.get(f"/repos/acme/{name}/compare/{shas[12]}...{shas[2]}").json
    assert (back["status"], back["commits"], back["behind_by"]) == ("behind", [], 10)
    assert back["merge_base_commit"]["sha"] == shas[2]
    assert api.get(f"/repos/acme/{name}/compare/{shas[2]}...{'f' * 40}").status_code == 404


def test_reviews_of_a_pull_request(still: World) -> None:
    """Who looked at it and when, as soon as that is past; none where nobody did."""
    api = github(still)
    pulls = [thing for things in still.history.pulls.values() for thing in things if isinstance(thing, Pull)]
    seen = next(pull for pull in pulls if pull.merged and pull.reviewed and pull.merged <= still.now())
    unseen = next(pull for pull in pulls if pull.reviewed is None)
    (review,) = api.get(f"/repos/{seen.repo.full_name}/pulls/{seen.number}/reviews").json
    assert (review["user"]["login"], review["state"]) == (seen.reviewer, "APPROVED")
    assert datetime.fromisoformat(review["submitted_at"]) == seen.reviewed
    assert api.get(f"/repos/{unseen.repo.full_name}/pulls/{unseen.number}/reviews").json == []
    assert api.get(f"/repos/{seen.repo.full_name}/pulls/99999/reviews").status_code == 404


def test_paging_while_time_goes_on() -> None:
    """New runs push older ones to later pages: some come twice, none is missed."""
    clock = Clock(step=timedelta(seconds=90))
    world = small_world(clock)
    name = busiest(world)
    known = {run.id for run in world.history.runs[name]}
    found = [
        r["id"]
        for page in github(world).pages(f"/repos/acme/{name}/actions/runs?per_page=30")
        for r in page["workflow_runs"]
    ]
    assert known <= set(found)
    assert len(found) > len(set(found))


def test_runs_go_on_in_live_time() -> None:
    """A run is queued, then in progress, then completed; its attempts can be asked for one by one."""
    clock = Clock(at=START + timedelta(minutes=5))
    world = small_world(clock)
    api = github(world)
    world.now()
    run = next(r for r in world.history.run.values() if r.created > START and len(r.attempts[0].stages) == 2)
    path = f"/repos/{run.repo.full_name}/actions/runs/{run.id}"
    seen = []
    for moment in (
        run.created,
        run.created + timedelta(seconds=1 + run.attempts[0].stages[0][0]),
        run.attempts[0].ended,
    ):
        clock.at = moment
        body = api.get(path).json
        seen.append((body["status"], body["conclusion"] is None, len(api.get(f"{path}/jobs").json["jobs"])))
    assert seen == [("queued", True, 0), ("in_progress", True, 1), ("completed", False, 2)]
    clock.at = run.created - timedelta(seconds=1)
    assert api.get(path).status_code == 404


def test_the_same_bytes_again() -> None:
    """Two companies of one seed answer with the same bytes; another seed does not."""
    paths = ["/orgs/acme/repos?sort=full_name", "/repos/acme/sandbox-1/actions/runs", "/search/issues?q=is:pr"]
    one, other, third = (github(small_world(Clock(), seed=seed)) for seed in (5, 5, 6))
    for path in paths:
        assert one.get(path).data == other.get(path).data
    assert one.get(paths[0]).data != third.get(paths[0]).data


def test_nobody_is_named(still: World) -> None:
    """Logins are handles, the organisation, or bots."""
    api, logins = github(still), set()
    for name in still.company.repo:
        for run in api.get(f"/repos/acme/{name}/actions/runs?per_page=20").json["workflow_runs"]:
            logins |= {run["actor"]["login"], run["head_commit"]["author"]["name"]}
        for pull in api.get(f"/repos/acme/{name}/pulls?state=all").json:
            logins.add(pull["user"]["login"])
    handles = {person for team in still.company.teams for person in team.people}
    assert logins <= handles | {"acme", "dependencies[bot]"}


def test_what_the_exporter_is_told(still: World) -> None:
    """The organization by its address, and a rule for each repository that is a service's; sandboxes have none."""
    told = API.told(still.company, {"github": "http://github.test"})
    assert {name: (s["org"], s["url"]) for name, s in told.sources.items()} == {
        "github": ("acme", "http://github.test")
    }
    ruled = {rule["match"].removeprefix("github:acme/"): rule["service"] for rule in told.rules}
    assert ruled == {service.id: service.id for service in still.company.services}
