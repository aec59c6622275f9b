"""What a reader must know before any number: what was not read, what has no owner, of what there is too little."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from platform_meter.measures.ci import FAILURES
from platform_meter.measures.meter import MACHINERY, ownerless
from platform_meter.model.facts.ci import Outcome, PipelineRun
from platform_meter.web.report.content import Bullets, Section
from platform_meter.web.report.told import Chapter, Told
from platform_meter.web.view import first_of, percent

_MOST = 8
"""Names in a sentence."""
_UNOWNED, _UNCLASSIFIED = 0.1, 0.2
"""Shares from which on the alerts of domain section 15 come."""


def tell(told: Told) -> Section:
    """Never nothing: that there is nothing to know is worth knowing."""
    said = [*_sources(told), *_gaps(told), *_unowned(told), *_unclassified(told), *_few(told), *_unseen(told)]
    clean = "Every source was read to the end of the week, without gaps, and all that was seen has an owner."
    return Section(title="Before you read this", blocks=[Bullets(said or [clean])], brief=said[:3])


def _sources(told: Told) -> Iterator[str]:
    states = sorted(told.then.history.sources(), key=lambda s: s.instance)
    missing = [s.instance for s in states if not s.fresh]
    if not states:
        yield "No source is configured, so there is nothing to report."
    if missing:
        yield (
            f"Not read to the end of the week: {first_of(missing, _MOST)} ({len(missing)} of {len(states)} sources). What "
            "rests on them is left out."
        )


def _gaps(told: Told) -> Iterator[str]:
    by_source = Counter(gap.source for gap in told.gaps)
    if by_source:
        said = [f"{name} ({n})" for name, n in sorted(by_source.items())]
        yield (
            f"History of this week or the four before that could not be read, by source: {first_of(said, _MOST)}. What "
            "happened then is in no number."
        )


def _unowned(told: Told) -> Iterator[str]:
    objects = [row for row in told.now.history.objects() if row.kind not in MACHINERY]
    lost = sum(map(ownerless(told.now.definitions), objects))
    if lost:
        share = lost / len(objects)
        much = f", more than {_UNOWNED * 100:.0f} %" if share > _UNOWNED else ""
        yield (
            f"{lost:,} of {len(objects):,} objects ({percent(share)}{much}) have no owner, as things stand now: what is "
            "done with them counts for no team."
        )


def _unclassified(told: Told) -> Iterator[str]:
    start, end = told.week.start(told.then.zone), told.week.end(told.then.zone)
    found = Counter[str]()
    for source in told.then.history.sources(PipelineRun):
        for (_, dim), count in told.then.history.counts(PipelineRun, source.instance, start, end).items():
            found[dim.outcome] += count.n
    failures, unknown = sum(found[outcome] for outcome in FAILURES), found[Outcome.UNKNOWN]
    if failures and unknown > _UNCLASSIFIED * failures:
        yield (
            f"{unknown:,} of {failures:,} failed pipeline runs ({percent(unknown / failures)}) could not be classified; "
            "success leaves them out."
        )


def _few(told: Told) -> Iterator[str]:
    few = [change.what for change in told.changes if not change.said]
    if few:
        yield f"Not enough data to hold this week against the four before: {'; '.join(few)}."


def _unseen(told: Told) -> Iterator[str]:
    if told.unseen:
        n = len(told.unseen)
        yield (
            f"{n} SLO{'' if n == 1 else 's'} counted by Prometheus {'is' if n == 1 else 'are'} not in this report, which "
            f"is made of what the exporter stored: {first_of(sorted(told.unseen), _MOST)}."
        )


CHAPTER = Chapter(place=0, tell=tell)
