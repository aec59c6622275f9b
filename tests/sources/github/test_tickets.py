"""GitHub issues as tickets: what joins their steps, who answers, what is gone, and a closing that shows late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from tests.sources.github.github_server import Github, Repo, Row, text

from platform_meter.model.facts import Ref
from platform_meter.model.facts.tickets import GONE, Role, TicketChange, TicketEvent, Today
from platform_meter.model.source import Refused
from platform_meter.sources.github import SOURCE, Config
from platform_meter.sources.github.rows import Issue, TimelineItem
from platform_meter.sources.github.tickets import ticket_events
from platform_meter.testing.outside import Call, FakeOutside, Reply

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
HELP = Ref(system="github", kind="repository", id="acme/help", labels=(("topic:support", "true"),))
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def hours(before_now: float) -> datetime:
    return NOW - timedelta(hours=before_now)


def issue(number: int = 5, updated: datetime = NOW, **more: Any) -> Row:
    return {
        "id": 100 + number,
        "number": number,
        "state": "open",
        "user": {"login": "mona", "type": "User"},
        "labels": [],
        "created_at": text(hours(9)),
        "updated_at": text(updated),
        **more,
    }


def comment(id_: int, login: str, association: str = "NONE", kind: str = "User") -> Row:
    who = {"login": login, "type": kind}
    return {
        "event": "commented",
        "id": id_,
        "created_at": text(hours(8)),
        "user": who,
        "author_association": association,
    }


def help_desk(*issues: Row, name: str = "acme/help", **more: Any) -> Repo:
    return Repo(name=name, created=hours(9000), topics=["support"], issues=[*issues], **more)


def steps(row: Row, *timeline: Row, repo: Ref = HELP, agents: tuple[str, ...] = ()) -> list[TicketEvent]:
    items = [msgspec.convert(item, TimelineItem) for item in timeline]
    return ticket_events(repo, msgspec.convert(row, Issue), items, bots=["sync"], agents=agents)


def test_steps_are_joined_by_what_no_rename_changes() -> None:
    """The repository's name is in what people call the issue, and its creation alone says that."""
    closed = {"event": "closed", "id": 9, "created_at": text(hours(1)), "actor": {"login": "ada"}}
    told = steps(issue(state="closed"), comment(8, "ada"), closed)
    assert [(step.key, step.ticket, step.name) for step in told] == [
        ("issue/105/created", "105", "acme/help#5"),
        ("issue/105/commented/8", "105", ""),
        ("issue/105/closed/9/status", "105", ""),
        ("issue/105/closed/9", "105", ""),
    ]


@pytest.mark.parametrize(
    ("agents", "roles"),
    [
        ((), [Role.AGENT, Role.REPORTER, Role.REPORTER, Role.BOT, Role.BOT]),
        (("ada", "mona", "sync"), [Role.REPORTER, Role.AGENT, Role.REPORTER, Role.BOT, Role.BOT]),
    ],
)
def test_who_answers(agents: tuple[str, ...], roles: list[Role]) -> None:
    """GitHub says whose members they are, unless the setting names agents; never the reporter, never a bot."""
    told = steps(
        issue(),
        comment(1, "lisa", "MEMBER"),
        comment(2, "Ada", "CONTRIBUTOR"),
        comment(3, "mona", "MEMBER"),
        comment(4, "sync", "MEMBER"),
        comment(5, "triage[bot]", "MEMBER", "Bot"),
        agents=agents,
    )
    assert [step.role for step in told if step.change is TicketChange.COMMENT] == roles


class Polls:
    """One poll after the other of a GitHub that changes."""

    def __init__(self, *repos: Repo, **settings: Any) -> None:
        self.world = Github([*repos])
        self.config = Config.model_validate(
            {"org": "acme", "token": {"env": "TOKEN"}, "issues": ["*"], "codeowners": False, **settings}
        )
        self.now, self.checkpoint = NOW, b""
        self.moved: dict[str, str] = {}
        """Paths that GitHub sends on to others."""
        self.refused: set[str] = set()
        self.outside = FakeOutside(self.answer)

    def answer(self, call: Call) -> Reply:
        # The real way out follows the redirect.
        path = self.moved.get(call.path, call.path)
        if path in self.refused:
            raise Refused(f"GET {path}: 403")
        return self.world(Call(method=call.method, path=path, params=call.params, etag=call.etag))

    def poll(self, later: timedelta = DAY) -> list[TicketEvent]:
        self.now += later
        self.outside = FakeOutside(self.answer)
        (stream,) = SOURCE.connect(self.config, self.outside, "test")
        told: list[TicketEvent] = []
        for page in stream.read(self.checkpoint or None, self.now - DAY, self.now):
            told += [fact for fact in page.facts if isinstance(fact, TicketEvent)]
            self.checkpoint = page.checkpoint or self.checkpoint
        return told

    def gone(self, later: timedelta = DAY) -> list[str]:
        """Keys of the issues that one poll finds to be gone."""
        return [step.key for step in self.poll(later) if step.resolution == GONE]

    def looked(self) -> list[str]:
        return [call.path for call in self.outside.calls if call.path.rpartition("/")[0].endswith("/issues")]


