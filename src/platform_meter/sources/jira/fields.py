"""Fields by what people call them, and what they hold as people read it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from platform_meter.model.source import Unexpected
from platform_meter.sources.jira.rows import Field


class NoField(Unexpected):
    """A field that somebody named is not there, or is not told apart; the text says what to write."""


def found_field(setting: str, name: str, fields: Sequence[Field]) -> Field:
    """The field of this id or name.

    Raises:
        NoField: none is called so, or several are.
    """
    found = [one for one in fields if one.id == name] or [one for one in fields if one.name.lower() == name.lower()]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(one.id for one in found)
        raise NoField(f"{setting}: several fields are called '{name}'; write one of: {ids}")
    raise NoField(f"{setting}: no field is called '{name}', or the account may not see it; correct its name")


REQUEST_TYPE = "com.atlassian.servicedesk:vp-origin"
RATING = "com.atlassian.servicedesk:sd-request-feedback"
RATED_AT = "com.atlassian.servicedesk:sd-request-feedback-date"


def field_of(setting: str, kind: str, fields: Sequence[Field]) -> Field:
    """The field of this kind: Service Management makes one of each, called so in the language of its site.

    Raises:
        NoField: there is none, or the account may not see it.
    """
    found = next((one for one in fields if one.kind == kind), None)
    if found is None:
        raise NoField(
            f"{setting}: the account sees no field of the kind {kind}; make it an agent of a service project, or remove "
            f"{setting} where there is no Service Management"
        )
    return found


def words(value: Any) -> list[str]:
    """What a field holds: a text, a choice, a group, or several, in their order."""
    found = []
    for one in value if isinstance(value, list) else [value]:
        called = (one.get("value"), one.get("name")) if isinstance(one, Mapping) else (one,)
        text = next((text for text in called if isinstance(text, str)), "")
        if text.strip():
            found.append(" ".join(text.split()))
    return found
