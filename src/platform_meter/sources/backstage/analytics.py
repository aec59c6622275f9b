"""What people do in the portal, as its analytics API tells a collector: events in its own shape, pushed to us.

Backstage keeps none of them and has no list to ask. Words that people searched for, texts that they clicked on and
addresses that they came from are dropped while decoding.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct, field

from platform_meter.model.facts import Event
from platform_meter.model.facts.portal import DocsView, DocsVote, Found, Helpful, PortalSearch, PortalVisit
from platform_meter.model.personal import by_person
from platform_meter.model.push import Pushed, Unreadable
from platform_meter.sources.backstage import names
from platform_meter.sources.backstage.config import Config
from platform_meter.sources.kit.pushed import LONGEST, decoded, past, shaped
from platform_meter.sources.kit.rows import sound

MOST = 1_000
"""Events in one request."""
_DOCS, _CATALOG = "docs", "catalog"
UNKNOWN = "unknown"
"""The area of what tells of none."""


class Context(Struct, rename="camel"):
    plugin_id: str = UNKNOWN
    user_entity_ref: str | None = None


class AnalyticsEvent(Struct, rename="camel"):
    """An event of Backstage's analytics API, with the moment and the person that a collector adds."""

    action: str
    timestamp: datetime
    subject: str = ""
    value: float | None = None
    context: Context = field(default_factory=Context)
    user_entity_ref: str | None = None
    id: str = ""
    """The collector's own name for it; what has none is known by all that it says."""


def read(config: Config, pushed: Pushed) -> Sequence[Event]:
    """One event, a list of such, `{"events": [...]}`, or one each line. All of it or nothing.

    Raises:
        Unreadable: what is wrong with it.
    """
    some = _several(pushed.body)
    if len(some) > MOST:
        raise Unreadable(f"{len(some)} events in one request; send at most {MOST} at once")
    found = [_event(one, f"[{number}]", pushed) for number, one in enumerate(some)]
    return found if config.analytics else ()


def _several(body: bytes) -> list[Any]:
    lines = [line for line in body.splitlines() if line.strip()]
    if len(lines) > 1 and all(line.lstrip().startswith(b"{") and line.rstrip().endswith(b"}") for line in lines):
        return [decoded(line, Any) for line in lines]
    tree = decoded(body, Any)
    if isinstance(tree, dict) and isinstance(tree.get("events"), list):
        tree = tree["events"]
    return tree if isinstance(tree, list) else [tree]


def _event(tree: Any, where: str, pushed: Pushed) -> Event:
    """What an event says. A search that does not tell how much it found is no more than a visit."""
    told = shaped(tree, AnalyticsEvent, f"the event {where}")
    try:
        sound(told.timestamp, "timestamp")
    except ValueError as error:
        raise Unreadable(f"{where}: {error}; write it as 2026-05-04T12:00:00Z") from None
    at = past(told.timestamp, pushed.at, f"{where}.timestamp")
    actor = names.actor(told.user_entity_ref or told.context.user_entity_ref, pushed.hashed)
    about = names.person(actor or UNKNOWN)
    key = f"analytics/{told.id[:LONGEST] or _digest(tree, actor, pushed.hashed)}"
    area = told.context.plugin_id[:LONGEST] or UNKNOWN
    documented = _documented(told)
    match told.action:
        case "navigate" if documented:
            return DocsView(key=key, at=at, about=about, area=documented, actor=actor)
        case "search" if told.value is not None:
            found = Found.HIT if told.value > 0 else Found.MISS
            return PortalSearch(key=key, at=at, about=about, area=area, found=found, actor=actor)
        case "helpful":
            if told.value is None:
                raise Unreadable(f"{where} is a vote without `value`; write 1 where it helped, 0 where it did not")
            helpful = Helpful.YES if told.value > 0 else Helpful.NO
            return DocsVote(key=key, at=at, about=about, area=documented or area, helpful=helpful, actor=actor)
        case _:
            return PortalVisit(key=key, at=at, about=about, area=area, actor=actor)


def _digest(tree: Any, actor: str, hashed: Callable[[str], str]) -> str:
    """A word for all that an event says. Of a person it takes the salt: without it nobody can try out who it was."""
    told = msgspec.json.encode(tree, order="deterministic")
    return by_person(hashed(told.decode())) if actor else hashlib.sha256(told).hexdigest()[:32]


def _documented(told: AnalyticsEvent) -> str:
    """What a page of documentation is of; empty for a page that is none.

    `/docs/default/component/shop/guide` and, as a tab of the entry, `/catalog/default/component/shop/docs/guide`.
    """
    parts = urlsplit(told.subject).path.strip("/").lower().split("/")
    if _DOCS not in parts:
        return ""
    at = parts.index(_DOCS)
    is_tab = at >= len((_CATALOG, "namespace", "kind", "name")) and parts[at - 4] == _CATALOG
    namespace, kind, name = _three(parts[at - 3 : at] if is_tab else parts[at + 1 : at + 4])
    return names.short(f"{kind}:{namespace}/{name}")[:LONGEST] if name else ""


def _three(parts: Sequence[str]) -> tuple[str, str, str]:
    return (parts[0], parts[1], parts[2]) if len(parts) == len(("namespace", "kind", "name")) else ("", "", "")
