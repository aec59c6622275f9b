"""CDEvents: what was deployed, merged and broken, in the words of cdevents.dev; versions 0.3 to 0.6 of the specification.

Each comes by itself or in a CloudEvent. What has no number of ours is of no concern: docs/push.md says which and why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import parse_qsl, unquote

from msgspec import Meta, Struct

from platform_meter.model.facts import Event, Ref
from platform_meter.model.facts.delivery import Change, DeployKind, Deployment, DeployResult, DeployWay
from platform_meter.model.facts.incidents import Incident, IncidentWay, named_in
from platform_meter.model.push import Unreadable
from platform_meter.sources.kit.incidents import NO_INCIDENT, severity_of
from platform_meter.sources.kit.links import link
from platform_meter.sources.kit.pushed import LONGEST, past, shaped
from platform_meter.sources.kit.rows import Row
from platform_meter.sources.push.facts import SYSTEM, about, is_commit

_TYPE = re.compile(r"dev\.cdevents\.([a-z]+)\.([a-z]+)(?:\.(\d+)\.\d+\.\d+(?:-[\w.]+)?)?")
MAJOR = "0"
"""Of the versions of their types that there are so far."""


Id = Annotated[str, Meta(min_length=1, max_length=LONGEST, pattern=r"^[^\x00-\x1f]+$")]


class Context(Row):
    id: Id
    source: Id
    type: str
    timestamp: datetime


class Head(Struct):
    """As much of each as tells whether it is of concern."""

    context: Context


class Named(Struct):
    """Something that is told by its id alone."""

    id: Id
    source: str = ""


class Content(Struct):
    """Of those that are of concern. No text is kept, and nobody's name is read."""

    environment: Named | None = None
    artifactId: str = ""  # noqa: N815 - its name there
    service: Named | None = None
    repository: Named | None = None
    ticketURI: str = ""  # noqa: N815 - its name there
    ticketType: str = ""  # noqa: N815 - its name there
    summary: str = ""
    priority: str = ""
    resolution: str = ""
    uri: str = ""


class Subject(Struct):
    id: Id
    content: Content
    source: Annotated[str, Meta(max_length=LONGEST, pattern=r"^[^\x00-\x1f]*$")] = ""


class CDEvent(Struct):
    context: Context
    subject: Subject
    customData: Any = None  # noqa: N815 - its name there


def _artifact(text: str) -> tuple[str, str]:
    """Commit and version that an artifact's id tells (github.com/package-url/purl-spec), each empty where it does not."""
    place, _, qualifiers = text.partition("#")[0].partition("?")
    version = unquote(place.rpartition("@")[2])
    source = dict(parse_qsl(qualifiers)).get("vcs_url", "").rpartition("@")[2]
    return next((word for word in (source, version) if is_commit(word)), ""), version


class _Lacking(Exception):
    """A part of the content without which it says nothing."""


def _deployment(event: CDEvent, kind: DeployKind = DeployKind.PLANNED) -> Deployment:
    content = event.subject.content
    if content.environment is None:
        raise _Lacking("environment")
    if not content.artifactId:
        raise _Lacking("artifactId")
    sha, version = _artifact(content.artifactId)
    return Deployment(
        key=f"cdevent/{event.context.source}/{event.context.id}",
        at=event.context.timestamp,
        about=about(event.subject.id, None),
        updated=event.context.timestamp,
        environment=content.environment.id,
        sha=sha,
        result=DeployResult.SUCCESS,
        kind=kind,
        version=version,
        way=DeployWay.PUSH,
    )


def _rollback(event: CDEvent) -> Deployment:
    return _deployment(event, DeployKind.ROLLBACK)


def _incident(event: CDEvent) -> Incident:
    """As each of its events has it: the key is the incident's, and what one does not tell, another does."""
    content, at = event.subject.content, event.context.timestamp
    custom = event.customData if isinstance(event.customData, dict) else {}
    return Incident(
        key=f"incident/{event.subject.source or event.context.source}/{event.subject.id}",
        at=at,
        about=about(content.service.id, None) if content.service else _source(event),
        updated=at,
        severity=severity_of([str(custom.get("severity", ""))], {}),
        way=IncidentWay.PUSH,
        ids=() if event.subject.id.isdecimal() else (event.subject.id,),
    )


