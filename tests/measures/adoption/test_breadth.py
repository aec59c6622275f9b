"""How much of the platform each team uses."""

from __future__ import annotations

from tests.support.adoption import NOW, capability, days_ago, owned, scene, service, teams, use, was
from tests.support.history import MemoryHistory, source

from platform_meter.measures.adoption import declared
from platform_meter.measures.adoption.breadth import Reach, reach
from platform_meter.model.catalogue.adoption import TEAM_BREADTH, TEAM_CAPABILITY_STATE, TEAM_DEPTH, TEAM_INDEX
from platform_meter.model.definitions import Capability, Definitions
from platform_meter.model.measure import Gauging, Scene
from platform_meter.model.metric import Metric, resolve
from platform_meter.testing import adds_up

SERVICES = (service("a1", "a"), service("a2", "a"), service("a3", "a"), service("b1", "b"))
BY_SERVICE = {"unit": "service", "eligible": {"any": [{"service": {}}]}}


def values(at: Scene, metric: Metric) -> dict[tuple[str, ...], float | None]:
    measure, *_ = declared(at.definitions)
    assert isinstance(measure, Gauging)
    adds_up(measure, at)
    return {s.labels: resolve(s.value) for s in measure.compute(at) if s.metric is metric}


def company(*more: Capability) -> Scene:
    """Team a has three services, of which one stands in a repository and two sent requests; b has one that did nothing."""
    return scene(
        capability(),
        capability(id="calls", adopted={"source": "kong", "verb": "request"}, **BY_SERVICE),
        *more,
        told=[use("a1", days_ago(1), team="a"), use("a2", days_ago(2), team="a")],
        held=[owned("a3", days_ago(9), team="a")],
        services=SERVICES,
        teams_=teams("a", "b"),
    )


def test_depth_of_each_team_and_capability() -> None:
    """All of a's three services are on the gateway, by a repository or by use; two send requests; b's does neither."""
    assert values(company(), TEAM_DEPTH) == {
        ("a", "gateway"): 1.0,
        ("a", "calls"): 2 / 3,
        ("b", "gateway"): 0.0,
        ("b", "calls"): 0.0,
    }


def test_breadth_and_index_keep_apart_what_everybody_has_to_use() -> None:
    """a is active in both that it chose, with 3 + 2 of 3 + 3 deployables; the one that is mandated stands alone."""
    at = company(capability(id="order", mandated=True, active={"source": "kong", "verb": "sing"}))
    assert values(at, TEAM_BREADTH) == {
        ("a", "false"): 1.0,
        ("b", "false"): 0.0,
        ("a", "true"): 0.0,
        ("b", "true"): 0.0,
    }
    assert values(at, TEAM_INDEX) == {
        ("a", "false"): 5 / 6,
        ("b", "false"): 0.0,
        ("a", "true"): 1 / 3,
        ("b", "true"): 0.0,
    }


def test_they_do_not_move_by_a_source_that_fell_silent() -> None:
    """A capability that was known and is not now takes both away; one that never was known is none yet."""
    new = company(
        capability(id="new", adopted={"source": "kong", "verb": "request"}, active={"source": "wiki", "verb": "x"})
    )
    assert values(new, TEAM_BREADTH) == {("a", "false"): 1.0, ("b", "false"): 0.0}
    history = MemoryHistory(
        [use("a1", days_ago(1), team="a")],
        sources=[source("kong", watermark=NOW), source("github", watermark=NOW, fresh=False)],
        taken=[was("a", "active")],
    )
    both = (capability(), capability(id="other", adopted={"source": "kong", "verb": "request"}))
    definitions = Definitions(capabilities=both, services=SERVICES, teams=teams("a", "b"))
    silent = Scene(history=history, definitions=definitions, now=NOW)
    assert values(silent, TEAM_BREADTH) == {}
    assert values(silent, TEAM_INDEX) == {}
    assert values(silent, TEAM_DEPTH) == {("a", "other"): 1 / 3, ("b", "other"): 0.0}


def test_reach_counts_what_a_breadth_is_made_of() -> None:
    """Active in one of the two that are asked about; the grid tells of a third that is not, and nothing of a fourth."""
    at = company()
    grid = {labels[1]: code for labels, code in values(at, TEAM_CAPABILITY_STATE).items() if labels[0] == "b"}
    assert reach({"x": 2.0, "y": 3.0, "z": 2.0}, {"x", "y", "w"}) == Reach(active=1, eligible=2)
    assert reach({k: v for k, v in grid.items() if v is not None}, {"gateway", "calls"}) == Reach(active=0, eligible=2)
