"""The gauges of delivery and the counter of incidents."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.support.delivery import NOW, at, broken, deployed, merged, scene
from tests.support.history import owner

from platform_meter.measures.delivery.numbers import GAUGES, Settled, count_incident
from platform_meter.model.facts import Event
from platform_meter.model.facts.incidents import Link, LinkedIncident, Severity
from platform_meter.model.measure import Scene
from platform_meter.model.metric import resolve
from platform_meter.testing.measures import adds_up

SHAS = [f"{n:040x}" for n in range(1, 40)]


def values(scene_: Scene) -> dict[str, float]:
    """By name and labels, of the team; what is absent is not there."""
    found = {}
    for sample in GAUGES.compute(scene_):
        value = resolve(sample.value)
        if value is not None and sample.labels[0] == "pay":
            found[" ".join((sample.metric.name.removeprefix("platform_dora_"), *sample.labels[1:]))] = round(value, 4)
    return found


def month() -> list[Event]:
    """Seven releases a day apart, each of a change that was merged two hours before; the fourth fails and is rolled back."""
    facts: list[Event] = []
    for n, sha in enumerate(SHAS[:7]):
        facts += [merged(24 * n, sha), deployed(24 * n + 2, sha)]
    facts += [deployed(24 * 3 + 8, SHAS[2]), broken(24 * 3 + 3, 24 * 3 + 9)]
    return facts


def test_the_five_numbers_of_a_month() -> None:
    """Eight releases: one failed, one is the rollback; six changes in 22 h each; recovered from 3 h to 9 h of the fourth day."""
    found = values(scene(*month()))
    assert found == {
        "deployments_per_day 28d": 0.2857,
        "deployments_per_day 91d": 0.0879,
        "deploy_day_ratio 91d": 0.0,
        "change_failure_ratio 28d": 0.125,
        "change_failure_ratio 91d": 0.125,
        "rework_ratio 28d": 0.125,
        "rework_ratio 91d": 0.125,
        **{f"lead_time_seconds total {w} {q}": 22 * 3600.0 for q in ("0.5", "0.9") for w in ("28d", "91d")},
        **{f"lead_time_seconds coding {w} {q}": 10 * 3600.0 for q in ("0.5", "0.9") for w in ("28d", "91d")},
        **{f"lead_time_seconds pickup {w} {q}": 6 * 3600.0 for q in ("0.5", "0.9") for w in ("28d", "91d")},
        **{f"lead_time_seconds review {w} {q}": 4 * 3600.0 for q in ("0.5", "0.9") for w in ("28d", "91d")},
        **{f"lead_time_seconds deploy {w} {q}": 2 * 3600.0 for q in ("0.5", "0.9") for w in ("28d", "91d")},
        "samples deployments 28d": 8.0,
        "samples deployments 91d": 8.0,
        "samples rework 28d": 8.0,
        "samples rework 91d": 8.0,
        "samples change_failure 28d": 8.0,
        "samples change_failure 91d": 8.0,
        "samples lead_time 28d": 6.0,
        "samples lead_time 91d": 6.0,
        "samples dropped 28d": 0.0,
        "samples dropped 91d": 0.0,
        "samples recovery 28d": 1.0,
        "samples recovery 91d": 1.0,
        "open_failures": 0.0,
        "unlinked_incidents": 0.0,
    }


def test_fewer_than_five_samples_make_no_ratio_and_no_quantile() -> None:
    """How many there are is told; a recovery alone is no median."""
    found = values(scene(*month()[:6]))
    assert {name for name in found if "ratio" in name or "seconds" in name} == {"deploy_day_ratio 91d"}
    assert found["samples deployments 28d"] == 3.0


def test_what_stands_behind_each_number_adds_up_to_it() -> None:
    """Facts as they are stored; of a week that is what it tells."""
    adds_up(GAUGES, scene(*month(), broken(300, None), broken(310, 311)))
    assert GAUGES.behind is not None
    open_ = next(m for m in GAUGES.metrics if m.name == "platform_dora_open_failures")
    (piece,) = GAUGES.behind(scene(*month(), deployed(299, SHAS[9]), broken(300, None)), open_, ("pay",))
    assert piece.fact == deployed(299, SHAS[9])


@given(st.permutations(month()), st.integers(0, 12))
def test_order_and_repetition_change_nothing(facts: list[Event], n: int) -> None:
    """Whatever is told when, and how often."""
    assert values(scene(*facts, *facts[:n])) == values(scene(*month()))


def test_a_late_version_of_an_incident_overwrites_nothing_newer() -> None:
    """A delivery that says it is open, after it was resolved."""
    late = replace(broken(75, None), updated=at(75))
    done = replace(broken(75, 81), updated=at(81))
    assert values(scene(deployed(70, SHAS[0]), done, late))["open_failures"] == 0.0


def test_an_incident_is_counted_once_when_its_link_is_settled() -> None:
    """When it is over, or a day old: then no deployment comes near it any more."""
    settled = Settled()
    facts: list[Event] = [
        deployed(600, SHAS[0]),
        broken(601, None),
        broken(660, None),
        broken(665, 670, severity=Severity.MAJOR),
    ]
    found = settled.derive(scene(*facts))
    assert [(one.source, one.event) for one in found] == [
        ("pagerduty", linked("I601", 601, Severity.UNKNOWN, Link.NEAR)),
        ("pagerduty", linked("I665", 665, Severity.MAJOR, Link.NONE)),
    ]
    assert settled.derive(scene(*facts, now=NOW + timedelta(minutes=5))) == []


def test_where_nobody_tells_of_deployments_incidents_are_counted_unlinked() -> None:
    """And where deployments are not read for now, they wait."""
    (one,) = Settled().derive(scene(broken(100, 101)))
    assert isinstance(one.event, LinkedIncident)
    assert one.event.link is Link.NONE


def linked(name: str, hour: float, severity: Severity, link: Link) -> LinkedIncident:
    about = broken(hour, None).about
    return LinkedIncident(key=f"linked/{name}", at=at(hour), about=about, severity=severity, link=link)


def test_incidents_are_counted_by_team_severity_and_link() -> None:
    """One each."""
    event = linked("I1", 1, Severity.MAJOR, Link.NEAR)
    state = scene().history.sources()[0]
    (one,) = count_incident(event, owner("shop", "pay"), state)
    assert (one.metric.name, one.labels, one.amount) == ("platform_incidents_total", ("pay", "major", "near"), 1.0)
