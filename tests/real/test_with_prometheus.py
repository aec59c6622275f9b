"""`platform-meter demo --with-prometheus`, as people start it."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import requests
from tests.support.waiting import PATIENCE, until


def read_until(stream: IO[str], last: str) -> str:
    """What it printed up to the line with `last` in it."""
    text = ""
    while last not in text:
        line = stream.readline()
        assert line, f"it ended after:\n{text}"
        text += line
    return text


def targets(prometheus: str) -> set[tuple[str, str]]:
    """Job and address of everything that it scrapes."""
    answer = requests.get(f"{prometheus}api/v1/targets", timeout=PATIENCE).json()
    return {(target["scrapePool"], target["scrapeUrl"]) for target in answer["data"]["activeTargets"]}


def programs_in(folder: Path) -> list[str]:
    """Command lines of what runs on files of this folder."""
    found = []
    for told in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            found.append(told.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return [line for line in found if str(folder) in line]


def test_it_runs_all_with_four_weeks_behind_it(tmp_path: Path) -> None:
    """It prints where everything is; SLOs have their past at once; the meter reads Prometheus; Ctrl-C ends all of it."""
    program = [sys.executable, "-c", "from platform_meter.cli import main; main()"]
    command = [*program, "demo", "--with-prometheus", "--teams", "8", "--port", "0"]
    with subprocess.Popen([*command, "--dir", str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            printed = read_until(process.stdout, "Ctrl-C ends all of it")
            found = dict(re.findall(r"^  (Pages|Prometheus|Alertmanager) +(http://\S+/)$", printed, re.MULTILINE))
            assert set(found) == {"Pages", "Prometheus", "Alertmanager"}

            def ask(query: str) -> list[float]:
                url = f"{found['Prometheus']}api/v1/query"
                answer = requests.get(url, params={"query": query}, timeout=PATIENCE).json()
                return [float(series["value"][1]) for series in answer["data"]["result"]]

            tiles = 'count_over_time(slo:total_events:tile5m{slo="requests-availability"}[28d])'
            assert 28 * 288 - 1 <= ask(tiles)[0] <= 28 * 288 + 1
            assert ask("max(http_requests_total)")[0] > 1000
            metrics = f"{found['Pages']}metrics"
            read = r'^platform_meter_source_up\{source="prometheus",.*\} 1$'
            until(lambda: re.search(read, requests.get(metrics, timeout=PATIENCE).text, re.MULTILINE))
            until(lambda: {pool for pool, _ in targets(found["Prometheus"])} == {"platform-meter", "services"})
            assert ("platform-meter", metrics) in targets(found["Prometheus"])
            assert requests.get(f"{found['Alertmanager']}-/ready", timeout=PATIENCE).ok
            assert {Path(line.split()[0]).name for line in programs_in(tmp_path)} >= {
                "prometheus",
                "prometheus-alertmanager",
            }
        finally:
            process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert "Traceback" not in rest
        assert process.wait(PATIENCE) == 0
    assert programs_in(tmp_path) == []  # their ports may be others' by now
