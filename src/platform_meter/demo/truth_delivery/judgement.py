"""Releases with what they brought, and why they failed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from platform_meter.demo.company.layout import RUNTIME
from platform_meter.demo.company.pipelines import DELIVERED_TO
from platform_meter.demo.company.records import Pull
from platform_meter.demo.company.tickets import RESOLVED
from platform_meter.demo.truth import Truth
from platform_meter.demo.truth_delivery.happened import Merged, Outage, Reach, Release, Rollout
from platform_meter.demo.world import World
from platform_meter.model.facts.ci import Outcome
from platform_meter.model.facts.delivery import DeployKind, DeployResult

TOGETHER, NEAR = timedelta(hours=24), timedelta(hours=24)


class Judgement:
    """All releases, incidents and failures of a world, as far as `reach` goes."""

    def __init__(self, world: World, reach: Reach) -> None:
        self._world, self._history, self._reach = world, world.history, reach
        self._history.extend(reach.until)
        self.rollouts = sorted(self._rollouts(), key=lambda r: (r.at, r.id))
        self.changes = sorted(self._changes(), key=lambda c: c.at)
        self.releases = self._released()
        self._deliver()
        self.outages = sorted(self._outages(), key=lambda o: o.start)
        self._fail()
        for outage in self.outages:
            outage.release, outage.link = self._linked(outage)
            if outage.release is not None:
                outage.release.causes.append((outage.link, outage, None))

    # what happened

    def _rollouts(self) -> Iterator[Rollout]:
        since, until = self._reach.since, self._reach.until
        for d in list(self._history.deployment.values()):
            done = d.result is DeployResult.SUCCESS and d.created >= since and d.ended <= until
            if done and d.environment.startswith("production-"):
                yield Rollout(
                    thing=d.repo.name,
                    team=d.repo.team,
                    place=d.environment,
                    version=d.sha,
                    began=d.created,
                    at=d.ended,
                    kind=d.kind,
                    id=d.id,
                )
        for builds in list(self._history.builds.values()):
            for build in builds:
                stage = build.delivery
                if stage is None or build.outcome is not Outcome.SUCCESS or not since <= stage.ended <= until:
                    continue
                yield Rollout(
                    thing=build.pipeline.name,
                    team=build.pipeline.team.id,
                    place=DELIVERED_TO,
                    version=build.sha,
                    began=stage.started,
                    at=stage.ended,
                    kind=DeployKind.PLANNED,
                )
        for sync in Truth(self._world).syncs(self._reach.looks, settled=True):
            yield Rollout(
                thing=f"{sync.app.cluster}/{sync.app.name}",
                team=RUNTIME,
                place=sync.app.cluster,
                version=sync.revision,
                began=sync.started,
                at=sync.healthy,
                kind=DeployKind.PLANNED,
            )

    def _changes(self) -> Iterator[Merged]:
        for main in list(self._history.main.values()):
            for place, (at, pull) in enumerate(main):
                if self._reach.since <= at <= self._reach.until:
                    yield self._merged(place, at, pull)
        for builds in list(self._history.builds.values()):
            for build in builds:
                merge = build.merge
                if merge is None or not self._reach.since <= merge.merged <= self._reach.until:
                    continue
                known = merge.merged >= self._reach.details
                yield Merged(
                    thing=build.pipeline.name,
                    place=build.number,
                    version=build.sha,
                    name=f"{build.pipeline.name}!{merge.iid}",
                    at=merge.merged,
                    opened=merge.opened,
                    first_commit=merge.first_commit if known else None,
                    reviewed=merge.reviewed if known else None,
                )

    def _merged(self, place: int, at: datetime, pull: Pull) -> Merged:
        known, named = at >= self._reach.details, pull.body.rpartition(" ")[2]
        reverts = pull.title.startswith('Revert "')
        return Merged(
            thing=pull.repo.name,
            place=place,
            version=pull.merge_sha,
            name=pull.name,
            at=at,
            opened=pull.opened,
            first_commit=min(pull.commits) if known else None,
            reviewed=pull.reviewed if known else None,
            bot=pull.bot,
            reverts=named if reverts else "",
            hotfix="hotfix" in pull.labels,
            mends="" if reverts else named,
        )

    def _outages(self) -> Iterator[Outage]:
        """Merged ones are no incidents of their own; a ticket that names one is the same incident."""
        now = self._reach.until
        for one in self._history.incidents:
            if one.into and one.ended_at(now) is not None:
                continue
            if not self._reach.since <= one.begun <= now:
                continue
            ends = [end for end in [one.ended_at(now)] if end is not None]
            told = [ticket for ticket in self._history.tickets if one.address in ticket.summary]
            steps = [step for ticket in told for step in ticket.steps_at(now)]
            ends += [step.at for step in steps if RESOLVED in [to for _, _, to in step.changes]]
            yield Outage(incident=one, start=one.begun, end=max(ends, default=None))

    # what is released, with which changes

    def line(self, rollout: Rollout) -> list[Rollout]:
        """All that served in its place, in order."""
        return [r for r in self.rollouts if r.thing == rollout.thing and r.place == rollout.place]

    def _released(self) -> list[Release]:
        found: list[Release] = []
        for rollout in self.rollouts:
            same = [r for r in found if r.thing == rollout.thing and r.parts[0].version == rollout.version]
            last = same[-1] if same else None
            joins = last and rollout.at - last.at <= TOGETHER and rollout.place not in [p.place for p in last.parts]
            if last and joins:
                last.parts.append(rollout)
            else:
                found.append(Release(parts=[rollout]))
        return found

    def release_of(self, rollout: Rollout) -> Release:
        return next(release for release in self.releases if rollout in release.parts)

    def before(self, rollout: Rollout) -> Rollout | None:
        """What served there before it."""
        line = self.line(rollout)
        place = line.index(rollout)
        return line[place - 1] if place else None

    def _place(self, rollout: Rollout) -> int | None:
        """Of its version on the main branch."""
        return next((c.place for c in self.changes if c.version == rollout.version), None)

    def _brought(self, rollout: Rollout) -> list[Merged]:
        before, here = self.before(rollout), self._place(rollout)
        if before is None or here is None:
            return []
        line = self.line(rollout)
        served = [self._place(r) for r in line[: line.index(rollout)]]
        known = [place for place in served if place is not None]
        mine = [c for c in self.changes if c.thing == rollout.thing]
        if rollout.began < self._reach.details:
            # Nobody compared the two: what served is known by its changes alone.
            return [c for c in mine if (max(known) if known else here - 1) < c.place <= here]
        start = self._place(before)
        return [c for c in mine if (-1 if start is None else start) < c.place <= here]

    def _deliver(self) -> None:
        """Each change to the first release that brought it."""
        brought = [(rollout, self._brought(rollout)) for rollout in self.rollouts]
        for change in self.changes:
            first = next((rollout for rollout, changes in brought if change in changes), None)
            if first is not None:
                self.release_of(first).changes.append(change)

    def carrier(self, change: Merged) -> Release | None:
        return next((release for release in self.releases if change in release.changes), None)

    # what failed

    def _fail(self) -> None:
        """By rollbacks, reverts and hotfixes."""
        for rollout in self.rollouts:
            if rollout.kind is DeployKind.ROLLBACK:
                for undone in self._undone(rollout):
                    undone.causes.append(("rollback", None, self.release_of(rollout)))
        for change in self.changes:
            if change.hotfix or change.reverts:
                remedy = self.carrier(change)
                named = [c for c in self.changes if c.name in {change.reverts, change.mends}]
                failed = [release for c in named if (release := self.carrier(c)) is not None]
                if not failed and change.hotfix and remedy is not None:
                    failed = self._replaced(remedy)
                self._mended(failed, remedy)
        for release in self.releases:
            if release.parts[0].kind is DeployKind.HOTFIX and not release.remedy:
                self._mended(self._replaced(release), release)

    @staticmethod
    def _mended(failed: Iterable[Release], remedy: Release | None) -> None:
        for release in failed:
            if release is not remedy:
                release.causes.append(("revert", None, remedy))
                if remedy is not None:
                    remedy.remedy = True

    def _replaced(self, release: Release) -> list[Release]:
        before = self.before(release.parts[0])
        return [self.release_of(before)] if before else []

    def _undone(self, rollout: Rollout) -> list[Release]:
        line = self.line(rollout)
        past = line[: line.index(rollout)]
        served = [n for n, r in enumerate(past) if r.version == rollout.version]
        return [self.release_of(r) for r in (past[served[-1] + 1 :] if served else past[-1:])]

    def _linked(self, outage: Outage) -> tuple[Release | None, str]:
        mine = [r for r in self.releases if r.thing == outage.incident.repo.name]
        cause = self._history.deployment.get(outage.incident.cause)
        named = []
        if cause is not None and outage.incident.named == "address":
            named = [r for r in mine if cause.id in [part.id for part in r.parts]]
        elif cause is not None and outage.incident.named == "sha":
            named = [r for r in mine if cause.sha in [*(p.version for p in r.parts), *(c.version for c in r.changes)]]
        if begun := [release for release in named if release.began <= outage.start]:
            return begun[-1], "named"
        for rule in ("rollback", "revert"):
            for release in reversed(mine):
                remedies = [remedy for by, _, remedy in release.causes if by == rule and remedy is not None]
                open_ = [r for r in remedies if outage.start <= r.at and (outage.end is None or outage.end >= r.began)]
                if release.began <= outage.start and open_:
                    return release, rule
        near = [release for release in mine if outage.start - NEAR <= release.at <= outage.start]
        return (near[-1], "near") if near else (None, "none")
