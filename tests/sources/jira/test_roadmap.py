"""A Jira's roadmap: what an item is planned for and when it ended, read backwards from its changelog."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from tests.sources.jira.jira_server import Jira, Row, history, issue, item, person

from platform_meter.model.facts.roadmap import ItemStatus, RoadmapItem
from platform_meter.model.programme import RoadmapSource
from platform_meter.model.source import Unexpected
from platform_meter.sources.jira.lists import Lists
from platform_meter.sources.jira.roadmap import stream, unreadable
from platform_meter.sources.kit.rows import Sieve
from platform_meter.testing.outside import FakeOutside, Reply

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
ADA = person("ada")
DONE = {"statusCategory": {"key": "done"}}
LISTED: dict[str, list[Row]] = {
    "field": [
        {"id": "fixVersions", "name": "Fix versions"},
        {"id": "customfield_1", "name": "Sprint"},
        {"id": "customfield_2", "name": "Target"},
        {"id": "customfield_3", "name": "Target"},
        {"id": "duedate", "name": "Due date"},
    ],
    "status": [{"id": "1", "name": "Open"}, {"id": "5", "name": "Done", **DONE}, {"id": "6", "name": "Closed", **DONE}],
}
PLAN: dict[str, Any] = {
    "kind": "RoadmapSource",
    "id": "plan",
    "source": {"type": "jira", "project": "PLAT", "select": "type = Epic"},
    "period_field": "fixVersions",
}


def hours(before: float) -> datetime:
    return NOW - timedelta(hours=before)


def read(*issues: Row, version: str = "3", url: str = "https://acme.atlassian.net", **more: Any) -> list[RoadmapItem]:
    plan = RoadmapSource.model_validate({**PLAN, **more})
    made = stream([plan], url, timedelta(minutes=1), FakeOutside(Jira([*issues], listed=LISTED, version=version)), "j")
    pages = [*made.read(None, NOW - timedelta(days=1), NOW)]
    assert pages[-1].complete == {RoadmapItem}
    return [fact for page in pages for fact in page.facts if isinstance(fact, RoadmapItem)]


def periods(told: RoadmapItem) -> list[tuple[float, str]]:
    return [((NOW - one.at) / timedelta(hours=1), one.period) for one in told.periods]


def test_versions_come_and_go_one_by_one() -> None:
    """Of several the last that is a calendar period is what the item is planned for; Data Center tells the same by name."""
    found = issue(
        1, hours(100), hours(1),
        fixVersions=[{"name": "2026-Q3"}, {"name": "v9"}],
        histories=[
            history(1, hours(90), ADA, item("Fix Version", None, "2026-Q2")),
            history(2, hours(80), ADA, item("Fix Version", "2026-Q2", None), item("Fix Version", None, "2026-Q3")),
            history(3, hours(70), ADA, item("Fix Version", None, "v9")),
        ],
    )  # fmt: skip
    for change in (change for one in found["histories"] for change in one["items"]):
        change["fieldId"] = "fixVersions"
    want = ("2026-Q3", [(100, ""), (90, "2026-Q2"), (80, "2026-Q3")])
    (told,) = read(found)
    assert (told.period, periods(told)) == want
    for change in (change for one in found["histories"] for change in one["items"]):
        del change["fieldId"]
    (told,) = read(found, version="2")
    assert (told.period, periods(told)) == want


def test_data_center_names_no_ids_of_fields() -> None:
    """There the name of the field tells whose change it is; a sprint's change tells all of them."""
    found = issue(
        1, hours(100), hours(1),
        customfield_1=[{"name": "2026-06"}, {"name": "2026-07"}],
        histories=[
            history(1, hours(90), ADA, item("Sprint", "", "2026-06")),
            history(2, hours(80), ADA, item("Sprint", "2026-06", "2026-06, 2026-07")),
        ],
    )  # fmt: skip
    for change in (change for one in found["histories"] for change in one["items"]):
        del change["fieldId"]
    (told,) = read(found, version="2", period_field="sprint")
    assert (told.period, periods(told)) == ("2026-07", [(100, ""), (90, "2026-06"), (80, "2026-07")])


def test_of_a_changelog_that_is_not_whole_the_beginning_is_not_told() -> None:
    """What it was planned for before its first known change nobody knows then."""
    found = issue(
        1, hours(100), hours(1), fixVersions=[{"name": "2026-Q3"}],
        histories=[history(n, hours(90 - n), ADA, item("labels", "", "x")) for n in range(5)]
        + [history(9, hours(50), ADA, item("fixVersions", None, "2026-Q3"))],
    )  # fmt: skip
    jira = Jira([found], listed=LISTED, forbidden=found["id"])
    plan = RoadmapSource.model_validate(PLAN)
    pages = [*stream([plan], "https://x", timedelta(minutes=1), FakeOutside(jira), "j").read(None, NOW, NOW)]
    (told,) = (fact for page in pages for fact in page.facts if isinstance(fact, RoadmapItem))
    assert periods(told) == [(50, "2026-Q3")]
    assert told.period_at(hours(60)) is None


