"""Whether what a query counts can be what the SLO means: its counts beside each other, how often it is scraped, for how long
that is kept, and how late alerts are with so few events.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from platform_meter.slo.burnrate import Level
from platform_meter.slo.explain import amount_text, fires_after, span_text
from platform_meter.slo.plan import BurnAlert, Counters, Plan, tolerance
from platform_meter.slo.promql import duration_text, number_text, selectors
from platform_meter.slo.verify.finding import Finding, queries
from platform_meter.slo.verify.names import MOST
from platform_meter.slo.verify.server import DAY, HOUR, WEEK, Kept, NotAnswered, Server

_HOURS, _DAYS = DAY // HOUR, WEEK // DAY
_OFTEN = 2
"""Hours in which the part is more than all, from which that is no accident of one."""
_LEAST = 2.0
"""Events by which it has to be more: counts out of `increase` are estimates, and miss the first event of a series."""
_ENOUGH = 20
"""Events of a day, of which a share says something."""
_MOSTLY = 0.5
"""Share of bad events over a day from which the wrong ones may be counted."""
_LATER = {Level.PAGE: timedelta(minutes=5), Level.TICKET: timedelta(hours=1)}
"""By how much an alert has to be late to be worth a word."""
_APART = 1.25
"""By how many times the interval of scrapes has to be another."""
_WIDEST = timedelta(minutes=2)
"""The longest interval that rules are written for."""
Counts = Mapping[float, float]
"""Events by the end of their step, in epoch seconds."""


def counts(plan: Plan, server: Server) -> Iterator[Finding]:
    """What the queries of an SLO count in the last day, and where that is little in the last week.

    Raises:
        SourceError: the server no longer answers.
    """
    sums = dict[str, Counts]()
    for part, query in queries(plan).items():
        try:
            if part:
                sums[part] = server.counted(query.over(HOUR), HOUR, _HOURS)
            elif not server.gives(query.over(plan.slice or HOUR)):
                text = "the query gives nothing now, though all that it reads is there; try what it gives at the server"
                yield Finding(plan=plan, part=part, text=text, wrong=False)
        except NotAnswered as error:
            yield _unanswered(plan, part, error)
            return
    if not sums:
        return
    total, part = sums.pop("total"), next(iter(sums))
    if sum(total.values()) <= 0:
        yield from _nothing(plan, server)
        return
    beside = list(_beside(plan, part, total, sums[part]))
    yield from beside
    if not any(finding.wrong for finding in beside):
        yield from _rare(plan, total, server)


def _unanswered(plan: Plan, part: str, error: NotAnswered) -> Finding:
    if error.too_much:
        text = (
            "counting this is too much for the server at once, so nobody looked what it counts; record a part by a rule"
        )
    else:
        text = f"the server refuses this query: {error}; correct it until it gives one number there"
    return Finding(plan=plan, part=part, text=text, wrong=not error.too_much)


def _nothing(plan: Plan, server: Server) -> Iterator[Finding]:
    """A total of 0 where its series are there: after a week of that nobody waits for the first event any more."""
    query = queries(plan)["total"]
    try:
        week = server.counted(query.over(DAY), DAY, _DAYS)
        old = sum(week.values()) <= 0 and any(server.had(one) for one in selectors(query)[:MOST])
    except NotAnswered as error:
        yield _unanswered(plan, "total", error)
        return
    if sum(week.values()) > 0:
        yield from _few(plan, sum(week.values()) / (len(week) * _HOURS))
        return
    text = "total has counted nothing in the last 7 days, though its series are there, so the SLO says nothing"
    more = "; write a counter that rises with each event" if old else ": they are young, and nothing may have come yet"
    yield Finding(plan=plan, part="total", text=text + more, wrong=old)


def _beside(plan: Plan, part: str, total: Counts, counted: Counts) -> Iterator[Finding]:
    """The part next to all: never more, and of bad events less than half."""
    whole, some = sum(total.values()), sum(counted.values())
    swap = f"{part} is a part of total, so swap the two, or correct the one that counts something else"
    if some > whole * (1 + tolerance(DAY, plan.scrape)) + _LEAST:
        text = f"{part} counted {amount_text(some)} events in the last day, and total {amount_text(whole)}; {swap}"
        yield Finding(plan=plan, part=part, text=text, wrong=True)
        return
    often = sum(
        number > total.get(at, 0.0) * (1 + tolerance(HOUR, plan.scrape)) + _LEAST for at, number in counted.items()
    )
    if often >= _OFTEN:
        text = f"in {often} of the last 24 hours {part} counted more than total; {swap}"
        yield Finding(plan=plan, part=part, text=text, wrong=True)
    bad = some if part == "bad" else whole - some
    if whole >= _ENOUGH and bad > whole * _MOSTLY:
        other = "good" if part == "bad" else "bad"
        text = (
            f"{bad / whole * 100:.3g} % of events were bad in the last day; if what this counts is {other}, "
            f"write {other}: for {part}:"
        )
        yield Finding(plan=plan, part=part, text=text, wrong=False)


def _rare(plan: Plan, total: Counts, server: Server) -> Iterator[Finding]:
    """A day that has few events is held against its week before that is said."""
    day = sum(total.values()) / len(total)
    if not list(_few(plan, day)):
        return
    try:
        week = server.counted(queries(plan)["total"].over(DAY), DAY, _DAYS)
    except NotAnswered as error:
        yield _unanswered(plan, "total", error)
        return
    whole = len(week) > 1
    yield from _few(plan, sum(week.values()) / (len(week) * _HOURS) if whole else day)


def _few(plan: Plan, traffic: float) -> Iterator[Finding]:
    """How late the first alert of a full outage is because of the guard against single events; slices come by themselves."""
    if not isinstance(plan.sli, Counters) or not plan.alerts or traffic <= 0:
        return
    pages = [alert for alert in plan.alerts if alert.level is Level.PAGE] or list(plan.alerts)
    level = pages[0].level
    verb = "pages" if level is Level.PAGE else "opens a ticket"
    soon, late = (
        min((t for a in pages if (t := fires_after(plan, a, 1.0, known)) is not None), default=None)
        for known in (None, traffic)
    )
    if soon is None or (late is not None and late - soon < _LATER[level]):
        return
    said = f"with {amount_text(traffic)} events an hour"
    if late is None:
        text = f"{said} a full outage never {verb}: {_too_few(pages, traffic)}"
    else:
        text = f"{said} a full outage {verb} after {span_text(late)} instead of {span_text(soon)}"
    hint = "send probes, join SLOs, or lower the objective or platform-meter.io/min-bad"
    yield Finding(plan=plan, part="total", text=f"{text}; {hint}", wrong=False)


def _too_few(alerts: list[BurnAlert], traffic: float) -> str:
    widest = max(alerts, key=lambda a: a.long.length / a.min_bad)
    expected = amount_text(traffic * (widest.long.length / HOUR))
    return f"{widest.min_bad} bad ones are asked for, and {expected} are expected in {widest.long.label}"


def scraped(plan: Plan, server: Server) -> tuple[timedelta, Finding] | None:
    """How far samples of an SLO's first metric are apart, where that is not what rules are written for.

    Raises:
        SourceError: the server no longer answers.
    """
    part, query = next(iter(queries(plan).items()))
    read = selectors(query)
    try:
        seen = server.interval(read[0]) if read else None
    except NotAnswered:
        return None  # what counts the same series says so
    if seen is None or 1 / _APART <= seen / plan.scrape <= _APART:
        return None
    far, told = duration_text(seen), duration_text(plan.scrape)
    todo = (
        f"write --scrape {far}, for generate too"
        if seen <= _WIDEST
        else f"scrape it every {duration_text(_WIDEST)} or more often"
    )
    text = f"samples of {read[0].metric} are {far} apart, and rules are written for scrapes every {told}; {todo}"
    return seen, Finding(
        plan=plan, part=part, text=text, wrong=seen > plan.scrape, selector=read[0], word=read[0].metric
    )


def kept(plans: tuple[Plan, ...], how: Kept) -> Iterator[Finding]:
    """The SLO that reads back the furthest, where that is further than the server keeps."""
    short = [plan for plan in plans if how.length is not None and plan.period > how.length]
    if not short:
        return
    furthest = max(short, key=lambda plan: plan.period)
    others = f", and {len(short) - 1} other SLO{'s' if len(short) > 2 else ''} more than that" if len(short) > 1 else ""
    text = (
        f"the server keeps {how.said}, and this reads {furthest.period_label}{others}; "
        f"start it with --storage.tsdb.retention.time={number_text(furthest.period / DAY)}d or more"
    )
    yield Finding(plan=furthest, part="", text=text, wrong=True, key="timeWindow")
