from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest
import yaml
from tests.support.places import ROOT

from platform_meter.demo.stage.seed import JOB
from platform_meter.demo.stage.stack import (
    ALERTMANAGER,
    PROMETHEUS,
    TEMPLATES,
    Places,
    chosen_places,
    free_port,
    moved,
    programs,
    repository,
    routed,
)

ELSEWHERE = Places(
    exporter="127.0.0.1:9093",
    services="127.0.0.1:2",
    prometheus="127.0.0.1:3",
    alertmanager="127.0.0.1:9898",
    pager="127.0.0.1:5",
)
"""Two of them are ports that stand in the files for something else."""


def test_prometheus_finds_everyone_where_they_are() -> None:
    """Targets, discovery and Alertmanager move, each for itself; all else stays."""
    text = repository(PROMETHEUS).read_text()
    before, after = yaml.safe_load(text), yaml.safe_load(moved(text, ELSEWHERE))
    meter, services = after["scrape_configs"]
    assert meter["static_configs"] == [{"targets": ["127.0.0.1:9093"]}]
    assert services["http_sd_configs"][0]["url"] == "http://127.0.0.1:2/sd"
    assert after["alerting"]["alertmanagers"] == [{"static_configs": [{"targets": ["127.0.0.1:9898"]}]}]
    assert (after["rule_files"], after["global"]) == (before["rule_files"], before["global"])


def test_alertmanager_finds_the_pager() -> None:
    """Both receivers post to the pager in use."""
    config = yaml.safe_load(moved(repository(ALERTMANAGER).read_text(), ELSEWHERE))
    hooks = [hook["url"] for receiver in config["receivers"] for hook in receiver["webhook_configs"]]
    assert hooks == ["http://127.0.0.1:5/"] * 2


def test_alerts_go_to_the_team_that_owns_them(tmp_path: Path) -> None:
    """Pages and tickets alike, by amtool of the file that the demo's Alertmanager gets; what nobody owns goes where it went."""
    (tmp_path / "platform-meter.tmpl").write_text(repository(TEMPLATES).read_text())
    file = tmp_path / "alertmanager.yml"
    file.write_text(routed(moved(repository(ALERTMANAGER).read_text(), ELSEWHERE), ("platform-ci", "platform-runtime")))

    def amtool(*arguments: str) -> str:
        return subprocess.run(["amtool", *arguments], capture_output=True, text=True, check=True).stdout.strip()

    assert " - 6 receivers\n" in amtool("check-config", str(file)) + "\n"
    found = {
        (level, owner): amtool("config", "routes", "test", f"--config.file={file}", f"level={level}", f"owner={owner}")
        for level in ("page", "ticket")
        for owner in ("platform-ci", "platform-runtime", "")
    }
    assert found == {
        ("page", "platform-ci"): "pages of platform-ci",
        ("page", "platform-runtime"): "pages of platform-runtime",
        ("page", ""): "pages",
        ("ticket", "platform-ci"): "tickets of platform-ci",
        ("ticket", "platform-runtime"): "tickets of platform-runtime",
        ("ticket", ""): "tickets",
    }
    hooks = {one["name"]: one["webhook_configs"][0]["url"] for one in yaml.safe_load(file.read_text())["receivers"]}
    assert hooks["pages"] == "http://127.0.0.1:5/"
    assert hooks["pages of platform-ci"] == "http://127.0.0.1:5/platform-ci"


def test_a_longer_port_is_another_one() -> None:
    """Only whole addresses move."""
    assert moved("127.0.0.1:98981 127.0.0.1:9898", ELSEWHERE) == "127.0.0.1:98981 127.0.0.1:9093"


def test_the_past_has_the_name_of_the_scrape_job() -> None:
    """So that the seeded series go on in what is scraped."""
    config = yaml.safe_load(repository(PROMETHEUS).read_text())
    assert JOB in {job["job_name"] for job in config["scrape_configs"] if "http_sd_configs" in job}


def test_missing_programs_are_named_with_their_packages() -> None:
    """All that is missing is said at once, and what installs it."""
    with pytest.raises(RuntimeError) as caught:
        programs(lambda _: None)
    assert str(caught.value) == (
        "prometheus and promtool and prometheus-alertmanager not on PATH; "
        "on Debian: apt-get install prometheus prometheus-alertmanager"
    )


def test_alertmanager_may_have_its_own_name() -> None:
    """Elsewhere than on Debian it is called alertmanager."""
    there = {"prometheus": "/a/prometheus", "promtool": "/a/promtool", "alertmanager": "/a/alertmanager"}
    assert programs(there.get) == {
        "prometheus": "/a/prometheus",
        "promtool": "/a/promtool",
        "prometheus-alertmanager": "/a/alertmanager",
    }


def test_a_file_that_is_not_there() -> None:
    """Without a checkout the demo says what it needs."""
    with pytest.raises(RuntimeError, match=r"^nothing.yml is not installed here; run the demo with Prometheus from"):
        repository("nothing.yml")


def test_every_file_is_found_in_the_repository() -> None:
    """What the demo runs is what people read."""
    root = ROOT
    files = (PROMETHEUS, ALERTMANAGER, TEMPLATES)
    assert [repository(file) for file in files] == [root / file for file in files]


def test_ports() -> None:
    """A free port is taken as wanted, a taken one replaced; a demo on any port gets a real one."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        taken = held.getsockname()[1]
        assert free_port(taken) not in {taken, 0}
    assert free_port(taken) == taken
    places = chosen_places(0)
    assert int(places.exporter.rpartition(":")[2]) > 0
    assert chosen_places(4711).exporter == "127.0.0.1:4711"
