"""What a file says of its alerts: the labels and annotations that they carry beside ours, and which there shall not be.

    platform-meter.io/alert-labels: team, page.severity=critical
    platform-meter.io/alert-annotations: |
      dashboard=https://grafana.example/d/shop
      page.runbook_url=https://wiki.example/shop-is-down
    platform-meter.io/leave-out: no-data, page-6h

An item is for all alerts, or for one of them whose word stands before a dot. A label without a value is the document's
own of that name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from platform_meter.model.scalars import unfit
from platform_meter.problems import suggest
from platform_meter.slo.burnrate import ROWS, Level, Profile, Row, kept
from platform_meter.slo.spec import Alarm, Words

SEVERITY, RUNBOOK = "severity", "runbook_url"
LABELS = frozenset({"alertname", "alertstate", "slo", "level", "window", "period", "service", "owner"})
"""Labels that Prometheus or our rules set, so that no file may. `severity` is ours too, and files may change it."""
ANNOTATIONS = frozenset({"summary", "display_name", "budget", "budget_spent", "page_url", "dashboard_url"})
"""Annotations that our rules set. `runbook_url` is one too, and files may change it."""
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_QUOTED = r'[^=,\n]*=[ \t]*"(?:\\.|[^"\\\n])*"[ \t]*'
"""An item whose text is in quotes, as JSON has them, so that anything can stand in it."""
_LABEL_ITEM = re.compile(rf"{_QUOTED}(?=,|\n|$)|[^,\n]+")
_THERE = {
    Profile.STANDARD: frozenset(Alarm),
    Profile.HUMAN: frozenset(Alarm) - {Alarm.PAGE},
    Profile.NONE: frozenset(Alarm) - {Alarm.PAGE, Alarm.TICKET},
}
"""Alerts that a profile has."""
_WORDS = (*Alarm, *(row.word for rows in ROWS.values() for row in rows))
"""What may be left out: alerts, and single rows of the burn tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A label or an annotation for all alerts, or for one."""

    alarm: Alarm | None
    name: str
    value: str | None
    """None: what the document's own label of that name says."""

    @property
    def said(self) -> str:
        """As the file has it, without the value."""
        return f"{self.alarm}.{self.name}" if self.alarm else self.name


def parse_labels(value: Any) -> tuple[Item, ...]:
    """Names of `metadata.labels` and NAME=VALUE, divided by commas or lines.

    Raises:
        ValueError: anything else.
    """
    text = _text(value, "not a list of labels", "write names of metadata.labels, or NAME=VALUE, such as team, tier=1")
    return _items(_LABEL_ITEM.findall(text), LABELS, "label")


def parse_annotations(value: Any) -> tuple[Item, ...]:
    """NAME=TEXT, each on a line of its own.

    Raises:
        ValueError: anything else.
    """
    found = _items(_text(value, "no annotations", "write NAME=TEXT, one a line").split("\n"), ANNOTATIONS, "annotation")
    for item in found:
        if item.value is None:
            raise ValueError(f"annotation '{item.said}' has no text; write {item.said}=TEXT")
    return found


def parse_left_out(value: Any) -> frozenset[str]:
    """Alerts and rows of the burn table by their words, divided by commas.

    Raises:
        ValueError: anything else.
    """
    text = _text(
        value, "not a list of alerts", f"write one or more of: {', '.join(Alarm)}, or one row, such as page-6h"
    )
    found = frozenset(word.strip() for word in text.split(",") if word.strip())
    for word in sorted(found.difference(_WORDS)):
        raise ValueError(f"no alert is called '{word}'{suggest(word, _WORDS)}")
    return found


def _text(value: Any, what: str, instead: str) -> str:
    if not isinstance(value, str) or not value.strip(" ,\n"):
        raise unfit(None if value == "" else value, what, instead)
    return value


def _alarm(word: str) -> Alarm:
    if word not in list(Alarm):
        raise ValueError(f"no alert is called '{word}'{suggest(word, Alarm)}")
    return Alarm(word)


