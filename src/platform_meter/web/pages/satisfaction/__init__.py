"""Satisfaction: what users say in surveys, wave by wave, with what the numbers can't tell said beside them.

Whoever may see it sees groups by persona and org; those of teams stand on a page of each survey, for the role pm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from platform_meter.measures.intervals import Interval, Score, difference
from platform_meter.measures.surveys.gauges import newest, public
from platform_meter.measures.surveys.hiding import LEAST
from platform_meter.measures.surveys.themes import asks_themes
from platform_meter.measures.surveys.waves import ALL, Segment, Wave, source_of, waves
from platform_meter.model.definitions import Survey
from platform_meter.model.metric import UNOWNED
from platform_meter.model.surveying import Question
from platform_meter.runtime.access.roles import Role
from platform_meter.web.charts import Chart, Series, Tone
from platform_meter.web.page import Detail, WebPage
from platform_meter.web.view import Tile, View, lacking, percent

SAMPLE = """
kind: Survey
id: platform-nps
source: {type: form}
segment_by: [persona]
questions: [{id: nps, type: nps, text: "How likely are you to recommend the platform?"}]
"""
_KINDS = {"nps": "NPS", "csat": "CSAT", "sus": "SUS / 100", "likert": "Likert index"}
_SHOWN_WAVES = 8


def page(view: View) -> Mapping[str, Any]:
    """All surveys."""
    return {"surveys": [_survey(view, one, public) for one in view.definitions.surveys], "sample": SAMPLE}


def detail(view: View, name: str) -> Mapping[str, Any] | None:
    """One survey, with what its teams say."""
    found = next((one for one in view.definitions.surveys if one.id == name), None)
    return None if found is None else {"survey": _survey(view, found, lambda _: True)}


def _survey(view: View, survey: Survey, visible: Callable[[Segment], bool]) -> Mapping[str, Any]:
    found = waves(view.scene, survey)
    wave = newest(found)
    source = source_of(view.scene, survey)
    absence = lacking([source] if source else [], f"no source called {survey.instance} is configured")
    asked = [question for question in survey.questions if question.scored]
    return {
        "id": survey.id,
        "title": survey.title or survey.id,
        "absence": absence or ("" if found else "nobody has answered yet"),
        "tiles": _tiles(found, wave, asked) if wave else [],
        "waiting": _waiting(found, wave),
        "charts": [_chart(found, question) for question in asked],
        "waves": _waves(found, asked),
        "heads": [f"{question.id}, {_KINDS[question.type]}" for question in asked],
        "segments": _segments(wave, asked, visible) if wave and survey.segment_by else [],
        "hidden": [_called(s) for s in wave.hidden if s != ALL and visible(s)] if wave else [],
        "newest": wave.name if wave else "",
        "by_team": "team" in survey.segment_by,
        "texts": any(question.type == "text" for question in survey.questions),
        "themes": asks_themes(survey),
        "least": LEAST,
    }


def _waiting(found: Sequence[Wave], wave: Wave | None) -> str:
    """What is said of a wave that has no scores yet."""
    last = found[-1] if found else None
    if last is None or last is wave:
        return ""
    return f"{last.name} has {last.counted(ALL)} answers; its scores are shown once it is over"


def _tiles(found: Sequence[Wave], wave: Wave, asked: Sequence[Question]) -> list[Tile]:
    n = wave.counted(ALL)
    tiles = []
    for question in asked:
        score = wave.scores(question).get(ALL)
        more = _interval(question, score) if score else f"{_few(n)}: no score"
        changed = _change(found, wave, question)
        tiles.append(
            Tile(
                name=f"{question.id}, {_KINDS[question.type]}",
                value=_point(question, score),
                more=f"{more}; {changed}" if changed else more,
            )
        )
    ratio = _ratio(wave, ALL)
    return [
        *tiles,
        Tile(name="Answers", value=f"{n:,}", more=f"in {wave.name}{', which runs' if wave.running else ''}"),
        Tile(
            name="Response ratio",
            value=percent(ratio),
            more="nobody says who was asked" if ratio is None else f"of {wave.asked[ALL]:,} invited",
        ),
    ]


def _few(n: int) -> str:
    return f"{n} answer{'' if n == 1 else 's'}, of fewer than {LEAST} people"


def _ratio(wave: Wave, segment: Segment) -> float | None:
    asked = wave.asked.get(segment)
    return wave.answered.get(segment, 0) / asked if asked else None


def _number(question: Question, value: float) -> str:
    return f"{value:.1f}" if question.type == "nps" else percent(value)


def _point(question: Question, score: Score | None) -> str:
    return "–" if score is None else _number(question, score.point)


def _interval(question: Question, score: Score) -> str:
    if score.interval is None:
        return f"all {score.n} answers are the same, so there is no interval"
    return f"{_ends(question, score.interval)}, of {score.n} answers"


def _ends(question: Question, interval: Interval) -> str:
    low, high = (_number(question, value) for value in (interval.low, interval.high))
    return f"{low} to {high}"


def _cell(question: Question, score: Score | None, n: int) -> Mapping[str, str]:
    """A score in a row that says of how many answers; of fewer it says so itself."""
    if score is None:
        return {"point": "–", "interval": ""}
    ends = "all the same" if score.interval is None else _ends(question, score.interval)
    return {"point": _number(question, score.point), "interval": ends if score.n == n else f"{ends}, of {score.n}"}


def _before(found: Sequence[Wave], wave: Wave, question: Question) -> tuple[Wave, Score] | None:
    """The last wave before that has a score."""
    for one in reversed(found[: found.index(wave)]):
        if (score := one.scores(question).get(ALL)) is not None:
            return one, score
    return None


def _change(found: Sequence[Wave], wave: Wave, question: Question) -> str:
    """What happened since the wave before, in words: a change only where the interval of the difference excludes 0."""
    score, past = wave.scores(question).get(ALL), _before(found, wave, question)
    if score is None or past is None:
        return ""
    before, old = past
    between = difference(score, old)
    if between is None:
        return f"whether it changed since {before.name} can't be said"
    moved = score.point - old.point
    unit, times = (" points", 1.0) if question.type == "nps" else (" points", 100.0)
    span = f"{between.low * times:+.1f} to {between.high * times:+.1f}"
    if not between.excludes(0):
        return f"no clear change since {before.name} ({span}{unit})"
    return f"{'up' if moved > 0 else 'down'} {abs(moved) * times:.1f}{unit} since {before.name} ({span})"


def _chart(found: Sequence[Wave], question: Question) -> Chart:
    shown = found[-_SHOWN_WAVES:]
    scores = [wave.scores(question).get(ALL) for wave in shown]

    def ends(name: str) -> tuple[float | None, ...]:
        return tuple(getattr(score.interval, name) if score and score.interval else None for score in scores)

    return Chart(
        title=f"{question.id}, {_KINDS[question.type]}",
        caption=f"{question.text or question.id} By wave, with the interval of 95 %. A hole is a wave of fewer than {LEAST} people.",
        labels=tuple(wave.name for wave in shown),
        series=(
            Series(name="score", values=tuple(None if score is None else score.point for score in scores)),
            Series(name="low", values=ends("low"), tone=Tone.QUIET),
            Series(name="high", values=ends("high"), tone=Tone.QUIET),
        ),
        percent=question.type != "nps",
        running=bool(shown) and shown[-1].running,
        absence=f"No wave with answers of {LEAST} people yet.",
    )


def _waves(found: Sequence[Wave], asked: Iterable[Question]) -> list[Mapping[str, Any]]:
    questions = list(asked)
    return [
        {
            "name": wave.name,
            "running": wave.running,
            "n": wave.counted(ALL),
            "ratio": _ratio(wave, ALL),
            "scores": [
                {
                    **_cell(question, wave.scores(question).get(ALL), wave.counted(ALL)),
                    "change": _change(found, wave, question),
                }
                for question in questions
            ],
        }
        for wave in reversed(found)
    ]


def _segments(wave: Wave, asked: Sequence[Question], visible: Callable[[Segment], bool]) -> list[Mapping[str, Any]]:
    scores = [(question, wave.scores(question)) for question in asked]
    return [
        {
            "name": _called(segment),
            "n": wave.counted(segment),
            "ratio": _ratio(wave, segment),
            "scores": [_cell(question, told.get(segment), wave.counted(segment)) for question, told in scores],
        }
        for segment in sorted(wave.shown - {ALL})
        if visible(segment)
    ]


def _called(segment: Segment) -> str:
    kind, _, name = segment.partition(":")
    return f"{kind} not known" if name == UNOWNED else f"{kind} {name}"


PAGE = WebPage(
    path="/satisfaction",
    title="Satisfaction",
    place=8,
    template="satisfaction/satisfaction.html",
    fill=page,
    detail=Detail(template="satisfaction/survey.html", fill=detail, role=Role.PM),
)
