"""What an object says, and what is to be written for it given what stands: values in, values out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import yaml

from platform_meter.model.links import NOWHERE, Links
from platform_meter.model.source import Asking
from platform_meter.operator.kinds import CONFIG_MAP, LABEL, MADE, MANAGER, PYRRA, SLOTH, Kind
from platform_meter.problems import render
from platform_meter.render.rules import groups
from platform_meter.render.rules.objects import MANAGED_BY, object_name, prometheus_rule
from platform_meter.slo.check import read_slos
from platform_meter.slo.plan import SCRAPE, Plan, plan

Object = Mapping[str, Any]
"""An object as the API gives it."""
_OTHERS = ("app.kubernetes.io/instance", "argocd.argoproj.io/", LABEL, MANAGED_BY)
"""Labels that say whose the object itself is: on its PrometheusRule they would say it of that."""
_KEPT = "; the PrometheusRule written before stays as it is"
_LONGEST_NAME = 200
_LONGEST_MESSAGE = 64_000
"""Letters of an event. Objects may have 1.5 MiB, and what lists events holds them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What rules depend on beside the objects."""

    scrape: timedelta = SCRAPE
    links: Links = NOWHERE
    known: frozenset[str] = frozenset()
    """Names of our own catalogue."""
    asking: Mapping[str, Asking[Any]] = field(default_factory=dict)
    """Types of source that count what files ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An object that is read."""

    kind: Kind
    value: Object

    @property
    def meta(self) -> Mapping[str, Any]:
        """Its metadata."""
        found: Mapping[str, Any] = self.value["metadata"]
        return found

    @property
    def name(self) -> str:
        """Its name in its namespace."""
        return str(self.meta["name"])

    @property
    def namespace(self) -> str:
        """Where it is."""
        return str(self.meta["namespace"])

    @property
    def uid(self) -> str:
        """What tells it from one of the same name before or after."""
        return str(self.meta["uid"])

    @property
    def called(self) -> str:
        """As messages name it."""
        return f"{self.kind.name} {self.namespace}/{self.name}"

    @property
    def rule_name(self) -> str:
        """Of its PrometheusRule."""
        return object_name(f"{self.name}.{self.kind.word}")

    @property
    def stamp(self) -> tuple[str, str]:
        """Another one once what it says may be another thing; its status does not change that."""
        spelled = self.kind is CONFIG_MAP or "generation" not in self.meta
        return self.uid, json.dumps([self.meta.get("resourceVersion" if spelled else "generation"), self._own()])

    def files(self) -> Iterator[tuple[str, str]]:
        """Its SLO files: how problems call them, and the text of each."""
        if self.kind is CONFIG_MAP:
            for key, text in sorted((self.value.get("data") or {}).items()):
                yield f"{self.called}/{key}", text
        else:
            said = {"apiVersion": self.kind.api_version, "kind": self.kind.name}
            rest = {"metadata": self._own(), "spec": self.value.get("spec")}
            yield self.called, yaml.safe_dump({**said, **rest}, sort_keys=False, allow_unicode=True, width=4096)

    def _own(self) -> dict[str, Any]:
        """What people write into metadata and SLOs are read from."""
        annotations = {k: v for k, v in (self.meta.get("annotations") or {}).items() if "kubectl" not in k}
        found = {"name": self.name, "namespace": self.namespace}
        more = {"labels": self.meta.get("labels"), "annotations": annotations}
        return {**found, **{key: value for key, value in more.items() if value}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What an object says: plans, or what is wrong with it, each problem as `check` prints it."""

    plans: tuple[Plan, ...] = ()
    problems: tuple[str, ...] = ()


def said(seen: Seen, settings: Settings) -> Said:
    """Read an object by itself. Never raises on what people wrote."""
    found = read_slos(seen.files(), settings.known, scrape=settings.scrape, asking=settings.asking)
    problems = tuple(render(problem) for problem in found.problems)
    if problems:
        return Said(problems=problems)
    if not found.specs:
        text = "no SLO stands in it; write an OpenSLO, Sloth or Pyrra document into its data"
        return Said(problems=(f"{seen.called}: {text}",))
    plans = (plan(spec, scrape=settings.scrape) for spec in found.specs)
    return Said(plans=tuple(replace(one, links=settings.links) for one in plans))


def apart(
    those: Iterable[tuple[Seen, Said]], standing: Mapping[tuple[str, str], Object] = MappingProxyType({})
) -> list[tuple[Seen, Said]]:
    """The same, where no two give rules to an SLO of one name: one of them keeps it, in the others it is a problem.

    It is kept by the object whose rules stand, be they those of before its problems, and else by the oldest.

    Args:
        those: objects and what each says by itself.
        standing: PrometheusRules, by namespace and name.
    """
    ordered = sorted(those, key=lambda one: _age(one[0]))
    holders: dict[str, Seen] = {}
    for seen, what in ordered:
        kept = _slos_of(standing.get((seen.namespace, seen.rule_name)))
        for slo in kept if what.problems else kept & {one.slo for one in what.plans}:
            holders.setdefault(slo, seen)
    found = []
    for seen, what in ordered:
        names = [one.slo for one in what.plans]
        twice = [slo for slo in names if holders.get(slo, seen) is not seen]
        if twice:
            found.append((seen, Said(problems=tuple(_twice(seen, slo, holders[slo]) for slo in twice))))
        else:
            holders.update(dict.fromkeys(names, seen))
            found.append((seen, what))
    return found


