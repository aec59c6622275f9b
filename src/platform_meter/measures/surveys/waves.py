"""A survey's waves: whose answers count in each, who was asked, and which groups of people may be shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TypeVar

from platform_meter.measures.intervals import Score
from platform_meter.measures.memberships import Memberships
from platform_meter.measures.surveys.hiding import shown
from platform_meter.measures.surveys.statistics import csat, likert, nps, sus
from platform_meter.model.definitions import Survey, Team
from platform_meter.model.facts.surveys import Invitation, SurveyResponse
from platform_meter.model.history import Row, SourceState
from platform_meter.model.measure import Scene
from platform_meter.model.metric import UNOWNED
from platform_meter.model.surveying import Question

E = TypeVar("E", SurveyResponse, Invitation)

ALL = "all"
"""The segment that everybody is in."""
TEAM = "team"
"""The detail that is for the role pm alone."""
_REACH = timedelta(days=800)
"""Longer than the store keeps anything by default, and than two years' waves."""
Segment = str
"""`all`, `persona:app-developer`, `org:payments`, `team:team-pay`; what is not known of a person is `_unowned`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """One person's answers that count, and the groups that the person is in."""

    person: str
    answers: Mapping[str, float]
    """By field."""
    segments: frozenset[Segment]


@dataclass(frozen=True, kw_only=True)
class Wave:
    """One wave of a survey."""

    survey: Survey
    name: str
    start: datetime
    end: datetime
    last: datetime
    """When the last of its answers was given."""
    running: bool
    voices: Sequence[Voice]
    asked: Mapping[Segment, int]
    """How many were invited, by segment; empty where nobody says who was."""
    answered: Mapping[Segment, int]
    """How many of them answered."""

    @cached_property
    def people(self) -> Mapping[Segment, frozenset[str]]:
        """Who is in each segment."""
        return _people(self.voices)

    @cached_property
    def shown(self) -> frozenset[Segment]:
        """Segments whose number of answers may be seen."""
        return shown(self.people, ALL)

    @property
    def hidden(self) -> Sequence[Segment]:
        """Segments with answers that nobody may see."""
        return sorted(self.people.keys() - self.shown)

    @property
    def scored(self) -> bool:
        """Whether scores may be seen already."""
        return not self.running or self.survey.shown == "running"

    def counted(self, segment: Segment) -> int:
        """Answers of a segment."""
        return sum(segment in voice.segments for voice in self.voices)

    def scores(self, question: Question) -> Mapping[Segment, Score]:
        """The question's score in each segment that may be seen of it; only who answered the question counts."""
        return self._scores.get(question.id, {})

    @cached_property
    def _scores(self) -> Mapping[str, Mapping[Segment, Score]]:
        asked = [question for question in self.survey.questions if question.scored]
        return {question.id: self._told(question) for question in asked} if self.scored else {}

    def _told(self, question: Question) -> Mapping[Segment, Score]:
        told = [voice for voice in self.voices if all(name in voice.answers for name in question.names)]
        people = _people(told)
        visible = self.shown if people == self.people else shown(people, ALL)
        return {
            segment: score_of(question, [voice.answers for voice in told if segment in voice.segments])
            for segment in sorted(visible & self.shown)
        }


def score_of(question: Question, answers: Sequence[Mapping[str, float]]) -> Score:
    """What the answers to a question say, by its type."""
    if question.type == "sus":
        return sus([[one[name] for name in question.fields] for one in answers])
    (name,) = question.names
    values = [one[name] for one in answers]
    match question.type:
        case "nps":
            return nps(values)
        case "csat":
            return csat(values, question.scale)
        case _:
            return likert(values, question.scale)


def source_of(scene: Scene, survey: Survey) -> SourceState | None:
    """The source instance of the survey's answers, as known as its answers are."""
    return next((s for s in scene.history.sources(SurveyResponse) if s.instance == survey.instance), None)


