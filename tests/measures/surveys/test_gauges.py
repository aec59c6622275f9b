"""The gauges of surveys: hand-worked scores, what is absent, and that each is made of what stands behind it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.support.surveys import NOW, answer, answers, asked, scene, survey

from platform_meter.measures.surveys.gauges import GAUGES
from platform_meter.model.catalogue.surveys import (
    SURVEY_NPS,
    SURVEY_RESPONSE_RATIO,
    SURVEY_RESPONSES,
    SURVEY_SCORE,
)
from platform_meter.model.measure import Scene
from platform_meter.model.metric import Metric, resolve
from platform_meter.testing.measures import adds_up

JUNE = datetime(2026, 6, 5, tzinfo=UTC)
TEN = [f"s{n}" for n in range(1, 11)]


def values(seen: Scene, metric: Metric) -> dict[tuple[str, ...], float | None]:
    found = {s.labels: resolve(s.value) for s in GAUGES.compute(seen) if s.metric is metric}
    return {labels: None if value is None else round(value, 4) for labels, value in found.items()}


def test_nps_with_its_interval() -> None:
    """Nine promoters, six passives, five detractors (domain section 16)."""
    seen = scene(answers([9] * 9 + [8] * 6 + [3] * 5))
    assert values(seen, SURVEY_NPS) == {
        ("nps", "all", "point"): 20.0,
        ("nps", "all", "low"): -15.3973,
        ("nps", "all", "high"): 50.1799,
    }
    assert values(seen, SURVEY_RESPONSES) == {("nps", "all"): 20.0}
    assert values(seen, SURVEY_RESPONSE_RATIO) == {}
    adds_up(GAUGES, seen)


def test_each_question_has_a_score_of_its_own_scale() -> None:
    """CSAT 7 of 10, a SUS of 85 each, a Likert index of (3.9 - 1) / 4; scales are never put together."""
    asks = survey(
        questions=[
            {"id": "ease", "type": "csat"},
            {"id": "use", "type": "sus", "fields": TEN},
            {"id": "trust", "type": "likert", "field": "t"},
            {"id": "more", "type": "text"},
        ]
    )
    usable = dict(zip(TEN, [4.0, 2.0, 5.0, 1.0, 4.0, 2.0, 5.0, 2.0, 4.0, 1.0], strict=True))
    ease, trust = [5, 5, 5, 4, 4, 4, 4, 3, 2, 1], [5, 5, 5, 4, 4, 4, 4, 4, 3, 1]
    told = answers([{**usable, "ease": float(e), "t": float(t)} for e, t in zip(ease, trust, strict=True)])
    seen = scene(told, asks)
    assert values(seen, SURVEY_SCORE) == {
        ("nps", "all", "point", "ease"): 0.7,
        ("nps", "all", "low", "ease"): 0.3968,
        ("nps", "all", "high", "ease"): 0.8922,
        ("nps", "all", "point", "use"): 0.85,
        ("nps", "all", "point", "trust"): 0.725,
        ("nps", "all", "low", "trust"): 0.475,
        ("nps", "all", "high", "trust"): 0.85,
    }
    assert values(seen, SURVEY_NPS) == {}
    adds_up(GAUGES, seen)


def test_four_answers_are_counted_and_have_no_score() -> None:
    """Absent, not 0; a panel can say why."""
    seen = scene(answers([9] * 4))
    assert values(seen, SURVEY_NPS) == {}
    assert values(seen, SURVEY_RESPONSES) == {("nps", "all"): 4.0}
    adds_up(GAUGES, seen)


def test_the_newest_wave_is_told() -> None:
    """The last quarter's answers are not mixed into it."""
    seen = scene([*answers([9] * 8, JUNE), *answers([3] * 6)])
    assert values(seen, SURVEY_NPS)["nps", "all", "point"] == -100.0
    waiting = scene([*answers([9] * 8, JUNE), *answers([3] * 6)], survey(shown="closed"))
    assert values(waiting, SURVEY_NPS)["nps", "all", "point"] == 100.0
    assert values(waiting, SURVEY_RESPONSES) == {("nps", "all"): 8.0}


def test_without_answers_nothing_is_said() -> None:
    """Not even that there were 0: nobody may have been asked."""
    assert list(GAUGES.compute(scene([asked("ada")]))) == []


def test_segments_are_those_of_five_or_more_and_never_teams() -> None:
    """Personas for whoever may see /metrics; teams are for the role pm, on a page."""
    by = survey(segment_by=["persona", "team"])
    told = [
        *answers([9] * 7, team="team-pay"),
        *answers([8] * 5, team="team-shop"),
        *answers([2] * 6, team="team-data"),
        *(asked(f"team-pay{n}", team="team-pay") for n in range(14)),
    ]
    seen = scene(told, by)
    assert values(seen, SURVEY_RESPONSES) == {
        ("nps", "all"): 18.0,
        ("nps", "persona:app-developer"): 12.0,
        ("nps", "persona:data-engineer"): 6.0,
    }
    assert values(seen, SURVEY_RESPONSE_RATIO) == {("nps", "all"): 0.5, ("nps", "persona:app-developer"): 0.5}
    points = {segment: value for (_, segment, bound), value in values(seen, SURVEY_NPS).items() if bound == "point"}
    assert points == {"all": 5.5556, "persona:app-developer": 58.3333, "persona:data-engineer": -100.0}
    adds_up(GAUGES, seen)


def test_what_stands_behind_a_score_names_nobody() -> None:
    """How many answered what, and what that adds; no answer of a single person can be looked up."""
    seen = scene([*answers([10] * 4 + [7]), answer("ada", answers=2)])
    assert GAUGES.behind is not None
    pieces = list(GAUGES.behind(seen, SURVEY_NPS, ("nps", "all", "point")))
    assert [(p.what, round(p.adds, 4)) for p in pieces] == [
        ("1 answered 2", -16.6667),
        ("1 answered 7", 0.0),
        ("4 answered 10", 66.6667),
    ]
    assert all(p.fact is None and p.object is None for p in pieces)


@pytest.mark.parametrize("order", [1, -1])
def test_order_and_repetition_change_nothing(order: int) -> None:
    """The same answers once more, and from the end."""
    told = answers([9, 9, 8, 3, 10, 6], NOW)
    assert list(GAUGES.compute(scene([*told, *told][::order]))) == list(GAUGES.compute(scene(told)))
