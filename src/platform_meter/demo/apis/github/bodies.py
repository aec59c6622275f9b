"""GitHub's JSON, with every property its schema requires. What repeats (repositories, people) is encoded once."""

from __future__ import annotations

import base64
from datetime import datetime
from functools import cache
from typing import Any
from zlib import crc32

from msgspec import Raw

from platform_meter.demo.apis.wsgi import encode, stamp
from platform_meter.demo.company.history import History
from platform_meter.demo.company.layout import ORG, Repo
from platform_meter.demo.company.records import Issue, Pull

WEB = "https://github.acme.test"
WORKFLOWS = {"ci": 1, "release": 2}
_USER_URLS = "followers_url following_url gists_url starred_url subscriptions_url organizations_url repos_url events_url received_events_url"
_REPO_URLS = {
    **{
        name: name.removesuffix("_url")
        for name in [
            "forks_url",
            "teams_url",
            "hooks_url",
            "events_url",
            "tags_url",
            "languages_url",
            "stargazers_url",
            "subscribers_url",
            "subscription_url",
            "merges_url",
            "downloads_url",
            "deployments_url",
            "contributors_url",
        ]
    },
    "issue_events_url": "issues/events{/number}",
    "assignees_url": "assignees{/user}",
    "branches_url": "branches{/branch}",
    "blobs_url": "git/blobs{/sha}",
    "git_tags_url": "git/tags{/sha}",
    "git_refs_url": "git/refs{/sha}",
    "trees_url": "git/trees{/sha}",
    "statuses_url": "statuses/{sha}",
    "commits_url": "commits{/sha}",
    "git_commits_url": "git/commits{/sha}",
    "comments_url": "comments{/number}",
    "issue_comment_url": "issues/comments{/number}",
    "contents_url": "contents/{+path}",
    "compare_url": "compare/{base}...{head}",
    "archive_url": "{archive_format}{/ref}",
    "issues_url": "issues{/number}",
    "pulls_url": "pulls{/number}",
    "milestones_url": "milestones{/number}",
    "notifications_url": "notifications{?since,all,participating}",
    "labels_url": "labels{/name}",
    "releases_url": "releases{/id}",
    "keys_url": "keys{/key_id}",
    "collaborators_url": "collaborators{/collaborator}",
}


def node_id(kind: str, number: int) -> str:
    return f"{kind}_{base64.urlsafe_b64encode(number.to_bytes(8, 'big')).decode().rstrip('=')}"


def signature(login: str) -> dict[str, str]:
    return {"name": login, "email": f"{login.replace('[bot]', '-bot')}@acme.test"}


def closed_at(thing: Pull | Issue, now: datetime) -> datetime | None:
    if isinstance(thing, Issue):
        return thing.closed_at(now)
    return thing.closed if thing.closed and thing.closed <= now else None


class Bodies:
    """Bodies under one base address, `http://127.0.0.1:8080` for example."""

    def __init__(self, history: History, base: str) -> None:
        self.base = base
        self.history = history
        self.user = cache(self._user)
        self.small = cache(self._small)
        self._repo_fields = cache(self._repo_properties)

    def at(self, repo: Repo, *path: object) -> str:
        return "/".join((f"{self.base}/repos/{repo.full_name}", *map(str, path)))

    # people and repositories

    def _user(self, login: str) -> Raw:
        me = f"{self.base}/users/{login}"
        number = crc32(login.encode())
        urls = {name: f"{me}/{name.removesuffix('_url')}" for name in _USER_URLS.split()}
        kind = "Organization" if login == ORG else "Bot" if login.endswith("[bot]") else "User"
        body = {
            "login": login,
            "id": number,
            "node_id": node_id("U", number),
            "avatar_url": f"{WEB}/avatars/{number}",
            "gravatar_id": "",
            "url": me,
            "html_url": f"{WEB}/{login}",
            **urls,
            "type": kind,
            "site_admin": False,
        }
        return Raw(encode(body))

    def _repo_properties(self, repo: Repo) -> dict[str, Any]:
        return {
            "id": repo.id,
            "node_id": node_id("R", repo.id),
            "name": repo.name,
            "full_name": repo.full_name,
            "private": True,
            "owner": self.user(ORG),
            "html_url": f"{WEB}/{repo.full_name}",
            "description": None,
            "fork": False,
            "url": self.at(repo),
            **{name: self.at(repo, path) for name, path in _REPO_URLS.items()},
        }

    def _small(self, repo: Repo) -> Raw:
        return Raw(encode(self._repo_fields(repo)))

    def repo(self, repo: Repo, now: datetime, *, full: bool = False) -> dict[str, Any]:
        """As lists show it; `full` as it is shown alone and in pull requests."""
        pushed = self.history.pushed(repo, now)
        body = {
            **self._repo_fields(repo),
            "git_url": f"git://github.acme.test/{repo.full_name}.git",
            "ssh_url": f"git@github.acme.test:{repo.full_name}.git",
            "clone_url": f"{WEB}/{repo.full_name}.git",
            "svn_url": f"{WEB}/{repo.full_name}",
            "mirror_url": None,
            "homepage": None,
            "language": "Go" if repo.id % 2 else "Python",
            "forks_count": 0,
            "stargazers_count": repo.id % 7,
            "watchers_count": repo.id % 7,
            "size": 1000 + repo.id % 5000,
            "default_branch": "main",
            "open_issues_count": self._open(repo, now),
            "topics": sorted({repo.service.type, repo.service.tier} if repo.service else {"sandbox"}),
            "has_issues": True,
            "has_projects": False,
            "has_wiki": False,
            "has_pages": False,
            "has_downloads": False,
            "has_discussions": False,
            "archived": repo.archived,
            "disabled": False,
            "visibility": "private",
            "pushed_at": stamp(pushed),
            "created_at": stamp(repo.created),
            "updated_at": stamp(pushed),
            "permissions": {"admin": False, "push": False, "pull": True},
        }
        if full:
            counts = {"forks": 0, "open_issues": body["open_issues_count"], "watchers": body["watchers_count"]}
            body |= {**counts, "license": None, "network_count": 0, "subscribers_count": 1}
        return body

    def _open(self, repo: Repo, now: datetime) -> int:
        return sum(closed_at(thing, now) is None for thing in self.history.pulls[repo.name] if thing.opened <= now)

    def workflow(self, repo: Repo, name: str) -> dict[str, Any]:
        number = repo.id * 10 + WORKFLOWS[name]
        path = f".github/workflows/{name}.yml"
        return {
            "id": number,
            "node_id": node_id("W", number),
            "name": name,
            "path": path,
            "state": "active",
            "created_at": stamp(repo.created),
            "updated_at": stamp(repo.created),
            "url": self.at(repo, "actions/workflows", number),
            "html_url": f"{WEB}/{repo.full_name}/blob/main/{path}",
            "badge_url": f"{WEB}/{repo.full_name}/workflows/{name}/badge.svg",
        }
