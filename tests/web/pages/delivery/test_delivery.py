"""The page Delivery, its page of a team, and the way of a change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.support.delivery import NOW, SHOP, at, broken, deployed, merged, scene
from tests.support.history import MemoryHistory, owner, source
from tests.support.our_slos import our_plans
from tests.support.views import examples, html, site, tables, view
from werkzeug.test import Client

from platform_meter.measures.delivery.numbers import GAUGES
from platform_meter.model.definitions import Definitions
from platform_meter.model.delivering import Delivery, LeadTime, Start
from platform_meter.model.facts import Event, Ref
from platform_meter.model.facts.ci import Outcome, PipelineRun
from platform_meter.model.facts.delivery import Change, DeployKind, Deployment, DeployResult, DeployWay
from platform_meter.model.facts.incidents import Severity
from platform_meter.model.history import Owner
from platform_meter.model.metric import resolve
from platform_meter.model.objective import StoredSli
from platform_meter.runtime.access.roles import Role
from platform_meter.slo.stored import stored_objective
from platform_meter.web.app import make_app
from platform_meter.web.pages.delivery import PAGE
from platform_meter.web.view import View

SHAS = [f"{n + 1:x}" * 40 for n in range(9)]
OLD = [deployed(hours, f"{-hours:040x}") for hours in (-600, -500)]
DAILY = [
    fact
    for n in range(6)
    for fact in (merged(24 * n + 2, SHAS[n]), deployed(24 * n + 12, SHAS[n], url=f"https://gh/{n}"))
]
"""One a day for six days: ten hours after its merge, thirty after its first commit."""
NAMED = broken(61, 63, "#7", mentions=(SHAS[2],), url="https://pd/7", severity=Severity.MAJOR)
UNLINKED = broken(600, None, "#9", url="javascript:alert(1)")


def seen(*facts: Event | tuple[Owner, Event], **more: Any) -> View:
    """What the page sees after a tick."""
    at_ = scene(*facts, definitions=more.get("definitions"))
    assert isinstance(at_.history, MemoryHistory)
    rows: dict[str, list[tuple[tuple[str, ...], float]]] = {}
    for sample in GAUGES.compute(at_):
        value = resolve(sample.value)
        if value is not None:
            rows.setdefault(sample.metric.name, []).append((sample.labels, value))
    return view(NOW, at_.history, **{"rows": rows, **more})


def test_each_team_stands_beside_its_own_past() -> None:
    """In order of name, whatever its numbers; under five samples there is a dash, and always how many there are."""
    web = replace(deployed(5, "e" * 40), about=Ref(system="github", kind="repository", id="acme/web"))
    found = tables(seen(*OLD, *DAILY, NAMED, UNLINKED, (owner("web", "alpha"), web)), "/delivery")[""]
    assert found.columns == (
        "Team", "Deployments a day", "Lead time", "Change failure", "Recovery", "Rework", "Open failures", "Unlinked incidents",
    )  # fmt: skip
    assert found.rows == (
        ("alpha", "0.04 0.00 before, n 1", "– n –", "– n 1", "– n 0", "– n 1", "0", "0"),
        ("pay", "0.21 0.07 before, n 6", "30.0 h n 6", "16.7 % n 6", "– n 1", "0.0 % n 6", "0", "1"),
    )


def test_what_is_not_known_whole_is_no_past() -> None:
    """Read for 40 days alone: the 28 before the last 28 are known in part, and part of a window compares with nothing."""
    facts = [("github", SHOP, fact) for fact in (*OLD, *DAILY)]
    young = source("github", watermark=NOW, read_from=NOW - timedelta(days=40))
    history = MemoryHistory(facts, sources=[young], gives={"github": frozenset({Deployment, Change})})
    rows = seen(*OLD, *DAILY).rows
    text = html(view(NOW, history, rows=rows), "/delivery")
    assert "before, n" not in text
    assert "over the 28 days before those, which are not known whole yet" in text


def test_without_sources_the_page_says_which_to_configure() -> None:
    """What tells of each kind, and an example of incidents."""
    empty = view(NOW)
    text = html(empty, "/delivery")
    assert (
        "There are no numbers of deployments: no configured source gives it. Sources of type github, gitlab, argocd, "
        "kubernetes, jenkins, tekton or push tell of them."
    ) in text
    assert "There are no changes: no configured source gives it. Sources of type github, gitlab or push" in text
    assert "type: pagerduty" in examples(empty, "/delivery")[0]
    assert "There are no" not in html(seen(*DAILY), "/delivery")


def test_a_team_sees_why_each_deployment_failed_and_what_ended_it() -> None:
    """Named by an incident, rolled back, mended by a hotfix; an open one says so. Each has its links."""
    hotfix = merged(150, SHAS[7], labels=("hotfix",), mends=(SHAS[5],), name="acme/shop#8", url="https://gh/pull/8")
    facts = [
        *DAILY,
        NAMED,
        deployed(85, SHAS[2], url="https://gh/back"),
        broken(84.5, 86, "#10"),
        hotfix,
        deployed(160, SHAS[7]),
        broken(170, None, "#11", url="https://pd/11"),
    ]
    shown, text = tables(seen(*facts), "/delivery/pay"), html(seen(*facts), "/delivery/pay")
    assert shown["Failed deployments"].rows == (
        ("07 Jun 16:00", "shop", "88888888", "an incident of its service followed: #11", "near", "open", "20.9 d"),
        (
            "06 Jun 12:00",
            "shop",
            "66666666",
            "it was reverted or mended: acme/shop#8",
            "revert",
            "planned: 88888888",
            "28.0 h",
        ),
        (
            "04 Jun 12:00",
            "shop",
            "44444444",
            "it was rolled back it was rolled back while an incident was open: #10",
            "rollback rollback",
            "rollback: 33333333 resolved: #10",
            "90 min",
        ),
        ("03 Jun 12:00", "shop", "33333333", "an incident names it: #7", "named", "resolved: #7", "2.0 h"),
    )
    for link in (
        '<a href="https://pd/7" rel="noreferrer">#7</a>',
        '<a href="https://gh/back" rel="noreferrer">33333333</a>',
        '<a href="https://gh/pull/8" rel="noreferrer">acme/shop#8</a>',
    ):
        assert link in text


def test_an_old_failure_is_shown_as_long_as_it_is_open() -> None:
    """Of two before the window, the one that somebody recovered from is over."""
    facts = [*OLD, broken(-599, -590, "#1"), broken(-499, None, "#2"), *DAILY]
    rows = tables(seen(*facts), "/delivery/pay")["Failed deployments"].rows
    assert [(row[0], row[3], row[5]) for row in rows] == [
        ("11 May 04:00", "an incident of its service followed: #2", "open"),
    ]


def test_a_team_sees_what_its_numbers_are_made_of() -> None:
    """Changes by stage, deployments with their changes, incidents of no deployment; a script is no address."""
    facts = [*DAILY, NAMED, UNLINKED]
    shown, text = tables(seen(*facts), "/delivery/pay"), html(seen(*facts), "/delivery/pay")
    assert shown["Incidents of no deployment"].rows == (("26 Jun 00:00", "#9", "shop", "unknown", "1", "open 3.0 d"),)
    assert shown["Lead time by stage"].rows == (
        ("coding", "10.0 h", "10.0 h", "–"),
        ("pickup", "6.0 h", "6.0 h", "–"),
        ("review", "4.0 h", "4.0 h", "–"),
        ("deploy, the platform's share", "10.0 h", "10.0 h", "–"),
        ("total", "30.0 h", "30.0 h", "–"),
    )
    assert shown["Deployments"].rows[3] == (
        "03 Jun 12:00", "shop", "33333333", "planned", "production", "1", "failed", "its way",
    )  # fmt: skip
    assert f"acme/shop#{SHAS[5]}" in text
    assert "javascript:" not in text


def test_numbers_of_a_team_lead_to_what_they_are_made_of() -> None:
    """Each of the five to its table; a past is named, and what is merged and not deployed is counted."""
    late, bot = merged(660, SHAS[8]), merged(662, "b" * 40, bot=True)
    web = Ref(system="github", kind="repository", id="acme/web")
    theirs = (deployed(5, "d" * 40), merged(6, "e" * 40), deployed(8, "e" * 40), merged(664, "c" * 40))
    others = [(owner("web", "alpha"), replace(fact, about=web)) for fact in theirs]
    text = html(seen(*OLD, *DAILY, NAMED, late, bot, *others), "/delivery/pay")
    for name, value, more, href in (
        ("Deployments a day", "0.21", "of 6 deployments; 0.07 the 28 d before", "deployments"),
        ("Lead time", "30.0 h", "of 6 changes", "changes"),
        ("Change failure", "16.7\N{NO-BREAK SPACE}%".replace("\N{NO-BREAK SPACE}", " "), "of 6 judged", "failed"),
        ("Recovery", "–", "of 1 recovered", "failed"),
    ):
        tile = f'<a href="#{href}">{name}</a></div><div class="value">{value}</div><div class="more">{more}</div>'
        assert tile in text
    assert (
        '<div class="value">1</div><div class="more">changes merged in 28 d and not deployed, the oldest for 12.0 h'
        in text
    )


def test_services_stand_beside_their_own_past() -> None:
    """In order of name, of 56 days; what has no service is called as its source calls it."""
    odd = replace(deployed(30, "e" * 40), about=Ref(system="github", kind="repository", id="acme/odd"))
    old = deployed(-700, "f" * 40)
    facts = [old, *OLD, *DAILY, NAMED, deployed(85, SHAS[2]), (owner("_unowned", "pay"), odd)]
    assert tables(seen(*facts), "/delivery/pay")["Services"].rows == (
        ("github:acme/odd", "1", "0", "0", "0", "0"),
        ("shop", "7", "2", "6", "2", "1"),
    )


def test_a_delivery_file_is_followed() -> None:
    """Lead time from the merge, and bots count: the tables say so."""
    choice = Delivery(kind="Delivery", id="delivery", lead_time=LeadTime(start=Start.MERGED, bots=True))
    made = Definitions(deliveries=(choice,))
    facts = [*DAILY, merged(660, SHAS[8], bot=True)]
    text = html(seen(*facts, definitions=made), "/delivery/pay")
    assert "Total begins at merged." in text
    assert "Changes of bots count." in text
    assert '<div class="value">1</div><div class="more">changes merged in 28 d and not deployed' in text
    assert tables(seen(*facts, definitions=made), "/delivery/pay")["Lead time by stage"].rows[-1][1] == "10.0 h"


def test_weeks_tell_kinds_and_failures() -> None:
    """A failed deployment stands among the failed alone; a week of too few changes has no median."""
    bots = [merged(3 + n, f"{n:x}b" * 20, bot=True, first_commit=at(-900)) for n in range(12)]
    facts = [*OLD, *bots, *DAILY, NAMED, deployed(170, SHAS[8], kind=DeployKind.HOTFIX)]
    shown = tables(seen(*facts), "/delivery/pay")
    weeks = shown["Deployments to production"]
    assert weeks.columns == ("", "planned", "hotfix", "failed")
    assert [row for row in weeks.rows if row[1:] != ("0", "0", "0")] == [
        ("04 May", "1", "0", "0"),
        ("11 May", "1", "0", "0"),
        ("01 Jun", "4", "0", "2"),
        ("08 Jun", "0", "1", "0"),
    ]
    assert [row for row in shown["Lead time, median hours"].rows if row[1] != "–"] == [("01 Jun", "30", "10")]


def test_one_read_gives_the_way_of_a_change() -> None:
    """From its first commit to what broke, each step with how long after the one before; by a part of its commit too long to be another."""
    ran = PipelineRun(
        key="run", at=at(51), about=DAILY[0].about, pipeline="build", outcome=Outcome.USER_FAILURE,
        ran=timedelta(minutes=5), group="g", sha=SHAS[2],
    )  # fmt: skip
    staged = deployed(55, SHAS[2], "staging", result=DeployResult.FAILED)
    facts = [*DAILY, NAMED, ran, staged]
    path, name = f"/delivery/{SHAS[2]}", f"acme/shop#{SHAS[2]}"
    assert tables(seen(*facts), path)[""].rows == (
        ("2026-06-02 06:00:00", "first commit", "", ""),
        ("2026-06-02 16:00:00", f"{name} opened", "", "10.0 h"),
        ("2026-06-02 22:00:00", f"{name} first reviewed", "by somebody else", "6.0 h"),
        ("2026-06-03 02:00:00", f"{name} merged", "into main", "4.0 h"),
        ("2026-06-03 03:00:00", "build ran", "user failure", "60 min"),
        ("2026-06-03 07:00:00", "never served in staging", "planned, told by github (deployments api)", "4.0 h"),
        ("2026-06-03 12:00:00", "deployed in production", "planned, told by github (deployments api)", "5.0 h"),
        ("2026-06-03 13:00:00", "incident #7 names it", "major", "60 min"),
        ("2026-06-03 15:00:00", "incident #7 resolved", "", "2.0 h"),
    )
    assert tables(seen(*facts), path)["The deployment that carried it failed"].rows[0][3] == (
        "an incident names it: #7"
    )
    assert "The deployment that carried it failed" not in html(seen(*facts), f"/delivery/{SHAS[1]}")


@pytest.mark.parametrize("name", ["nobody", "f" * 40, "f" * 7, "..%2f"])
def test_what_nobody_knows_is_not_there(name: str) -> None:
    """Neither a team nor a commit of anything stored."""
    assert Client(make_app(site(seen(*DAILY)))).get(f"/delivery/{name}").status_code == 404


def test_it_is_for_those_who_may_see_teams() -> None:
    """Detail of teams is no viewer's business (domain section 1)."""
    assert PAGE.role is Role.PM


