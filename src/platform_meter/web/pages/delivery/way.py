"""The way of one change, found by its commit: written, reviewed, merged, built, deployed, and what broke."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from platform_meter.measures.delivery.judged import judged
from platform_meter.model.facts.ci import PipelineRun
from platform_meter.model.facts.delivery import Change, Deployment
from platform_meter.model.facts.gitops import GitopsSync
from platform_meter.model.facts.incidents import Incident
from platform_meter.web.pages.delivery import told
from platform_meter.web.view import View, brief, safe, span

_COMMIT = re.compile(r"[0-9a-f]{15,64}")
"""Fewer digits are found nowhere (`History.by_commit`)."""


class Step(NamedTuple):
    """One thing that happened to it."""

    at: datetime
    what: str
    more: str = ""
    url: str = ""
    level: str = ""


def way(view: View, commit: str) -> Mapping[str, Any] | None:
    """None for what is no commit, or one of which nothing is stored."""
    if _COMMIT.fullmatch(commit) is None:
        return None
    steps = sorted(_steps(view, commit), key=lambda step: (step.at, step.what))
    if not steps:
        return None
    names = {one.id: one.name for one in view.history.objects()}
    carrying = [
        release
        for release in judged(view.scene).releases
        if any(record.part.sha == commit for record in release.changes)
    ]
    return {
        "commit": commit,
        "steps": [
            {**step._asdict(), "at": step.at.astimezone(view.zone), "after": _after(steps, place)}
            for place, step in enumerate(steps)
        ],
        "teams": sorted({release.owner.team for release in carrying}),
        "failed": [told.failed(view, release, names) for release in carrying if release.failures],
    }


def _after(steps: list[Step], place: int) -> str:
    """How long after the step before."""
    return span((steps[place].at - steps[place - 1].at).total_seconds()) if place else ""


def _steps(view: View, commit: str) -> Iterator[Step]:
    history, one = view.history, [commit]
    for change in history.by_commit(Change, one):
        yield from _of_change(change.event)
    for run in history.by_commit(PipelineRun, one):
        url, level = safe(run.event.url), "" if run.event.outcome == "success" else "warn"
        yield Step(run.event.at, f"{run.event.pipeline} ran", run.event.outcome.replace("_", " "), url, level)
    for rolled in history.by_commit(Deployment, one):
        event = rolled.event
        with_ = "" if event.sha == commit else f" with {brief(event.version or event.sha)}"
        served = event.result == "success"
        what = f"{'deployed' if served else 'never served'} in {event.environment}{with_}"
        more = f"{event.kind}, told by {rolled.source} ({event.way.replace('_', ' ')})"
        yield Step(event.at, what, more, safe(event.url), "good" if served else "bad")
    for sync in history.by_commit(GitopsSync, one):
        yield Step(sync.event.at, f"synced {sync.event.about.id}", str(sync.event.result))
    for broken in history.by_commit(Incident, one):
        found = broken.event
        name, url = found.name or found.key, safe(found.url)
        yield Step(found.at, f"incident {name} names it", str(found.severity), url, "bad")
        if found.resolved is not None:
            yield Step(found.resolved, f"incident {name} resolved", "", url)


def _of_change(change: Change) -> Iterator[Step]:
    name, url = change.name or "change", safe(change.url)
    if change.first_commit is not None:
        yield Step(change.first_commit, "first commit")
    if change.opened is not None:
        yield Step(change.opened, f"{name} opened", "", url)
    if change.first_review is not None:
        yield Step(change.first_review, f"{name} first reviewed", "by somebody else", url)
    yield Step(change.at, f"{name} merged", f"into {change.branch}" if change.branch else "", url)
