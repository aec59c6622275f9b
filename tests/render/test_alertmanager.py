"""The configuration of Alertmanager that is made of Plans; `tests/real/test_alertmanager.py` asks Alertmanager itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
import yaml
from tests.support.our_slos import our_plans
from tests.support.places import ROOT
from tests.support.slos import ASKED, RATIO, SLICES, STORED, planned

from platform_meter.model.generated import HEADER
from platform_meter.render.alertmanager import alertmanager, faster, receiver
from platform_meter.render.artifact import is_ours
from platform_meter.slo.burnrate import Level
from platform_meter.slo.plan import Plan

OWNED = planned(RATIO)
UNOWNED = planned(SLICES)
HUMAN = planned(
    STORED,
    (
        "io/owner: team-ci}",
        "io/owner: team-ci, platform-meter.io/alerts: human}",
    ),
    ("  service: ci\n", "  service: ci\n  timeWindow: [{duration: 91d, isRolling: true}]\n"),
)


def config(plans: Iterable[Plan]) -> dict[str, Any]:
    """The file, read as YAML."""
    found: dict[str, Any] = yaml.safe_load(alertmanager(plans).text)
    return found


def owned_by(owner: str) -> Plan:
    """An SLO of this owner."""
    return replace(OWNED, owner=owner)


def test_the_file_is_ours_and_may_have_any_name() -> None:
    """So that it is replaced by the next one, and by nothing else."""
    made = alertmanager([OWNED], "routes.yaml")
    assert (made.path, made.text.startswith(HEADER)) == ("routes.yaml", True)
    assert is_ours(made.path, made.text)
    assert alertmanager([]).path == "alertmanager.yml"


def test_the_order_of_files_says_nothing() -> None:
    """The same SLOs give the same bytes."""
    plans = our_plans()
    assert alertmanager(reversed(plans)).text == alertmanager(plans).text


def test_each_owner_has_a_route_and_under_it_one_for_pages() -> None:
    """Whatever of the owner's is no page stays on the owner's own route; SLOs without one, and the rest, go to the meter's."""
    made = config([owned_by("team-b"), UNOWNED, owned_by("team-a"), owned_by("team-b")])
    pages = {
        "matchers": ['level="page"'],
        "group_by": ["slo", "service", "level"],
        "group_wait": "10s",
        "group_interval": "1m",
        "repeat_interval": "4h",
    }
    assert made["route"] == {
        "receiver": "platform-meter-ticket",
        "group_by": ["alertname", "slo", "service"],
        "group_wait": "2m",
        "group_interval": "5m",
        "repeat_interval": "3d",
        "routes": [
            *(
                {
                    "matchers": [f'owner="{owner}"'],
                    "receiver": f"{owner}-ticket",
                    "routes": [{**pages, "receiver": f"{owner}-page"}],
                }
                for owner in ("team-a", "team-b")
            ),
            {**pages, "receiver": "platform-meter-page"},
        ],
    }
    assert [one["name"] for one in made["receivers"]] == [
        f"{who}-{level}" for who in ("platform-meter", "team-a", "team-b") for level in ("page", "ticket")
    ]


def test_waits_are_those_of_the_example() -> None:
    """`deploy/alertmanager/` and what is generated tell at the same time."""
    example = yaml.safe_load((ROOT / "deploy" / "alertmanager" / "alertmanager.yml").read_text())["route"]
    made = config([OWNED])["route"]
    waits = ("group_wait", "group_interval", "repeat_interval")
    assert [made[wait] for wait in waits] == [example[wait] for wait in waits]
    assert [made["routes"][-1][wait] for wait in waits] == [example["routes"][0][wait] for wait in waits]


def test_a_page_silences_what_it_silences_in_the_example() -> None:
    """There and here alike."""
    example, *_ = yaml.safe_load((ROOT / "deploy" / "alertmanager" / "alertmanager.yml").read_text())["inhibit_rules"]
    made, *_ = config([OWNED])["inhibit_rules"]
    assert (made["target_matchers"], made["equal"]) == (example["target_matchers"], example["equal"])
    assert set(example["source_matchers"]) < set(made["source_matchers"])


def test_who_owns_the_meter_has_what_nobody_owns() -> None:
    """An owner called as the meter's own receivers are shares them: none is written twice, which Alertmanager refuses."""
    names = [one["name"] for one in config([owned_by("platform-meter")])["receivers"]]
    assert names == ["platform-meter-page", "platform-meter-ticket"]


