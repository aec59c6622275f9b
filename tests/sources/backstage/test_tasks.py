"""Which repository a run made, and whose it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.sources.backstage.backstage_server import TASKS, Backstage, Row, run

from platform_meter.model.facts.portal import TemplateRun
from platform_meter.sources.backstage import tasks
from platform_meter.sources.kit.rows import Sieve
from platform_meter.testing.outside import FakeOutside

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
BEGAN, BEAT = "2026-06-01T09:00:00Z", "2026-06-01T09:01:00Z"


def read(world: Backstage, since: datetime = NOW - timedelta(days=1)) -> list[Any]:
    return [fact for page in tasks.pages(Sieve(FakeOutside(world)), None, since, NOW) for fact in page.facts]


def ended(row: Row, **more: Any) -> TemplateRun:
    (found,) = (fact for fact in read(Backstage(entries=[], runs=[row], **more)) if isinstance(fact, TemplateRun))
    return found


@pytest.mark.parametrize(
    ("asked", "made"),
    [
        ("github.com?owner=acme&repo=shop", "github:acme/shop"),
        ("gitlab.example?owner=acme/pay&repo=shop", "gitlab:acme/pay/shop"),
        ("dev.azure.com?organization=acme&project=pay&repo=shop", "github:acme/told"),
        ("github.com?repo=shop", "github:acme/told"),
        (["github.com"], "github:acme/told"),
        (None, "github:acme/told"),
    ],
)
def test_the_repository_is_the_one_asked_for_or_the_one_told_at_the_end(asked: Any, made: str) -> None:
    """By the names that GitHub and GitLab have for it."""
    told = {"t": "https://github.com/acme/told"}
    assert ended(run("t", "completed", BEGAN, BEAT, repoUrl=asked), remotes=told).repository == made


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_run_that_did_not_end_well_made_nothing(status: str) -> None:
    """Whatever was asked for."""
    found = ended(run("t", status, BEGAN, repoUrl="github.com?owner=acme&repo=shop"))
    assert (found.repository, found.outcome) == ("", status)


def test_what_a_run_made_may_be_unknown() -> None:
    """Where its events may not be read, are gone, or tell nothing."""
    row = run("t", "completed", BEGAN, BEAT)
    assert ended(row).repository == ""
    assert ended(row, refused=frozenset({f"{TASKS}/t/events"})).repository == ""


def test_its_end_is_its_last_sign_of_life() -> None:
    """Without one it is its beginning."""
    assert ended(run("t", "failed", BEGAN, BEAT)).tallies()[0].amount == 60.0
    assert ended(run("t", "failed", BEGAN)).tallies()[0].amount == 0.0


@pytest.mark.parametrize(
    ("owner", "links"),
    [
        ("ops", ("backstage:group:default/ops",)),
        ("group:Money/ops", ("backstage:group:money/ops",)),
        (None, ("backstage:group:default/payments",)),
        ("", ("backstage:group:default/payments",)),
        ("user:default/ann", ("backstage:group:default/payments",)),
    ],
)
def test_a_run_is_that_of_the_team_it_was_for(owner: str | None, links: tuple[str, ...]) -> None:
    """Else of the only group of whoever started it; of two groups nothing tells which."""
    assert ended(run("t", "failed", BEGAN, owner=owner)).about.links == links


def test_whoever_is_in_two_groups_starts_it_for_none() -> None:
    """What it made says whose it is then."""
    row = run("t", "failed", BEGAN, repoUrl="github.com?owner=acme&repo=shop")
    row["spec"]["user"]["entity"]["relations"].append({"type": "memberOf", "targetRef": "group:default/ops"})
    assert ended(row).about.links == ("github:acme/shop",)


def test_runs_before_the_time_asked_for_are_not_read() -> None:
    """The list is left at the first page that is older."""
    rows = [run(str(n), "failed", f"2026-06-01T{20 - n:02d}:00:00Z") for n in range(10, 20)]
    outside = FakeOutside(Backstage(entries=[], runs=rows))
    since = NOW.replace(hour=7)
    told = [
        f for page in tasks.pages(Sieve(outside), None, since, NOW) for f in page.facts if isinstance(f, TemplateRun)
    ]
    assert sorted(fact.key for fact in told) == ["run/10", "run/11", "run/12", "run/13"]
    assert len(outside.calls) == 3
