"""Surveys: waves that ended in the week, each question against the wave before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from platform_meter.measures.intervals import Score, difference
from platform_meter.measures.surveys.hiding import LEAST
from platform_meter.measures.surveys.waves import ALL, Wave, waves
from platform_meter.model.surveying import Question
from platform_meter.web.report.content import Bullets, Section
from platform_meter.web.report.told import Chapter, Told
from platform_meter.web.view import percent


def tell(told: Told) -> Section | None:
    """None where no wave ended in the week."""
    start, end = told.week.start(told.then.zone), told.week.end(told.then.zone)
    said: list[str] = []
    for survey in sorted(told.then.definitions.surveys, key=lambda one: one.id):
        found = waves(told.then, survey)
        ended = next((wave for wave in found if start < wave.end <= end), None)
        if ended is not None:
            said += _wave(survey.title or survey.id, found, ended)
    return Section(title="Surveys", blocks=[Bullets(said)], brief=said) if said else None


def _wave(title: str, found: Sequence[Wave], wave: Wave) -> Iterator[str]:
    n, asked = wave.counted(ALL), wave.asked.get(ALL)
    ratio = f", {percent(wave.answered.get(ALL, 0) / asked)} of {asked} invited" if asked else ""
    yield f"{title}, {wave.name} is over: {n} answer{'' if n == 1 else 's'}{ratio}."
    for question in wave.survey.questions:
        if question.names:
            yield f"{title}, {question.id}: {_score(found, wave, question)}."


def _score(found: Sequence[Wave], wave: Wave, question: Question) -> str:
    score = wave.scores(question).get(ALL)
    if score is None:
        return f"not enough data, fewer than {LEAST} people answered"
    ends = "all answers are the same"
    if score.interval is not None:
        ends = f"{_number(question, score.interval.low)} to {_number(question, score.interval.high)}"
    said = f"{_number(question, score.point)} ({ends}) of {score.n} answers"
    return f"{said}; {_change(found, wave, question, score)}"


def _change(found: Sequence[Wave], wave: Wave, question: Question, score: Score) -> str:
    """Against the last wave that has a score: a change only where the interval of the difference excludes 0."""
    for past in reversed(found[: found.index(wave)]):
        old = past.scores(question).get(ALL)
        if old is None:
            continue
        between = difference(score, old)
        if between is None or not between.excludes(0):
            return f"no clear change since {past.name} ({_number(question, old.point)} of {old.n})"
        moved = "up" if score.point > old.point else "down"
        return f"{moved} since {past.name} ({_number(question, old.point)} of {old.n})"
    return "no wave before it"


def _number(question: Question, value: float) -> str:
    return f"{value:+.1f}" if question.type == "nps" else percent(value)


CHAPTER = Chapter(place=6, tell=tell)
