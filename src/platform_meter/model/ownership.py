"""Whose an object is: the six ordered rules of domain section 3, over time, with a receipt for each answer.

1 Ownership files, 2 portal annotations, 3 labels, 4 links, 5 CODEOWNERS, 6 nobody. The first hit wins; a later one
that names another team is a conflict. A hit that names only a service takes the team that owns it at that time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Ref
from platform_meter.model.facts.portal import CatalogEntity
from platform_meter.model.history import Owner
from platform_meter.model.metric import UNOWNED
from platform_meter.model.portal import KUBERNETES_ID, Portal

MAJORITY = 0.8
"""Share of a namespace's workloads that must belong to one team (rule 4)."""
SERVICE_LABELS = ("app.kubernetes.io/part-of", "app.kubernetes.io/name", KUBERNETES_ID)
"""Labels whose value is a service, if it is the name of a known one (rule 3)."""
RESPONDENTS = "respondents"
"""Kind of object that is called like the team that it is of, if that is a known one (rule 3): those who answer a survey."""
NOBODY = Owner(service=UNOWNED, team=UNOWNED, rule="6 none")


@dataclass(frozen=True, slots=True)
class Claim:
    """What one rule says. No service or no team means that it does not say; `known` asks for the service to be known."""

    rule: str
    service: str = ""
    team: str = ""
    since: datetime | None = None
    known: bool = False


