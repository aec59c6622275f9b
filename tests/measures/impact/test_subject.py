"""Windows of a change, and which changes are in the way of which."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from tests.support.impact import change

from platform_meter.measures.impact.subject import Days, Subject, subjects
from platform_meter.model.definitions import Campaign, Definitions, Intervention


def subject(said: Intervention) -> Subject:
    return next(subjects(Definitions(interventions=(said,))))


def test_windows_are_midnights_of_the_zone() -> None:
    """Berlin is two hours ahead in summer, and one in March before the clocks change."""
    found = subject(change(at="2026-04-20")).days(ZoneInfo("Europe/Berlin"))
    assert found == Days(
        datetime(2026, 3, 20, 23, tzinfo=UTC),
        datetime(2026, 4, 19, 22, tzinfo=UTC),
        datetime(2026, 4, 29, 22, tzinfo=UTC),
        datetime(2026, 5, 29, 22, tzinfo=UTC),
    )


def test_what_falls_on_other_units_or_outside_of_the_windows_is_not_in_the_way() -> None:
    """None named are all units; control units have to be left alone too."""
    mine = subject(change(units=["a"], control_units=["b"]))

    def disturbs(**more: object) -> bool:
        return subject(change(id="other", **more)).disturbs(mine)

    assert disturbs()
    assert disturbs(units=["a"])
    assert disturbs(units=["b"])
    assert not disturbs(units=["c"])
    assert disturbs(at="2026-05-02")
    assert not disturbs(at="2026-05-01")
    assert disturbs(at="2026-07-10")
    assert not disturbs(at="2026-07-11")
    assert not mine.disturbs(mine)


def test_a_campaign_is_judged_by_who_uses_its_capability_and_disturbs_that_alone() -> None:
    """One without a capability is not judged."""
    said = {"kind": "Campaign", "id": "show", "at": "2026-06-01"}
    with_one = Campaign.model_validate({**said, "capability": "builds"})
    (show,) = subjects(Definitions(campaigns=(Campaign.model_validate(said), with_one)))
    assert (show.id, [one.called for one in show.metrics]) == (
        "campaign/show",
        ["platform_active_units{capability=builds}"],
    )
    assert not show.disturbs(subject(change()))
    assert not subject(change()).disturbs(show)
    assert show.disturbs(subject(change(metric={"name": "platform_active_units", "labels": {"capability": "builds"}})))
