"""Releases: what is one deployment, which kind it is, and which changes came with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.delivery import at, deployed, merged, scene, story
from tests.support.history import owner

from platform_meter.measures.delivery.book import Ledger
from platform_meter.measures.delivery.releases import PRODUCTION, Changes, Production
from platform_meter.model.definitions import Definitions, Environment
from platform_meter.model.delivering import Delivery
from platform_meter.model.facts import Ref
from platform_meter.model.facts.delivery import Change, DeployKind, Deployment, DeployResult, DeployWay

A, B, C = "a" * 40, "b" * 40, "c" * 40


def told(
    *facts: Deployment | Change, definitions: Definitions | None = None
) -> list[tuple[float, str, str, list[str]]]:
    """Of each release of the shop: its hour, the first letter of its commit, its kind, and the commits of its changes."""
    found = story(*facts, definitions=definitions).by_service.get("shop", [])
    return [
        ((r.at - at(0)) / timedelta(hours=1), r.first.part.sha[:1], r.kind, [c.part.sha[:1] for c in r.changes])
        for r in found
    ]


def test_what_does_not_reach_production_or_fails_is_no_release() -> None:
    """A staging rollout and one that never served count nothing, and change nothing for what follows."""
    failed = deployed(3, B, result=DeployResult.FAILED)
    assert told(deployed(1, A, "staging"), deployed(2, A), failed) == [(2.0, "a", "planned", [])]


def test_two_regions_in_the_same_second_are_one_release() -> None:
    """One version that reaches several environments within a day counts once, dated by the first; a day later it is another."""
    facts = [deployed(1, A, "prod-eu"), deployed(1, A, "prod-us"), deployed(24, A, "prod-asia")]
    assert told(*facts) == [(1.0, "a", "planned", [])]
    assert told(*facts, deployed(25.5, A, "prod-africa")) == [(1.0, "a", "planned", []), (25.5, "a", "planned", [])]


def test_a_file_may_count_each_region() -> None:
    """`regions: each` of a Delivery file."""
    each = Definitions(deliveries=(Delivery(kind="Delivery", id="delivery", regions="each"),))
    facts = [deployed(1, A, "prod-eu"), deployed(2, A, "prod-us")]
    assert [one[0] for one in told(*facts, definitions=each)] == [1.0, 2.0]


def test_the_same_version_again_in_one_environment_is_another_release() -> None:
    """A redeployment within the day is none of another environment."""
    assert [one[0] for one in told(deployed(1, A), deployed(2, A))] == [1.0, 2.0]


def test_the_first_known_release_has_no_changes() -> None:
    """What came to production before is not known, so nothing is taken to have come now: not even its own change."""
    assert told(merged(0, A), merged(1, B), deployed(2, B)) == [(2.0, "b", "planned", [])]


def test_a_release_carries_what_its_branch_took_since_the_one_before() -> None:
    """Where no source compared the two commits: merges after that of the last release, up to its own."""
    facts: list[Deployment | Change] = [
        merged(0, A),
        deployed(1, A),
        merged(2, B),
        merged(3, C),
        merged(5, "d" * 40),
        deployed(4, C),
    ]
    assert told(*facts) == [(1.0, "a", "planned", []), (4.0, "c", "planned", ["b", "c"])]


def test_what_a_source_compared_is_taken_as_it_says() -> None:
    """Also where the branch took it in another order, or another repository's change is among it."""
    elsewhere = replace(merged(1, "e" * 40), about=Ref(system="github", kind="repository", id="acme/lib"))
    facts = [merged(0, A), merged(2, B), merged(3, C), elsewhere]
    compared = deployed(4, C, after=A, changes=(C, "f" * 40, "e" * 40))
    assert told(*facts, deployed(1, A), compared)[1][3] == ["c", "e"]


def test_a_change_counts_once_at_its_first_release() -> None:
    """The second region, and a comparison that tells it again, add nothing."""
    facts: list[Deployment | Change] = [merged(0, A), merged(2, B)]
    facts += [deployed(1, A, "prod-eu"), deployed(1, A, "prod-us")]
    later = [deployed(3, B, "prod-eu", after=A, changes=(B,)), deployed(40, B, "prod-us", after=A, changes=(B,))]
    assert [one[3] for one in told(*facts, *later)] == [[], ["b"], []]


def test_bringing_back_an_older_version_is_a_rollback() -> None:
    """Whatever its source says: another one served since. Bringing the newer version again is none."""
    facts = [deployed(1, A), deployed(2, B), deployed(3, A), deployed(4, B), deployed(5, B)]
    assert [one[2] for one in told(*facts)] == ["planned", "planned", "rollback", "planned", "planned"]


