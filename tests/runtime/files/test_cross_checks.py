"""Names in definitions held against each other and the configuration. Messages stand in tests/problems/cases."""

from __future__ import annotations

from tests.problems.fake_sources import TYPES
from tests.runtime.files.test_definitions import EVERY_KIND

from platform_meter.model.facts.use import Usage
from platform_meter.runtime.files.cross_checks import Known, advise, cross_check
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


def test_what_nothing_measures_yet_is_said_once_a_kind() -> None:
    """At the first of each; a persona without pain points and a capability without a journey have nothing to wait for."""
    found = read_definitions([("a.yaml", EVERY_KIND), ("b.yaml", "{kind: Campaign, id: later, at: 2026-03-03}\n")])
    told = {p.text.removesuffix(" read and checked, and not measured yet") for p in advise(found.declared)}
    assert told == {
        "campaigns are",
        "interventions are",
        "journeys are",
        "no source tells its tool's own SLA clock yet; this one is computed from the ticket's history",
        "pain points are",
        "promises are",
        "roadmaps are",
        "surveys are",
    }
    assert advise(read_definitions([("a.yaml", "{kind: Persona, id: dev}\n---\n{kind: Team, id: a}\n")]).declared) == []


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
    (problem,) = cross_check(found.declared, Known(gives={}, slos=["wob"], unread_slos=["web"]))
    assert problem.text == "no SLO is called 'web2'; write one of: wob"


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
