"""What people asked for, which items answer it, and whether they were told."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from tests.support.history import owner, source
from tests.support.roadmaps import DEVELOPER, PLAN, day, item, read, scene
from tests.support.tickets import comment, created, reopened, resolved, status, step, ticketing

from platform_meter.measures.roadmap.items import items
from platform_meter.measures.roadmap.voices import Answered, Pain, Voice, answered, asked_for, declared, voices
from platform_meter.model.definitions import Definitions, Persona, Survey, Team
from platform_meter.model.facts import Ref
from platform_meter.model.facts.roadmap import Feedback, RoadmapItem
from platform_meter.model.facts.surveys import SurveyResponse
from platform_meter.model.facts.tickets import Role, TicketChange, TicketEvent
from platform_meter.model.measure import Scene

NOW = day("2026-08-20")
ASKED = day("2026-06-01")


def ticket(id_: str, *labels: str, at: datetime = ASKED, **more: Any) -> TicketEvent:
    return created(at, ticket=id_, name=f"HELP-{id_}", labels=labels, **more)


def told(theme: str, name: str = "1", at: datetime = ASKED, **more: Any) -> Feedback:
    about = Ref(system="documents", kind="feedback", id="interviews")
    return Feedback(key=name, name=name, theme=theme, at=at, about=about, **more)


def world(*facts: TicketEvent | Feedback, plan: tuple[RoadmapItem, ...] = (), **more: Any) -> Scene:
    named = [("documents" if isinstance(fact, Feedback) else "jira", fact) for fact in facts]
    return scene(NOW, plan, facts=named, **more)


def heard(seen: Scene) -> dict[str, Voice]:
    return {voice.name: voice for voice in voices(seen, items(seen) or ()) or ()}


def loop(seen: Scene) -> list[Answered]:
    planned = items(seen) or ()
    return [*answered(voices(seen, planned) or (), planned)]


def test_a_ticket_is_feedback_by_its_labels_or_because_an_item_names_it() -> None:
    """All others are none; the labels are those that it has now."""
    seen = world(
        ticket("1", "feedback:builds", "x"),
        ticket("2", "ci-slow"),
        ticket("3"),
        ticket("4"),
        ticket("5", "feedback:builds"),
        step(day("2026-06-02"), TicketChange.LABELED, ticket="5", labels=()),
        plan=(item("A", feedback=("jira:HELP-3",)),),
    )
    found = heard(seen)
    assert {name: (one.themes, one.personas, one.pains) for name, one in found.items()} == {
        "jira:HELP-1": (("builds",), ("developer",), (Pain("developer", "slow-ci"),)),
        "jira:HELP-2": ((), ("developer",), (Pain("developer", "slow-ci"),)),
        "jira:HELP-3": ((), (), ()),
    }


def test_a_ticket_is_closed_by_its_resolution_or_by_a_status_of_its_queue() -> None:
    """And open again when it is reopened; one that its tool shows no more is no feedback."""
    facts = [
        ticket("1", "ci-slow"), resolved(day("2026-06-05"), ticket="1"),
        ticket("2", "ci-slow"), resolved(day("2026-06-05"), ticket="2"), reopened(day("2026-06-06"), ticket="2"),
        ticket("3", "ci-slow"), status(day("2026-06-05"), "Closed", ticket="3"),
        ticket("4", "ci-slow"), resolved(day("2026-06-05"), "gone", ticket="4"),
    ]  # fmt: skip
    seen = world(*facts)
    with_queue = replace(seen, definitions=replace(seen.definitions, ticketing=(ticketing(),)))
    assert {name: one.closed for name, one in heard(seen).items()} == {
        "jira:HELP-1": True, "jira:HELP-2": False, "jira:HELP-3": False,
    }  # fmt: skip
    assert heard(with_queue)["jira:HELP-3"].closed


def test_a_reporter_is_told_by_a_public_comment_of_an_agent_after_the_item_shipped() -> None:
    """Neither before that, nor by an internal one, nor by the reporter's own, nor by one that was deleted since."""
    shipped = item("A", "2026-Q3", ended="2026-07-10", themes=("builds",))
    after, before = day("2026-07-11"), day("2026-07-09")
    facts = [
        ticket("1", "feedback:builds"), comment(after, ticket="1"),
        ticket("2", "feedback:builds"), comment(before, ticket="2"),
        ticket("3", "feedback:builds"), comment(after, ticket="3", public=False),
        ticket("4", "feedback:builds"), comment(after, Role.REPORTER, ticket="4"),
        ticket("5", "feedback:builds", answers=()), comment(after, ticket="5"),
        ticket("6", "feedback:builds", answers=("6/a",)), comment(after, ticket="6", key="6/a"),
    ]  # fmt: skip
    found = loop(world(*facts, plan=(shipped,)))
    assert [one.voice.name for one in found if one.looped] == ["jira:HELP-1", "jira:HELP-6"]
    assert [one.voice.name for one in found if one.open] == [f"jira:HELP-{n}" for n in (2, 3, 4, 5)]


