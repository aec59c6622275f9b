"""The stream of roadmaps in GitHub."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.sources.github.github_server import Github, Repo
from tests.sources.github.test_milestones import issue
from tests.sources.github.test_projects import item

from platform_meter.model.facts.roadmap import RoadmapItem
from platform_meter.sources.github import SOURCE, Config
from platform_meter.sources.github.roadmap import unreadable
from platform_meter.testing.outside import FakeOutside

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
PROJECT: dict[str, Any] = {
    "kind": "RoadmapSource", "id": "a", "source": {"type": "github_project", "project": "acme/7"}, "period_field": "Q",
}  # fmt: skip
MILESTONES = {"kind": "RoadmapSource", "id": "b", "source": {"type": "github_milestones", "project": "acme/plans"}}


def test_all_roadmaps_are_read_whole_at_each_poll_and_seldom() -> None:
    """What none of them holds any more is over; every ten minutes at most, as nobody plans by the minute."""
    due = {"title": "2026-Q2", "due_on": None}
    plans = [Repo(name="acme/plans", created=NOW, issues=[issue(1, due)])]
    world = Github([], plans=plans, projects={"acme/7": [item()]})
    settings = {"org": "acme", "token": {"env": "T"}, "roadmaps": [PROJECT, MILESTONES]}
    _, stream = SOURCE.connect(Config.model_validate(settings), FakeOutside(world), "gh")
    pages = [*stream.read(None, NOW, NOW)]
    told = [fact for page in pages for fact in page.facts if isinstance(fact, RoadmapItem)]
    assert [(one.roadmap, one.name) for one in told] == [("a", "acme/plans#3"), ("b", "acme/plans#1")]
    assert [page.complete for page in pages] == [frozenset(), frozenset(), {RoadmapItem}]
    assert (stream.every, stream.gives) == (timedelta(minutes=10), frozenset({RoadmapItem}))


def test_check_says_which_roadmap_can_not_be_read() -> None:
    """A project that is not there, a repository that the token may not see; one that can be read says nothing."""
    world = Github([], projects={"acme/7": [item()]})
    settings = {
        "org": "acme",
        "token": {"env": "T"},
        "roadmaps": [
            PROJECT,
            PROJECT | {"id": "c", "source": {"type": "github_project", "project": "acme/8"}},
            MILESTONES,
        ],
    }
    assert list(unreadable(Config.model_validate(settings), FakeOutside(world))) == [
        "roadmap c: project acme/8: Could not resolve; correct its project, or give the token what docs/sources.md names for it",
        "roadmap b: GET /repos/acme/plans/issues: 404; correct its project, or give the token what docs/sources.md names for it",
    ]
