"""`serve` and `demo` as a person runs them."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests
from click.testing import CliRunner
from tests.support.processes import free_ports
from tests.support.waiting import PATIENCE, until

from platform_meter.cli import main
from platform_meter.cli.running import _summary
from platform_meter.runtime.poller import Result

CONFIG = """\
listen: 127.0.0.1:{port}
zone: {zone}
tick: 1s
"""


def test_the_demo_once_says_what_it_found(tmp_path: Path) -> None:
    """Every source is well, adoption has states, facts and series are many, and it ends with 0."""
    done = CliRunner().invoke(main, ["demo", "--once", "--teams", "8", "--dir", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "Simulating a company of 8 teams and 60 services, with 90 days behind it." in done.output
    for source in (
        "argocd-eu",
        "argocd-us",
        "cluster-eu",
        "cluster-us",
        "github",
        "gitlab",
        "jenkins",
        "jira",
        "tekton",
    ):
        assert re.search(rf"^  {source} +\d+ facts  ok$", done.output, re.MULTILINE), done.output
    assert re.search(r"^  ci .* \d+ active", done.output, re.MULTILINE)
    facts, series = re.findall(r"^(\d+) facts, (\d+) series$", done.output, re.MULTILINE)[0]
    assert int(facts) > 5_000
    assert int(series) > 400
    assert (tmp_path / "platform-meter.yaml").is_file()


def test_an_error_of_several_streams_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Eight streams that lack the same kubeconfig lack one thing."""
    results = [Result(instance="eu", stream=name, error=error) for name, error in zip("abc", "xxy", strict=True)]
    _summary(SimpleNamespace(meter=SimpleNamespace(rows={}), series=3), results)  # type: ignore[arg-type]
    assert "  eu                     0 facts  x; y\n" in capsys.readouterr().out


def test_a_source_that_another_exporter_polls_is_said_to_be_its(capsys: pytest.CaptureFixture[str]) -> None:
    """Beside one that runs nothing was read, and that is not called well."""
    results = [Result(instance="eu", stream=name, skipped="another replica polls it") for name in "ab"]
    _summary(SimpleNamespace(meter=SimpleNamespace(rows={}), series=3), results)  # type: ignore[arg-type]
    assert "  eu                     0 facts  another replica polls it\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [["--teams", "7"], ["--teams", "-5"], ["--apis-port", "65534"], ["--port", "65536"]],
    ids=" ".join,
)
def test_a_demo_that_cannot_be_is_a_wrong_call(words: list[str]) -> None:
    """A number out of range exits 2 before anything starts."""
    done = CliRunner().invoke(main, ["demo", *words])
    assert done.exit_code == 2
    assert f"Invalid value for '{words[0]}'" in done.output


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    """The company ends, and one line says which."""
    (tmp_path / "file").write_text("in the way")
    done = CliRunner().invoke(main, ["demo", "--once", "--teams", "8", "--dir", str(tmp_path / "file")])
    assert done.exit_code == 1
    assert f"Error: {tmp_path}/file/secrets: Not a directory\n" in done.output


@dataclass(kw_only=True)
class Served:
    process: subprocess.Popen[str]
    config: Path
    url: str

    def ask(self, path: str, method: str = "GET") -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            return session.request(method, f"{self.url}{path}", timeout=PATIENCE)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """`platform-meter serve` without any source."""
    (port,) = free_ports(1)
    config = tmp_path / "platform-meter.yaml"
    config.write_text(CONFIG.format(port=port, zone="UTC"))
    command = [sys.executable, "-c", "from platform_meter.cli import main; main()", "serve", "-c", str(config)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"serving http://127.0.0.1:{port}/ and http://127.0.0.1:{port}/metrics\n"
        yield Served(process=process, config=config, url=f"http://127.0.0.1:{port}")
        process.kill()


def test_it_ends_well_on_sigterm(served: Served) -> None:
    """An orchestrator's stop is obeyed, with exit 0 and nothing on stderr."""
    until(lambda: served.ask("/-/ready").status_code == 200)
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(PATIENCE) == 0
    assert served.process.stderr is not None
    assert served.process.stderr.read() == ""


def test_a_reload_takes_effect_or_changes_nothing(served: Served) -> None:
    """A sound file is taken over, in `/metrics` too; of a flawed one all problems are told and the old one runs on."""
    until(lambda: served.ask("/-/ready").status_code == 200)
    before = served.ask("/metrics").text
    assert "platform_team_info" not in before
    folder = served.config.with_name("slo-definitions")
    folder.mkdir()
    (folder / "teams.yaml").write_text("kind: Team\nid: pay\n")
    assert served.ask("/-/reload", "POST").text == "reloaded\n"
    until(lambda: 'platform_team_info{team="pay"' in served.ask("/metrics").text)

    served.config.write_text("zone: Mars\n")
    refused = served.ask("/-/reload", "POST")
    assert refused.status_code == 400
    assert "'Mars' is not a time zone" in refused.text
    assert "The last reload found 1 problems and was not taken" in served.ask("/").text
    until(lambda: "platform_meter_config_valid 0" in served.ask("/metrics").text)


def test_a_port_that_is_taken_is_no_traceback(served: Served) -> None:
    """One line with the address and what to write."""
    done = CliRunner().invoke(main, ["serve", "-c", str(served.config)])
    address = served.url.partition("//")[2]
    said = f"cannot listen at {address}: Address already in use; write another listen into {served.config}"
    assert (done.exit_code, done.output) == (1, f"Error: {said}\n")


def test_it_is_not_left_open_by_accident(tmp_path: Path) -> None:
    """At an address that others can reach it does not start before somebody has said who may come in."""
    config = tmp_path / "platform-meter.yaml"
    config.write_text("listen: 0.0.0.0:0\n")
    done = CliRunner().invoke(main, ["serve", "-c", str(config)])
    assert done.exit_code == 1
    assert f"{config}:1:9: others can reach 0.0.0.0:0, and nothing says who may come in; write " in done.output


def test_it_answers_to_this_machines_names_alone(served: Served) -> None:
    """It listens on loopback: a page that had its name resolved to it gets nothing."""
    port = served.url.rpartition(":")[2]
    with requests.Session() as session:
        session.trust_env = False
        for host, status in ((f"localhost:{port}", 200), (f"evil.example:{port}", 421)):
            assert session.get(f"{served.url}/", headers={"Host": host}, timeout=PATIENCE).status_code == status


def test_a_reload_by_sighup_that_fails_ends_nothing(served: Served) -> None:
    """What can't be opened is refused like what can't be read."""
    until(lambda: served.ask("/-/ready").status_code == 200)
    served.config.write_text('store: {url: "sqlite:///nowhere/meter.db"}\n')
    served.process.send_signal(signal.SIGHUP)
    until(lambda: "platform_meter_config_valid 0" in served.ask("/metrics").text)
    assert served.process.poll() is None


def test_a_reload_by_sighup(served: Served) -> None:
    """The signal does what the endpoint does."""
    until(lambda: served.ask("/-/ready").status_code == 200)
    folder = served.config.with_name("slo-definitions")
    folder.mkdir()
    (folder / "teams.yaml").write_text("kind: Team\nid: shop\n")
    served.process.send_signal(signal.SIGHUP)
    until(lambda: 'platform_team_info{team="shop"' in served.ask("/metrics").text)
