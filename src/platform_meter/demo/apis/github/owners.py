"""Whose a repository of the simulated company is by its own word: its CODEOWNERS file, and the teams that may use it."""

from __future__ import annotations

import base64
from typing import Any
from zlib import crc32

from platform_meter.demo.apis.github.bodies import WEB, Bodies, node_id
from platform_meter.demo.apis.github.front import GithubFront, refuse
from platform_meter.demo.apis.wsgi import Reply, Request
from platform_meter.demo.company.layout import CI, ORG, Repo
from platform_meter.demo.company.records import sha_of
from platform_meter.model.metric import UNOWNED

ROLES = ("pull", "triage", "push", "maintain", "admin")
"""Each may do what those before it may."""


class GithubOwners(GithubFront):
    """Serves the few files that there are, and teams."""

    def top(self, request: Request, owner: str, repo: str) -> Reply:
        """What stands at the top of a repository."""
        found = self._find(owner, repo)
        names = {".github": True, "docs": True, "README.md": False}
        if found.codeowners and "/" not in found.codeowners:
            names[found.codeowners] = False
        bodies = [_entry(self._bodies, found, name, folder=folder) for name, folder in sorted(names.items())]
        return self._whole(request, bodies)

    def file(self, request: Request, owner: str, repo: str, path: str) -> Reply:
        found = self._find(owner, repo)
        if path != found.codeowners:
            raise refuse(404, "Not Found")
        text = codeowners(found)
        content = base64.encodebytes(text.encode()).decode()
        return self._whole(
            request, {**_entry(self._bodies, found, path, text=text), "encoding": "base64", "content": content}
        )

    def teams(self, request: Request, owner: str, repo: str) -> Reply:
        """Who may do what: the platform reads everything, the team writes or maintains."""
        found = self._find(owner, repo)
        roles = [(CI, "pull")]
        if found.team not in {UNOWNED, CI}:
            roles.append((found.team, "maintain" if found.maintained else "push"))
        return self._page(request, roles, lambda item: _team(self._bodies, *item))


def codeowners(repo: Repo) -> str:
    """The text of the file. The last rule for the whole repository names its team, and that is what counts."""
    return f"""# Who is asked to review what
*         @{ORG}/{CI}
*         @{ORG}/{repo.team}  # whose it is
/.github/ @{ORG}/{CI}
"""


def _entry(b: Bodies, repo: Repo, path: str, *, folder: bool = False, text: str = "") -> dict[str, Any]:
    """A file or folder as a list of contents shows it."""
    url, html = f"{b.at(repo, 'contents', path)}?ref=main", f"{WEB}/{repo.full_name}/blob/main/{path}"
    sha = sha_of("contents", path, text)
    git = b.at(repo, "git", "trees" if folder else "blobs", sha)
    return {
        "type": "dir" if folder else "file",
        "size": len(text.encode()),
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": sha,
        "url": url,
        "git_url": git,
        "html_url": html,
        "download_url": None if folder else f"{WEB}/raw/{repo.full_name}/main/{path}",
        "_links": {"self": url, "git": git, "html": html},
    }


def _team(b: Bodies, slug: str, role: str) -> dict[str, Any]:
    number = crc32(slug.encode())
    me = f"{b.base}/organizations/1/team/{number}"
    return {
        "id": number,
        "node_id": node_id("T", number),
        "url": me,
        "html_url": f"{WEB}/orgs/{ORG}/teams/{slug}",
        "name": slug,
        "slug": slug,
        "description": None,
        "privacy": "closed",
        "notification_setting": "notifications_enabled",
        "permission": role,
        "permissions": {name: ROLES.index(name) <= ROLES.index(role) for name in ROLES},
        "members_url": f"{me}/members{{/member}}",
        "repositories_url": f"{me}/repos",
        "parent": None,
    }
