"""The six ordered rules of the ownership join (domain section 3), over time, with their receipts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_meter.model.definitions import Definitions, Ownership, OwnershipRule, Service, Team
from platform_meter.model.facts import Ref
from platform_meter.model.facts.portal import CatalogEntity
from platform_meter.model.history import Owner
from platform_meter.model.ownership import Directory

JAN, MAR, MAY = (datetime(2026, month, 1, tzinfo=UTC) for month in (1, 3, 5))
NOBODY = Owner(service="_unowned", team="_unowned", rule="6 none")


def repo(id_: str, labels: dict[str, str] | None = None, links: tuple[str, ...] = ()) -> Ref:
    return Ref(system="github", kind="repository", id=id_, labels=tuple(sorted((labels or {}).items())), links=links)


def workload(id_: str, labels: dict[str, str]) -> Ref:
    return Ref(system="kubernetes", kind="workload", id=id_, labels=tuple(sorted(labels.items())))


def rule(match: str, service: str = "", team: str = "", since: datetime | None = None) -> OwnershipRule:
    return OwnershipRule(match=match, service=service or None, team=team or None, since=since)


def defined(*rules: OwnershipRule, services: tuple[Service, ...] = (), teams: tuple[str, ...] = ()) -> Definitions:
    return Definitions(
        ownership=(Ownership(kind="Ownership", rules=rules),) if rules else (),
        services=services,
        teams=tuple(Team(kind="Team", id=t) for t in teams),
    )


def service(id_: str, team: str, since: datetime | None = None) -> Service:
    return Service(kind="Service", id=id_, team=team, since=since)


def noted(name: str, team: str, notes: dict[str, str]) -> CatalogEntity:
    about = Ref(system="backstage", kind="component", id=f"default/{name}")
    return CatalogEntity(about=about, service=name, team=team, annotations=tuple(sorted(notes.items())))


def owner(directory: Directory, ref: Ref, instance: str = "gh", linked: dict[str, Owner] | None = None) -> Owner:
    """The owner of an object that never changed hands."""
    [(start, found)] = directory.intervals(ref, instance, linked or {})
    assert start is None
    return found


# Rule 1


@pytest.mark.parametrize(
    ("id_", "team", "receipt"),
    [
        ("acme/payments", "exact", "1 Ownership github:acme/payments"),
        ("acme/payments-api", "payments", "1 Ownership github:acme/payments-*"),
        ("acme/pay", "acme", "1 Ownership github:acme/*"),
        ("acme/pay/deep", "all", "1 Ownership github:**"),
        ("other/payments", "all", "1 Ownership github:**"),
        ("our/own", "instance", "1 Ownership gh:our/*"),
    ],
)
def test_the_exact_name_wins_then_the_longest_literal_prefix(id_: str, team: str, receipt: str) -> None:
    """`*` stays within a path segment, `**` does not; a rule may name the configured source instead of the system."""
    directory = Directory.build(
        defined(
            rule("github:**", team="all"),
            rule("github:acme/*", team="acme"),
            rule("github:acme/payments-*", team="payments"),
            rule("github:acme/payments", team="exact"),
            rule("gh:our/*", team="instance"),
            rule("github:our/*", team="system"),
        )
    )
    assert owner(directory, repo(id_)) == Owner(service="_unowned", team=team, rule=receipt)


def test_a_glob_is_text_but_for_its_stars() -> None:
    """Dots and brackets of names mean themselves."""
    directory = Directory.build(defined(rule("github:a.c/[x]*", team="t")))
    assert owner(directory, repo("a.c/[x]y")).team == "t"
    assert owner(directory, repo("abc/xy")) == NOBODY


def test_a_service_brings_its_team_and_a_team_brings_no_service() -> None:
    """What a rule does not say is looked up, or stays unowned."""
    directory = Directory.build(
        defined(
            rule("github:a/s", service="pay"),
            rule("github:a/t", team="t"),
            rule("github:a/u", service="new"),
            rule("github:a/b", service="pay", team="other"),
            services=(service("pay", "team-pay"),),
        )
    )
    found = {id_: owner(directory, repo(f"a/{id_}")) for id_ in "stub"}
    assert {id_: (o.service, o.team) for id_, o in found.items()} == {
        "s": ("pay", "team-pay"),
        "t": ("_unowned", "t"),
        "u": ("new", "_unowned"),
        "b": ("pay", "other"),
    }


def test_since_makes_intervals() -> None:
    """A rule with a beginning holds from then on; without one it corrects the past; equal neighbours are one."""
    directory = Directory.build(
        defined(
            rule("github:a/b", team="first"),
            rule("github:a/b", team="third", since=MAY),
            rule("github:a/b", team="second", since=JAN),
            rule("github:a/*", team="second", since=MAR),
        )
    )
    assert [(start, o.team) for start, o in directory.intervals(repo("a/b"), "gh", {})] == [
        (None, "first"),
        (JAN, "second"),
        (MAY, "third"),
    ]
    assert [(start, o.team, o.rule) for start, o in directory.intervals(repo("a/c"), "gh", {})] == [
        (None, "_unowned", "6 none"),
        (MAR, "second", "1 Ownership github:a/*"),
    ]


def test_a_service_has_its_team_since_then() -> None:
    """Before a declared service's beginning the portal says whose it was; without one, nobody."""
    definitions = defined(
        rule("github:a/b", service="pay"), rule("github:a/c", service="shop"), services=(service("pay", "new", MAR), service("shop", "s", JAN))
    )  # fmt: skip
    directory = Directory.build(definitions, catalog=[noted("pay", "old", {})])
    assert [(start, o.team) for start, o in directory.intervals(repo("a/b"), "gh", {})] == [(None, "old"), (MAR, "new")]
    assert [(start, o.team) for start, o in directory.intervals(repo("a/c"), "gh", {})] == [
        (None, "_unowned"),
        (JAN, "s"),
    ]


