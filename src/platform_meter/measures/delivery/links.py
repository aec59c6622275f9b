"""Links: which release failed, by ordered rules, and what was brought against it (domain section 6).

Each outage is linked to one release at most. Rollbacks, reverts and hotfixes tell of a failure without any outage.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta

from platform_meter.measures.delivery.book import Merged, Record
from platform_meter.measures.delivery.release import Failure, Outage, Release
from platform_meter.measures.delivery.releases import PREFIX, Changes
from platform_meter.model.facts.delivery import DeployKind
from platform_meter.model.facts.incidents import Link

HOTFIX, REVERT = "hotfix", "revert"
"""Labels by which a change says what it is."""


def link_failures(
    found: Mapping[Hashable, Sequence[Release]],
    outages: Iterable[Outage],
    merged: Changes,
    changes: Iterable[Record[Merged]],
    max_age: timedelta,
) -> None:
    """Give releases their failures, and outages what they are linked to.

    Args:
        found: releases by service, in order of time.
        outages: in order of their start.
        merged: the changes, to find them in.
        changes: the same, in order.
        max_age: how long before an outage a release may have ended that it is near.
    """
    _rollbacks(found)
    _mended(found, merged, changes)
    named = _Named(found)
    for outage in outages:
        mine = found.get(outage.service, ())
        release, by = _linked(outage, mine, named, max_age)
        outage.link, outage.release = by, release
        if release is not None:
            release.failures.append(Failure(link=by, outage=outage))


def _linked(outage: Outage, mine: Sequence[Release], named: _Named, max_age: timedelta) -> tuple[Release | None, Link]:
    release = named.by(outage)
    if release is not None:
        return release, Link.NAMED
    for kind in (Link.ROLLBACK, Link.REVERT):
        release = _open_at_remedy(outage, mine, kind)
        if release is not None:
            return release, kind
    near = [release for release in mine if outage.start - max_age <= release.at <= outage.start]
    return (near[-1], Link.NEAR) if near else (None, Link.NONE)


def _open_at_remedy(outage: Outage, mine: Sequence[Release], by: Link) -> Release | None:
    """The newest release that failed by this rule and was mended while the outage was open."""
    for release in reversed(mine):
        if release.began > outage.start:
            continue
        for failure in release.failures:
            remedy = failure.remedy
            if failure.link is not by or failure.outage is not None or remedy is None or remedy.at < outage.start:
                continue
            if outage.end is None or outage.end >= remedy.began:
                return release
    return None


def _rollbacks(found: Mapping[Hashable, Sequence[Release]]) -> None:
    for mine in found.values():
        for release in mine:
            for undone in release.undone:
                undone.failures.append(Failure(link=Link.ROLLBACK, remedy=release))


def _mended(found: Mapping[Hashable, Sequence[Release]], merged: Changes, changes: Iterable[Record[Merged]]) -> None:
    """Failures that a revert or a hotfix tells of."""
    carriers = {
        (record.source, record.part.key): release
        for mine in found.values()
        for release in mine
        for record in release.changes
    }
    for record in changes:
        change = record.part
        remedy = carriers.get((record.source, change.key))
        if REVERT in change.labels:
            failed = _carrying(carriers, merged.named(change.undoes))
        elif HOTFIX in change.labels:
            failed = _carrying(carriers, merged.named(change.mends))
            if not failed and remedy is not None and remedy.before is not None:
                failed = [remedy.before]
        else:
            continue
        for release in failed:
            if release is not remedy:
                _add(release, remedy, record)
    for mine in found.values():
        for release in mine:
            # It says of itself that it is one, and none of its changes does.
            if release.kind is DeployKind.HOTFIX and not release.remedy and release.before is not None:
                _add(release.before, release, None)


def _add(release: Release, remedy: Release | None, change: Record[Merged] | None) -> None:
    release.failures.append(Failure(link=Link.REVERT, remedy=remedy, change=change))
    if remedy is not None:
        remedy.remedy = True


def _carrying(carriers: Mapping[tuple[str, str], Release], changes: Iterable[Record[Merged]]) -> list[Release]:
    found = (carriers.get((record.source, record.part.key)) for record in changes)
    return [release for release in found if release is not None]


class _Named:
    """Releases by what may name them: key, address, version, commits."""

    def __init__(self, found: Mapping[Hashable, Sequence[Release]]) -> None:
        self._anywhere: defaultdict[str, list[Release]] = defaultdict(list)
        self._versions: defaultdict[tuple[Hashable, str], list[Release]] = defaultdict(list)
        self._commits: defaultdict[str, list[tuple[str, Release]]] = defaultdict(list)
        for service, mine in found.items():
            for release in mine:
                for record in release.parts:
                    deployed = record.part
                    for word in {deployed.key, deployed.url} - {""}:
                        self._anywhere[word].append(release)
                    if deployed.version:
                        self._versions[service, deployed.version].append(release)
                for sha in _commits(release):
                    self._commits[sha[:PREFIX]].append((sha, release))

    def by(self, outage: Outage) -> Release | None:
        """The newest that one of the outage's records names, of those that had begun when it did."""
        words = {word for record in outage.records for word in record.part.mentions}
        named = [release for word in words for release in self._meant(outage.service, word)]
        begun = [release for release in named if release.began <= outage.start]
        return max(begun, key=lambda release: release.first.order, default=None)

    def _meant(self, service: Hashable, word: str) -> Iterator[Release]:
        yield from self._anywhere.get(word, ())
        yield from self._versions.get((service, word), ())
        if len(word) >= PREFIX:
            yield from (release for sha, release in self._commits.get(word[:PREFIX], ()) if sha.startswith(word))


def _commits(release: Release) -> set[str]:
    """All that it brought: what it is a version of, what its source told, and the changes that came first with it."""
    told = {sha for record in release.parts for sha in (record.part.sha, *record.part.changes) if sha}
    return told | {record.part.sha for record in release.changes}
