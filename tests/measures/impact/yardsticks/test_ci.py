"""Values of pipelines: which runs and jobs, whose they are, and since when they are known."""

from __future__ import annotations

from datetime import timedelta

from tests.support.history import MemoryHistory, owner, source
from tests.support.impact import AT, DAY, NOW, runs, scene

from platform_meter.measures.impact.yardsticks.ci import RUNS, WAITS
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Ref
from platform_meter.model.facts.ci import Outcome, PipelineJob
from platform_meter.model.measure import Scene


def test_runs_of_a_pool_that_ran() -> None:
    """A skipped one never ran; the end is not inside."""
    facts = [
        *runs("a", (0, 60), (1, 90), (2, 30)),
        *runs("b", (0.5, 10), pool="small"),
        *runs("c", (0.6, 0), outcome=Outcome.SKIPPED),
    ]
    told = RUNS.read(scene(facts), {"pool": "large"}, AT, AT + 2 * DAY)
    assert told is not None
    assert [(s.value, s.team, s.service) for s in told.seen] == [(60, "a", "a-api"), (90, "a", "a-api")]
    assert (told.since, told.until) == (AT - 200 * DAY, NOW)
    everything = RUNS.read(scene(facts), {"system": "github"}, AT, NOW)
    assert everything is not None
    assert sorted(s.value for s in everything.seen) == [10, 30, 60, 90]


def test_nothing_is_known_of_a_stale_source_or_of_none() -> None:
    """As of a system that nobody reads."""
    facts = runs("a", (0, 60))
    assert RUNS.read(scene(facts, fresh=False), {}, AT, NOW) is None
    assert RUNS.read(scene(facts), {"system": "gitlab"}, AT, NOW) is None


def test_a_job_that_no_machine_took_never_waited() -> None:
    """The others by how long they did, those without a pool as unknown."""
    about = Ref(system="github", kind="repository", id="acme/a")
    facts = [
        (
            "github",
            owner("a"),
            PipelineJob(
                key=f"{n}",
                at=AT + n * DAY,
                about=about,
                run="1",
                pool="",
                outcome=Outcome.SUCCESS,
                ran=timedelta(seconds=9),
                queued=queued,
            ),
        )
        for n, queued in enumerate((timedelta(seconds=40), None))
    ]
    history = MemoryHistory(facts, sources=[source("github", watermark=NOW)])
    told = WAITS.read(
        Scene(history=history, definitions=Definitions(), now=NOW), {"pool": "unknown"}, AT - DAY, AT + 9 * DAY
    )
    assert told is not None
    assert [s.value for s in told.seen] == [40]
