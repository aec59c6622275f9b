"""Current adoption gauges."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from tests.support.adoption import (
    EVENTFUL,
    NOW,
    Told,
    capability,
    days_ago,
    owned,
    scene,
    service,
    teams,
    use,
    was,
)
from tests.support.history import MemoryHistory, owner, source

from platform_meter.measures.adoption import declared
from platform_meter.measures.adoption import gauges as adoption_gauges
from platform_meter.measures.adoption.seen import refusal
from platform_meter.model.catalogue.adoption import (
    ACTIVE_UNITS,
    ADOPTION_ACTIVE_RATIO,
    ADOPTION_DEPTH_RATIO,
    ADOPTION_RATIO,
    ADOPTION_UNITS,
    CHURN,
    STICKINESS,
    TEAM_CAPABILITY_STATE,
)
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Event
from platform_meter.model.facts.use import Usage
from platform_meter.model.history import ObjectRow, Owner
from platform_meter.model.measure import Gauging, Scene
from platform_meter.model.metric import Metric, merge, resolve
from platform_meter.testing import adds_up


def midnight_ago(days: int) -> datetime:
    """The beginning of the day so many days ago."""
    return days_ago(days).replace(hour=0)


def values(at: Scene, metric: Metric) -> dict[tuple[str, ...], float | None]:
    measure, *_ = declared(at.definitions)
    assert isinstance(measure, Gauging)
    adds_up(measure, at)
    return {s.labels: resolve(s.value) for s in measure.compute(at) if s.metric is metric}


def test_every_state_of_every_capability_is_shown() -> None:
    """States without a unit are 0; exempt units are listed apart."""
    said = capability(exempt=[{"unit": "x", "until": "2026-12-31", "reason": "closing"}])
    at = scene(
        said,
        told=[use("a", days_ago(1)), use("c", days_ago(40))],
        held=[owned(t, days_ago(50)) for t in "abx"],
        teams_=teams("a", "b", "c", "d", "x"),
        taken=[was("c", "dormant", active=True)],
    )
    assert values(at, ADOPTION_UNITS) == {
        ("gateway", "team", "not_eligible"): 0.0,
        ("gateway", "team", "exempt"): 1.0,
        ("gateway", "team", "churned"): 0.0,
        ("gateway", "team", "active"): 1.0,
        ("gateway", "team", "dormant"): 1.0,
        ("gateway", "team", "adopted_idle"): 1.0,
        ("gateway", "team", "eligible"): 1.0,
    }
    assert values(at, TEAM_CAPABILITY_STATE) == {
        ("a", "gateway"): 2.0,
        ("b", "gateway"): 1.0,
        ("c", "gateway"): 3.0,
        ("d", "gateway"): 0.0,
    }


def test_ratios_are_over_eligible_units_and_carry_mandated() -> None:
    """Adopted 2 of 4, active 1 of 4; the exempt adopter is in neither part."""
    said = capability(mandated=True, exempt=[{"unit": "x", "until": "2026-12-31", "reason": "closing"}])
    at = scene(said, told=[use("a", days_ago(1))], held=[owned(t, days_ago(50)) for t in "abx"], teams_=teams(*"abcdx"))
    assert values(at, ADOPTION_RATIO) == {("gateway", "team", "true"): 0.5}
    assert values(at, ADOPTION_ACTIVE_RATIO) == {("gateway", "team", "true"): 0.25}


def test_nothing_eligible_is_undefined_not_zero() -> None:
    """0/0 is absent."""
    at = scene(capability(), told=[], teams_=())
    assert values(at, ADOPTION_RATIO) == {("gateway", "team", "false"): None}
    assert values(at, ADOPTION_DEPTH_RATIO) == {}
    assert values(at, STICKINESS) == {("gateway", "team", "28d"): None}
    assert values(at, CHURN) == {("gateway", "team", "28d"): None}


def test_use_of_today_counts_up_to_the_watermark() -> None:
    """A use this morning makes a unit active now, before any snapshot."""
    at = scene(capability(), told=[use("a", days_ago(0.2))], teams_=teams("a"))
    assert values(at, ADOPTION_ACTIVE_RATIO) == {("gateway", "team", "false"): 1.0}


def test_active_units_count_any_use_of_eligible_units() -> None:
    """7 and 28 days, today so far included; bounds of `active` don't matter, eligibility does."""
    said = capability(
        eligible={"any": [{"team": {"id": ["a", "b", "c"]}}]},
        active={"source": "kong", "verb": "request", "min_days": 5, "min_amount": 500},
    )
    told = [use("a", days_ago(0.1)), use("b", days_ago(6)), use("c", days_ago(7)), use("z", days_ago(1))]
    at = scene(said, told=told, teams_=teams(*"abcz"))
    assert values(at, ACTIVE_UNITS) == {("gateway", "team", "7d"): 2.0, ("gateway", "team", "28d"): 3.0}