# Rule 2


@pytest.mark.parametrize(
    ("annotation", "value", "object_", "hit"),
    [
        ("github.com/project-slug", "acme/pay", ("github", "gh", "acme/pay"), True),
        ("github.com/project-slug", "Acme/Pay", ("github", "gh", "acme/pay"), True),
        ("gitlab.com/project-slug", "acme/sub/pay", ("gitlab", "gl", "acme/sub/pay"), True),
        ("jenkins.io/job-full-name", "folder/pay", ("jenkins", "ci", "folder/pay"), True),
        ("jenkins.io/job-full-name", "ci:folder/pay, other/job", ("jenkins", "ci", "folder/pay"), True),
        ("jenkins.io/job-full-name", "ci:folder/pay, other/job", ("jenkins", "ci-2", "folder/pay"), False),
        ("jenkins.io/job-full-name", "ci:folder/pay, other/job", ("jenkins", "ci-2", "other/job"), True),
        ("argocd/app-name", "pay,pay-canary", ("argocd", "cd-1", "argocd/pay-canary"), True),
        ("argocd/app-name", "pay", ("argocd", "cd-2", "pay"), True),
        ("pagerduty.com/service-id", "P123", ("pagerduty", "pd", "P123"), True),
        ("pagerduty.com/integration-key", "k1", ("pagerduty", "pd", "k1"), True),
        ("backstage.io/source-location", "url:https://github.com/acme/pay/tree/main/", ("github", "gh", "acme/pay"), True),
        ("backstage.io/source-location", "url:https://gitlab.com/a/b/c/-/tree/main", ("gitlab", "gl", "a/b/c"), True),
        ("backstage.io/source-location", "file:/srv/acme/pay", ("github", "gh", "acme/pay"), False),
        ("sonarqube.org/project-key", "pay", ("sonarqube", "sq", "pay"), True),
        ("sonarqube.org/project-key", "sq-2/pay", ("sonarqube", "sq", "pay"), False),
        ("jira/project-key", "PAY", ("jira", "j", "PAY"), True),
        ("jira/project-key", "PAY", ("jira", "j", "PAY-17"), True),
        ("jira/project-key", "PAY", ("jira", "j", "PAYROLL"), False),
    ],
)  # fmt: skip
def test_a_portal_entry_names_objects_of_other_systems(
    annotation: str, value: str, object_: tuple[str, str, str], hit: bool
) -> None:
    """Each well-known annotation ties the objects it names, here in the instance it names, to the entry."""
    directory = Directory.build(Definitions(), catalog=[noted("pay", "team-pay", {annotation: value})])
    system, instance, id_ = object_
    expected = Owner(service="pay", team="team-pay", rule=f"2 catalog pay {annotation}={value}")
    assert owner(directory, Ref(system=system, kind="x", id=id_), instance) == (expected if hit else NOBODY)


def test_a_component_comes_before_its_jira_project() -> None:
    """An entry for one component takes its tickets, another entry the rest of the project."""
    directory = Directory.build(
        Definitions(),
        catalog=[
            noted("all", "team-all", {"jira/project-key": "PLAT"}),
            noted("edge", "team-edge", {"jira/project-key": "PLAT", "jira/component": "Edge"}),
        ],
    )
    labelled = Ref(system="jira", kind="project", id="PLAT", labels=(("component", "Edge"),))
    assert owner(directory, labelled).team == "team-edge"
    assert owner(directory, Ref(system="jira", kind="component", id="PLAT/edge")).team == "team-edge"
    assert owner(directory, Ref(system="jira", kind="component", id="PLAT/other")).team == "team-all"


