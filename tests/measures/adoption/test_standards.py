"""Standards: who keeps to what is ordered, who does not, since when, and who is exempt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.adoption import NOW, TODAY, days_ago, service, teams
from tests.support.history import MemoryHistory, owner, source
from tests.support.standards import EU, at, covered, golden, stands, was

from platform_meter.measures.adoption import declared, standards
from platform_meter.measures.adoption.standards import Scorecard, Since
from platform_meter.model.catalogue.adoption import (
    ADOPTION_ACTIVE_RATIO,
    ADOPTION_DEPTH_RATIO,
    ADOPTION_RATIO,
    STANDARD_UNITS,
    TEAM_STANDARD_RATIO,
)
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts.delivery import Repository
from platform_meter.model.facts.kubernetes import Workload
from platform_meter.model.facts.practices import GoldenImage, Quota
from platform_meter.model.measure import Gauging, Scene, StateDay
from platform_meter.model.metric import Metric, resolve
from platform_meter.testing import adds_up

DAY = timedelta(days=1)
YESTERDAY = TODAY - DAY


def values(scene: Scene, metric: Metric) -> dict[tuple[str, ...], float | None]:
    """By labels; that what stands behind each adds up is looked at too."""
    _, measure, *_ = declared(scene.definitions)
    assert isinstance(measure, Gauging)
    adds_up(measure, scene)
    return {s.labels: resolve(s.value) for s in measure.compute(scene) if s.metric is metric}


def card(scene: Scene) -> Scorecard:
    (found,) = standards.scorecards(scene, standards.standards(scene.definitions))
    return found


def verdicts(scene: Scene) -> Mapping[str, str]:
    return {unit: judged.verdict.value for unit, judged in card(scene).units.items()}


def stored(scene: Scene) -> list[StateDay]:
    return list(standards.next_days(scene))


def test_a_unit_passes_with_all_of_its_objects_and_no_less() -> None:
    """Of three workloads two are golden: it fails by the third. Two of two pass. Without any, nobody knows."""
    held = [stands("pay", name) for name in ("p1", "p2", "p3")] + [covered("pay", "p1"), covered("pay", "p3")]
    held += [stands("shop", name) for name in ("s1", "s2")] + [covered("shop", name) for name in ("s1", "s2")]
    held += [stands("old", "o1")]
    services = [service("pay", "a"), service("shop", "a"), service("web", "b"), service("old", "b")]
    services += [service("trial", "b", lifecycle="experimental")]
    said = golden(exempt=[{"unit": "old", "until": TODAY, "reason": "is switched off"}])
    scene = at(said, held=held, services=services)
    assert verdicts(scene) == {"old": "exempt", "pay": "fails", "shop": "passes", "web": "unknown"}
    pay = card(scene).units["pay"].stock
    by_id = {row.id: row.name for row in scene.history.objects()}
    assert [by_id[o] for o in pay.asked - pay.counted] == ["kubernetes:eu/prod/Deployment/p2"]
    assert values(scene, STANDARD_UNITS) == {
        ("golden", "service", "passes"): 1.0,
        ("golden", "service", "fails"): 1.0,
        ("golden", "service", "exempt"): 1.0,
        ("golden", "service", "unknown"): 1.0,
    }
    assert values(scene, TEAM_STANDARD_RATIO) == {("a", "golden"): 0.5}


def test_without_every_enough_objects_pass() -> None:
    """A team that has to have two quotas fails with one, and with none."""
    held = [
        covered("pay", "p1", kind=Quota),
        covered("pay", "p2", kind=Quota),
        covered("web", "w1", team="b", kind=Quota),
    ]
    said = golden(
        unit="team", eligible={"any": [{"team": {}}]}, adopted={"source": "kubernetes", "count": "quotas", "min": 2}
    )
    definitions = replace(at(said, held=held).definitions, teams=teams("a", "b", "c"))
    scene = replace(at(said, held=held), definitions=definitions)
    assert verdicts(scene) == {"a": "passes", "b": "fails", "c": "fails"}
    assert values(scene, TEAM_STANDARD_RATIO) == {("a", "golden"): 1.0, ("b", "golden"): 0.0, ("c", "golden"): 0.0}


def test_use_does_not_make_a_unit_pass() -> None:
    """One golden image a day makes it active and, by the file, an adopter; of its two workloads one fails all the same."""
    said = golden(active={"source": "kubernetes", "count": "goldenimages", "adopts": True})
    held = [stands("pay", "p1"), stands("pay", "p2"), covered("pay", "p1")]
    assert verdicts(at(said, held=held, services=[service("pay", "a")])) == {"pay": "fails"}


def test_adoption_asks_for_every_object_too() -> None:
    """Of team a's services one has all of its workloads on it, one only some: adopted 1 of 2, depth 0.5, active both."""
    held = [stands("pay", name) for name in ("p1", "p2")] + [covered("pay", "p1")]
    held += [stands("shop", "s1"), covered("shop", "s1")]
    scene = at(held=held, services=[service("pay", "a"), service("shop", "a")])
    adoption, *_ = declared(scene.definitions)
    assert isinstance(adoption, Gauging)
    adds_up(adoption, scene)
    found = {s.metric.name: resolve(s.value) for s in adoption.compute(scene)}
    ratios = [found[m.name] for m in (ADOPTION_RATIO, ADOPTION_ACTIVE_RATIO, ADOPTION_DEPTH_RATIO)]
    assert ratios == [0.5, 1.0, 0.5]


