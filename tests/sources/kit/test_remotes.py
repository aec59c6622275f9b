"""Git remotes: the repository behind an address."""

from __future__ import annotations

import pytest

from platform_meter.sources.kit.remotes import repository


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("https://github.com/acme/shop.git", "github:acme/shop"),
        ("https://x-token@github.acme.example/acme/shop", "github:acme/shop"),
        ("https://github.com:8443/acme/shop/", "github:acme/shop"),
        ("github.com/acme/shop", "github:acme/shop"),
        ("git@github.com:acme/shop.git", "github:acme/shop"),
        ("ssh://git@gitlab.example:2222/group/sub/shop.git", "gitlab:group/sub/shop"),
        ("GitLab.example:group/shop", "gitlab:group/shop"),
        ("https://bitbucket.org/acme/shop.git", ""),
        ("https://charts.example/acme", ""),
        ("https://github.com/acme", ""),
        ("https://[github.com/acme/shop", ""),
        ("/srv/git/github/shop.git", ""),
        ("", ""),
    ],
)
def test_a_remote_names_its_repository(url: str, named: str) -> None:
    """However it is written; of a host that is none of the known systems nothing is said."""
    assert repository(url) == named
