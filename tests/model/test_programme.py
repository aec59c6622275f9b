"""Promises, campaigns, interventions and roadmaps: what is taken, and what is refused and where."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from platform_meter.model.programme import (
    Campaign,
    EffectMetric,
    FeedbackLinks,
    Intervention,
    ItemText,
    Promise,
    PromisePeriod,
    RoadmapItems,
    RoadmapSource,
)
from platform_meter.model.scalars import Definition, PlacedError

ROADMAP: dict[str, Any] = {"kind": "RoadmapSource", "id": "roadmap", "period_field": "Quarter"}
CHANGE: dict[str, Any] = {"kind": "Intervention", "id": "template", "at": "2026-05-04"}


def test_what_the_domain_shows_is_taken() -> None:
    """The samples of its section 14, with what they do not say by default."""
    campaign = Campaign.model_validate(
        {"kind": "Campaign", "id": "roadshow", "at": "2026-05-04", "reach": {"invited": 120, "attended": 64}}
    )
    assert campaign.at == date(2026, 5, 4)
    change = Intervention.model_validate(CHANGE | {"metric": {"time_to": "live", "journey": "api-gateway"}})
    assert (change.windows.pre, change.windows.washout, change.windows.post) == (
        timedelta(days=90),
        timedelta(days=14),
        timedelta(days=90),
    )
    assert [one.better for one in change.judged] == [None]
    roadmap = RoadmapSource.model_validate(ROADMAP | {"source": {"type": "jira", "select": "project = PLAT"}})
    assert (roadmap.feedback.links, roadmap.feedback.label) == (True, "")


def test_what_was_promised_stands_in_one_of_two_places() -> None:
    """An SLO's in `target`, a queue's in `ticketing.ratio`; a month in UTC unless said otherwise."""
    slo = Promise.model_validate({"kind": "Promise", "id": "a", "slo": "x", "target": 0.985})
    queue = Promise.model_validate(
        {"kind": "Promise", "id": "b", "ticketing": {"queue": "help", "sla": "resolution", "ratio": 0.9}}
    )
    assert (slo.promised, queue.promised) == (0.985, 0.9)
    assert (slo.period.calendar, slo.period.zone) == ("month", "UTC")


@pytest.mark.parametrize(
    ("calendar", "back", "start", "end", "called"),
    [
        ("month", 0, "2026-10-31T23:00", "2026-11-30T23:00", "November 2026"),
        ("month", 1, "2026-09-30T22:00", "2026-10-31T23:00", "October 2026"),
        ("quarter", 0, "2026-09-30T22:00", "2026-12-31T23:00", "Q4 2026"),
        ("quarter", 4, "2025-09-30T22:00", "2025-12-31T23:00", "Q4 2025"),
        ("year", 0, "2025-12-31T23:00", "2026-12-31T23:00", "2026"),
        ("year", 1, "2024-12-31T23:00", "2025-12-31T23:00", "2025"),
    ],
)
def test_a_period_is_cut_at_midnights_of_its_zone(calendar: str, back: int, start: str, end: str, called: str) -> None:
    """In Berlin at half past midnight of 1 November, an hour of October in UTC; the clocks of October went back in it."""
    period = PromisePeriod.model_validate({"calendar": calendar, "zone": "Europe/Berlin"})
    now = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)
    found = period.around(now, back)
    assert [moment.isoformat()[:16] for moment in found] == [start, end]
    assert [moment.tzinfo for moment in found] == [UTC, UTC]
    assert period.called(found[0]) == called


TICKETS = {"queue": "help", "sla": "resolution", "ratio": 0.9}


@pytest.mark.parametrize(
    ("model", "said", "text", "at"),
    [
        (
            Promise,
            {"kind": "Promise", "id": "p", "slo": "x", "ticketing": TICKETS, "target": 0.9},
            "a promise is about one thing; write either slo: NAME or ticketing: {queue, sla, ratio}",
            (),
        ),
        (
            Promise,
            {"kind": "Promise", "id": "p", "target": 0.9},
            "a promise is about one thing; write either slo: NAME or ticketing: {queue, sla, ratio}",
            (),
        ),
        (
            Promise,
            {"kind": "Promise", "id": "p", "slo": "x"},
            "a promise about an SLO needs its target; write target: 0.985",
            ("slo",),
        ),
        (
            Promise,
            {"kind": "Promise", "id": "p", "ticketing": TICKETS, "target": 0.9},
            "a promise about tickets has its target in ticketing.ratio; remove target",
            ("target",),
        ),
        (
            Campaign,
            {"kind": "Campaign", "id": "c", "at": "2026-05-04", "reach": {"invited": 10, "attended": 11}},
            "11 attended of 10 invited; correct one of the two",
            ("attended",),
        ),
        (
            EffectMetric,
            {"time_to": "live"},
            "write either {time_to: STAGE, journey: CAPABILITY} or {name: METRIC, better: lower}",
            (),
        ),
        (
            EffectMetric,
            {"time_to": "live", "journey": "gateway", "name": "x"},
            "write either {time_to: STAGE, journey: CAPABILITY} or {name: METRIC, better: lower}",
            (),
        ),
        (
            EffectMetric,
            {},
            "write either {time_to: STAGE, journey: CAPABILITY} or {name: METRIC, better: lower}",
            (),
        ),
        (
            EffectMetric,
            {"time_to": "live", "journey": "gateway", "labels": {"team": "a"}},
            "labels are those of a metric by name; remove them",
            ("labels",),
        ),
        (
            Intervention,
            CHANGE,
            (
                "an intervention should change something; write either metric: {time_to: STAGE, journey: CAPABILITY}, or "
                "several as metrics: [{name: METRIC}, {name: METRIC}]"
            ),
            (),
        ),
        (
            Intervention,
            CHANGE | {"metrics": [{"name": "x"}, {"name": "x", "better": "higher"}]},
            "'x' stands twice; remove one",
            ("metrics", 1),
        ),
        (
            Intervention,
            CHANGE | {"metric": {"name": "x"}, "units": ["a"], "control_units": ["b", "a"]},
            "'a' is among the units too; keep it in one of the two",
            ("control_units", 1),
        ),
        (
            RoadmapSource,
            ROADMAP | {"source": {"type": "yaml", "project": "x"}},
            "a roadmap of type yaml needs items; write items: [{id: gateway-v2, period: 2026-Q3}]",
            ("type",),
        ),
        (
            RoadmapSource,
            ROADMAP | {"source": {"type": "github_project", "project": "acme/payments"}},
            "'acme/payments' is no project of github_project; write it like acme/7",
            ("project",),
        ),
        (
            RoadmapSource,
            ROADMAP | {"source": {"type": "github_milestones", "project": "acme/payments"}},
            "period_field is of jira and github_project; remove it",
            ("period_field",),
        ),
        (
            RoadmapSource,
            {"kind": "RoadmapSource", "id": "r", "source": {"type": "jira", "project": "PLAT"}},
            "which field has the period of an item, nobody can guess; write period_field: Quarter",
            ("source",),
        ),
        (
            RoadmapItems,
            {"type": "jira", "project": "P", "items": [{"id": "a"}]},
            "items are of type yaml; those of jira are read there",
            ("items",),
        ),
        (
            RoadmapItems,
            {"type": "github_milestones", "project": "a/b", "select": "x"},
            "select is of type jira; remove it",
            ("select",),
        ),
        (
            RoadmapItems,
            {"type": "yaml", "items": [{"id": "a"}, {"id": "a"}]},
            "item 'a' stands twice; give it another id",
            ("items", 1, "id"),
        ),
        (
            ItemText,
            {"id": "a", "status": "done"},
            "an item that is done says since when; write done: 2026-08-14",
            ("status",),
        ),
        (
            ItemText,
            {"id": "a", "done": "2026-08-14"},
            "done says that it is, and status that it is planned; write status: done",
            ("done",),
        ),
        (
            ItemText,
            {"id": "a", "feedback": ["HELP-7"]},
            "'HELP-7' names no source; write it like jira:HELP-7",
            ("feedback", 0),
        ),
        (
            FeedbackLinks,
            {"label": "feedback"},
            "'feedback' leaves no theme; end it with one *, such as feedback:*",
            ("label",),
        ),
        (
            RoadmapSource,
            ROADMAP | {"source": {"type": "jira"}},
            "a roadmap of type jira needs a project; write project: PLAT",
            ("type",),
        ),
        (
            RoadmapSource,
            ROADMAP | {"source": {"type": "github_project", "select": "x"}},
            "a roadmap of type github_project needs a project; write project: acme/7",
            ("type",),
        ),
    ],
)
def test_what_does_not_fit_is_said_at_its_place(
    model: type[Definition], said: dict[str, Any], text: str, at: tuple[str | int, ...]
) -> None:
    """One sentence with what to write, at the part that is to be changed."""
    with pytest.raises(ValidationError) as raised:
        model.model_validate(said)
    (found,) = raised.value.errors()
    cause = found["ctx"]["error"]
    assert (str(cause), cause.at if isinstance(cause, PlacedError) else ()) == (text, at)


@pytest.mark.parametrize("ratio", [0, 1, 1.5, -0.1])
def test_a_promise_is_between_nothing_and_all(ratio: float) -> None:
    """100 % can't be kept, and 0 % is none."""
    with pytest.raises(ValidationError):
        Promise.model_validate({"kind": "Promise", "id": "p", "slo": "x", "target": ratio})
    with pytest.raises(ValidationError):
        Promise.model_validate({"kind": "Promise", "id": "p", "ticketing": TICKETS | {"ratio": ratio}})
