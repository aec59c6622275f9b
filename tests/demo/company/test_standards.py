from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase

from tests.demo.worlds import Clock, small_world

from platform_meter.demo.company.objects import Workload, WorkloadState
from platform_meter.demo.company.standards import GOLDEN, base, bounded, budgeted, isolated, scaled


def workloads() -> list[Workload]:
    state = small_world(Clock(), services=80).clusters["eu"]
    return [
        change.object.workload
        for kind in ("deployments", "statefulsets", "cronjobs")
        for _, change in state.snapshot(kind)[1]
        if isinstance(change.object, WorkloadState)
    ]


def test_some_keep_to_each_and_some_do_not() -> None:
    """So that a standard has passes and fails."""
    found = workloads()
    for keeps in (scaled, budgeted):
        assert {keeps(one) for one in found} == {True, False}
    for holds in (bounded, isolated):
        assert {holds(one.namespace) for one in found} == {True, False}
    assert {fnmatchcase(base(one.name), GOLDEN) for one in found} == {True, False}


def test_one_pod_is_neither_scaled_nor_budgeted() -> None:
    """There is nothing to give away."""
    one = next(one for one in workloads() if scaled(one) and budgeted(one))
    alone = replace(one, wanted=1)
    assert not scaled(alone)
    assert not budgeted(alone)


def test_jobs_are_neither() -> None:
    """Whatever their name is."""
    one = next(one for one in workloads() if scaled(one) and budgeted(one))
    job = replace(one, kind="cronjobs")
    assert not scaled(job)
    assert not budgeted(job)
