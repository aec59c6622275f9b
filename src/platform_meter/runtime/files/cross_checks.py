"""What one document cannot know: whether the names it uses are those of others, of the configuration, of the catalogue.

Teams, services and personas may come from a portal or from objects, so that an unknown one is a problem only where
any of its kind is declared in files. A document is held against the rest whatever else is wrong with it, and whatever
is wrong with the rest: of a document with problems only its kind and id are relied on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from platform_meter import measures
from platform_meter.measures.adoption.standing import KINDS, apart
from platform_meter.measures.adoption.units import matches
from platform_meter.measures.impact.yardstick import refusals
from platform_meter.measures.support.selects import queue_keys
from platform_meter.model.definitions import Adopted, Definition, Service, ServiceSelector, Stage, Team, TeamSelector
from platform_meter.model.facts import Fact
from platform_meter.model.facts.surveys import SurveyResponse
from platform_meter.model.facts.tickets import TicketEvent
from platform_meter.model.facts.use import Usage
from platform_meter.model.programme import SYSTEMS
from platform_meter.problems import EACH, Document, Problem, nearest, suggest
from platform_meter.runtime.files.definitions import Declared
from platform_meter.runtime.files.uses import bounded, verbs_of, words_of

At = tuple[str | int, ...]
_OPTIONAL: Mapping[str, Sequence[tuple[str, At]]] = {
    "Campaign": [("persona", ("audience", EACH))],
    "Capability": [("team", ("owner",))],
    "Ownership": [("service", ("rules", EACH, "service")), ("team", ("rules", EACH, "team"))],
    "Promise": [("persona", ("audience", EACH))],
    "Service": [("team", ("team",))],
    "Team": [("persona", ("persona",))],
}
"""Names that must be declared ones if any of their kind is declared: by kind of document, what they name and where."""
_USES: Sequence[At] = (("adopted",), ("active",), ("journey", "start"), ("stages", EACH, "when"))
"""Where a capability names a source and a use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """What definitions may ask of an SLO."""

    objective: Decimal
    stored: bool
    """Whether it is over stored events; Prometheus counts the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the rest of the installation offers."""

    instances: Mapping[str, str] | None = None
    """Type by name of every configured source; None where there is no configuration to hold definitions against."""
    gives: Mapping[str, Collection[type[Fact]]]
    """Facts by source type, of all types there are."""
    people: Collection[str] = ()
    """Source types that tell who used something."""
    systems: Collection[str] = ()
    """Systems whose objects configured sources tell of, beside their own type."""
    slos: Mapping[str, Slo] = field(default_factory=dict)
    """By name."""
    unread_slos: Collection[str] = ()
    """Names of SLO documents with problems; what their objectives are called is not known."""


def cross_check(declared: Sequence[Declared], known: Known) -> list[Problem]:
    """Every name in these definitions that means nothing, with what it may have meant."""
    names: dict[str, dict[str, Declared]] = {}
    for one in declared:
        if one.id:
            names.setdefault(one.kind, {})[one.id] = one
    return sorted(problem for one in declared for problem in _Checker(one, names, known).check())


def advise(declared: Sequence[Declared], slos: Mapping[str, Slo]) -> list[Problem]:
    """Each promise in these definitions that is allowed and that nobody judges."""
    told: dict[str, Problem] = {}
    for one in declared:
        for place, name in one.document.texts("slo"):
            if one.kind == "Promise" and name in slos and not slos[name].stored:
                text = f"Prometheus counts SLO '{name}' and nothing of it is stored, so this promise is not judged"
                told[f"promise {one.id}"] = one.document.problem(text, *place)
    return sorted(told.values())


