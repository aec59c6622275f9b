"""docs/operations.md: its web configurations are sound as they stand."""

from __future__ import annotations

import re

import pytest
from tests.support.places import DOCS

from platform_meter.runtime.access.roles import Role
from platform_meter.runtime.access.web_config import WebConfig, read_web_config

PAGE = (DOCS / "operations.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```yml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_there_is_an_example() -> None:
    """Else the next test would be about nothing."""
    assert len(EXAMPLES) == 1


@pytest.mark.parametrize("text", EXAMPLES)
def test_a_web_configuration_can_be_copied(text: str) -> None:
    """It has no problem, and lets in those alone whom it names."""
    found = read_web_config(text, "web.yml")
    assert isinstance(found, WebConfig), found
    assert found.lets_in


def test_every_role_is_explained() -> None:
    """In the table of its section, one row for each."""
    section = PAGE.partition("### Roles\n")[2].partition("###")[0]
    assert re.findall(r"^\| `([a-z]+)` \|", section, re.MULTILINE) == [role.value for role in Role]
