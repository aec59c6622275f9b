"""Repositories that only GitHub knows the owner of, from its API through the store to the ownership join."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.support.company import company

from platform_meter.model.facts.ci import PipelineRun


def test_codeowners_are_found_end_to_end(tmp_path: Path) -> None:
    """Rule 5 gives sandboxes their team, with the reason; where GitHub says nothing they stay unowned.

    After one poll the runs of the past are the team's too.
    """
    with company(tmp_path, teams=8, services=40) as running:
        wanted = {repo.full_name: repo.owner for repo in running.world.company.repos if not repo.archived}
        alone = {
            r.full_name
            for r in running.world.company.repos
            if r.service is None and (r.codeowners or r.maintained) and not r.template  # those are in the catalog
        }
        assert len(alone) == 6
        running.poll()
        with running.service.history() as history:
            rows = {row.name.removeprefix("github:"): row for row in history.objects(kind="repository")}
            owners = {name: history.owner(row.id) for name, row in rows.items() if name in wanted}
            runs = history.rows(PipelineRun, running.first - timedelta(days=90), running.first)
            teams = {row.event.about.id: history.owner(row.object).team for row in runs}
        assert {name: (owner.service, owner.team) for name, owner in owners.items()} == wanted
        assert {name: owners[name].rule for name in alone} == {
            name: f"5 codeowners {wanted[name][1]}" for name in alone
        }
        built = {name for name in alone if teams.get(name)}
        assert built == {name for name in alone if name.startswith("acme/sandbox-")}
        assert all(teams[name] == wanted[name][1] for name in built)
        assert {owner.conflict for owner in owners.values()} == {""}
