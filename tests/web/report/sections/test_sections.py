"""What each section of a report says of a small company, and what it says where nothing is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.support.history import MemoryHistory, owner, source
from tests.support.impact import both, change
from tests.support.impact import runs as builds_of
from tests.support.journeys import Told, journey
from tests.support.objectives import objective, run
from tests.support.roadmaps import PLAN, item
from tests.support.surveys import answers, survey
from tests.support.tickets import PROJECT, created, ticketing
from tests.support.views import MemoryRecords

from platform_meter.model.definitions import Capability, Definitions, Promise
from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.ci import PIPELINE_RUNS, Outcome, PipelineRun
from platform_meter.model.facts.roadmap import RoadmapItem
from platform_meter.model.facts.surveys import SurveyResponse
from platform_meter.model.facts.tickets import SlaCycle, SlaResult, TicketEvent
from platform_meter.model.facts.use import Usage
from platform_meter.model.history import UnitState
from platform_meter.model.measure import Scene
from platform_meter.model.weeks import Week
from platform_meter.store import GapRow
from platform_meter.web.report import NotOver, chapters, make
from platform_meter.web.report.markdown import markdown
from platform_meter.web.report.sections import (
    adoption,
    budgets,
    caveats,
    changed,
    interventions,
    journeys,
    promises,
    roadmap,
    surveys,
)
from platform_meter.web.report.sections import (
    tickets as support,
)

WEEK = Week(date(2026, 6, 29))
"""In it June ends, and the second quarter."""
NOW = datetime(2026, 7, 6, 8, tzinfo=UTC)
MONDAY = WEEK.start(ZoneInfo("UTC"))
DAY = timedelta(days=1)
GIVES: dict[str, frozenset[type[Fact]]] = {
    "jira": frozenset({TicketEvent, SlaCycle, RoadmapItem}),
    "gh": frozenset({PipelineRun}),
    "portal": frozenset({Usage}),
    "survey-nps": frozenset({SurveyResponse}),
}


def said(
    facts: Iterable[Told] = (),
    *,
    taken: Sequence[UnitState] = (),
    unread: Sequence[GapRow] = (),
    stale: str = "",
    **definitions: Any,
) -> str:
    """The report as Markdown."""
    types = {"jira": "jira", "gh": "github", "portal": "portal", "survey-nps": "surveys"}
    states = [source(n, t, watermark=MONDAY if n == stale else NOW, fresh=n != stale) for n, t in types.items()]
    history = MemoryHistory(facts, sources=states, taken=taken, gives=GIVES)
    scene = Scene(history=history, definitions=Definitions(**definitions), now=NOW)
    return markdown(make(scene, WEEK, plans=(), records=MemoryRecords(unread=unread)))


def runs(good: int, bad: int, at: datetime) -> list[Told]:
    outcomes = [Outcome.SUCCESS] * good + [Outcome.INFRA_FAILURE] * bad
    told = [run(outcome, at + timedelta(minutes=n)) for n, outcome in enumerate(outcomes)]
    return [("gh", owner("shop"), fact) for _, fact in told]


def cycles(met: int, breached: int, at: datetime) -> list[Told]:
    results = [SlaResult.MET] * met + [SlaResult.BREACHED] * breached
    return [
        (
            "jira",
            owner("help"),
            SlaCycle(
                key=f"help/{at}/{n}", at=at + timedelta(minutes=n), about=PROJECT, queue="help", sla="resolution",
                ticket=f"T-{n}", priority="P3", result=result, elapsed=60.0, goal=3600.0,
            ),
        )
        for n, result in enumerate(results)
    ]  # fmt: skip


def tickets(at: datetime, *categories: str) -> list[Told]:
    return [
        ("jira", owner("help"), created(at + timedelta(minutes=n), ticket=f"{at:%d%m}-{n}", category=category))
        for n, category in enumerate(categories)
    ]


def test_what_must_be_known_first_stands_first() -> None:
    """Then what changed, and then the areas."""
    order = (caveats, changed, budgets, adoption, journeys, support, surveys, roadmap, interventions, promises)
    assert [one for one in chapters() if one in {m.CHAPTER for m in order}] == [m.CHAPTER for m in order]


def test_nothing_is_said_of_what_is_not_there() -> None:
    """Without definitions and facts there are the caveats, and what could change without enough data."""
    text = said()
    assert text.count("\n## ") == 2
    assert (
        "- Not enough data to hold this week against the four before: Pipeline runs that succeeded; Pipeline runs not"
        in text
    )
    assert "Not enough data to compare anything." in text


def test_a_week_that_is_not_over_has_no_report() -> None:
    """The message says when it is."""
    scene = Scene(history=MemoryHistory(), definitions=Definitions(), now=NOW)
    with pytest.raises(NotOver, match="2026-W28 is not over before 13 Jul 2026 00:00; ask for an earlier week"):
        make(scene, WEEK.back(-1), plans=(), records=MemoryRecords())


def test_what_was_not_read_comes_first() -> None:
    """Sources that end before the week does, ranges that could not be read, objects without owner."""
    gap = GapRow(source="gh", start=MONDAY + DAY, end=MONDAY + 2 * DAY, reason="cap", text="")
    old = GapRow(source="gh", start=MONDAY - 60 * DAY, end=MONDAY - 59 * DAY, reason="cap", text="")
    nobody = ("gh", owner("_unowned"), run(Outcome.SUCCESS, MONDAY)[1])
    text = said([nobody], unread=[gap, old], stale="portal")
    assert "- Not read to the end of the week: portal (1 of 4 sources). What rests on them is left out.\n" in text
    assert "could not be read, by source: gh (1). What happened then is in no number." in text
    assert "- 1 of 1 objects (100.0 %, more than 10 %) have no owner, as things stand now" in text


def test_a_change_beyond_noise_has_its_interval_and_n() -> None:
    """90 of 100 against 380 of 400 is not beyond it; 80 of 100 is."""
    before = runs(380, 20, MONDAY - 20 * DAY)
    quiet = said([*before, *runs(90, 10, MONDAY)])
    assert "No change beyond noise in 2 comparisons." in quiet
    assert "- Pipeline runs that succeeded: 90.0 % of 100 runs; the 4 weeks before 95.0 % of 400.\n" in quiet
    loud = said([*before, *runs(80, 20, MONDAY)])
    assert (
        "- Pipeline runs that succeeded: down 15.0 points (-24.1 to -7.8): 80.0 % of 100 runs; the 4 weeks before 95.0 % "
        "of 400.\n" in loud
    )
    assert "Of 2 such comparisons 0.1 would be called one by chance" in loud


def test_goals_of_support_are_compared_by_sla() -> None:
    """A queue whose source was not read to the end of the week is not compared."""
    facts = [*cycles(95, 5, MONDAY - 10 * DAY), *cycles(10, 10, MONDAY)]
    assert "- SLA resolution met, help: down 45.0 points (" in said(facts, ticketing=(ticketing(),))
    assert "before: SLA first response met, help; SLA resolution met, help;" in said(
        facts, ticketing=(ticketing(),), stale="jira"
    )


def test_slos_by_what_is_left_of_their_budget() -> None:
    """Of 1,000 runs in four weeks 5 were bad, 4 of them this week: a twentieth of the 100 allowed, and 4 % this week."""
    facts = [*runs(799, 1, MONDAY - 10 * DAY), *runs(196, 4, MONDAY)]
    text = said(facts, objectives=(objective(PIPELINE_RUNS, slo="builds"),))
    assert "Of 1 SLOs with data 1 are ok, 0 in caution and 0 exhausted." in text
    assert "| builds | 98.000 % of 200 | 90 % | 4.0 % | 95.0 % of 28d | ok |" in text


def test_an_slo_that_left_its_state_is_told() -> None:
    """And one without events has no number."""
    facts = [*runs(100, 0, MONDAY - 10 * DAY), *runs(70, 30, MONDAY)]
    text = said(facts, objectives=(objective(PIPELINE_RUNS, slo="builds"),))
    assert "- builds: ok a week before, exhausted now (-50.0 % of the budget left).\n" in text
    recovered = [*runs(50, 50, MONDAY - 26 * DAY), *runs(200, 0, MONDAY - 10 * DAY)]
    text = said(recovered, objectives=(objective(PIPELINE_RUNS, slo="builds"),))
    assert "- builds: exhausted a week before, ok now (100.0 % of the budget left).\n" in text
    assert "Not enough data: builds.\n" in said(objectives=(objective(PIPELINE_RUNS, slo="builds"),))


CAPABILITY = Capability.model_validate(
    {
        "kind": "Capability",
        "id": "gateway",
        "title": "API gateway",
        "unit": "team",
        "owner": "platform",
        "eligible": {"any": [{}]},
        "adopted": {"source": "portal", "verb": "create"},
        "active": {"source": "portal", "verb": "call"},
        "goals": [
            {"ratio": 0.9, "of": "active", "by": "2026-07-04"},
            {"ratio": 0.5, "of": "active", "by": "2026-12-31"},
        ],
    }
)


def snapshots(by_unit: dict[str, str]) -> list[UnitState]:
    """States of each unit on Sundays, the last at the end of the week: `ae` is active, then eligible; `.` is not there."""
    words = {"a": "active", "e": "eligible", "d": "dormant", "c": "churned"}
    found: list[UnitState] = []
    for unit, states in by_unit.items():
        for n, letter in enumerate(states):
            day = WEEK.sunday - (len(states) - 1 - n) * 7 * DAY
            ever = frozenset({"active"}) if "a" in states[:n] + letter else frozenset[str]()
            found.append(UnitState(day=day, what="adoption/gateway", unit=unit, state=words[letter], ever=ever))
    return found


def test_movers_are_named() -> None:
    """Who came, came back, fell silent and churned; the share of the weeks before, and a goal that was missed."""
    taken = snapshots({"new": "eeeea", "back": "aaada", "quiet": "aaaad", "gone": "aaadc", "same": "aaaaa"})
    text = said(taken=taken, capabilities=(CAPABILITY,))
    assert "| API gateway | 60.0 %, 3 of 5 teams | 40.0 %, 2 of 5 | 40.0 % to 80.0 % |" in text
    assert "- API gateway: came: new; came back: back; fell silent: quiet; churned: gone.\n" in text
    assert "- API gateway: 90 % active by 04 Jul 2026 is missed, at" in text
    assert "50 % active" not in text


def test_adoption_that_is_not_known_for_the_last_day_has_no_number() -> None:
    """Snapshots that end before the week does say nothing of it."""
    taken = snapshots({"same": "aaaa"})
    old = [UnitState(day=s.day - 7 * DAY, what=s.what, unit=s.unit, state=s.state, ever=s.ever) for s in taken]
    assert "Not enough data for the last day of the week: API gateway.\n" in said(taken=old, capabilities=(CAPABILITY,))


def test_the_largest_drop_off_of_a_journey() -> None:
    """Two of three entrants whose time is over did not make one; where nothing is known nothing is said."""

    def use(team: str, verb: str, subject: str, at: datetime) -> Told:
        about = Ref(system="portal", kind="service", id=f"{team}-api")
        fact = Usage(key=f"{team}/{verb}", at=at, about=about, action=verb, amount=1.0, subject=subject)
        return "portal", owner(f"{team}-api", team), fact

    seen = [use(team, "view_docs", "gateway/start", MONDAY - 30 * DAY) for team in ("a", "b", "c")]
    made = use("a", "create", "gateway", MONDAY - 29 * DAY)
    text = said([*seen, made], capabilities=(journey(eligible={"any": [{}]}),))
    assert "- gateway: 1 of 1 teams that came to 'created' did not come to 'live' (100.0 %).\n" in text
    assert "- gateway: not enough data.\n" in said(seen, capabilities=(journey(),), stale="portal")


def test_categories_of_tickets_with_their_change() -> None:
    """The five with most of them; a queue whose source was not read to the end of the week says so."""
    before = [fact for n in range(1, 5) for fact in tickets(MONDAY - n * 7 * DAY, "ci", "ci", "mesh")]
    text = said([*before, *tickets(MONDAY, "ci", "ci", "ci", "quota")], ticketing=(ticketing(),))
    assert "help: 4 tickets, 3.0 a week in the 4 before.\n" in text
    assert "| ci | 3 | 2 (+1) | 2.0 |\n| quota | 1 | 0 (+1) | 0.0 |\n" in text
    stale = said(before, ticketing=(ticketing(),), stale="jira")
    assert "help: not enough data, its source was not read to the end of the week.\n" in stale


def test_a_wave_that_ended_in_the_week() -> None:
    """With its interval, its n and the wave before; one that runs on is not told."""
    spring, winter = datetime(2026, 6, 5, tzinfo=UTC), datetime(2026, 3, 5, tzinfo=UTC)
    text = said([*answers([9] * 20, winter), *answers([2] * 20, spring)], surveys=(survey(title="How we do"),))
    assert "- How we do, Q2 2026 is over: 20 answers.\n" in text
    assert "- How we do, nps: -100.0 (-100.0 to -69.7) of 20 answers; down since Q1 2026 (+100.0 of 20).\n" in text
    assert "## Surveys" not in said(answers([9] * 20, NOW), surveys=(survey(),))


def test_the_roadmap_of_the_week() -> None:
    """What was done, and what became of what was committed to the periods that ran."""
    items = [
        item("P-1", "2026-Q2", ended="2026-06-30", title="Search"),
        item("P-2", "2026-Q2", target=date(2026, 6, 1), title="Quota"),
    ]
    text = said([("jira", owner("plan"), one) for one in items], roadmaps=(PLAN,))
    assert "Done this week: Search.\n" in text
    assert "Past the target and open: Quota, 34 days.\n" in text


def test_interventions_while_their_time_after_runs() -> None:
    """With the verdict so far, the interval and how much stands on both sides; one that is long over is left out."""
    seconds = [600.0 + n for n in range(20)]
    facts = [("gh", whose, fact) for _, whose, fact in builds_of("a", *both(seconds, [300.0 + n for n in range(20)]))]
    text = said(facts, interventions=(change(title="Larger runners"),))
    assert "- Larger runners, platform\\_pipeline\\_run\\_duration\\_seconds: so far improved, -49.2 % (" in text
    assert ", 20 before, 20 after. Not over: the time after ends on 11 Jul 2026" in text
    assert "## Interventions" not in said(facts, interventions=(change(at="2026-01-01"),))


def test_a_promise_whose_period_ended_in_the_week_is_judged() -> None:
    """June was broken and July has no events yet; a share is never rounded up to what was promised."""
    promise = Promise.model_validate({"kind": "Promise", "id": "builds-run", "slo": "builds", "target": 0.9})
    facts = runs(899, 101, datetime(2026, 6, 10, tzinfo=UTC))
    text = said(facts, objectives=(objective(PIPELINE_RUNS, slo="builds"),), promises=(promise,))
    assert "| builds-run | June 2026 | 89.9 % of 1,000 | 90 % | broken |\n" in text
    assert "| builds-run | July 2026 | not enough data | 90 % | not enough data |\n" in text
