"""What may be set for GitHub: how fast its API is called, and how many repositories a poll has time for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from platform_meter.model.source import Pace
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