def test_clusters_are_claimed_by_id_selector_and_namespace() -> None:
    """A selector stands above an id, both only within the entry's namespace; a namespace alone takes what is in it."""
    directory = Directory.build(
        Definitions(),
        catalog=[
            noted("by-id", "t1", {"backstage.io/kubernetes-id": "one"}),
            noted(
                "by-selector", "t2", {"backstage.io/kubernetes-label-selector": "app=two,tier in (web, api),!canary"}
            ),
            noted("by-space", "t3", {"backstage.io/kubernetes-namespace": "three"}),
            noted("both", "t4", {"backstage.io/kubernetes-namespace": "four", "backstage.io/kubernetes-id": "x"}),
            noted("no-equal", "t5", {"backstage.io/kubernetes-label-selector": "five notin (a)"}),
        ],
    )

    def team(ref: Ref) -> str:
        return owner(directory, ref).team

    deployment = "eu/ns/Deployment/a"
    assert team(workload(deployment, {"backstage.io/kubernetes-id": "one", "five": "a"})) == "t1"
    assert team(workload(deployment, {"app": "two", "tier": "web", "five": "a"})) == "t2"
    assert team(workload(deployment, {"app": "two", "tier": "db", "five": "a"})) == "_unowned"
    assert team(workload(deployment, {"app": "two", "tier": "web", "canary": "1", "five": "a"})) == "_unowned"
    assert team(workload("eu/three/Deployment/a", {"five": "a"})) == "t3"
    assert team(Ref(system="kubernetes", kind="namespace", id="eu/three", labels=(("five", "a"),))) == "t3"
    assert team(Ref(system="kubernetes", kind="node", id="eu/three", labels=(("five", "a"),))) == "_unowned"
    assert team(workload("eu/four/Deployment/a", {"backstage.io/kubernetes-id": "x", "five": "a"})) == "t4"
    assert team(workload("eu/five/Deployment/a", {"backstage.io/kubernetes-id": "x", "five": "a"})) == "_unowned"
    assert team(workload(deployment, {"five": "b"})) == "t5"


def test_argo_apps_are_claimed_by_selector() -> None:
    """`argocd/app-selector` asks the app's labels."""
    directory = Directory.build(Definitions(), catalog=[noted("pay", "t", {"argocd/app-selector": "team==pay"})])
    app = Ref(system="argocd", kind="app", id="pay", labels=(("team", "pay"),))
    assert owner(directory, app).rule == "2 catalog pay argocd/app-selector=team==pay"


def test_two_entries_for_one_object_are_a_conflict() -> None:
    """The first by name wins, and the other's team is named."""
    notes = {"github.com/project-slug": "acme/mono"}
    directory = Directory.build(Definitions(), catalog=[noted("b", "team-b", notes), noted("a", "team-a", notes)])
    assert owner(directory, repo("acme/mono")) == Owner(
        service="a",
        team="team-a",
        rule="2 catalog a github.com/project-slug=acme/mono",
        conflict="2 catalog b github.com/project-slug=acme/mono -> team-b",
    )


# Rules 3 to 6


def test_labels_name_known_services_and_the_team_label_any_team() -> None:
    """A chart's own `part-of` is nobody's service; the label that was configured for it names the team."""
    directory = Directory.build(
        defined(services=(service("payments", "team-pay"),), teams=("team-shop",)), team_label="acme.io/team"
    )
    known = repo("x", {"app.kubernetes.io/part-of": "payments"})
    assert owner(directory, known) == Owner(
        service="payments", team="team-pay", rule="3 label app.kubernetes.io/part-of=payments"
    )
    chart = repo("x", {"app.kubernetes.io/part-of": "redis", "app.kubernetes.io/name": "payments"})
    assert owner(directory, chart).rule == "3 label app.kubernetes.io/name=payments"
    assert owner(directory, repo("x", {"app.kubernetes.io/part-of": "redis"})) == NOBODY
    team = repo("x", {"app.kubernetes.io/part-of": "redis", "acme.io/team": "Team-Shop"})
    assert owner(directory, team) == Owner(service="_unowned", team="team-shop", rule="3 label acme.io/team=Team-Shop")


