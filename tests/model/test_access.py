"""Ways to be let in: where a secret stands, and where to look when one is not accepted."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from platform_meter.model.access import GithubApp, Secret


@pytest.mark.parametrize("said", [{}, {"env": "A", "file": "a"}, {"env": ""}])
def test_a_secret_stands_in_one_place(said: dict[str, str]) -> None:
    """In a variable or in a file; its value is never written into the configuration."""
    with pytest.raises(ValidationError, match=r"write either \{env: NAME\} or \{file: path\}"):
        Secret.model_validate(said)
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        Secret.model_validate({"value": "not-to-be-written"})


def test_a_secret_is_named_not_held() -> None:
    """What is shown of it is where it stands."""
    assert repr(Secret(env="GITHUB_TOKEN")) == "Secret(file=None, env='GITHUB_TOKEN')"


def test_an_app_says_where_to_look() -> None:
    """Which key, and of which app: an organisation may have several."""
    app = GithubApp(app="Iv1.abc", key_file="/etc/meter/app.pem", org="acme", url="https://api.github.com")
    assert app.whence == "the key /etc/meter/app.pem of the GitHub App Iv1.abc"
