"""The Jira source against the official OpenAPI description and recorded answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from tests.contracts.calls import description, recorded
from tests.sources.jira.test_jira import NOW, ROADMAPS, SETTINGS, SINCE, small_world

from platform_meter.model.facts.tickets import Alias, Role, TicketEvent
from platform_meter.sources.jira import SOURCE, Config, facts, lists, rows
from platform_meter.testing.outside import FakeOutside

NAME = "jira-cloud.openapi.json"
API = "/rest/api/3"
ANSWERS: dict[tuple[str, str], Any] = {
    ("get", f"{API}/myself"): lists._Account,
    ("post", f"{API}/search/jql"): lists._Search[rows.Issue],
    ("get", f"{API}/field"): list[rows.Field],
    ("get", f"{API}/status"): list[rows.Status],
    ("get", f"{API}/issue/1"): rows.Issue,
    ("get", f"{API}/issue/1/changelog"): lists._Changelog,
}
OLD_SEARCH_ONLY = ("_Search.total",)
"""Of the older search, which Data Center still has."""


def _history(issue: rows.Issue) -> list[TicketEvent]:
    histories = issue.changelog.histories if issue.changelog else []
    return facts.ticket_events(issue, histories, issue.inlined.comments, facts.Conventions()).events


def _issues() -> dict[str, rows.Issue]:
    found = (msgspec.convert(row["data"], rows.Issue) for row in recorded("jira/api_issues.devlake.json"))
    return {issue.key: issue for issue in found}


@pytest.mark.parametrize(("method", "path"), ANSWERS)
def test_every_answer_of_the_description_can_be_read(method: str, path: str) -> None:
    """Each property that is read exists, and may be absent wherever the description lets it."""
    found = description(NAME)
    schema = found.schema(method, path)
    assert found.unreadable(ANSWERS[method, path], schema, unknown=OLD_SEARCH_ONLY) == []


def test_every_call_is_in_the_description() -> None:
    """All paths, parameters and bodies of polls, of looks for open issues and of `check` are Jira's."""
    world = small_world()
    outside = FakeOutside(world)
    config = Config.model_validate({**SETTINGS, **ROADMAPS, "select": "labels = a"})
    stream, roadmap = SOURCE.connect(config, outside, "test")
    list(roadmap.read(None, SINCE, NOW))
    checkpoint = list(stream.read(None, SINCE, NOW))[-1].checkpoint
    world.issues.clear()
    list(stream.read(checkpoint, SINCE, NOW + timedelta(days=1)))
    SOURCE.check(config, outside)
    # The paths of comments and of people are in no part of the description that is held here.
    known = [call for call in outside.calls if not call.path.endswith("/comment")]
    assert {tuple(call.params) for call in outside.calls if call not in known} == {("startAt", "maxResults")}
    templates = {(call.method, description(NAME).operation(call.method.lower(), call.path)[0]) for call in known}
    assert templates == {
        ("GET", f"{API}/myself"),
        ("POST", f"{API}/search/jql"),
        ("GET", f"{API}/issue/{{issueIdOrKey}}"),
        ("GET", f"{API}/issue/{{issueIdOrKey}}/changelog"),
        ("GET", f"{API}/field"),
        ("GET", f"{API}/status"),
    }
    assert any("nextPageToken" in (call.body or {}) for call in outside.calls)
    assert any("id in" in (call.body or {}).get("jql", "") for call in outside.calls)
    assert [problem for call in known for problem in description(NAME).problems(call)] == []


def test_calls_to_data_center_have_the_older_searchs_parameters() -> None:
    """API v2 has no description here; its search takes what the one of v3 took before it was replaced."""
    world = small_world()
    world.version = "2"
    outside = FakeOutside(world)
    (stream,) = SOURCE.connect(Config.model_validate(SETTINGS), outside, "test")
    list(stream.read(None, SINCE, NOW))
    searches = [replace(call, path=f"{API}/search") for call in outside.calls if call.path.endswith("/search")]
    assert len(searches) == 2
    assert [problem for call in searches for problem in description(NAME).problems(call)] == []