@dataclass(frozen=True, slots=True)
class _Glob:
    """The part of a match text behind its scope, and what stands before its first `*`."""

    pattern: re.Pattern[str]
    literal: str
    deep: bool
    """Whether a `**` is in it: of equal prefixes, the one without says more."""
    claim: Claim


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """All that is known about owners, indexed so that each object costs a few look-ups. Build it by `build`."""

    exact: Mapping[str, Sequence[Claim]]
    globs: Mapping[str, Mapping[str, Sequence[_Glob]]]
    """By scope (system or instance), then by literal prefix."""
    lengths: Mapping[str, Sequence[int]]
    """By scope: lengths of its literal prefixes, longest first."""
    portal: Portal
    teams_of: Mapping[str, Sequence[tuple[datetime | None, str]]]
    """By service: its team from each moment on, newest first."""
    team_ids: Mapping[str, str]
    """Known teams by lower-case id."""
    team_label: str = ""
    codeowners: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def build(
        cls,
        definitions: Definitions,
        *,
        team_label: str | None = None,
        catalog: Sequence[CatalogEntity] = (),
        codeowners: Mapping[str, str] | None = None,
    ) -> Directory:
        """A directory of what people and portals say now.

        Args:
            definitions: Ownership rules, services and teams.
            team_label: the label on objects that names the team; by default what an Ownership file says.
            catalog: the portal's entries.
            codeowners: team slug (`@acme/team-pay`) by object name (`github:acme/payments`).
        """
        exact: dict[str, list[Claim]] = {}
        globs: dict[str, dict[str, list[_Glob]]] = {}
        for rule in (r for o in definitions.ownership for r in o.rules):
            claim = Claim(f"1 Ownership {rule.match}", rule.service or "", rule.team or "", rule.since)
            scope, _, wanted = rule.match.partition(":")
            if "*" in wanted:
                literal = wanted.partition("*")[0]
                globs.setdefault(scope, {}).setdefault(literal, []).append(
                    _Glob(_regex(wanted), literal, "**" in wanted, claim)
                )
            else:
                exact.setdefault(rule.match, []).append(claim)
        teams_of: dict[str, list[tuple[datetime | None, str]]] = {}
        # Components before all else: a claim of one names a service too.
        entities = sorted(catalog, key=lambda e: (not e.service, e.service, e.team, e.about.name))
        for service in definitions.services:
            teams_of.setdefault(service.id, []).append((service.since, service.team))
        for entity in entities:
            if entity.service and entity.team:
                teams_of.setdefault(entity.service, []).append((None, entity.team))
        teams = [
            *(t.id for t in definitions.teams),
            *(s.team for s in definitions.services),
            *(e.team for e in entities),
        ]
        labels = [o.team_label for o in definitions.ownership if o.team_label]
        return cls(
            exact=exact,
            globs=globs,
            lengths={scope: sorted({len(p) for p in found}, reverse=True) for scope, found in globs.items()},
            portal=Portal.build(entities),
            teams_of={s: sorted(t, key=_newest_first) for s, t in teams_of.items()},
            team_ids={t.lower(): t for t in reversed(teams) if t},
            team_label=team_label or next(iter(labels), ""),
            codeowners=dict(codeowners or {}),
        )

    def intervals(
        self, ref: Ref, source_instance: str, linked: Mapping[str, Owner]
    ) -> tuple[tuple[datetime | None, Owner], ...]:
        """The object's owners with the moment from which each holds, in order; the first holds ever since (None).

        Args:
            ref: the object.
            source_instance: the configured source that told of it; Ownership rules may name it instead of the system.
            linked: owners of objects that `ref.links` names (rule 4).
        """
        explicit = tuple(self._explicit(ref, source_instance))
        others = tuple(self._others(ref, source_instance, linked))
        starts = {c.since for c in (*explicit, *others)}
        for claim in (*explicit, *others):
            if claim.service and not claim.team:
                starts.update(since for since, _ in self.teams_of.get(claim.service, ()))
        found: list[tuple[datetime | None, Owner]] = [(None, self._owner(explicit, others, None))]
        for start in sorted(s for s in starts if s is not None):
            owner = self._owner(explicit, others, start)
            if owner != found[-1][1]:
                found.append((start, owner))
        return tuple(found)

    @staticmethod
    def majority(owners: Sequence[Owner]) -> Owner | None:
        """The owner of a namespace by its workloads' owners: the team of at least 80 % of them (rule 4), else None.

        The service is named only where as many workloads agree on it too.
        """
        team = _most([o.team for o in owners])
        if not team:
            return None
        n = sum(o.team == team for o in owners)
        service = _most([o.service for o in owners]) or UNOWNED
        return Owner(service=service, team=team, rule=f"4 majority {n} of {len(owners)} workloads")

    def _owner(self, explicit: Sequence[Claim], others: Sequence[Claim], at: datetime | None) -> Owner:
        """Whose it is at a moment; None is before all that has a beginning."""
        holding = next((c for c in explicit if _holds(c.since, at)), None)
        winner: Owner | None = None
        for claim in (holding, *others):
            if claim is None or not _holds(claim.since, at):
                continue
            if claim.known and self._team_of(claim.service, at) is None:
                continue
            team = claim.team or self._team_of(claim.service, at) or UNOWNED
            if winner is None:
                winner = Owner(service=claim.service or UNOWNED, team=team, rule=claim.rule)
            elif UNOWNED not in (team, winner.team) and team != winner.team:
                return Owner(
                    service=winner.service, team=winner.team, rule=winner.rule, conflict=f"{claim.rule} -> {team}"
                )
        return winner or NOBODY

    def _team_of(self, service: str, at: datetime | None) -> str | None:
        return next((team for since, team in self.teams_of.get(service, ()) if _holds(since, at)), None)

    def _explicit(self, ref: Ref, instance: str) -> Iterator[Claim]:
        """Rule 1: the exact name, then globs by their literal prefix, longest first; of equals the newest that holds."""
        scopes = dict.fromkeys((instance, ref.system))
        for scope in scopes:
            yield from sorted(self.exact.get(f"{scope}:{ref.id}", ()), key=lambda c: _newest_first((c.since, "")))
        found = [g for scope in scopes for g in self._matching(scope, ref.id)]
        found.sort(key=lambda g: (-len(g.literal), g.deep, _newest_first((g.claim.since, "")), g.claim.rule))
        yield from (g.claim for g in found)

    def _matching(self, scope: str, id_: str) -> Iterator[_Glob]:
        prefixes = self.globs.get(scope, {})
        for length in self.lengths.get(scope, ()):
            for glob in prefixes.get(id_[:length], ()) if length <= len(id_) else ():
                if glob.pattern.fullmatch(id_):
                    yield glob

    def _others(self, ref: Ref, instance: str, linked: Mapping[str, Owner]) -> Iterator[Claim]:
        """Rules 2 to 5, in order."""
        for annotation, entity in self.portal.find(ref, instance):
            yield Claim(
                f"2 catalog {entity.service or entity.about.id} {annotation}".rstrip(), entity.service, entity.team
            )
        labels = dict(ref.labels)
        for name in SERVICE_LABELS:
            if labels.get(name):
                yield Claim(f"3 label {name}={labels[name]}", service=labels[name], known=True)
        if self.team_label and labels.get(self.team_label):
            team = labels[self.team_label]
            yield Claim(f"3 label {self.team_label}={team}", team=self.team_ids.get(team.lower(), team))
        if ref.kind == RESPONDENTS and (known := self.team_ids.get(ref.id.lower())):
            yield Claim(f"3 team {known}", team=known)
        for name in ref.links:
            owner = linked.get(name)
            if owner is not None and (owner.team, owner.service) != (UNOWNED, UNOWNED):
                yield Claim(f"4 link {name}", _said(owner.service), _said(owner.team))
            elif owner is None:
                yield from self._said_of(name, ref.system, instance)
        if team := self._team_of_slug(self.codeowners.get(ref.name, "")):
            yield Claim(f"5 codeowners {self.codeowners[ref.name]}", team=team)

    def _said_of(self, name: str, system: str, instance: str) -> Iterator[Claim]:
        """What Ownership rules say of a name that no source tells as an object of its own, such as a group of people."""
        scope, _, id_ = name.partition(":")
        for claim in self._explicit(Ref(system=scope, kind="", id=id_), instance if scope == system else scope):
            yield Claim(f"4 link {name}", claim.service, claim.team, claim.since)

    def _team_of_slug(self, slug: str) -> str:
        """The team behind `@acme/team-pay` or `team-pay`. A login or an address is a person, and owns nothing here."""
        organisation, _, name = slug.removeprefix("@").rpartition("/")
        if "@" in name or (slug.startswith("@") and not organisation):
            return ""
        return self.team_ids.get(name.lower(), name)


def _said(name: str) -> str:
    return "" if name == UNOWNED else name


def _holds(since: datetime | None, at: datetime | None) -> bool:
    return since is None or (at is not None and since <= at)


def _newest_first(dated: tuple[datetime | None, str]) -> float:
    since, _ = dated
    return float("inf") if since is None else -since.timestamp()


def _most(names: Sequence[str]) -> str:
    """The name that at least 80 % are; empty where there is none or it is nobody."""
    return next((n for n in sorted(set(names) - {UNOWNED}) if names.count(n) >= MAJORITY * len(names)), "")


def _regex(glob: str) -> re.Pattern[str]:
    """`*` is anything within a path segment, `**` across segments; all else is itself."""
    parts = re.split(r"(\*+)", glob)
    return re.compile("".join("[^/]*" if p == "*" else ".*" if p.startswith("**") else re.escape(p) for p in parts))
