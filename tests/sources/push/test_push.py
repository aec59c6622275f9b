"""Push: the case of the contract test, and what a request is taken for."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from platform_meter.model.access import Secret
from platform_meter.model.definitions import Definitions, Service
from platform_meter.model.facts import Event, Ref
from platform_meter.model.facts.delivery import Change, Deployment, DeployResult, DeployWay
from platform_meter.model.facts.incidents import Incident, IncidentWay, Severity
from platform_meter.model.ownership import Directory
from platform_meter.model.push import Pushed, Scheme, Unreadable
from platform_meter.sources.push import SOURCE, Config, read
from platform_meter.testing import Case

NOW = datetime(2026, 5, 4, 13, tzinfo=UTC)
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
SHA = "c0ffee0000000000000000000000000000000001"
PAYMENTS = Ref(system="push", kind="service", id="payments", labels=(("app.kubernetes.io/name", "payments"),))


def pushed(body: Any, **headers: str) -> Pushed:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Pushed(headers=named, body=text, at=NOW, hashed=lambda person: f"hash of {person}")


def said(body: Any, **headers: str) -> Sequence[Event]:
    return read(Config(), pushed(body, **headers))


def cdevent(type_: str, content: Mapping[str, Any], subject: str = "payments", id_: str = "1") -> dict[str, Any]:
    context = {
        "version": "0.4.1",
        "id": id_,
        "source": "/ci/one",
        "type": f"dev.cdevents.{type_}",
        "timestamp": "2026-05-04T14:00:00+02:00",
    }
    return {"context": context, "subject": {"id": subject, "source": "/ci/one", "content": content}}


def cloud(data: Any, type_: str = "dev.cdevents.service.deployed.0.2.0") -> dict[str, Any]:
    return {"specversion": "1.0", "id": "1", "source": "/ci/one", "type": type_, "data": data}


DEPLOYED = cdevent(
    "service.deployed.0.2.0", {"environment": {"id": "production"}, "artifactId": f"pkg:golang/acme.com/payments@{SHA}"}
)
ROLLED_OUT = Deployment(
    key="cdevent//ci/one/1",
    at=NOON,
    about=PAYMENTS,
    updated=NOON,
    environment="production",
    sha=SHA,
    result=DeployResult.SUCCESS,
    version=SHA,
    way=DeployWay.PUSH,
)
CASE = Case(
    settings={},
    answers={},
    now=NOW,
    since=NOW - timedelta(days=90),
    rows=False,
    pushed=[
        pushed(DEPLOYED),
        pushed(
            [
                {"incident": {"id": "INC-42", "service": "payments", "started_at": "2026-05-04T12:00:00Z"}},
                {"change": {"repository": "acme/payments", "sha": SHA, "merged_at": "2026-05-04T12:00:00Z"}},
            ]
        ),
    ],
    expected=[
        ROLLED_OUT,
        Incident(
            key="incident/INC-42",
            at=NOON,
            about=PAYMENTS,
            updated=NOON,
            severity=Severity.UNKNOWN,
            way=IncidentWay.PUSH,
            ids=("INC-42",),
        ),
        Change(
            key=f"change/{SHA}",
            at=NOON,
            about=Ref(
                system="push",
                kind="repository",
                id="acme/payments",
                links=("github:acme/payments", "gitlab:acme/payments"),
            ),
            updated=NOON,
            sha=SHA,
        ),
    ],
)


@pytest.mark.parametrize(
    "body",
    [
        DEPLOYED,
        [DEPLOYED],
        cloud(DEPLOYED),
        [cloud(DEPLOYED)],
        {**cloud(None), "data": DEPLOYED, "datacontenttype": "application/cdevents+json"},
        {k: v for k, v in cloud(None).items() if k != "data"}
        | {"data_base64": base64.b64encode(json.dumps(DEPLOYED).encode()).decode()},
    ],
)
def test_a_cdevent_comes_by_itself_or_in_a_cloudevent(body: Any) -> None:
    """In structured mode, alone or as a batch."""
    assert said(body) == [ROLLED_OUT]


def test_a_cdevent_comes_in_binary_mode() -> None:
    """Its CloudEvent stands in the headers then."""
    assert said(DEPLOYED, ce_specversion="1.0", ce_type="dev.cdevents.service.deployed.0.2.0", ce_id="1") == [
        ROLLED_OUT
    ]


@pytest.mark.parametrize("body", [cloud({"x": 1}, "dev.tekton.event.taskrun.started.v1"), [cloud(7, "a.b")], []])
def test_other_cloudevents_say_nothing(body: Any) -> None:
    """Whoever subscribes to all of a broker sends many of no concern."""
    assert not said(body)


def test_other_cloudevents_in_binary_mode_say_nothing() -> None:
    """Whatever their body is."""
    assert said(b"no JSON at all", ce_specversion="1.0", ce_type="dev.tekton.event.taskrun.started.v1") == ()


def test_of_a_batch_all_or_nothing_is_read() -> None:
    """Every problem is told at once, each with its place."""
    broken = cdevent("service.deployed.0.2.0", {"environment": {"id": "production"}})
    with pytest.raises(Unreadable) as caught:
        said([DEPLOYED, broken, cloud({"context": {}}), {**cloud(None), "data": 3}])
    assert str(caught.value) == (
        "[1].subject.content.artifactId is missing; the specification of dev.cdevents.service.deployed.0.2.0 asks for it\n"
        "[2].data has another shape: Object missing required field `id` - at `$.context`\n"
        "[3].data has another shape: Expected `object`, got `int`"
    )


def test_base64_that_is_none_is_told() -> None:
    """With what to send instead."""
    with pytest.raises(Unreadable) as caught:
        said({k: v for k, v in cloud(None).items() if k != "data"} | {"data_base64": "%"})
    assert str(caught.value) == "the event.data_base64 is no base64; send the event as `data`"


def test_a_service_that_a_file_declares_needs_no_ownership() -> None:
    """What was pushed for it is its own, and its team's."""
    directory = Directory.build(Definitions(services=(Service(kind="Service", id="payments", team="pay"),)))
    ((_, owner),) = directory.intervals(PAYMENTS, "ours", {})
    assert (owner.service, owner.team) == ("payments", "pay")


def test_who_has_no_role_may_sign_by_standard_webhooks() -> None:
    """With the secret that the settings name; without one nothing signed is let in."""
    assert SOURCE.receives is not None
    assert SOURCE.receives.scheme is Scheme.STANDARD
    assert SOURCE.receives.secret(Config.model_validate({"webhook": {"env": "HOOK"}})) == Secret(env="HOOK")
    assert SOURCE.receives.secret(Config()) is None
