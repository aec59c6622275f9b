from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from tests.demo.worlds import START

from platform_meter.demo.company.cluster import ClusterState
from platform_meter.demo.company.history import History
from platform_meter.demo.company.layout import Company
from platform_meter.demo.company.objects import Change, PodState

COMPANY = Company.build(1, START, teams=8, services=24)
END = START + timedelta(hours=2)


def pods(changes: Iterable[Change]) -> dict[str, Change]:
    """The last change of each pod, by its name."""
    return {change.object.pod.name: change for change in changes if isinstance(change.object, PodState)}


def test_changes_add_up() -> None:
    """The pods that stood at the start, with every change since, are those that stand at the end."""
    cluster = ClusterState(COMPANY.clusters[0], History(COMPANY))
    version, first = cluster.snapshot("pods")
    cluster.advance(END)
    changes = cluster.changes("pods", version)
    assert changes
    assert [change.version for change in changes] == sorted({change.version for change in changes})
    last = pods([*(change for _, change in first), *changes])
    standing = {name: change for name, change in last.items() if change.type != "DELETED"}
    assert standing == pods(change for _, change in cluster.snapshot("pods")[1])


def test_a_cluster_forgets() -> None:
    """It knows its last changes alone: who asks for more is told that it can't say."""
    cluster = ClusterState(COMPANY.clusters[0], History(COMPANY), log=10)
    version, _ = cluster.snapshot("pods")
    assert cluster.changes("pods", version) == []
    cluster.advance(END)
    assert cluster.changes("pods", version) is None
    assert cluster.changes("pods", cluster.snapshot("pods")[0]) == []


def test_what_started_and_went() -> None:
    """Every pod that became Ready is told once, in order, and stands until it is told to be gone."""
    cluster = ClusterState(COMPANY.clusters[0], History(COMPANY))
    cluster.advance(END)
    names = [pod.name for pod in cluster.started]
    assert len(names) == len(set(names))
    live = [pod for pod in cluster.started if pod.ready > START]
    assert [pod.ready for pod in live] == sorted(pod.ready for pod in live)
    states = [change.object for _, change in cluster.snapshot("pods")[1]]
    ready = {state.pod.name for state in states if isinstance(state, PodState) and state.ready}
    assert ready == set(names) - set(cluster.removed)
