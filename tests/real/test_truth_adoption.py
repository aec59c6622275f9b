"""Adoption, computed a second time from what the simulated company knows, against snapshots, counters and gauges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from tests.support import reference
from tests.support.company import Running, company
from tests.support.imported import DETAIL, IMPORT, end, told

from platform_meter.demo.files import conflicts
from platform_meter.demo.tickets import COMPONENT_OWNERS, PROJECTS
from platform_meter.measures import adoption
from platform_meter.model.definitions import Capability
from platform_meter.model.history import UnitState

DAY = timedelta(days=1)
OUTAGE = 12 * DAY


@pytest.fixture(scope="module")
def outlived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A company polled once a day for a week, then not for twelve days, then again."""
    only: dict[str, dict[str, Any]] = {"github": {}, "jira": {}}
    with company(tmp_path_factory.mktemp("outlived"), teams=8, services=40, only=only) as made:
        made.poll()
        for after in (*(7 * [DAY]), OUTAGE, DAY):
            made.poll(after=after)
        yield made


def use_of(running: Running, capability: Capability) -> dict[str, Counter[date]]:
    """Use by unit and day, of what the import reads."""
    verb, first = capability.active.verbs[0], running.first - IMPORT
    place = 0 if capability.unit == "service" else 1
    found: dict[str, Counter[date]] = {}
    if verb == "run":
        details = running.first - DETAIL
        for ran in running.truth.attempts(first, end(running), details_since=details):
            if ran.run.created >= first:
                found.setdefault(ran.repo.owner[place], Counter())[running.truth.day(ran.at)] += 1
        return found
    if verb == "ticket":
        asks = {p.key: p.by_team for p in PROJECTS}
        for ticket, _ in told(running):
            team = ticket.component if asks[ticket.project] else COMPONENT_OWNERS.get(ticket.component, "_unowned")
            found.setdefault(team, Counter())[running.truth.day(ticket.created)] += 1
        return found
    for owner, days in running.truth.use_days(verb, first, end(running)).items():
        found.setdefault(owner[place], Counter()).update(days)
    return found


def capabilities(running: Running) -> list[Capability]:
    """Those adopted by use: of what stands, nothing is known before it was seen."""
    return [c for c in running.service.definitions.capabilities if c.adopted.verb]


def today_of(running: Running) -> date:
    return running.truth.day(running.clock.at)


def truth_of(
    running: Running, capability: Capability
) -> tuple[dict[date, dict[str, str]], reference.Past, dict[str, Counter[date]]]:
    """States of every day since the first use, what is known of the past after them, and the use."""
    use = use_of(running, capability)
    first = min(day for days in use.values() for day in days)
    days, past = reference.daily(capability, running.world.company, use, first, today_of(running))
    return days, past, use


def snapshots(running: Running, capability: Capability) -> dict[date, dict[str, UnitState]]:
    """What the store holds, by day and unit."""
    found: dict[date, dict[str, UnitState]] = {}
    with running.service.history() as history:
        for row in history.snapshots(capability.id, today_of(running) - 400 * DAY, today_of(running)):
            found.setdefault(row.day, {})[row.unit] = row
    return found


def shown(running: Running, metric: str, capability: Capability, **labels: str) -> dict[str, float]:
    """Values of a gauge of one capability, by state where it has one."""
    found = [(dict(k), v) for k, v in running.metrics()[metric].items()]
    wanted = {"capability": capability.id, **labels}
    return {k.get("state", ""): v for k, v in found if wanted.items() <= k.items()}


def test_adoption_of_every_day(imported: Running) -> None:
    """Units by state of each day since the first use, and now, are what a plain second computation finds."""
    company = imported.world.company
    for capability in capabilities(imported):
        truth, past, use = truth_of(imported, capability)
        found = {
            day: {u: row.state for u, row in rows.items()} for day, rows in snapshots(imported, capability).items()
        }
        assert found == truth
        states = reference.states(capability, company, use, past, today_of(imported) + DAY, set())
        now = shown(imported, "platform_adoption_units", capability)
        assert {k: v for k, v in now.items() if v} == dict(Counter(states.values()))


