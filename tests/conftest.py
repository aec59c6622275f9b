"""What holds for every test: contract data is insisted on where it is promised, and in CI nothing is skipped."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("default", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("default")

CONTRACTS = os.environ.get("PLATFORM_METER_CONTRACTS", "")
NO_SKIP = os.environ.get("PLATFORM_METER_NO_SKIP") == "1"

if CONTRACTS and not Path(CONTRACTS, "github.openapi.json").is_file():
    raise pytest.UsageError(
        f"PLATFORM_METER_CONTRACTS={CONTRACTS} holds no github.openapi.json; point it at the contract data or unset it"
    )
if NO_SKIP and not CONTRACTS:
    raise pytest.UsageError("CI must test against the contract data: set PLATFORM_METER_CONTRACTS")

collect_ignore: list[str] = [] if CONTRACTS else ["contracts"]


def pytest_report_header() -> str:
    return (
        f"contract data: {CONTRACTS}"
        if CONTRACTS
        else "contract data: not at hand, tests/contracts is not collected (set PLATFORM_METER_CONTRACTS)"
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if NO_SKIP and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped, which counts as a failure here: {report.longrepr}"
    return report
