"""Adoption and CI computed a second time, slowly and simply, from what the company itself knows.

Written from the domain's definitions (sections 7 and 11), sharing nothing with the measures but the declared files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise

from platform_meter.demo.company.layout import Company
from platform_meter.demo.truth import Ran
from platform_meter.model.definitions import Capability

DAY = timedelta(days=1)
FAILURES = {"user_failure", "infra_failure", "unknown"}
FEWEST = 5
"""Samples below which a sampled ratio is absent."""
Use = Mapping[str, Counter[date]]
"""Uses by unit and day."""


# Adoption


@dataclass
class Past:
    """What a unit ever was, by its daily snapshots."""

    active: set[str] = field(default_factory=set)
    adopted: set[str] = field(default_factory=set)


def eligible(capability: Capability, company: Company, day: date) -> set[str]:
    """The demo's selectors: services by type and lifecycle, since they exist; teams by org."""
    found: set[str] = set()
    for alternative in capability.eligible.any:
        if alternative.service is not None:
            rule = alternative.service
            found |= {
                s.id
                for s in company.services
                if (not rule.kind or s.type in rule.kind)
                and (not rule.lifecycle or s.lifecycle in rule.lifecycle)
                and company.repo[s.id].created.date() <= day
            }
        elif alternative.team is not None:
            orgs = alternative.team.org
            found |= {t.id for t in company.teams if not orgs or t.org in orgs}
    return found


def exempt(capability: Capability, day: date) -> set[str]:
    return {e.unit for e in capability.exempt if day <= e.until}


def units(capability: Capability, company: Company) -> set[str]:
    return {s.id for s in company.services} if capability.unit == "service" else {t.id for t in company.teams}


def used(use: Use, unit: str, end: date, days: int) -> list[int]:
    """Uses on each of the `days` days before `end` that had any."""
    counted = use.get(unit, Counter())
    return [n for day, n in counted.items() if end - days * DAY <= day < end]


def adopts(capability: Capability, use: Use, standing: set[str], unit: str, end: date) -> bool:
    """The predicate: objects that stand now, or enough use of the verb in the window."""
    if capability.adopted.verb is None:
        return unit in standing
    return sum(used(use, unit, end, capability.active.window.days)) >= capability.adopted.min


def is_active(capability: Capability, use: Use, unit: str, end: date) -> bool:
    """Enough days of use and enough of it in the window that ends before `end`."""
    within = used(use, unit, end, capability.active.window.days)
    return len(within) >= capability.active.min_days and sum(within) >= capability.active.min_amount


def states(
    capability: Capability, company: Company, use: Use, past: Past, end: date, standing: set[str]
) -> dict[str, str]:
    """Each unit's state at the end of the day before `end`, the first of the domain's list that fits.

    The demo's adopted verbs are its active ones: who adopted by use is lost by silence alone. Who is active has adopted.
    """
    said = capability.churned.inactive
    inactive = said.days if said else 2 * capability.active.window.days
    can, left_out = eligible(capability, company, end - DAY), exempt(capability, end - DAY)
    found: dict[str, str] = {}
    for unit in sorted(units(capability, company)):
        silent = not used(use, unit, end, inactive)
        if capability.adopted.verb:
            lately = adopts(capability, use, standing, unit, end) or (unit in past.adopted and not silent)
        else:
            lately = any(adopts(capability, use, standing, unit, end - n * DAY) for n in range(15))
            lately = lately or is_active(capability, use, unit, end)
        if unit in left_out:
            found[unit] = "exempt"
        elif unit not in can:
            found[unit] = "not_eligible"
        elif (unit in past.adopted and not lately) or (unit in past.active and silent):
            found[unit] = "churned"
        elif is_active(capability, use, unit, end):
            found[unit] = "active"
        elif unit in past.active:
            found[unit] = "dormant"
        elif lately:
            found[unit] = "adopted_idle"
        else:
            found[unit] = "eligible"
    return found


def daily(
    capability: Capability, company: Company, use: Use, first: date, today: date
) -> tuple[dict[date, dict[str, str]], Past]:
    """Each unit's state at the end of each day in [first, today), and what is known of the past after them.

    `adopted` must rest on use: of objects that stand nothing is known before they were seen.
    """
    past = Past()
    found: dict[date, dict[str, str]] = {}
    day = first
    while day < today:
        now = found[day] = states(capability, company, use, past, day + DAY, set())
        past.active |= {unit for unit, state in now.items() if state == "active"}
        past.adopted |= {unit for unit in now if adopts(capability, use, set(), unit, day + DAY)}
        day += DAY
    return found, past