def test_adoption_by_what_stands(imported: Running) -> None:
    """A capability adopted by standing workloads: who has one, and who used it besides."""
    capability = next(c for c in imported.service.definitions.capabilities if c.adopted.count)
    company, today = imported.world.company, today_of(imported)
    with imported.service.history() as history:
        first = history.last_snapshot(capability.id)
    # A rule that gives a workload to another team names no service: it is nobody's deployable.
    taken = {("eu", name.rpartition("/")[2]) for name in conflicts(company)}
    standing = {
        key[1]
        for name, cluster in imported.world.clusters.items()
        for kind in ("deployments", "statefulsets", "daemonsets")
        for key, _ in cluster.snapshot(kind)[1]
        if (name, key[1]) not in taken
    } & {s.id for s in company.services}
    states = reference.states(
        capability, company, use_of(imported, capability), reference.Past(), today + DAY, standing
    )
    now = shown(imported, "platform_adoption_units", capability)
    assert first is None
    assert {k: v for k, v in now.items() if v} == dict(Counter(states.values()))
    assert len(standing) > 5


def test_ratios_and_active_units(imported: Running) -> None:
    """Stickiness, churn, active units and depth, of every capability that rests on use."""
    company, today = imported.world.company, today_of(imported)
    for capability in capabilities(imported):
        use = use_of(imported, capability)

        def value(metric: str, capability: Capability = capability, **labels: str) -> float:
            return shown(imported, metric, capability, **labels)[""]

        for window, days in (("7d", 7), ("28d", 28)):
            truth = reference.active_units(capability, company, use, today, days)
            assert value("platform_active_units", window=window) == truth
        assert value("platform_stickiness_ratio") == pytest.approx(
            reference.stickiness(capability, company, use, today)
        )
        assert value("platform_churn_ratio") == pytest.approx(reference.churn(capability, company, use, today))
        if capability.unit == "service":
            adopted = {unit for unit in use if reference.adopts(capability, use, set(), unit, today + DAY)}
            assert value("platform_adoption_depth_ratio") == pytest.approx(
                reference.depth(capability, company, adopted, today)
            )


def found_changes(running: Running, capability: Capability) -> dict[date, set[tuple[str, str]]]:
    """(unit, transition) of each day, as the measure tells them of the stored snapshots."""
    days = snapshots(running, capability)
    return {
        day: {(t.unit, str(t.change)) for t in adoption.transitions(days[before], days[day].values())}
        for before, day in pairwise(sorted(days))
    }


def test_transitions_of_every_day(imported: Running) -> None:
    """Who became new, came back, went quiet, was lost or left, on each of 90 days; and their balance."""
    seen: Counter[str] = Counter()
    for capability in capabilities(imported):
        truth, _, _ = truth_of(imported, capability)
        found = found_changes(imported, capability)
        assert found == reference.changes(truth)
        for before, day in pairwise(sorted(truth)):
            by: Counter[str] = Counter(change for _, change in found[day])
            active = [sum(state == "active" for state in truth[at].values()) for at in (before, day)]
            assert active[1] == active[0] + by["new"] + by["resurrected"] - by["dormant"] - by["left_eligibility"]
            seen += by
    assert seen.keys() >= {"new", "resurrected", "dormant", "churned"}


def test_the_counter_holds_every_transition_since_the_first_poll(outlived: Running) -> None:
    """Not one of the reconstructed past, and all of the twelve days on which nobody looked, each on its own day."""
    total = 0
    lost: list[Any] = []
    for capability in capabilities(outlived):
        truth, _, _ = truth_of(outlived, capability)
        changes = reference.changes(truth)
        assert found_changes(outlived, capability) == changes
        live = outlived.truth.day(outlived.first)
        counted = Counter(change for day, of in changes.items() if day >= live for _, change in of)
        found = {
            dict(k)["transition"]: v
            for k, v in outlived.metrics()["platform_adoption_transitions_total"].items()
            if dict(k)["capability"] == capability.id
        }
        assert {k: v for k, v in found.items() if v} == counted
        total += counted.total()
        lost += [day for day, of in changes.items() if live + 7 * DAY <= day < live + 7 * DAY + OUTAGE - 7 * DAY and of]
    assert total > 20
    assert len(lost) > 3
