"""Fields by what people call them, and what they hold."""

from __future__ import annotations

from typing import Any

import pytest

from platform_meter.sources.jira.fields import NoField, found_field, words
from platform_meter.sources.jira.rows import Field


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("  Shop  one ", ["Shop one"]),
        ({"value": "SEV1", "id": "3"}, ["SEV1"]),
        ([{"name": "b"}, {"name": "a"}, {"name": "a"}], ["b", "a", "a"]),
        ([{"id": "4"}, None, 7, ""], []),
        (None, []),
    ],
)
def test_what_a_field_holds_is_read_as_text(value: Any, expected: list[str]) -> None:
    """A choice, a group, several of them, in the order in which they stand there."""
    assert words(value) == expected


def test_a_field_is_found_by_id_or_name() -> None:
    """An id before a name; of those with one name none is taken, and one that is not there is said by name."""
    fields = [
        Field(id="customfield_1", name="Severity"),
        Field(id="Severity", name="x"),
        Field(id="c2", name="X"),
        Field(id="fixVersions", name="Fix versions"),
        Field(id="customfield_2", name="Target"),
        Field(id="customfield_3", name="Target"),
    ]
    assert found_field("severity_field", "Severity", fields).name == "x"
    assert found_field("severity_field", "SEVERITY", fields).id == "customfield_1"
    assert found_field("roadmap plan", "fix versions", fields).id == "fixVersions"
    with pytest.raises(NoField, match=r"^asking_field: several fields are called 'x'; write one of: Severity, c2$"):
        found_field("asking_field", "x", fields)
    with pytest.raises(
        NoField, match=r"^roadmap plan: several fields are called 'Target'; write one of: customfield_2, customfield_3$"
    ):
        found_field("roadmap plan", "Target", fields)
    with pytest.raises(NoField, match=r"^roadmap plan: no field is called 'Quarter', or the account may not see it"):
        found_field("roadmap plan", "Quarter", fields)
