"""What items of all roadmaps in GitHub have in common."""

from __future__ import annotations

import pytest

from platform_meter.model.facts.roadmap import ItemStatus
from platform_meter.model.programme import RoadmapSource
from platform_meter.sources.github.planning import Planning, status_of


def planning(*issues: str, links: bool = True) -> Planning:
    source = {"type": "github_milestones", "project": "acme/plans"}
    feedback = {"links": links, "label": "feedback:*"}
    said = {"kind": "RoadmapSource", "id": "plan", "source": source, "feedback": feedback}
    return Planning(roadmap=RoadmapSource.model_validate(said), instance="gh", issues=issues)


def test_a_text_names_tickets_of_repositories_whose_issues_are_tickets() -> None:
    """By number, by name or by address, each once; of other repositories, and within a longer word, it names none."""
    text = (
        "Asked in #12, acme/support#3 and https://github.com/acme/support/issues/3, see other/support#9, a/b/c#4 "
        "and colour #00ff00; done by acme/payments#8 (#0, x#5)"
    )
    assert planning("support", "plans").feedback(text, "acme/plans") == (
        "gh:acme/plans#12",
        "gh:acme/support#3",
        "gh:other/support#9",
    )
    assert planning("support").feedback("#12", "acme/plans") == ()
    assert planning("*", links=False).feedback(text, "acme/plans") == ()
    assert planning("*").feedback(None, "acme/plans") == ()


def test_labels_name_themes() -> None:
    """Those that begin as the file says."""
    assert planning().roadmap.feedback.themes(["feedback:docs", "bug", "feedback:builds", "feedback:"]) == (
        "builds",
        "docs",
    )


@pytest.mark.parametrize(
    ("state", "reason", "status"),
    [
        ("open", None, ItemStatus.PLANNED),
        ("closed", "completed", ItemStatus.DONE),
        ("closed", None, ItemStatus.DONE),
        ("CLOSED", "NOT_PLANNED", ItemStatus.DROPPED),
        ("closed", "duplicate", ItemStatus.DROPPED),
        ("MERGED", None, ItemStatus.DONE),
        ("open", "reopened", ItemStatus.PLANNED),
    ],
)
def test_an_issue_tells_how_it_stands(state: str, reason: str | None, status: ItemStatus) -> None:
    """In either way that GitHub writes it."""
    assert status_of(state, reason) is status
    assert status_of("open", None, started=True) is ItemStatus.STARTED
