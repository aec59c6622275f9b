"""What `platform-meter demo` starts: a company in a process of its own, and files that measure it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from tests.demo.worlds import START, nowhere
from tests.support.waiting import PATIENCE

from platform_meter.demo.apis.api import apis
from platform_meter.demo.company.layout import Company
from platform_meter.demo.stage.run import Demo, prepare
from platform_meter.demo.stage.server import Addresses, Options

OPTIONS = Options(seed=3, start=START, teams=8, services=16)
"""So small that no service of it is deprecated."""
LISTEN = "127.0.0.1:0"


def types(demo: Demo) -> set[str]:
    assert demo.found.config is not None
    return {section.type_name for section in demo.found.config.sources.values()}


def told(demo: Demo) -> set[str]:
    """Types of source that the simulated systems tell of."""
    urls = demo.company.addresses.urls
    return {str(section["type"]) for api in apis() for section in api.told(demo.layout, urls).sources.values()}


def test_the_files_measure_the_company_that_runs(tmp_path: Path) -> None:
    """No problem in them; every API of the running company is a source, by its address, and so are its surveys."""
    demo = prepare(OPTIONS, tmp_path / "demo", LISTEN, {})
    try:
        config, addresses = demo.found.config, demo.company.addresses
        assert demo.found.problems == ()
        assert config is not None
        assert config.listen == LISTEN
        assert types(demo) == {*told(demo), "surveys"}
        assert {"github", "kubernetes"} <= told(demo)
        assert config.sources["jira"].config.model_dump()["url"] == addresses.urls["jira"]
        assert demo.layout.start == addresses.start == START
        assert len(demo.layout.teams) == 8
        assert {t.id for t in demo.found.definitions.teams} <= {t.id for t in demo.layout.teams}
        assert [p.slo for p in demo.found.plans] != []
        assert requests.get(f"{addresses.urls['eu']}/readyz", timeout=PATIENCE).text == "ok"
    finally:
        demo.company.stop()


@dataclass
class Idle:
    """A company that only has addresses."""

    addresses: Addresses = field(default_factory=lambda: nowhere(Company.build(1, START, teams=8, services=16)))
    stopped: int = 0

    def stop(self) -> None:
        self.stopped += 1


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> Idle:
    company = Idle()
    monkeypatch.setattr("platform_meter.demo.stage.run.start_process", lambda _: company)
    return company


def test_it_runs_where_others_can_reach_it(tmp_path: Path, idle: Idle) -> None:
    """As its container does: everybody may look at a company that there is not."""
    demo = prepare(OPTIONS, tmp_path, "0.0.0.0:9898", {"PLATFORM_METER_LISTEN": "0.0.0.0:9898"})
    assert demo.found.config is not None
    assert (demo.found.config.listen, demo.found.config.access.anonymous) == ("0.0.0.0:9898", "viewer")


def test_a_prometheus_that_scrapes_it_is_a_source_too(tmp_path: Path, idle: Idle) -> None:
    """It is asked for what the services use; the company goes on running."""
    demo = prepare(OPTIONS, tmp_path, LISTEN, {}, prometheus="http://127.0.0.1:9090")
    assert types(demo) == {*told(demo), "surveys", "prometheus"}
    assert idle.stopped == 0


def left(folder: Path) -> set[str]:
    """What stands in a demo's folder, beside the files that every demo writes."""
    return {p.name for p in folder.iterdir()} - {"platform-meter.yaml", "secrets", "company", "surveys"}


def test_a_folder_used_again_holds_one_company(tmp_path: Path, idle: Idle) -> None:
    """The store is a fresh one; people's SLO files stay, and so does the Prometheus past of the same company alone."""
    own = tmp_path / "slo-definitions" / "search.yaml"
    for name in ("platform-meter.db", "platform-meter.db-wal", "platform-meter.db-shm", "prometheus/wal"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("of before")
    own.parent.mkdir()
    own.write_text("# nothing yet\n")
    prepare(OPTIONS, tmp_path, LISTEN, {})
    assert left(tmp_path) == {"slo-definitions", "prometheus"}
    prepare(replace(OPTIONS, start=START + timedelta(days=1)), tmp_path, LISTEN, {})
    assert left(tmp_path) == {"slo-definitions", "prometheus"}
    prepare(replace(OPTIONS, seed=4), tmp_path, LISTEN, {})
    assert left(tmp_path) == {"slo-definitions"}
    assert own.read_text() == "# nothing yet\n"
    assert idle.stopped == 0


def test_a_company_that_cannot_be_measured_is_stopped(tmp_path: Path, idle: Idle) -> None:
    """Whether its files can't be written or have problems: no process is left behind."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="file"):
        prepare(OPTIONS, tmp_path / "file", LISTEN, {})
    assert idle.stopped == 1
    with pytest.raises(RuntimeError, match=r"the demo's own files have problems:\n.*'ftp://x' is"):
        prepare(OPTIONS, tmp_path / "demo", LISTEN, {}, prometheus="ftp://x")
    assert idle.stopped == 2
