"""List and watch of a resource that is in no source: found, missing, refused, in another history, broken midway."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from tests.sources.kubernetes.kubernetes_server import Cluster, thing

from platform_meter.model.facts import Fact, Reading, Ref
from platform_meter.model.facts.kubernetes import Namespace, PodStarted
from platform_meter.model.source import Mode, Page, Refused, TimedOut, Unexpected
from platform_meter.sources.kit.kubernetes_objects import Resource, Thing
from platform_meter.sources.kit.list_watch import Place, Watched
from platform_meter.sources.kit.sayers import Inventory, Sayer
from platform_meter.testing.outside import Call, FakeOutside, Reply

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
WIDGETS = Resource(name="widgets", group="acme.test", versions=("v1", "v1alpha1"))
PATH = "/apis/acme.test/v1alpha1/widgets"
GROUP = {"name": "acme.test", "versions": [{"version": "v1alpha1"}], "preferredVersion": {"version": "v1alpha1"}}


class World:
    """A cluster, which serves widgets once `installed`, and counts what it was asked."""

    def __init__(self, *names: str, installed: bool = True) -> None:
        self.cluster = Cluster().put(PATH, *(thing(name, "shop") for name in names))
        self.installed = installed
        self.lines: list[Any] | None = None
        """What a watch says in place of what the cluster would."""

    def __call__(self, call: Call) -> Reply:
        if call.path == "/apis":
            return Reply(body={"groups": [GROUP] if self.installed else []})
        if not self.installed:
            return Reply(status=404)
        if call.method == "LINES" and self.lines is not None:
            return Reply(body=self.lines)
        return self.cluster(call)


class Starts:
    """An event for each object, as pods have them: what comes and goes between two lists is lost."""

    complete: frozenset[type[Reading]] = frozenset()
    waiting: tuple[str, ...] = ()

    def __init__(self, since: datetime, asked: list[datetime]) -> None:
        asked.append(since)

    def listed(self, found: Thing) -> Sequence[Fact]:
        name = found.metadata.name
        ref = Ref(system="acme", kind="widget", id=name)
        return (PodStarted(key=name, at=NOW, about=ref, cluster="eu", owner_kind="other", seconds=1.0),)

    changed = listed

    def deleted(self, found: Thing) -> Sequence[Fact]:
        del found
        return ()


def row(found: Thing) -> Namespace:
    return Namespace(about=Ref(system="acme", kind="widget", id=found.metadata.name), cluster="eu")


class Reader:
    """One watched resource and the place it has come to."""

    def __init__(self, world: World, *, events: bool = False, resource: Resource = WIDGETS) -> None:
        self.outside = FakeOutside(world)
        self.asked: list[datetime] = []
        """Since when each sayer was to tell all."""

        def sayer(_waiting: tuple[str, ...], since: datetime) -> Sayer[Thing]:
            if events:
                return Starts(since, self.asked)
            return Inventory(row=row, complete=frozenset({Namespace}))

        self.stream = Watched(
            resource=resource,
            shape=Thing,
            sayer=sayer,
            outside=self.outside,
            gives=frozenset({Namespace, PodStarted}),
            resync=timedelta(hours=1),
            page_size=10,
        ).stream
        self.checkpoint: bytes | None = None

    def call(self, now: datetime = NOW) -> list[Page]:
        """One call to its end; a page's place is kept before the next page is read."""
        pages = []
        for page in self.stream.read(self.checkpoint, now - timedelta(minutes=15), now):
            self.checkpoint = page.checkpoint or self.checkpoint
            pages.append(page)
        return pages

    @property
    def place(self) -> Place:
        assert self.checkpoint is not None
        return msgspec.json.decode(self.checkpoint, type=Place)

    def calls(self) -> list[str]:
        """What was asked since the last look."""
        made = [f"{c.method} {c.path}" for c in self.outside.calls]
        self.outside.calls.clear()
        return made


def names(pages: Sequence[Page]) -> list[str]:
    return [fact.about.id for page in pages for fact in page.facts]


