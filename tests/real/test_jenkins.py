"""The jenkins source on a real Hudson: jobs, builds to their end, queue, nodes; a job deleted, made anew and renamed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.hudson import Hudson, hudson
from tests.support.real_source import Connected, Reader, connected
from tests.support.waiting import until

from platform_meter.model.access import Secret
from platform_meter.model.facts.ci import Outcome, PipelineActive, PipelineRun
from platform_meter.sources.jenkins import SOURCE, Config


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hudson]:
    with hudson(tmp_path_factory.mktemp("hudson")) as made:
        yield made


@pytest.fixture(scope="module")
def meter(server: Hudson, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connected]:
    file = tmp_path_factory.mktemp("account") / "token"
    file.write_text("token")
    with connected(SOURCE, Config(url=server.url, user="meter", token=Secret(file=str(file)))) as found:
        yield found


def outcomes(reader: Reader, job: str) -> dict[int, tuple[Outcome, str]]:
    """How the builds of a job ended, as told so far, by their numbers."""
    found = (event for event in reader.events.values() if isinstance(event, PipelineRun) and event.about.id == job)
    return {int(event.key.split("/")[2]): (event.outcome, event.reason) for event in found}


def test_builds_are_told_when_they_have_ended(server: Hudson, meter: Connected, tmp_path: Path) -> None:
    """One that runs is told by a later poll; the log tells whose failure it was."""
    gate = tmp_path / "gate"
    server.job("ends", "exit 0")
    server.job("fails", "exit 3")
    server.job("waits", f"while ! test -f {gate}; do sleep 0.1; done")
    assert meter.check() == []
    builds = meter.stream("builds")
    for name in ("ends", "fails", "waits"):
        server.post(f"/job/{name}/build?delay=0sec")
    until(lambda: server.number("ends") and server.number("fails") and server.number("waits", "lastBuild"))
    builds.run()
    assert outcomes(builds, "ends") == {1: (Outcome.SUCCESS, "")}
    assert outcomes(builds, "fails") == {1: (Outcome.USER_FAILURE, "FAILURE")}
    assert outcomes(builds, "waits") == {}
    gate.touch()
    until(lambda: server.number("waits"))
    builds.run()
    assert outcomes(builds, "waits") == {1: (Outcome.SUCCESS, "")}
    assert all(event.ran.total_seconds() >= 0 for event in builds.events.values() if isinstance(event, PipelineRun))
    assert meter.gaps == []


def test_a_job_that_is_renamed_or_made_anew_is_told_right(server: Hudson, meter: Connected) -> None:
    """The first tells nothing again; the second's build 1 is another than the build 1 before."""
    server.job("first", "exit 0")
    server.post("/job/first/build?delay=0sec")
    until(lambda: server.number("first"))
    builds = meter.stream("builds")
    builds.run()
    server.post("/job/first/doRename?newName=second")
    builds.run()
    assert outcomes(builds, "second") == {}
    server.post("/job/second/build?delay=0sec")
    until(lambda: server.number("second") == 2)
    builds.run()
    assert outcomes(builds, "second") == {2: (Outcome.SUCCESS, "")}

    server.post("/job/second/doDelete")
    server.job("second", "exit 3")
    server.post("/job/second/build?delay=0sec")
    until(lambda: server.number("second"))
    builds.run()
    assert outcomes(builds, "second") == {1: (Outcome.USER_FAILURE, "FAILURE"), 2: (Outcome.SUCCESS, "")}


def test_what_waits_and_runs_is_counted_by_pool(server: Hudson, meter: Connected, tmp_path: Path) -> None:
    """A build whose label no node has waits, under no pool's name: Hudson does not tell it; one that runs has an executor."""
    gate = tmp_path / "gate"
    server.job("runs", f"while ! test -f {gate}; do sleep 0.1; done")
    server.job("elsewhere", "exit 0", label="gpu")
    for name in ("runs", "elsewhere"):
        server.post(f"/job/{name}/build?delay=0sec")
    pools = meter.stream("pools")

    def told() -> dict[str, tuple[int, int]]:
        pools.run()
        active = [reading for reading in pools.readings.values() if isinstance(reading, PipelineActive)]
        return {one.pool: (one.queued, one.running) for one in active}

    until(lambda: told().get("") == (1, 0) and told().get("master") == (0, 1))
    gate.touch()
    until(lambda: told().get("master") == (0, 0))


def test_a_job_made_anew_since_its_build_went_on_is_a_gap(server: Hudson, meter: Connected, tmp_path: Path) -> None:
    """How that build ended was not read while it could be; the new one's end is told."""
    gate = tmp_path / "gate"
    server.job("lost", f"while ! test -f {gate}; do sleep 0.1; done")
    server.post("/job/lost/build?delay=0sec")
    until(lambda: server.number("lost", "lastBuild"))
    builds = meter.stream("builds")
    builds.run()
    gate.touch()
    until(lambda: server.number("lost"))
    server.post("/job/lost/doDelete")
    server.job("lost", "exit 0")
    server.post("/job/lost/build?delay=0sec")
    until(lambda: server.number("lost"))
    builds.run()
    assert outcomes(builds, "lost") == {1: (Outcome.SUCCESS, "")}
    assert [gap.text for gap in meter.gaps] == ["lost is gone, and 1 of its builds had not ended"]
