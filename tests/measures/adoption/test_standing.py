"""Evidence that stands: objects by owner, and on which days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.support.adoption import NOW, TODAY, capability, days_ago, owned, repository, scene, teams, use

from platform_meter.measures.adoption import gauges, snapshots
from platform_meter.measures.adoption.standing import KINDS, said, selected
from platform_meter.model.catalogue.adoption import ADOPTION_RATIO, STICKINESS
from platform_meter.model.facts import Ref
from platform_meter.model.facts.delivery import Repository
from platform_meter.model.facts.practices import PolicyReport
from platform_meter.model.measure import Scene
from platform_meter.model.metric import resolve

STANDING = {"source": "github", "count": "repositories", "window": "7d"}
EVER = datetime(2026, 1, 1, tzinfo=UTC)


def states(at: Scene, day: date) -> dict[str, str]:
    (said_,) = at.definitions.capabilities
    return {row.unit: row.state for row in snapshots.snapshot(said_, at, day, None).states}


def of(at: Scene, metric: Any) -> list[float | None]:
    return [resolve(s.value) for s in gauges.compute(at) if s.metric is metric]


def test_what_stands_is_use_on_each_day_at_whose_end_it_does() -> None:
    """One that stood for an evening was no use; one that went at the end of 4 June stood on the 3rd, and is use until the 9th."""
    gone = datetime(2026, 6, 5, tzinfo=UTC)
    held = [
        owned("stands", EVER),
        owned("evening", datetime(2026, 6, 4, 18, tzinfo=UTC), datetime(2026, 6, 4, 22, tzinfo=UTC)),
        owned("gone", EVER, gone),
        owned("came", days_ago(0.9)),
    ]
    at = scene(capability(active=STANDING), held=held, teams_=teams("stands", "evening", "gone", "came"))
    assert states(at, TODAY - timedelta(days=1)) == {
        "stands": "active",
        "evening": "eligible",
        "gone": "active",
        "came": "active",
    }
    last = date(2026, 6, 9)
    assert (states(at, last)["gone"], states(at, last + timedelta(days=1))["gone"]) == ("active", "eligible")
    assert states(at, TODAY - timedelta(days=2))["came"] == "eligible"


def test_days_and_amounts_are_asked_of_objects_too() -> None:
    """Two objects on three days are six; a file may ask for more days, or for some of them alone."""
    held = [owned("a", days_ago(2.6), name=name) for name in ("one", "two")]

    def active(**asked: Any) -> bool:
        at = scene(capability(active={**STANDING, **asked}), held=held, teams_=teams("a"))
        return states(at, TODAY - timedelta(days=1))["a"] == "active"

    assert active(min_amount=6, min_days=3)
    assert not active(min_amount=7)
    assert not active(min_days=4)
    assert active(select={"archived": ["false"]})
    assert not active(select={"archived": ["true"]})


def test_what_stands_now_is_use_of_today() -> None:
    """Up to the moment, on a day that is not over; stickiness looks at whole days."""
    at = scene(capability(active=STANDING), held=[owned("a", days_ago(0.1))], teams_=teams("a", "b"))
    assert of(at, ADOPTION_RATIO) == [0.5]
    at = scene(capability(active=STANDING), held=[owned("a", EVER)], teams_=teams("a", "b"))
    assert of(at, STICKINESS) == [1.0]


def test_nothing_is_said_before_objects_were_seen_for_a_window() -> None:
    """Seen first on 4 June, the seventh day is the 10th; use of the same time says nothing of them."""
    said_, told = capability(active=STANDING), [use("a", days_ago(20))]
    late = scene(
        said_, told=told, held=[owned("a", EVER)], teams_=teams("a"), since=datetime(2026, 6, 5, 1, tzinfo=UTC)
    )
    assert of(late, ADOPTION_RATIO) == []
    seen = scene(
        said_, told=told, held=[owned("a", EVER)], teams_=teams("a"), since=datetime(2026, 6, 4, 23, tzinfo=UTC)
    )
    assert of(seen, ADOPTION_RATIO) == [1.0]
    assert snapshots.due(seen, {}) == []


def test_a_day_nobody_looked_at_is_left_out() -> None:
    """After an outage only yesterday is told, as of everything that stands."""
    at = scene(capability(active=STANDING), held=[owned("a", EVER)], teams_=teams("a"), now=NOW)
    last = {"gateway": TODAY - timedelta(days=9)}
    assert [due.day for due in snapshots.due(at, last)] == [TODAY - timedelta(days=1)]


def test_names_of_kinds() -> None:
    """One of them and several; both mean the kind."""
    assert KINDS["repository"] is KINDS["repositories"] is Repository
    assert "nodes" in KINDS
    assert not [word for word in KINDS if word.endswith("ss")]


def test_of_a_field_that_holds_several_one_is_enough() -> None:
    """Each of them is a value, and none of them is as if there were no field."""
    about = Ref(system="kubernetes", kind="workload", id="eu/shop/Deployment/web")

    def passed(*by: str) -> PolicyReport:
        return PolicyReport(about=about, cluster="eu", namespace="shop", workload_kind="Deployment", by=by)

    assert said(passed("limits", "probes"), "by") == ["limits", "probes"]
    assert selected({"by": ["prob*"], "namespace": ["shop"]}, passed("limits", "probes"))
    assert not selected({"by": ["prob*"]}, passed("limits"))
    assert not selected({"by": ["*"]}, passed())


def test_fields_and_labels_are_asked_by_one_name() -> None:
    """Truth reads as in YAML; a name that an object has not fits nothing."""
    one = repository("pay", archived=True, visibility="internal")
    assert (said(one, "archived"), said(one, "visibility"), said(one, "tier")) == (["true"], ["internal"], [])
    assert selected({"archived": ["true"], "visibility": ["int*", "public"]}, one)
    assert not selected({"archived": ["true"], "tier": ["*"]}, one)
