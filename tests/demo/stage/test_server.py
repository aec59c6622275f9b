from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import pytest
import requests
from tests.demo.worlds import START, Clock, small_world
from tests.support.waiting import PATIENCE

from platform_meter.demo.company.scenarios import Trouble
from platform_meter.demo.stage.server import Addresses, Options, running_clock, serving, start_process

OPTIONS = Options(
    seed=3, start=START, teams=8, services=16, trouble=Trouble.TICKET_FLOOD, settings={"github-limit": 77}
)


def github(addresses: Addresses) -> requests.Response:
    headers = {"Authorization": "Bearer ghs_demo"}
    return requests.get(f"{addresses.urls['github']}/rate_limit", headers=headers, timeout=PATIENCE)


def test_a_process_of_its_own() -> None:
    """All servers answer with what was asked for, and all of it ends with `stop`."""
    demo = start_process(OPTIONS)
    try:
        addresses = demo.addresses
        assert addresses.start == START
        assert github(addresses).json()["rate"]["limit"] == 77
        urls, basic = addresses.urls, ("meter@acme.test", "jira_demo")
        me = requests.get(f"{urls['jira']}/rest/api/3/myself", auth=basic, timeout=PATIENCE)
        assert me.json()["emailAddress"] == "meter@acme.test"
        assert [requests.get(f"{urls[name]}/readyz", timeout=PATIENCE).text for name in ("eu", "us")] == ["ok"] * 2
        assert len(requests.get(f"{urls['metrics']}/sd", timeout=PATIENCE).json()) > 8
    finally:
        demo.stop()
    assert demo.process.returncode == 0
    with pytest.raises(requests.ConnectionError):
        github(addresses)


def test_it_ends_on_sigterm() -> None:
    """SIGTERM ends it well, and its one line on stdout holds the addresses."""
    command = [sys.executable, "-m", "platform_meter.demo.stage.server", *OPTIONS.arguments()]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        line = process.stdout.readline()
        assert set(json.loads(line)) == {
            *(
                "argocd-eu",
                "argocd-us",
                "aws",
                "datadog",
                "eks",
                "eks-eu",
                "gke",
                "elasticsearch",
                "gke-us",
                "grafana",
                "kong",
                "kong-1",
                "kong-2",
                "nginx",
                "pagerduty",
                "portal",
                "prometheus-eu",
                "prometheus-us",
                "status",
                "github",
                "gitlab",
                "jenkins",
                "jira",
                "tekton",
                "eu",
                "us",
                "metrics",
                "start",
            )
        }
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == ""
        assert process.wait(PATIENCE) == 0


def test_a_bad_start_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    """What can't be a company ends at once; the reason stands on stderr."""
    with pytest.raises(RuntimeError, match="ended with code 1 before it served; what it wrote above says why"):
        start_process(Options(teams=1))
    assert "a company needs 8 teams or more" in capfd.readouterr().err


def test_a_port_that_is_taken_is_no_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    """One line says that the APIs can't be served there."""
    with socket.create_server(("127.0.0.1", 0)) as held, pytest.raises(RuntimeError, match="ended with code 1"):
        start_process(replace(OPTIONS, port=held.getsockname()[1]))
    said = capfd.readouterr().err
    assert "the simulated APIs can't be served: " in said
    assert "Traceback" not in said


def test_serving_in_this_process() -> None:
    """Within the block everything answers, and watches end with it."""
    world = small_world(Clock())
    with serving(world) as addresses:
        assert github(addresses).status_code == 200
        headers = {"Authorization": "Bearer kube_demo"}
        watch = requests.get(
            f"{addresses.urls['eu']}/api/v1/pods?watch=true", headers=headers, stream=True, timeout=PATIENCE
        )
        with watch:
            first = json.loads(next(watch.iter_lines()))
            assert first["type"] == "ADDED"
    with pytest.raises(requests.ConnectionError):
        github(addresses)


def test_addresses_as_text() -> None:
    """The printed line is read back; anything else is refused."""
    addresses = Addresses(urls={"github": "a", "eu": "c"}, start=START)
    assert Addresses.from_json(addresses.to_json()) == addresses
    assert "\n" not in addresses.to_json()
    for line in ("oh no", "[1]", "{}"):
        with pytest.raises(ValueError, match=f"the demo server said {re.escape(repr(line))} instead of its addresses"):
            Addresses.from_json(line)


def test_the_clock_starts_where_it_is_told() -> None:
    """It shows the start first and then goes on, never back."""
    clock = running_clock(START)
    one, other = clock(), clock()
    assert START <= one <= other < START + timedelta(minutes=1)
