"""What GitLab would have sent of a world by webhook."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from tests.sources.gitlab.gitlab_server import GitLab

from platform_meter.model.push import Pushed

NOW = datetime(2026, 7, 1, tzinfo=UTC)
COMMITS = "https://gitlab.example/acme/shop/-/commit"


def delivery(body: Mapping[str, Any]) -> Pushed:
    headers = {"content-type": "application/json"}
    return Pushed(headers=headers, body=json.dumps(body).encode(), at=NOW, hashed=lambda person: f"hash of {person}")


def deliveries(world: GitLab) -> Iterator[Pushed]:
    """One for how each deployment stands, and one for each merge request that was merged."""
    for project in world.projects:
        named = {"id": project["id"], "path_with_namespace": project["path_with_namespace"]}
        for row in world.lists.get((project["id"], "deployments"), []):
            yield delivery(deployment_hook(row, named))
        for row in world.lists.get((project["id"], "merge_requests"), []):
            yield delivery(merge_hook(row, named))


def deployment_hook(row: Mapping[str, Any], project: Mapping[str, Any]) -> dict[str, Any]:
    job = row["deployable"] or {}
    return {
        "object_kind": "deployment",
        "status": row["status"],
        "status_changed_at": _zoned(row["updated_at"]),
        "deployment_id": row["id"],
        "deployable_id": 1,
        "deployable_url": job.get("web_url"),
        "environment": row["environment"]["name"],
        "environment_slug": "production",
        "project": project,
        "short_sha": row["sha"][:8],
        "user": {"id": 1, "name": "Alice", "username": "u-alice"},
        "commit_url": f"{COMMITS}/{row['sha']}",
        "commit_title": "Alice's secret",
        "ref": row["ref"],
    }


def merge_hook(row: Mapping[str, Any], project: Mapping[str, Any]) -> dict[str, Any]:
    attributes = {name: row[name] for name in ("id", "iid", "title", "description", "source_branch", "target_branch")}
    attributes |= {
        "created_at": _plain(row["created_at"]),
        "updated_at": _plain(row["updated_at"]),
        "author_id": row["author"]["id"],
        "merge_commit_sha": row["merge_commit_sha"],
        "last_commit": {"id": "1" * 40, "message": "Alice's secret"},
        "url": row["web_url"],
        "state": "merged",
        "action": "merge",
    }
    return {
        "object_kind": "merge_request",
        "user": {**row["author"], "name": "Alice"},
        "project": project,
        "object_attributes": attributes,
        "labels": [{"id": 7, "title": label} for label in row["labels"]],
    }


def _plain(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S} UTC"


def _zoned(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S} +0000"
