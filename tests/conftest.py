"""What holds for every test: contract data is insisted on where it is promised, and in CI nothing is skipped.

Tests may run in several processes (`pytest -n 2`). What is dear to make is made in one of them: tests that share it, or
a module, stay together. Those that take longest begin first, and the Kubernetes API server is built meanwhile.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from cheroot.server import HTTPServer
from hypothesis import HealthCheck, settings
from tests.support import postgres
from tests.support.kube_api import Build
from xdist.scheduler import LoadScopeScheduling

settings.register_profile("default", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("default")
HTTPServer.expiration_interval = 0.05  # else each of the many servers here takes half a second to end

CONTRACTS = os.environ.get("PLATFORM_METER_CONTRACTS", "")
NO_SKIP = os.environ.get("PLATFORM_METER_NO_SKIP") == "1"

if CONTRACTS and not Path(CONTRACTS, "github.openapi.json").is_file():
    raise pytest.UsageError(
        f"PLATFORM_METER_CONTRACTS={CONTRACTS} holds no github.openapi.json; point it at the contract data or unset it"
    )
if NO_SKIP and not CONTRACTS:
    raise pytest.UsageError("CI must test against the contract data: set PLATFORM_METER_CONTRACTS")

SOAK = os.environ.get("PLATFORM_METER_SOAK") == "1"
"""Whether the tests of `make soak` are wanted, which hang on a clock and a machine with nothing else to do."""

collect_ignore: list[str] = [*([] if CONTRACTS else ["contracts"]), *([] if SOAK else ["real/test_stops.py"])]
_SEED = re.compile(r"\bseed\d+\b")
"""The id of an imported company, which is dear to make."""
_API_SERVER = (
    "tests/real/test_clouds",
    "tests/real/test_deploy",
    "tests/real/test_kubernetes",
    "tests/contracts/test_argocd_cluster",
    "tests/contracts/test_tekton",
)
"""What tests on the Kubernetes API server begin with, whose build may take minutes."""
_build = Build()


def pytest_report_header() -> str:
    return (
        f"contract data: {CONTRACTS}"
        if CONTRACTS
        else "contract data: not at hand, tests/contracts is not collected (set PLATFORM_METER_CONTRACTS)"
    )


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    with postgres.server() as running:
        yield running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Real servers first, since they wait most; of these last the one whose build may still go on."""
    items.sort(key=lambda item: (not item.nodeid.startswith("tests/real/"), item.nodeid.startswith(_API_SERVER)))


class Groups(LoadScopeScheduling):  # type: ignore[misc]  # xdist says no types
    """Shares out tests to processes, in their order: all of an imported company together, all others by module."""

    def _split_scope(self, nodeid: str) -> str:
        seed = _SEED.search(nodeid)
        return seed[0] if seed else nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Groups:
    config.option.loadscopereorder = False
    return Groups(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(ids: Sequence[str]) -> None:
    """Several processes run the tests; this one, which shares them out, builds what they will need."""
    if any(id_.startswith(_API_SERVER) for id_ in ids):
        _build.begin()


def pytest_collection_finish(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput"):
        pytest_xdist_node_collection_finished([item.nodeid for item in session.items])


def pytest_unconfigure() -> None:
    _build.end()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if NO_SKIP and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped, which counts as a failure here: {report.longrepr}"
    return report
