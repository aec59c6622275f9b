"""What one document cannot know: whether the names it uses are those of others, of the configuration, of the catalogue.

Teams, services and personas may come from a portal or from objects, so that an unknown one is a problem only where
any of its kind is declared in files.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from platform_meter.measures import catalogue
from platform_meter.measures.adoption_units import matches
from platform_meter.measures.adoption_view import KINDS
from platform_meter.model.definitions import (
    Campaign,
    Capability,
    Definition,
    Intervention,
    Ownership,
    Persona,
    Promise,
    Service,
    Team,
    Ticketing,
    Unit,
)
from platform_meter.model.facts import Event, Fact, Usage
from platform_meter.problems import Problem, Read, suggest

At = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the rest of the installation offers."""

    instances: Mapping[str, str] | None = None
    """Type by name of every configured source; None where there is no configuration to hold definitions against."""
    gives: Mapping[str, Collection[type[Fact]]]
    """Facts by source type, of all types there are."""


def cross_check(read: Sequence[Read[Definition]], known: Known) -> list[Problem]:
    """Every name in these definitions that means nothing, with what it may have meant."""
    checker = _Checker(read, known)
    for one in read:
        checker.check(one)
    return sorted(checker.problems)


def advise(read: Sequence[Read[Definition]]) -> list[Problem]:
    """What is allowed in these definitions and does not do yet what one may expect."""
    return [
        one.document.problem(
            "no source tells its tool's own SLA clock yet; this one is computed from the ticket's history",
            "slas",
            place,
            "clock",
        )
        for one in read
        if isinstance(one.value, Ticketing)
        for place, sla in enumerate(one.value.slas)
        if sla.clock == "source"
    ]