def test_stickiness_is_mean_daily_units_on_business_days_over_units_in_28_days() -> None:
    """a on 10 of 20 business days, b only on a Sunday: (10/20) / 2 = 0.25. Today's part day is left out."""
    mondays_to_fridays = [d for n in range(1, 29) if (d := days_ago(n)).weekday() < 5]
    assert len(mondays_to_fridays) == 20
    told = [use("a", d) for d in mondays_to_fridays[:10]]
    told += [use("b", days_ago(3)), use("a", days_ago(0.1)), use("c", days_ago(0.1))]
    at = scene(capability(), told=told, teams_=teams(*"abc"))
    assert days_ago(3).weekday() == 6
    assert values(at, STICKINESS) == {("gateway", "team", "28d"): 0.25}


def test_churn_is_over_units_active_a_window_ago_and_still_eligible() -> None:
    """Of a, b and gone, active 28 days ago, only a and b are eligible now, and b is not active: 1/2."""
    told = [use("a", days_ago(40)), use("a", days_ago(3)), use("b", days_ago(40)), use("gone", days_ago(40))]
    told += [use("new", days_ago(1))]
    said = capability(exempt=[{"unit": "gone", "until": "2026-12-31", "reason": "closing"}])
    at = scene(said, told=told, teams_=teams("a", "b", "new", "gone"))
    assert values(at, CHURN) == {("gateway", "team", "28d"): 0.5}


def test_depth_is_the_mean_over_eligible_teams_of_their_share_of_deployables() -> None:
    """a has 1 of 2 services on it, b 1 of 1, c 0 of 1, d owns none: (0.5 + 1 + 0) / 3."""
    services = [service("a1", "a"), service("a2", "a"), service("b1", "b"), service("c1", "c")]
    held = [owned("a1", days_ago(9), team="a"), owned("b1", days_ago(9), team="b")]
    at = scene(capability(), held=held, services=services, teams_=teams(*"abcd"))
    assert values(at, ADOPTION_DEPTH_RATIO) == {("gateway", "team", "false"): 0.5}
    by_verb = scene(
        capability(adopted=EVENTFUL), told=[use("a1", days_ago(1), team="a")], services=services, teams_=teams("a", "b")
    )
    assert values(by_verb, ADOPTION_DEPTH_RATIO) == {("gateway", "team", "false"): pytest.approx(0.5 / 3)}


def test_a_team_shows_the_first_present_state_of_its_services() -> None:
    """For smaller units: active, dormant, idle, churned, eligible, in this order; teams without an eligible one are absent."""
    said = capability(unit="service", eligible={"any": [{"service": {"kind": ["service"]}}]})
    services = [
        service("s1", "dormant"),
        service("s2", "dormant"),
        service("s3", "idle"),
        service("s4", "idle"),
        service("s5", "churned"),
        service("s6", "churned"),
        service("s7", "absent", type="website"),
        service("s8", "_unowned"),
    ]
    taken = [was("s1", "dormant", active=True), was("s4", "churned", adopted=True), was("s5", "churned", adopted=True)]
    at = scene(
        said,
        told=[use("s1", days_ago(40), team="dormant")],
        held=[owned("s2", days_ago(9), team="dormant"), owned("s3", days_ago(9), team="idle")],
        services=services,
        taken=taken,
    )
    assert values(at, TEAM_CAPABILITY_STATE) == {
        ("churned", "gateway"): 4.0,
        ("dormant", "gateway"): 3.0,
        ("idle", "gateway"): 1.0,
    }


