"""An invented source that is pushed to: lines of JSON with deployments, signed as GitHub signs."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from platform_meter.model.access import Access, Secret
from platform_meter.model.facts import Event, Ref
from platform_meter.model.facts.delivery import Deployment, DeployResult
from platform_meter.model.push import Pushed, Receiver, Scheme, Unreadable
from platform_meter.model.source import Outside, Page, Source, SourceConfig, Stream

SECRET = "a-secret-of-pushes"
SHA = "c0ffee0000000000000000000000000000000000"


class Config(SourceConfig):
    """Its settings."""

    webhook: Secret | None = None


def body(*keys: str, at: datetime, minute: int = 0) -> bytes:
    """Deployments with these keys, as they were told so many minutes after `at`, when they ended."""
    told = {"at": at.isoformat(), "updated": (at + timedelta(minutes=minute)).isoformat()}
    return json.dumps([{"key": key, **told} for key in keys]).encode()


def signature(sent: bytes, secret: str = SECRET) -> str:
    return f"sha256={hmac.new(secret.encode(), sent, hashlib.sha256).hexdigest()}"


def deployment(key: str, at: datetime, updated: datetime | None = None, by: str = "") -> Deployment:
    ref = Ref(system="invented", kind="service", id="payments")
    return Deployment(
        key=key, at=at, updated=updated, about=ref, environment="prod", sha=SHA, result=DeployResult.SUCCESS, url=by
    )


def read(_config: Config, pushed: Pushed) -> Sequence[Event]:
    try:
        found = json.loads(pushed.body)
        return [
            deployment(
                one["key"],
                datetime.fromisoformat(one["at"]),
                datetime.fromisoformat(one["updated"]),
                one.get("by", "") and pushed.hashed(one["by"]),
            )
            for one in found
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise Unreadable("the body is no list of deployments; send [{key, at, updated}]") from error


def _empty(_checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
    yield Page()


def _connect(_config: Config, _out: Outside, _instance: str) -> Sequence[Stream]:
    return [Stream(name="deployments", read=_empty, gives=frozenset({Deployment}))]


def source(name: str = "invented", scheme: Scheme | None = Scheme.GITHUB, **more: Any) -> Source[Config]:
    """One that takes what is pushed."""
    said: dict[str, Any] = {
        "receives": Receiver(read=read, scheme=scheme, secret=lambda config: config.webhook),
        "connect": _connect,
        **more,
    }
    return Source(
        name=name,
        title=name.title(),
        reads="deployments",
        needs="nothing",
        config=Config,
        gives=frozenset({Deployment}),
        access=lambda _: Access(),
        check=lambda *_: (),
        **said,
    )