def test_a_server_of_examples_can_be_polled() -> None:
    """Against a mock server with Atlassian's one example, whose issue shows no creation, polls and `check` work."""
    outside = FakeOutside(description(NAME).example)
    config = Config.model_validate(SETTINGS)
    (stream,) = SOURCE.connect(config, outside, "test")
    assert [fact for page in stream.read(None, SINCE, NOW) for fact in page.facts] == []
    assert [(gap.reason, gap.text) for gap in outside.gaps] == [
        ("forbidden", "ED-1: the account may not see its field 'created'")
    ]
    assert SOURCE.check(config, outside) == []


def test_recorded_issue_from_creation_to_closing() -> None:
    """EE-1 was born in Inbox, long before the status it has today; its comment came from its reporter.

    The account's language says 完成 where the changelog says Done: they are one.
    """
    steps = _history(_issues()["EE-1"])
    assert [(step.change.value, step.status, step.resolution) for step in steps] == [
        ("created", "Inbox", None),
        ("assigned", None, None),
        ("status", "Ready for Dev", None),
        ("status", "In Development", None),
        ("status", "Open", None),
        ("comment", None, None),
        ("resolved", None, "完成"),
        ("status", "Closed", None),
        ("status", "已完成", None),
    ]
    assert Alias("resolution", "完成", "Done") in steps[6].aliases
    assert steps[0].at == datetime(2020, 6, 12, 0, 13, 13, 360_000, tzinfo=UTC)
    assert steps[0].priority == "Medium"
    assert steps[5].role is Role.REPORTER
    assert {(step.queue, step.ticket, step.about.name) for step in steps} == {("EE", "10063", "jira:EE")}
    assert steps[0].name == "EE-1"


def test_recorded_issue_type_at_creation() -> None:
    """EE-5 has no component, so its type is its category: it began as another type than it has today, told in today's words."""
    steps = _history(_issues()["EE-5"])
    assert [(step.change.value, step.category) for step in steps if step.category] == [
        ("created", "Technical-Debt"),
        ("assigned", "任务"),
    ]


def test_all_recorded_issues_are_told_once_and_without_names() -> None:
    """Eleven real issues: one creation each, unique keys, nobody's name or account, times that never run backwards."""
    raw = recorded("jira/api_issues.devlake.json")
    found = _issues()
    steps = [step for issue in found.values() for step in _history(issue)]
    assert len(found) == 11
    taken = [
        item for issue in found.values() for history in (issue.changelog or rows.Histories()).histories
        for item in history.items or ()
        if item.what == "assignee" and not item.after
    ]  # fmt: skip
    assert len(taken) == 2, "taken from somebody, and given to nobody"
    assert len({step.key for step in steps}) == len(steps) == 11 + 4 + 85  # creations, comments, other changes
    people = {row["data"]["fields"]["creator"][what] for row in raw for what in ("displayName", "accountId")}
    assert not any(person in repr(steps) for person in people)
    assert all(
        step.at - issue.at >= timedelta(0)
        for step in steps
        for issue in steps
        if issue.key == f"{step.key.split('/')[0]}/created"
    )


def test_recorded_changelog_pages() -> None:
    """79 real changes, most of them links that are no fields: priority, status and resolution are told."""
    histories = [
        msgspec.convert(row["data"], rows.History)
        for row in recorded("jira/api_issue_changelogs.devlake.json")
        if "/13383/" in row["url"]
    ]
    fields = rows.Fields(
        created="2021-01-20T11:00:00.000+0800", status=rows.Status(name="Closed"), resolution=rows.Named(name="Done"),
        priority=rows.Named(name="High"),
    )  # fmt: skip
    steps = facts.ticket_events(
        rows.Issue(id="13383", key="EE-9", fields=fields), histories, [], facts.Conventions()
    ).events
    assert [(step.key, step.status or step.priority or step.resolution) for step in steps] == [
        ("13383/created", "Open"),
        ("13383/57437/0", "High"),
        ("13383/58006/0", "开发中"),
        ("13383/59151/0", "Done"),
        ("13383/59151/1", "Closed"),
    ]
    assert steps[0].priority == "Medium"
