"""What stands behind one series: the same facts that made it, and what they add up to."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from tests.support.history import MemoryHistory, owner, source

from platform_meter import explain as explaining
from platform_meter.explain import MOST, Explained, Unclear, Unknown, explain
from platform_meter.measures import ci, meter
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Ref
from platform_meter.model.facts.ci import UNKNOWN_POOL, Outcome, PipelineActive, PipelineRun
from platform_meter.model.measure import Labels, Scene

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
STATES = (source("github", watermark=NOW), source("old", "github", watermark=NOW, fresh=False))
MEASURES = (*ci.MEASURES.standing, *meter.MEASURES.standing)


@dataclass(frozen=True)
class Row:
    labels: Labels
    value: float
    buckets: tuple[int, ...] | None = None
    sum: float = 0.0


def run(key: str, *, hours: float = 1, outcome: Outcome = Outcome.SUCCESS, seconds: float = 60) -> PipelineRun:
    return PipelineRun(
        key=key,
        at=NOW - hours * HOUR,
        about=Ref(system="github", kind="repository", id="acme/pay"),
        pipeline="ci",
        outcome=outcome,
        ran=timedelta(seconds=seconds),
        group=key,
    )


def active(instance: str, queued: int, running: int, name: str) -> tuple[str, object, PipelineActive]:
    about = Ref(system="github", kind="repository", id=name)
    return instance, owner("pay"), PipelineActive(about=about, pool="linux", queued=queued, running=running)


def explained(
    name: str, facts: Iterable[object], rows: Collection[Row] = (), *, counted: datetime | None = None, **labels: str
) -> Explained:
    told = [fact if isinstance(fact, tuple) else ("github", owner("pay"), fact) for fact in facts]
    history = MemoryHistory(told, sources=STATES, counted={"github": counted} if counted else None)
    scene = Scene(history=history, definitions=Definitions(), now=NOW)

    def counters(families: Collection[str]) -> Iterable[Row]:
        assert list(families) == [name]
        return rows

    return explain(scene, MEASURES, counters, name, labels)


RUNS = "platform_pipeline_runs_total"
SUCCESS = ("github", "pay", "success")


def test_a_counter_is_the_events_that_it_counted() -> None:
    """The newest first; of other outcomes it is not made."""
    facts = [run("a", hours=3), run("b", hours=2, outcome=Outcome.USER_FAILURE), run("c")]
    rows = [Row(SUCCESS, 2.0), Row(("github", "pay", "user_failure"), 1.0)]
    found = explained(RUNS, facts, rows, outcome="success")
    assert [piece.fact.key for piece in found.pieces if isinstance(piece.fact, PipelineRun)] == ["c", "a"]
    assert (found.value, found.count, found.adds, found.notes) == (2.0, 2, 2.0, [])
    assert found.labels == {"system": "github", "team": "pay", "outcome": "success"}


def test_what_was_never_counted_is_told_apart() -> None:
    """History from before the first poll is stored for windows, and in no counter."""
    found = explained(RUNS, [run("a", hours=9), run("b")], [Row(SUCCESS, 1.0)], counted=NOW - 2 * HOUR)
    assert (found.count, found.adds) == (1, 1.0)
    assert found.notes == ["1 more are stored and not counted: they ended before their source was first read"]


def test_what_a_counter_counted_and_nothing_tells_any_more_is_said() -> None:
    """A counter goes on over retention and changed owners; the facts do not."""
    found = explained(RUNS, [run("a")], [Row(SUCCESS, 7.0)])
    assert found.notes == [
        (
            "what is stored adds up to 1 of 7: the rest is older than what is kept, was counted under another owner or class than "
            "it has now, or is under _other past the cap"
        )
    ]


def test_a_histogram_is_its_observations() -> None:
    """They add up to its sum; an observation of 0 is one."""
    name = "platform_pipeline_run_duration_seconds"
    row = Row(("github", UNKNOWN_POOL), 2.0, (2,), 60.0)
    found = explained(name, [run("a"), run("b", seconds=0)], [row])
    assert (found.value, found.count, found.adds, found.notes) == (2.0, 2, 60.0, [])


def test_a_gauge_is_the_readings_that_stand() -> None:
    """Of sources that are fresh; what adds nothing is not behind it."""
    facts = [active("github", 2, 4, "a"), active("github", 0, 1, "b"), active("old", 9, 9, "c")]
    found = explained("platform_pipeline_active", facts, state="queued")
    assert [(p.fact.about.id, p.adds) for p in found.pieces if isinstance(p.fact, PipelineActive)] == [("a", 2)]
    assert (found.value, found.adds) == (2.0, 2.0)


def test_what_no_fact_stands_behind_says_so() -> None:
    """Health of a source is how its polls went."""
    found = explained("platform_meter_source_up", [], source_instance="github")
    assert (found.value, found.count) == (1.0, 0)
    assert found.notes == ["no fact stands behind it: it tells what people declared, or how polls go"]


def test_the_newest_are_listed_and_all_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are."""
    monkeypatch.setattr(explaining, "MOST", 2)
    found = explained(RUNS, [run(f"{n}", hours=n) for n in (3, 1, 4, 2)], [Row(SUCCESS, 4.0)])
    assert [piece.fact.key for piece in found.pieces if isinstance(piece.fact, PipelineRun)] == ["1", "2"]
    assert (found.count, found.adds) == (4, 4.0)
    assert MOST == 100