class _Checker:
    def __init__(self, read: Sequence[Read[Definition]], known: Known) -> None:
        self.known = known
        self.values = [r.value for r in read]
        self.problems: list[Problem] = []
        self._one: Read[Definition] | None = None

    @cached_property
    def teams(self) -> dict[str, Team]:
        return {v.id: v for v in self.values if isinstance(v, Team)}

    @cached_property
    def services(self) -> dict[str, Service]:
        return {v.id: v for v in self.values if isinstance(v, Service)}

    @cached_property
    def personas(self) -> dict[str, Persona]:
        return {v.id: v for v in self.values if isinstance(v, Persona)}

    @cached_property
    def capabilities(self) -> dict[str, Capability]:
        return {v.id: v for v in self.values if isinstance(v, Capability)}

    @cached_property
    def queues(self) -> dict[str, Ticketing]:
        return {v.id: v for v in self.values if isinstance(v, Ticketing)}

    def check(self, one: Read[Definition]) -> None:
        self._one = one
        match one.value:
            case Capability() as capability:
                self._capability(capability)
            case Ticketing() as queue:
                self._queue(queue)
            case Ownership() as ownership:
                for i, rule in enumerate(ownership.rules):
                    self._name("service", rule.service, self.services, "rules", i, "service")
                    self._name("team", rule.team, self.teams, "rules", i, "team")
            case Service() as service:
                self._name("team", service.team, self.teams, "team")
            case Team() as team:
                self._name("persona", team.persona, self.personas, "persona")
            case Promise() as promise:
                self._promise(promise)
            case Campaign() as campaign:
                self._audience(campaign.audience)
                if campaign.capability is not None and campaign.capability not in self.capabilities:
                    self._unknown("capability", campaign.capability, self.capabilities, "capability")
            case Intervention() as intervention:
                self._intervention(intervention)
            case _:
                pass  # the other kinds name nothing outside themselves

    def _say(self, text: str, *at: str | int) -> None:
        assert self._one is not None  # noqa: S101 - `check` sets it before anything is said
        self.problems.append(self._one.document.problem(text, *at))

    def _unknown(self, what: str, name: str, known: Iterable[str], *at: str | int) -> None:
        ids = list(known)
        kind = "Ticketing" if what == "queue" else what.capitalize()
        hint = suggest(name, ids) or f"; write a document with kind: {kind}, id: {name}"
        self._say(f"no {what} is called '{name}'{hint}", *at)

    def _name(self, what: str, name: str | None, declared: Mapping[str, object], *at: str | int) -> None:
        """A name must be a declared one, if any is declared."""
        if name and declared and name not in declared:
            self._unknown(what, name, declared, *at)

    def _audience(self, personas: Sequence[str]) -> None:
        for i, persona in enumerate(personas):
            self._name("persona", persona, self.personas, "audience", i)

    # Capabilities

    def _capability(self, capability: Capability) -> None:
        self._name("team", capability.owner, self.teams, "owner")
        declared: Mapping[Unit, Mapping[str, object]] = {Unit.TEAM: self.teams, Unit.SERVICE: self.services}
        units = declared.get(capability.unit, {})
        for i, exempt in enumerate(capability.exempt):
            self._name(capability.unit, exempt.unit, units, "exempt", i, "unit")
        for i, alternative in enumerate(capability.eligible.any):
            at: At = ("eligible", "any", i)
            services = [{**s.model_dump(), "kind": s.kind_} for s in self.services.values()]
            teams = [t.model_dump() for t in self.teams.values()]
            for what, selector, things in (
                ("service", alternative.service, services),
                ("team", alternative.team, teams),
            ):
                if selector is not None and things:
                    self._selector(what, selector, things, (*at, what))
        if self._source(capability.adopted.source, "adopted", "source"):
            self._count(capability)
            self._verb(capability.adopted.source, capability.adopted.verb, "adopted", "verb")
        if self._source(capability.active.source, "active", "source"):
            for i, verb in enumerate(capability.active.verbs):
                place: At = ("active", "verb") if isinstance(capability.active.verb, str) else ("active", "verb", i)
                self._verb(capability.active.source, verb, *place)
        if capability.journey is not None and self._source(
            capability.journey.start.source, "journey", "start", "source"
        ):
            self._verb(capability.journey.start.source, capability.journey.start.verb, "journey", "start", "verb")
        for i, stage in enumerate(capability.stages):
            source, verb = str(stage.when["source"]), str(stage.when["verb"])
            if self._source(source, "stages", i, "when", "source"):
                self._verb(source, verb, "stages", i, "when", "verb")

    def _selector(self, what: str, selector: Definition, things: Sequence[Mapping[str, object]], at: At) -> None:
        """An alternative that selects nothing at all is misspelt: its first part that nothing matches is shown."""
        asked = {f: p for f in type(selector).model_fields if (p := getattr(selector, f))}
        if any(all(matches(p, str(t[f])) for f, p in asked.items()) for t in things):
            return
        for field, patterns in asked.items():
            values = sorted({str(t[field]) for t in things} - {""})
            if not any(matches(patterns, v) for v in values):
                have = f"{what}s have: {', '.join(values[:12])}" if values else f"no {what} says its {field}"
                near = next((s for p in patterns if "did you mean" in (s := suggest(p, values))), "")
                self._say(f"wrong selector: no {what} has {field} {_listed(patterns)}; {have}{near}", *at, field)
                return
        self._say(f"wrong selector: no {what} has all of {', '.join(asked)} as asked here; loosen one of them", *at)

    def _count(self, capability: Capability) -> None:
        """`adopted.count` must be a kind of standing object that the source tells of."""
        adopted = capability.adopted
        if adopted.count is None:
            return
        if capability.unit is Unit.PERSON:
            text = "objects belong to services and teams, so a person adopts by use; write verb: WORD instead of count"
            self._say(text, "adopted", "count")
            return
        given = {word for word, kind in KINDS.items() if kind in self.known.gives[adopted.source]}
        if adopted.count.lower() not in given:
            plural = {w for w in given if w.endswith("s")}
            hint = suggest(adopted.count, plural) or "; write verb: WORD, since it tells of no standing objects"
            self._say(f"source '{adopted.source}' tells of no '{adopted.count}'{hint}", "adopted", "count")

    def _source(self, type_: str, *at: str | int) -> bool:
        """Whether more can be asked of the source: its type exists. Says so where it does not or is not configured."""
        if type_ not in self.known.gives:
            if self.known.instances is not None:
                self._say(f"no source type is called '{type_}'{suggest(type_, self.known.gives)}", *at)
            return False
        if self.known.instances is not None and type_ not in self.known.instances.values():
            text = f"no source of type '{type_}' is configured; add NAME: {{type: {type_}, ...}} to sources in the configuration"
            self._say(text, *at)
        return True

    def _verb(self, type_: str, verb: str | None, *at: str | int) -> None:
        """Uses have names of their own; where a source tells of none, only its events' verbs are left."""
        given = self.known.gives[type_]
        if verb is None or Usage in given:
            return
        verbs = {fact.verb for fact in given if issubclass(fact, Event) and fact.verb}
        if verb not in verbs:
            hint = suggest(verb, verbs) or "; count its standing objects with count: WORD"
            self._say(f"source '{type_}' tells of no use '{verb}'{hint}", *at)

    # Queues and what a product manager declares

    def _queue(self, queue: Ticketing) -> None:
        source = queue.source
        instances = self.known.instances
        if not self._source(source.type, "source", "type") or instances is None or source.instance is None:
            return
        named = [name for name, type_ in instances.items() if type_ == source.type]
        if source.instance not in named:
            hint = suggest(source.instance, named) or "; remove instance"
            self._say(f"no source of type '{source.type}' is called '{source.instance}'{hint}", "source", "instance")

    def _promise(self, promise: Promise) -> None:
        self._audience(promise.audience)
        if promise.ticketing is None:
            return
        queue = self.queues.get(promise.ticketing.queue)
        if queue is None:
            self._unknown("queue", promise.ticketing.queue, self.queues, "ticketing", "queue")
        elif promise.ticketing.sla not in [s.id for s in queue.slas]:
            hint = suggest(promise.ticketing.sla, [s.id for s in queue.slas]) or "; add it to its slas"
            self._say(f"queue '{queue.id}' has no SLA '{promise.ticketing.sla}'{hint}", "ticketing", "sla")

    def _intervention(self, intervention: Intervention) -> None:
        metric = intervention.metric
        if metric.name is not None and metric.name not in catalogue.ALL:
            self._unknown("metric", metric.name, catalogue.ALL, "metric", "name")
        if metric.journey is None or metric.time_to is None:
            return
        capability = self.capabilities.get(metric.journey)
        if capability is None:
            self._unknown("capability", metric.journey, self.capabilities, "metric", "journey")
        elif metric.time_to not in [s.id for s in capability.stages]:
            stages = [s.id for s in capability.stages]
            hint = suggest(metric.time_to, stages) or "; add stages to the capability"
            self._say(f"the journey of '{metric.journey}' has no stage '{metric.time_to}'{hint}", "metric", "time_to")


def _listed(patterns: Sequence[str]) -> str:
    return " or ".join(f"'{p}'" for p in patterns)
