"""What Ticketing files take of their source and it does not tell: its type never does, or its settings leave it out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from platform_meter.model.facts.tickets import ToolClock
from platform_meter.model.source import Source, TicketWord
from platform_meter.problems import EACH, Problem
from platform_meter.runtime.files.config import SourceSection
from platform_meter.runtime.files.definitions import Declared

_COMPUTED = "this one is computed"
_NO_FORM = "every ticket's category is 'none'"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Word:
    """What a file may take, in the words of its problems."""

    place: tuple[str | int, ...]
    written: str
    """The value at this place that takes it."""
    what: str
    then: str
    """What becomes of it untold."""
    instead: str
    """What to write where no settings help."""


_WORDS: Mapping[TicketWord, _Word] = {
    "clock": _Word(
        place=("slas", EACH, "clock"),
        written="source",
        what="its tool's own SLA clocks",
        then=_COMPUTED,
        instead="",
    ),
    "request_type": _Word(
        place=("category", "from"),
        written="request_type",
        what="the form that a request was made with",
        then=_NO_FORM,
        instead="; write component, label or issue_type",
    ),
}


def untold(
    declared: Sequence[Declared], types: Mapping[str, Source[Any]], sections: Mapping[str, SourceSection]
) -> list[Problem]:
    """What is taken and stays untold, at its place: once a file and word, and of clocks once a source.

    Args:
        declared: every document of our kinds.
        types: every type of source.
        sections: configured sources whose settings are sound, by name.
    """
    told: dict[tuple[str, ...], Problem] = {}
    for one in declared if types else ():
        type_ = one.document.word("source", "type")
        if one.kind != "Ticketing" or type_ not in types:
            continue
        for word, asked in _WORDS.items():
            for place, written in one.document.texts(*asked.place):
                for of, text in _said(word, types[type_], sections, one) if written == asked.written else ():
                    once = (word, of) if word == "clock" else (word, of, one.document.path, one.id)
                    told.setdefault(once, one.document.problem(text, *place))
    return sorted(told.values())


def _said(
    word: TicketWord, source: Source[Any], sections: Mapping[str, SourceSection], one: Declared
) -> Iterator[tuple[str, str]]:
    """Each type, or configured source, whose tickets may be the file's and that does not tell this, and the sentence about it."""
    asked, switch = _WORDS[word], source.on_request.get(word)
    if switch is None and (word != "clock" or ToolClock not in source.gives):
        yield source.name, f"source '{source.name}' does not tell {asked.what}; {asked.then}{asked.instead}"
    if not switch:
        return
    named = one.document.word("source", "instance")
    for name, section in sorted(sections.items()):
        if section.type_name == source.name and named in ("", name) and not getattr(section.config, switch):
            yield (
                name,
                f"source '{name}' does not read {asked.what}; {asked.then}; write {switch}: true in its section of the configuration",
            )
