"""Datadog, logs, Grafana and the status page: what they tell of the simulated company, against the store and `/metrics`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
from tests.support.company import Running
from tests.support.imported import end

from platform_meter.demo.company.boards import boards, rules
from platform_meter.demo.company.gateways import KONG
from platform_meter.demo.company.logs import logged
from platform_meter.demo.company.traffic import Traffic
from platform_meter.demo.company.watching import Check, watched
from platform_meter.model.facts.incidents import Incident
from platform_meter.model.facts.slis import SliCount

MINUTE, PAST, DELAY = timedelta(minutes=1), timedelta(hours=12), timedelta(minutes=2)
DATADOG, ELASTICSEARCH = "datadog", "elasticsearch"


def counted(running: Running, source: str) -> list[SliCount]:
    """What a source has told of each minute, from half a day before the first poll on; none is missing."""
    with running.service.history() as history:
        rows = history.rows(SliCount, running.first - PAST, end(running), source=source)
        found = [row.event for row in rows]
    assert len(found) == (running.clock.at - DELAY - running.first + PAST) / MINUTE
    return found


def amounts(minutes: Iterable[SliCount]) -> tuple[float, float]:
    """Good and bad events of all of them."""
    counts = [(one.good, one.bad) for one in minutes]
    return sum(good for good, _ in counts), sum(bad for _, bad in counts)


def stretch(running: Running) -> tuple[datetime, datetime]:
    """When the first of these minutes began, and when the last one ended."""
    return running.first - PAST, running.clock.at - DELAY


def traffic_of(running: Running) -> Traffic:
    return watched(running.world.company, running.world.scenario).traffic


def test_datadog_counts_what_the_service_tells_a_prometheus(imported: Running) -> None:
    """All requests and those that failed: the growth of the service's own counters."""
    before, after = (traffic_of(imported).codes(at) for at in stretch(imported))
    grown = {code: after[code] - before[code] for code in after}
    assert amounts(counted(imported, DATADOG)) == (grown["200"] + grown["404"], grown["500"])
    assert grown["500"] > 0


def test_logs_count_what_kong_answered(imported: Running) -> None:
    """The requests of the access log are those of the gateway, without what clients got wrong."""
    truth = imported.truth.gateway_requests(KONG, *stretch(imported))
    totals = Counter[str]()
    for (_, verdict), count in truth.items():
        totals[verdict] += count
    assert amounts(counted(imported, ELASTICSEARCH)) == (totals["good"], totals["bad"])
    assert totals["bad"] > 0


def test_slos_over_both(imported: Running) -> None:
    """Over a day both SLIs are as good as the minutes that were read; Datadog's own budget is that of 28 days.

    Windows are half-open: what ended at the end of what was read is in the next one.
    """
    last = imported.clock.at - DELAY
    one = watched(imported.world.company, imported.world.scenario)
    metrics = imported.metrics()

    def value(metric: str, **labels: str) -> float:
        (found,) = (v for k, v in metrics[metric].items() if labels.items() <= dict(k).items())
        return found

    for slo, source in ((one.slo, DATADOG), ("logged-requests", ELASTICSEARCH)):
        good, bad = amounts(minute for minute in counted(imported, source) if minute.at < last)
        assert value("platform_slo_sli_ratio", slo=slo, window="1d") == pytest.approx(good / (good + bad))
    before, after = (one.traffic.codes(imported.clock.at - ago) for ago in (timedelta(days=28), timedelta(0)))
    share = 1 - (after["500"] - before["500"]) / (sum(after.values()) - sum(before.values()))
    assert value("platform_slo_told_sli_ratio", slo=one.slo) == pytest.approx(share)
    left = 1 - (1 - share) / 0.001
    assert value("platform_slo_told_budget_remaining_ratio", slo=one.slo) == pytest.approx(left)


