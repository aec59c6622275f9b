"""Real servers and imported companies, started once for all tests that share them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support.amazon import amazon_server, lead_to
from tests.support.company import Running, company
from tests.support.kube_api import KubeApi, running
from tests.support.prometheus import CURRENT, current

SEEDS = (1, 2, 3)
REGION = "eu-west-1"
"""Of `amazon`."""


@pytest.fixture(scope="session")
def kube_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubeApi]:
    """A Kubernetes API server without controllers, with its admin."""
    yield from running(tmp_path_factory.mktemp("kube-api"))


@pytest.fixture(scope="session", params=["2.42", CURRENT])
def programs(request: pytest.FixtureRequest) -> Path | None:
    """Prometheus and promtool, as Debian has them (None: those on PATH) and of a current release."""
    return None if request.param == "2.42" else current()


@pytest.fixture(scope="session", params=SEEDS, ids=lambda seed: f"seed{seed}")
def imported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A company of 12 teams, imported whole and then polled three times more; nobody may move it on."""
    with company(tmp_path_factory.mktemp("imported"), seed=request.param) as made:
        made.poll()
        for _ in range(3):
            made.poll(after=timedelta(minutes=10))
        yield made


@pytest.fixture
def amazon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Amazon's services as moto has them, empty; boto3 and our own way out find them by the environment."""
    with amazon_server() as url:
        lead_to(url, monkeypatch, REGION)
        yield
