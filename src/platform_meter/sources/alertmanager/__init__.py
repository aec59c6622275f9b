"""Alertmanager: alerts that are incidents, as its webhook sends them (version 4 of its payload).

Nothing is polled: it forgets what has ended. Its one stream says that all is known up to now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct, field
from pydantic import AfterValidator, BeforeValidator, Field

from platform_meter.model.access import Access
from platform_meter.model.facts import Event, Ref
from platform_meter.model.facts.incidents import Incident, IncidentWay, Severity, named_in
from platform_meter.model.push import Pushed, Receiver, Unreadable
from platform_meter.model.source import Area, Outside, Source, SourceConfig, Stream
from platform_meter.sources.kit.incidents import severity_of
from platform_meter.sources.kit.pushed import LONGEST, decoded, nothing, past, service_ref
from platform_meter.sources.kit.rows import sound

SYSTEM = "alertmanager"
VERSION = "4"
RESOLVED = "resolved"
SEVERITIES: Mapping[str, Severity] = {
    "page": Severity.CRITICAL,
    "emergency": Severity.CRITICAL,
    "error": Severity.MAJOR,
    "ticket": Severity.MINOR,
    "warning": Severity.MINOR,
}
"""What alerts say beside the words that tickets have too."""


def _several(value: Any) -> Any:
    """One value is a list of one."""
    return {name: [v] if isinstance(v, str) else v for name, v in value.items()} if isinstance(value, dict) else value


def _narrows(match: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    if not match or not all(match.values()):
        raise ValueError(
            "it takes every alert for an incident; write labels with their values, such as {severity: page}"
        )
    return match


class Config(SourceConfig):
    match: Annotated[dict[str, tuple[str, ...]], BeforeValidator(_several), AfterValidator(_narrows)] = Field(
        examples=["{severity: [page, critical]}"]
    )
    """Labels with their values that make an alert an incident: each of these labels has one of its values."""
    service: str = Field("service", min_length=1)
    """The label that names the service."""
    severity: str = Field("severity", min_length=1)
    """The label that says how bad it is."""
    severities: dict[str, Severity] = Field(default_factory=dict, examples=["{P1: critical}"])
    """Values of that label of one's own."""
    labels: tuple[str, ...] = ("team",)
    """More labels that say whose it is."""

    def takes(self, labels: Mapping[str, str]) -> bool:
        return all(labels.get(name) in values for name, values in self.match.items())


class Alert(Struct):
    status: str
    startsAt: datetime  # noqa: N815 - its name there
    fingerprint: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]
    labels: dict[str, str]
    annotations: dict[str, str] = field(default_factory=dict)
    endsAt: datetime | None = None  # noqa: N815 - its name there
    """The year 1 while it fires."""

    def __post_init__(self) -> None:
        sound(self.startsAt, "startsAt")
        if self.status == RESOLVED:
            if self.endsAt is None:
                raise ValueError("`endsAt` is missing in an alert that is resolved")
            sound(self.endsAt, "endsAt")


class Webhook(Struct):
    version: str
    alerts: list[Alert]


def read(config: Config, pushed: Pushed) -> Sequence[Event]:
    """An incident for each alert that the settings take for one.

    Raises:
        Unreadable: it is no such webhook.
    """
    hook = decoded(pushed.body, Webhook)
    if hook.version != VERSION:
        raise Unreadable(f"version is '{hook.version[:20]}'; only the webhook of version {VERSION} is read")
    return [_incident(config, alert, pushed.at) for alert in hook.alerts if config.takes(alert.labels)]


def _incident(config: Config, alert: Alert, now: datetime) -> Incident:
    """One firing of an alert, from its start to its end: the next one starts at another time, and is another incident.

    It has no `ids` and no `url`: fingerprint and rule are those of each firing, and would make one incident of all.
    """
    start = past(alert.startsAt, now, f"startsAt of alert {alert.fingerprint}")
    end = None
    if alert.status == RESOLVED and alert.endsAt is not None:
        end = max(start, past(alert.endsAt, now, f"endsAt of alert {alert.fingerprint}"))
    words = [alert.labels.get(config.severity, "")]
    return Incident(
        key=f"{alert.fingerprint}/{start:%Y-%m-%dT%H:%M:%S.%fZ}",
        at=start,
        about=_about(config, alert),
        updated=end or start,  # so that firing told late opens nothing again
        severity=severity_of(words, {**SEVERITIES, **config.severities}),
        way=IncidentWay.ALERT,
        resolved=end,
        name=alert.labels.get("alertname", ""),
        mentions=named_in(*alert.labels.values(), *alert.annotations.values()),
    )


def _about(config: Config, alert: Alert) -> Ref:
    """The service; where it names none, the alert."""
    whose = {name: alert.labels[name] for name in config.labels if alert.labels.get(name)}
    service = alert.labels.get(config.service, "")
    if _is_name(service):
        return service_ref(SYSTEM, service, labels=whose)
    name = alert.labels.get("alertname", "")
    id_ = name if _is_name(name) else alert.fingerprint
    return Ref(system=SYSTEM, kind="alert", id=id_, labels=tuple(sorted(whose.items())))


def _is_name(text: str) -> bool:
    return 0 < len(text) <= LONGEST and text.isprintable()


def connect(config: Config, outside: Outside, instance: str) -> Sequence[Stream]:
    del config, outside, instance
    return (Stream(name="pushed", read=nothing, gives=SOURCE.gives),)


SOURCE = Source(
    name=SYSTEM,
    title="Alertmanager",
    area=Area.TICKETS,
    reads="alerts that are incidents, as its webhook sends them",
    needs="no credential of ours: it sends with one that has the role `reporter`",
    config=Config,
    gives=frozenset({Incident}),
    access=lambda _: Access(),
    connect=connect,
    check=lambda _, __: (),
    receives=Receiver(read=read),
)
