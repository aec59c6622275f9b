"""Roadmaps that files declare reach the sources that they stand in."""

from __future__ import annotations

from typing import Any

from platform_meter.model.programme import RoadmapSource
from platform_meter.runtime.files.config import SourceSection
from platform_meter.runtime.files.roadmaps import with_roadmaps
from platform_meter.sources import load

JIRA: dict[str, Any] = {"url": "https://acme.atlassian.net", "token": {"env": "T"}}


def section(type_: str, **settings: Any) -> SourceSection:
    return SourceSection(type_name=type_, config=load()[type_].config.model_validate(settings))


def plan(id_: str, **more: Any) -> RoadmapSource:
    source = {"type": "jira", "project": "ROAD", **more}
    return RoadmapSource.model_validate({"kind": "RoadmapSource", "id": id_, "source": source, "period_field": "Q"})


def told(sections: dict[str, SourceSection], *plans: RoadmapSource) -> dict[str, list[str]]:
    found = with_roadmaps(sections, plans, load())
    assert list(found) == list(sections)
    return {name: [one.id for one in getattr(of.config, "roadmaps", ())] for name, of in found.items()}


def test_a_roadmap_stands_in_the_one_source_of_its_type_or_in_the_one_it_names() -> None:
    """Where it is not said which of two it is, none reads it; other types and those that read none are as they were."""
    one = {"jira": section("jira", **JIRA), "push": section("push")}
    assert told(one, plan("a"), plan("b")) == {"jira": ["a", "b"], "push": []}
    two = {"eu": section("jira", **JIRA), "us": section("jira", **JIRA)}
    assert told(two, plan("a"), plan("b", instance="us"), plan("c", instance="asia")) == {"eu": [], "us": ["b"]}


def test_one_that_its_file_holds_stands_in_no_source() -> None:
    """Nothing has to be read for it."""
    written = RoadmapSource.model_validate(
        {"kind": "RoadmapSource", "id": "r", "source": {"type": "yaml", "items": [{"id": "a"}]}}
    )
    assert told({"jira": section("jira", **JIRA)}, written) == {"jira": []}
