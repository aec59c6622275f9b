"""What is said of objects: one fact or several of each, what is new of a changed one, and what holds in the end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import pytest

from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.kubernetes import Namespace
from platform_meter.model.facts.probes import ProbeCheck, ProbeResult
from platform_meter.sources.kit.kubernetes_objects import Meta, Thing
from platform_meter.sources.kit.sayers import Inventory, Said, net


def space(name: str, cluster: str = "eu") -> Namespace:
    return Namespace(about=Ref(system="kubernetes", kind="namespace", id=name), cluster=cluster)


def check(key: str) -> ProbeCheck:
    about = Ref(system="kubernetes", kind="cluster", id="eu")
    at = datetime(2026, 5, 4, tzinfo=UTC)
    return ProbeCheck(key=key, at=at, about=about, target="eu", result=ProbeResult.OK, seconds=1.0)


def thing(name: str, label: str = "eu") -> Thing:
    return Thing(metadata=Meta(name=name, labels={"in": label}))


def said(row: Inventory[Thing]) -> list[Sequence[Fact]]:
    return [row.listed(thing("a")), row.changed(thing("a")), row.changed(thing("a")), row.changed(thing("a", "us"))]


def test_a_row_gives_one_fact_or_none() -> None:
    """Of a changed object only what differs from what was said last is said again."""
    one: Inventory[Thing] = Inventory(
        row=lambda t: space(t.metadata.name, t.metadata.labels["in"]), complete=frozenset({Namespace})
    )
    assert said(one) == [(space("a"),), (space("a"),), (), (space("a", "us"),)]
    none: Inventory[Thing] = Inventory(row=lambda _: None, complete=frozenset())
    assert said(none) == [(), (), (), ()]


def test_a_row_may_give_several_facts() -> None:
    """Each is held against what was said of it; with the object its readings are over, and its events stay."""

    def row(t: Thing) -> Iterable[Fact]:
        yield space(t.metadata.name, t.metadata.labels["in"])
        yield check(f"of {t.metadata.name}")

    several: Inventory[Thing] = Inventory(row=row, complete=frozenset({Namespace}))
    both = (space("a"), check("of a"))
    assert said(several) == [both, both, (), (space("a", "us"),)]
    assert several.deleted(thing("a", "us")) == ((Namespace, "namespace/a"),)
    assert several.changed(thing("a", "us")) == (space("a", "us"),)


OVER = (Namespace, "namespace/a")


@pytest.mark.parametrize(
    ("told", "facts", "over"),
    [
        ([space("a"), OVER], (), (OVER,)),
        ([OVER, space("a")], (space("a"),), ()),
        ([space("a"), space("b"), space("a", "us")], (space("a", "us"), space("b")), ()),
        ([check("1"), OVER, check("2")], (check("1"), check("2")), (OVER,)),
    ],
    ids=["made and deleted", "deleted and made", "changed twice", "events"],
)
def test_what_came_last_holds(told: Said, facts: Sequence[Fact], over: Sequence[object]) -> None:
    """Of several lines in one page the store is told no more than what is true after them."""
    assert net(told) == (facts, over)