def test_first_read_tells_open_issues_however_old_they_are() -> None:
    """Open ones wait, whenever they were touched last; closed ones of before the import are past, and none comes twice."""
    old = hours(9000)
    closed = {"event": "closed", "id": 9, "created_at": text(hours(1)), "actor": {"login": "ada"}}
    desk = help_desk(
        issue(1, old),
        issue(2, old, pull_request={}),
        issue(3, old, state="closed"),
        issue(4, hours(1)),
        issue(5, hours(1), state="closed"),
        timelines={5: [closed]},
    )
    polls = Polls(desk, history="1d")
    assert sorted(step.key for step in polls.poll(MINUTE) if step.change is TicketChange.CREATED) == [
        "issue/101/created",
        "issue/104/created",
        "issue/105/created",
    ]
    assert polls.poll(MINUTE) == []
    assert [call.params["state"] for call in polls.outside.calls if call.path.endswith("/issues")] == ["all"]


def test_reading_the_old_open_issues_goes_on_where_it_broke_off() -> None:
    """The third of them, on a second page, can't be read at first: the next poll begins with the last one told."""
    desk = help_desk(*(issue(n, hours(9000 + n)) for n in range(1, 4)))
    polls = Polls(desk, help_desk(name="acme/other"), history="1d")
    polls.world.page_limit = 2
    polls.refused = {"/repos/acme/help/issues/3/timeline"}
    assert [step.key for step in polls.poll(MINUTE)] == ["issue/101/created", "issue/102/created"]
    polls.refused.clear()
    assert [step.key for step in polls.poll(MINUTE)] == ["issue/102/created", "issue/103/created"]


def test_deleted_issue_is_gone_when_it_was_missed_on_two_days() -> None:
    """It is told as a closing of its own kind, about its repository; the one still open stays."""
    desk = help_desk(issue(5), issue(6))
    polls = Polls(desk)
    polls.poll(MINUTE)
    assert polls.looked() == []
    del desk.issues[0]
    assert [polls.gone(), polls.gone(timedelta(hours=1))] == [[], []]
    (told,) = [step for step in polls.poll() if step.resolution == GONE]
    assert told == TicketEvent(
        key="issue/105/gone", at=polls.now, updated=polls.now, about=HELP, queue="acme/help", ticket="105",
        change=TicketChange.RESOLVED, role=Role.BOT, resolution=GONE,
    )  # fmt: skip
    assert polls.gone() == []
    assert polls.looked() == ["/repos/acme/help/issues/6"]


def test_transferred_issue_is_gone() -> None:
    """GitHub sends its address on to the new one, where it is another issue, though its issues are read too."""
    desk, other = help_desk(issue(5)), help_desk(issue(7), name="acme/other")
    polls = Polls(desk, other)
    polls.poll(MINUTE)
    desk.issues.clear()
    polls.moved = {"/repos/acme/help/issues/5": "/repos/acme/other/issues/7"}
    assert [polls.gone(), polls.gone()] == [[], ["issue/105/gone"]]


def test_issues_of_a_repository_that_is_no_longer_read_are_gone() -> None:
    """Archived, deselected or without issues: nobody answers there."""
    desks = [help_desk(issue(n), name=f"acme/{name}") for n, name in ((1, "one"), (2, "two"), (3, "three"))]
    polls = Polls(*desks)
    polls.poll(MINUTE)
    desks[0].archived = True
    polls.config = polls.config.model_copy(update={"issues": ("one", "three")})
    assert [sorted(polls.gone()), sorted(polls.gone())] == [[], ["issue/101/gone", "issue/102/gone"]]


def test_issue_of_a_renamed_repository_is_the_same_one() -> None:
    """An old issue that nothing happens to is found under the new name, and looked for there from then on."""
    desk = help_desk(issue(5, hours(1)))
    polls = Polls(desk, history="1m")
    polls.poll(MINUTE)
    desk.name = "acme/desk"
    polls.moved = {"/repos/acme/help/issues/5": "/repos/acme/desk/issues/5"}
    assert [polls.gone() for _ in range(3)] == [[], [], []]
    assert polls.looked() == ["/repos/acme/desk/issues/5"]


