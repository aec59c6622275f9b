"""A roadmap of a project, which GitHub tells by GraphQL alone."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from tests.sources.github.github_server import Github, Row
from tests.sources.github.test_planning import planning

from platform_meter.model.facts.roadmap import ItemStatus, Planned, RoadmapItem
from platform_meter.model.programme import RoadmapSource
from platform_meter.model.source import Forbidden, Unexpected
from platform_meter.sources.github.planning import Planning
from platform_meter.sources.github.projects import graphql, read_project
from platform_meter.sources.kit.rows import Sieve
from platform_meter.testing.outside import Call, FakeOutside, Reply

MADE, SET = "2026-01-05T09:00:00Z", "2026-02-01T09:00:00Z"
ISSUE = {
    "number": 3,
    "title": "Gateway v2",
    "url": "https://x/3",
    "state": "OPEN",
    "repository": {"nameWithOwner": "acme/plans"},
}


def plan(**more: Any) -> Planning:
    source = {"type": "github_project", "project": "acme/7"}
    said = {"kind": "RoadmapSource", "id": "plan", "source": source, "period_field": "Quarter", **more}
    return Planning(roadmap=RoadmapSource.model_validate(said), instance="gh", issues=planning("*").issues)


def item(id_: str = "a", **more: Any) -> Row:
    return {"id": id_, "createdAt": MADE, "content": ISSUE, **more}


def read(*items: Row, page: int = 100) -> list[RoadmapItem]:
    outside = FakeOutside(Github([], projects={"acme/7": [*items]}, project_page=page))
    return [one for some in read_project(Sieve(outside), plan(), "https://api.github.com") for one in some]


@pytest.mark.parametrize(
    ("value", "period", "periods"),
    [
        ({"name": "Q3 2026", "updatedAt": SET}, "Q3 2026", [(datetime(2026, 2, 1, 9, tzinfo=UTC), "Q3 2026")]),
        ({"text": "2026-Q3", "updatedAt": "2026-01-01T00:00:00Z"}, "2026-Q3", [(datetime(2026, 1, 5, 9, tzinfo=UTC), "2026-Q3")]),
        ({"title": "Iteration 9", "startDate": "2026-07-06", "updatedAt": SET}, "2026-Q3", [(datetime(2026, 2, 1, 9, tzinfo=UTC), "2026-Q3")]),
        ({"milestone": {"title": "v9", "dueOn": "2026-10-02T00:00:00Z"}}, "2026-Q4", []),
        ({}, "", []),
        (None, "", []),
    ],
)  # fmt: skip
def test_the_field_tells_what_it_is_planned_for_and_since_when(
    value: Row | None, period: str, periods: list[tuple[datetime, str]]
) -> None:
    """Whatever type the field has; an iteration or milestone whose name is no calendar period is its quarter.

    A value of before the item was made holds from then on.
    """
    (told,) = read(item(period=value))
    assert (told.period, [*told.periods]) == (period, [Planned(*one) for one in periods])


def test_before_its_value_was_set_nobody_knows() -> None:
    """Only that it was not there before it was made."""
    (told,) = read(item(period={"name": "Q3 2026", "updatedAt": SET}))
    assert [told.period_at(datetime(2026, m, 15, tzinfo=UTC)) for m in (1, 2)] == [None, "Q3 2026"]
    assert told.period_at(datetime(2026, 1, 1, tzinfo=UTC)) == ""


@pytest.mark.parametrize(
    ("content", "word", "status", "ended"),
    [
        (ISSUE, "In progress", ItemStatus.STARTED, None),
        (ISSUE, "Todo", ItemStatus.PLANNED, None),
        (ISSUE, "Done", ItemStatus.PLANNED, None),
        (ISSUE | {"state": "CLOSED", "stateReason": "COMPLETED", "closedAt": SET}, "", ItemStatus.DONE, 2),
        (ISSUE | {"state": "CLOSED", "stateReason": "NOT_PLANNED", "closedAt": SET}, "", ItemStatus.DROPPED, 2),
        (ISSUE | {"state": "MERGED", "closedAt": SET}, "", ItemStatus.DONE, 2),
        ({"title": "A draft"}, "Done", ItemStatus.DONE, 3),
        ({"title": "A draft"}, "Cancelled", ItemStatus.DROPPED, 3),
        ({"title": "A draft"}, "Building", ItemStatus.STARTED, None),
        ({"title": "A draft"}, "", ItemStatus.PLANNED, None),
    ],
)
def test_an_issue_tells_its_end_itself_and_of_a_draft_its_status_does(
    content: Row, word: str, status: ItemStatus, ended: int | None
) -> None:
    """An open issue on the column of what is done is not done."""
    (told,) = read(item(content=content, status={"name": word, "updatedAt": "2026-03-01T00:00:00Z"}))
    assert (told.status, told.ended.month if told.ended else None) == (status, ended)


def test_an_issue_is_named_by_its_repository_and_a_draft_by_its_title() -> None:
    """One that the token may not see is told by its id alone; what is archived is off the roadmap."""
    found = read(
        item(
            "a",
            target={"date": "2026-09-30"},
            content=ISSUE | {"body": "for acme/support#4", "labels": {"nodes": [{"name": "x"}]}},
        ),
        item("b", content={"title": "A draft"}),
        item("c", content=None),
        item("d", isArchived=True),
        page=2,
    )
    assert [(one.name, one.title, one.target) for one in found] == [
        ("acme/plans#3", "Gateway v2", date(2026, 9, 30)),
        ("A draft", "A draft", None),
        ("c", "", None),
    ]
    assert (found[0].feedback, found[0].about.links) == (("gh:acme/support#4",), ("github:acme/plans",))


@pytest.mark.parametrize(
    ("body", "error", "text"),
    [
        ({"data": {"repositoryOwner": None}}, Unexpected, "project acme/7: there is none that the token may see"),
        ({"errors": [{"type": "X", "message": "Try again"}]}, Unexpected, "project acme/7: Try again"),
        (
            {"errors": [{"type": "INSUFFICIENT_SCOPES", "message": "needs read:project"}]},
            Forbidden,
            "project acme/7: needs read:project; give the token the organisation permission 'Projects: read'",
        ),
    ],
)
def test_a_project_that_can_not_be_read_is_said(body: Row, error: type[Exception], text: str) -> None:
    """With what GitHub says, and what to give the token."""

    def answer(_: Call) -> Reply:
        return Reply(body=body)

    with pytest.raises(error) as raised:
        list(read_project(Sieve(FakeOutside(answer)), plan(), "https://api.github.com"))
    assert str(raised.value) == text


def test_graphql_stands_beside_the_rest_api_of_a_server_of_ones_own() -> None:
    """On GitHub's it stands below it."""
    assert graphql("https://api.github.com") == "/graphql"
    assert graphql("https://git.acme.example/api/v3/") == "https://git.acme.example/api/graphql"
