from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from tests.demo.worlds import START

from platform_meter.demo.company.layout import Company
from platform_meter.demo.company.mesh import MEAN_SECONDS, MOST, Counted, members, meshes, standing, stateful, within
from platform_meter.demo.company.scenarios import Scenario, Trouble
from platform_meter.model.facts.traffic import MemberState

COMPANY = Company.build(1, START)
BEGIN, END = START, START + timedelta(hours=1)


def failed(trouble: Trouble, cluster: str) -> float:
    """Share of the valid requests of an hour that failed."""
    scenario = Scenario(trouble=trouble, begin=BEGIN)
    counted = [one.between(BEGIN, END) for one in members(COMPANY, scenario, cluster)]
    return sum(one.failed for one in counted) / sum(one.valid for one in counted)


def test_who_is_in_a_mesh() -> None:
    """Each cluster has a mesh with some dozen members, services that say they stay outside, and others that just are."""
    assert meshes(COMPANY) == {"eu": "istio", "us": "linkerd"}
    for cluster in ("eu", "us"):
        states = standing(COMPANY, cluster)
        many = Counter(states.values())
        assert MOST // 2 < many[MemberState.IN_MESH] <= MOST
        assert many[MemberState.OUTSIDE] > 5
        assert many[MemberState.EXEMPT] > 2
        inside = {service for service, state in states.items() if state is MemberState.IN_MESH}
        assert [one.service.id for one in members(COMPANY, Scenario(), cluster)] == [
            service.id for service in COMPANY.services if service.id in inside
        ]


def test_stateful_services_stay_outside() -> None:
    """Whatever else holds for them."""
    states = [
        state
        for cluster in ("eu", "us")
        for name, state in standing(COMPANY, cluster).items()
        if name[-7:] == "-search"
    ]
    assert set(states) == {MemberState.OUTSIDE}
    assert [stateful(s) for s in COMPANY.services if s.id.endswith("-search")][:1] == [True]


def test_requests_never_fall() -> None:
    """Counted good, missing and failed ones grow from one moment to the next, through a trouble and after it."""
    scenario = Scenario(trouble=Trouble.MESH_OUTAGE, begin=BEGIN, end=BEGIN + timedelta(minutes=20))
    one = next(members(COMPANY, scenario, "eu"))
    moments = [BEGIN + timedelta(minutes=5 * n) for n in range(-2, 9)]
    for before, after in pairwise(moments):
        grown = one.between(before, after)
        assert min(grown.good, grown.missing, grown.failed) > 0
        assert grown.valid == pytest.approx(grown.good + grown.failed)


def test_a_service_in_both_clusters_has_its_requests_once() -> None:
    """Seven of ten of them in the first cluster, three in the second."""
    first, second = ({one.service.id: one for one in members(COMPANY, Scenario(), name)} for name in ("eu", "us"))
    shared = next(first[name] for name in first if name in second)
    other = second[shared.service.id]
    assert shared.between(BEGIN, END).good / other.between(BEGIN, END).good == pytest.approx(7 / 3)


@pytest.mark.parametrize(
    ("trouble", "cluster", "share"),
    [
        (Trouble.NONE, "eu", 0.0006),
        (Trouble.MESH_OUTAGE, "eu", 0.203),
        (Trouble.MESH_OUTAGE, "us", 0.0006),
        (Trouble.CLUSTER_SLOW, "eu", 0.203),
        (Trouble.SILENT_GATEWAY, "eu", 0.0006),
    ],
)
def test_what_fails(trouble: Trouble, cluster: str, share: float) -> None:
    """In a mesh outage, and in a slow cluster, one request in five of the first cluster; elsewhere hardly any."""
    assert failed(trouble, cluster) == pytest.approx(share, rel=0.02)


def test_before_the_outage_all_is_as_it_was() -> None:
    """Nothing that was counted before it begins is different."""
    calm, hit = (
        next(members(COMPANY, Scenario(trouble=trouble, begin=BEGIN), "eu"))
        for trouble in (Trouble.NONE, Trouble.MESH_OUTAGE)
    )
    assert hit.counted(BEGIN) == calm.counted(BEGIN)
    assert hit.counted(END) != calm.counted(END)


def test_how_long_requests_take() -> None:
    """Half of them 40 ms at most; the mean is drawn up by the slow ones."""
    assert within(0.04) == pytest.approx(0.5)
    assert within(0) == 0
    assert within(1) == pytest.approx(0.9983, abs=0.0001)
    assert pytest.approx(0.0732, abs=0.0001) == MEAN_SECONDS


def test_some_come_without_mutual_tls() -> None:
    """A tenth of the requests to one service in four or so."""
    plain = [one.plain for cluster in ("eu", "us") for one in members(COMPANY, Scenario(), cluster)]
    assert set(plain) == {0.0, 0.1}
    assert 5 < plain.count(0.1) < len(plain) / 2


def test_what_grew() -> None:
    """Each of the three by itself."""
    before = Counted(good=1.0, missing=2.0, failed=3.0)
    assert replace(before, good=5.0).since(before) == Counted(good=4.0, missing=0.0, failed=0.0)
