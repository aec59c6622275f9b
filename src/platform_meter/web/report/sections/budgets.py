"""SLOs: how they stood when the week was over, and what the week took of their budgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from platform_meter.measures.objectives.days import DailyCounts
from platform_meter.measures.objectives.reach import candidate_sources
from platform_meter.measures.objectives.slices import Counts
from platform_meter.model.history import known_to
from platform_meter.model.months import midnight
from platform_meter.model.objective import StoredObjective
from platform_meter.web.report.content import NOT_ENOUGH, Block, Bullets, Paragraph, Section, Table
from platform_meter.web.report.told import Chapter, Told
from platform_meter.web.view import percent, whole

CAUTION = 0.25
"""Of the budget left, under which it is one (domain section 5)."""
_WEEK, _DAY = timedelta(days=7), timedelta(days=1)
_WORDS = {"exhausted": 0, "caution": 1, "ok": 2, NOT_ENOUGH: 3}
"""States, the worst first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One SLO at the end of the week."""

    slo: StoredObjective
    week: Counts
    period: Counts
    """Of its whole period up to the end of the week."""
    before: Counts
    """Of its period up to the end of the week before."""

    def left(self, counts: Counts) -> float | None:
        """Budget left of these; negative where more than all is spent."""
        return 1 - counts.bad / counts.valid / float(1 - self.slo.objective) if counts.valid else None

    def state(self, counts: Counts) -> str:
        """As domain section 5 has it."""
        left = self.left(counts)
        if left is None:
            return NOT_ENOUGH
        return "exhausted" if left < 0 else "caution" if left < CAUTION else "ok"

    @property
    def spent(self) -> float | None:
        """Of the budget of the whole period, in this week."""
        valid = self.period.valid
        return self.week.bad / valid / float(1 - self.slo.objective) if valid else None


def tell(told: Told) -> Section | None:
    """None where no SLO is counted from what is stored."""
    if not told.then.definitions.objectives:
        return None
    found = standings(told)
    lost = sorted(one.slo.slo for one in found if not one.period.valid)
    known = [one for one in found if one.period.valid]
    counts = {word: sum(one.state(one.period) == word for one in known) for word in _WORDS}
    said = f"Of {len(known)} SLOs with data {counts['ok']} are ok, {counts['caution']} in caution and {counts['exhausted']} exhausted."
    moved = [line for one in known if (line := _moved(one))]
    blocks: list[Block] = [Paragraph(said)]
    if moved:
        blocks.append(Bullets(moved))
    if known:
        blocks.append(Table(["SLO", "Good this week", "Objective", "Spent this week", "Left", "State"], _rows(known)))
        blocks.append(
            Paragraph("Spent and left are shares of the budget of the SLO's whole period, which ends with the week.")
        )
    if lost:
        blocks.append(Paragraph(f"Not enough data: {', '.join(lost)}."))
    worst = [f"{one.slo.slo} has no budget left" for one in known if one.state(one.period) == "exhausted"]
    return Section(title="SLOs", blocks=blocks, brief=worst)


def standings(told: Told) -> Sequence[Standing]:
    """Those of stored events; of one whose source is not known to the end of the week nothing is counted."""
    scene, days = told.then, DailyCounts()
    return [_standing(told, objective, days) for objective in sorted(scene.definitions.objectives, key=lambda o: o.slo)]


def _standing(told: Told, slo: StoredObjective, days: DailyCounts) -> Standing:
    scene, end = told.then, told.week.end(told.then.zone)
    start = told.week.start(scene.zone)
    length = -(-slo.period // _DAY)
    first = told.week.monday + _WEEK - length * _DAY
    if known_to(candidate_sources(scene, slo)) is None:
        return Standing(slo=slo, week=Counts(), period=Counts(), before=Counts())
    early = first - _WEEK
    moments = [midnight(early + n * _DAY, scene.zone) for n in range(length + 8)]
    found = list(zip(moments, days.counts(scene, slo, moments), strict=False))
    return Standing(
        slo=slo,
        week=_sum(found, start, end),
        period=_sum(found, midnight(first, scene.zone), end),
        before=_sum(found, midnight(early, scene.zone), start),
    )


def _sum(found: Sequence[tuple[datetime, Counts]], start: datetime, end: datetime) -> Counts:
    total = Counts()
    for at, counts in found:
        if start <= at < end:
            total = total.plus(counts)
    return total


def _rows(known: Sequence[Standing]) -> list[list[str]]:
    ordered = sorted(known, key=lambda one: (_WORDS[one.state(one.period)], -(one.spent or 0.0), one.slo.slo))
    return [
        [
            one.slo.slo,
            f"{_exact(one.week.good / one.week.valid)} of {whole(one.week.valid)}" if one.week.valid else NOT_ENOUGH,
            f"{float(one.slo.objective) * 100:g} %",
            percent(one.spent),
            f"{percent(one.left(one.period))} of {one.slo.period_label}",
            one.state(one.period),
        ]
        for one in ordered
    ]


def _exact(share: float) -> str:
    """Cut, never rounded up to what it did not reach."""
    return f"{int(share * 100_000) / 1000:.3f} %"


def _moved(one: Standing) -> str:
    was, now = one.state(one.before), one.state(one.period)
    if NOT_ENOUGH in (was, now) or was == now:
        return ""
    return f"{one.slo.slo}: {was} a week before, {now} now ({percent(one.left(one.period))} of the budget left)."


CHAPTER = Chapter(place=2, tell=tell)
