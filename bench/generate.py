"""Cost of `generate`: CPU and peak memory for many SLOs, one a file, ten a service, against reading the files alone.

The floor is PyYAML's C loader on the same files, in a process of its own. A second run finds nothing to write.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

A_SERVICE = 10
DESCRIPTORS = 1_024
SLO = """apiVersion: openslo/v1
kind: SLO
metadata:
  name: requests-{n}
  displayName: Requests answered by shop {n}
  annotations:
    platform-meter.io/owner: team-{service}
    platform-meter.io/runbook: runbooks/shop-{service}.md
spec:
  service: shop-{service}
  description: Requests that were not answered with 5xx.
  budgetingMethod: Occurrences
  timeWindow: [{{duration: 28d, isRolling: true}}]
  indicator:
    spec:
      ratioMetric:
        counter: true
        bad: {{metricSource: {{type: prometheus, spec: {{query: 'http_requests_total{{service="shop-{n}",code=~"5.."}}'}}}}}}
        total: {{metricSource: {{type: prometheus, spec: {{query: 'http_requests_total{{service="shop-{n}"}}'}}}}}}
  objectives: [{{displayName: answered, target: 0.999}}]
"""
FLOOR = """
import sys, yaml
from pathlib import Path
for path in sorted(Path(sys.argv[1]).glob("*.yaml")):
    list(yaml.load_all(path.read_text("utf-8"), Loader=yaml.CSafeLoader))
"""
GENERATE = "from platform_meter.cli import main; main()"


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of one process."""

    cpu: float
    """Seconds, of the user's and of the system's."""
    peak: float
    """Megabytes."""


def write(folder: Path, count: int) -> None:
    folder.mkdir()
    for n in range(count):
        (folder / f"slo-{n:05d}.yaml").write_text(SLO.format(n=n, service=n // A_SERVICE), "utf-8")


def cost(command: Sequence[str]) -> Cost:
    """Run this Python and wait for it, with as many open files as a shell usually allows."""
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.execv(sys.executable, [sys.executable, *command])  # noqa: S606 - our own interpreter
    _, status, used = os.wait4(child, 0)
    if status:
        raise RuntimeError(f"{command} ended with {os.waitstatus_to_exitcode(status)}")
    return Cost(cpu=used.ru_utime + used.ru_stime, peak=used.ru_maxrss / 1024)


def table(count: int) -> list[tuple[str, Cost]]:
    """What was run, and what it cost."""
    with tempfile.TemporaryDirectory(prefix="bench-generate-") as temporary:
        slos, boards = Path(temporary, "slos"), Path(temporary, "boards")
        write(slos, count)
        command = ["-c", GENERATE, "generate", "--slos", str(slos), "--dashboards", str(boards)]
        return [
            ("floor: the files read by PyYAML's C loader", cost(["-c", FLOOR, str(slos)])),
            ("generate, everything is new", cost(command)),
            ("generate, nothing to write", cost(command)),
        ]


TARGETS = {1_000: "1.63 s", 10_000: "10 s, 100 MB"}


def main() -> None:
    for count, target in TARGETS.items():
        print(f"\nGenerate, {count:,} SLOs, one a file (at most {target})\n")
        print("| what | CPU s | peak MB | CPU, floor = 1 |\n| --- | ---: | ---: | ---: |")
        rows = table(count)
        for name, found in rows:
            print(f"| {name} | {found.cpu:.2f} | {found.peak:.0f} | {found.cpu / rows[0][1].cpu:.2f} |")


if __name__ == "__main__":
    main()