def test_only_orders_that_objects_tell_of_are_standards() -> None:
    """Neither what people choose, nor what they have to use, nor what cannot be measured."""
    used = {"source": "kubernetes", "verb": "deploy"}
    ships = {"source": "kubernetes", "count": "goldenimages", "every": {"count": "ships"}}
    said = (
        golden(),
        golden(id="free", mandated=False),
        golden(id="use", adopted=used),
        golden(id="ship", adopted=ships),
    )
    assert [c.id for c in standards.standards(Definitions(capabilities=said))] == ["golden"]


def test_every_and_enough_of_them() -> None:
    """All of one workload is covered, where two are asked for."""
    asked = golden().adopted.model_dump() | {"min": 2}
    held = [stands("pay", "p1"), covered("pay", "p1"), covered("pay", "p9")]
    assert verdicts(at(golden(adopted=asked), held=held, services=[service("pay", "a")])) == {"pay": "fails"}


def test_every_is_asked_of_what_its_select_lets_pass() -> None:
    """What stands in another namespace may be as it is."""
    held = [stands("pay", "p1"), stands("pay", "p2", namespace="test"), covered("pay", "p1")]
    asked = golden().adopted.model_dump() | {"every": {"count": "workloads", "select": {"namespace": ["prod*"]}}}
    services = [service("pay", "a")]
    assert verdicts(at(golden(adopted=asked), held=held, services=services)) == {"pay": "passes"}
    assert verdicts(at(held=held, services=services)) == {"pay": "fails"}


@pytest.mark.parametrize(("minutes", "verdict"), [(59, "passes"), (60, "fails")])
def test_what_has_just_begun_is_asked_after_an_hour(minutes: int, verdict: str) -> None:
    """Whether something covers it is looked for some minutes after it began."""
    held = [stands("pay", "p1"), covered("pay", "p1"), stands("pay", "p2", start=NOW - timedelta(minutes=minutes))]
    assert verdicts(at(held=held, services=[service("pay", "a")])) == {"pay": verdict}


def test_what_was_there_before_anybody_looked_is_asked_at_once() -> None:
    """A meter that has just started judges what its clusters say is old."""
    began = NOW - timedelta(minutes=2)
    young = [stands("pay", "p1", start=began, made=NOW - timedelta(minutes=30))]
    assert verdicts(at(held=young, services=[service("pay", "a")])) == {"pay": "unknown"}
    old = [stands("pay", "p1", start=began, made=NOW - timedelta(days=30))]
    assert verdicts(at(held=old, services=[service("pay", "a")])) == {"pay": "fails"}


