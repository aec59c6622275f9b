"""The Compliance page."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.adoption import NOW, TODAY, service
from tests.support.history import MemoryHistory
from tests.support.standards import EU, at, covered, golden, stands, was
from tests.support.views import html, rows, tables, view

from platform_meter.measures.adoption.standards import compute
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts.kubernetes import Workload
from platform_meter.model.facts.practices import Quota
from platform_meter.model.measure import Scene
from platform_meter.model.metric import resolve
from platform_meter.web.pages import compliance
from platform_meter.web.pages.compliance import PAGE
from platform_meter.web.view import View

DAY = timedelta(days=1)
SERVICES = (service("pay", "a"), service("shop", "a"), service("web", "b"), service("old", "b"))


def shown(scene: Scene) -> View:
    """What is shown of a scene, after a tick at the same moment."""
    said = rows(*((s.metric, s.labels, v) for s in compute(scene) if (v := resolve(s.value)) is not None))
    assert isinstance(scene.history, MemoryHistory)
    return view(NOW, scene.history, definitions=scene.definitions, rows=said)


def company() -> Scene:
    """pay fails by two of three workloads, shop passes, web has none, old is exempt."""
    held = [stands("pay", name) for name in ("p1", "p2", "p3")] + [covered("pay", "p2"), stands("old", "o1")]
    held += [stands("shop", "s1"), covered("shop", "s1")]
    taken = [was("fails", TODAY - n * DAY) for n in (2, 1)] + [was("passes", TODAY - 3 * DAY)]
    taken += [was("passes", TODAY - DAY, "shop")]
    exempt = [
        {"unit": "old", "until": TODAY + DAY, "reason": "is switched off"},
        {"unit": "pay", "until": TODAY - 30 * DAY, "reason": "waited for a base"},
    ]
    return at(golden(title="Golden images", exempt=exempt), held=held, services=SERVICES, taken=taken)


def test_who_fails_by_what_since_when_and_who_is_exempt_until_when() -> None:
    """Each list names its units; a unit that was exempt once says so."""
    found = tables(shown(company()), PAGE.path)
    assert found["Golden images / Fail"].rows == (
        (
            "pay",
            "a",
            "2 of 3: eu/prod/Deployment/p1, eu/prod/Deployment/p3 was exempt until 11 May 2026",
            "08 Jun 2026",
        ),
    )
    assert found["Golden images / Unknown"].rows == (
        ("web", "b", "no workloads that have stood for an hour", "10 Jun 2026"),
    )
    assert found["Golden images / Exempt"].rows == (("old", "11 Jun 2026", "1 day", "is switched off"),)
    assert found["Teams and standards"].rows == (("a", "1 of 2"),)
    trend = found["Golden images / Services by verdict"]
    assert trend.columns == ("", "passes", "fails", "exempt", "unknown")
    assert trend.rows == (
        ("07 Jun", "1", "0", "0", "0"),
        ("08 Jun", "0", "1", "0", "0"),
        ("09 Jun", "1", "1", "0", "0"),
    )


def test_the_numbers_are_those_of_the_metrics() -> None:
    """Half of those that could be judged pass; the exempt and the unknown are no part of that."""
    text = html(shown(company()), PAGE.path)
    for name, value, more in (
        ("Pass", "50.0 %", "1 of 2 services that could be judged"),
        ("Fail", "1", "services"),
        ("Exempt", "1", "until a day that its file names"),
        ("Unknown", "1", "nothing that could be judged"),
    ):
        tile = text.partition(f'<div class="name">{name}</div>')[2].partition("</div></div>")[0]
        assert (f">{value}<" in tile, tile.endswith(f">{more}")) == (True, True), tile
    assert "Passes: all of its workloads are among the goldenimages of kubernetes." in text


def test_a_stale_source_makes_nobody_fail() -> None:
    """No number, no name, and the reason; the trend stays."""
    scene = company()
    stale = at(
        *scene.definitions.capabilities,
        services=SERVICES,
        sources=(replace(EU, fresh=False),),
        taken=[was("fails", TODAY - DAY)],
    )
    unread = at(*scene.definitions.capabilities, services=SERVICES, sources=(replace(EU, watermark=None),))
    assert "Nobody can say who keeps to it now: not all that tells of it was read yet." in html(
        shown(unread), PAGE.path
    )
    nothing = at(*scene.definitions.capabilities, services=SERVICES, sources=())
    assert "Nobody can say who keeps to it now: no configured source tells of it." in html(shown(nothing), PAGE.path)
    seen = shown(stale)
    text, found = html(seen, PAGE.path), tables(seen, PAGE.path)
    assert "Nobody can say who keeps to it now: no fresh data from eu." in text
    assert "Golden images / Fail" not in found
    assert "Teams and standards" not in found
    assert found["Golden images / Services by verdict"].rows == (("09 Jun", "0", "1", "0", "0"),)
    assert ">0<" not in text.partition('<div class="tiles">')[2].partition('<div class="figures">')[0]


def test_what_no_source_tells_of_is_named() -> None:
    """A workload in a cluster where nobody looks at images."""
    us = replace(EU, instance="us")
    held = [stands("pay", "p1"), covered("pay", "p1"), stands("pay", "p2", instance="us")]
    scene = at(golden(), held=held, services=SERVICES[:1], sources=(EU, us), gives={"us": frozenset({Workload})})
    (row,) = tables(shown(scene), PAGE.path)["golden / Unknown"].rows
    assert row == ("pay", "a", "no source tells of eu/prod/Deployment/p2", "10 Jun 2026 or earlier")


def test_too_few_are_counted_in_words() -> None:
    """A standard of a number of objects, by team, has no column of teams."""
    said = golden(
        unit="team", eligible={"any": [{"team": {}}]}, adopted={"source": "kubernetes", "count": "quotas", "min": 2}
    )
    scene = at(said, held=[covered("pay", "p1", kind=Quota)])
    text, found = html(shown(scene), PAGE.path), tables(shown(scene), PAGE.path)
    every = golden(adopted={**golden().adopted.model_dump(), "min": 2})
    one = at(every, held=[stands("pay", "p1"), covered("pay", "p1")])
    assert [row[2] for row in tables(shown(one), PAGE.path)["golden / Fail"].rows] == [
        "1 goldenimages; at least 2 asked for"
    ]
    assert "Passes: at least 2 quotas in kubernetes." in text
    assert found["golden / Fail"].columns == ("Team", "What", "Since")
    assert [row[:2] for row in found["golden / Fail"].rows] == [
        ("a", "1 quotas; at least 2 asked for"),
        ("b", "0 quotas; at least 2 asked for"),
    ]


def test_rules_name_what_they_select() -> None:
    """Of what is counted, and of what every one is asked of."""
    by = {
        "source": "kubernetes",
        "count": "policyreports",
        "select": {"by": ["require-limits"]},
        "min": 2,
        "every": {"count": "workloads", "select": {"namespace": ["prod-*", "live"]}},
    }
    assert (
        "Passes: all of its workloads (namespace prod-* or live) are among the policyreports of kubernetes "
        "(by require-limits), and at least 2 of them."
    ) in html(shown(at(golden(adopted=by))), PAGE.path)


def test_a_long_list_is_cut_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails longest stays; of many objects some are named."""
    monkeypatch.setattr(compliance, "SHOWN", 1)
    held = [stands("pay", f"p{n}") for n in range(5)] + [stands("shop", "s1")]
    scene = at(held=held, services=SERVICES[:2], taken=[was("fails", TODAY - DAY, "shop")])
    seen = shown(scene)
    assert [row[0] for row in tables(seen, PAGE.path)["golden / Fail"].rows] == ["shop"]
    assert "and 1 more, after these by the day since when." in html(seen, PAGE.path)
    monkeypatch.setattr(compliance, "SHOWN", 2)
    assert tables(seen, PAGE.path)["golden / Fail"].rows[1][2] == (
        "5 of 5: eu/prod/Deployment/p0, eu/prod/Deployment/p1, eu/prod/Deployment/p2 and 2 more"
    )


def test_without_a_standard_it_says_what_makes_one() -> None:
    """A capability that people choose is none."""
    text = html(view(NOW, definitions=Definitions(capabilities=(golden(mandated=False),))), PAGE.path)
    assert "No standard yet" in text
    assert "Teams and standards" not in text
