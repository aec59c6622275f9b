"""GitHub's webhooks tell what polls tell of the same rows, as far as one delivery knows it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.sources.github.github_hooks import NOW, deliveries, delivery
from tests.sources.github.test_github import CASE, SETTINGS, small_world

from platform_meter.model.access import Secret
from platform_meter.model.facts import Event
from platform_meter.model.facts.delivery import Change, DeployKind, Deployment, DeployResult
from platform_meter.model.facts.incidents import Incident
from platform_meter.model.push import Pushed, Scheme, Unreadable
from platform_meter.sources.github import SOURCE, Config
from platform_meter.sources.github.webhooks import read
from platform_meter.store import codec
from platform_meter.store.tellings import Telling, made

POLLED = {fact.key: fact for fact in CASE.expected if isinstance(fact, Deployment | Change | Incident)}
EARLIER = timedelta(milliseconds=1)


def said(pushed: Pushed, **settings: Any) -> Sequence[Event]:
    return read(Config.model_validate({**CASE.settings, **settings}), pushed)


def told() -> dict[str, list[Event]]:
    """All that the small world's webhooks say, by key."""
    found = defaultdict[str, list[Event]](list)
    for pushed in deliveries(small_world()):
        for fact in said(pushed):
            found[fact.key].append(fact)
    return found


def test_they_tell_of_the_same_objects_as_polls() -> None:
    """Of those that ended, and of no others."""
    assert told().keys() == POLLED.keys()


@pytest.mark.parametrize("key", POLLED)
def test_they_tell_what_polls_tell(key: str) -> None:
    """Each field is that of the poll, or says nothing, or is the kind, which hangs on what served before."""
    unknown = {"changes", "after", "kind", "first_commit", "first_review", "updated"}
    polled = POLLED[key]
    for pushed in told()[key]:
        assert type(pushed) is type(polled)
        differing = {f.name for f in fields(polled) if getattr(polled, f.name) != getattr(pushed, f.name)}
        assert differing <= unknown


@pytest.mark.parametrize("key", POLLED)
def test_with_polls_the_same_is_stored_as_without(key: str) -> None:
    """In whatever order they come: of one state, the poll's telling is the newer."""
    polled = POLLED[key]
    tellings = {_telling(fact): fact for fact in (*told()[key], polled)}
    assert made(type(polled), tellings).event == polled
    assert made(type(polled), dict(reversed(tellings.items()))).event == polled


def _telling(fact: Event) -> Telling:
    assert fact.updated is not None
    return Telling(round(fact.updated.timestamp() * 1_000), codec.encode(fact))


def status(state: str, at: str) -> Pushed:
    row = {"id": 7, "sha": "a" * 40, "ref": "v1.4.0", "task": "deploy", "environment": "production"}
    row |= {"created_at": "2026-05-20T10:00:00Z", "updated_at": at}
    body = {
        "action": "created",
        "deployment": row,
        "deployment_status": {"id": 1, "state": state, "created_at": at, "updated_at": at},
        "repository": {"full_name": "acme/payments"},
    }
    return delivery("deployment_status", body)


def test_what_ever_succeeded_served() -> None:
    """A failure that is told of it later is no newer than the success."""
    (failed,) = said(status("failure", "2026-05-20T10:09:00Z"))
    (served,) = said(status("success", "2026-05-20T10:03:00Z"))
    assert isinstance(failed, Deployment)
    assert isinstance(served, Deployment)
    assert (failed.result, served.result) == (DeployResult.FAILED, DeployResult.SUCCESS)
    created, ended = datetime(2026, 5, 20, 10, tzinfo=UTC), datetime(2026, 5, 20, 10, 3, tzinfo=UTC)
    assert (failed.updated, served.updated) == (created, ended - EARLIER)
    assert (served.version, served.url, served.started) == ("v1.4.0", "", failed.started)


def test_a_deployment_says_by_its_task_what_it_is() -> None:
    """As on a poll."""
    pushed = status("success", "2026-05-20T10:03:00Z")
    (fact,) = said(replace(pushed, body=pushed.body.replace(b'"deploy"', b'"deploy:rollback"')))
    assert isinstance(fact, Deployment)
    assert (fact.kind, fact.task) == (DeployKind.ROLLBACK, "")
    (of,) = said(replace(pushed, body=pushed.body.replace(b'"deploy"', b'"deploy:basket"')))
    assert isinstance(of, Deployment)
    assert of.task == "deploy:basket"


