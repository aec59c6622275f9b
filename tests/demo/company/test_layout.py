from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from tests.demo.worlds import START

from platform_meter.demo.company.layout import BAD_WEEK, HISTORY_DAYS, PLATFORM_TEAMS, Company, active

WORD = r"(?:[bdfgklmnprstvz]|[bdgkpt][rl]|st)[aeiou][lnrs]?(?:zw|vr|kn|gl|pf|dw|skr|zl)[aeiou][kxmtbv]"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_size_and_names(seed: int) -> None:
    """40 teams, 300 services, a repository for each and some that belong to none; every id once."""
    company = Company.build(seed, START)
    assert len(company.teams) == len({team.id for team in company.teams}) == 40
    assert len(company.services) == len({service.id for service in company.services}) == 300
    assert len(company.repos) == len({repo.id for repo in company.repos}) == 315
    trials = [repo for repo in company.repos if repo.trial]
    assert [repo.name for repo in trials if repo.maintained] == ["trial-3", "trial-6"]
    assert [repo.name for repo in trials if repo.template] == ["trial-1", "trial-2", "trial-4", "trial-5", "trial-7"]
    sandboxes = {repo.name: repo for repo in company.repos if repo.service is None and not repo.trial}
    assert list(sandboxes) == [f"sandbox-{n}" for n in range(1, 9)]
    assert [name for name, repo in sandboxes.items() if repo.codeowners] == ["sandbox-1", "sandbox-5"]
    assert [name for name, repo in sandboxes.items() if repo.maintained] == ["sandbox-2", "sandbox-6"]
    unowned = ["sandbox-3", "sandbox-4", "sandbox-7", "sandbox-8"]
    assert [repo.name for repo in company.repos if repo.owner == ("_unowned", "_unowned")] == unowned
    assert {repo.codeowners for repo in company.repos} == {"", ".github/CODEOWNERS", "docs/CODEOWNERS", "CODEOWNERS"}
    assert {service.team for service in company.services} == {team.id for team in company.teams}
    assert [cluster.name for cluster in company.clusters] == ["eu", "us"]


def test_no_name_of_a_person() -> None:
    """People are handles, and the words in names of teams and services are made up by rule."""
    company = Company.build(1, START)
    people = [handle for team in company.teams for handle in team.people]
    assert all(re.fullmatch(r"u-[0-9a-f]{4}", handle) for handle in people)
    assert len(people) == len(set(people))
    assert all(re.fullmatch(f"team-{WORD}", team.id) for team in company.teams if team.id not in PLATFORM_TEAMS)
    assert all(re.fullmatch(f"{WORD}-[a-z]+", service.id) for service in company.services)


def test_same_seed_same_company() -> None:
    """The layout follows from the seed; another seed gives another one."""
    assert Company.build(7, START) == Company.build(7, START)
    assert Company.build(7, START).services != Company.build(8, START).services


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_use_changes_over_time(seed: int) -> None:
    """Each of CI, delivery and Kubernetes has services that use it, never did, began, stopped, and came back to it."""
    company = Company.build(seed, START)
    for spans in (
        [s.ci for s in company.services],
        [s.delivery for s in company.services if s.ci],
        [s.kubernetes for s in company.services if s.delivery],
    ):
        first, last = [active(s, 0) for s in spans], [active(s, HISTORY_DAYS) for s in spans]
        assert 0.5 < sum(last) / len(spans) < 1
        assert any(not span for span in spans)
        assert any(b and not a for a, b in zip(first, last, strict=True))
        assert any(a and not b for a, b in zip(first, last, strict=True))
    assert any(len(spans) == 2 for s in company.services for spans in (s.ci, s.delivery, s.kubernetes))
    assert sum(team.until < HISTORY_DAYS for team in company.teams) == 2


def test_days_are_counted_locally() -> None:
    """The history begins 90 local days before the start; half an hour before local midnight is still the day before."""
    company = Company.build(1, datetime(2026, 5, 20, 22, 30, tzinfo=UTC), teams=8, services=8)
    assert company.epoch == date(2026, 2, 20)
    assert company.day(company.start) == 90
    assert company.day(datetime(2026, 5, 20, 21, 30, tzinfo=UTC)) == 89
    assert max(BAD_WEEK) < HISTORY_DAYS


def test_what_is_no_company() -> None:
    """A start without zone, too few teams, and teams without a service are refused with what to write instead."""
    with pytest.raises(ValueError, match="has no zone; give it one, such as"):
        Company.build(1, datetime(2026, 5, 20))  # noqa: DTZ001 - the point
    with pytest.raises(ValueError, match="a company needs 8 teams or more, and a service for each; got 3 and 300"):
        Company.build(1, START, teams=3)
    with pytest.raises(ValueError, match="got 40 and 10"):
        Company.build(1, START, services=10)