def test_the_team_label_may_stand_in_the_ownership_file() -> None:
    """A setting given from outside wins over it."""
    definitions = Definitions(ownership=(Ownership(kind="Ownership", team_label="own", rules=()),))
    ref = repo("x", {"own": "a", "other": "b"})
    assert owner(Directory.build(definitions), ref).team == "a"
    assert owner(Directory.build(definitions, team_label="other"), ref).team == "b"


def test_those_who_answer_a_survey_are_of_the_team_that_they_name() -> None:
    """If it is a known one; anything else may be typed into a form."""
    directory = Directory.build(defined(teams=("team-pay",)))
    known = Ref(system="surveys", kind="respondents", id="Team-Pay")
    assert owner(directory, known) == Owner(service="_unowned", team="team-pay", rule="3 team team-pay")
    assert owner(directory, replace(known, id="Ada Smith")) == NOBODY
    assert owner(directory, replace(known, kind="repository")) == NOBODY


def test_a_link_to_what_no_source_tells_is_owned_by_rule() -> None:
    """A ticket is that of the group that has it: rules name the group, by its system or the instance, since when too."""
    rules = [
        {"match": "desk:group/Network", "team": "team-net"},
        {"match": "desk:group/Network", "team": "team-edge", "since": "2026-06-01"},
        {"match": "servicenow:group/*", "service": "help"},
    ]
    ownership = Ownership.model_validate({"kind": "Ownership", "rules": rules})
    directory = Directory.build(Definitions(ownership=(ownership,)))
    group = Ref(system="servicenow", kind="table", id="incident", links=("servicenow:group/Network",))
    found = directory.intervals(group, "desk", {})
    link = "4 link servicenow:group/Network"
    assert [(start, o.team, o.rule) for start, o in found] == [
        (None, "team-net", link),
        (datetime(2026, 6, 1, tzinfo=UTC), "team-edge", link),
    ]
    [(_, elsewhere)] = directory.intervals(replace(group, links=("github:group/Network",)), "desk", {})
    assert elsewhere == NOBODY, "the instance is none of GitHub's"
    known = {"servicenow:group/Network": NOBODY}
    assert directory.intervals(group, "desk", known) == ((None, NOBODY),), "an object's owner is said by that object"


def test_links_lead_to_the_first_owned_object() -> None:
    """What is linked but unowned, or was never seen, is passed over."""
    ref = repo("x", links=("github:gone", "github:lost", "github:found"))
    linked = {"github:lost": NOBODY, "github:found": Owner(service="pay", team="team-pay", rule="5 codeowners @a/b")}
    assert owner(Directory.build(Definitions()), ref, linked=linked) == Owner(
        service="pay", team="team-pay", rule="4 link github:found"
    )


@pytest.mark.parametrize(
    ("slug", "team"),
    [
        ("@acme/team-pay", "team-pay"),
        ("acme/Team-Pay", "team-pay"),
        ("team-pay", "team-pay"),
        ("@acme/new", "new"),
        ("@someone", "_unowned"),
        ("someone@acme.example", "_unowned"),
        ("", "_unowned"),
    ],
)
def test_codeowners_name_a_team_and_never_a_person(slug: str, team: str) -> None:
    """A team slug is its team; a login or an address would put a person's name in a label."""
    directory = Directory.build(defined(teams=("team-pay",)), codeowners={"github:acme/x": slug})
    rule_text = f"5 codeowners {slug}" if team != "_unowned" else "6 none"
    assert owner(directory, repo("acme/x")) == Owner(service="_unowned", team=team, rule=rule_text)


def test_the_earlier_rule_wins_and_the_first_other_team_is_the_conflict() -> None:
    """A later rule that agrees, or names no team, is no conflict."""
    directory = Directory.build(
        defined(rule("github:acme/x", service="pay"), services=(service("pay", "a"), service("same", "a"))),
        team_label="team",
        codeowners={"github:acme/x": "@acme/c"},
    )
    agreed = owner(directory, repo("acme/x", {"app.kubernetes.io/name": "same"}))
    assert (agreed.team, agreed.conflict) == ("a", "5 codeowners @acme/c -> c")
    against = owner(directory, repo("acme/x", {"team": "b"}))
    assert (against.team, against.conflict) == ("a", "3 label team=b -> b")


def test_a_namespace_is_its_majoritys() -> None:
    """At least 80 % of the workloads must agree; the service only where they agree on that too."""

    def of(team: str, service_: str = "s") -> Owner:
        return Owner(service=service_, team=team, rule="1")

    assert Directory.majority([of("a")] * 4 + [of("b")]) == Owner(
        service="s", team="a", rule="4 majority 4 of 5 workloads"
    )
    assert Directory.majority([of("a")] * 3 + [of("b")]) is None
    assert Directory.majority([of("a", "x"), of("a", "y")]) == Owner(
        service="_unowned", team="a", rule="4 majority 2 of 2 workloads"
    )
    assert Directory.majority([NOBODY] * 5) is None
    assert Directory.majority([]) is None


