"""The simulated Jira against the official description of its API."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from tests.contracts.openapi import contract
from tests.demo.worlds import Clock, jira, small_world

from platform_meter.demo.world import World

NAME = "jira-cloud.openapi.json"
NULLS = tuple(("ChangeDetails", name) for name in ("from", "fromString", "to", "toString"))
"""The description forbids null here, but every recorded answer of the real Jira has it where a field was empty."""
ROOT = "/rest/api/3"
JQL = "project in (PLAT, HELP) ORDER BY updated ASC"
SEARCH = f"/search/jql?jql={quote(JQL)}&fields=*all&expand=changelog&maxResults=30"
ROADMAP = f"/search/jql?jql={quote('project = ROAD')}&fields=*all&expand=changelog"
GONE = frozenset({f"{ROOT}/search"})
"""Atlassian removed it in 2025; it answers 410."""

GETS = {
    "/myself": ("/myself",),
    "/serverInfo": ("/serverInfo",),
    "/search/jql": (SEARCH, ROADMAP, f"/search/jql?jql={quote(JQL)}"),
    "/issue/{issueIdOrKey}": ("/issue/PLAT-1", "/issue/HELP-2?expand=changelog&fields=status,comment"),
    "/issue/{issueIdOrKey}/changelog": ("/issue/PLAT-1/changelog", "/issue/PLAT-2/changelog?startAt=2&maxResults=1"),
    "/field": ("/field",),
    "/project/search": ("/project/search", "/project/search?maxResults=1"),
    "/status": ("/status",),
    "/statuscategory": ("/statuscategory",),
    "/project/{projectIdOrKey}/components": ("/project/PLAT/components", "/project/10002/components"),
}
POSTS: dict[str, dict[str, Any]] = {
    "/search/jql": {"jql": JQL, "fields": ["*all"], "expand": "changelog", "maxResults": 20},
    "/search/approximate-count": {"jql": JQL},
    "/changelog/bulkfetch": {"issueIdsOrKeys": ["PLAT-1", "PLAT-2"]},
}


@pytest.fixture(scope="module")
def world() -> World:
    return small_world(Clock(), services=72)


def test_every_path_of_the_description_is_called() -> None:
    """No path is forgotten below."""
    called = {f"{ROOT}{path}" for path in (*GETS, *POSTS)}
    assert called | GONE == set(contract(NAME, NULLS).paths)


@pytest.mark.parametrize("path", sorted(GETS))
def test_answers_keep_to_the_official_description(world: World, path: str) -> None:
    """Several answers of every path have the documented properties and types, and no others."""
    for call in GETS[path]:
        answer = jira(world).get(ROOT + call)
        assert answer.status_code == 200, (call, answer.text[:300])
        assert contract(NAME, NULLS).problem(ROOT + path, answer.json) == "", call


@pytest.mark.parametrize("path", sorted(POSTS))
def test_answers_to_posts_keep_to_the_official_description(world: World, path: str) -> None:
    """The reading endpoints that take a body do so too."""
    answer = jira(world).post(ROOT + path, POSTS[path])
    assert answer.status_code == 200, answer.text[:300]
    assert contract(NAME, NULLS).problem(ROOT + path, answer.json, method="post") == ""


def test_the_removed_search_says_where_to_go(world: World) -> None:
    """The old search answers 410 and names its successor, as the real one does."""
    answer = jira(world).get(f"{ROOT}/search?jql=project=PLAT")
    assert answer.status_code == 410
    assert "/rest/api/3/search/jql" in answer.json["errorMessages"][0]