@pytest.mark.parametrize(
    ("owner", "matcher"),
    [
        ("Team Blue, Berlin", 'owner="Team Blue, Berlin"'),
        ('the "best" team', r'owner="the \"best\" team"'),
        ("it's {ours}", """owner="it's {ours}\""""),
        ("a\\b", r'owner="a\\b"'),
        ("two\nlines", r'owner="two\nlines"'),
        ("tab\there", 'owner="tab\there"'),
        ("équipe: ø #1", 'owner="équipe: ø #1"'),
        (".*", 'owner=".*"'),
        (" ", 'owner=" "'),
        ("\x7f\ufeff", 'owner="\x7f\ufeff"'),
        ("no", 'owner="no"'),
    ],
)
def test_any_owner_is_quoted(owner: str, matcher: str) -> None:
    """In YAML and in the matcher, where only quotes, backslashes and line ends are escaped; receivers have the text as it is."""
    made = config([owned_by(owner)])
    (route, _) = made["route"]["routes"]
    assert (route["matchers"], route["receiver"]) == ([matcher], f"{owner}-ticket")
    assert route["routes"][0]["receiver"] == f"{owner}-page"
    assert {f"{owner}-page", f"{owner}-ticket"} <= {one["name"] for one in made["receivers"]}


def test_no_two_owners_share_a_receiver() -> None:
    """Though one is called as another one's receiver."""
    owners = ("", "a", "a-page", "a-ticket")
    assert len({receiver(owner, level) for owner in owners for level in Level}) == 8


def test_windows_of_one_level_from_fast_to_slow() -> None:
    """Of every profile, and those of a short period as they are scaled; without burn alerts there are none."""
    week = planned(RATIO, ("duration: 30d", "duration: 7d"))
    assert faster([OWNED]) == (("page", "1h", "6h"), ("ticket", "1d", "3d"))
    assert faster([HUMAN]) == (("ticket", "7d", "14d"),)
    assert faster([week]) == (("page", "14m", "84m"), ("ticket", "336m", "1008m"))
    assert faster([OWNED, HUMAN, OWNED]) == (("page", "1h", "6h"), ("ticket", "1d", "3d"), ("ticket", "7d", "14d"))
    assert faster([planned(RATIO, ("io/owner: team-shop", "io/alerts: none"))]) == ()


def test_a_pair_that_is_the_other_way_round_somewhere_silences_nothing() -> None:
    """Rules go by windows, so what is right for one SLO has to be right for all that have both."""
    fast, slow, *tickets = OWNED.alerts
    odd = replace(
        OWNED,
        slo="odd",
        alerts=(replace(fast, row=replace(fast.row, factor=2)), slow, *tickets),
    )
    assert faster([odd]) == (("ticket", "1d", "3d"),)
    assert faster([OWNED, odd]) == faster([odd, OWNED]) == (("ticket", "1d", "3d"),)


def test_what_silences_what() -> None:
    """A page the tickets of its SLO, a faster row a slower one, the meter that is gone the SLOs that it counts; nothing else."""
    rules = config([OWNED, UNOWNED, planned(STORED), planned(ASKED)])["inhibit_rules"]

    def row(level: str, fast: str, slow: str) -> dict[str, list[str]]:
        both = ['alertname="SLOBurn"', f'level="{level}"']
        return {
            "source_matchers": [*both, f'window="{fast}"', 'slo!=""'],
            "target_matchers": [*both, f'window="{slow}"'],
            "equal": ["slo", "severity"],
        }

    assert rules == [
        {
            "source_matchers": ['alertname="SLOBurn"', 'level="page"', 'slo!=""'],
            "target_matchers": ['alertname=~"SLOBurn|SLOBudgetExhausted"', 'level="ticket"'],
            "equal": ["slo"],
        },
        row("page", "1h", "6h"),
        row("ticket", "1d", "3d"),
        {
            "source_matchers": ['alertname="PlatformMeterGone"'],
            "target_matchers": ['alertname="SLONoData"', 'slo=~"ci-success|logged"'],
        },
    ]


def test_an_slo_that_prometheus_counts_has_data_without_the_meter() -> None:
    """So that the meter is gone says nothing of it, and there is no rule which says so of no SLO, and thus of all."""
    assert not any("PlatformMeterGone" in str(rule) for rule in config([OWNED])["inhibit_rules"])


def test_without_slos_the_meter_is_told_of() -> None:
    """The file is whole: its own alerts go to the meter's receiver."""
    made = config([])
    assert [one["name"] for one in made["receivers"]] == ["platform-meter-page", "platform-meter-ticket"]
    assert len(made["route"]["routes"]) == 1
