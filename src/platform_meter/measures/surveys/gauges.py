"""The gauges of surveys. Teams are no segment of theirs: who may see `/metrics` may not see that detail.

What stands behind a score is told as how many answered what, never as single answers: of whom somebody knows that they
answered, the answer would be known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta

from platform_meter.measures.intervals import Score
from platform_meter.measures.surveys.statistics import satisfied
from platform_meter.measures.surveys.waves import ALL, TEAM, Segment, Wave, waves
from platform_meter.model.catalogue.surveys import (
    SURVEY_NPS,
    SURVEY_RESPONSE_RATIO,
    SURVEY_RESPONSES,
    SURVEY_SCORE,
)
from platform_meter.model.facts.people import Membership
from platform_meter.model.facts.surveys import Invitation, SurveyResponse
from platform_meter.model.measure import Gauging, Labels, Piece, Scene
from platform_meter.model.metric import Metric, Ratio, Sample
from platform_meter.model.surveying import Question


def newest(found: Sequence[Wave]) -> Wave | None:
    """The wave that gauges tell of: the newest that has answers and may be seen."""
    return next((wave for wave in reversed(found) if wave.scored), None)


def public(segment: Segment) -> bool:
    """Whether everybody who may see `/metrics` may see it."""
    return not segment.startswith(f"{TEAM}:")


def _gauges(scene: Scene) -> Iterator[Sample]:
    for survey in scene.definitions.surveys:
        wave = newest(waves(scene, survey))
        if wave is not None:
            yield from _of(wave)


def _of(wave: Wave) -> Iterator[Sample]:
    id_ = wave.survey.id
    for segment in sorted({ALL, *filter(public, wave.shown)}):
        yield Sample(metric=SURVEY_RESPONSES, labels=(id_, segment), value=float(wave.counted(segment)))
        if segment in wave.asked:
            answered, asked = wave.answered.get(segment, 0), wave.asked[segment]
            yield Sample(metric=SURVEY_RESPONSE_RATIO, labels=(id_, segment), value=Ratio(part=answered, whole=asked))
    for question in wave.survey.questions:
        for segment, score in wave.scores(question).items():
            if public(segment):
                yield from _score(id_, question, segment, score)


def _score(survey: str, question: Question, segment: Segment, score: Score) -> Iterator[Sample]:
    bounds = {"point": score.point}
    if score.interval is not None:
        bounds |= {"low": score.interval.low, "high": score.interval.high}
    for bound, value in bounds.items():
        if question.type == "nps":
            yield Sample(metric=SURVEY_NPS, labels=(survey, segment, bound), value=value)
        else:
            yield Sample(metric=SURVEY_SCORE, labels=(survey, segment, bound, question.id), value=value)


def _behind(scene: Scene, metric: Metric, wanted: Labels) -> Iterator[Piece]:
    labels = dict(zip(metric.labels, wanted, strict=True))
    survey = next(s for s in scene.definitions.surveys if s.id == labels["survey"])
    wave, segment = newest(waves(scene, survey)), labels["segment"]
    if wave is None:
        return
    told = f"{wave.name}, source {survey.instance}"
    if metric is SURVEY_RESPONSES:
        n = wave.counted(segment)
        yield Piece(source=survey.instance, what=f"{n} answer{'' if n == 1 else 's'} in {told}", adds=n)
    elif metric is SURVEY_RESPONSE_RATIO:
        asked, answered = wave.asked[segment], wave.answered.get(segment, 0)
        yield Piece(source=survey.instance, what=f"{answered} of those invited in {told}", adds=answered, part=answered)
        yield Piece(source=survey.instance, what="invited who did not answer", adds=asked - answered)
    else:
        question = next(q for q in survey.questions if labels.get("question", q.id) == q.id and _has(metric, q))
        yield from _answers(wave, question, segment, labels["bound"])


def _has(metric: Metric, question: Question) -> bool:
    return (metric is SURVEY_NPS) == (question.type == "nps")


def _answers(wave: Wave, question: Question, segment: Segment, bound: str) -> Iterator[Piece]:
    """How many answered what, and how much of the score that is."""
    score, source = wave.scores(question)[segment], wave.survey.instance
    if bound != "point":
        value = 0.0 if score.interval is None else getattr(score.interval, bound)
        words = {"low": "lower", "high": "upper"}[bound]
        text = f"the {words} bound of the 95 % interval of these {score.n} answers in {wave.name}"
        yield Piece(source=source, what=text, adds=value)
        return
    if question.type == "sus":
        yield Piece(source=source, what=f"{score.n} answers in {wave.name}", adds=score.point)
        return
    (name,) = question.names
    counts = Counter(v.answers[name] for v in wave.voices if segment in v.segments and name in v.answers)
    for value, n in sorted(counts.items()):
        yield Piece(source=source, what=f"{n} answered {value:g}", adds=n * _worth(question, value) / score.n)


def _worth(question: Question, value: float) -> float:
    """What one answer is in the mean that the score is."""
    match question.type:
        case "nps":
            return 100.0 * ((value >= 9) - (value <= 6))
        case "csat":
            return float(satisfied(value, question.scale))
        case _:
            return (value - 1) / (question.scale - 1)


GAUGES = Gauging(
    metrics=(SURVEY_NPS, SURVEY_SCORE, SURVEY_RESPONSES, SURVEY_RESPONSE_RATIO),
    reads=frozenset({SurveyResponse, Invitation, Membership}),
    compute=lambda scene: list(_gauges(scene)),
    behind=_behind,
    every=timedelta(minutes=5),
)
