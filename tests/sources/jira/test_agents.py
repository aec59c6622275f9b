"""Who answers: accounts, groups and roles of projects."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from tests.sources.jira.jira_server import Jira, comment, issue, person
from tests.sources.jira.test_jira import NOW, SETTINGS, SINCE, hours

from platform_meter.model.facts.tickets import Role, TicketChange, TicketEvent
from platform_meter.model.source import Unexpected
from platform_meter.sources.jira import SOURCE, Config
from platform_meter.testing.outside import FakeOutside

ADA, BEN, CAT = person("ada"), person("ben"), person("cat")
GROUP: dict[str, Any] = {"type": "atlassian-group-role-actor", "actorGroup": {"name": "support"}}
USER: dict[str, Any] = {"type": "atlassian-user-role-actor", "actorUser": {"accountId": "cat"}}


def world() -> Jira:
    """A ticket of Mona on which three of her colleagues wrote, one after the other."""
    comments = [comment(n, hours(9 - n), who) for n, who in enumerate((ADA, BEN, CAT), 1)]
    jira = Jira([issue(1, hours(9), hours(1), comments=comments)])
    jira.groups = {"support": [person("x"), person("y"), BEN], "empty": []}
    jira.roles = {"Users": [], "Agents": [GROUP, USER]}
    return jira


def poll(jira: Jira, *agents: str, checkpoint: bytes | None = None, later: timedelta = timedelta(0)) -> Any:
    """Facts and the checkpoint."""
    (stream,) = SOURCE.connect(Config.model_validate({**SETTINGS, "agents": agents}), FakeOutside(jira), "test")
    pages = list(stream.read(checkpoint, SINCE, NOW + later))
    return [fact for page in pages for fact in page.facts], pages[-1].checkpoint


def answering(jira: Jira, *agents: str) -> list[str]:
    """The numbers of the comments that are answers."""
    facts, _ = poll(jira, *agents)
    return [
        fact.key.rpartition("/")[2]
        for fact in facts
        if isinstance(fact, TicketEvent) and fact.change is TicketChange.COMMENT and fact.role is Role.AGENT
    ]


@pytest.mark.parametrize(
    ("agents", "found"),
    [
        ((), ["1", "2", "3"]),
        (("ada",), ["1"]),
        (("group:support",), ["2"]),
        (("role:Agents",), ["2", "3"]),
        (("ada", "role:Agents"), ["1", "2", "3"]),
        (("role:Users",), []),
    ],
)
def test_only_those_named_answer(agents: tuple[str, ...], found: list[str]) -> None:
    """A colleague who writes "me too" is none; without `agents` whoever has a licence is one."""
    assert answering(world(), *agents) == found


def test_data_center_names_people_by_key_or_name() -> None:
    """Its actors are names, and so may `agents` be."""
    jira = world()
    jira.version = "2"
    for n, name in enumerate(("ada", "ben", "cat")):
        jira.issues[0]["comments"][n]["author"] = {"key": f"JIRAUSER{n}", "name": name}
    jira.groups = {"support": [{"key": "JIRAUSER1", "name": "ben"}]}
    jira.roles = {
        "Agents": [
            {"type": "atlassian-user-role-actor", "name": "cat"},
            {"type": "atlassian-group-role-actor", "name": "support"},
        ]
    }
    assert answering(jira, "role:Agents") == ["2", "3"]
    assert answering(jira, "JIRAUSER0", "cat") == ["1", "3"]


def test_a_group_that_can_not_be_read_fails_the_poll() -> None:
    """Without agents every ticket would look unanswered."""
    with pytest.raises(Unexpected):
        answering(world(), "group:nobody-knows")


def test_check_says_which_agents_are_nobody() -> None:
    """A group or role without anybody, and one that is not there; accounts are not asked for."""
    named = ["ada", "group:empty", "group:gone", "group:support", "role:Agents", "role:Users"]
    config = Config.model_validate({**SETTINGS, "agents": named})
    lines = SOURCE.check(config, FakeOutside(world()))
    assert len(lines) == 3
    assert lines[0] == "agents: group:empty has no member; correct the name, or add who answers"
    assert lines[1].startswith("agents: group:gone: ")
    assert lines[1].endswith("; correct the name, or give the account 'Browse users and groups'")
    assert lines[2] == "agents: nobody has role:Users in project PLAT; correct the name, or add who answers"


def test_other_agents_judge_again_what_was_told() -> None:
    """The same tickets are told anew, with a version that takes the place of the first."""
    jira = world()
    first, checkpoint = poll(jira)
    hour = timedelta(hours=1)
    again, checkpoint = poll(jira, "cat", checkpoint=checkpoint, later=hour)
    assert [(fact.answers, fact.updated) for fact in (first[0], again[0])] == [
        (("10001/comment/1", "10001/comment/2", "10001/comment/3"), hours(1)),
        (("10001/comment/3",), NOW + hour),
    ]
    third, _ = poll(jira, "cat", checkpoint=checkpoint, later=2 * hour)
    assert third == []


@pytest.mark.parametrize("name", ["", "group:", "role: "])
def test_a_name_of_nobody_is_refused(name: str) -> None:
    """It says what to write."""
    with pytest.raises(ValidationError, match="names nobody; write an account, group:support or role:Agents"):
        Config.model_validate({**SETTINGS, "agents": [name]})
