"""The running service, and what takes its place: nothing that goes wrong may end what runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.waiting import PATIENCE, until

from platform_meter.cli import reload
from platform_meter.cli.common import open_service
from platform_meter.cli.reload import Reloadable
from platform_meter.runtime.files.check import Examined, examine
from platform_meter.runtime.service import Service
from platform_meter.runtime.tick.meter import Meter


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "platform-meter.yaml"
    path.write_text("tick: 1s\n")
    return path


@pytest.fixture
def running(config: Path) -> Iterator[Reloadable]:
    running = Reloadable(open_service(examine(config)), lambda: examine(config))
    running.service.start()
    yield running
    running.service.close()


def is_valid(service: Service) -> bool:
    text = service.exposition.body("", "").data.decode()
    return "\nplatform_meter_config_valid 1\n" in text


class Broken(RuntimeError):
    """A bug of ours."""


def fail(*_: object, **__: object) -> None:
    raise Broken("on purpose")


def test_what_changed_takes_the_place_of_what_ran(running: Reloadable, config: Path) -> None:
    """Another service, which has ticked before it is asked; the first one has ended."""
    before = running.service
    config.write_text("tick: 2s\n")
    assert running.reload() == []
    assert running.service is not before
    assert running.service.meter.ticked is not None
    assert before._ticker is not None
    assert not before._ticker.is_alive()


def test_what_has_ticked_once_takes_over(
    running: Reloadable, config: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The first tick is the proof; when the old one has ended, no later one that fails can leave nothing running."""
    ticked: set[Meter] = set()
    tick = Meter.tick

    def once(meter: Meter) -> None:
        if meter in ticked:
            fail()
        ticked.add(meter)
        tick(meter)

    config.write_text("tick: 1h\n")
    before = running.service
    monkeypatch.setattr(Meter, "tick", once)
    assert running.reload() == []
    assert running.service is not before
    until(lambda: "the tick failed" in caplog.text)


def test_problems_change_nothing_but_what_is_told_of_them(running: Reloadable, config: Path) -> None:
    """All of them are given; what runs goes on and says that its configuration is not valid, until one is."""
    before = running.service
    config.write_text("zone: Mars\ntik: 1s\n")
    assert [line.partition(":")[0] for line in running.reload() or ()] == [str(config)] * 2
    assert running.service is before
    until(lambda: not is_valid(before))
    config.write_text("tick: 1s\n")
    assert running.reload() == []
    until(lambda: is_valid(running.service))


@pytest.mark.parametrize("where", ["examine", "open", "tick"])
def test_whatever_goes_wrong_the_old_one_goes_on(
    running: Reloadable,
    where: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """In reading, in opening or in the first tick: said in a line, with its trace in the log; nothing stays half open."""
    before = running.service
    closed: list[Service] = []
    close = Service.close

    def closing(service: Service) -> None:
        closed.append(service)
        close(service)

    monkeypatch.setattr(Service, "close", closing)
    if where == "examine":
        running._examine = fail  # type: ignore[assignment]
    elif where == "open":
        monkeypatch.setattr(reload, "open_service", fail)
    else:
        monkeypatch.setattr("platform_meter.runtime.tick.meter.Meter.tick", fail)
    assert running.reload() == ["Broken: on purpose; the log says more"]
    assert running.service is before
    assert before.problems == 1
    assert len(closed) == (1 if where == "tick" else 0)
    assert before not in closed
    assert "Traceback" in caplog.text
    monkeypatch.undo()


def test_a_store_that_is_gone_is_told_in_words(running: Reloadable, config: Path) -> None:
    """Opening ends in a message, not in the end of the process."""
    config.write_text('store: {url: "sqlite:///nowhere/meter.db"}\n')
    assert running.reload() == [
        f"the store at sqlite:///{config.parent}/nowhere/meter.db failed: unable to open database file"
    ]


def test_one_that_does_not_close_well_is_replaced_all_the_same(
    running: Reloadable, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A store that is gone, say; the log tells."""
    before, close = running.service, running.service.close

    def refuse(*, followed: bool) -> None:
        assert followed, "what measures made is kept by the one that goes on"
        fail()

    monkeypatch.setattr(before, "close", refuse)
    assert running.reload() == []
    assert "did not close well" in caplog.text
    close()


def test_reloads_wait_for_each_other(running: Reloadable, config: Path) -> None:
    """Of many at once one runs and one waits, each whole before the next begins; the others are told so at once."""
    inside, most, begun, go = [0], [0], threading.Event(), threading.Event()

    def examined() -> Examined:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        begun.set()
        assert go.wait(PATIENCE)
        found = examine(config)
        inside[0] -= 1
        return found

    running._examine = examined
    answers: list[list[str] | None] = []

    def called() -> threading.Thread:
        thread = threading.Thread(target=lambda: answers.append(running.reload()))
        thread.start()
        return thread

    first = called()
    assert begun.wait(PATIENCE)
    others = [called() for _ in range(20)]
    until(lambda: len(answers) == 19)
    assert answers == [None] * 19
    go.set()
    for thread in (first, *others):
        thread.join()
    assert (answers[19:], most) == ([[], []], [1])
    until(lambda: is_valid(running.service))
