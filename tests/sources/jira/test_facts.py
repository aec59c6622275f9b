"""An issue to its steps: today's values lead, and what nobody recorded is not made up."""

from __future__ import annotations

from typing import Any

import msgspec
from tests.sources.jira.jira_server import Jira, Row, comment, history, issue, item, person
from tests.sources.jira.test_jira import ADA, CLOSED, MONA, SETTINGS, SINCE, hours
from tests.sources.jira.test_jira import NOW as NOON

from platform_meter.model.facts.tickets import Alias, Role, TicketChange, TicketEvent, Today
from platform_meter.sources.jira import SOURCE, Config
from platform_meter.sources.jira.facts import Conventions, Told, ticket_events
from platform_meter.sources.jira.names import Names
from platform_meter.sources.jira.rows import Comment, History, Issue
from platform_meter.testing.outside import FakeOutside


def tell(row: Row, **conventions: Any) -> Told:
    histories = [msgspec.convert(one, History) for one in row["histories"]]
    comments = [msgspec.convert(one, Comment) for one in row["comments"]]
    known = {"names": Names(), "priorities": {"High": "P1"}, **conventions}
    return ticket_events(msgspec.convert(row, Issue), histories, comments, Conventions(**known))


def created(row: Row, **conventions: Any) -> TicketEvent:
    return next(e for e in tell(row, **conventions).events if e.change is TicketChange.CREATED)


def moved(field: str, before: tuple[str, str], after: tuple[str, str]) -> Row:
    """A change with the ids of both values."""
    return {**item(field, before[1], after[1]), "from": before[0], "to": after[0]}


def test_a_status_that_was_renamed_is_told_by_todays_name() -> None:
    """The changelog knows it by the old one."""
    row = issue(
        1,
        hours(9),
        hours(1),
        status={"id": "7", "name": "Fertig"},
        histories=[history(1, hours(5), ADA, moved("status", ("1", "Open"), ("7", "Erledigt")))],
    )
    (born, step) = tell(row).events
    assert (born.status, step.status, step.aliases) == ("Open", "Fertig", (Alias("status", "Fertig", "Erledigt"),))
    assert born.today is None
    assert tell(row).unrecorded == ""


def test_issues_beside_each_other_tell_each_others_names() -> None:
    """The first is told before the second, which alone shows what id 1 is called today."""
    moved_on = issue(
        1,
        hours(9),
        hours(1),
        status={"id": "7", "name": "Fertig"},
        histories=[history(1, hours(5), ADA, moved("status", ("1", "Open"), ("7", "Fertig")))],
    )
    world = Jira([moved_on, issue(2, hours(9), hours(2), status={"id": "1", "name": "Offen"})])
    (stream,) = SOURCE.connect(Config.model_validate(SETTINGS), FakeOutside(world), "test")
    facts = [fact for page in stream.read(None, SINCE, NOON) for fact in page.facts if isinstance(fact, TicketEvent)]
    assert [(fact.status, fact.aliases) for fact in facts if fact.change is TicketChange.CREATED] == [
        ("Offen", (Alias("status", "Offen", "Open"),)),
        ("Offen", (Alias("status", "Offen", "Open"),)),
    ]


def test_priorities_are_put_in_the_words_of_the_settings_by_any_name() -> None:
    """The account's language says Hoch, the settings High."""
    row = issue(
        1,
        hours(9),
        hours(1),
        priority={"name": "Hoch"},
        histories=[history(1, hours(5), ADA, moved("priority", ("4", "Low"), ("2", "High")))],
    )
    assert [(e.priority, e.aliases) for e in tell(row).events] == [("Low", ()), ("P1", ())]


def test_a_priority_that_took_the_place_of_another_holds_from_the_last_change_on() -> None:
    """An administrator put Urgent in the place of Blocker for all tickets, which changes no moment."""
    row = issue(
        1,
        hours(9),
        hours(1),
        priority={"id": "20", "name": "Urgent"},
        histories=[history(1, hours(5), ADA, moved("priority", ("4", "Low"), ("1", "Blocker")))],
    )
    assert [e.priority for e in tell(row).events] == ["Low", "Urgent"]
    assert tell(row).unrecorded == ""


def test_a_history_that_ends_elsewhere_is_told_with_how_it_stands_today() -> None:
    """Nobody recorded when it was closed: a gap."""
    row = issue(
        1,
        hours(9),
        hours(1),
        status={"id": "6", "name": "Closed", "statusCategory": {"key": "done"}},
        histories=[history(1, hours(5), ADA, moved("status", ("1", "Open"), ("3", "Doing")))],
    )
    assert created(row).today == Today("Closed", resolution="")
    assert tell(row).unrecorded == "nobody recorded when its status became what it is today"


