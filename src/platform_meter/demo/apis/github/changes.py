"""GitHub's JSON of issues, pull requests, their timelines, commits and releases."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zlib import crc32

from msgspec import Raw

from platform_meter.demo.apis.github.bodies import WEB, Bodies, closed_at, node_id, signature
from platform_meter.demo.apis.wsgi import encode, stamp
from platform_meter.demo.company.layout import ORG, Repo
from platform_meter.demo.company.records import Issue, Pull, sha_of


def labels(b: Bodies, thing: Pull | Issue) -> list[dict[str, Any]]:
    return [
        {
            "id": crc32(name.encode()),
            "node_id": node_id("LA", crc32(name.encode())),
            "url": b.at(thing.repo, "labels", name),
            "name": name,
            "description": "",
            "color": "ededed",
            "default": False,
        }
        for name in thing.labels
    ]


def issue(b: Bodies, thing: Pull | Issue, now: datetime) -> dict[str, Any]:
    """As the issues API shows both: a pull request is an issue with `pull_request`."""
    me = b.at(thing.repo, "issues", thing.number)
    closed = closed_at(thing, now)
    pull = isinstance(thing, Pull)
    body = {
        "url": me,
        "repository_url": b.at(thing.repo),
        "labels_url": f"{me}/labels{{/name}}",
        "comments_url": f"{me}/comments",
        "events_url": f"{me}/events",
        "timeline_url": f"{me}/timeline",
        "html_url": f"{WEB}/{thing.repo.full_name}/{'pull' if pull else 'issues'}/{thing.number}",
        "id": thing.id,
        "node_id": node_id("PR" if pull else "I", thing.id),
        "number": thing.number,
        "title": thing.title,
        "user": b.user(thing.author),
        "labels": labels(b, thing),
        "state": "closed" if closed else "open",
        "state_reason": "completed" if closed and not pull else None,
        "locked": False,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "comments": _comments(thing, now),
        "created_at": stamp(thing.opened),
        "updated_at": stamp(thing.updated_at(now)),
        "closed_at": stamp(closed) if closed else None,
        "author_association": "MEMBER",
        "body": thing.body if isinstance(thing, Pull) else "",
    }
    if isinstance(thing, Pull):
        merged = stamp(thing.merged) if thing.merged and thing.merged <= now else None
        url = b.at(thing.repo, "pulls", thing.number)
        html = body["html_url"]
        body["pull_request"] = {
            "url": url,
            "html_url": html,
            "diff_url": f"{html}.diff",
            "patch_url": f"{html}.patch",
            "merged_at": merged,
        }
    return body


def _comments(thing: Pull | Issue, now: datetime) -> int:
    if isinstance(thing, Pull):
        return 0
    return sum(event == "commented" and at <= now for at, event, _ in thing.events)


def pull(b: Bodies, pull: Pull, now: datetime) -> dict[str, Any]:
    me, html = b.at(pull.repo, "pulls", pull.number), f"{WEB}/{pull.repo.full_name}/pull/{pull.number}"
    issue = b.at(pull.repo, "issues", pull.number)
    closed = closed_at(pull, now)
    merged = closed if pull.merged else None
    repo = Raw(encode(b.repo(pull.repo, now, full=True)))
    urls = {
        "self": me,
        "html": html,
        "issue": issue,
        "comments": f"{issue}/comments",
        "review_comments": f"{me}/comments",
        "review_comment": f"{me}/comments{{/number}}",
        "commits": f"{me}/commits",
        "statuses": b.at(pull.repo, "statuses", pull.head),
    }
    owner = b.user(ORG)

    def side(ref: str, sha: str) -> dict[str, Any]:
        return {"label": f"{ORG}:{ref}", "ref": ref, "sha": sha, "user": owner, "repo": repo}

    return {
        "url": me,
        "id": pull.id,
        "node_id": node_id("PR", pull.id),
        "html_url": html,
        "diff_url": f"{html}.diff",
        "patch_url": f"{html}.patch",
        "issue_url": issue,
        "number": pull.number,
        "state": "closed" if closed else "open",
        "locked": False,
        "title": pull.title,
        "user": b.user(pull.author),
        "body": pull.body or None,
        "created_at": stamp(pull.opened),
        "updated_at": stamp(pull.updated_at(now)),
        "closed_at": stamp(closed) if closed else None,
        "merged_at": stamp(merged) if merged else None,
        "merge_commit_sha": pull.merge_sha,
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "labels": labels(b, pull),
        "milestone": None,
        "draft": False,
        "commits_url": urls["commits"],
        "review_comments_url": urls["review_comments"],
        "review_comment_url": urls["review_comment"],
        "comments_url": urls["comments"],
        "statuses_url": urls["statuses"],
        "head": side(pull.branch, pull.head),
        "base": side("main", sha_of("base", pull.repo.name)),
        "_links": {name: {"href": url} for name, url in urls.items()},
        "author_association": "MEMBER",
        "auto_merge": None,
        "active_lock_reason": None,
    }


def commit(b: Bodies, repo: Repo, sha: str, *, at: datetime, author: str, message: str, parent: str) -> dict[str, Any]:
    signed = {**signature(author), "date": stamp(at)}
    url, tree = b.at(repo, "commits", sha), sha_of("tree", sha)
    verification = {"verified": False, "reason": "unsigned", "payload": None, "signature": None, "verified_at": None}
    up = {
        "sha": parent,
        "url": b.at(repo, "commits", parent),
        "html_url": f"{WEB}/{repo.full_name}/commit/{parent}",
    }
    return {
        "url": url,
        "sha": sha,
        "node_id": f"C_{sha}",
        "html_url": f"{WEB}/{repo.full_name}/commit/{sha}",
        "comments_url": f"{url}/comments",
        "commit": {
            "url": b.at(repo, "git/commits", sha),
            "author": signed,
            "committer": signed,
            "message": message,
            "tree": {"sha": tree, "url": b.at(repo, "git/trees", tree)},
            "comment_count": 0,
            "verification": verification,
        },
        "author": b.user(author),
        "committer": b.user(author),
        "parents": [up] if parent else [],
    }


def pull_commits(b: Bodies, pull: Pull) -> list[dict[str, Any]]:
    """The commits of a pull request, oldest first."""
    base = sha_of("base", pull.repo.name)
    shas = [pull.commit(index) for index in range(len(pull.commits))]
    return [
        commit(b, pull.repo, sha, at=at, author=pull.author, message=pull.title, parent=parent)
        for sha, at, parent in zip(shas, pull.commits, [base, *shas], strict=False)
    ]


def _event(b: Bodies, thing: Pull | Issue, index: int, event: str, *, at: datetime, actor: str) -> dict[str, Any]:
    number = thing.id * 100 + index
    return {
        "id": number,
        "node_id": node_id("EV", number),
        "url": b.at(thing.repo, "issues/events", number),
        "actor": b.user(actor),
        "event": event,
        "commit_id": thing.merge_sha if isinstance(thing, Pull) and event == "merged" else None,
        "commit_url": None,
        "created_at": stamp(at),
        "performed_via_github_app": None,
    }


def events(b: Bodies, thing: Pull | Issue, now: datetime) -> list[dict[str, Any]]:
    """What the events API shows: labels and changes of state, oldest first."""
    found = [
        _event(b, thing, 90 + i, "labeled", at=thing.opened, actor=thing.author) for i, _ in enumerate(thing.labels)
    ]
    for body, label in zip(found, thing.labels, strict=True):
        body["label"] = {"name": label, "color": "ededed"}
    if isinstance(thing, Pull):
        closed = closed_at(thing, now)
        if closed and thing.merged:
            found.append(_event(b, thing, 1, "merged", at=closed, actor=thing.reviewer))
        if closed:
            found.append(_event(b, thing, 2, "closed", at=closed, actor=thing.reviewer))
        return found
    for index, (at, event, actor) in enumerate(thing.events):
        if event in {"closed", "reopened"} and at <= now:
            found.append({**_event(b, thing, index, event, at=at, actor=actor), "state_reason": None})
    return found


def timeline(b: Bodies, thing: Pull | Issue, now: datetime) -> list[dict[str, Any]]:
    """Everything that happened, oldest first: commits, reviews, comments, labels, changes of state."""
    found = [(body["created_at"], body) for body in events(b, thing, now)]
    if isinstance(thing, Pull):
        for body in pull_commits(b, thing):
            inner = body["commit"]
            flat = {key: body[key] for key in ("sha", "node_id", "html_url", "parents")}
            flat |= {key: inner[key] for key in ("url", "author", "committer", "tree", "message", "verification")}
            found.append((inner["committer"]["date"], {"event": "committed", **flat}))
        if thing.reviewed and thing.reviewed <= now:
            found.append((stamp(thing.reviewed), _review(b, thing, thing.reviewed)))
    else:
        for index, (at, event, actor) in enumerate(thing.events):
            if event == "commented" and at <= now:
                found.append((stamp(at), _comment(b, thing, index, at, actor)))
    return [body for _, body in sorted(found, key=lambda item: item[0])]


def reviews(b: Bodies, pull: Pull, now: datetime) -> list[dict[str, Any]]:
    """As the list of a pull request's reviews shows them, oldest first."""
    if pull.reviewed is None or pull.reviewed > now:
        return []
    told = _review(b, pull, pull.reviewed)
    return [{**{name: told[name] for name in told if name != "event"}, "body": "", "state": told["state"].upper()}]