class _Checker:
    """Holds one document against all: `names` are their documents by kind and id."""

    def __init__(self, one: Declared, names: Mapping[str, Mapping[str, Declared]], known: Known) -> None:
        self.document: Document = one.document
        self.kind, self.known, self.names = one.kind, known, names
        self.problems: list[Problem] = []

    def check(self) -> list[Problem]:
        for what, place in _OPTIONAL.get(self.kind, ()):
            for at, name in self.document.texts(*place):
                self._name(what, name, at)
        match self.kind:
            case "Capability":
                self._capability()
            case "Ticketing":
                self._queue()
            case "Ownership":
                for at, match in self.document.texts("rules", EACH, "match"):
                    self._scope(match.partition(":")[0], at)
            case "Promise":
                self._promise()
            case "Campaign":
                for at, name in self.document.texts("capability"):
                    self._one_of("capability", name, at)
            case "Intervention":
                self._intervention()
            case "RoadmapSource":
                self._roadmap()
            case "Survey":
                self._survey()
            case _:
                pass  # the other kinds name nothing more
        return self.problems

    def _say(self, text: str, at: At) -> None:
        self.problems.append(self.document.problem(text, *at))

    def _one_of(self, what: str, name: str, at: At) -> Declared | None:
        """The document of this name; says so where there is none."""
        kind = "Ticketing" if what == "queue" else what.capitalize()
        declared = self.names.get(kind, {})
        if name not in declared:
            hint = suggest(name, declared) or f"; write a document with kind: {kind}, id: {name}"
            self._say(f"no {what} is called '{name}'{hint}", at)
        return declared.get(name)

    def _name(self, what: str, name: str, at: At) -> None:
        """A name must be a declared one, if any is declared."""
        if name and what.capitalize() in self.names:
            self._one_of(what, name, at)

    # Capabilities

    def _capability(self) -> None:
        unit = self.document.word("unit")
        if unit in ("team", "service"):
            for at, name in self.document.texts("exempt", EACH, "unit"):
                self._name(unit, name, at)
        for at, _ in self.document.found("eligible", "any", EACH):
            self._selector("service", ServiceSelector, (*at, "service"))
            self._selector("team", TeamSelector, (*at, "team"))
        self._of_queue(("tickets",), "category", "category", "among", EACH)
        for place in _USES:
            for at, type_ in self.document.texts(*place, "source"):
                if self._source(type_, at):
                    for verb_at, verb in self.document.texts(*at[:-1], "verb", EACH):
                        self._verb(type_, verb, verb_at)
                    for count_at, count in self.document.texts(*at[:-1], "count"):
                        self._count(type_, count, unit, count_at)
                    self._select(type_, at[:-1])
                    self._every(type_, unit, (*at[:-1], "every"))
                    if unit == "person" and at[0] in ("adopted", "active") and type_ not in self.known.people:
                        text = f"source '{type_}' does not tell who did what; write unit: team or unit: service"
                        self._say(text, ("unit",))

    def _selector(self, what: str, model: type[Definition], at: At) -> None:
        """An alternative that selects nothing at all is misspelt: its first part that nothing matches is shown."""
        there = [one.value for one in self.names.get(what.capitalize(), {}).values()]
        things = [{**v.model_dump(), "kind": v.kind_} for v in there if isinstance(v, Service)]
        things += [v.model_dump() for v in there if isinstance(v, Team)]
        if not things or None in there or not any(self.document.found(*at)):
            return
        selector = self.document.read(model, *at)
        if isinstance(selector, list):
            return
        asked = {f: p for f in model.model_fields if (p := getattr(selector, f))}
        if any(all(matches(p, str(t[f])) for f, p in asked.items()) for t in things):
            return
        for name, patterns in asked.items():
            values = sorted({str(t[name]) for t in things} - {""})
            if not any(matches(patterns, v) for v in values):
                have = f"{what}s have: {', '.join(values[:12])}" if values else f"no {what} says its {name}"
                near = next((f"; did you mean '{n}'?" for p in patterns if (n := nearest(p, values))), "")
                self._say(f"wrong selector: no {what} has {name} {_listed(patterns)}; {have}{near}", (*at, name))
                return
        self._say(f"wrong selector: no {what} has all of {', '.join(asked)} as asked here; loosen one of them", at)

    def _count(self, type_: str, count: str, unit: str, at: At) -> None:
        """What is counted must be a kind of standing object that the source tells of."""
        if unit == "person":
            text = "objects belong to services and teams, so a person adopts by use; write verb: WORD instead of count"
            self._say(text, at)
            return
        given = {word for word, kind in KINDS.items() if kind in self.known.gives[type_]}
        if count.lower() not in given:
            plural = {w for w in given if w.endswith("s")}
            hint = suggest(count, plural) or "; write verb: WORD, since it tells of no standing objects"
            self._say(f"source '{type_}' tells of no '{count}'{hint}", at)

    def _every(self, type_: str, unit: str, at: At) -> None:
        """What is asked of every object must be objects that can be among those counted."""
        before = len(self.problems)
        for count_at, count in self.document.texts(*at, "count"):
            self._count(type_, count, unit, count_at)
            adopted = self.document.read(Adopted, *at[:-1])
            if len(self.problems) == before and not isinstance(adopted, list) and (never := apart(adopted)):
                self._say(never, count_at)
        self._select(type_, at)

    def _select(self, type_: str, at: At) -> None:
        """`select` may ask for what the objects, or each of the uses, have; where few values are possible, for one of these."""
        given = self.known.gives[type_]
        verbs = [verb for _, verb in self.document.texts(*at, "verb", EACH)]
        kinds = [KINDS[c.lower()] for _, c in self.document.texts(*at, "count") if c.lower() in KINDS]
        staged = at[0] == "stages"  # what a stage asks for stands beside its verb
        for place, asked in self.document.found(*at, *(() if staged else ("select",))):
            words = asked if isinstance(asked, Mapping) else {}
            for name, values in ((n, v) for n, v in words.items() if not staged or n not in Stage.own):
                for kind in kinds:
                    if kind in given:
                        self._values(name, bounded(kind, name), values, (*place, name))
                for verb in verbs:
                    words = words_of(verb, given)
                    if words and name not in words:
                        text = f"use '{verb}' has no '{name}' to select by{suggest(name, words)}"
                        self.problems.append(self.document.problem(text, *place, name, key=True))
                    elif name in words:
                        self._values(name, set(words[name].values.values()), values, (*place, name))

    def _values(self, name: str, possible: Collection[str], asked: object, at: At) -> None:
        """Each value asked for must be a possible one, or a glob for one, if these are few."""
        for i, value in enumerate(asked if isinstance(asked, Sequence) and not isinstance(asked, str) else [asked]):
            if possible and isinstance(value, str) and not any(matches((value,), one) for one in possible):
                place = (*at, i) if isinstance(asked, Sequence) and not isinstance(asked, str) else at
                self._say(f"{name} is never '{value}'{suggest(value, possible)}", place)

    def _source(self, type_: str, at: At) -> bool:
        """Whether more can be asked of the source: its type exists. Says so where it does not or is not configured."""
        if type_ not in self.known.gives:
            if self.known.instances is not None:
                self._say(f"no source type is called '{type_}'{suggest(type_, self.known.gives)}", at)
            return False
        if self.known.instances is not None and type_ not in self.known.instances.values():
            text = f"no source of type '{type_}' is configured; add NAME: {{type: {type_}, ...}} to sources in the configuration"
            self._say(text, at)
        return True

    def _verb(self, type_: str, verb: str, at: At) -> None:
        """Uses have names of their own; where a source tells of none, only its events' verbs are left."""
        given = self.known.gives[type_]
        verbs = verbs_of(given)
        if Usage in given or verb in verbs:
            return
        telling = sorted(t for t, facts in self.known.gives.items() if Usage in facts or verb in verbs_of(facts))
        hint = suggest(verb, verbs)
        if not hint and at[0] == "adopted":
            hint = "; count its standing objects with count: WORD"
        elif not hint:
            hint = f"; write source: {' or '.join(telling)}" if telling else ""
        self._say(f"source '{type_}' tells of no use '{verb}'{hint}", at)

    # Queues, owners, and what a product manager declares

    def _queue(self) -> None:
        type_ = self.document.word("source", "type")
        for at, _ in self.document.texts("source", "type"):
            if self._source(type_, at) and TicketEvent not in self.known.gives[type_]:
                able = sorted(t for t, facts in self.known.gives.items() if TicketEvent in facts)
                self._say(f"source '{type_}' tells of no tickets; write type: {' or '.join(able)}", at)
        self._instance(type_)
        for at, select in self.document.texts("source", "select"):
            try:
                queue_keys(select)
            except ValueError as error:
                self._say(str(error), at)

    def _instance(self, type_: str) -> None:
        """The source that is named must be one of the type."""
        there = self.known.instances
        named = [n for n, t in (there or {}).items() if t == type_]
        for at, name in self.document.texts("source", "instance"):
            if there is not None and type_ in self.known.gives and name not in named:
                text = f"no source of type '{type_}' is called '{name}'"
                self._say(text + (suggest(name, named) or "; remove instance"), at)

    def _roadmap(self) -> None:
        """It stands in one source: in the only one of its type, or in the one that it names."""
        type_, there = SYSTEMS.get(self.document.word("source", "type"), ""), self.known.instances
        named = sorted(n for n, t in (there or {}).items() if t == type_)
        for at, _ in self.document.texts("source", "type") if type_ else ():
            if self._source(type_, at) and len(named) > 1 and not self.document.word("source", "instance"):
                text = f"{' and '.join(named)} are of type {type_}; say in which one it stands: instance: {named[0]}"
                self._say(text, at)
        self._instance(type_)
        for at, name in self.document.texts("source", "items", EACH, "feedback", EACH):
            if there is not None and (source := name.partition(":")[0]) not in there:
                self._say(f"no source is called '{source}'{suggest(source, there)}", at)

    def _survey(self) -> None:
        """Ratings of tickets are told by a configured source that has some."""
        instances = self.known.instances or {}
        able = sorted(n for n, t in instances.items() if SurveyResponse in self.known.gives.get(t, ()))
        for at, name in self.document.texts("source", "instance"):
            if self.known.instances is not None and name not in able:
                what = f"source '{name}' tells of no ratings" if name in instances else f"no source is called '{name}'"
                self._say(what + (suggest(name, able) or "; configure a source of a ticket tool that has some"), at)

    def _scope(self, scope: str, at: At) -> None:
        """What a rule's match begins with: a source type, a configured source, or a system that one tells of."""
        if self.known.instances is None or not scope or "*" in scope:
            return
        scopes = {*self.known.gives, *self.known.instances, *self.known.systems}
        if scope not in scopes:
            self._say(f"no source has the type or name '{scope}'{suggest(scope, scopes)}", at)

    def _promise(self) -> None:
        for at, name in self.document.texts("slo"):
            unread = any(name == n or name.startswith(f"{n}-") for n in self.known.unread_slos)
            if name not in self.known.slos and not unread:
                hint = (
                    suggest(name, self.known.slos)
                    or f"; write a document with apiVersion: openslo/v1, kind: SLO, metadata: {{name: {name}}}"
                )
                self._say(f"no SLO is called '{name}'{hint}", at)
            for target_at, target in self.document.found("target"):
                slo = self.known.slos.get(name)
                if slo is not None and isinstance(target, float) and Decimal(str(target)) >= slo.objective:
                    text = f"a promise is looser than its SLO, and the objective of '{name}' is {slo.objective}"
                    self._say(f"{text}; write a target under it", target_at)
        self._of_queue(("ticketing",), "SLA", "slas", EACH, "id")

    def _of_queue(self, under: At, word: str, *place: str | int) -> None:
        """A queue must be declared, and have what is named of it; categories that are not listed may be any."""
        for at, name in self.document.texts(*under, "queue"):
            there = _texts_of(self._one_of("queue", name, at), *place)
            for word_at, value in self.document.texts(*under, word.lower()):
                if there is not None and value not in there and (there or word == "SLA"):
                    text = f"queue '{name}' has no {word} '{value}'"
                    self._say(text + (suggest(value, there) or f"; add it to its {place[0]}"), word_at)

    def _intervention(self) -> None:
        """What it is judged by is a metric of single values, of something that is declared."""
        for place in (("metric",), ("metrics", EACH)):
            for at, name in self.document.texts(*place, "name"):
                self._judged(name, at)
            for at, _ in self.document.texts(*place, "journey"):
                self._milestone((*at[:-1], "journey"), (*at[:-1], "time_to"))

    def _judged(self, name: str, at: At) -> None:
        labels = (*at[:-1], "labels")
        if name not in measures.metrics():
            self._say(f"no metric is called '{name}'{suggest(name, measures.metrics())}", at)
            return
        said = next((value for _, value in self.document.found(*labels) if isinstance(value, Mapping)), {})
        for label, text in refusals(name, said):
            place = (*labels, label) if label else at
            self.problems.append(self.document.problem(text, *place, key=bool(label)))
        self._of_queue(labels, "SLA", "slas", EACH, "id")
        for label_at, capability in self.document.texts(*labels, "capability"):
            self._one_of("capability", capability, label_at)
        self._milestone((*labels, "journey"), (*labels, "milestone"))

    def _milestone(self, journey: At, milestone: At) -> None:
        for at, name in self.document.texts(*journey):
            stages = _texts_of(self._one_of("capability", name, at), "stages", EACH, "id")
            for stage_at, stage in self.document.texts(*milestone):
                if stages is not None and stage not in stages:
                    hint = suggest(stage, stages) or "; add stages to the capability"
                    self._say(f"the journey of '{name}' has no stage '{stage}'{hint}", stage_at)


def _texts_of(one: Declared | None, *at: str | int) -> list[str] | None:
    """Texts in another document; None where it has problems, which may be why one is not there."""
    return None if one is None or one.value is None else [text for _, text in one.document.texts(*at)]


def _listed(patterns: Sequence[str]) -> str:
    return " or ".join(f"'{p}'" for p in patterns)