@pytest.mark.parametrize(
    ("fields", "status", "ended"),
    [
        ({"status": {"id": "6", "name": "Closed", **DONE}, "resolution": {"name": "Fixed"}}, ItemStatus.DONE, 60),
        ({"status": {"id": "6", "name": "Closed", **DONE}, "resolution": {"name": "Won\u2019t Do"}}, ItemStatus.DROPPED, 60),
        ({"status": {"id": "6", "name": "Cancelled", **DONE}}, ItemStatus.DROPPED, 60),
        ({"status": {"id": "1", "name": "Open", "statusCategory": {"key": "new"}}}, ItemStatus.PLANNED, None),
        ({"status": {"id": "2", "name": "Doing", "statusCategory": {"key": "indeterminate"}}}, ItemStatus.STARTED, None),
    ],
)  # fmt: skip
def test_it_ended_when_it_came_to_stay_in_what_is_done(fields: Row, status: ItemStatus, ended: float | None) -> None:
    """From one done status to another it stays so; once reopened it ends anew. Words of its end tell whether it was done."""
    moves = [("1", "5"), ("5", "1"), ("1", "5"), ("5", "6")]
    changes = [
        history(n, hours(80 - 10 * n), ADA, {**item("status", "a", "b"), "from": before, "to": after})
        for n, (before, after) in enumerate(moves)
    ]
    (told,) = read(issue(1, hours(100), hours(1), histories=changes, **fields))
    assert (told.status, told.ended) == (status, None if ended is None else hours(ended))


def test_one_that_was_never_open_ended_with_its_resolution() -> None:
    """An imported one has no changelog."""
    (told,) = read(
        issue(
            1,
            hours(100),
            hours(1),
            status={"id": "5", "name": "Done", **DONE},
            resolutiondate="2026-05-01T08:00:00.000+0000",
        )
    )
    assert told.ended == datetime(2026, 5, 1, 8, tzinfo=UTC)


def test_what_is_linked_is_feedback_unless_it_is_part_of_the_plan() -> None:
    """Or the file says that links are none; an address without pages for people gives no link."""
    links = [
        {"outwardIssue": {"key": "HELP-2"}},
        {"inwardIssue": {"key": "HELP-1"}},
        {"inwardIssue": {"key": "PLAT-9"}},
    ]
    found = issue(1, hours(9), hours(9), issuelinks=links, components=[{"name": "Gateway"}])
    (told,) = read(found)
    assert (told.feedback, told.about.links) == (("j:HELP-1", "j:HELP-2"), ("jira:PLAT/Gateway", "jira:PLAT"))
    (told,) = read(found, feedback={"links": False}, url="https://api.atlassian.com/ex/jira/1")
    assert (told.feedback, told.url) == ((), "")


def test_the_target_is_a_day_or_none() -> None:
    """Whatever else stands in the field."""
    days = ["2026-09-30", "2026-09-30T10:00:00.000+0200", "soon", None]
    found = [issue(n, hours(9), hours(9), customfield_2=value) for n, value in enumerate(days)]
    assert [one.target for one in read(*found, target_field="customfield_2")] == [date(2026, 9, 30)] * 2 + [None] * 2


def test_the_query_is_the_project_and_what_more_is_selected() -> None:
    """In the order in which nothing that is read moves."""
    jira = Jira([], listed=LISTED)
    outside = FakeOutside(jira)
    plan = RoadmapSource.model_validate(PLAN)
    list(stream([plan], "https://x", timedelta(hours=1), outside, "j").read(None, NOW, NOW))
    (search,) = (call for call in outside.calls if call.method == "POST")
    assert search.body["jql"] == '(project = "PLAT") AND (type = Epic) ORDER BY created ASC, key ASC'


def test_a_row_whose_fields_have_another_shape_is_left_out() -> None:
    """And counted; the others are told."""
    odd = issue(1, hours(9), hours(9), labels="x")
    plan = RoadmapSource.model_validate(PLAN)
    jira = Jira([odd, issue(2, hours(9), hours(9))], listed=LISTED)
    pages = [*stream([plan], "https://x", timedelta(hours=1), FakeOutside(jira), "j").read(None, NOW, NOW)]
    assert [fact.name for page in pages for fact in page.facts if isinstance(fact, RoadmapItem)] == ["PLAT-2"]
    assert sum(sum(page.rejected.values()) for page in pages) == 1


def test_a_list_that_lacks_what_it_promises_ends_nothing() -> None:
    """Data Center counts one more than can be read: the poll fails, and what stood goes on standing."""
    jira = Jira([issue(1, hours(9), hours(9))], listed=LISTED, version="2")

    def short(call: Any) -> Reply:
        reply = jira(call)
        if call.path.endswith("/search") and isinstance(reply.body, dict):
            reply.body["total"] += 1
        return reply

    plan = RoadmapSource.model_validate(PLAN)
    with pytest.raises(Unexpected, match=r"^roadmap plan: 2 issues are promised, 1 can be read"):
        list(stream([plan], "https://x", timedelta(hours=1), FakeOutside(short), "j").read(None, NOW, NOW))


def test_check_says_what_is_wrong_with_a_roadmap() -> None:
    """A field that is not there, a project that nobody has; one that can be read says nothing."""
    jira = Jira([issue(1, hours(9), hours(9))], listed=LISTED)
    plans = [
        RoadmapSource.model_validate(PLAN | more)
        for more in (
            {},
            {"id": "b", "period_field": "Qarter"},
            {"id": "c", "source": {"type": "jira", "project": "NONE"}},
        )
    ]
    assert list(unreadable(plans, Lists(Sieve(FakeOutside(jira))))) == [
        "roadmap b: no field is called 'Qarter', or the account may not see it; correct its name",
        "roadmap c: POST /rest/api/3/search/jql: 400; correct its project or select",
    ]
