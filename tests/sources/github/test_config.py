"""What may be set for GitHub: how fast its API is called, and how many repositories a poll has time for."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from platform_meter.model.access import GithubApp, Pace, Secret, Token
from platform_meter.sources.github.config import Config, access, matches


def config(**settings: Any) -> Config:
    return Config.model_validate({"org": "acme", "token": {"env": "TOKEN"}, **settings})


@pytest.mark.parametrize("url", ["https://api.github.com", "https://api.acme.ghe.com"])
def test_github_has_limits(url: str) -> None:
    """900 points a minute, 1 for reading and 5 for a POST; eight calls side by side are far from the hundred allowed."""
    pace = access(config(url=url)).pace
    assert pace == Pace(at_once=8, points=900, per=timedelta(minutes=1), get=1, post=5)


@pytest.mark.parametrize("url", ["https://github.acme.example/api/v3", "http://127.0.0.1:8080"])
def test_a_server_of_ones_own_has_none(url: str) -> None:
    """It is asked by eight at a time all the same, and a poll visits all repositories."""
    assert access(config(url=url)).pace == Pace(at_once=8)
    assert config(url=url).room is None


@pytest.mark.parametrize(("every", "room"), [("1m", 240), ("30s", 120), ("5m", 1_200)])
def test_a_poll_has_time_for_some(every: str, room: int) -> None:
    """At three calls each, and four fifths of the points."""
    assert config(every=every).room == room


@pytest.mark.parametrize(("globs", "fits"), [(["*"], True), (["API*"], True), (["web", "api-*"], False), ([], False)])
def test_globs_are_of_names_without_the_organisation(globs: list[str], fits: bool) -> None:
    """And mind no capitals."""
    assert matches("acme/Api", globs) is fits


@pytest.mark.parametrize(
    ("rule", "path", "fits"),
    [
        ({"workflow": "deploy*.yml"}, ".github/workflows/deploy-eu.yml", True),
        ({"workflow": "deploy*.yml"}, ".github/workflows/deploy-eu.yml@refs/heads/main", True),
        ({"workflow": "deploy*.yml"}, ".github/workflows/ci.yml", False),
        ({"job": "prod"}, ".github/workflows/ci.yml", True),
    ],
)
def test_a_rule_takes_the_runs_of_its_workflows(rule: dict[str, str], path: str, fits: bool) -> None:
    """By the name of their file; one that names a job alone looks for it in all of them."""
    (made,) = config(deployments=[{"environment": "production", **rule}]).deployments
    assert made.takes(path) is fits


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"deployments": [{"environment": "production"}]}, "it takes every run for a deployment; add `workflow: "),
        ({"deployments": [{"environment": "", "job": "prod"}]}, "at least 1 character"),
        ({"deployments": [{"job": "prod"}]}, "Field required"),
        ({"deployments": [{"environment": "production", "jobs": "prod"}]}, "Extra inputs are not permitted"),
        (
            {"deployments": [{"environment": "production", "job": "prod"}], "jobs": "none"},
            "`jobs: none` reads no job, and `deployments` names some",
        ),
    ],
)
def test_a_rule_that_would_tell_nothing_or_everything_is_refused(settings: dict[str, Any], words: str) -> None:
    """It says what to write instead."""
    with pytest.raises(ValidationError) as caught:
        config(**settings)
    assert words in str(caught.value)


def test_a_rule_that_names_workflows_needs_no_jobs() -> None:
    """Runs tell of themselves."""
    assert config(deployments=[{"environment": "production", "workflow": "deploy.yml"}], jobs="none").deployments


def test_an_app_lets_in_as_a_token_does(tmp_path: Path) -> None:
    """Its number may stand as one; it is that of the organisation's installation, at the address of the source."""
    key = str(tmp_path / "app.pem")
    made = Config.model_validate(
        {"org": "acme", "app": {"id": 12, "key_file": key}, "url": "https://git.acme.example/api/v3"}
    )
    assert access(made).credential == GithubApp(
        app="12", key_file=key, org="acme", url="https://git.acme.example/api/v3"
    )
    assert access(config()).credential == Token(secret=Secret(env="TOKEN"))


@pytest.mark.parametrize(
    ("ways", "words"),
    [
        ({}, "by `token` or by `app`, and this one has neither; write one of them"),
        (
            {"token": {"env": "TOKEN"}, "app": {"id": "Iv1.abc", "key_file": "/app.pem"}},
            "by `token` or by `app`, and this one has both; leave one of them out",
        ),
    ],
)
def test_there_is_one_way_in(ways: dict[str, Any], words: str) -> None:
    """Nobody has to guess which one is used."""
    with pytest.raises(ValidationError) as caught:
        Config.model_validate({"org": "acme", **ways})
    assert words in str(caught.value)
