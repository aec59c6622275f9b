"""One selection gives the samples of a census, and what is behind each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from tests.support.history import MemoryHistory, owner, source

from platform_meter.measures.census import Share, census
from platform_meter.model.catalogue.kubernetes import CLUSTER_NODES
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Ref
from platform_meter.model.facts.kubernetes import Node, NodeState
from platform_meter.model.history import Held, SourceState
from platform_meter.model.measure import Labels, Scene

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
FRESH, STALE = source("eu", "kubernetes", watermark=NOW), source("us", "kubernetes", watermark=NOW, fresh=False)


def node(name: str, state: NodeState, instance: str = "eu") -> tuple[str, object, Node]:
    about = Ref(system="kubernetes", kind="node", id=name)
    return instance, owner("infra"), Node(about=about, cluster=instance, state=state)


def shares(_scene: Scene, _source: SourceState, held: Held[Node]) -> Iterator[Share]:
    yield Share((held.reading.cluster, held.reading.state))


def known(_scene: Scene) -> Iterator[Labels]:
    yield ("eu", "cordoned")


GAUGE = census(CLUSTER_NODES, Node, shares, known=known)


def scene(*facts: object) -> Scene:
    return Scene(history=MemoryHistory(facts, sources=(FRESH, STALE)), definitions=Definitions(), now=NOW)  # type: ignore[arg-type]


def test_what_stands_is_counted_where_it_is_fresh() -> None:
    """What is known stands at 0, what a stale source said is absent."""
    at = scene(node("a", NodeState.READY), node("b", NodeState.READY), node("c", NodeState.READY, "us"))
    assert {s.labels: s.value for s in GAUGE.compute(at)} == {("eu", "ready"): 2.0, ("eu", "cordoned"): 0.0}


@given(st.lists(st.sampled_from(NodeState), max_size=6))
def test_what_is_behind_a_sample_adds_up_to_it(states: list[NodeState]) -> None:
    """For each of its series."""
    at = scene(*(node(f"n{place}", state) for place, state in enumerate(states)))
    assert GAUGE.behind is not None
    for sample in GAUGE.compute(at):
        assert sum(piece.adds for piece in GAUGE.behind(at, CLUSTER_NODES, sample.labels)) == sample.value
