"""Whose objects are: joined when read, so corrections move gauges and never counters."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.support.stores import NOON, Opener, Rules, begin, counted, minutes, put, run

from platform_meter.model.facts import Ref
from platform_meter.model.facts.kubernetes import Namespace, Workload
from platform_meter.model.source import Page
from platform_meter.store import Store

DAY = timedelta(days=1)
BOTH = frozenset({Workload, Namespace})


def teams(store: Store) -> dict[str, str]:
    with store.history(NOON, []) as history:
        return {o.name.partition(":")[2]: o.owner.team for o in history.objects()}


def workload(namespace: str, name: str, *, links: tuple[str, ...] = ()) -> Workload:
    ref = Ref(system="kubernetes", kind="workload", id=f"eu/{namespace}/deployment/{name}", links=links)
    return Workload(about=ref, cluster="eu", namespace=namespace, workload_kind="deployment")


def namespace(name: str) -> Namespace:
    return Namespace(about=Ref(system="kubernetes", kind="namespace", id=f"eu/{name}"), cluster="eu")


def test_a_correction_moves_gauges_and_not_counters(open_store: Opener) -> None:
    """After `set_directory` the object is another team's, also in the past; what was counted stays."""
    store = open_store()
    put(store, [run("1")])
    store.set_directory(Rules({"github:acme/pay*": "billing"}), NOON)
    assert teams(store) == {"acme/payments": "billing"}
    assert counted(store) == {("github", "pay", "success"): 1}
    put(store, [run("2", NOON + minutes(1))], NOON + minutes(1))
    assert counted(store) == {("github", "pay", "success"): 1, ("github", "billing", "success"): 1}
    assert store.check() == []


def test_an_owner_is_the_one_of_its_time(open_store: Opener) -> None:
    """Windows and counters take the owner at the event's time."""
    rules = Rules({"github:acme/pay*": [(None, "old"), (NOON - minutes(5), "new")]})
    store = open_store(directory=rules)
    put(store, [run("1", NOON - minutes(6)), run("2", NOON - minutes(5))])
    assert counted(store) == {("github", "old", "success"): 1, ("github", "new", "success"): 1}
    with store.history(NOON, []) as history:
        (object_,) = history.objects()
        at = [history.owner(object_.id, moment).team for moment in (NOON - 99 * DAY, NOON - minutes(5), NOON)]
        assert at == ["old", "new", "new"]
        assert history.owner(object_.id).team == "new"


def test_a_link_follows_what_it_names_in_any_order(open_store: Opener) -> None:
    """An app seen before its repository gets the owner when the repository comes, and when it changes hands."""
    store = open_store()
    app = run("1", repository="acme/app", links=("github:acme/payments",))
    of_app = run("2", repository="acme/app-of-app", links=("github:acme/app",))
    put(store, [of_app])
    put(store, [app])
    assert teams(store) == {"acme/app": "_unowned", "acme/app-of-app": "_unowned"}
    put(store, [run("3")])
    assert teams(store) == {"acme/app": "pay", "acme/app-of-app": "pay", "acme/payments": "pay"}
    store.set_directory(Rules({"github:acme/payments": "billing"}), NOON)
    assert set(teams(store).values()) == {"billing"}


def test_links_in_a_circle_end(open_store: Opener) -> None:
    """Two objects that link to each other stay unowned."""
    store = open_store()
    put(store, [run("1", repository="a", links=("github:b",)), run("2", repository="b", links=("github:a",))])
    assert teams(store) == {"a": "_unowned", "b": "_unowned"}


def test_changed_links_are_followed(open_store: Opener) -> None:
    """An object that links elsewhere now is no longer the old owner's."""
    store = open_store(directory=Rules({"github:x": "ex", "github:y": "why"}))
    put(store, [run("1", repository="x"), run("2", repository="y"), run("3", repository="app", links=("github:x",))])
    assert teams(store)["app"] == "ex"
    put(store, [run("4", NOON + minutes(1), repository="app", links=("github:y",))], NOON + minutes(1))
    assert teams(store)["app"] == "why"
    store.set_directory(Rules({"github:x": "new", "github:y": "why"}), NOON)
    assert teams(store)["app"] == "why"


