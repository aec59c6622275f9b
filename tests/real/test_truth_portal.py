"""The portal: what the simulated company knows of its catalog, its templates and its people, against `/metrics` and the page."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from tests.support.company import LOOKBACK, Running

from platform_meter.demo.company.portal import Entry, Made, entries, runs, visits
from platform_meter.model.facts.people import Membership

DAY = timedelta(days=1)
OUTCOMES = {"completed": "success", "failed": "failed", "cancelled": "cancelled"}


def is_complete(entry: Entry) -> bool:
    """By what its kind can have."""
    asked = ["owner", "description"]
    asked += ["system"] if entry.kind in ("Component", "API", "Resource") else []
    asked += ["lifecycle"] if entry.kind in ("Component", "API") else []
    return all(getattr(entry, field) for field in asked)


def ended(running: Running, start: datetime, end: datetime) -> list[Made]:
    return [made for made in runs(running.world.company, running.clock.at) if start <= made.ended < end]


def test_entries_by_kind_and_completeness(imported: Running) -> None:
    """Each entry is complete or not."""
    truth = Counter((one.kind.lower(), "yes" if is_complete(one) else "no") for one in entries(imported.world.company))
    assert imported.counter("platform_catalog_entities", "kind", "complete") == dict(truth)
    assert truth["component", "no"] > 5


def test_coverage(imported: Running) -> None:
    """Services that run or were built in 28 days and are listed, of all of them and of what has no service."""
    company = imported.world.company
    listed = {one.name for one in entries(company) if one.kind == "Component"}
    (value,) = imported.metrics()["platform_catalog_coverage_ratio"].values()
    table = imported.tables("/portal")["Catalog / Deployables that are not in the catalog"]
    outside = {row[0] for row in table.rows}
    services = {service.id for service in company.services}
    assert outside & listed == set()
    assert 0 < len(outside & services) < len(services - listed) + 1
    assert 0.5 < value < 1
    seen = round(len(outside) / (1 - value))
    assert abs(value - (seen - len(outside)) / seen) < 1e-9


def test_template_runs(imported: Running) -> None:
    """Those that ended since the first poll less the lookback are counted; the page has those of 28 days."""
    now = imported.looks[-1]
    counted = Counter((m.template, OUTCOMES[m.outcome]) for m in ended(imported, imported.first - LOOKBACK, now))
    assert imported.counter("platform_template_runs_total", "template", "outcome") == dict(counted)
    rows = imported.tables("/portal")["Templates"].rows
    truth = Counter((m.template, OUTCOMES[m.outcome]) for m in ended(imported, now - 28 * DAY, now))
    assert {
        (row[0], word): int(row[n]) for row in rows for n, word in ((1, "success"), (2, "failed"), (3, "cancelled"))
    } == {
        (template, word): truth[template, word]
        for template in {m.template for m in ended(imported, now - 28 * DAY, now)}
        for word in OUTCOMES.values()
    }


def test_the_golden_path(imported: Running) -> None:
    """Of the new repositories of 28 days those that a template made."""
    now = imported.looks[-1]
    born = [repo for repo in imported.world.company.repos if now - 28 * DAY <= repo.created < now]
    (value,) = imported.metrics()["platform_golden_path_ratio"].values()
    assert value == sum(bool(repo.template) for repo in born) / len(born) == 0.75
    (stay,) = imported.metrics()["platform_golden_path_stay_ratio"].values()
    assert stay == 1.0


def test_people_in_the_portal(imported: Running) -> None:
    """Distinct ones in each window up to the last poll, as far as was sent by then."""
    company, at = imported.world.company, imported.looks[-1]
    sent = visits(company, at - 28 * DAY, imported.looks[-2])
    truth = {days: len({v.person for v in sent if v.at >= at - days * DAY}) for days in (1, 7, 28)}
    found = imported.counter("platform_portal_active_people", "window")
    assert found == {(f"{days}d",): n for days, n in truth.items()}
    table = imported.tables("/portal")["Use / Docs, 28 d"]
    docs = Counter(v.area for v in visits(company, at - 28 * DAY, at) if v.did == "docs")
    assert {row[0]: int(row[1]) for row in table.rows} == dict(docs)


def test_nobody_is_named(imported: Running) -> None:
    """People are in their teams, and neither `/metrics` nor the page has one of them."""
    people = [person for team in imported.world.company.teams for person in team.people]
    texts = (imported.service.exposition.body().data.decode(), imported.page("/portal"))
    assert [person for person in people for text in texts if person in text] == []
    with imported.service.history() as history:
        members = [held.reading for held in history.readings(Membership)]
    assert Counter(team for one in members for team in one.teams) == Counter(
        {team.id: len(team.people) for team in imported.world.company.teams}
    )
