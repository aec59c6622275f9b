"""Checkpoints that earlier versions of the source wrote: each goes on, and nothing is lost on the way."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from tests.sources.github.github_server import Github, Repo, deployment, run
from tests.sources.github.test_github import MINUTE, NEW, NOW, OLD, Told, minutes
from tests.sources.github.test_poll import pull

from platform_meter.model.facts.delivery import DeployKind, Deployment

STAMPED = b"""{"first": "2026-05-20T10:00:00Z", "globs": ["*"], "repos": {"acme/api": {
  "created": "2023-12-02T12:00:00Z", "visited": "2026-05-20T11:50:00Z", "owner": {},
  "runs": {"read": "2026-05-20T11:30:00Z", "done": {"3": "2026-05-20T11:35:00Z 1"},
    "began": "2026-05-20T11:50:00Z", "start": "2026-05-20T11:15:00Z", "at": "2026-05-20T11:40:00Z",
    "open": {"5": {"created": "2026-05-20T11:10:00Z", "workflow": ".github/workflows/ci.yml", "state": "in_progress"}}},
  "deployments": {"read": "2026-05-20T11:50:00Z", "etag": "v1", "done": {"74": "2026-05-20T11:45:00Z"},
    "open": [{"id": 74, "sha": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "environment": "production",
      "created": "2026-05-20T11:45:00Z", "kind": "planned", "etag": "v2"}],
    "served": {"production": [
      {"id": 70, "sha": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "environment": "", "created": "2026-05-20T10:30:00Z"},
      {"id": 71, "sha": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "environment": "", "created": "2026-05-20T10:40:00Z"}]}},
  "pulls": {"began": "2026-05-20T11:50:00Z", "start": "2026-05-10T12:00:00Z", "at": "2026-05-20T11:20:00Z"},
  "issues": {}, "backlog": {}}}, "tickets": {}}"""
"""Of half a poll: runs and pull requests were being read, open rollouts were a list."""


def test_a_poll_that_an_earlier_version_broke_off_is_ended() -> None:
    """Runs and pull requests go on at the time they had come to, what was open ends, what served before is known."""
    repo = Repo(
        name="acme/api",
        created=NOW - timedelta(days=900),
        runs=[run(n, minutes(10 * n), minutes=5) for n in range(1, 5)] + [run(5, minutes(50), minutes=48)],
        deployments=[
            deployment(74, NEW, minutes(15), ("success", 14)),
            deployment(75, OLD, minutes(5), ("success", 1)),
        ],
        pulls=[pull(1, 30), pull(2, 45), pull(3, 90)],
    )
    told = Told(Github([repo]), codeowners=False, jobs="failed")
    told.checkpoint = STAMPED
    told.poll(NOW)
    assert {key for kind, key in told.facts if kind in {"PipelineRun", "Deployment", "Change"}} == {
        *("run/2/1", "run/4/1", "run/5/1"),  # the third was told
        *("deployment/74", "deployment/75"),
        *("pull/2", "pull/3"),
    }
    back = told.facts["Deployment", "deployment/75"]
    assert isinstance(back, Deployment)
    assert back.kind is DeployKind.ROLLBACK
    told.poll(NOW + MINUTE)
    assert ("PipelineRun", "run/1/1") in told.facts  # it began when that poll did: the next one has it


def test_rollouts_are_kept_by_id_from_then_on() -> None:
    """The list is gone from the checkpoint, and what stood in it is there."""
    repo = Repo(name="acme/api", created=NOW - timedelta(days=900), deployments=[deployment(74, NEW, minutes(15))])
    told = Told(Github([repo]), codeowners=False)
    told.checkpoint = STAMPED
    told.poll(NOW)
    assert told.checkpoint is not None
    deployments = msgspec.json.decode(told.checkpoint)["repos"]["acme/api"]["deployments"]
    assert "open" not in deployments
    assert deployments["waiting"]["74"]["created"] == "2026-05-20T11:45:00Z"
