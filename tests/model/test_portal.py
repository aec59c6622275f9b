"""Selectors in a portal's annotations; what entries claim is tested where owners are found."""

from __future__ import annotations

from platform_meter.model.facts import Ref
from platform_meter.model.facts.portal import CatalogEntity
from platform_meter.model.portal import ANNOTATIONS, Requirement, parse_selector, repositories


def test_a_selector_is_read_as_kubernetes_reads_it() -> None:
    """Equality, sets, presence; text that is none selects nothing."""
    assert parse_selector("a=b, c != d,e in (f,g),h notin (i),j,!k") == (
        Requirement("a", frozenset({"b"})),
        Requirement("c", frozenset({"d"}), negative=True),
        Requirement("e", frozenset({"f", "g"})),
        Requirement("h", frozenset({"i"}), negative=True),
        Requirement("j", frozenset()),
        Requirement("k", frozenset(), negative=True),
    )
    assert parse_selector("a in b") == ()
    assert parse_selector("") == ()
    assert parse_selector("h notin (i)")[0].holds({})


def test_an_entry_names_repositories_in_three_ways() -> None:
    """By its slug, and by where its sources lie; what is neither on GitHub nor on GitLab has no name that others know."""
    notes = (
        ("backstage.io/source-location", "url:https://github.com/acme/shop/tree/main/"),
        ("github.com/project-slug", "acme/pay"),
        ("gitlab.com/project-slug", "acme/deep/ops"),
        ("jenkins.io/job-full-name", "main:build"),
    )
    about = Ref(system="backstage", kind="component", id="component:default/shop")
    entity = CatalogEntity(about=about, service="shop", team="pay", annotations=notes)
    assert repositories(entity) == {"github:acme/shop", "github:acme/pay", "gitlab:acme/deep/ops"}
    assert {name for name, _ in notes} <= ANNOTATIONS
