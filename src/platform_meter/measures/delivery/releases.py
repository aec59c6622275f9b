"""Releases: what counts as one deployment to production, what kind it is, and which changes came with it (domain section 6)."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from platform_meter.measures.delivery.book import Deployed, Merged, Record
from platform_meter.measures.delivery.counts import Environments, service_of
from platform_meter.measures.delivery.release import Release
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts.delivery import DeployKind, DeployResult
from platform_meter.model.measure import WINDOWS, best_ways

TOGETHER = timedelta(hours=24)
"""Within it one version that reaches several production environments is one deployment."""
PRODUCTION = ("production", "prod", "live", "production-*", "prod-*", "*-production", "*-prod")
"""Names of production where no Environment file says which are."""


PREFIX = 7
"""Digits of a commit that name it."""


class Changes:
    """Merged changes as they are found: by commit, by name, and in the order in which a branch took them."""

    def __init__(self, merged: Sequence[Record[Merged]]) -> None:
        self.by_sha: dict[str, Record[Merged]] = {}
        self._by_name: dict[str, Record[Merged]] = {}
        self._branches: defaultdict[tuple[str, int, str], list[Record[Merged]]] = defaultdict(list)
        self._by_prefix: defaultdict[str, list[Record[Merged]]] = defaultdict(list)
        for record in merged:
            change = record.part
            if change.sha:
                self.by_sha.setdefault(change.sha, record)
                self._by_prefix[change.sha[:PREFIX]].append(record)
            if change.name:
                self._by_name.setdefault(change.name, record)
            self._branches[record.source, record.object, change.branch].append(record)

    def named(self, words: Iterable[str]) -> list[Record[Merged]]:
        """Those that these names or commits mean; a commit may be told by its first seven digits or more."""
        found = (self._by_name.get(word) or self.by_commit(word) for word in words)
        return [record for record in found if record is not None]

    def by_commit(self, word: str) -> Record[Merged] | None:
        """The one whose commit begins so."""
        if len(word) < PREFIX:
            return None
        begins = [record for record in self._by_prefix.get(word[:PREFIX], ()) if record.part.sha.startswith(word)]
        return begins[0] if len(begins) == 1 else None

    def until(self, sha: str, since: datetime) -> list[Record[Merged]]:
        """What its branch took after a moment, up to the change with this commit; nothing where nobody merged that."""
        last = self.by_sha.get(sha)
        if last is None:
            return []
        branch = self._branches[last.source, last.object, last.part.branch]
        return branch[bisect_right(branch, since, key=_merged) : bisect_right(branch, last.part.at, key=_merged)]


def _merged(record: Record[Merged]) -> datetime:
    return record.part.at


class Production:
    """Which names of environments are production."""

    def __init__(self, definitions: Definitions) -> None:
        self._label = Environments(definitions.environments).label
        self._declared = {e.id for e in definitions.environments if e.production}
        self._by_name = not definitions.environments
        self._known: dict[str, bool] = {}

    def __contains__(self, name: str) -> bool:
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = self._is(name)
        return found

    def _is(self, name: str) -> bool:
        if self._by_name:
            return any(fnmatchcase(name.lower(), pattern) for pattern in PRODUCTION)
        return self._label(name) in self._declared


def counted(
    deployments: Iterable[Record[Deployed]], definitions: Definitions, now: datetime
) -> Iterator[tuple[Hashable, Record[Deployed]]]:
    """Deployments to production with what they are of: of each service and environment those that the way told which is the
    best of those that told of it of late.
    """
    production, ways = Production(definitions), definitions.delivery.ways
    label = Environments(definitions.environments).label
    told = []
    for record in deployments:
        if record.part.environment in production:
            of = service_of(record.owner, record.object)
            told.append(((of, label(record.part.environment)), ways.index(record.part.way), record))
    best = best_ways((thing, place) for thing, place, record in told if record.part.at >= now - WINDOWS[-1])
    return ((thing[0], record) for thing, place, record in told if best.get(thing, place) == place)


def releases(
    deployments: Sequence[Record[Deployed]], merged: Changes, definitions: Definitions, now: datetime
) -> dict[Hashable, list[Release]]:
    """Of each service what was released, in order of time, each with its changes."""
    by_service: defaultdict[Hashable, list[Record[Deployed]]] = defaultdict(list)
    for service, record in counted(deployments, definitions, now):
        if record.part.result is DeployResult.SUCCESS:
            by_service[service].append(record)
    together = definitions.delivery.regions == "together"
    found = {}
    carried: list[tuple[Release, list[Record[Merged]]]] = []
    for service, records in by_service.items():
        maker = _Maker(service, merged, together=together)
        for record in records:
            maker.add(record)
        found[service] = maker.releases
        carried += maker.carried
    _deliver(carried)
    return found


def _deliver(carried: list[tuple[Release, list[Record[Merged]]]]) -> None:
    """Give each change to the first release that carried it."""
    delivered: set[tuple[str, str]] = set()
    for release, changes in sorted(carried, key=lambda one: one[0].first.order):
        for record in changes:
            at = (record.source, record.part.key)
            if at not in delivered:
                delivered.add(at)
                release.changes.append(record)


class _Line:
    """What served in one environment."""

    def __init__(self) -> None:
        self.served: list[tuple[Record[Deployed], Release]] = []
        self.first: dict[str, int] = {}
        """By version, the place where it served first."""
        self.known: datetime | None = None
        """Up to when the branch had merged what served."""


class _Maker:
    """Makes the releases of one service of its deployments, which are added in order of time."""

    def __init__(self, service: Hashable, merged: Changes, *, together: bool) -> None:
        self._service, self._merged, self._together = service, merged, together
        self._lines: defaultdict[tuple[str, int, str, str], _Line] = defaultdict(_Line)
        self._open: dict[tuple[str, str], Release] = {}
        """By task and version, the release that another environment may still join."""
        self.releases: list[Release] = []
        self.carried: list[tuple[Release, list[Record[Merged]]]] = []

    def add(self, record: Record[Deployed]) -> None:
        deployed = record.part
        line = self._lines[record.source, record.object, deployed.task, deployed.environment]
        last = line.served[-1] if line.served else None
        back = self._goes_back(line, deployed)
        release = self._joined(record)
        if release is None:
            kind = DeployKind.ROLLBACK if back else deployed.kind
            before = last[1] if last else None
            release = Release(service=self._service, parts=[record], kind=kind, before=before)
            self.releases.append(release)
            self._open[deployed.task, deployed.what] = release
        if back:
            undone = self._undone(line, deployed)
            release.undone += [one for one in undone if one not in release.undone and one is not release]
        elif last is not None:
            self.carried.append((release, self._changes(line, record)))
        known = self._merged.by_sha.get(deployed.sha)
        if known is not None:
            line.known = known.part.at if line.known is None else max(line.known, known.part.at)
        line.first.setdefault(deployed.what, len(line.served))
        line.served.append((record, release))

    @staticmethod
    def _goes_back(line: _Line, deployed: Deployed) -> bool:
        """Whether it brings back what served before the one that serves now did, or says so itself."""
        if not line.served:
            return False
        serving = line.served[-1][0].part.what
        place = line.first.get(deployed.what)
        return deployed.kind is DeployKind.ROLLBACK or (place is not None and place < line.first[serving])

    def _joined(self, record: Record[Deployed]) -> Release | None:
        """The release of the same version that this one is another environment of."""
        release = self._open.get((record.part.task, record.part.what)) if self._together else None
        if release is None or record.part.at - release.at > TOGETHER:
            return None
        if any(part.part.environment == record.part.environment for part in release.parts):
            return None
        release.parts.append(record)
        return release

    @staticmethod
    def _undone(line: _Line, deployed: Deployed) -> list[Release]:
        """What served since the version that is brought back did; of one that nobody saw, the last."""
        found = []
        for record, release in reversed(line.served):
            if record.part.what == deployed.what:
                break
            found.append(release)
        else:
            found = found[:1]
        return found

    def _changes(self, line: _Line, record: Record[Deployed]) -> list[Record[Merged]]:
        deployed = record.part
        if deployed.after:
            return [self._merged.by_sha[sha] for sha in deployed.changes if sha in self._merged.by_sha]
        if line.known is not None:
            return self._merged.until(deployed.sha, line.known)
        own = self._merged.by_sha.get(deployed.sha)
        return [] if own is None else [own]