@pytest.mark.parametrize("state", ["queued", "pending", "in_progress", "waiting", "inactive"])
def test_what_has_not_ended_says_nothing(state: str) -> None:
    """Nor does that a newer one took its place."""
    assert said(status(state, "2026-05-20T10:03:00Z")) == ()


PULL = next(pull for repo in small_world().repos for pull in repo.pulls if pull["merged_at"])


@pytest.mark.parametrize(
    ("name", "settings"),
    [("other/payments", {}), ("acme/payments", {"repositories": ["web-*"]})],
)
def test_repositories_that_are_not_selected_say_nothing(name: str, settings: dict[str, Any]) -> None:
    """As they are not polled."""
    body = {"action": "closed", "pull_request": PULL, "repository": {"full_name": name}}
    assert said(delivery("pull_request", body), **settings) == ()


def test_the_organisation_is_found_in_capitals_too() -> None:
    """GitHub has one of each name."""
    body = {"action": "closed", "pull_request": PULL, "repository": {"full_name": "Acme/payments"}}
    assert [fact.key for fact in said(delivery("pull_request", body))] == ["pull/900"]


def test_what_is_told_later_of_a_merged_one_is_told() -> None:
    """A label that it gets, as the newest of its versions."""
    body = {
        "action": "labeled",
        "pull_request": {**PULL, "labels": [{"name": "urgent"}], "updated_at": "2026-05-20T13:00:00Z"},
        "repository": {"full_name": "acme/payments", "topics": ["money"]},
    }
    (fact,) = said(delivery("pull_request", body))
    polled = POLLED["pull/900"]
    assert isinstance(fact, Change)
    assert isinstance(polled, Change)
    assert fact == replace(
        polled,
        updated=NOW.replace(month=5, day=20, hour=13) - EARLIER,
        labels=("revert", "urgent"),
        first_commit=None,
        first_review=None,
    )


ISSUE = next(issue for repo in small_world().repos for issue in repo.issues)


@pytest.mark.parametrize(
    ("more", "settings", "told"),
    [
        ({}, {}, 1),
        ({"labels": [{"name": "P1"}]}, {}, 0),
        ({"pull_request": {"url": "https://api.github.example/pulls/5"}}, {}, 0),
        ({}, {"incidents": None}, 0),
        ({}, {"issues": ["web-*"]}, 0),
    ],
)
def test_an_issue_is_told_where_it_is_an_incident(more: dict[str, Any], settings: dict[str, Any], told: int) -> None:
    """In a repository whose issues are read; that it is none any more, polls tell."""
    body = {"action": "labeled", "issue": {**ISSUE, **more}, "repository": {"full_name": "acme/payments"}}
    assert len(said(delivery("issues", body), **settings)) == told


@pytest.mark.parametrize("event", ["ping", "push", "workflow_run", "pull_request_review"])
def test_all_others_say_nothing_alone(event: str) -> None:
    """Whatever is in them."""
    assert said(delivery(event, {"zen": "Design for failure."})) == ()


@pytest.mark.parametrize(
    ("pushed", "text"),
    [
        (
            replace(delivery("ping", {}), headers={}),
            "the header X-GitHub-Event is missing; send webhooks of GitHub here",
        ),
        (
            delivery("push", {}, content_type="application/x-www-form-urlencoded"),
            "the body is a form; set the webhook's content type to application/json",
        ),
        (
            delivery("pull_request", {"repository": {}}),
            "the body has another shape: Object missing required field `full_name` - at `$.repository`",
        ),
    ],
)
def test_what_is_no_delivery_is_told(pushed: Pushed, text: str) -> None:
    """With what to send instead."""
    with pytest.raises(Unreadable) as caught:
        said(pushed)
    assert str(caught.value) == text


def test_they_are_signed_by_the_secret_of_the_settings() -> None:
    """Without one, none is let in by its signature."""
    assert SOURCE.receives is not None
    assert SOURCE.receives.scheme is Scheme.GITHUB
    secret = Secret(env="GITHUB_WEBHOOK")
    assert SOURCE.receives.secret(Config.model_validate({**SETTINGS, "webhook": {"env": "GITHUB_WEBHOOK"}})) == secret
    assert SOURCE.receives.secret(Config.model_validate(SETTINGS)) is None