def test_what_is_not_shipped_is_open_whatever_was_said() -> None:
    """An item that was dropped answers nothing; of several the first that is done ships."""
    said = comment(day("2026-08-01"), ticket="1")
    for plan in ((item("A", themes=("builds",)),), (item("A", themes=("builds",), status="dropped"),), ()):
        (one,) = loop(world(ticket("1", "feedback:builds"), said, plan=plan))
        assert (one.shipped, one.open) == (None, True)
    both = (
        item("A", themes=("builds",), ended="2026-07-10"),
        item("B", feedback=("jira:HELP-1",), ended="2026-08-10"),
    )
    (one,) = loop(world(ticket("1", "feedback:builds"), said, plan=both))
    assert (one.shipped, one.looped) == (day("2026-07-10", 9), True)


def test_what_was_done_before_somebody_asked_is_no_answer_by_its_theme() -> None:
    """They ask for more; one that the item names was known to whoever planned it."""
    done = item("A", ended="2026-05-20", themes=("builds",), feedback=("jira:HELP-2",))
    found = loop(world(ticket("1", "feedback:builds"), ticket("2", "feedback:builds"), plan=(done,)))
    assert [(one.voice.name, len(one.items)) for one in found] == [("jira:HELP-1", 0), ("jira:HELP-2", 1)]


def test_feedback_of_interviews_is_told_and_closed_by_its_rows() -> None:
    """A persona that the row names is whose it is; of others' pain points it tells nothing."""
    seen = world(
        told("build time", "1"),
        told("build time", "2", persona="analyst", closed=True),
        told("docs", "3", told=day("2026-07-11")),
        plan=(item("A", feedback=("documents:3",), ended="2026-07-10"),),
    )
    found = heard(seen)
    assert {name: (one.personas, one.closed, one.pains) for name, one in found.items()} == {
        "documents:1": (("developer",), False, (Pain("developer", "slow-ci"),)),
        "documents:2": (("analyst",), True, ()),
        "documents:3": ((), False, ()),
    }
    assert [one.voice.name for one in loop(seen) if one.looped] == ["documents:3"]


def test_a_source_that_tells_feedback_and_is_stale_leaves_all_of_it_out() -> None:
    """One that tells none is not missed; what came after its last read is not known."""
    known = [read(NOW, fresh=False), source("documents", watermark=NOW)]
    assert voices(world(ticket("1", "ci-slow"), sources=known), ()) is None
    assert voices(world(ticket("1"), told("docs"), sources=known), ()) is not None
    late = world(ticket("1", "ci-slow", at=NOW), told("docs", at=NOW))
    assert voices(late, ()) == []