def test_monitors_by_team_and_state(imported: Running) -> None:
    """As each stands, drafts left out; that of a machine which is gone is nobody's."""
    one = watched(imported.world.company, imported.world.scenario)
    states = Counter(one.state(check, imported.clock.at) for check in (Check.ERRORS, Check.LATENCY, Check.LOAD))
    words = {"OK": "ok", "Warn": "warn", "Alert": "alert"}
    assert imported.counter("platform_monitors", "team", "state") == {
        ("_unowned", "no_data"): 1,
        **{(one.service.team, words[state]): n for state, n in states.items()},
    }


def test_dashboards_and_alert_rules_by_team(imported: Running) -> None:
    """Whether anybody looks at them, and whose they are: by folder, by tag, or nobody's."""
    company = imported.world.company
    seen = Counter((one.team or "_unowned", "yes" if one.views else "no") for one in boards(company))
    assert imported.counter("platform_dashboards", "team", "used") == seen
    assert seen["_unowned", "no"] == 1
    ruled = Counter((one.team,) for one in rules(company) if not one.paused)
    assert imported.counter("platform_alert_rules", "team") == ruled


def test_how_old_logs_are(imported: Running) -> None:
    """Seconds where requests are logged, and nine hours and what has passed since where nothing comes any more."""
    streams = logged(imported.world.company, imported.world.scenario)
    found = imported.metrics()["platform_log_index_age_seconds"]
    ages = {dict(k)["index"]: age for k, age in found.items()}
    assert ages == {one.pattern: (imported.clock.at - one.newest(imported.clock.at)).total_seconds() for one in streams}
    assert ages[streams[0].pattern] < 60
    passed = (imported.clock.at - imported.world.company.start + timedelta(hours=9)).total_seconds()
    assert 0 <= ages[streams[-1].pattern] - passed < 60


def test_looks_at_the_status_page(imported: Running) -> None:
    """One of each component with every poll; all are well."""
    with imported.service.history() as history:
        rows = list(history.rows(SliCount, imported.first - MINUTE, end(imported), source="status"))
        owners = {row.event.sli: history.owner(row.object).team for row in rows}
    assert Counter((row.event.sli, row.event.good, row.event.bad) for row in rows) == {
        (f"said-up/{name}", 1, 0): len(imported.looks)
        for name in ("portal", "ci", "api-gateway", "cluster-eu", "cluster-us")
    }
    assert owners["said-up/ci"] == "platform-ci"


def test_an_incident_that_is_told_twice_is_one(imported: Running) -> None:
    """Datadog's record, a minute younger, names that of those on call, and says the same of when it ended."""
    first = imported.first - PAST
    with imported.service.history() as history:
        there, called = (
            [row.event for row in history.rows(Incident, first, end(imported), source=source)]
            for source in (DATADOG, "pagerduty")
        )
    assert there
    for one in there:
        (same,) = (other for other in called if other.url in one.mentions)
        assert (one.at, one.resolved) == (same.at + MINUTE, same.resolved)


def test_who_has_adopted_what(imported: Running) -> None:
    """Teams by whether they have dashboards that somebody looks at, dashboards at all, alert rules, and logs."""
    company = imported.world.company
    teams = {team.id for team in company.teams if team.org != "platform"}
    spared = watched(company, imported.world.scenario).service.team
    seen, has = ({one.team for one in boards(company) if one.views >= least} & teams for least in (1, 0))
    rule = {one.team for one in rules(company) if not one.paused} & teams - {spared}
    log = {one.team for one in logged(company, imported.world.scenario)} & teams
    units = imported.counter("platform_adoption_units", "capability", "state")
    left = {"not_eligible": len(company.teams) - len(teams)}
    for capability, states in {
        "dashboards": {"active": len(seen), "adopted_idle": len(has - seen), "eligible": len(teams - has)},
        "alert-rules": {"active": len(rule), "eligible": len(teams - rule) - 1, "exempt": 1},
        "logs": {"active": len(log), "eligible": len(teams - log)},
    }.items():
        told = {state: n for (of, state), n in units.items() if of == capability}
        assert told == {state: n for state, n in {**states, **left}.items() if n}
        assert told["active"] > 0