def changes(days: Mapping[date, Mapping[str, str]]) -> dict[date, set[tuple[str, str]]]:
    """(unit, transition) of each day, held against the day before; the first day has nothing to be held against."""
    found: dict[date, set[tuple[str, str]]] = {}
    once = set[str]()
    for before, day in pairwise(sorted(days)):
        once |= {unit for unit, state in days[before].items() if state == "active"}
        found[day] = set()
        for unit, state in days[day].items():
            was = days[before][unit]
            if was == state:
                continue
            if state == "active":
                found[day].add((unit, "resurrected" if unit in once else "new"))
            if was == "active":
                found[day].add((unit, "left_eligibility" if state in {"not_eligible", "exempt"} else "dormant"))
            if state == "churned":
                found[day].add((unit, "churned"))
    return found


def judged(capability: Capability, company: Company, today: date) -> set[str]:
    """Units that ratios are about: eligible and not exempt."""
    return eligible(capability, company, today) - exempt(capability, today)


def active_units(capability: Capability, company: Company, use: Use, today: date, days: int) -> int:
    """Units with any use in the days up to today."""
    return sum(bool(used(use, unit, today + DAY, days)) for unit in judged(capability, company, today))


def stickiness(capability: Capability, company: Company, use: Use, today: date) -> float:
    """Of the units with any use in the 28 days before today, the share that uses it on a business day, on average."""
    days = [today - n * DAY for n in range(1, 29)]
    some = [unit for unit in judged(capability, company, today) if used(use, unit, today, 28)]
    business = [day for day in days if day.isoweekday() <= 5]
    return sum(use[unit][day] > 0 for unit in some for day in business) / len(business) / len(some)


def churn(capability: Capability, company: Company, use: Use, today: date) -> float:
    """Of the units active 28 days ago, and eligible still, the share that is not active now."""
    units = judged(capability, company, today)
    then = [unit for unit in units if is_active(capability, use, unit, today + DAY - 28 * DAY)]
    return sum(not is_active(capability, use, unit, today + DAY) for unit in then) / len(then)


def depth(capability: Capability, company: Company, adopted: set[str], today: date) -> float:
    """Of each team's eligible services the share that adopted, on average over teams."""
    by_team: dict[str, list[bool]] = {}
    can = judged(capability, company, today)
    for service in company.services:
        if service.id in can:
            by_team.setdefault(service.team, []).append(service.id in adopted)
    return sum(sum(of) / len(of) for of in by_team.values()) / len(by_team)


# CI


def flaky(attempts: Iterable[Ran]) -> dict[str, float]:
    """By team, of the groups with an attempt that ended the share with a failure and a success after it.

    A group is one workflow on one commit; a run that no change of code caused is a group of its own.
    """
    groups: dict[str, dict[tuple[object, ...], list[Ran]]] = {}
    for ran in attempts:
        run = ran.run
        code = (run.repo.name, run.workflow, run.sha, run.event)
        key = code if run.event in {"push", "pull_request"} else (*code, run.id)
        groups.setdefault(ran.repo.team, {}).setdefault(key, []).append(ran)
    return {
        team: sum(_flaked(sorted(of, key=lambda ran: ran.at)) for of in own.values()) / len(own)
        for team, own in groups.items()
        if len(own) >= FEWEST
    }


def _flaked(ordered: list[Ran]) -> bool:
    failed = False
    for ran in ordered:
        if ran.outcome == "success" and failed:
            return True
        failed = failed or ran.outcome in FAILURES
    return False


def unclassified(attempts: Iterable[Ran]) -> dict[str, float]:
    """By team, of the failures the share that nobody could classify."""
    failures = [(ran.repo.team, ran.outcome == "unknown") for ran in attempts if ran.outcome in FAILURES]
    whole = Counter(team for team, _ in failures)
    unknown = Counter(team for team, is_unknown in failures if is_unknown)
    return {team: unknown[team] / n for team, n in whole.items() if n >= FEWEST}