def test_ways_that_tell_different_numbers_are_named() -> None:
    """With what each told in the last week, the one that counts first; where they agree there is no such table."""
    facts = [deployed(hours, SHAS[0], key=str(hours)) for hours in (600, 610)]
    job = deployed(600.1, SHAS[0], key="job", way=DeployWay.JOB)
    found = tables(seen(*facts, job), "/delivery")["Told differently"]
    assert found.rows == (("pay", "shop", "production", "2 by deployments_api (counts), 1 by job"),)
    assert "Told differently" not in tables(seen(*facts), "/delivery")


def test_reliability_is_of_the_slos_that_the_team_keeps() -> None:
    """Those met, of those with data; a team without any has no such number."""
    plans = [p for p in our_plans() if isinstance(p.sli, StoredSli)][:3]
    mine = tuple(replace(plan, owner="pay") for plan in plans)
    objectives = tuple(o for o in map(stored_objective, mine) if o is not None)
    facts = seen(*DAILY)
    assert isinstance(facts.history, MemoryHistory)
    budgets = [((plan.slo, "28d"), left) for plan, left in zip(mine, (0.2, -0.1), strict=False)]
    rows = {**facts.rows, "platform_slo_budget_remaining_ratio": budgets}
    rows["platform_slo_window_events"] = [((plan.slo, "28d", "good"), 100.0) for plan in mine[:2]]
    told = view(NOW, facts.history, rows=rows, plans=mine, definitions=Definitions(objectives=objectives))
    text = " ".join(html(told, "/delivery/pay").split())
    assert "Reliability" in text
    assert "1 of 2" in text
    assert "of its SLOs are met; 1 without data" in text
    assert "Reliability" not in html(facts, "/delivery/pay")
