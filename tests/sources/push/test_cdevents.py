"""CDEvents: each that is of concern as the fact that it tells, all others as nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from platform_meter.model.facts import Event, Ref
from platform_meter.model.facts.delivery import Change, DeployKind, Deployment, DeployResult, DeployWay
from platform_meter.model.facts.incidents import Incident, IncidentWay, Severity
from platform_meter.model.push import Unreadable
from platform_meter.sources.push.cdevents import event_of

NOW = datetime(2026, 5, 4, 13, tzinfo=UTC)
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
SHA = "c0ffee0000000000000000000000000000000001"
DIGEST = "sha256:0b31b1c02ff458ad9b7b81cbdf8f028bd54699fa151f221d1e8de6817db93427"
IMAGE = "pkg:oci/payments@sha256%3A0b31b1c02ff458ad9b7b81cbdf8f028bd54699fa151f221d1e8de6817db93427"


def event(type_: str, subject: str = "payments", custom: Any = None, **content: Any) -> dict[str, Any]:
    context = {
        "id": "1",
        "source": "/ci/one",
        "type": f"dev.cdevents.{type_}",
        "timestamp": "2026-05-04T14:00:00+02:00",
    }
    return {"context": context, "subject": {"id": subject, "content": content}, "customData": custom}


def said(tree: Any) -> Event | None:
    return event_of(tree, NOW, "the event")


def service(name: str) -> Ref:
    return Ref(system="push", kind="service", id=name, labels=(("app.kubernetes.io/name", name),))


def rolled_out(artifact: str, predicate: str = "deployed") -> Deployment:
    found = said(event(f"service.{predicate}.0.3.0", environment={"id": "production"}, artifactId=artifact))
    assert isinstance(found, Deployment)
    return found


ROLLED_OUT = Deployment(
    key="cdevent//ci/one/1",
    at=NOON,
    about=service("payments"),
    updated=NOON,
    environment="production",
    sha="",
    result=DeployResult.SUCCESS,
    version=DIGEST,
    way=DeployWay.PUSH,
)


def test_what_was_deployed_or_upgraded_is_a_deployment() -> None:
    """Under the id of its event, which its sender repeats when it sends it again."""
    assert rolled_out(IMAGE) == ROLLED_OUT
    assert rolled_out(IMAGE, "upgraded") == ROLLED_OUT


def test_what_was_rolled_back_says_so() -> None:
    """Whatever served before it."""
    assert rolled_out(IMAGE, "rolledback") == replace(ROLLED_OUT, kind=DeployKind.ROLLBACK)


@pytest.mark.parametrize(
    ("artifact", "sha", "version"),
    [
        (f"pkg:golang/acme.com/payments@{SHA}", SHA, SHA),
        (f"{IMAGE}?repository_url=ghcr.io/acme&vcs_url=git%2Bhttps://github.com/acme/payments%40{SHA}", SHA, DIGEST),
        ("pkg:npm/%40acme/payments@1.4.0#dist", "", "1.4.0"),
        (f"pkg:golang/acme.com/pay@{'1' * 39}a?vcs_url=https://acme.com/pay@{SHA}", SHA, f"{'1' * 39}a"),
        ("pkg:deb/debian/payments@202605041200000", "", "202605041200000"),
        ("payments-1.4.0.whl", "", "payments-1.4.0.whl"),
    ],
)
def test_an_artifact_tells_its_version_and_perhaps_its_commit(artifact: str, sha: str, version: str) -> None:
    """A commit is the version itself, or stands in `vcs_url`; digits alone are a date as well."""
    found = rolled_out(artifact)
    assert (found.sha, found.version) == (sha, version)


def test_an_incident_is_one_by_all_of_its_events() -> None:
    """Each tells what it knows under one key: noticed, known to somebody, ended."""
    content = {"environment": {"id": "production"}, "service": {"id": "payments"}, "artifactId": IMAGE}
    detected = Incident(
        key="incident//ci/one/incident-123",
        at=NOON,
        about=service("payments"),
        updated=NOON,
        way=IncidentWay.PUSH,
        detected=NOON,
        ids=("incident-123",),
        mentions=(DIGEST,),
    )
    assert said(event("incident.detected.0.3.0", "incident-123", **content)) == detected
    ticket = "https://tickets.example/PLAT-17"
    reported = event("incident.reported.0.3.0", "incident-123", {"severity": "high"}, **content, ticketURI=ticket)
    assert said(reported) == replace(
        detected, detected=None, acknowledged=NOON, severity=Severity.MAJOR, mentions=(ticket, DIGEST)
    )
    resolved = event("incident.resolved.0.3.0", "incident-123", **content)
    assert said(resolved) == replace(detected, detected=None, resolved=NOON, mentions=())


def test_an_incident_of_no_service_is_its_senders() -> None:
    """A number alone is no name that another record would name it by."""
    found = said(event("incident.detected.0.3.0", "123"))
    assert isinstance(found, Incident)
    assert (found.about, found.ids) == (Ref(system="push", kind="source", id="/ci/one"), ())


def test_a_ticket_is_an_incident_where_its_type_says_so() -> None:
    """From when it was created until it was closed; one that is closed as a duplicate was none."""
    content = {"summary": "1.4.0 broke it", "priority": "high", "uri": "https://tickets.example/17"}
    opened = Incident(
        key="ticket//ci/one/PLAT-17",
        at=NOON,
        about=Ref(system="push", kind="source", id="/ci/one"),
        updated=NOON,
        severity=Severity.MAJOR,
        way=IncidentWay.TICKET,
        detected=NOON,
        url="https://tickets.example/17",
        ids=("PLAT-17", "https://tickets.example/17"),
        mentions=("1.4.0",),
    )
    assert said(event("ticket.created.0.2.0", "PLAT-17", ticketType="incident", **content)) == opened
    closed = replace(opened, detected=None, resolved=NOON)
    ended = event("ticket.closed.0.2.0", "PLAT-17", ticketType="Incident", resolution="completed", **content)
    assert said(ended) == closed
    ended["subject"]["content"]["resolution"] = "Duplicate"
    assert said(ended) == replace(closed, valid=False)
    assert said(event("ticket.created.0.2.0", "PLAT-17", ticketType="task", **content)) is None
    assert said(event("ticket.closed.0.2.0", "PLAT-17", **content)) is None


def test_a_merge_tells_when_and_where() -> None:
    """Nothing that it does not say is made up: neither a commit nor when it was opened."""
    about = Ref(system="push", kind="repository", id="acme/pay", links=("github:acme/pay", "gitlab:acme/pay"))
    merged = Change(key="change//ci/one/acme/pay/12", at=NOON, about=about, updated=NOON, sha="", name="acme/pay#12")
    assert said(event("change.merged.0.3.0", "12", repository={"id": "acme/pay"})) == merged
    by_commit = said(event("change.merged.0.3.0", SHA, repository={"id": "acme/pay"}))
    assert by_commit == replace(merged, key=f"change//ci/one/acme/pay/{SHA}", sha=SHA, name="")


@pytest.mark.parametrize(
    "type_", ["pipelinerun.finished.0.3.0", "service.published.0.3.0", "moon.landed.7.0.0", "build.queued"]
)
def test_what_is_of_no_concern_says_nothing(type_: str) -> None:
    """Whatever it holds, and whatever version it has."""
    assert said({**event(type_), "subject": "another shape"}) is None


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        (3, "the event has another shape: Expected `object`, got `int`"),
        ({"context": {}}, "the event has another shape: Object missing required field `id` - at `$.context`"),
        (
            event("service.deployed.0.3.0", environment={"id": "production"}),
            "the event.subject.content.artifactId is missing; the specification of dev.cdevents.service.deployed.0.3.0 asks for it",
        ),
        (
            event("service.deployed.0.3.0", artifactId=IMAGE),
            "the event.subject.content.environment is missing; the specification of dev.cdevents.service.deployed.0.3.0 asks for it",
        ),
        (
            event("change.merged.0.3.0"),
            "the event.subject.content.repository is missing; the specification of dev.cdevents.change.merged.0.3.0 asks for it",
        ),
        (
            event("incident.detected.1.0.0"),
            (
                "the event.context.type is dev.cdevents.incident.detected.1.0.0; of this type only versions 0.x are read, send one "
                "of them"
            ),
        ),
        (
            event("incident"),
            "the event.context.type 'dev.cdevents.incident' is none of CDEvents; write dev.cdevents.SUBJECT.PREDICATE.VERSION",
        ),
        (
            event("incident.detected.0.3.0", ""),
            "the event has another shape: Expected `str` of length >= 1 - at `$.subject.id`",
        ),
    ],
)
def test_what_is_broken_is_told(tree: Any, text: str) -> None:
    """Where, what was found, what to send instead."""
    with pytest.raises(Unreadable) as caught:
        said(tree)
    assert str(caught.value) == text


def test_a_moment_that_is_to_come_is_refused() -> None:
    """As is one that can't be reckoned with."""
    late = event("incident.detected.0.3.0")
    late["context"]["timestamp"] = "2026-05-04T13:06:00Z"
    with pytest.raises(
        Unreadable, match=r"^the event\.context\.timestamp is 2026-05-04T13:06:00Z, which is still to come"
    ):
        said(late)
    late["context"]["timestamp"] = "0001-01-01T00:00:00Z"
    with pytest.raises(Unreadable, match=r"`timestamp` is an impossible time"):
        said(late)
