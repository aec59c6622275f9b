"""The Impact page: each change with its verdict, its interval and what it rests on; campaigns with reach and effect."""

from __future__ import annotations

from tests.support.history import MemoryHistory
from tests.support.impact import AT, DAY, both, builds, change, runs, scene
from tests.support.views import html, tables, view

from platform_meter.measures.impact import MEASURES
from platform_meter.model.definitions import Campaign
from platform_meter.model.measure import Gauging, Scene
from platform_meter.model.metric import resolve
from platform_meter.web.pages.impact import PAGE
from platform_meter.web.view import View

SLOW, FAST = [5000.0, 5500, 6100, 4800, 7000, 6600, 5800, 6000], [3000.0, 4100, 3500, 2800, 5200, 3300, 3900, 3700]


def seen(of: Scene) -> View:
    """The scene with its own samples served."""
    rows: dict[str, list[tuple[tuple[str, ...], float]]] = {}
    for measure in MEASURES.declared(of.definitions):
        assert isinstance(measure, Gauging)
        for sample in measure.compute(of):
            if (value := resolve(sample.value)) is not None:
                rows.setdefault(sample.metric.name, []).append((sample.labels, value))
    assert isinstance(of.history, MemoryHistory)
    return view(of.now, of.history, definitions=of.definitions, rows=rows)


def test_a_claim_has_its_interval_and_its_counts() -> None:
    """Medians of 98 and 60 minutes; the chart shows both sides and marks what is left out."""
    text = html(seen(scene(runs("a", *both(SLOW, FAST)), change(title="Larger runners", units=["a"]))), PAGE.path)
    assert "Larger runners" in text
    assert "On 01 Jun 2026, for a." in text
    assert '<span class="tag good">improved</span> <strong>-39.0 % (' in text
    assert "), 8 before, 8 after</strong>" in text
    assert "98.3 min before, 60.0 min after; typically 36.7 min less (Hodges-Lehmann)" in text
    assert "the change" in text
    assert "left out, while it spreads" in text


def test_why_nothing_is_claimed() -> None:
    """Too few values, no numbers at all, and no file."""
    text = html(seen(scene(runs("a", *both(SLOW[:3], FAST)), change())), PAGE.path)
    assert '<span class="tag soft">not enough data</span> <strong>3 before, 8 after</strong>' in text
    assert "3 values before and 8 after; it takes 8 of each." in text
    assert "Its values are not known now." in html(seen(scene([], change(), fresh=False)), PAGE.path)
    assert "No Intervention file yet" in html(seen(scene([])), PAGE.path)


def test_a_campaign_has_reach_and_effect() -> None:
    """One without a capability has only reach; one that says none has no share."""
    said = {"kind": "Campaign", "at": "2026-06-01"}
    campaigns = [
        Campaign.model_validate({**said, "id": "show", "capability": "builds"}),
        Campaign.model_validate({**said, "id": "talk", "reach": {"invited": 120, "attended": 64}}),
    ]
    shown = tables(seen(scene(runs("a", *both(SLOW, FAST)), campaigns=campaigns, capabilities=[builds()])), PAGE.path)
    rows = {row[0]: row[4:] for row in shown["Campaigns"].rows}
    assert rows["talk"] == ("64 of 120", "53.3 %", "not judged: it names no capability")
    assert rows["show"][:2] == ("not said", "–")
    assert rows["show"][2].startswith("not enough data 12 weeks before, 3 weeks after")


def test_of_a_series_the_line_before_is_what_is_compared() -> None:
    """Two teams in each week before, six after; the verdict is made of the weeks that are drawn."""
    show = Campaign.model_validate({"kind": "Campaign", "at": "2026-06-01", "id": "show", "capability": "builds"})
    facts = [
        one
        for n in range(6)
        for one in runs(f"t{n}", *((day + 0.5, 60.0) for day in range(-91, 105, 7) if n < 2 or day >= 14))
    ]
    text = html(seen(scene(facts, campaigns=[show], capabilities=[builds()], now=AT + 110 * DAY)), PAGE.path)
    assert "2.0 units a week by the line of the weeks before, 6.0 units a week came" in text
    assert "The verdict is made of these weeks" in text
