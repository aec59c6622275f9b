"""What gateways serve: routes of whom, requests that only grow, and how long each of them takes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.demo.worlds import START

from platform_meter.demo.company.gateways import (
    AWS,
    COUNT,
    DURATIONS,
    KONG,
    MOST,
    NGINX,
    NODES,
    last_sign,
    part,
    routes,
    served,
    took,
    within,
)
from platform_meter.demo.company.layout import Company
from platform_meter.demo.company.scenarios import Scenario, Trouble

COMPANY = Company.build(1, START)
SMALL = Company.build(2, START, teams=8, services=24)
MINUTE = timedelta(minutes=1)


def test_whose_routes_each_gateway_has() -> None:
    """Kong's are of two orgs and in the cluster, NGINX has websites there, Amazon's are the mobile org's without one."""
    of = {gateway: [r.service for r in served(COMPANY, Scenario(), gateway) if r.service] for gateway in MOST}
    assert {gateway: len(services) for gateway, services in of.items()} == {KONG: 12, NGINX: 10, AWS: 6}
    assert {COMPANY.team[s.team].org for s in of[KONG]} == {"shop", "logistics"}
    assert {s.type for s in of[NGINX]} == {"website"}
    assert {COMPANY.team[s.team].org for s in of[AWS]} == {"mobile"}
    names = [(r.gateway, r.name) for r in routes(COMPANY, Scenario())]
    assert len(set(names)) == len(names) == 32


def test_every_gateway_has_routes_of_nobody() -> None:
    """In the smallest company too, where that is all that a gateway may have."""
    nobodys = [(r.gateway, r.name) for r in routes(SMALL, Scenario()) if r.service is None]
    assert nobodys == [
        ("kong", "legacy-status"),
        ("kong", "partner-hook"),
        ("nginx", "monitoring/dashboards"),
        ("aws-eu", "campaign-2023"),
    ]
    assert {r.owner for r in routes(SMALL, Scenario()) if r.service is None} == {("_unowned", "_unowned")}


def test_requests_only_grow() -> None:
    """Of no kind there are fewer a second later, also while the cluster is slow."""
    slow = Scenario(trouble=Trouble.CLUSTER_SLOW, begin=START, end=START + MINUTE)
    for route in routes(COMPANY, slow):
        last = route.answered(START)
        for second in range(1, 121):
            now = route.answered(START + timedelta(seconds=second))
            assert (now.good, now.missing, now.failed) >= (last.good, last.missing, last.failed)
            assert now.good >= last.good
            assert now.missing >= last.missing
            assert now.failed >= last.failed
            last = now


def test_a_slow_cluster_fails_what_runs_in_it() -> None:
    """A fifth of what goes through Kong and NGINX to it; not what Amazon runs, and not what is nobody's."""
    slow = Scenario(trouble=Trouble.CLUSTER_SLOW, begin=START)
    hour = timedelta(hours=1)
    for route in routes(COMPANY, slow):
        before, after = route.answered(START), route.answered(START + hour)
        failed = (after.failed - before.failed) / (after.all - before.all)
        sick = route.gateway != AWS and route.service is not None
        assert failed == pytest.approx(0.2006, abs=0.003) if sick else failed < 0.01


def test_a_stretch_of_requests_has_durations_of_its_own() -> None:
    """Counted by bound and added up, any number of requests is as their durations one by one."""
    many = [DURATIONS[k % COUNT] for k in range(2_345)]
    assert within(2_345, 0.04) == sum(d <= 0.04 for d in many)
    assert within(2_345, 0.04) - within(1_200, 0.04) == sum(d <= 0.04 for d in many[1_200:])
    assert within(2_345, 60) == 2_345
    assert took(2_345) == pytest.approx(sum(many))
    assert (within(0, 1), took(0)) == (0, 0)
    assert (within(COUNT, 0.04), within(COUNT, 1)) == (505, 998)


def test_both_data_planes_take_turns() -> None:
    """Together they answered all, and neither more than one of a kind more than the other."""
    answered = served(COMPANY, Scenario(), KONG)[0].answered(START + timedelta(seconds=7))
    parts = [part(answered, node) for node in NODES]
    assert sum(p.all for p in parts) == answered.all
    for kind in ("good", "missing", "failed"):
        first, second = (getattr(p, kind) for p in parts)
        assert first - second in {0, 1}
        assert first + second == getattr(answered, kind)


def test_a_data_plane_that_falls_silent() -> None:
    """The control plane heard of it last just before; the other one gives signs twice a minute, and after the trouble both do."""
    begin = START + timedelta(seconds=70)
    silent = Scenario(trouble=Trouble.SILENT_GATEWAY, begin=begin, end=START + 10 * MINUTE)
    for seconds, first, second in ((45, 30, 30), (70, 60, 60), (400, 390, 60), (600, 600, 600)):
        at = START + timedelta(seconds=seconds)
        heard = [(last_sign(silent, node, at) - START).total_seconds() for node in NODES]
        assert heard == [first, second]