def test_what_a_unit_was_comes_from_the_last_snapshot_however_old() -> None:
    """After days without snapshots a former user is dormant, and without any use in 56 days churned."""
    long_ago = [was(t, "active", day=date(2026, 5, 1)) for t in ("a", "b")]
    at = scene(capability(), told=[use("a", days_ago(50))], teams_=teams("a", "b"), taken=long_ago)
    assert values(at, TEAM_CAPABILITY_STATE) == {("a", "gateway"): 3.0, ("b", "gateway"): 4.0}


def test_a_stale_unpolled_or_missing_source_makes_the_capability_absent() -> None:
    """Both source types must be fresh, in every instance; other capabilities stay."""
    said = (capability(), capability(id="other", adopted=EVENTFUL))
    definitions = Definitions(capabilities=said, teams=teams("a"))
    for broken in (
        source("github", watermark=NOW, fresh=False),
        source("github", watermark=None),
        source("github-2", "github", watermark=NOW, fresh=False),
    ):
        others = [source("github", watermark=NOW)] if broken.instance != "github" else []
        history = MemoryHistory(sources=[source("kong", watermark=NOW), broken, *others])
        at = Scene(history=history, definitions=definitions, now=NOW)
        assert {s.labels[0] for s in adoption_gauges.compute(at) if s.metric is ADOPTION_UNITS} == {"other"}
    history = MemoryHistory(sources=[source("github", watermark=NOW)])
    assert list(adoption_gauges.compute(Scene(history=history, definitions=definitions, now=NOW))) == []


def test_people_are_measured_by_use_alone() -> None:
    """Actors are units, a team's state is that of its people; depth is absent, for people have no deployables."""
    said = capability(unit="person", adopted=EVENTFUL)
    told = [use("shop", days_ago(1), team="a", actor="p1"), use("pay", days_ago(40), team="b", actor="p2")]
    at = scene(said, told=told, taken=[was("p2", "active", adopted=True)])
    assert values(at, ACTIVE_UNITS) == {("gateway", "person", "7d"): 1.0, ("gateway", "person", "28d"): 1.0}
    assert values(at, TEAM_CAPABILITY_STATE) == {("a", "gateway"): 2.0, ("b", "gateway"): 3.0}
    assert values(at, ADOPTION_DEPTH_RATIO) == {}


def test_people_may_adopt_by_another_verb_than_they_are_active_by() -> None:
    """Use under other verbs makes a person known, and neither active nor an adopter."""
    said = capability(
        unit="person",
        adopted={"source": "kong", "verb": "signup"},
        active={"source": "kong", "verb": ["request", "call"], "adopts": False},
    )
    signed = replace_action(use("shop", days_ago(2), team="a", actor="p1"), "signup")
    told = [signed, use("shop", days_ago(1), team="a", actor="p1"), use("shop", days_ago(1), team="a", actor="p2")]
    told.append(replace_action(use("shop", days_ago(3), team="a", actor="p3"), "login"))
    at = scene(said, told=told)
    assert values(at, ADOPTION_RATIO) == {("gateway", "person", "false"): pytest.approx(1 / 3)}
    assert values(at, ADOPTION_ACTIVE_RATIO) == {("gateway", "person", "false"): pytest.approx(2 / 3)}


def replace_action(told: Told, action: str) -> Told:
    instance, whose, fact = told
    assert isinstance(fact, Usage)
    return (instance, whose, replace(fact, action=action, key=f"{fact.key}/{action}"))


