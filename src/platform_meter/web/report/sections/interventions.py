"""Interventions: whether what was done helped, while their time after runs and when it ends."""

from __future__ import annotations

from platform_meter.measures.impact.judged import Judgement, Verdict, judge
from platform_meter.web.pages.impact import claim
from platform_meter.web.report.content import Bullets, Section
from platform_meter.web.report.told import Chapter, Told
from platform_meter.web.view import sentence

_CLEAR = (Verdict.IMPROVED, Verdict.WORSE)


def tell(told: Told) -> Section | None:
    """None where none had its time after in the week."""
    start, end = told.week.start(told.then.zone), told.week.end(told.then.zone)
    found = [one for one in judge(told.then) if one.days.at < end and one.days.ends > start]
    if not found:
        return None
    clear = [_said(one) for one in found if one.verdict in _CLEAR and start < one.days.ends <= end]
    return Section(title="Interventions", blocks=[Bullets([_said(one) for one in found])], brief=clear)


def _said(one: Judgement) -> str:
    subject = one.subject
    called = subject.title or subject.id.removeprefix("campaign/")
    running = "so far " if one.running else ""
    more = " ".join(sentence(note) for note in (one.why, *one.notes) if note)
    return f"{called}, {one.metric.called}: {running}{one.verdict}, {claim(one)}. {more}".rstrip()


CHAPTER = Chapter(place=8, tell=tell)
