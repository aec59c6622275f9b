"""Promises: whether they are kept so far, and whether those were whose period ended in the week."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_FLOOR, Decimal

from platform_meter.measures.promises.ledger import Ledger
from platform_meter.model.definitions import Promise
from platform_meter.web.report.content import NOT_ENOUGH, Paragraph, Section, Table
from platform_meter.web.report.told import Chapter, Told
from platform_meter.web.view import whole

_STEP = Decimal("0.001")


def tell(told: Told) -> Section | None:
    """None where nothing is promised."""
    promises = sorted(told.then.definitions.promises, key=lambda promise: promise.id)
    if not promises:
        return None
    ledger = Ledger(told.then.definitions)
    rows = [row for promise in promises for row in _rows(told, ledger, promise)]
    broken = [
        f"Promise broken: {row[0]}, {row[1]} ({row[2]}; {row[3]} was promised)." for row in rows if row[-1] == "broken"
    ]
    unjudged = (
        [Paragraph("Not judged: what Prometheus counts is not stored.")]
        if any(row[-1] == "not judged" for row in rows)
        else []
    )
    return Section(
        title="Promises",
        blocks=[Table(["Promise", "Period", "Kept", "Promised", "Verdict"], rows), *unjudged],
        brief=broken,
    )


def _rows(told: Told, ledger: Ledger, promise: Promise) -> Iterator[list[str]]:
    """The period that ended within the week, if one did, and the one that runs when the week is over."""
    start, end = told.week.start(told.then.zone), told.week.end(told.then.zone)
    if promise.id not in ledger.objectives:
        yield [promise.title or promise.id, "", "", _share(promise.promised), "not judged"]
        return
    found = ledger.found(told.then, promise, {0, 1}) or {}
    for back in (1, 0):
        begins, ends = promise.period.around(end, back)
        if back and not start < ends <= end:
            continue
        one = found.get(back)
        name = promise.period.called(begins)
        if one is None or not one.counts.valid:
            yield [promise.title or promise.id, name, NOT_ENOUGH, _share(promise.promised), NOT_ENOUGH]
            continue
        share = one.counts.good / one.counts.valid
        so_far = "" if back else " so far"
        yield [
            promise.title or promise.id,
            name,
            f"{_share(share)} of {whole(one.counts.valid)}",
            _share(promise.promised),
            f"{'kept' if share >= promise.promised else 'broken'}{so_far}",
        ]


def _share(share: float) -> str:
    """Cut, never rounded up to what it did not reach."""
    return f"{(Decimal(str(share)) * 100).quantize(_STEP, ROUND_FLOOR).normalize():f} %"


CHAPTER = Chapter(place=9, tell=tell)
