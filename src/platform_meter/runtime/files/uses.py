"""By what words of facts a file may ask: their verbs, the words of a use, the values of a field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import get_type_hints

from platform_meter.model.facts import Event, Fact, Reading, UseWord
from platform_meter.model.facts.use import Usage


def verbs_of(facts: Iterable[type[Fact]]) -> set[str]:
    """Verbs of their own that kinds of event among these have."""
    return {fact.verb for fact in facts if issubclass(fact, Event) and fact.verb}


def words_of(verb: str, facts: Iterable[type[Fact]]) -> Mapping[str, UseWord]:
    """By what a use may be selected; a verb that no event has is one of `Usage`."""
    given = [fact for fact in facts if issubclass(fact, Event)]
    own = next((fact.use_words for fact in given if fact.verb == verb), None)
    return own if own is not None else Usage.use_words if Usage in given else {}


def bounded(kind: type[Reading], field: str) -> set[str]:
    """The values that a field of a reading may have, where these are few; empty for others, and for labels."""
    type_ = get_type_hints(kind).get(field)
    if type_ is bool:
        return {"false", "true"}
    return {str(value) for value in type_} if isinstance(type_, type) and issubclass(type_, StrEnum) else set()