# Properties

NAMES = st.sampled_from(["a", "b", "a/b", "a/b/c", "a-1", "b/*", "a/**", "*", "**", "a/b*"])
RULES = st.builds(
    rule,
    st.builds("{}:{}".format, st.sampled_from(["github", "gh"]), NAMES),
    st.sampled_from(["", "s1", "s2"]),
    st.sampled_from(["t1", "t2"]),
    st.sampled_from([None, JAN, MAR, MAY]),
)


@given(
    st.lists(RULES, max_size=6, unique_by=lambda r: (r.match, r.since)), st.sampled_from(["a", "b/x", "a/b", "a/b/c"])
)
def test_intervals_are_ordered_whole_and_never_repeat(rules: list[OwnershipRule], id_: str) -> None:
    """The first holds ever since, starts rise, neighbours differ: what the store relies on."""
    found = Directory.build(defined(*rules)).intervals(repo(id_), "gh", {})
    starts = [start for start, _ in found]
    assert starts[0] is None
    later = [s for s in starts if s is not None]
    assert later == sorted(set(later))
    assert len(later) == len(starts) - 1
    assert all(one[1] != other[1] for one, other in pairwise(found))


@given(st.lists(RULES, max_size=5, unique_by=lambda r: (r.match, r.since)), st.randoms())
def test_the_order_of_rules_does_not_matter(rules: list[OwnershipRule], random: Random) -> None:
    """Two rules for one name differ in `since`, so the answer depends on what is said and not on where."""
    shuffled = list(rules)
    random.shuffle(shuffled)
    refs = [repo(id_) for id_ in ("a", "b/x", "a/b", "a/b/c")]
    one, other = Directory.build(defined(*rules)), Directory.build(defined(*shuffled))
    assert [one.intervals(r, "gh", {}) for r in refs] == [other.intervals(r, "gh", {}) for r in refs]


def listed(kind: str, name: str, team: str, notes: dict[str, str] | None = None) -> CatalogEntity:
    """An entry as a portal's source tells it: no service but of a component."""
    about = Ref(system="backstage", kind=kind, id=f"{kind}:default/{name}")
    service_ = name if kind == "component" else ""
    return CatalogEntity(about=about, service=service_, team=team, annotations=tuple(sorted((notes or {}).items())))


def test_an_entry_that_is_no_component_gives_its_team_alone() -> None:
    """And stands behind a component that names the same object; its name is no service's."""
    slug = {"github.com/project-slug": "acme/db"}
    resource, component = listed("resource", "db", "data", slug), listed("component", "store", "pay", slug)
    ref = Ref(system="github", kind="repository", id="acme/db")
    alone = owner(Directory.build(defined(), catalog=[resource]), ref)
    assert (alone.service, alone.team) == ("_unowned", "data")
    assert alone.rule == "2 catalog resource:default/db github.com/project-slug=acme/db"
    both = owner(Directory.build(defined(), catalog=[resource, component]), ref)
    assert (both.service, both.team) == ("store", "pay")
    assert both.conflict == f"{alone.rule} -> data"
    nobodys = listed("api", "db", "", {"github.com/project-slug": "acme/free"})
    free = owner(Directory.build(defined(), catalog=[resource, nobodys]), replace(ref, id="acme/free"))
    assert (free.service, free.team) == ("_unowned", "_unowned"), "one that nobody owns is not that of another entry"
    labelled = Ref(system="kubernetes", kind="workload", id="eu/a/b/c", labels=(("app.kubernetes.io/name", "db"),))
    assert owner(Directory.build(defined(), catalog=[resource]), labelled) == NOBODY


def test_an_entry_is_its_owners_and_a_group_is_its_own() -> None:
    """So what links to a group, such as a person in it, is that team's."""
    directory = Directory.build(defined(), catalog=[listed("group", "pay", "pay"), listed("component", "shop", "pay")])
    group = owner(directory, Ref(system="backstage", kind="group", id="group:default/pay"), "portal")
    entry = owner(directory, Ref(system="backstage", kind="component", id="component:default/shop"), "portal")
    assert (group.team, group.rule) == ("pay", "2 catalog group:default/pay")
    assert (entry.service, entry.team, entry.rule) == ("shop", "pay", "2 catalog shop")
    person = Ref(system="backstage", kind="person", id="a1b2", links=("backstage:group:default/pay",))
    assert owner(directory, person, "portal", {"backstage:group:default/pay": group}).team == "pay"
