"""How many of those who began a course got through it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.support.history import NOBODY, MemoryHistory, source

from platform_meter.measures import training
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Ref, Tally
from platform_meter.model.facts.training import CourseDim, Enrolment
from platform_meter.model.history import SourceState
from platform_meter.model.measure import Gauging, Scene
from platform_meter.model.metric import resolve
from platform_meter.testing import adds_up

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)


def took(person: str, course: str = "gateway", *, day: int = 1, done: int = 0) -> tuple[str, Enrolment]:
    """Begun on a day of May, and completed on another."""
    about = Ref(system="documents", kind="course", id=course)
    at, completed = (datetime(2026, 5, d, tzinfo=UTC) if d else None for d in (day, done))
    assert at is not None
    return "a", Enrolment(
        key=f"{person}/{course}/{day}", at=at, about=about, course=course, person=person, completed=completed
    )


def scene(*told: tuple[str, Enrolment], sources: tuple[SourceState, ...] = (source("a", watermark=NOW),)) -> Scene:
    facts = [(name, NOBODY, fact) for name, fact in told]
    return Scene(history=MemoryHistory(facts, sources=sources), definitions=Definitions(), now=NOW)


def values(seen: Scene) -> dict[tuple[str, ...], float]:
    found: dict[tuple[str, ...], float] = {}
    for sample in training.compute(seen):
        value = resolve(sample.value)
        if value is not None:
            found[sample.metric.name.removeprefix("platform_training_"), *sample.labels] = value
    return found


def test_a_person_counts_once_in_a_course() -> None:
    """Of five who began three got through, one of them at the second attempt, whatever the third one came to."""
    seen = scene(
        took("ada", done=5), took("bob", done=6), took("cy", day=2), took("cy", day=8, done=9), took("cy", day=20),
        took("di"), took("ed"), took("ada", "docs"),
    )  # fmt: skip
    assert values(seen) == {
        ("people", "docs"): 1.0,
        ("completed_ratio", "gateway"): 0.6,
        ("people", "gateway"): 5.0,
    }
    (gauge,) = (one for one in training.MEASURES.standing if isinstance(one, Gauging))
    adds_up(gauge, seen)


def test_under_five_there_is_no_ratio() -> None:
    """Of four it would say how one of them did; that there are four stays."""
    assert values(scene(*(took(who, done=3) for who in "abcd"))) == {("people", "gateway"): 4.0}


def test_a_course_of_which_a_stale_source_tells_is_not_known() -> None:
    """Another one is; what came after a source was read is not there yet."""
    stale = (source("a", watermark=NOW), source("b", watermark=NOW, fresh=False))
    _, begun = took("ada")
    assert values(scene(took("di"), ("b", begun), took("ed", "docs"), sources=stale)) == {("people", "docs"): 1.0}
    early = (source("a", watermark=datetime(2026, 5, 1, tzinfo=UTC) + timedelta(hours=1)),)
    assert values(scene(took("ada"), took("bob", day=2), sources=early)) == {("people", "gateway"): 1.0}
    assert values(scene(took("ada"), sources=(source("a", watermark=None),))) == {}


def test_an_enrolment_is_tallied_by_its_course() -> None:
    """One each."""
    assert took("ada")[1].tallies() == (Tally(dim=CourseDim("gateway")),)


def test_who_began_under_another_name_is_left_out() -> None:
    """Those of before may be told of again, and nobody could say that they are the same."""
    seen = scene(*(took(person, day=day) for person, day in zip("abcdef", (1, 2, 3, 4, 5, 6), strict=True)))
    assert isinstance(seen.history, MemoryHistory)
    seen.history.renamed = datetime(2026, 5, 4, tzinfo=UTC)
    assert values(seen) == {("people", "gateway"): 3.0}