def test_a_new_version_of_an_old_object_is_asked_at_once() -> None:
    """A release gives it another label a minute ago; it stands no less long for that."""
    released = NOW - timedelta(minutes=1)
    held = [stands("pay", "p1", until=released, version="1"), stands("pay", "p1", start=released, version="2")]
    assert verdicts(at(held=held, services=[service("pay", "a")])) == {"pay": "fails"}


def test_objects_of_a_source_that_does_not_tell_are_unknown() -> None:
    """Nobody looks at images in the second cluster: with one workload there a unit fails by another, but never passes."""
    us = source("us", "kubernetes", watermark=NOW)
    held = [stands("pay", "p1"), covered("pay", "p1"), stands("pay", "p2", instance="us")]
    held += [stands("web", "w1"), stands("web", "w2", instance="us")]
    services = [service("pay", "a"), service("web", "a")]
    scene = at(held=held, services=services, sources=(EU, us), gives={"us": frozenset({Workload})})
    assert verdicts(scene) == {"pay": "unknown", "web": "fails"}
    assert values(scene, TEAM_STANDARD_RATIO) == {("a", "golden"): 0.0}


def test_a_stale_source_takes_the_standard_away() -> None:
    """Nothing fails, nothing passes and no day is stored while a source is stale or was never read; others stay."""
    held = [stands("pay", "p1")]
    other = golden(id="other", adopted={"source": "github", "count": "repositories"})
    for broken in (replace(EU, fresh=False), replace(EU, watermark=None)):
        scene = at(
            golden(),
            other,
            held=held,
            services=[service("pay", "a")],
            sources=(broken, source("github", watermark=NOW)),
            gives={"eu": frozenset({Workload, GoldenImage}), "github": frozenset({Repository})},
        )
        assert {labels[0] for labels in values(scene, STANDARD_UNITS)} == {"other"}
        assert [day.what for day in stored(scene)] == ["standard/other"]
    us = source("us", "kubernetes", watermark=NOW, fresh=False)
    half = at(held=held, sources=(EU, us), gives={"us": frozenset({Workload})})
    assert values(half, STANDARD_UNITS) == {}
    fresh = at(held=held, services=[service("pay", "a")])
    assert values(fresh, STANDARD_UNITS)["golden", "service", "fails"] == 1.0
    assert [(day.what, day.day) for day in stored(fresh)] == [("standard/golden", YESTERDAY)]


def test_an_exemption_ends_with_its_last_day() -> None:
    """Exempt until yesterday: the day stored says so, and today it fails, since today."""
    said = golden(exempt=[{"unit": "pay", "until": YESTERDAY, "reason": "moves"}])
    scene = at(said, held=[stands("pay", "p1")], services=[service("pay", "a")])
    (day,) = stored(scene)
    assert day.states == (was("exempt", YESTERDAY),)
    later = at(said, held=[stands("pay", "p1")], services=[service("pay", "a")], taken=day.states)
    assert verdicts(later) == {"pay": "fails"}
    assert standards.since(later, card(later)) == {"pay": Since(TODAY, or_earlier=False)}
    assert values(later, TEAM_STANDARD_RATIO) == {("a", "golden"): 0.0}


def test_a_day_is_stored_once_as_it_ended() -> None:
    """What went bad this morning was good at midnight; the day is not due again, nor one before the source was read."""
    morning = NOW - timedelta(hours=3)
    held = [stands("pay", "p1"), covered("pay", "p1", until=morning)]
    scene = at(held=held, services=[service("pay", "a")])
    assert verdicts(scene) == {"pay": "fails"}
    (day,) = stored(scene)
    assert (day.states, day.increments) == ((was("passes", YESTERDAY),), ())
    assert stored(at(held=held, services=[service("pay", "a")], taken=day.states)) == []
    today = replace(EU, since=morning)
    assert stored(at(held=held, services=[service("pay", "a")], sources=(today,))) == []
    assert stored(at()) == []