def waves(scene: Scene, survey: Survey) -> Sequence[Wave]:
    """All waves that have answers, the newest last; none where the source of the answers is not fresh.

    One that began before what is known is left out once it is over: some of its answers are missing. So is one in which
    people have two names: who answered is not known to be who was asked.
    """
    source = source_of(scene, survey)
    if source is None or not source.fresh:
        return ()
    rows = _rows(scene, survey, SurveyResponse)
    invited = _rows(scene, survey, Invitation)
    places, bounds = _Places(scene, survey), survey.bounds
    by_wave = _by_wave(scene, survey, rows)
    asked_by_wave = _by_wave(scene, survey, invited)
    known = max((at for at in (source.read_from, scene.history.pruned()) if at is not None), default=None)
    named, found = scene.history.people_since(), []
    for start in sorted(by_wave):
        until = survey.around(start, scene.zone)[1]
        running = until > scene.now
        if known is not None and start < known and not running:
            continue
        if named is not None and start < named < until:
            continue
        last = {_who(row): row for row in by_wave[start]}
        asked = {_who(row): places.segments(row) for row in asked_by_wave.get(start, ())}
        found.append(
            Wave(
                survey=survey,
                name=survey.wave_of(start, scene.zone),
                start=start,
                end=until,
                last=max(row.event.at for row in last.values()),
                running=running,
                voices=[
                    Voice(
                        person=row.event.respondent,
                        answers=_sound(bounds, row.event),
                        segments=places.segments(row),
                    )
                    for row in last.values()
                ],
                asked=_sizes(asked.values()),
                answered=_sizes(segments for who, segments in asked.items() if who in last),
            )
        )
    return found


def _sound(bounds: Mapping[str, tuple[int, int]], event: SurveyResponse) -> Mapping[str, float]:
    """Answers to what the file asks now, within its scale."""
    return {name: a for name, a in event.answers if name in bounds and bounds[name][0] <= a <= bounds[name][1]}


def _who(row: Row[SurveyResponse] | Row[Invitation]) -> tuple[str, str]:
    """Of whom one answer counts: a person, of ratings of tickets a person for each ticket."""
    return row.event.respondent, row.event.subject


def _rows(scene: Scene, survey: Survey, kind: type[E]) -> list[Row[E]]:
    start = scene.now - _REACH
    told = scene.history.rows(kind, start, scene.now, source=survey.instance)
    return [row for row in told if row.event.survey == survey.called]


def _by_wave(scene: Scene, survey: Survey, rows: Iterable[Row[E]]) -> Mapping[datetime, list[Row[E]]]:
    """In order of time, by when the wave begins."""
    out: dict[datetime, list[Row[E]]] = defaultdict(list)
    start = end = datetime.min.replace(tzinfo=scene.now.tzinfo)
    for row in rows:
        if not start <= row.event.at < end:
            start, end = survey.around(row.event.at, scene.zone)
        out[start].append(row)
    return out


def _people(voices: Iterable[Voice]) -> Mapping[Segment, frozenset[str]]:
    out: dict[Segment, set[str]] = defaultdict(set)
    for voice in voices:
        for segment in voice.segments:
            out[segment].add(voice.person)
    return {segment: frozenset(people) for segment, people in out.items()}


def _sizes(segments: Iterable[frozenset[Segment]]) -> Mapping[Segment, int]:
    out: dict[Segment, int] = defaultdict(int)
    for some in segments:
        for segment in some:
            out[segment] += 1
    return dict(out)


class _Places:
    """Which segments somebody is in: by the team that the answer names, else by a directory's, at that time."""

    def __init__(self, scene: Scene, survey: Survey) -> None:
        self._history, self._by = scene.history, survey.segment_by
        self._teams: Mapping[str, Team] = {team.id: team for team in scene.definitions.teams}
        self._personas = {p.id for p in scene.definitions.personas} | {t.persona for t in self._teams.values()}
        self._members = Memberships(scene, _REACH)

    def segments(self, row: Row[SurveyResponse] | Row[Invitation]) -> frozenset[Segment]:
        """All that the person is in; of a person in several teams those of each."""
        if not self._by:
            return frozenset({ALL})
        teams = [self._teams.get(name, Team(kind="Team", id=name)) for name in self._of(row)]
        told = row.event.persona if row.event.persona in self._personas else ""
        ways = {
            "persona": [told] if told else [team.persona for team in teams],
            "org": [team.org for team in teams],
            TEAM: [team.id for team in teams],
        }
        return frozenset({ALL, *(s for by in self._by for s in _segments(by, ways[by]))})

    def _of(self, row: Row[SurveyResponse] | Row[Invitation]) -> Sequence[str]:
        owner = self._history.owner(row.object, row.event.at).team
        if owner != UNOWNED:
            return [owner]
        return sorted(self._members.teams(row.event.respondent, row.event.at))


def _segments(by: str, names: Collection[str]) -> Iterator[Segment]:
    for name in {name or UNOWNED for name in names} or {UNOWNED}:
        yield f"{by}:{name}"