def test_how_much_is_behind_an_item_counts_each_piece_once() -> None:
    """Named, by its theme, or both; one that is named and is not stored counts too."""
    plan = (
        item("A", feedback=("jira:HELP-1", "jira:OLD-9"), themes=("builds",)),
        item("B", themes=("docs",)),
        item("C"),
    )
    seen = world(ticket("1", "feedback:builds"), ticket("2", "feedback:builds"), plan=plan)
    assert asked_for(loop(seen), items(seen) or ()) == {"jira:plan/A": 3, "jira:plan/B": 0, "jira:plan/C": 0}


def test_nobody_asks_for_feedback_where_nothing_declares_any() -> None:
    """Neither a roadmap nor a pain point."""
    assert not declared(Definitions(personas=(Persona(kind="Persona", id="x"),)))
    assert declared(Definitions(personas=(DEVELOPER,)))
    assert declared(Definitions(roadmaps=(PLAN,)))
    assert voices(world(ticket("1", "ci-slow"), plans=(), personas=()), ()) == []


ASKS = Survey.model_validate(
    {
        "kind": "Survey",
        "id": "pulse",
        "source": {"type": "csv", "path": "pulse.csv"},
        "segment_by": ["persona"],
        "questions": [{"id": "mend", "type": "theme", "themes": {"build time": [], "docs": []}}],
    }
)
TEAMS = (Team(kind="Team", id="dev", persona="developer"), Team(kind="Team", id="data", persona="analyst"))


def surveyed(*groups: tuple[str, str, int, str], plan: tuple[RoadmapItem, ...] = (), fresh: bool = True) -> Scene:
    """Groups of a team, what they chose, how many and when."""
    facts = [
        ("survey-pulse", owner(team), SurveyResponse(
            key=f"{team}/{theme}/{at}/{n}", at=day(at), about=Ref(system="surveys", kind="respondents", id=team), survey="pulse",
            respondent=f"{team}/{theme}/{n}", answers=((f"mend={theme}", 1.0),),
        ))
        for team, theme, count, at in groups
        for n in range(count)
    ]  # fmt: skip
    known = [read(NOW), source("survey-pulse", "surveys", watermark=NOW, fresh=fresh)]
    seen = scene(NOW, plan, answers=facts, sources=known)
    return replace(seen, definitions=replace(seen.definitions, surveys=(ASKS,), teams=TEAMS))


def test_what_people_chose_in_a_survey_is_feedback_of_nobody_in_particular() -> None:
    """Of the newest wave, all at the moment of its last answer; a persona tells of its own pain points alone."""
    seen = surveyed(
        ("dev", "build time", 6, "2026-08-02"),
        ("data", "build time", 5, "2026-08-09"),
        ("dev", "docs", 7, "2026-05-02"),
    )
    found = voices(seen, ()) or ()
    assert {(one.at, one.themes, one.object, one.until) for one in found} == {
        (day("2026-08-09"), ("build time",), None, NOW)
    }
    told = sorted((one.personas, one.pains) for one in found)
    assert told == [(("analyst",), ())] * 5 + [(("developer",), (Pain("developer", "slow-ci"),))] * 6
    assert len({one.name for one in found}) == 11


def test_few_answers_are_no_feedback() -> None:
    """Of four nothing is told, and a survey that is not read leaves all of it out."""
    assert voices(surveyed(("dev", "docs", 4, "2026-08-02")), ()) == []
    assert voices(surveyed(("dev", "docs", 9, "2026-08-02"), fresh=False), ()) is None


def test_who_chose_in_a_survey_can_be_told_nothing_and_waits_for_the_item() -> None:
    """It is open until one is done that answers it, and no loop that was left open."""
    for ended, is_open in (("2026-08-10", False), ("2026-07-10", True), (None, True)):
        plan = (item("A", "2026-Q3", themes=("docs",), **({"ended": ended} if ended else {})),)
        found = loop(surveyed(("dev", "docs", 5, "2026-08-02"), plan=plan))
        assert [(one.open, one.looped) for one in found] == [(is_open, False)] * 5