@pytest.mark.parametrize("first", ["workloads", "namespaces"])
def test_a_namespace_is_its_workloads_majoritys(open_store: Opener, first: str) -> None:
    """80 % of one owner give it the namespace, whichever came first, until workloads go or change hands."""
    store = open_store(directory=Rules({"kubernetes:eu/shop/*/pay*": "pay", "kubernetes:eu/shop/*/web": "web"}))
    pays = [workload("shop", f"pay{n}") for n in range(4)]
    pages: list[list[Workload | Namespace]] = [
        [*pays, workload("shop", "web")],
        [namespace("shop"), namespace("shop2")],
    ]
    for facts in pages if first == "workloads" else pages[::-1]:
        put(store, facts)
    assert (teams(store)["eu/shop"], teams(store)["eu/shop2"]) == ("pay", "_unowned")
    put(store, [*pays[1:], workload("shop", "web"), namespace("shop")], NOON + minutes(1), complete=BOTH)
    assert teams(store)["eu/shop"] == "_unowned"
    store.set_directory(Rules({"kubernetes:eu/shop/*": "shop"}), NOON)
    assert teams(store)["eu/shop"] == "shop"
    store.set_directory(Rules({"kubernetes:eu/shop": "explicit", "kubernetes:eu/shop/*": "shop"}), NOON)
    assert teams(store)["eu/shop"] == "explicit"
    assert store.check() == []


def test_a_namespace_follows_a_workload_that_follows_a_link(open_store: Opener) -> None:
    """Repository -> workload -> namespace: each correction goes all the way."""
    store = open_store()
    put(store, [workload("shop", "web", links=("github:acme/payments",)), namespace("shop")])
    assert teams(store)["eu/shop"] == "_unowned"
    put(store, [run("1")])
    assert teams(store)["eu/shop"] == "pay"


def test_a_directory_must_start_at_the_beginning(open_store: Opener) -> None:
    """Owners without a first one, or out of order, are a bug that is told."""
    rules = Rules({"github:acme/payments": [(NOON, "pay")]})
    with pytest.raises(
        ValueError, match="owners of github:acme/payments must come in order of time, the first without"
    ):
        put(open_store(directory=rules), [run("1")])


def test_objects_of_other_processes_are_known(open_store: Opener) -> None:
    """Two processes taking turns write an object once."""
    one, two = open_store(), open_store()
    for n, store in enumerate((one, two, one, two)):
        put(store, [run(f"{n}"), run(f"{n}b", repository=f"acme/pay-{n}")])
    assert teams(one) == teams(two) == {"acme/payments": "pay", **{f"acme/pay-{n}": "pay" for n in range(4)}}
    assert one.check() == []


def test_an_undone_page_leaves_no_object_behind(open_store: Opener) -> None:
    """What a failed transaction had resolved is forgotten, so the next page writes it."""

    class Fails(Rules):
        fail = True

        def majority(self, owners: object) -> None:
            if self.fail:
                raise RuntimeError("directory is gone")

    directory = Fails()
    store = open_store(directory=directory)
    poll = begin(store)
    page = Page(facts=[run("1"), workload("shop", "web"), namespace("shop")])
    with pytest.raises(RuntimeError, match="directory is gone"):
        store.write(poll, page, now=NOON)
    assert teams(store) == {}
    directory.fail = False
    assert store.write(poll, page, now=NOON).new == 1
    assert len(teams(store)) == 3
    assert store.check() == []


def test_what_is_pushed_without_labels_takes_none_away(open_store: Opener) -> None:
    """Who sends it may not know them; what it does tell holds."""
    store = open_store(directory=Rules({"github:x": "ex", "github:y": "why"}))
    put(store, [run("1", repository="x"), run("2", repository="y"), run("3", repository="app", links=("github:x",))])
    for number, links in enumerate([(), ("github:y",), ()], start=1):
        pushed = run(f"pushed/{number}", NOON + minutes(number), repository="app", links=links)
        store.take("gh", "github", [pushed], now=NOON + minutes(number), lookback=minutes(15))
        assert teams(store)["app"] == ("ex" if number == 1 else "why")
    put(store, [run("4", NOON + minutes(4), repository="app")], NOON + minutes(4))
    assert teams(store)["app"] == "_unowned"