@pytest.mark.parametrize(
    ("name", "labels", "text"),
    [
        (
            "platform_pipeline_run_total",
            {},
            (
                "no measure gives platform_pipeline_run_total (did you mean platform_pipeline_runs_total?); "
                "platform-meter metrics lists all there are"
            ),
        ),
        (RUNS, {"taem": "x"}, f"{RUNS} has no label taem (did you mean team?); it has: system, team, outcome"),
        (
            "platform_meter_source_up",
            {"zzz": "x"},
            "platform_meter_source_up has no label zzz; it has: source, source_instance",
        ),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(name: str, labels: dict[str, str], text: str) -> None:
    """A misspelt name is told the nearest one."""
    with pytest.raises(Unknown) as error:
        explained(name, [], (), counted=None, **labels)
    assert str(error.value) == text


def test_labels_must_pick_one_series() -> None:
    """Where several fit, or none does, those that there are are named."""
    rows = [Row(SUCCESS, 1.0), Row(("github", "pay", "cancelled"), 1.0)]
    with pytest.raises(Unclear) as several:
        explained(RUNS, [], rows, team="pay")
    assert str(several.value) == (
        "2 series fit; say more labels: {system=github, team=pay, outcome=cancelled}, "
        "{system=github, team=pay, outcome=success}"
    )
    with pytest.raises(Unclear) as none:
        explained(RUNS, [], rows[:1], team="ops")
    assert str(none.value) == (
        f"no series of {RUNS} has these labels; there are: {{system=github, team=pay, outcome=success}}"
    )
    with pytest.raises(Unclear, match=f"no series of {RUNS} has these labels; it has none yet"):
        explained(RUNS, [])


def test_a_gauge_is_told_as_it_is_exposed() -> None:
    """A page and `/metrics` never disagree; what is not exposed is computed."""
    history = MemoryHistory([active("github", 2, 4, "a")], sources=STATES)  # type: ignore[list-item]
    scene = Scene(history=history, definitions=Definitions(), now=NOW)
    exposed = {"platform_pipeline_active": [(("github", "linux", "queued"), 5.0)]}
    values = [
        explain(scene, MEASURES, lambda _: (), "platform_pipeline_active", {"state": state}, exposed=exposed).value
        for state in ("queued", "running")
    ]
    assert values == [5.0, 4.0]
