"""GitHub's webhooks on the bodies that it has published as examples, read where they lie."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.sources.github.github_hooks import NOW

from platform_meter.model.facts import Ref
from platform_meter.model.facts.delivery import Deployment, DeployResult
from platform_meter.model.push import Pushed
from platform_meter.sources.github import Config
from platform_meter.sources.github.webhooks import read

BODIES = sorted(Path(os.environ["PLATFORM_METER_CONTRACTS"], "samples/github-webhooks").glob("*.json"))
CONFIG = Config.model_validate({"org": "Codertocat", "token": {"env": "GITHUB_TOKEN"}})
HELLO = Ref(system="github", kind="repository", id="Codertocat/Hello-World")


def pushed(path: Path) -> Pushed:
    event = path.stem.rpartition("-")[0]
    headers = {"x-github-event": event, "content-type": "application/json"}
    return Pushed(headers=headers, body=path.read_bytes(), at=NOW, hashed=lambda person: person)


@pytest.mark.parametrize("path", BODIES, ids=lambda path: path.stem)
def test_each_is_read(path: Path) -> None:
    """Of these only a status says that something ended: no pull request among them was merged."""
    facts = read(CONFIG, pushed(path))
    assert len(facts) == path.stem.startswith("deployment_status")


@pytest.mark.parametrize("path", [p for p in BODIES if "status" in p.stem], ids=lambda path: path.stem)
def test_a_status_is_a_deployment(path: Path) -> None:
    """As polls would tell it, but for the millisecond that the poll is newer."""
    end = datetime(2019, 5, 15, 15, 20, 55, tzinfo=UTC)
    (fact,) = read(CONFIG, pushed(path))
    assert fact == Deployment(
        key="deployment/145988746",
        at=end,
        about=HELLO,
        updated=datetime(2019, 5, 15, 15, 20, 54, 999_000, tzinfo=UTC),
        environment="production",
        sha="f95f852bd8fca8fcc58a9a2d6c842781e32a215e",
        result=DeployResult.SUCCESS,
        started=datetime(2019, 5, 15, 15, 20, 53, tzinfo=UTC),
    )