def _slos_of(rule: Object | None) -> set[str]:
    """Names of the SLOs that a PrometheusRule records."""
    groups_ = (rule or {}).get("spec", {}).get("groups") or ()
    return {one["labels"]["slo"] for group in groups_ for one in group["rules"] if "slo" in (one.get("labels") or {})}


def _age(seen: Seen) -> tuple[str, str, str]:
    return str(seen.meta.get("creationTimestamp", "")), seen.called, seen.uid


def _twice(seen: Seen, slo: str, holder: Seen) -> str:
    return f"{seen.called}: slo '{slo}' stands in {holder.called} too; give one another name"


def rule_of(seen: Seen, what: Said) -> dict[str, Any]:
    """The PrometheusRule of an object without problems, as it is to be applied."""
    labels = {k: v for k, v in (seen.meta.get("labels") or {}).items() if not k.startswith(_OTHERS)}
    made = prometheus_rule(
        (group for one in what.plans for group in groups(one)),
        name=seen.rule_name,
        namespace=seen.namespace,
        labels={**labels, MADE: seen.kind.word},
    )
    owner = {"apiVersion": seen.kind.api_version, "kind": seen.kind.name, "name": seen.name, "uid": seen.uid}
    made["metadata"]["ownerReferences"] = [{**owner, "controller": True}]
    return made


def is_ours(rule: Object) -> bool:
    """Whether we wrote a PrometheusRule, also where somebody took our label from it."""
    meta = rule["metadata"]
    managers = {one.get("manager") for one in meta.get("managedFields") or () if one.get("operation") == "Apply"}
    return MADE in (meta.get("labels") or {}) or MANAGER in managers


def stands(wanted: Object, standing: Object | None) -> bool:
    """Whether what stands is what is wanted, so that nothing need be written."""
    if standing is None:
        return False
    has, meta = standing["metadata"], wanted["metadata"]
    owners = [{k: v for k, v in owner.items() if k != "blockOwnerDeletion"} for owner in has.get("ownerReferences", [])]
    pairs = (
        (standing.get("spec"), wanted["spec"]),
        (has.get("labels"), meta["labels"]),
        (owners, meta["ownerReferences"]),
    )
    return all(found == asked for found, asked in pairs)


def left_over(standing: Iterable[Object], objects: Iterable[Seen], listed: Iterable[Kind]) -> list[Object]:
    """PrometheusRules of ours whose object is gone, or is no longer one to read; only of kinds that could be listed."""
    words, alive = {kind.word for kind in listed}, {(seen.namespace, seen.rule_name) for seen in objects}
    return [
        one
        for one in standing
        if one["metadata"].get("labels", {}).get(MADE) in words
        and (one["metadata"]["namespace"], one["metadata"]["name"]) not in alive
    ]


def status_of(seen: Seen, what: Said, now: datetime, *, wrote: bool) -> dict[str, Any] | None:
    """The status that the object is to have; None where it has that already, or has none that tells of this.

    A status holds the fields that its kind defines: Sloth's tells how many SLOs have rules, Pyrra's what writes them.
    """
    has = seen.value.get("status") or {}
    if seen.kind is PYRRA:
        found: dict[str, Any] = {} if what.problems else {"type": "PrometheusRule"}
    elif seen.kind is SLOTH:
        found = {
            "observedGeneration": seen.meta.get("generation", 0),
            "processedSLOs": len(seen.value["spec"].get("slos") or ()),
            "promOpRulesGenerated": not what.problems,
            "promOpRulesGeneratedSLOs": len(what.plans),
        }
        if not what.problems and (wrote or "lastPromOpRulesSuccessfulGenerated" not in has):
            found["lastPromOpRulesSuccessfulGenerated"] = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    else:
        return None
    return None if all(has.get(key) == value for key, value in found.items()) else found


def warning(seen: Seen, what: Said, now: datetime, *, kept: bool) -> dict[str, Any]:
    """The Event that says all problems, and whether an older PrometheusRule stays."""
    count = len(what.problems)
    first = f"{count} problem{'s' if count > 1 else ''}{_KEPT if kept else ''}"
    return event(seen, "Problems", "\n".join((first, *what.problems)), now, bad=True)


def written(seen: Seen, what: Said, rule: Object, now: datetime) -> dict[str, Any]:
    """The Event that says what was written."""
    count = sum(len(group["rules"]) for group in rule["spec"]["groups"])
    slos = f"{len(what.plans)} SLO{'s' if len(what.plans) > 1 else ''}"
    return event(seen, "Written", f"PrometheusRule {seen.rule_name} with {count} rules of {slos}", now, bad=False)


def event(seen: Seen, reason: str, message: str, now: datetime, *, bad: bool) -> dict[str, Any]:
    """An Event about an object. The same one said again has the same name, so that it stands once."""
    meta = seen.meta
    digits = hashlib.sha256(json.dumps([*seen.stamp, reason, message]).encode()).hexdigest()[:16]
    at = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    if len(message) > _LONGEST_MESSAGE:
        message = (
            f"{message[:_LONGEST_MESSAGE]}…\nand more; mend these first, or run `platform-meter check` on the file"
        )
    about = {
        "apiVersion": seen.kind.api_version,
        "kind": seen.kind.name,
        "name": seen.name,
        "namespace": seen.namespace,
        "uid": seen.uid,
        "resourceVersion": meta.get("resourceVersion", ""),
    }
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{seen.name[:_LONGEST_NAME]}.{digits}", "namespace": seen.namespace},
        "involvedObject": about,
        "type": "Warning" if bad else "Normal",
        "reason": reason,
        "message": message,
        "source": {"component": "platform-meter"},
        "firstTimestamp": at,
        "lastTimestamp": at,
        "count": 1,
    }