def _items(texts: Iterable[str], ours: frozenset[str], kind: str) -> tuple[Item, ...]:
    found = dict[str, Item]()
    for text in texts:
        if not text.strip():
            continue
        said, given, value = (part.strip() for part in text.partition("="))
        word, dot, name = said.rpartition(".")
        alarm = _alarm(word) if dot else None
        if not NAME.fullmatch(name):
            raise ValueError(f"'{name}' is no name of {kind}s; write letters, digits and _, such as team=NAME")
        if name in ours or name.startswith("__"):
            raise ValueError(f"{kind} '{name}' is set by the rules or by Prometheus; choose another name")
        if given and not value:
            raise ValueError(f"{kind} '{said}' has no value; write {said}=VALUE, or leave it away")
        if said in found:
            raise ValueError(f"{kind} '{said}' stands here twice; remove one")
        found[said] = Item(alarm=alarm, name=name, value=_unquoted(value) if given else None)
    return tuple(found.values())


def quoted(text: str) -> str:
    """A value as it is written in an item: as it is, or in quotes where it would not be read as it is."""
    plain = text == text.strip() and not re.search(r'[,\n"]', text)
    return text if plain else json.dumps(text, ensure_ascii=False)


def _unquoted(value: str) -> str:
    """What stands in quotes, where they begin and end the value; else the value."""
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    try:
        return str(json.loads(value, strict=False))
    except ValueError:
        return value


def there(profile: Profile | None, left_out: frozenset[str] | None) -> frozenset[Alarm]:
    """Alerts that the SLO has; what is not sound leaves none out."""
    return _THERE[profile or Profile.STANDARD].difference(left_out or ())


def rows(profile: Profile | None, left_out: frozenset[str] | None) -> tuple[Row, ...]:
    """Rows of the profile that the SLO has; what is not sound has none, and leaves none out."""
    return kept(ROWS[profile], left_out or frozenset()) if profile else ()


def left_out_in_vain(profile: Profile, left_out: frozenset[str]) -> Iterator[str]:
    """What makes no sense to leave out, and what to write instead."""
    of_level = {level: [row.word for row in ROWS[profile] if row.level is level] for level in Level}
    burn = {level: words for level, words in of_level.items() if words}
    for word in sorted(left_out.difference(_THERE[profile], *burn.values())):
        yield f"alerts: {profile} has no {word} alert to leave out; remove {word}"
    gone = [level for level, words in burn.items() if level in left_out or left_out.issuperset(words)]
    if burn and len(gone) == len(burn):
        rest = ", ".join(sorted(left_out.difference(burn, *burn.values())))
        also = f" and leave out {rest} alone" if rest else " and remove this"
        yield f"without {' and '.join(gone)} there are no burn alerts; write alerts: none{also}"
        return
    for level, words in burn.items():
        if level in left_out:
            for word in sorted(left_out.intersection(words)):
                yield f"{level} leaves {word} out too; remove {word}"
        elif level in gone:
            yield f"without {' and '.join(words)} there is no {level} alert; write {level} in their place"


def unsaid(items: Iterable[Item], labels: Mapping[str, str | list[str]] | None, has: frozenset[Alarm]) -> Iterator[str]:
    """Labels without a value that the document does not have, where its own are sound, and items of alerts that there are not."""
    for item in items:
        if item.alarm and item.alarm not in has:
            yield f"this SLO has no {item.alarm} alert; remove {item.said}"
        if item.value is not None or labels is None:
            continue
        own = labels.get(item.name)
        if own is None:
            hint = suggest(item.name, labels) or f"; write {item.said}=VALUE"
            yield f"metadata.labels has no '{item.name}'{hint}"
        elif not isinstance(own, str) or not own:
            what = "is empty" if not own else "has several values, and a label of an alert has one"
            yield f"'{item.name}' of metadata.labels {what}; write {item.said}=VALUE"


def words(items: Iterable[Item], labels: Mapping[str, str | list[str]]) -> Words:
    """What each alert carries; what is said of one goes before what is said of all."""
    every = sorted(items, key=lambda item: item.alarm is not None)

    def own(item: Item) -> str:
        return item.value if item.value is not None else str(labels[item.name])

    return {
        alarm: {item.name: own(item) for item in every if item.alarm in (None, alarm)}
        for alarm in Alarm
        if any(item.alarm in (None, alarm) for item in every)
    }
