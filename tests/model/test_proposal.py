"""What is found around, and proposals made of it."""

from __future__ import annotations

from platform_meter.model.proposal import Surroundings


def test_the_first_variable_that_is_set_is_taken() -> None:
    """In the order of those who ask; none is no name."""
    around = Surroundings(variables=frozenset({"GH_TOKEN", "GITHUB_TOKEN"}))
    assert around.variable("GITHUB_TOKEN", "GH_TOKEN") == "GITHUB_TOKEN"
    assert around.variable("GITLAB_TOKEN", "GH_TOKEN") == "GH_TOKEN"
    assert around.variable("GITLAB_TOKEN") == ""
