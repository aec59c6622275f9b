"""Snapshots and transitions."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.adoption import (
    EVENTFUL,
    NOW,
    TODAY,
    Told,
    capability,
    days_ago,
    owned,
    repository,
    scene,
    service,
    teams,
    use,
    was,
)
from tests.support.history import MemoryHistory, owner, source

from platform_meter.measures.adoption import snapshots as adoption
from platform_meter.model.definitions import Capability, Churned
from platform_meter.model.facts import Ref
from platform_meter.model.facts.delivery import Deployment, DeployResult
from platform_meter.model.history import UnitState
from platform_meter.model.measure import Scene

YESTERDAY = TODAY - timedelta(days=1)
PARTED = {"source": "kong", "verb": "request", "adopts": False}
"""Who is active has not adopted by that alone."""


def rows(taken: adoption.Snapshot) -> dict[str, UnitState]:
    return {s.unit: s for s in taken.states}


def states(taken: adoption.Snapshot) -> dict[str, str]:
    return {s.unit: s.state for s in taken.states}


def changes(taken: adoption.Snapshot) -> dict[str, int]:
    return dict(Counter(str(t.change) for t in taken.transitions))


def test_the_vector_of_the_domain() -> None:
    """Active 7; dormant 2 (one straight to churned), new 1, resurrected 0, left 0: active 6, churned 1."""
    said = capability(active=PARTED)
    day = date(2026, 6, 2)
    before = datetime(2026, 5, 20, tzinfo=UTC)
    told = [use(t, before) for t in "bcdefg"]
    told += [use("a", datetime(2026, 5, 6, 9, tzinfo=UTC)), use("h", datetime(2026, 6, 3, 9, tzinfo=UTC))]
    held = [owned(t, before - timedelta(days=60)) for t in "acdefgh"]
    held += [owned("b", before - timedelta(days=60), datetime(2026, 5, 21, tzinfo=UTC))]
    at = scene(said, told=told, held=held, teams_=teams(*"abcdefgh"))
    # That b adopted, an earlier snapshot knows; b's objects went at the end of May 20.
    earlier = adoption.snapshot(said, at, date(2026, 5, 19), None)
    first = adoption.snapshot(said, at, day, rows(earlier))
    assert Counter(states(first).values()) == {"active": 7, "adopted_idle": 1}
    second = adoption.snapshot(said, at, day + timedelta(days=1), rows(first))
    assert changes(second) == {"dormant": 2, "churned": 1, "new": 1}
    assert Counter(states(second).values()) == {"active": 6, "dormant": 1, "churned": 1}
    assert [(i.metric.name, i.labels, i.amount) for i in second.increments] == [
        ("platform_adoption_transitions_total", ("gateway", "churned"), 1.0),
        ("platform_adoption_transitions_total", ("gateway", "dormant"), 2.0),
        ("platform_adoption_transitions_total", ("gateway", "new"), 1.0),
    ]


def test_the_first_snapshot_makes_no_transitions_and_who_is_active_then_is_never_new() -> None:
    """A unit active in the first snapshot that comes back later is resurrected."""
    said = capability(adopted=EVENTFUL)
    at = scene(said, told=[use("a", days_ago(100)), use("a", days_ago(2))], teams_=teams("a"))
    first = adoption.snapshot(said, at, TODAY - timedelta(days=95), None)
    assert states(first) == {"a": "active"}
    assert first.transitions == ()
    assert first.increments == ()
    second = adoption.snapshot(said, at, TODAY - timedelta(days=70), rows(first))
    assert states(second) == {"a": "dormant"}
    third = adoption.snapshot(said, at, YESTERDAY, rows(second))
    assert changes(third) == {"resurrected": 1}


def test_dormant_becomes_churned_when_no_use_at_all_for_twice_the_window() -> None:
    """Last use on the first of 56 days keeps a unit dormant; one day later it is churned, and stays so."""
    said = capability()
    last = datetime(2026, 3, 1, 23, tzinfo=UTC)
    at = scene(said, told=[use("a", last)], held=[owned("a", last)], teams_=teams("a"))
    day = last.date()
    taken = adoption.snapshot(said, at, day, None)
    seen: dict[int, str] = {}
    for ahead in (27, 28, 55, 56, 57):
        taken = adoption.snapshot(said, at, day + timedelta(days=ahead), rows(taken))
        seen[ahead] = states(taken)["a"]
    assert seen == {27: "active", 28: "dormant", 55: "dormant", 56: "churned", 57: "churned"}


def test_use_below_the_bounds_keeps_a_unit_from_being_active_but_not_from_churning() -> None:
    """Active asks for min_days and min_amount; one small use is enough not to be churned."""
    said = capability(active={"source": "kong", "verb": "request", "min_days": 2, "min_amount": 10})
    told = [use("few_days", days_ago(3), amount=50), use("small", days_ago(3)), use("small", days_ago(4))]
    told += [use("both", days_ago(3), amount=9), use("both", days_ago(4), amount=1)]
    at = scene(said, told=told, held=[owned(t, days_ago(90)) for t in ("few_days", "small", "both")])
    before = {u: was(u, "dormant", active=True) for u in ("few_days", "small", "both")}
    assert states(adoption.snapshot(said, at, YESTERDAY, before)) == {
        "few_days": "dormant",
        "small": "dormant",
        "both": "active",
    }


@pytest.mark.parametrize(("gone_for", "state"), [(13, "adopted_idle"), (14, "churned")])
def test_the_predicate_may_be_false_for_less_than_14_days(gone_for: int, state: str) -> None:
    """An adopter whose objects went is idle for 14 days, then churned."""
    said = capability()
    gone = datetime(2026, 6, 10, tzinfo=UTC) - timedelta(days=gone_for)
    at = scene(said, held=[owned("a", days_ago(90), gone)], teams_=teams("a"))
    before = {"a": was("a", "adopted_idle", adopted=True)}
    assert states(adoption.snapshot(said, at, YESTERDAY, before)) == {"a": state}


def test_churned_comes_before_active() -> None:
    """States are the first that fits: who gave up the objects 14 days ago is churned, although use goes on."""
    said = capability(active=PARTED)
    held = [owned("a", days_ago(90), days_ago(20))]
    at = scene(said, told=[use("a", days_ago(2))], held=held, teams_=teams("a"))
    before = {"a": was("a", "active", adopted=True)}
    assert changes(adoption.snapshot(said, at, YESTERDAY, before)) == {"dormant": 1, "churned": 1}


def test_a_unit_churned_by_silence_that_returns_keeps_the_grace_of_its_objects() -> None:
    """Its objects went 3 days ago, so what ended is only the silence: with use it is active again."""
    said = capability()
    at = scene(said, told=[use("a", days_ago(2))], held=[owned("a", days_ago(90), days_ago(4))], teams_=teams("a"))
    before = {"a": was("a", "churned", active=True, adopted=True)}
    assert changes(adoption.snapshot(said, at, YESTERDAY, before)) == {"resurrected": 1}


def test_a_unit_never_adopted_and_never_active_is_eligible_or_idle() -> None:
    """Without a past, only the predicate tells idle from eligible."""
    said = capability()
    at = scene(said, held=[owned("has", days_ago(9))], teams_=teams("has", "none"))
    assert states(adoption.snapshot(said, at, YESTERDAY, None)) == {"has": "adopted_idle", "none": "eligible"}


def test_exempt_units_are_listed_apart_until_their_last_day_and_leave_active_by_eligibility() -> None:
    """An exemption starting on an active unit is left_eligibility; when it is over the unit is resurrected."""
    told = [use("a", days_ago(n)) for n in (1.5, 2.5, 3.5)]
    said = capability(exempt=[{"unit": "a", "until": (TODAY - timedelta(days=2)).isoformat(), "reason": "moves"}])
    at = scene(said, told=told, teams_=teams("a"))
    out = adoption.snapshot(
        said, at, TODAY - timedelta(days=2), {"a": was("a", "active", day=TODAY - timedelta(days=3))}
    )
    assert (states(out), changes(out)) == ({"a": "exempt"}, {"left_eligibility": 1})
    back = adoption.snapshot(said, at, YESTERDAY, rows(out))
    assert (states(back), changes(back)) == ({"a": "active"}, {"resurrected": 1})


def test_a_unit_that_is_gone_is_not_eligible_and_its_past_is_kept() -> None:
    """A team nobody knows any more leaves active; a stranger without a past is dropped."""
    said = capability()
    at = scene(said, teams_=teams("b"))
    before = {"a": was("a", "active"), "x": was("x", "eligible")}
    taken = adoption.snapshot(said, at, YESTERDAY, before)
    assert states(taken) == {"a": "not_eligible", "b": "eligible"}
    assert "active" in rows(taken)["a"].ever
    assert changes(taken) == {"left_eligibility": 1}


def test_use_and_objects_belong_to_the_owner_of_that_time() -> None:
    """A snapshot of a past day asks for the owner at the end of that day."""
    said = capability(adopted=EVENTFUL)
    history = MemoryHistory(
        [use("shop", days_ago(5), team="new")],
        sources=[source("kong", watermark=NOW)],
        owned={"kong:shop": [(days_ago(99), owner("shop", "old")), (days_ago(1), owner("shop", "new"))]},
    )
    at = Scene(history=history, definitions=scene(said, teams_=teams("old", "new")).definitions, now=NOW)
    assert states(adoption.snapshot(said, at, TODAY - timedelta(days=3), None)) == {"old": "active", "new": "eligible"}
    assert states(adoption.snapshot(said, at, YESTERDAY, None)) == {"old": "eligible", "new": "active"}


def test_unowned_is_no_unit() -> None:
    """Use of objects without an owner makes no unit adopt."""
    said = capability(adopted=EVENTFUL)
    at = scene(said, told=[use("_unowned", days_ago(2), team="_unowned")], teams_=teams("a"))
    assert states(adoption.snapshot(said, at, YESTERDAY, None)) == {"a": "eligible"}


def test_events_other_than_usage_are_use_under_their_verb() -> None:
    """A deployment is one unit of `deploy`."""
    said = capability(adopted={"source": "kong", "verb": "deploy"}, active={"source": "kong", "verb": ["deploy"]})
    ref = Ref(system="kong", kind="app", id="shop")
    told: list[Told] = [
        (
            "kong",
            owner("shop", "a"),
            Deployment(key="1", at=days_ago(2), about=ref, environment="prod", sha="1", result=DeployResult.SUCCESS),
        )
    ]
    assert states(adoption.snapshot(said, scene(said, told=told), YESTERDAY, None)) == {"a": "active"}


def states_ahead(said: Capability, told: list[Told], days: tuple[int, ...]) -> dict[int, str]:
    """State of the only team on the first day of March, and so many days later, each snapshot made from the last."""
    day = date(2026, 3, 1)
    at = scene(said, told=told, teams_=teams("a"))
    taken = adoption.snapshot(said, at, day, None)
    seen = {0: states(taken)["a"]}
    for ahead in days:
        taken = adoption.snapshot(said, at, day + timedelta(days=ahead), rows(taken))
        seen[ahead] = states(taken)["a"]
    return seen


MARCH = datetime(2026, 3, 1, 9, tzinfo=UTC)


def test_adopted_by_a_verb_only_silence_churns() -> None:
    """Use that ends makes a unit dormant after the window, and churned after twice the window: no grace comes between."""
    seen = states_ahead(capability(adopted=EVENTFUL), [use("a", MARCH)], (27, 28, 42, 55, 56, 57))
    assert seen == {
        0: "active",
        27: "active",
        28: "dormant",
        42: "dormant",
        55: "dormant",
        56: "churned",
        57: "churned",
    }


def test_an_adopter_by_a_verb_that_never_was_active_is_idle_until_it_is_silent() -> None:
    """The amount of the active window must reach `min` once; the unit is lost after as much silence as an active one."""
    said = capability(adopted={**EVENTFUL, "min": 5}, active={"source": "kong", "verb": "other", "window": "7d"})
    few = states_ahead(said, [use("a", MARCH, amount=4), use("a", MARCH + timedelta(days=8))], (8,))
    assert few == {0: "eligible", 8: "eligible"}
    enough = states_ahead(said, [use("a", MARCH, amount=4), use("a", MARCH + timedelta(days=6))], (6, 7, 19, 20))
    assert enough == {0: "eligible", 6: "adopted_idle", 7: "adopted_idle", 19: "adopted_idle", 20: "churned"}


def test_who_adopted_by_one_verb_long_ago_and_uses_another_is_not_churned() -> None:
    """A template run once makes an adopter; requests of every week keep it one, though the template is never run again."""
    said = capability(adopted=EVENTFUL, active={"source": "kong", "verb": "call"})
    told = [use("a", MARCH), *(use("a", MARCH + timedelta(days=n), action="call") for n in range(1, 80, 7))]
    assert states_ahead(said, told, (1, 43, 57, 79)) == {
        0: "adopted_idle",
        1: "active",
        43: "active",
        57: "active",
        79: "active",
    }


@pytest.mark.parametrize(("window", "lost"), [("7d", 14), ("91d", 182)])
def test_silence_is_twice_the_active_window_unless_the_file_says_otherwise(window: str, lost: int) -> None:
    """A capability used quarterly is not lost after 56 days, one used daily is lost sooner."""
    said = capability(adopted=EVENTFUL, active={"source": "kong", "verb": "request", "window": window})
    seen = states_ahead(said, [use("a", MARCH)], (lost // 2, lost - 1, lost))
    assert seen == {0: "active", lost // 2: "dormant", lost - 1: "dormant", lost: "churned"}
    longer = said.model_copy(update={"churned": Churned(inactive=timedelta(days=lost + 1))})
    assert states_ahead(longer, [use("a", MARCH)], (lost, lost + 1)) == {
        0: "active",
        lost: "dormant",
        lost + 1: "churned",
    }


def test_count_asks_for_min_distinct_objects_that_select_lets_pass() -> None:
    """`select` names fields of the reading or labels of the object; bool fields read true and false."""
    said = capability(
        adopted={
            "source": "github",
            "count": "repository",
            "min": 2,
            "select": {"archived": ["false"], "visibility": ["int*"]},
        }
    )
    told: list[Told] = []
    for team, name, archived, visibility in (
        ("two", "a", False, "internal"),
        ("two", "b", False, "internal"),
        ("archived", "c", True, "internal"),
        ("archived", "d", False, "internal"),
        ("public", "e", False, "public"),
        ("public", "f", False, ""),
        ("public", "g", False, "internal"),
        ("_unowned", "h", False, "internal"),
        ("_unowned", "i", False, "internal"),
    ):
        told.append(("github", owner(team), repository(team, name=name, archived=archived, visibility=visibility)))
    at = scene(said, told=[*told, *told])
    assert states(adoption.snapshot(said, at, YESTERDAY, None)) == {
        "two": "adopted_idle",
        "archived": "eligible",
        "public": "eligible",
    }


def test_people_are_units_by_actor_and_stay_known_without_use() -> None:
    """A person is eligible by the owners of what they used; without use for long, the last snapshot decides."""
    said = capability(
        unit="person",
        adopted=EVENTFUL,
        eligible={"any": [{"team": {"id": ["a"]}}]},
        active={"source": "kong", "verb": "request"},
    )
    told = [use("shop", days_ago(70), team="a", actor="p1"), use("shop", days_ago(2), team="a", actor="p2")]
    told += [use("other", days_ago(2), team="b", actor="p3"), use("shop", days_ago(2), team="a")]
    at = scene(said, told=told)
    first = adoption.snapshot(said, at, TODAY - timedelta(days=65), None)
    assert states(first) == {"p1": "active"}
    second = adoption.snapshot(said, at, YESTERDAY, rows(first))
    assert states(second) == {"p1": "churned", "p2": "active", "p3": "not_eligible"}
    assert changes(second) == {"dormant": 1, "churned": 1, "new": 1}


DAYS = 80


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, DAYS - 1)), max_size=25),
    st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, DAYS - 1), st.integers(1, 40)), max_size=6),
    st.lists(
        st.tuples(st.integers(1, 12), st.sets(st.sampled_from("abcd")), st.sets(st.sampled_from("abcd"))), max_size=10
    ),
)
def test_active_is_balanced_by_the_transitions(
    used: list[tuple[str, int]],
    stood: list[tuple[str, int, int]],
    steps: list[tuple[int, set[str], set[str]]],
) -> None:
    """active(t) = active(t-1) + new + resurrected - dormant - left_eligibility, through gaps, exemptions and re-entry."""
    start = datetime(2026, 1, 1, 8, tzinfo=UTC)
    told = [use(t, start + timedelta(days=n)) for t, n in used]
    held = [
        owned(t, start + timedelta(days=n), start + timedelta(days=n + length), name=f"{t}{i}")
        for i, (t, n, length) in enumerate(stood)
    ]
    previous: dict[str, UnitState] = {}
    day = start.date()
    news: Counter[str] = Counter()
    for step, declared, exempted in steps:
        day += timedelta(days=step)
        # Who is eligible changes between snapshots as people edit the files.
        said = capability(
            eligible={"any": [{"team": {"id": sorted(declared) or ["nobody"]}}]},
            active={"source": "kong", "verb": "request", "window": "7d"},
            churned={"inactive": "14d"},
            exempt=[{"unit": u, "until": "2027-01-01", "reason": "test"} for u in sorted(exempted)],
        )
        at = scene(said, told=told, held=held, teams_=teams(*"abcd"))
        taken = adoption.snapshot(said, at, day, previous)
        counts = Counter(str(t.change) for t in taken.transitions)
        active = sum(s.state == "active" for s in taken.states)
        if previous:
            before = sum(s.state == "active" for s in previous.values())
            moved = counts["new"] + counts["resurrected"] - counts["dormant"] - counts["left_eligibility"]
            assert active == before + moved
        else:
            assert not taken.transitions
        news.update(t.unit for t in taken.transitions if t.change == "new")
        assert {s.unit for s in taken.states if s.state not in ("not_eligible", "exempt")} == declared - exempted
        previous = rows(taken)
    assert all(n == 1 for n in news.values())


def test_services_are_eligible_by_their_fields_and_from_their_since_on() -> None:
    """Each named field of a selector must match; an undeclared service has the defaults of a declaration."""
    said = capability(
        unit="service",
        adopted=EVENTFUL,
        eligible={
            "any": [{"service": {"kind": ["service"], "lifecycle": ["production"], "id": ["shop*", "late", "found"]}}]
        },
    )
    declared = [
        service("shop-a", "a"),
        service("shop-lib", "a", type="library"),
        service("shop-old", "a", lifecycle="deprecated"),
        service("pay", "a"),
        service("late", "a", since=NOW),
    ]
    at = scene(said, services=declared, told=[use("found", days_ago(3), team="b")])
    assert states(adoption.snapshot(said, at, YESTERDAY, None)) == {
        "shop-a": "eligible",
        "shop-lib": "not_eligible",
        "shop-old": "not_eligible",
        "pay": "not_eligible",
        "late": "not_eligible",
        "found": "active",
    }
    assert states(adoption.snapshot(said, at, TODAY, None))["late"] == "eligible"


def test_a_team_is_eligible_by_owning_such_a_service_and_by_its_own_fields() -> None:
    """Within one alternative both parts must hold; of several alternatives one suffices."""
    said = capability(
        eligible={
            "any": [
                {"service": {"tier": ["1"]}, "team": {"org": ["payments"]}},
                {"team": {"persona": ["data-*"]}},
            ]
        }
    )
    at = scene(
        said,
        teams_=[*teams("both", "no_tier", org="payments"), *teams("no_org"), *teams("data", persona="data-scientist")],
        services=[
            service("s1", "both", tier="1"),
            service("s2", "no_org", tier="1"),
            service("s3", "no_tier", tier="2"),
        ],
    )
    assert states(adoption.snapshot(said, at, YESTERDAY, None)) == {
        "both": "eligible",
        "no_tier": "not_eligible",
        "no_org": "not_eligible",
        "data": "eligible",
    }
