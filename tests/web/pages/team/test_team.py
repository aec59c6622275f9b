"""The page of teams, and all of one team beside its own past."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.support.delivery import NOW, broken, deployed, merged, scene
from tests.support.history import MemoryHistory
from tests.support.our_slos import our_plans
from tests.support.views import html, rows, site, tables, view
from werkzeug.test import Client

from platform_meter.measures.delivery.numbers import GAUGES
from platform_meter.model.catalogue.adoption import TEAM_CAPABILITY_STATE, TEAM_DEPTH
from platform_meter.model.catalogue.entities import SERVICE_INFO, TEAM_INFO
from platform_meter.model.catalogue.slos import SLO_BUDGET_REMAINING, SLO_WINDOW_EVENTS
from platform_meter.model.definitions import Capability, Definitions, Persona, Promise, Team
from platform_meter.model.facts import Event
from platform_meter.model.history import UnitState
from platform_meter.model.metric import resolve
from platform_meter.runtime.access.roles import Role
from platform_meter.slo.stored import stored_objective
from platform_meter.web.app import make_app
from platform_meter.web.pages.team import PAGE
from platform_meter.web.pages.team.one import changed
from platform_meter.web.view import View

OURS = next(plan for plan in our_plans() if stored_objective(plan) is not None)
MINE = replace(OURS, owner="pay")
OBJECTIVE = stored_objective(OURS)


def capability(id_: str, *, mandated: bool = False) -> Capability:
    return Capability.model_validate(
        {
            "kind": "Capability",
            "id": id_,
            "unit": "team",
            "owner": "platform",
            "mandated": mandated,
            "eligible": {"any": [{"team": {}}]},
            "adopted": {"source": "github", "verb": "run"},
            "active": {"source": "github", "verb": "run"},
        }
    )


def promise(id_: str, *audience: str) -> Promise:
    return Promise.model_validate({"kind": "Promise", "id": id_, "slo": "web", "target": 0.9, "audience": audience})


DEFINITIONS = Definitions(
    capabilities=(capability("ci"), capability("gateway"), capability("scan", mandated=True)),
    promises=(promise("all"), promise("devs", "app-developer"), promise("data", "data-engineer")),
    personas=(
        Persona.model_validate(
            {
                "kind": "Persona",
                "id": "app-developer",
                "pain_points": [{"id": "slow-ci", "match": {"ticket_label": ["ci-slow"]}}],
            }
        ),
    ),
    teams=(Team(kind="Team", id="pay", persona="app-developer", members_count=7),),
    objectives=() if OBJECTIVE is None else (OBJECTIVE,),
)
FACTS: list[Event] = [deployed(-600, "f" * 40), deployed(-500, "e" * 40)]
for _n in range(9):
    FACTS += [merged(24 * _n + 2, f"{_n + 1:x}" * 40), deployed(24 * _n + 12, f"{_n + 1:x}" * 40)]
FACTS.append(broken(61, 63, "#7", mentions=("3" * 40,)))


def seen(*facts: Event, definitions: Definitions = DEFINITIONS, **more: Any) -> View:
    """What the pages see after a tick: two teams, of which one delivers, keeps an SLO and uses something."""
    at_ = scene(*facts, definitions=definitions)
    assert isinstance(at_.history, MemoryHistory)
    day = (NOW - timedelta(days=28)).date()
    at_.history.taken.append(UnitState(day=day, what="adoption/ci", unit="pay", state="adopted_idle"))
    told: dict[str, Any] = dict(
        rows(
            (TEAM_INFO, ("pay", "shopping", "app-developer"), 1.0),
            (TEAM_INFO, ("web", "", ""), 1.0),
            (TEAM_INFO, ("_unowned", "", ""), 1.0),
            (SERVICE_INFO, ("shop", "pay", "", "1"), 1.0),
            (SERVICE_INFO, ("blog", "web", "", ""), 1.0),
            (TEAM_CAPABILITY_STATE, ("pay", "ci"), 2.0),
            (TEAM_CAPABILITY_STATE, ("pay", "gateway"), 0.0),
            (TEAM_CAPABILITY_STATE, ("pay", "scan"), 4.0),
            (TEAM_DEPTH, ("pay", "ci"), 0.75),
            (SLO_WINDOW_EVENTS, (OURS.slo, OURS.period_label, "good"), 900.0),
            (SLO_WINDOW_EVENTS, (OURS.slo, OURS.period_label, "bad"), 100.0),
            (SLO_BUDGET_REMAINING, (OURS.slo, OURS.period_label), -0.5),
        )
    )
    for sample in GAUGES.compute(at_):
        value = resolve(sample.value)
        if value is not None:
            told.setdefault(sample.metric.name, []).append((sample.labels, value))
    return view(NOW, at_.history, definitions=definitions, rows=told, plans=(MINE,), **more)


def test_each_team_is_one_line() -> None:
    """In order of name; nobody who owns nothing in particular is a team, and what is not known is a dash."""
    found = tables(seen(*FACTS), "/teams")[""]
    assert found.columns == (
        "Team", "Persona", "Deployments a day", "Lead time", "Change failure", "Active capabilities", "Open tickets", "Worst SLO",
    )  # fmt: skip
    assert found.rows == (
        ("pay", "app-developer", "0.32 n 9", "30.0 h n 9", "11.1 % n 9", "1 of 2 0 of 1 mandated", "–", f"exhausted {OURS.slo}"),
        ("web", "–", "– n –", "– n –", "– n –", "–", "–", "keeps none"),
    )  # fmt: skip


def test_a_team_has_everything_on_one_page() -> None:
    """Its SLOs, delivery, capabilities, promises, pain points of its persona and services, and how many it is."""
    shown, text = tables(seen(*FACTS), "/teams/pay"), html(seen(*FACTS), "/teams/pay")
    assert shown["Its SLOs"].rows == ((OURS.slo, "exhausted", "-50.0 %"),)
    assert shown["Delivery"].rows == (
        ("Deployments a day", "0.32", "0.07", "9", "–"),
        ("Lead time", "30.0 h", "–", "9", "–"),
        ("Change failure", "11.1 %", "–", "9", "too few to compare (n 9 and 2)"),
        ("Recovery", "–", "–", "1", "–"),
        ("Rework", "0.0 %", "–", "9", "too few to compare (n 9 and 2)"),
    )
    assert shown["What it uses"].rows == (
        ("ci", "active", "idle", "75.0 %"),
        ("gateway", "eligible", "–", "–"),
        ("scan mandated", "churned", "–", "–"),
    )
    elsewhere = "– told elsewhere: Prometheus counts it"
    assert shown["What the platform promises it"].rows == (
        ("all to everybody", "90 %", elsewhere, "–", elsewhere),
        ("devs to app-developer", "90 %", elsewhere, "–", elsewhere),
    )
    assert [row[0] for row in shown["Pain points of its persona"].rows] == ["slow-ci"]
    assert shown["Its services"].rows == (("shop", "1"),)
    assert '<div class="value">7</div>' in text
    assert '<div class="value">1 of 2</div>' in text


def test_who_has_nothing_is_told_so() -> None:
    """A team that keeps no SLO, uses nothing and is of no persona has what is promised to everybody."""
    shown = tables(seen(*FACTS), "/teams/web")
    assert [shown[name].rows[0][0] for name in ("Its SLOs", "What it uses", "What the platform promises it")] == [
        "It keeps none: no SLO file names it as owner.",
        "Nothing is known of a capability that it could use.",
        "all to everybody",
    ]
    assert "Pain points of its persona" not in shown


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [
        ((1, 7), (9, 90), "too few to compare (n 7 and 90)"),
        ((1, 10), (2, 10), "no clear change"),
        ((20, 40), (5, 50), "changed by +21.3 to +55.8 points"),
        ((5, 50), (20, 40), "changed by -55.8 to -21.3 points"),
    ],
)
def test_a_ratio_changed_only_beyond_noise(now: tuple[float, float], before: tuple[float, float], said: str) -> None:
    """Newcombe's interval has to leave out 0, and each side has to have eight."""
    assert changed(now, before) == said


def test_an_empty_store_says_what_is_missing() -> None:
    """And a team that nobody knows has no page; `_unowned` is none."""
    empty = view(NOW)
    text = html(empty, "/teams")
    assert "No team is known yet" in text
    assert "Numbers of tickets are missing or not whole: no configured source gives it." in text
    client = Client(make_app(site(seen(*FACTS))))
    assert [client.get(f"/teams/{name}").status_code for name in ("pay", "nobody", "_unowned")] == [200, 404, 404]


def test_teams_are_for_those_who_may_see_single_ones() -> None:
    """As the page of Delivery (domain section 2)."""
    assert PAGE.role is Role.PM
