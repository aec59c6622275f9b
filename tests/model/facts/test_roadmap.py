"""Facts of the roadmap."""

from __future__ import annotations

from tests.support.roadmaps import day, item

from platform_meter.model.facts import Ref, Tally
from platform_meter.model.facts.roadmap import Feedback, FeedbackDim, Planned, title


def test_a_period_holds_from_when_it_was_set_on() -> None:
    """Before the first that its tool tells nobody knows, and before it was made it was planned for nothing."""
    moved = item(
        "A", "Q3 2026", made="2026-02-01",
        periods=(Planned(day("2026-03-01"), "Q2 2026"), Planned(day("2026-06-20"), "Q3 2026")),
    )  # fmt: skip
    asked = ("2026-01-31", "2026-02-10", "2026-03-01", "2026-06-19", "2026-06-20", "2026-12-01")
    assert [moved.period_at(day(at)) for at in asked] == ["", None, "Q2 2026", "Q2 2026", "Q3 2026", "Q3 2026"]


def test_a_title_is_one_line_of_two_hundred_letters() -> None:
    """However long it is written."""
    assert title(" Gateway\n  v2 ") == "Gateway v2"
    assert len(title("x" * 5_000)) == 200


def test_feedback_is_tallied_by_theme() -> None:
    """One each."""
    told = Feedback(key="1", at=day("2026-05-04"), about=Ref(system="d", kind="feedback", id="x"), theme="builds")
    assert told.tallies() == (Tally(dim=FeedbackDim("builds")),)
