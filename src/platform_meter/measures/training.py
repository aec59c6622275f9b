"""Training: how many of those who began a course got through it. A person counts once in a course, however often they began."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from platform_meter.model.catalogue.training import TRAINING_COMPLETED, TRAINING_PEOPLE
from platform_meter.model.facts.training import Enrolment
from platform_meter.model.history import Row
from platform_meter.model.measure import Gauging, Labels, Measures, Piece, Scene
from platform_meter.model.metric import Metric, Ratio, Sample

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def courses(scene: Scene) -> Mapping[str, Sequence[Row[Enrolment]]]:
    """By course, in order of name, one enrolment of each person: one that was completed, else the first.

    A course that a stale source tells of is left out: who got through since nobody knows. So is who began before people
    had the names that they have now: they may be told of again.
    """
    start = scene.history.people_since() or _BEGINNING
    found: defaultdict[str, dict[str, Row[Enrolment]]] = defaultdict(dict)
    unknown = set[str]()
    for source in scene.history.sources(Enrolment):
        until = source.watermark or _BEGINNING
        for row in scene.history.rows(Enrolment, start, until, source=source.instance):
            told = row.event
            if not source.fresh:
                unknown.add(told.course)
            held = found[told.course].get(told.person)
            if held is None or (held.event.completed is None and told.completed is not None):
                found[told.course][told.person] = row
    return {course: [*people.values()] for course, people in sorted(found.items()) if course not in unknown}


def compute(scene: Scene) -> Iterator[Sample]:
    for course, rows in courses(scene).items():
        done = sum(row.event.completed is not None for row in rows)
        ratio = Ratio(part=done, whole=len(rows), minimum=scene.minimum)
        yield Sample(metric=TRAINING_COMPLETED, labels=(course,), value=ratio)
        yield Sample(metric=TRAINING_PEOPLE, labels=(course,), value=float(len(rows)))


def behind(scene: Scene, _metric: Metric, labels: Labels) -> Iterator[Piece]:
    for row in courses(scene).get(labels[0], ()):
        part = float(row.event.completed is not None)
        yield Piece(source=row.source, object=row.object, fact=row.event, part=part)


MEASURES = Measures(
    standing=(
        Gauging(
            metrics=(TRAINING_COMPLETED, TRAINING_PEOPLE),
            reads=frozenset({Enrolment}),
            compute=compute,
            behind=behind,
            at_once=False,
            every=timedelta(minutes=5),
        ),
    )
)
