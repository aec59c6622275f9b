"""Selection: what each number of delivery is made of."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from tests.support.delivery import NOW, SHOP, at, broken, deployed, merged, scene
from tests.support.history import MemoryHistory, owner, source

from platform_meter.measures.delivery.book import Merged
from platform_meter.measures.delivery.judged import judged
from platform_meter.measures.delivery.selection import select, stages, teams
from platform_meter.model.definitions import Definitions
from platform_meter.model.delivering import Delivery, Start
from platform_meter.model.facts import Event, Ref
from platform_meter.model.facts.delivery import Change, Deployment
from platform_meter.model.facts.incidents import Incident
from platform_meter.model.measure import Scene

A, B, C, D = "a" * 40, "b" * 40, "c" * 40, "d" * 40


def made(scene_: Scene, name: str, *labels: str) -> list[tuple[float, float]] | None:
    """What the series of the team with these labels is made of: what each part adds, to whole and part."""
    found = {(name_.removeprefix("platform_dora_"), *at_): parts for (name_, at_), parts in select(scene_).items()}
    parts = found.get((name, "pay", *labels))
    return None if parts is None else [(part.adds, part.part) for part in parts]


def test_deployments_per_day_are_over_the_days_that_are_known() -> None:
    """28 of them; where the sources were read for seven days alone, seven."""
    facts = [deployed(hour, f"{hour:040x}") for hour in (1, 30, 60)]
    assert made(scene(*facts), "deployments_per_day", "28d") == [(1 / 28, 0.0)] * 3
    young = source("github", watermark=NOW, read_from=NOW - timedelta(days=7))
    late = [("github", SHOP, deployed(600, A))]
    history = MemoryHistory(late, sources=(young,), gives={"github": frozenset({Deployment, Change})})
    assert made(Scene(history=history, definitions=Definitions(), now=NOW), "deployments_per_day", "28d") == [
        (1 / 7, 0.0)
    ]


def test_windows_end_where_the_sources_were_read_to() -> None:
    """What was deployed after the watermark is none of it yet, and what is 28 days older than it is not any more."""
    until = NOW - timedelta(hours=5)
    history = MemoryHistory(
        [("github", SHOP, deployed(hours, f"{n:040x}")) for n, hours in enumerate((-5.1, -5, 600, 668))],
        sources=(source("github", watermark=until),),
        gives={"github": frozenset({Deployment, Change})},
    )
    found = made(Scene(history=history, definitions=Definitions(), now=NOW), "samples", "deployments", "28d")
    assert found == [(1.0, 0.0)] * 2


def test_of_a_stale_source_nothing_is_told() -> None:
    """Neither of deployments nor, where incidents are not read any more, of failures."""
    stale = source("github", watermark=NOW, fresh=False)
    told = [("github", SHOP, deployed(600, A))]
    history = MemoryHistory(told, sources=(stale,))
    assert select(Scene(history=history, definitions=Definitions(), now=NOW)) == {}
    blind = MemoryHistory(
        told,
        sources=(source("github", watermark=NOW), source("pagerduty", watermark=NOW, fresh=False)),
        gives={"github": frozenset({Deployment, Change}), "pagerduty": frozenset({Incident})},
    )
    found = {metric for metric, _ in select(Scene(history=blind, definitions=Definitions(), now=NOW))}
    assert "platform_dora_deployments_per_day" in found
    assert not found & {
        "platform_dora_change_failure_ratio",
        "platform_dora_open_failures",
        "platform_dora_unlinked_incidents",
    }


def test_deploy_days_are_counted_in_full_weeks_of_the_zone() -> None:
    """Thirteen of them, those without any among them; two releases of one day are one day."""
    monday = at(0)
    facts = [deployed(1, A), deployed(3, B), deployed(26, C), deployed(-1, D)]
    sunday_late = scene(*facts, zone=ZoneInfo("America/New_York"))
    (series,) = (
        [p.what for p in parts] for (m, _), parts in select(scene(*facts)).items() if m.endswith("deploy_day_ratio")
    )
    assert len(series) == 13
    assert series[-5:] == [
        "week of 2026-05-25: 1 of 7 days",
        f"week of {monday:%Y-%m-%d}: 2 of 7 days",
        "week of 2026-06-08: 0 of 7 days",
        "week of 2026-06-15: 0 of 7 days",
        "week of 2026-06-22: 0 of 7 days",
    ]
    (western,) = (
        [p.what for p in parts] for (m, _), parts in select(sunday_late).items() if m.endswith("deploy_day_ratio")
    )
    assert western[-4:-2] == ["week of 2026-05-25: 1 of 7 days", "week of 2026-06-01: 1 of 7 days"]


def test_the_change_failure_ratio_counts_a_release_once_and_leaves_young_ones_out() -> None:
    """Two incidents of one of eight releases: 0.125. What was released within the last day nobody can judge yet."""
    facts: list[Event] = [deployed(hour, f"{hour:040x}") for hour in range(0, 400, 50)]
    incidents = [broken(51, 52), broken(53, 54)]
    young = deployed(672 - 20, A)
    found = made(scene(*facts, *incidents, young, broken(672 - 19, None)), "change_failure_ratio", "28d")
    assert found is not None
    assert (sum(whole for whole, _ in found), sum(part for _, part in found)) == (8.0, 1.0)


def test_stages_of_a_change_are_those_whose_moments_are_known() -> None:
    """Written 20 h, opened 10 h, reviewed 4 h before the merge; deployed 2 h after it."""
    one = merged(100, A)
    change = Merged(
        key="k", at=one.at, sha=A, opened=one.opened, first_commit=one.first_commit, first_review=one.first_review
    )
    hours = {stage: seconds / 3600 for stage, seconds in stages(change, at(102), Start.FIRST_COMMIT).items()}
    assert hours == {"coding": 10.0, "pickup": 6.0, "review": 4.0, "deploy": 2.0, "total": 22.0}
    bare = Merged(key="k", at=one.at, sha=A, opened=one.opened)
    assert sorted(stages(bare, at(102), Start.FIRST_COMMIT)) == ["deploy"]
    assert stages(bare, at(102), Start.OPENED)["total"] == 12 * 3600
    assert stages(bare, at(102), Start.MERGED)["total"] == 2 * 3600


def test_lead_times_leave_out_bots_and_what_ran_backwards() -> None:
    """A rewritten history may have been written after it was merged: it is counted as dropped."""
    facts: list[Event] = [merged(0, A), deployed(1, A)]
    facts += [merged(2, B), merged(3, C, bot=True), merged(4, D, first_commit=at(10), opened=at(3)), deployed(5, D)]
    assert made(scene(*facts), "lead_time_seconds", "total", "28d", "0.5") == [(23 * 3600.0, 0.0)]
    assert made(scene(*facts), "samples", "dropped", "28d") == [(1.0, 0.0)]
    bots = Delivery.model_validate({"kind": "Delivery", "id": "delivery", "lead_time": {"bots": True}})
    found = made(scene(*facts, definitions=Definitions(deliveries=(bots,))), "samples", "lead_time", "28d")
    assert found == [(1.0, 0.0)] * 2


def test_recovery_belongs_to_the_window_of_its_end() -> None:
    """From the first failure to the last end; one that is open is in none."""
    facts: list[Event] = [deployed(-30, A), deployed(10, B), deployed(40, C)]
    found = scene(*facts, broken(-29, 3), broken(11, 13), broken(12, 16), broken(41, None))
    assert made(found, "recovery_time_seconds", "28d", "0.5") == [(32 * 3600.0, 0.0), (5 * 3600.0, 0.0)]
    assert made(found, "open_failures") == [(1.0, 0.0)]
    assert made(found, "oldest_open_failure_seconds") == [((672 - 41) * 3600.0, 0.0)]


def test_unlinked_incidents_are_told() -> None:
    """Those of the last 28 days; also of a team that released nothing."""
    assert made(scene(deployed(1, A), broken(100, 101), broken(-1, 2)), "unlinked_incidents") == [(1.0, 0.0)]
    assert made(scene(broken(100, 101)), "unlinked_incidents") == [(1.0, 0.0)]
    assert made(scene(broken(100, 101)), "change_failure_ratio", "28d") is None


def test_things_are_of_the_team_that_owned_them_then() -> None:
    """In order of name."""
    found = teams(judged(scene((replace(SHOP, team="web"), deployed(1, A)), broken(2, 3))))
    assert list(found) == ["pay", "web"]


def test_no_metric_is_told_of_a_team_without_releases_but_what_went_wrong_there() -> None:
    """It may have released long ago, or never."""
    names = {metric for metric, _ in select(scene(broken(100, 101)))}
    assert names == {"platform_dora_unlinked_incidents", "platform_dora_open_failures"}


def test_a_look_at_the_past_has_windows_that_ended_then() -> None:
    """28 days back: what was deployed before the window of now, and nothing of it."""
    facts = [deployed(hour, f"{abs(hour):040x}") for hour in (-700, -600, -500, 20)]
    found = select(scene(*facts), timedelta(days=28))
    assert found["platform_dora_deployments_per_day", ("pay", "28d")] == [
        (1 / 28, 0.0, part.record, "") for part in found["platform_dora_samples", ("pay", "deployments", "28d")]
    ]
    assert [
        part.record.part.at for part in found["platform_dora_samples", ("pay", "deployments", "28d")] if part.record
    ] == [
        at(-600),
        at(-500),
    ]


def test_one_team_alone_has_what_it_has_among_all() -> None:
    """And nobody else is there."""
    web = replace(deployed(30, A), about=Ref(system="github", kind="repository", id="acme/web"))
    told = scene(deployed(20, B), (owner("web", "alpha"), web))
    every = select(told)
    assert {labels[0] for _, labels in every} == {"alpha", "pay"}
    assert select(told, only="pay") == {at_: parts for at_, parts in every.items() if at_[1][0] == "pay"}
