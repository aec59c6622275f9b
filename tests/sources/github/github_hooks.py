"""What GitHub would have sent of a world by webhook."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from tests.sources.github.github_server import Github, Repo

from platform_meter.model.push import Pushed

NOW = datetime(2026, 7, 1, tzinfo=UTC)


def delivery(event: str, body: Mapping[str, Any], **headers: str) -> Pushed:
    named = {"x-github-event": event, "content-type": "application/json"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    return Pushed(headers=named, body=json.dumps(body).encode(), at=NOW, hashed=lambda person: f"hash of {person}")


def deliveries(world: Github) -> Iterator[Pushed]:
    """One for each status of each deployment, and one for each pull request and issue as it stands."""
    for repo in world.repos:
        for row in repo.deployments:
            statuses = row["statuses"]
            deployment = {key: value for key, value in row.items() if key != "statuses"}
            for status in reversed(statuses):
                yield delivery(
                    "deployment_status",
                    {
                        "action": "created",
                        "deployment": deployment,
                        "deployment_status": status,
                        "repository": _named(repo),
                    },
                )
        for pull in repo.pulls:
            yield delivery("pull_request", {"action": "closed", "pull_request": pull, "repository": _named(repo)})
        for issue in repo.issues:
            yield delivery("issues", {"action": "edited", "issue": issue, "repository": _named(repo)})


def _named(repo: Repo) -> dict[str, Any]:
    return {"full_name": repo.name, "topics": list(repo.topics), "owner": {"login": "mona-lisa"}}
