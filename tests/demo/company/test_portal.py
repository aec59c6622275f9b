from __future__ import annotations

from datetime import timedelta

from tests.demo.worlds import START

from platform_meter.demo.company.layout import Company
from platform_meter.demo.company.portal import entries, listed, runs, visits

COMPANY = Company.build(1, START, teams=12, services=90)
DAY = timedelta(days=1)


def test_the_catalog_is_neither_whole_nor_complete() -> None:
    """Some services are not in it, and some entries lack something; what templates made is there, whole."""
    found = list(entries(COMPANY))
    assert len({(one.kind, one.name) for one in found}) == len(found)
    components = [one for one in found if one.kind == "Component"]
    assert 70 < len(components) == sum(listed(service) for service in COMPANY.services) < 90
    for lacking in ("owner", "system", "description"):
        assert 0 < sum(not getattr(one, lacking) for one in components) < len(components) / 3
    assert {one.repository for one in found if one.template} == {r.name for r in COMPANY.repos if r.template}


def test_runs_are_the_same_whoever_asks_and_when() -> None:
    """The newest first; later ones come before them, and none changes."""
    now, then = runs(COMPANY, START), runs(COMPANY, START + 2 * DAY)
    assert then[-len(now) :] == now
    assert [one.began for one in then] == sorted((one.began for one in then), reverse=True)
    assert len({one.id for one in then}) == len(then)
    assert {one.outcome for one in now} == {"completed", "failed", "cancelled"}
    assert all(one.person in COMPANY.team[one.team].people for one in now)


def test_what_people_do_falls_into_a_stretch_of_time_once() -> None:
    """However it is cut."""
    whole = visits(COMPANY, START - 3 * DAY, START)
    parts = [*visits(COMPANY, START - 3 * DAY, START - DAY), *visits(COMPANY, START - DAY, START)]
    assert parts == whole
    assert {one.did for one in visits(COMPANY, START - 30 * DAY, START)} == {"navigate", "docs", "search", "vote"}