def test_the_date_of_resolution_is_the_moment_where_the_changelog_tells_none() -> None:
    """The status has no history, or one that ends elsewhere: it was closed when it was resolved."""
    resolved = {**CLOSED, "resolutiondate": hours(2).isoformat()}
    for histories in ([], [history(1, hours(5), ADA, item("status", "Open", "Doing"))]):
        row = issue(1, hours(9), hours(1), histories=histories, **resolved)
        (step,) = [e for e in tell(row).events if e.change is TicketChange.RESOLVED]
        assert (step.at, step.resolution) == (hours(2), "Done")
        assert tell(row).unrecorded == ""
        assert created(row).resolution is None


def test_a_resolution_whose_moment_is_not_known_is_there_from_the_start() -> None:
    """Born with it, as far as anybody can tell, and a gap."""
    row = issue(1, hours(9), hours(1), **CLOSED)
    assert (created(row).status, created(row).resolution) == ("Closed", "Done")
    assert tell(row).unrecorded == "nobody recorded when it was closed"


def test_a_resolution_taken_back_without_history() -> None:
    """It is open today."""
    row = issue(1, hours(9), hours(1), histories=[history(1, hours(5), ADA, item("resolution", None, "Done"))])
    assert created(row).today == Today("Open", resolution="")
    assert tell(row).unrecorded == "nobody recorded when its resolution became what it is today"


def test_what_is_missing_is_a_gap_of_the_ticket() -> None:
    """From its creation to its last change."""
    outside = FakeOutside(Jira([issue(1, hours(9), hours(1), **CLOSED)]))
    (stream,) = SOURCE.connect(Config.model_validate(SETTINGS), outside, "test")
    list(stream.read(None, SINCE, NOON))
    assert [(gap.start, gap.end, gap.reason, gap.text) for gap in outside.gaps] == [
        (hours(9), hours(1), "pruned", "PLAT-1: nobody recorded when it was closed")
    ]


def test_whoever_created_a_ticket_without_reporter_asks() -> None:
    """The account is gone, or the field hidden: the creator's own comment is no answer."""
    nobody: list[Row | None] = [None, {}]
    for reporter in nobody:
        row = issue(1, hours(9), hours(1), reporter=reporter, comments=[comment(1, hours(8), MONA)])
        assert [e.role for e in tell(row).events] == [Role.REPORTER, Role.REPORTER]
        assert created(row).answers == ()


def test_an_author_whom_nobody_knows_is_no_agent() -> None:
    """An anonymous comment, or one of an account that is gone."""
    nobody: list[Row | None] = [None, {}]
    row = issue(1, hours(9), hours(1), comments=[{**comment(1, hours(8), ADA), "author": who} for who in nobody])
    assert [e.role for e in tell(row).events[1:]] == [Role.REPORTER, Role.REPORTER]


def test_a_comment_is_as_new_as_its_own_last_change() -> None:
    """Made internal an hour ago: the later version says so, and it is among the answers no more."""
    said = {**comment(1, hours(8), ADA), "jsdPublic": False, "updated": hours(1).isoformat()}
    row = issue(1, hours(9), hours(1), comments=[said, {**comment(2, hours(7), ADA), "updated": hours(7).isoformat()}])
    (born, first, second) = tell(row).events
    assert (first.public, first.updated, second.updated) == (False, hours(1), None)
    assert born.answers == ("10001/comment/2",)


def test_answers_are_bounded() -> None:
    """The first ones; with `public_comments_only` internal ones are not told at all."""
    row = issue(1, hours(99), hours(1), comments=[comment(n, hours(90 - n), ADA) for n in range(30, 0, -1)])
    answers = created(row).answers
    assert answers is not None
    assert (len(answers), answers[0], answers[-1]) == (20, "10001/comment/1", "10001/comment/20")


def test_bots_are_no_people_by_whatever_they_are_known() -> None:
    """A name in Data Center beside a key."""
    bot = {"key": "JIRAUSER9", "name": "sync"}
    row = issue(1, hours(9), hours(1), comments=[comment(1, hours(8), bot), comment(2, hours(7), person("x", "app"))])
    assert [e.role for e in tell(row, bots=frozenset({"sync"})).events[1:]] == [Role.BOT, Role.BOT]