def test_a_rollback_has_no_changes_and_undoes_what_served_since() -> None:
    """All that served after the version it brings back; of a version that nobody saw, what served last."""
    facts = [merged(0, A), merged(1, B), merged(2, C), deployed(1, A), deployed(2, B), deployed(3, C), deployed(4, A)]
    *_, last = story(*facts).by_service["shop"]
    assert [one.first.part.sha for one in last.undone] == [C, B]
    assert last.changes == []
    unseen = deployed(5, "f" * 40, kind=DeployKind.ROLLBACK)
    *_, last = story(*facts[:-1], unseen).by_service["shop"]
    assert [one.first.part.sha for one in last.undone] == [C]


def test_services_of_one_repository_have_pasts_of_their_own() -> None:
    """Each is rolled out by a task of its own, of the same commits: one that lags behind brings nothing back."""
    web = [deployed(1, A, task="web"), deployed(3, B, task="web")]
    api = [deployed(2, A, task="api", environment="prod-eu"), deployed(4, A, task="api"), deployed(5, B, task="api")]
    assert [(one[0], one[2]) for one in told(*web, *api)] == [
        (1.0, "planned"),
        (2.0, "planned"),
        (3.0, "planned"),
        (5.0, "planned"),
    ]


def test_environments_are_lines_of_their_own() -> None:
    """A version that came late to one region is no rollback there."""
    facts = [deployed(1, A, "prod-eu"), deployed(2, B, "prod-eu"), deployed(3, A, "prod-us"), deployed(4, B, "prod-us")]
    assert [one[2] for one in told(*facts)] == ["planned", "planned"]


def test_the_best_way_that_told_of_late_counts() -> None:
    """Argo CD and a job tell of one rollout: it is one; a way that told nothing for 91 days takes nobody's place."""
    gitops, job = deployed(1, A, way=DeployWay.GITOPS), deployed(1.1, A, way=DeployWay.JOB)
    assert [one[0] for one in told(gitops, job)] == [1.0]
    old = deployed(-24 * 90, B, way=DeployWay.GITOPS)
    assert [one[0] for one in told(old, job)] == [1.1]
    first = Definitions(deliveries=(Delivery(kind="Delivery", id="delivery", deployments=(DeployWay.JOB,)),))
    assert [one[0] for one in told(gitops, job, definitions=first)] == [1.1]


def test_what_has_no_service_stands_for_itself() -> None:
    """Two objects that nobody owns are two things."""
    nobody = owner("_unowned", "_unowned")
    other = replace(deployed(2, A, key="x"), about=Ref(system="github", kind="repository", id="acme/other"))
    found = story((nobody, deployed(1, A)), (nobody, other))
    assert [len(releases) for releases in found.by_service.values()] == [1, 1]


@pytest.mark.parametrize(
    ("name", "is_it"), [("Production", True), ("prod-eu", True), ("live", True), ("preprod", False)]
)
def test_without_a_file_names_tell_production(name: str, is_it: bool) -> None:
    """Those that begin or end with it; a file that declares environments decides alone."""
    assert (name in Production(Definitions())) is is_it
    declared = Definitions(
        environments=(Environment(kind="Environment", id="main", production=True, match=("preprod",)),)
    )
    assert (name in Production(declared)) is (name == "preprod")
    assert "production" in PRODUCTION


def test_changes_are_found_by_name_and_by_the_first_digits_of_their_commit() -> None:
    """Seven digits at least, and of one change alone."""
    one, two = merged(1, "abcdef0" + "1" * 33), merged(2, "abcdef0" + "2" * 33)
    found = judged_changes(one, two)
    assert [r.part.sha[7] for r in found.named(["acme/shop#" + one.sha, "abcdef02"])] == ["1", "2"]
    assert found.named(["abcdef0", "abcdef", "unknown-1"]) == []


def judged_changes(*changes: Change) -> Changes:
    return Changes(scene(*changes).kept.of(Ledger).records(scene(*changes)).changes)


def test_a_change_whose_commit_nobody_told_is_found_by_its_name_alone() -> None:
    """Two such are two changes, and come with no release."""
    one, two = merged(1, "", key="1", name="acme/shop#1"), merged(2, "", key="2", name="acme/shop#2")
    assert [r.part.key for r in judged_changes(one, two).named(["acme/shop#1", "acme/shop#2"])] == ["1", "2"]
    assert told(deployed(0, A), one, two, deployed(3, "", version="v2")) == [
        (0.0, "a", "planned", []),
        (3.0, "", "planned", []),
    ]
