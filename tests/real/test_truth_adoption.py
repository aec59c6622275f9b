"""Adoption, computed a second time from what the simulated company knows, against snapshots and gauges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise

import pytest
from tests.support import reference
from tests.support.company import Running
from tests.support.imported import capabilities, found_changes, snapshots, today_of, truth_of, use_of

from platform_meter.demo.apis.kubernetes import conflicts
from platform_meter.measures.adoption.goals import held
from platform_meter.measures.adoption.movers import moves
from platform_meter.model.adopting import AdoptionGoal
from platform_meter.model.definitions import Capability
from platform_meter.model.measure import Scene

DAY = timedelta(days=1)


def shown(running: Running, metric: str, capability: Capability, **labels: str) -> dict[str, float]:
    """Values of a gauge of one capability, by state where it has one."""
    found = [(dict(k), v) for k, v in running.metrics()[metric].items()]
    wanted = {"capability": capability.id, **labels}
    return {k.get("state", ""): v for k, v in found if wanted.items() <= k.items()}


def test_adoption_of_every_day(imported: Running) -> None:
    """Units by state of each day since a whole window was read, and now, are what a plain second computation finds."""
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
        first = history.last_day(f"adoption/{capability.id}")
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


def test_movers(imported: Running) -> None:
    """Who came, came back, fell silent, was lost or left between the ends of two days, by name; and whether so lopsided a
    number is chance: by all ways in which those who moved could have gone.
    """
    seen = Counter[str]()
    for capability in capabilities(imported):
        truth, _, _ = truth_of(imported, capability)
        last = max(truth)
        for back in (7, 28, 60):
            then = last - back * DAY
            with imported.service.history() as history:
                found = moves(history, capability.id, back)
            if then not in truth:
                # What is compared with days before the first snapshot is compared with nothing.
                assert found is None
                continue
            assert found is not None
            assert (found.first, found.last) == (then, last)
            expected = moved(truth, then, last)
            assert {str(kind): list(units) for kind, units in found.units.items()} == expected
            came = len(expected.get("new", ())) + len(expected.get("resurrected", ()))
            both = came + len(expected.get("dormant", ()))
            unlikely = sum(abs(2 * n - both) >= abs(2 * came - both) for n in ways(both)) / 2**both
            assert found.beyond_noise is (unlikely <= 0.05)
            seen.update({kind: len(units) for kind, units in expected.items()})
    assert seen.keys() >= {"new", "dormant", "churned"}


def moved(days: dict[date, dict[str, str]], then: date, last: date) -> dict[str, list[str]]:
    """Units by what they did from the end of one day to that of another: of the days between nothing is asked."""
    once = {unit for day, by in days.items() if day <= then for unit, state in by.items() if state == "active"}
    found: dict[str, list[str]] = {}
    for unit, state in sorted(days[last].items()):
        was = days[then][unit]
        if state == "active" != was:
            found.setdefault("resurrected" if unit in once else "new", []).append(unit)
        if was == "active" != state:
            gone = "left_eligibility" if state in {"not_eligible", "exempt"} else "dormant"
            found.setdefault(gone, []).append(unit)
        if state == "churned" != was:
            found.setdefault("churned", []).append(unit)
    return found


def ways(moved: int) -> Iterator[int]:
    """How many of them came, in each of the ways in which as many could have come or fallen silent."""
    return (way.bit_count() for way in range(2**moved))


def test_goals_on_adopted_units(imported: Running) -> None:
    """How many had adopted at the end of each day, of how many that could; and how each goal on them stands: the demo's
    own, one that is reached, one that is over, and one that asks for all within two weeks.
    """
    seen = set[str | None]()
    for capability in capabilities(imported):
        days, could = adopters(imported, capability)
        last = max(days)
        share = days[last] / could[last]
        soon, over = last + 14 * DAY, last - 3 * DAY
        asked = [(g.ratio, g.by) for g in capability.goals if g.of == "adopted"]
        asked += [(share, soon + DAY), (1.0, soon), (min(1.0, days[over] / could[over] + 0.01), over)]
        for ratio, by in asked:
            goal = AdoptionGoal(ratio=ratio, of="adopted", by=by)
            with imported.service.history() as history:
                service = imported.service
                one = capability.model_copy(update={"goals": (goal,)})
                at = Scene(history=history, definitions=service.definitions, now=imported.clock.at, zone=service.zone)
                (found,) = held(at, one)
            assert dict(found.trend.days) == days
            assert {day: found.trend.of[day] for day in days} == could
            reached = days[min(by, last)] / could[min(by, last)]
            assert found.ratio == pytest.approx(reached)
            state = "reached" if reached >= ratio else "missed" if by <= last else None
            if state is None and found.expected is not None:
                weeks = (by - last) / (7 * DAY)
                needed = reached + (ratio - reached) * min(weeks, 13) / weeks
                assert found.needed == pytest.approx(needed)
                state = "on_track" if found.expected.point >= needed else "at_risk"
            assert found.state == state
            seen.add(state)
    assert seen >= {"reached", "missed"}
    assert seen & {"on_track", "at_risk"}


def adopters(running: Running, capability: Capability) -> tuple[dict[date, int], dict[date, int]]:
    """By day with a snapshot, how many had adopted by use in the window up to its end, and how many could."""
    company, (truth, _, use) = running.world.company, truth_of(running, capability)
    could = {day: reference.judged(capability, company, day) for day in truth}
    done = {
        day: sum(reference.adopts(capability, use, set(), unit, day + DAY) for unit in units)
        for day, units in could.items()
    }
    return done, {day: len(units) for day, units in could.items()}


def test_goals_and_retention(imported: Running) -> None:
    """How far each goal is, and its state; and of those who began in a month, who was active in each later one."""
    words = ("on_track", "at_risk", "reached", "missed")
    told = imported.metrics()

    def value(metric: str, **labels: str) -> float:
        return told.get(metric, {}).get(tuple(sorted(labels.items())), 0.0)

    for capability in capabilities(imported):
        truth, _, _ = truth_of(imported, capability)
        last = max(truth)
        eligible = [state for state in truth[last].values() if state not in {"not_eligible", "exempt"}]
        share = eligible.count("active") / len(eligible)
        for goal in (goal for goal in capability.goals if goal.of == "active"):
            at = {"capability": capability.id, "by": str(goal.by)}
            (gap,) = shown(imported, "platform_adoption_goal_gap_ratio", capability, by=at["by"]).values()
            assert gap == pytest.approx(goal.ratio - share)
            expected = value("platform_adoption_goal_forecast_ratio", **at, bound="point")
            ahead = expected >= value("platform_adoption_goal_needed_ratio", **at)
            state = "reached" if share >= goal.ratio else "on_track" if ahead else "at_risk"
            found = shown(imported, "platform_adoption_goal_state", capability, by=at["by"])
            assert found == {word: float(word == state) for word in words}
        cohorts = [(dict(labels), v) for labels, v in told.get("platform_cohort_retention_ratio", {}).items()]
        kept = {(k["cohort"], k["age"]): v for k, v in cohorts if k["capability"] == capability.id}
        assert kept == pytest.approx(retained(truth, last + DAY))


def retained(days: dict[date, dict[str, str]], today: date) -> dict[tuple[str, str], float]:
    """By cohort and age in months; months are counted from the year 0, and a small cohort goes with the next one."""
    months: dict[str, set[int]] = {}
    for day, by in days.items():
        for unit in (unit for unit, state in by.items() if state == "active"):
            months.setdefault(unit, set()).add(day.year * 12 + day.month - 1)
    old = {unit for unit, state in days[min(days)].items() if state == "active"}
    running, waiting = today.year * 12 + today.month - 1, list[tuple[str, int]]()
    found: dict[tuple[str, str], float] = {}
    for month in range(running - 12, running):
        waiting += [(unit, month) for unit, lit in months.items() if unit not in old and min(lit) == month]
        if len(waiting) >= 5:
            for age in range(1, running - month):
                share = sum(first + age in months[unit] for unit, first in waiting) / len(waiting)
                found[f"{month // 12}-{month % 12 + 1:02}", str(age)] = share
            waiting = []
    return found
