"""A journey, counted a second time from the runs and tickets of the simulated company, against `/metrics`."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from tests.support.company import Running
from tests.support.imported import IMPORT

from platform_meter.demo.company.portal import MONITORING, runs

DAY = timedelta(days=1)
JOURNEY, WINDOW, SETTLING = "monitoring-template", 21 * DAY, 28 * DAY


@dataclass(frozen=True)
class Went:
    """One team that ran the template, and when it had come to something once and twice."""

    team: str
    entered: datetime
    ends: tuple[datetime, ...]

    def within(self) -> int:
        """How many of both stages it reached in time."""
        return sum(end < self.entered + WINDOW for end in self.ends[:2])


def went(running: Running) -> list[Went]:
    """Newcomers since four weeks after the import begins: nothing that they ran came to something before they entered."""
    since, now = running.first - IMPORT, running.looks[-1]
    began, ended = defaultdict[str, list[datetime]](list), defaultdict[str, list[datetime]](list)
    for made in runs(running.world.company, now):
        if made.template == MONITORING and since <= made.began < now:
            began[made.team].append(made.began)
        if made.template == MONITORING and made.outcome == "completed" and since <= made.ended < now:
            ended[made.team].append(made.ended)
    found = [Went(team, min(at), tuple(sorted(ended[team]))) for team, at in sorted(began.items())]
    return [w for w in found if w.entered >= since + SETTLING and not any(end < w.entered for end in w.ends)]


def median(found: list[Went], stage: int, now: datetime) -> float | None:
    """The first time by which half are there, product-limit: who is not there yet is at risk as long as was seen of them."""
    there = [(w.ends[stage - 1] - w.entered, True) for w in found if len(w.ends) >= stage]
    lasted = there + [(now - w.entered, False) for w in found if len(w.ends) < stage]
    left = 1.0
    for time in sorted({time for time, over in lasted if over}):
        at_risk, over = sum(t >= time for t, _ in lasted), sum(t == time and o for t, o in lasted)
        left *= 1 - over / at_risk
        if left <= 0.5 + 1e-12:
            return time.total_seconds()
    return None


def test_the_funnel(imported: Running) -> None:
    """Who came how far, who still has time, who was lost, and how long it took."""
    found, now = went(imported), imported.looks[-1]
    mature = [w for w in found if w.entered + WINDOW <= now]
    pending = [w for w in found if w not in mature]
    reached = [sum(w.within() >= stage for w in mature) for stage in range(3)]
    stages = ("entered", "first", "again")
    truth = {(JOURNEY, stage, "mature"): float(n) for stage, n in zip(stages, reached, strict=True)}
    for number, stage in enumerate(stages):
        truth[JOURNEY, stage, "pending"] = float(sum(w.within() >= number for w in pending))
    shown = imported.counter("platform_funnel_units", "journey", "stage", "state")
    assert shown == {key: n for key, n in truth.items() if n}
    dropped = imported.counter("platform_funnel_dropoff_ratio", "journey", "stage")
    assert dropped == pytest.approx(
        {(JOURNEY, stages[n]): 1 - reached[n] / reached[n - 1] for n in (1, 2) if reached[n] < reached[n - 1]}
    )
    ever = imported.counter("platform_time_to_first_reached_ratio", "journey", "milestone")
    assert ever == pytest.approx(
        {(JOURNEY, stages[n]): sum(len(w.ends) >= n for w in found) / len(found) for n in (1, 2)}
    )
    times = imported.counter("platform_time_to_first_seconds", "milestone", "quantile")
    for number in (1, 2):
        expected = median(found, number, now)
        assert times.get((stages[number], "0.5")) == (expected and pytest.approx(expected, abs=1))
    assert reached[0] > 1


def test_who_asked_for_nothing(imported: Running) -> None:
    """Of those who came to the end in time, the teams that opened no ticket about observability on the way."""
    now = imported.looks[-1]
    done = [w for w in went(imported) if w.entered + WINDOW <= now and w.within() == 2]
    tickets = [t for t, _ in imported.truth.tickets(now) if t.project == "PLAT" and t.component == "observability"]
    alone = [w for w in done if not any(t.team == w.team and w.entered <= t.created <= w.ends[1] for t in tickets)]
    shown = imported.counter("platform_adoption_self_service_ratio", "capability")
    assert shown == ({(JOURNEY,): pytest.approx(len(alone) / len(done))} if done else {})