def _broken(event: CDEvent) -> Incident:
    """With what was broken, and the ticket about it."""
    content = event.subject.content
    mentions = {*_artifact(content.artifactId), *named_in(content.ticketURI)} - {""}
    return replace(_incident(event), mentions=tuple(sorted(mentions)))


def _source(event: CDEvent) -> Ref:
    return Ref(system=SYSTEM, kind="source", id=event.context.source)


def _detected(event: CDEvent) -> Incident:
    incident = _broken(event)
    return replace(incident, detected=incident.at)


def _reported(event: CDEvent) -> Incident:
    """Somebody knows of it. Where nothing detected it before, it starts here."""
    incident = _broken(event)
    return replace(incident, acknowledged=incident.at)


def _resolved(event: CDEvent) -> Incident:
    """Its end alone: when it started, its other events say (`Incident.start`). Its artifact is what serves now, and broke
    nothing.
    """
    incident = _incident(event)
    return replace(incident, resolved=incident.at)


def _change(event: CDEvent) -> Change:
    """The merge alone; its commit only where the change is named by it, and nothing of what came before."""
    repository = event.subject.content.repository
    if repository is None:
        raise _Lacking("repository")
    id_, at = event.subject.id, event.context.timestamp
    return Change(
        key=f"change/{event.subject.source or event.context.source}/{repository.id}/{id_}",
        at=at,
        about=about(None, repository.id),
        updated=at,
        sha=id_ if is_commit(id_) else "",
        name=f"{repository.id}#{id_}" if id_.isdecimal() else "",
    )


def _ticket(event: CDEvent) -> Incident | None:
    """A ticket whose type says that it is an incident, under its key."""
    content, url = event.subject.content, link(event.subject.content.uri)
    if content.ticketType.lower() != "incident":
        return None
    incident = _incident(event)
    return replace(
        incident,
        key=f"ticket/{event.subject.source or event.context.source}/{event.subject.id}",
        way=IncidentWay.TICKET,
        severity=severity_of([content.priority], {}),
        url=url,
        ids=tuple(sorted({*incident.ids, url} - {""})),
        mentions=tuple(sorted({*named_in(content.summary)} - {*incident.ids, url})),
    )


def _opened(event: CDEvent) -> Incident | None:
    incident = _ticket(event)
    return None if incident is None else replace(incident, detected=incident.at)


def _closed(event: CDEvent) -> Incident | None:
    incident, none = _ticket(event), {resolution.lower() for resolution in NO_INCIDENT}
    if incident is None:
        return None
    return replace(incident, resolved=incident.at, valid=event.subject.content.resolution.lower() not in none)


READ: Mapping[tuple[str, str], Callable[[CDEvent], Event | None]] = {
    ("service", "deployed"): _deployment,
    ("service", "upgraded"): _deployment,
    ("service", "rolledback"): _rollback,
    ("incident", "detected"): _detected,
    ("incident", "reported"): _reported,
    ("incident", "resolved"): _resolved,
    ("change", "merged"): _change,
    ("ticket", "created"): _opened,
    ("ticket", "closed"): _closed,
}
"""What is of concern, by subject and predicate."""


def event_of(tree: Any, now: datetime, where: str) -> Event | None:
    """What a CDEvent says; None where it is of no concern.

    Raises:
        Unreadable: it is none, or is of concern and lacks something.
    """
    type_ = shaped(tree, Head, where).context.type
    found = _TYPE.fullmatch(type_)
    if found is None:
        raise Unreadable(
            f"{where}.context.type '{type_[:100]}' is none of CDEvents; write dev.cdevents.SUBJECT.PREDICATE.VERSION"
        )
    read = READ.get((found[1], found[2]))
    if read is None:
        return None
    if found[3] not in (None, MAJOR):
        raise Unreadable(
            f"{where}.context.type is {type_[:100]}; of this type only versions {MAJOR}.x are read, send one of them"
        )
    event = shaped(tree, CDEvent, where)
    event.context.timestamp = past(event.context.timestamp, now, f"{where}.context.timestamp")
    try:
        return read(event)
    except _Lacking as part:
        raise Unreadable(
            f"{where}.subject.content.{part} is missing; the specification of {type_[:100]} asks for it"
        ) from None
