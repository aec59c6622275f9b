"""What the product manager writes down of the changes."""

from __future__ import annotations

from datetime import date

from tests.demo.worlds import START

from platform_meter.demo.company.layout import Company
from platform_meter.demo.stage.impact_files import impact
from platform_meter.model.programme import Campaign, Intervention


def test_two_interventions_touch_other_teams_and_a_campaign_is_about_a_capability() -> None:
    """So that neither is in the way of the other; all are on days of the history."""
    agents, cache, roadshow = impact(Company.build(1, START))
    one, other = (Intervention.model_validate(said) for said in (agents, cache))
    assert one.units
    assert other.units
    assert not {*one.units} & {*other.units}
    assert one.at == other.at == date(2026, 4, 5)
    show = Campaign.model_validate(roadshow)
    assert (show.capability, show.at) == ("continuous-delivery", date(2026, 3, 29))