def test_refusal_says_what_to_write_instead() -> None:
    """An unknown kind of object, and people who can own none."""
    said = refusal(capability(adopted={"source": "kong", "count": "ships"}))
    begins, _, kinds = said.partition("; write one of ")
    assert begins == "capability gateway: adopted.count 'ships' is no kind of standing object"
    assert kinds.startswith("admissionpolicies, ")
    assert kinds.endswith(", workloads, or use verb")
    every = {"source": "kong", "count": "routes", "every": {"count": "boats"}}
    said, _, kinds = refusal(capability(adopted=every)).partition("; write one of ")
    assert said == "capability gateway: adopted.every.count 'boats' is no kind of standing object"
    assert kinds.endswith(", workloads")
    every = {"source": "kubernetes", "count": "quotas", "every": {"count": "nodes"}}
    assert refusal(capability(adopted=every)) == (
        "capability gateway: no 'nodes' is ever counted as 'quotas'; write every: {count: workloads}"
    )
    assert refusal(capability(adopted={**every, "every": {"count": "workload"}})) == ""
    assert refusal(capability(unit="person")) == (
        "capability gateway: unit person can't be adopted by count, since objects belong to services and teams; "
        "write adopted: {source: ..., verb: ...}"
    )
    assert refusal(capability()) == ""
    at = scene(capability(unit="person"))
    assert list(adoption_gauges.compute(at)) == []


def test_order_and_repetition_of_facts_change_nothing() -> None:
    """Any permutation of the facts, some of them twice, gives the same samples."""
    told = [use(t, days_ago(n), amount=n) for t in "abcd" for n in (1, 5, 17, 30, 45)]
    held = [owned(t, days_ago(n), name=f"{t}{n}") for t in "abx" for n in (3, 60)]
    services = [service(t, t) for t in "abcd"]
    shuffled: list[Told] = [*told, *told[3:9]]
    random.Random(5).shuffle(shuffled)
    first = scene(capability(), told=told, held=held, services=services)
    second = scene(capability(), told=shuffled, held=[*reversed(held), held[0]], services=services)
    assert list(adoption_gauges.compute(first)) == list(adoption_gauges.compute(second))


def test_merged_ratios_are_recomputed_over_the_union() -> None:
    """Past the cap, 1 of 2 and 0 of 2 together are 1 of 4, not the mean of means by chance: parts add."""
    small = capability(id="small", eligible={"any": [{"team": {"id": ["a"]}}]})
    at = scene(capability(), small, told=[use("a", days_ago(1))], teams_=teams(*"abc"))
    ratios = [s.value for s in adoption_gauges.compute(at) if s.metric is ADOPTION_ACTIVE_RATIO]
    assert [resolve(r) for r in ratios] == [pytest.approx(1 / 3), 1.0]
    assert resolve(merge(ratios)) == 0.5


class Large(MemoryHistory):
    """2,000 services, each used on each of the last 28 days; what is read is counted."""

    services = 2_000

    def __init__(self) -> None:
        super().__init__(sources=[source("kong", watermark=NOW)])
        self.reads, self.seq = 0, 1
        self._owned_by = [owner(f"s{i}", f"t{i % 200}") for i in range(self.services)]

    def parts(
        self, kind: type[Event], shape: Any, start: datetime, end: datetime, *, source: str, after: int = 0
    ) -> Iterator[tuple[int, Any]]:
        if kind is not Usage:
            return
        days = [days_ago(0.1)] if after else [days_ago(n + 0.1) for n in range(28)]
        for object_ in range(1 if after else self.services):
            for at in days:
                self.reads += 1
                yield object_, shape(key=str(self.reads), at=at, subject="", action="request", amount=3.0, actor="")

    def latest(self, kind: type[Event]) -> int:
        return self.seq

    def owner(self, object_: int, at: object = None) -> Owner:
        return self._owned_by[object_]

    def objects(self, *, kind: str | None = None, source_type: str | None = None) -> Sequence[ObjectRow]:
        return [
            ObjectRow(id=i, source="kong", kind="route", name=f"kong:{i}", owner=o, last_seen=NOW)
            for i, o in enumerate(self._owned_by)
        ]


