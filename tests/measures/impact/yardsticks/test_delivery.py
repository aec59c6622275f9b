"""Values of delivery: when each counts, and from when on it is settled."""

from __future__ import annotations

from datetime import date

from tests.support.delivery import at, broken, deployed, merged, scene

from platform_meter.measures.delivery.book import Ledger
from platform_meter.measures.impact.yardsticks.delivery import FAILURE, LEAD_TIME, RECOVERY, REWORK
from platform_meter.model.definitions import Definitions, Intervention
from platform_meter.model.facts.delivery import DeployKind

STORY = (
    deployed(1, "a0"),
    merged(10, "a1"),
    deployed(12, "a1"),
    broken(13, 15),
    merged(30, "a2", bot=True),
    merged(40, "a3"),
    deployed(50, "a3"),
    deployed(671, "a4"),
)


def test_changes_count_when_they_come_to_production() -> None:
    """From the first commit 20 hours before the merge on; a bot's does not count; a stage may be named."""
    told = LEAD_TIME.read(scene(*STORY), {}, at(0), at(600))
    assert told is not None
    assert [(s.at, s.value / 3600, s.team, s.service) for s in told.seen] == [
        (at(12), 22, "pay", "shop"),
        (at(50), 30, "pay", "shop"),
    ]
    review = LEAD_TIME.read(scene(*STORY), {"stage": "deploy", "team": "pay"}, at(0), at(20))
    assert review is not None
    assert [s.value / 3600 for s in review.seen] == [2]
    other = LEAD_TIME.read(scene(*STORY), {"team": "core"}, at(0), at(600))
    assert other is not None
    assert other.seen == []


def test_failures_are_settled_a_day_later() -> None:
    """An incident may still be linked to the last one."""
    told = FAILURE.read(scene(*STORY), {}, at(0), at(672))
    assert told is not None
    assert [s.value for s in told.seen] == [0, 1, 0]
    assert told.until == at(648)
    mended = (deployed(1, "a0"), deployed(50, "a1", kind=DeployKind.HOTFIX))
    rework = REWORK.read(scene(*mended), {}, at(0), at(672))
    assert rework is not None
    assert [s.value for s in rework.seen] == [0, 1]


def test_a_recovery_counts_at_its_end() -> None:
    """Two hours of incident."""
    told = RECOVERY.read(scene(*STORY), {}, at(14), at(600))
    assert told is not None
    assert [(s.at, s.value) for s in told.seen] == [(at(15), 7200)]


def test_what_an_old_change_is_held_to_is_read_however_old_it_is() -> None:
    """Half a year is kept; an intervention on delivery reaches back to its own beginning."""
    said = {"kind": "Intervention", "id": "x", "at": date(2026, 1, 1), "metric": {"name": LEAD_TIME.metric.name}}
    old = Definitions(interventions=(Intervention.model_validate(said),))
    story = (merged(-24 * 200, "old"), deployed(-24 * 200 + 2, "old"))
    assert len(Ledger().records(scene(*story)).deployments) == 0
    assert len(Ledger().records(scene(*story, definitions=old)).deployments) == 1