def test_issue_deleted_after_it_was_closed_stays_a_valid_ticket() -> None:
    """It was helped; nobody waits for it, so nobody looks for it."""
    desk = help_desk(issue(5, hours(1)))
    polls = Polls(desk)
    polls.poll(MINUTE)
    desk.issues[0] |= {"state": "closed", "updated_at": text(NOW + MINUTE)}
    desk.timelines[5] = [{"event": "closed", "id": 9, "created_at": text(NOW + MINUTE), "actor": {"login": "ada"}}]
    assert polls.poll(MINUTE)[-1].key == "issue/105/closed/9"
    desk.issues.clear()
    assert [polls.gone() for _ in range(3)] == [[], [], []]


def test_closed_issues_are_not_looked_for_and_open_ones_some_at_a_time() -> None:
    """At a call each, a poll looks for 20, and for each of them once a day."""
    closed = {"event": "closed", "id": 9, "created_at": text(hours(1)), "actor": {"login": "ada"}}
    desk = help_desk(*(issue(n) for n in range(1, 51)), issue(60, state="closed"), timelines={60: [closed]})
    polls = Polls(desk)
    polls.poll(MINUTE)
    looked = []
    for later in (DAY, MINUTE, MINUTE, MINUTE):
        assert polls.gone(later) == []
        looked.append(len(polls.looked()))
    assert looked == [20, 20, 10, 0]


def test_issue_that_cannot_be_looked_at_keeps_no_other_waiting() -> None:
    """It stays open, and is looked for again the next day; the one behind it is found to be gone."""
    desk = help_desk(issue(5), issue(6))
    polls = Polls(desk)
    polls.poll(MINUTE)
    desk.issues.clear()
    polls.refused = {"/repos/acme/help/issues/5"}
    assert [polls.gone(), polls.gone(), polls.gone()] == [[], ["issue/106/gone"], []]
    polls.refused.clear()
    assert [polls.gone(), polls.gone()] == [[], ["issue/105/gone"]]


def test_closing_that_the_timeline_tells_late_is_told() -> None:
    """As long as an issue and its timeline disagree it was not read, though the list itself changes no more."""
    desk = help_desk(issue(5, hours(1)))
    polls = Polls(desk)
    polls.poll(MINUTE)
    desk.issues[0] |= {"state": "closed", "updated_at": text(NOW + MINUTE)}
    assert [step.key for step in polls.poll(MINUTE)] == ["issue/105/created"]
    desk.timelines[5] = [{"event": "closed", "id": 9, "created_at": text(NOW + MINUTE), "actor": {"login": "ada"}}]
    assert [step.key for step in polls.poll(MINUTE)] == [
        "issue/105/created",
        "issue/105/closed/9/status",
        "issue/105/closed/9",
    ]
    assert polls.poll(MINUTE) == []


def test_an_author_whom_nobody_knows_is_no_agent() -> None:
    """The account is gone, whatever it was to the repository."""
    (_, said) = steps(issue(), {**comment(1, "ada", "MEMBER"), "user": None})
    assert said.role is Role.REPORTER


def test_a_deleted_answer_is_among_the_answers_no_more() -> None:
    """The timeline tells it no more; what was told of it before would else hold for ever."""
    first, second = comment(1, "ada", "MEMBER"), comment(2, "ada", "MEMBER")
    assert steps(issue(), first, comment(3, "eve"), second)[0].answers == (
        "issue/105/commented/1",
        "issue/105/commented/2",
    )
    assert steps(issue(), second)[0].answers == ("issue/105/commented/2",)
    assert steps(issue())[0].answers == ()


def test_an_issue_whose_timeline_never_tells_how_it_stands_is_a_gap() -> None:
    """An import that is closed without a closing: how it stands is told, and after a day nobody waits for more."""
    row = issue(state="closed", updated=NOW + MINUTE)
    assert steps(row)[0].today == Today("closed", resolution="Done")
    polls = Polls(help_desk(row))
    assert [step.key for step in polls.poll(2 * MINUTE)] == ["issue/105/created"]
    assert [step.key for step in polls.poll(5 * MINUTE)] == ["issue/105/created"]
    assert polls.outside.gaps == []
    assert [step.key for step in polls.poll(5 * MINUTE)] == ["issue/105/created"]
    assert [gap.text for gap in polls.outside.gaps] == ["acme/help#5: nobody recorded when it became closed"]
    assert polls.poll(MINUTE) == []


def test_agents_stay_in_the_settings() -> None:
    """Who answers is asked of the setting; no login leaves the source, not even in its checkpoint."""
    desk = help_desk(issue(5), timelines={5: [comment(1, "Ada")]})
    polls = Polls(desk, agents=["ADA"])
    told = polls.poll(MINUTE)
    assert [(step.change, step.role) for step in told] == [
        (TicketChange.CREATED, Role.REPORTER),
        (TicketChange.COMMENT, Role.AGENT),
    ]
    assert "ada" not in repr(told).lower()
    assert b"ada" not in polls.checkpoint.lower()