def test_use_is_read_once_for_all_capabilities_and_then_what_is_new() -> None:
    """30 capabilities of 2,000 services: each use is read once; after one more event, that one."""
    said = tuple(
        capability(id=f"c{i}", unit="service", adopted=EVENTFUL, eligible={"any": [{"service": {"kind": ["service"]}}]})
        for i in range(30)
    )
    history, definitions = Large(), Definitions(capabilities=said)
    at = Scene(history=history, definitions=definitions, now=NOW)
    measure, *_ = declared(definitions)
    assert isinstance(measure, Gauging)
    assert len(list(measure.compute(at))) == 30 * (7 + 3 + 2 + 1 + 1 + 200 + 200) + 200 * 2
    assert history.reads == 2_000 * 28
    for again in (1, 2):
        history.seq += 1
        list(measure.compute(at))
        assert history.reads == 2_000 * 28 + again


@pytest.mark.parametrize(("read", "absent"), [(27, True), (28, False)])
def test_nothing_is_said_before_a_whole_window_was_read(read: int, absent: bool) -> None:
    """Today is the last of 28 days: with the 27 before it unread nobody knows who is active."""
    at = scene(
        capability(adopted=EVENTFUL), told=[use("a", days_ago(1))], teams_=teams("a"), read_from=midnight_ago(read - 1)
    )
    assert (values(at, ADOPTION_RATIO) == {}) == absent
    assert (values(at, ADOPTION_UNITS) == {}) == absent
    assert values(at, STICKINESS) == {}
    assert values(at, CHURN) == {}
    assert values(at, ACTIVE_UNITS).keys() == (
        set() if absent else {("gateway", "team", "7d"), ("gateway", "team", "28d")}
    )


@pytest.mark.parametrize(("read", "shown"), [(55, False), (56, True)])
def test_churn_looks_at_two_windows(read: int, shown: bool) -> None:
    """Who was active 28 days ago is known with a whole window behind that day."""
    at = scene(capability(), told=[use("a", days_ago(40))], teams_=teams("a"), read_from=midnight_ago(read - 1))
    assert (values(at, CHURN) != {}) == shown
    assert values(at, STICKINESS) != {}


def test_who_is_active_has_adopted_unless_the_file_parts_the_two() -> None:
    """More active than adopted is impossible by itself."""
    told, both = [use("a", days_ago(1))], teams("a", "b")
    at = scene(capability(), told=told, teams_=both)
    assert values(at, ADOPTION_RATIO) == {("gateway", "team", "false"): 0.5}
    parted = capability(active={"source": "kong", "verb": "request", "adopts": False})
    assert values(scene(parted, told=told, teams_=both), ADOPTION_RATIO) == {("gateway", "team", "false"): 0.0}
    assert values(scene(parted, told=told, teams_=both), ADOPTION_ACTIVE_RATIO) == {("gateway", "team", "false"): 0.5}


def test_adopting_some_of_what_makes_active_is_a_rule_of_its_own() -> None:
    """Who runs anything is active; that nobody runs what adopting selects is what the file asks about."""
    said = capability(adopted={**EVENTFUL, "select": {"subject": ["new"]}})
    assert values(scene(said, told=[use("a", days_ago(1))], teams_=teams("a")), ADOPTION_RATIO) == {
        ("gateway", "team", "false"): 0.0
    }
    both = capability(
        adopted={**EVENTFUL, "select": {"subject": [""]}},
        active={**EVENTFUL, "select": {"subject": [""]}, "min_days": 1},
    )
    assert not both.parted


def test_active_units_of_a_span_wait_for_its_days() -> None:
    """A capability with a short window speaks after a week; who used it within 28 days is said after 28."""
    said = capability(active={"source": "kong", "verb": "request", "window": "7d"})
    at = scene(said, told=[use("a", days_ago(1))], teams_=teams("a"), read_from=midnight_ago(20))
    assert values(at, ACTIVE_UNITS) == {("gateway", "team", "7d"): 1.0}
