"""A roadmap of milestones: issues that have one."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from tests.sources.github.github_server import Github, Repo, Row
from tests.sources.github.test_planning import planning

from platform_meter.model.facts.roadmap import ItemStatus, RoadmapItem
from platform_meter.sources.github.milestones import read_milestones
from platform_meter.sources.kit.rows import Sieve
from platform_meter.testing.outside import FakeOutside

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)


def issue(number: int, milestone: Row | None, **more: Any) -> Row:
    return {
        "id": number, "number": number, "state": "open", "title": f"Item {number}", "labels": [],
        "created_at": f"2026-01-{number:02}T00:00:00Z", "milestone": milestone, "html_url": f"https://x/{number}", **more,
    }  # fmt: skip


def read(*issues: Row, page: int = 100) -> list[RoadmapItem]:
    world = Github([], plans=[Repo(name="acme/plans", created=NOW, issues=[*issues])], page_limit=page)
    return [item for some in read_milestones(Sieve(FakeOutside(world)), planning("support")) for item in some]


def test_an_item_is_planned_for_what_its_milestone_is_called_or_when_it_is_due() -> None:
    """A name that is no calendar period gives way to the quarter of the day; without either it stays the name."""
    found = read(
        issue(1, {"title": "Q3 2026", "due_on": "2026-09-30T07:00:00Z"}),
        issue(2, {"title": "Gateway v2", "due_on": "2026-11-02T07:00:00Z"}),
        issue(3, {"title": "Someday", "due_on": None}),
        issue(4, None),
        issue(5, {"title": "Q3 2026", "due_on": None}, pull_request={}),
    )
    assert [(one.name, one.period, one.target) for one in found] == [
        ("acme/plans#1", "Q3 2026", date(2026, 9, 30)),
        ("acme/plans#2", "2026-Q4", date(2026, 11, 2)),
        ("acme/plans#3", "Someday", None),
    ]
    assert (found[0].periods, found[0].about.links, found[0].url) == ((), ("github:acme/plans",), "https://x/1")


def test_an_item_ends_with_its_issue() -> None:
    """Done or dropped, at the moment that it was closed; an open one has none, whatever it had."""
    due, at = {"title": "2026-Q2", "due_on": None}, "2026-05-04T10:00:00+02:00"
    found = read(
        issue(1, due, state="closed", state_reason="completed", closed_at=at),
        issue(2, due, state="closed", state_reason="not_planned", closed_at=at),
        issue(3, due, body="wanted by acme/support#7", labels=[{"name": "feedback:docs"}]),
    )
    assert [(one.status, one.ended) for one in found] == [
        (ItemStatus.DONE, datetime(2026, 5, 4, 8, tzinfo=UTC)),
        (ItemStatus.DROPPED, datetime(2026, 5, 4, 8, tzinfo=UTC)),
        (ItemStatus.PLANNED, None),
    ]
    assert (found[2].feedback, found[2].themes) == (("gh:acme/support#7",), ("docs",))


def test_every_page_is_read() -> None:
    """To the last."""
    due = {"title": "2026-Q2", "due_on": None}
    assert [one.name for one in read(*(issue(n, due) for n in range(1, 6)), page=2)] == [
        f"acme/plans#{n}" for n in range(1, 6)
    ]
