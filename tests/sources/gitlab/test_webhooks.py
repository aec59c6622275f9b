"""GitLab's webhooks tell what polls tell of the same objects, as far as one delivery knows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.sources.gitlab.gitlab_hooks import COMMITS, deliveries, delivery, deployment_hook, merge_hook
from tests.sources.gitlab.gitlab_server import deployment
from tests.sources.gitlab.test_gitlab import CASE, SETTINGS, SHOP, small_world

from platform_meter.model.access import Secret
from platform_meter.model.facts import Event
from platform_meter.model.facts.delivery import Change, DeployKind, Deployment, DeployResult
from platform_meter.model.push import Pushed, Scheme, Unreadable
from platform_meter.sources.gitlab import SOURCE, Config
from platform_meter.sources.gitlab.webhooks import read
from platform_meter.store import codec
from platform_meter.store.tellings import Telling, made

POLLED = {fact.key: fact for fact in CASE.expected if isinstance(fact, Deployment | Change)}
IN_SHOP = {"id": 1, "path_with_namespace": "acme/shop"}
SHA = "c0ffee0000000000000000000000000000000001"
MERGED = small_world().lists[1, "merge_requests"][0]


def said(body: dict[str, Any], **settings: Any) -> Sequence[Event]:
    return read(Config.model_validate({**SETTINGS, **settings}), delivery(body))


def told() -> dict[str, Event]:
    """All that the small world's webhooks say, by key."""
    config = Config.model_validate(SETTINGS)
    return {fact.key: fact for pushed in deliveries(small_world()) for fact in read(config, pushed)}


def test_they_tell_of_the_same_objects_as_polls() -> None:
    """Of those that ended, and of no others."""
    assert told().keys() == POLLED.keys()


@pytest.mark.parametrize("key", POLLED)
def test_they_tell_what_polls_tell(key: str) -> None:
    """Each field is that of the poll, or says nothing."""
    unknown = {"changes", "after", "started", "first_commit", "first_review", "updated"}
    polled, pushed = POLLED[key], told()[key]
    assert type(pushed) is type(polled)
    assert {f.name for f in fields(polled) if getattr(polled, f.name) != getattr(pushed, f.name)} <= unknown


@pytest.mark.parametrize("key", POLLED)
def test_with_polls_the_same_is_stored_as_without(key: str) -> None:
    """Of one state, the poll's telling is the newer."""
    polled, pushed = POLLED[key], told()[key]
    tellings = {_telling(fact): fact for fact in (polled, pushed)}
    assert made(type(polled), tellings).event == polled


def _telling(fact: Event) -> Telling:
    assert fact.updated is not None
    return Telling(round(fact.updated.timestamp() * 1_000), codec.encode(fact))


def test_a_deployment_is_told_as_it_ends() -> None:
    """By the whole commit, which stands in an address alone."""
    row = deployment(77, SHA, "failed", "10:20:00", ref="hotfix/limit")
    body = deployment_hook(row, IN_SHOP) | {"status_changed_at": "2026-05-04 12:20:00 +0200"}
    end = datetime(2026, 5, 4, 10, 20, tzinfo=UTC)
    assert said(body) == [
        Deployment(
            key="deployment/77",
            at=end,
            about=SHOP,
            updated=datetime(2026, 5, 4, 10, 19, 59, 999_000, tzinfo=UTC),
            environment="production",
            sha=SHA,
            result=DeployResult.FAILED,
            kind=DeployKind.HOTFIX,
            url="https://gitlab.example/jobs/77",
        )
    ]


@pytest.mark.parametrize(
    "more",
    [
        {"status": "running"},
        {"status": "canceled"},
        {"commit_url": None},
        {"commit_url": COMMITS},
        {"project": {"path_with_namespace": "acme-other/shop"}},
        {"project": {"path_with_namespace": "acme"}},
    ],
)
def test_what_has_not_ended_or_is_nobodys_says_nothing(more: dict[str, Any]) -> None:
    """Nor does what does not tell its commit: polls do."""
    row = deployment(77, SHA, "success", "10:20:00")
    assert said(deployment_hook(row, IN_SHOP) | more) == ()


def test_projects_that_are_not_selected_say_nothing() -> None:
    """As they are not polled."""
    row = deployment(77, SHA, "success", "10:20:00")
    assert said(deployment_hook(row, IN_SHOP), projects=["acme/web-*"]) == ()
    assert said(deployment_hook(row, {"path_with_namespace": "Acme/Shop"}))


def test_a_merge_by_another_does_not_tell_who_opened_it() -> None:
    """Whether that is a bot, polls tell; a commit of a fast-forward is the last one."""
    body = merge_hook(MERGED, IN_SHOP)
    body["user"] = {"id": 2, "username": "project_7_bot"}
    body["object_attributes"] |= {"merge_commit_sha": None, "merged_at": "2026-05-04T09:59:00.000Z"}
    (fact,) = said(body)
    polled = POLLED["merge_request/31"]
    assert isinstance(fact, Change)
    assert isinstance(polled, Change)
    assert fact == replace(
        polled,
        at=datetime(2026, 5, 4, 9, 59, tzinfo=UTC),
        updated=datetime(2026, 5, 4, 9, 59, 59, 999_000, tzinfo=UTC),
        sha="1" * 40,
        first_commit=None,
        first_review=None,
    )
    body["user"] = {"id": 1, "username": "project_7_bot"}
    (fact,) = said(body)
    assert isinstance(fact, Change)
    assert fact.bot


@pytest.mark.parametrize("action", ["open", "update", "close", "approved", ""])
def test_only_the_merge_is_told(action: str) -> None:
    """What happens to a merge request before and after it is read by polls."""
    body = merge_hook(MERGED, IN_SHOP)
    body["object_attributes"]["action"] = action
    assert said(body) == ()


@pytest.mark.parametrize("kind", ["push", "pipeline", "build", "note", "issue"])
def test_all_others_say_nothing_alone(kind: str) -> None:
    """Whatever is in them."""
    assert said({"object_kind": kind, "project": 7}) == ()


@pytest.mark.parametrize(
    ("pushed", "text"),
    [
        (delivery({}), "`object_kind` is missing; send webhooks of GitLab here"),
        (
            delivery({"object_kind": "deployment"}),
            "the body has another shape: Object missing required field `project`",
        ),
        (
            delivery(
                deployment_hook(deployment(77, SHA, "success", "10:20:00"), IN_SHOP)
                | {"status_changed_at": "2026-05-04 12:20:00"}
            ),
            "status_changed_at is '2026-05-04 12:20:00', no time with a zone; send webhooks of GitLab as they are",
        ),
    ],
)
def test_what_is_no_delivery_is_told(pushed: Pushed, text: str) -> None:
    """With what to send instead."""
    with pytest.raises(Unreadable) as caught:
        read(Config.model_validate(SETTINGS), pushed)
    assert str(caught.value) == text


def test_they_are_let_in_by_the_secret_of_the_settings() -> None:
    """Without one, none is."""
    assert SOURCE.receives is not None
    assert SOURCE.receives.scheme is Scheme.GITLAB
    with_secret = Config.model_validate({**SETTINGS, "webhook": {"file": "/run/secrets/hook"}})
    assert SOURCE.receives.secret(with_secret) == Secret(file="/run/secrets/hook")
    assert SOURCE.receives.secret(Config.model_validate(SETTINGS)) is None
