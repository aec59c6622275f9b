"""Names in definitions held against each other and the configuration. Messages stand in tests/problems/cases."""

from __future__ import annotations

from decimal import Decimal

from tests.problems.fake_sources import TYPES
from tests.runtime.files.test_definitions import EVERY_KIND

from platform_meter.model.facts.kubernetes import Node, Workload
from platform_meter.model.facts.practices import Quota
from platform_meter.model.facts.use import Usage
from platform_meter.runtime.files.cross_checks import Known, Slo, advise, cross_check
from platform_meter.runtime.files.definitions import read_definitions


def test_names_are_not_held_against_what_nobody_declares() -> None:
    """Without a configuration, and without a team, service or persona in files, any name may come from a portal."""
    text = """\
{kind: Capability, id: c, unit: team, owner: team-x, eligible: {any: [{service: {tier: ["9"]}}]},
 adopted: {source: sap, verb: v}, active: {source: sap, verb: v}, exempt: [{unit: u, until: 2027-01-01, reason: r}]}
---
{kind: Ownership, rules: [{match: "github:a/b", service: s, team: t}]}
"""
    found = read_definitions([("a.yaml", text)])
    assert cross_check(found.declared, Known(gives={n: t.gives for n, t in TYPES.items()})) == []


def test_what_can_be_measured_is_not_worth_knowing() -> None:
    """Of every kind, as it is written for the first time."""
    assert advise(read_definitions([("a.yaml", EVERY_KIND)]).declared, {}) == []


def test_a_prometheus_may_tell_of_other_systems() -> None:
    """A rule for one that it is configured for means something; for any other it is misspelt."""
    found = read_definitions([("a.yaml", '{kind: Ownership, rules: [{match: "kong:pay", team: t}]}\n')])
    gives = {name: source.gives for name, source in TYPES.items() if name != "kong"}
    assert cross_check(found.declared, Known(instances={}, gives=gives, systems=["kong"])) == []
    (problem,) = cross_check(found.declared, Known(instances={}, gives=gives))
    assert problem.text.startswith("no source has the type or name 'kong'; write one of: ")


def test_an_slo_of_a_document_with_problems_may_be_there() -> None:
    """What its objectives are called is not known, but how they begin."""
    text = "{kind: Promise, id: a, slo: web-fast, target: 0.9}\n---\n{kind: Promise, id: b, slo: web2, target: 0.9}\n"
    found = read_definitions([("a.yaml", text)])
    slos = {"wob": Slo(objective=Decimal("0.99"), stored=True)}
    (problem,) = cross_check(found.declared, Known(gives={}, slos=slos, unread_slos=["web"]))
    assert problem.text == "no SLO is called 'web2'; write one of: wob"


def test_a_promise_is_looser_than_its_slo() -> None:
    """As strict is not looser; the place is the target's. A target that is no number is told by the kind itself."""
    targets = {"a": "0.9949", "b": "0.995", "c": "0.999", "d": "much"}
    text = "---\n".join(f"{{kind: Promise, id: {id_}, slo: web, target: {t}}}\n" for id_, t in targets.items())
    known = Known(gives={}, slos={"web": Slo(objective=Decimal("0.995"), stored=True)})
    found = cross_check(read_definitions([("a.yaml", text)]).declared, known)
    said = "a promise is looser than its SLO, and the objective of 'web' is 0.995; write a target under it"
    assert [(p.line, p.column, p.text) for p in found] == [(3, 42, said), (5, 42, said)]


def test_a_promise_that_nobody_judges_is_told() -> None:
    """One of an SLO that Prometheus counts, each at its place: its numbers are not stored."""
    named = {"a": "web", "b": "ci", "c": "web"}
    text = "---\n".join(f"{{kind: Promise, id: {id_}, slo: {slo}, target: 0.9}}\n" for id_, slo in named.items())
    slos = {name: Slo(objective=Decimal("0.99"), stored=name == "ci") for name in ("web", "ci")}
    told = advise(read_definitions([("a.yaml", text)]).declared, slos)
    said = "Prometheus counts SLO 'web' and nothing of it is stored, so this promise is not judged"
    assert [(p.line, p.column, p.text) for p in told] == [(1, 29, said), (5, 29, said)]


def test_a_person_is_a_unit_only_of_sources_that_tell_who_it_was() -> None:
    """Use alone is not enough: Prometheus counts it and knows nobody."""
    text = """\
{kind: Capability, id: c, unit: person, owner: team-x, eligible: {any: [{team: {}}]},
 adopted: {source: prometheus, verb: request}, active: {source: prometheus, verb: request}}
"""
    found = read_definitions([("a.yaml", text)])
    gives = {"prometheus": frozenset({Usage})}
    said = {problem.text for problem in cross_check(found.declared, Known(gives=gives))}
    assert said == {"source 'prometheus' does not tell who did what; write unit: team or unit: service"}
    assert cross_check(found.declared, Known(gives=gives, people=["prometheus"])) == []


def test_every_object_asked_for_can_be_among_those_counted() -> None:
    """A quota covers workloads and no node: a capability that asks every node for one would pass nobody."""
    text = """\
{kind: Capability, id: c, unit: service, owner: team-x, mandated: true, eligible: {any: [{service: {}}]},
 adopted: {source: kubernetes, count: quotas, every: {count: WORD}}, active: {source: kubernetes, count: quotas}}
"""
    gives = {"kubernetes": frozenset({Node, Quota, Workload})}

    def said(word: str) -> list[str]:
        found = read_definitions([("a.yaml", text.replace("WORD", word))])
        return [problem.text for problem in cross_check(found.declared, Known(gives=gives))]

    assert said("nodes") == ["no 'nodes' is ever counted as 'quotas'; write every: {count: workloads}"]
    assert said("quotas") == ["no 'quotas' is ever counted as 'quotas'; write every: {count: workloads}"]
    assert said("workloads") == []


def test_a_roadmap_stands_in_one_source() -> None:
    """In the only one of its type; of several it names one; one that its file holds stands in none."""
    file = "{kind: RoadmapSource, id: r, period_field: Q, source: {type: github_project, project: acme/7%s}}\n"
    gives = {name: source.gives for name, source in TYPES.items()}

    def said(instances: dict[str, str], more: str = "") -> list[str]:
        found = read_definitions([("a.yaml", file % more)])
        return [problem.text for problem in cross_check(found.declared, Known(instances=instances, gives=gives))]

    assert said({"gh": "github"}) == []
    assert said({"gh": "github", "old": "github"}, ", instance: old") == []
    assert said({"gh": "github", "old": "github"}) == [
        "gh and old are of type github; say in which one it stands: instance: gh"
    ]
    assert said({"gh": "github"}, ", instance: g") == ["no source of type 'github' is called 'g'; did you mean 'gh'?"]
    assert said({}) == [
        "no source of type 'github' is configured; add NAME: {type: github, ...} to sources in the configuration"
    ]
    text = '{kind: RoadmapSource, id: r, source: {type: yaml, items: [{id: a, feedback: ["jira:HELP-7"]}]}}\n'
    written = read_definitions([("a.yaml", text)])
    assert cross_check(written.declared, Known(instances={"jira": "jira"}, gives=gives)) == []
    (problem,) = cross_check(written.declared, Known(instances={"jora": "jira"}, gives=gives))
    assert (problem.column, problem.text) == (78, "no source is called 'jira'; did you mean 'jora'?")
