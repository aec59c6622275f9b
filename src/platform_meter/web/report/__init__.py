"""What a week says, for product managers: one content, made of what is stored, in as many forms as people read.

    report = make(scene, week, plans=plans, records=records)
    print(markdown(report))

Every number is of the week or as it stood when the week was over; what is not known has no number.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from platform_meter.model.found import found
from platform_meter.model.kept import Kept
from platform_meter.model.measure import Scene
from platform_meter.model.weeks import Week
from platform_meter.slo.plan import Plan
from platform_meter.web.records import Records
from platform_meter.web.report.changes import changes
from platform_meter.web.report.compare import WEEKS
from platform_meter.web.report.content import Report
from platform_meter.web.report.past import Past
from platform_meter.web.report.told import Chapter, Told

_GAPS = 1000


class NotOver(ValueError):
    """The week is not over: nothing is said of half a week."""


def chapters() -> tuple[Chapter, ...]:
    """Every section that there can be, in order."""
    return tuple(sorted(found("platform_meter.web.report.sections", Chapter), key=lambda one: one.place))


def make(scene: Scene, week: Week, *, plans: Sequence[Plan], records: Records, exporter: str = "") -> Report:
    """The report of one week.

    Args:
        scene: the store as it is.
        week: one that is over.
        plans: every SLO of the files.
        records: what the store has of gaps.
        exporter: address of the pages as people reach them; empty where nobody says it.

    Raises:
        NotOver: the week is not over in the scene's zone.
    """
    zone, end = scene.zone, week.end(scene.zone)
    if end > scene.now:
        raise NotOver(f"{week.label} is not over before {end.astimezone(zone):%d %b %Y %H:%M}; ask for an earlier week")
    then = Scene(
        history=Past(scene.history, end, zone),
        definitions=scene.definitions,
        now=end,
        zone=zone,
        kept=Kept(),
        minimum=scene.minimum,
    )
    stored = {objective.slo for objective in scene.definitions.objectives}
    before = week.back(WEEKS).start(zone)
    told = Told(
        week=week,
        now=scene,
        then=then,
        unseen=[plan.slo for plan in plans if plan.slo not in stored],
        gaps=[gap for gap in records.gaps(_GAPS) if gap.start < end and gap.end > before],
        changes=changes(then, week),
    )
    sections = [section for chapter in chapters() if (section := chapter.tell(told)) is not None]
    return Report(
        title=f"The platform in week {week.label}",
        lead=(
            f"{week.monday:%A %d %B %Y} to {week.sunday:%A %d %B %Y}, in {zone.key}; held against the {WEEKS} weeks before it, "
            f"and as of the end of its last day. Made on {scene.now.astimezone(zone):%d %B %Y at %H:%M}."
        ),
        week=week.label,
        made=scene.now,
        sections=sections,
        href=f"{exporter.rstrip('/')}/report/{week.label}" if exporter else "",
    )


class Reports:
    """Reports that were made, for pages: one of a week that is over changes only by what is told late, so it is made anew
    once an hour.
    """

    def __init__(self) -> None:
        self._made: dict[Week, Report] = {}

    def of(self, scene: Scene, week: Week, *, plans: Sequence[Plan], records: Records) -> Report:
        """As `make`."""
        known = self._made.get(week)
        if known is None or not known.made <= scene.now < known.made + _ANEW:
            known = make(scene, week, plans=plans, records=records)
            if len(self._made) >= _REMEMBERED:
                self._made.pop(next(iter(self._made)), None)
            self._made[week] = known
        return known


_ANEW = timedelta(hours=1)
_REMEMBERED = 8
