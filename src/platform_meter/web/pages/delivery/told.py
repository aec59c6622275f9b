"""Deployments, changes and incidents as a page tells them: what, when, where to read more, and what went wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from platform_meter.measures.delivery.book import Broken, Merged, Record
from platform_meter.measures.delivery.release import Failure, Outage, Release
from platform_meter.model.facts.incidents import Link
from platform_meter.model.history import Owner
from platform_meter.model.metric import UNOWNED
from platform_meter.web.view import View, brief, safe, span

_WHY = {
    Link.NAMED: "an incident names it",
    Link.ROLLBACK: "it was rolled back while an incident was open",
    Link.REVERT: "it was reverted or mended while an incident was open",
    Link.NEAR: "an incident of its service followed",
}
"""By what links an incident to it."""
_UNDONE = {Link.ROLLBACK: "it was rolled back", Link.REVERT: "it was reverted or mended"}
"""Without any incident."""


def service(owner: Owner, name: str) -> str:
    """Whose it is; of what has no service the object itself."""
    return name if owner.service == UNOWNED else owner.service


def deployment(view: View, release: Release, names: Mapping[int, str]) -> Mapping[str, Any]:
    """One row of the table of deployments."""
    part = release.first.part
    return {
        "at": release.at.astimezone(view.zone),
        "service": service(release.owner, names.get(release.first.object, "")),
        "version": brief(part.version or part.sha),
        "url": safe(part.url),
        "sha": part.sha,
        "kind": release.kind,
        "environments": ", ".join(dict.fromkeys(record.part.environment for record in release.parts)),
        "changes": len(release.changes),
        "failed": bool(release.failures),
    }


def failed(view: View, release: Release, names: Mapping[int, str]) -> Mapping[str, Any]:
    """One row of the table of failed deployments: why, what ended it, and how long that took."""
    start, end = release.failed_from, release.recovered
    lasted = None if start is None else ((end or view.now) - start).total_seconds()
    return {
        **deployment(view, release, names),
        "why": [_reason(failure) for failure in release.failures],
        "ended": list(dict.fromkeys(_endings(release))),
        "open": end is None,
        "lasted": span(lasted),
    }


def _reason(failure: Failure) -> Mapping[str, str]:
    """The rule that says so, and the record behind it."""
    if failure.outage is not None:
        first = failure.outage.first.part
        return {
            "rule": failure.link,
            "why": _WHY[failure.link],
            "name": first.name or "incident",
            "url": safe(first.url),
        }
    change = failure.change.part if failure.change else None
    name = "" if change is None else change.name or brief(change.sha)
    return {"rule": failure.link, "why": _UNDONE[failure.link], "name": name, "url": safe(change.url) if change else ""}


def _endings(release: Release) -> Iterator[tuple[str, str, str]]:
    """What ended it: words, name, address."""
    for failure in release.failures:
        if failure.outage is not None and failure.outage.end is not None:
            first = failure.outage.first.part
            yield "resolved", first.name, safe(first.url)
        if failure.remedy is not None:
            part = failure.remedy.first.part
            yield str(failure.remedy.kind), brief(part.version or part.sha), safe(part.url)


def incident(view: View, outage: Outage, names: Mapping[int, str]) -> Mapping[str, Any]:
    """One row of the table of incidents."""
    first: Broken = outage.first.part
    return {
        "at": outage.start.astimezone(view.zone),
        "service": service(outage.owner, names.get(outage.first.object, "")),
        "name": first.name or first.key,
        "url": safe(first.url),
        "severity": outage.severity,
        "records": len(outage.records),
        "open": outage.end is None,
        "lasted": span(((outage.end or view.now) - outage.start).total_seconds()),
    }


def change(view: View, record: Record[Merged], release: Release, stages: Mapping[str, float]) -> Mapping[str, Any]:
    """One row of the table of changes."""
    part = record.part
    return {
        "at": release.at.astimezone(view.zone),
        "name": part.name or brief(part.sha),
        "url": safe(part.url),
        "sha": part.sha,
        "labels": [label for label in ("revert", "hotfix") if label in part.labels],
        "stages": stages,
        "failed": bool(release.failures),
    }
