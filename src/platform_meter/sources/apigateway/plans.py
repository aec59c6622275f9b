"""Usage plans: how many requests each API key made of its plan, by whole days.

docs.aws.amazon.com/apigateway/latest/api/API_GetUsage.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta

import msgspec

from platform_meter.model.facts import Ref
from platform_meter.model.facts.use import Usage
from platform_meter.model.source import Page, Unexpected
from platform_meter.model.typed import decode
from platform_meter.sources.apigateway.apis import GONE, SYSTEM, key_names, listed
from platform_meter.sources.apigateway.rows import DayLogs, PlanUsage, RestPage, UsagePlan
from platform_meter.sources.kit.promql import counted
from platform_meter.sources.kit.rows import Sieve

ACTION = "planned_request"
"""Apart from `request`, which is told of the API that was called: one request is both."""
AGAIN = timedelta(days=2)
"""A day that was told no longer ago is read again: its last requests may have come late."""
MOST = timedelta(days=90)
"""Days of one call."""
DAY = timedelta(days=1)
"""What is told is whole days."""


def usage(outside: Sieve, gateway: str, checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
    """Use of each key in each whole day, in UTC, that nobody was told of yet, and in the days before it.

    Amazon tells use by the id of a key. Of a key that is not listed, since it was deleted, nothing is told: what stands
    in its place might be the key itself.
    """
    today = now.astimezone(UTC).date()
    told = since.astimezone(UTC).date() if checkpoint is None else decode(checkpoint, date)
    begins = told - AGAIN
    if begins >= today:
        return
    called = key_names(outside)
    plans = list(listed(outside, "/usageplans", RestPage[UsagePlan]))
    while begins < today:
        ends = min(begins + MOST, today)
        facts = [fact for plan in plans for fact in _of_plan(outside, gateway, plan, called, begins, ends)]
        yield Page(facts=facts, checkpoint=msgspec.json.encode(ends))
        begins = ends


def _of_plan(
    outside: Sieve, gateway: str, plan: UsagePlan, called: Mapping[str, str], begins: date, ends: date
) -> Iterator[Usage]:
    """Nothing of a plan that was deleted since it was listed."""
    path = f"/usageplans/{plan.id}/usage"
    asked = {"startDate": begins.isoformat(), "endDate": (ends - DAY).isoformat()}
    try:
        found = list(listed(outside, path, PlanUsage, asked))
    except Unexpected as error:
        if error.status != GONE:
            raise
        return
    for key, text in found:
        if key not in called:
            outside.reject(Usage, "unknown_key")
            continue
        try:
            logs = decode(text, DayLogs)
        except msgspec.ValidationError:
            outside.reject(Usage)
            continue
        about = Ref(system=SYSTEM, kind="consumer", id=f"{gateway}/{called[key]}")
        for number, (used, _left) in enumerate(logs):
            day = begins + number * DAY
            if used > 0 and day < ends:
                yield Usage(
                    key=f"plan/{plan.id}/{key}/{day}",
                    at=datetime.combine(day, time(), UTC) + DAY / 2,
                    about=about,
                    updated=counted(used),
                    action=ACTION,
                    amount=float(used),
                    subject=plan.name or plan.id,
                )
