"""What is found around, and proposals made of it."""

from __future__ import annotations

from platform_meter.model.proposal import Surroundings


def test_the_first_variable_that_is_set_is_taken() -> None:
    """In the order of those who ask; none is no name."""
    around = Surroundings(variables=frozenset({"GH_TOKEN", "GITHUB_TOKEN"}))
    assert around.variable("GITHUB_TOKEN", "GH_TOKEN") == "GITHUB_TOKEN"
    assert around.variable("GITLAB_TOKEN", "GH_TOKEN") == "GH_TOKEN"
    assert around.variable("GITLAB_TOKEN") == ""


def test_owners_are_the_first_part_of_what_remotes_name() -> None:
    """However an address is written, with a port too; that of `origin` first, each once; look-alikes are none."""
    around = Surroundings(
        remotes=(
            ("fork", "https://git.example:8443/other/app.git"),
            ("mirror", "git@git.example:other/app"),
            ("origin", "ssh://git@git.example:22/acme/shop/app.git"),
            ("far", "https://git.example.test/third/app"),
            ("near", "https://gitXexample/third/app"),
        )
    )
    assert around.owners_on("git.example") == ("acme", "other")
    assert around.owners_on("github.com") == ()