def test_since_when_a_unit_is_what_it_is() -> None:
    """The first day of its last row of equal days; where the day before it is not known, it may be earlier."""
    held = [stands(unit, unit) for unit in ("pay", "shop", "web")]
    services = [service(unit, "a") for unit in ("pay", "shop", "web")]
    taken = [was("fails", TODAY - n * DAY) for n in (5, 4, 3, 2, 1)]
    taken += [was("passes" if n > 2 else "fails", TODAY - n * DAY, "shop") for n in (5, 4, 3, 2, 1)]
    taken += [was("passes", YESTERDAY, "web")]
    scene = at(held=held, services=services, taken=taken)
    assert standards.since(scene, card(scene)) == {
        "pay": Since(TODAY - 5 * DAY, or_earlier=True),
        "shop": Since(TODAY - 2 * DAY, or_earlier=False),
        "web": Since(TODAY, or_earlier=False),
    }
    gap = at(held=held[:1], services=services[:1], taken=[was("passes", TODAY - 3 * DAY)])
    assert standards.since(gap, card(gap)) == {"pay": Since(TODAY, or_earlier=True)}
    new = at(held=held[:1], services=services[:1])
    assert standards.since(new, card(new)) == {"pay": Since(TODAY, or_earlier=True)}


def test_since_when_is_asked_anew_for_each_newest_day() -> None:
    """It is kept until a day is stored."""
    held, services = [stands("pay", "p1")], [service("pay", "a")]
    scene = at(held=held, services=services, taken=[was("passes", TODAY - 2 * DAY), was("fails", YESTERDAY)])
    assert standards.since(scene, card(scene))["pay"].day == YESTERDAY
    later = replace(scene, now=NOW + DAY)
    assert isinstance(later.history, MemoryHistory)
    later.history.taken += [was("passes", TODAY)]
    assert standards.since(later, card(later))["pay"] == Since(TODAY + DAY, or_earlier=False)
    later.history.taken += [was("fails", TODAY + DAY)]
    assert standards.since(replace(later, now=NOW + 2 * DAY), card(later))["pay"].day == TODAY + DAY


def test_a_service_takes_its_verdict_to_another_team() -> None:
    """Its share is that of the team that owns it now; what it is, and since when, moves with it."""
    taken = [was("fails", TODAY - n * DAY) for n in (3, 2, 1)]
    held = [stands("pay", "p1"), stands("shop", "s1"), covered("shop", "s1")]
    before = at(held=held, services=[service("pay", "a"), service("shop", "a")], taken=taken)
    after = at(held=held, services=[service("pay", "b"), service("shop", "a")], taken=taken)
    assert values(before, TEAM_STANDARD_RATIO) == {("a", "golden"): 0.5}
    assert values(after, TEAM_STANDARD_RATIO) == {("a", "golden"): 1.0, ("b", "golden"): 0.0}
    assert standards.since(after, card(after))["pay"] == standards.since(before, card(before))["pay"]


def test_a_day_that_is_over_asks_who_owned_what_then() -> None:
    """A workload without a golden image came to team b this morning: yesterday it was team a that failed."""
    said = golden(unit="team", eligible={"any": [{"team": {}}]})
    held = [stands("pay", "p1", team="b"), stands("web", "w1", team="b"), covered("web", "w1", team="b")]
    held += [stands("shop", "s1"), covered("shop", "s1")]
    name = "kubernetes:eu/prod/Deployment/p1"
    moved = {name: [(days_ago(99), owner("pay", "a")), (NOW - timedelta(hours=2), owner("pay", "b"))]}
    scene = at(said, held=held, owned=moved)
    assert verdicts(scene) == {"a": "passes", "b": "fails"}
    assert stored(scene)[0].states == (was("fails", YESTERDAY, "a"), was("passes", YESTERDAY, "b"))


def test_a_service_nobody_owns_is_shown() -> None:
    """Under `_unowned`, as everything that has no owner."""
    scene = at(held=[stands("pay", "p1")], services=[service("pay", "_unowned")])
    assert values(scene, TEAM_STANDARD_RATIO) == {("_unowned", "golden"): 0.0}
