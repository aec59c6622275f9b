"""What made a ReplicaSet or a Job is read from that object, in few calls."""

from __future__ import annotations

import pytest
from tests.sources.kubernetes.kubernetes_server import Cluster, thing

from platform_meter.model.source import Unexpected, Unreachable
from platform_meter.sources.kit.kubernetes_objects import Owner
from platform_meter.sources.kit.parents import Parents
from platform_meter.testing.outside import FakeOutside, Reply

SETS = "/apis/apps/v1/replicasets"


def made(name: str, by: str = "") -> dict[str, object]:
    owners = [{"kind": "Deployment", "name": by, "controller": True, "uid": f"uid-{by}"}] if by else []
    return thing(name, "shop", owners=owners)


def replica_set(name: str) -> Owner:
    return Owner(kind="ReplicaSet", name=name, controller=True, uid=f"uid-{name}")


def names(found: list[Owner | None]) -> list[str]:
    return [one.name if one else "" for one in found]


def test_all_are_listed_once_and_those_that_come_later_are_asked_for_one_by_one() -> None:
    """What is known costs no call, and neither does one that is gone or that nobody made."""
    cluster = Cluster().put(SETS, *(made(f"s{n}", f"d{n}") for n in range(5)), made("alone"))
    outside = FakeOutside(cluster)
    parents = Parents(outside, 2)
    asked = [replica_set(name) for name in ("s0", "s4", "alone", "gone", "gone", "s3")]
    assert names([parents.of(one, "shop") for one in asked]) == ["d0", "d4", "", "", "", "d3"]
    assert [call.path for call in outside.calls] == [SETS] * 3 + ["/apis/apps/v1/namespaces/shop/replicasets"]
    cluster.put(SETS, made("late", "d9"))
    assert names([parents.of(replica_set("late"), "shop")] * 2) == ["d9", "d9"]
    assert outside.calls[4].params == {"fieldSelector": "metadata.name=late", "limit": 1}
    assert len(outside.calls) == 5


def test_what_others_make_is_not_asked_for() -> None:
    """A StatefulSet is nobody's part, and without an id nothing can be told apart."""
    outside = FakeOutside(Cluster())
    parents = Parents(outside, 2)
    assert parents.of(Owner(kind="StatefulSet", name="db", controller=True, uid="u"), "shop") is None
    assert parents.of(Owner(kind="ReplicaSet", name="web", controller=True), "shop") is None
    assert outside.calls == []


@pytest.mark.parametrize("status", [403, 404])
def test_where_nobody_lets_us_look_it_is_unknown(status: int) -> None:
    """A role of before, or a server that has none: what is known by other means is told all the same. Later it is asked again."""
    outside = FakeOutside(lambda _: Reply(status=status))
    parents = Parents(outside, 2)
    assert parents.of(replica_set("s"), "shop") is None
    outside.answering = Cluster().put(SETS, made("s", "d"))
    assert names([parents.of(replica_set("s"), "shop")]) == ["d"]


def test_a_list_that_expires_is_no_place_that_expired() -> None:
    """The watch of pods is still where it was: the poll fails, and goes on from there."""
    with pytest.raises(Unreachable):
        Parents(FakeOutside(lambda _: Reply(status=410)), 2).of(replica_set("s"), "shop")


def test_an_answer_that_is_none_is_a_failure() -> None:
    """A page of something else would make each start that of another object."""
    with pytest.raises(Unexpected):
        Parents(FakeOutside(lambda _: Reply(body="hello")), 2).of(replica_set("s"), "shop")
