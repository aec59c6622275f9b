"""Push: what anything sends that no source asks for: CDEvents, and plain JSON by one `curl`.

Nothing is polled. Its one stream says that all is known up to now, so that windows over what was pushed go on.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from platform_meter.model.access import Access, Secret
from platform_meter.model.facts import Event
from platform_meter.model.facts.delivery import Change, Deployment
from platform_meter.model.facts.incidents import Incident
from platform_meter.model.push import Pushed, Receiver, Scheme, Unreadable
from platform_meter.model.source import Area, Outside, Source, SourceConfig, Stream
from platform_meter.sources.kit.pushed import decoded, nothing
from platform_meter.sources.push import cdevents, plain
from platform_meter.sources.push.facts import SYSTEM
from platform_meter.sources.push.problems import refuse_all

CDEVENTS = "dev.cdevents."
"""What their types begin with."""


class Config(SourceConfig):
    webhook: Secret | None = None
    """What who has no role signs with, by Standard Webhooks."""


def read(config: Config, pushed: Pushed) -> Sequence[Event]:
    """What a request says: CDEvents in any way that CloudEvents have over HTTP, or plain JSON. All of it or nothing.

    Raises:
        Unreadable: all that is wrong with it.
    """
    del config
    if not pushed.headers.get("ce-type", CDEVENTS).startswith(CDEVENTS):
        return ()
    tree = decoded(pushed.body, Any)
    some = tree if isinstance(tree, list) else [tree]
    if not some:
        return ()
    if not all(isinstance(one, dict) and (_is_cloud(one) or "context" in one) for one in some):
        return plain.events(tree, pushed.at)
    found: list[Event] = []
    problems: list[str] = []
    for number, one in enumerate(some):
        where = f"[{number}]" if isinstance(tree, list) else "the event"
        try:
            event = _event(one, pushed.at, where)
        except Unreadable as error:
            problems.append(str(error))
        else:
            found += [] if event is None else [event]
    refuse_all(problems)
    return found


def _is_cloud(tree: dict[str, Any]) -> bool:
    """Whether it is a CloudEvent, structured; a CDEvent has its version inside of its context."""
    return "specversion" in tree


def _event(tree: dict[str, Any], now: datetime, where: str) -> Event | None:
    if not _is_cloud(tree):
        return cdevents.event_of(tree, now, where)
    if not str(tree.get("type", "")).startswith(CDEVENTS):
        return None
    if "data" in tree:
        return cdevents.event_of(tree["data"], now, f"{where}.data")
    try:
        body = base64.b64decode(str(tree.get("data_base64", "")), validate=True)
    except (binascii.Error, ValueError):
        raise Unreadable(f"{where}.data_base64 is no base64; send the event as `data`") from None
    return cdevents.event_of(decoded(body, Any), now, f"{where}.data_base64")


def connect(config: Config, outside: Outside, instance: str) -> Sequence[Stream]:
    del config, outside, instance
    return (Stream(name="pushed", read=nothing, gives=SOURCE.gives),)


SOURCE = Source(
    name=SYSTEM,
    title="Push",
    area=Area.CI_CD,
    reads="what is sent: CDEvents over CloudEvents; deployments, changes and incidents as plain JSON",
    needs="no credential of ours: who sends has the role `reporter`, or signs",
    config=Config,
    gives=frozenset({Deployment, Change, Incident}),
    access=lambda _: Access(),
    connect=connect,
    check=lambda _, __: (),
    receives=Receiver(read=read, scheme=Scheme.STANDARD, secret=lambda config: config.webhook),
)