def _review(b: Bodies, pull: Pull, at: datetime) -> dict[str, Any]:
    number = pull.id * 100 + 50
    html, url = f"{WEB}/{pull.repo.full_name}/pull/{pull.number}", b.at(pull.repo, "pulls", pull.number)
    return {
        "event": "reviewed",
        "id": number,
        "node_id": node_id("PRR", number),
        "user": b.user(pull.reviewer),
        "body": None,
        "state": "approved" if pull.merged else "commented",
        "commit_id": pull.head,
        "submitted_at": stamp(at),
        "author_association": "MEMBER",
        "html_url": f"{html}#pullrequestreview-{number}",
        "pull_request_url": url,
        "_links": {"html": {"href": html}, "pull_request": {"href": url}},
    }


def _comment(b: Bodies, issue: Issue, index: int, at: datetime, actor: str) -> dict[str, Any]:
    number = issue.id * 100 + index
    return {
        "event": "commented",
        "id": number,
        "node_id": node_id("IC", number),
        "url": b.at(issue.repo, "issues/comments", number),
        "html_url": f"{WEB}/{issue.repo.full_name}/issues/{issue.number}#issuecomment-{number}",
        "issue_url": b.at(issue.repo, "issues", issue.number),
        "user": b.user(actor),
        "actor": b.user(actor),
        "created_at": stamp(at),
        "updated_at": stamp(at),
        "author_association": "MEMBER",
        "body": "Seen, thank you.",
        "performed_via_github_app": None,
    }


def release(b: Bodies, repo: Repo, number: int, *, sha: str, at: datetime, author: str) -> dict[str, Any]:
    tag, id_ = f"v1.{number}.0", repo.id * 1000 + number
    me = b.at(repo, "releases", id_)
    return {
        "url": me,
        "assets_url": f"{me}/assets",
        "upload_url": f"{me}/assets{{?name,label}}",
        "html_url": f"{WEB}/{repo.full_name}/releases/tag/{tag}",
        "id": id_,
        "author": b.user(author),
        "node_id": node_id("RE", id_),
        "tag_name": tag,
        "target_commitish": sha,
        "name": tag,
        "draft": False,
        "prerelease": False,
        "created_at": stamp(at),
        "published_at": stamp(at),
        "assets": [],
        "tarball_url": b.at(repo, "tarball", tag),
        "zipball_url": b.at(repo, "zipball", tag),
        "body": None,
    }
