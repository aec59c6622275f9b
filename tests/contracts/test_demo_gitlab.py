"""The simulated GitLab against a description of its API, as far as that goes, and against recorded answers of the real one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from tests.contracts.calls import description, recorded
from tests.contracts.openapi import contract
from tests.demo.worlds import Clock, gitlab, small_world

from platform_meter.demo.company.pipelines import BOUGHT
from platform_meter.model.access import Secret
from platform_meter.sources.gitlab import SOURCE, Config
from platform_meter.testing import Call, FakeOutside

NAME = "gitlab-requests.openapi.json"
PROJECT = "/api/v4/projects/{id}"
PIPELINES, PIPELINE = f"{PROJECT}/pipelines", f"{PROJECT}/pipelines/{{pipeline_id}}"
JOBS = f"{PIPELINE}/jobs"
UNLISTED = {"page", "per_page", "include_retried"}
"""Parameters that the description has at no path."""
WRONG = {"duration", "runner", "yaml_errors"}
"""Texts in the description; in recorded answers a number, an object and null."""

Asked = dict[str, list[tuple[Call, Any]]]
"""Calls with their answers, by path."""


@pytest.fixture(scope="module")
def asked() -> Asked:
    """Every call of a first poll that is asked from a time on, and of one three hours later."""
    clock = Clock()
    api = gitlab(small_world(clock))
    outside = FakeOutside(api.answer)
    found: Asked = {}
    config = Config(url="http://gitlab.test", group=BOUGHT, token=Secret(env="TOKEN"))
    streams = SOURCE.connect(config, outside, "gitlab")
    checkpoints: dict[str, bytes | None] = {}
    for _ in range(2):
        for stream in streams:
            for page in stream.read(checkpoints.get(stream.name), clock.at - timedelta(days=20), clock.at):
                checkpoints[stream.name] = page.checkpoint or checkpoints.get(stream.name)
        for call in outside.calls:
            path = re.sub(r"\b\d+\b", "{pipeline_id}", re.sub(r"projects/\d+", "projects/{id}", call.path))
            found.setdefault(path, []).append((call, json.loads(api.answer(call).body)))
        outside.calls.clear()
        clock.at += timedelta(hours=3)
    return found


def without(body: Any, names: set[str]) -> Any:
    """The same, but these properties of its objects."""
    if isinstance(body, list):
        return [without(item, names) for item in body]
    return {name: value for name, value in body.items() if name not in names}


@pytest.mark.parametrize(("path", "least"), [(PIPELINES, 10), (PIPELINE, 15), (JOBS, 5)])
def test_calls_and_answers_keep_to_the_description(asked: Asked, path: str, least: int) -> None:
    """Known parameters in their types, and answers in theirs, wherever the description has them right."""
    assert len(asked[path]) >= least
    for call, body in asked[path]:
        known = Call(method="GET", path=call.path, params=without(call.params, UNLISTED))
        assert description(NAME).problems(known) == []
        assert contract(NAME).problem(path, without(body, WRONG)) == "", call.path


def shape(body: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Every property, by where it is, with the type of its value."""
    if isinstance(body, list):
        for item in body:
            yield from shape(item, f"{at}[]")
    elif isinstance(body, dict):
        for name, value in body.items():
            yield from shape(value, f"{at}.{name}")
    else:
        yield at, "number" if type(body) in {int, float} else type(body).__name__


def answered(file: str, part: str = "") -> set[tuple[str, str]]:
    """What recorded answers have, or one of their parts."""
    rows = [record["data"] for record in recorded(f"gitlab/{file}.devlake.json")]
    return {found for row in rows for found in shape(row[part] if part else row)}


@pytest.mark.parametrize(
    ("tail", "file", "least"),
    [
        ("pipelines", "api_pipeline", 10),
        ("pipelines/{pipeline_id}", "api_pipeline_details", 18),
        ("pipelines/{pipeline_id}/jobs", "api_job", 16),
        ("deployments", "api_deployments", 15),
        ("merge_requests", "api_merge_requests", 17),
        ("merge_requests/{pipeline_id}/commits", "api_merge_request_commits", 3),
    ],
)
def test_answers_have_the_properties_of_recorded_ones(asked: Asked, tail: str, file: str, least: int) -> None:
    """In the types that were recorded, and no others."""
    real = answered(file)
    if file == "api_job":  # recorded before a job told its wait; the job of a deployment was recorded later
        real |= answered("api_deployments", "deployable") | {(".tag_list[]", "str")}
    found = {
        one
        for _, body in asked[f"{PROJECT}/{tail}"]
        for row in ([body] if "iid" in body else body)
        for one in shape(row)
    }
    assert len(found) >= least
    assert found - real == set()