def bookmark(version: int) -> dict[str, Any]:
    return {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": str(version)}}}


def added(name: str, version: int) -> dict[str, Any]:
    made = thing(name, "shop")
    made["metadata"]["resourceVersion"] = str(version)
    return {"type": "ADDED", "object": made}


# Where it is served.


def test_a_resource_is_listed_and_watched_in_the_version_that_is_served() -> None:
    """It is asked for once; a watch goes on where the list was, without another question."""
    reader = Reader(World("a"))
    assert (reader.stream.name, reader.stream.mode) == ("widgets", Mode.WATCH)
    assert names(reader.call()) == ["a"]
    assert reader.calls() == ["GET /apis", f"GET {PATH}"]
    reader.call()
    assert reader.calls() == [f"LINES {PATH}"]


@pytest.mark.parametrize("versions", [("v1alpha1", "v1"), ("v1alpha1",)], ids=["discovered", "the only one"])
def test_what_is_not_installed_is_looked_for_again(versions: tuple[str, ...]) -> None:
    """It is no error: nothing stands, which is said, and the next look comes in 5 minutes. Once it is there it is read."""
    world = World("a", installed=False)
    resource = Resource(name="widgets", group="acme.test", versions=versions)
    reader = Reader(world, resource=resource)
    for _ in range(2):
        (page,) = reader.call()
        assert (len(page.facts), page.complete, page.caught_up) == (0, frozenset({Namespace}), True)
        assert str(page.progress) == "widgets.acme.test is not installed; looked for again every 5 min"
        assert page.again == timedelta(minutes=5)
    world.installed = True
    pages = reader.call()
    assert (names(pages), pages[0].again) == (["a"], None)


def test_what_is_taken_away_is_over() -> None:
    """A watch of a definition that was deleted is answered 404: none of its objects stands any more."""
    world = World("a")
    reader = Reader(world)
    reader.call()
    world.installed = False
    (page,) = reader.call()
    assert (len(page.facts), page.complete) == (0, frozenset({Namespace}))


def test_a_wrong_address_is_no_empty_cluster() -> None:
    """Where nothing of the API answers, nothing is known: neither of a group nor of the core."""
    outside = FakeOutside({})
    for resource in (WIDGETS, Resource(name="deployments", group="apps"), Resource(name="pods")):
        reader = Reader(World(), resource=resource)
        reader.outside.answering = outside.answering
        with pytest.raises(Unexpected, match="404"):
            reader.call()


def test_what_is_forbidden_is_told() -> None:
    """Nothing is taken for gone; whoever reads the other resources goes on."""
    world = World("a")
    reader = Reader(world)
    reader.outside.answering = lambda call: world(call) if call.path == "/apis" else Reply(status=403)
    with pytest.raises(Refused, match=f"{PATH}: 403"):
        reader.call()
    assert reader.checkpoint is None


# What came together.


def test_lines_that_came_together_are_one_page() -> None:
    """With what holds after them: one was made and deleted among them."""
    world = World()
    reader = Reader(world)
    reader.call()
    gone = {**added("b", 22), "type": "DELETED"}
    world.lines = [[added("a", 20), added("b", 21), gone], added("c", 23), [bookmark(24)]]
    pages = reader.call()
    assert [[f.about.id for f in page.facts] for page in pages] == [["a"], ["c"], []]
    assert [page.gone for page in pages] == [((Namespace, "widget/b"),), (), ()]
    assert [page.caught_up for page in pages] == [False, False, True]
    assert reader.place.version == "24"


def test_what_came_before_a_broken_line_is_told() -> None:
    """The place is before the line that could not be read, so that it comes again."""
    world = World()
    reader = Reader(world)
    reader.call()
    world.lines = [[added("a", 20), b'{"type": "ADDED", "obj']]
    with pytest.raises(Unexpected, match="a watched line is no Change"):
        reader.call()
    assert reader.place.version == "20"


# Other histories.


def restored(world: World) -> None:
    """The cluster as a backup had it: its versions are lower, and some objects came since."""
    world.cluster = Cluster(version=5).put(PATH, thing("new", "shop"))


def test_a_watch_that_broke_asks_first_whether_the_history_is_the_same() -> None:
    """After a restore the server hears of a version it has not come to, and would say nothing for hours."""
    world = World("a")
    reader = Reader(world, events=True)
    reader.call()
    reader.outside.fail_at, reader.outside.error = 2, TimedOut("silent")
    reader.outside.calls[:] = [Call(method="GET", path="/")] * 2
    with pytest.raises(TimedOut):
        reader.call()
    restored(world)
    assert names(reader.call(NOW + timedelta(minutes=5))) == ["new"]
    (gap,) = reader.outside.gaps
    assert (gap.start, gap.end, gap.reason) == (NOW, NOW + timedelta(minutes=5), "expired")
    assert gap.text.endswith("its versions went back from 11 to 6: the cluster has another history")


def test_a_watch_in_which_even_bookmarks_are_missing_is_looked_into() -> None:
    """It ended as if all were well. The next call asks, and finds another history."""
    world = World("a")
    reader = Reader(world)
    reader.call()
    world.lines = []
    assert reader.call() == []
    restored(world)
    assert names(reader.call()) == ["new"]


def test_a_quiet_cluster_is_listed_no_more_often() -> None:
    """A watch without a word is no other history where the cluster is still as far as our place."""
    world = World("a")
    reader = Reader(world)
    reader.call()
    reader.calls()
    world.lines = []
    for _ in range(2):
        assert reader.call() == []
    assert reader.calls() == [f"LINES {PATH}", f"GET {PATH}", f"LINES {PATH}"]
    assert not reader.outside.gaps


def test_a_version_that_goes_back_within_a_watch_is_another_history() -> None:
    """What came before it is told, and the list that follows is that of the other one."""
    world = World("a")
    reader = Reader(world)
    reader.call()
    world.lines = [[added("b", 30), bookmark(12)]]
    assert names(reader.call()) == ["b", "a"]


# Replays.


def test_a_replay_that_breaks_loses_nothing() -> None:
    """After a stop of hours the pages of a replay are no sign that all of it was told: the rest of it is still wanted, and
    once it can't be had the gap begins where it was heard last.
    """
    world = World()
    reader = Reader(world, events=True)
    reader.call()
    world.lines = [added("a", 20), {"type": "ERROR", "object": {"code": 500, "message": "etcd is away"}}]
    back = NOW + timedelta(hours=3)
    with pytest.raises(Exception, match="etcd is away"):
        reader.call(back)
    assert reader.place.version == "20"
    world.cluster.version, world.lines = 21, [added("b", 21)]
    assert names(reader.call(back + timedelta(minutes=1))) == ["b"]
    assert reader.asked[1:] == [NOW, NOW], "not the quarter of an hour before the call"
    world.cluster.forget()
    world.lines = None
    reader.call(back + timedelta(minutes=2))
    assert [(gap.start, gap.end) for gap in reader.outside.gaps] == [(NOW, back + timedelta(minutes=2))]


def test_a_bookmark_ends_a_replay() -> None:
    """All up to the beginning of that call has been told by then."""
    world = World()
    reader = Reader(world, events=True)
    reader.call()
    reader.call(NOW + timedelta(hours=3))
    assert reader.place.seen == NOW + timedelta(hours=3)
