"""A text to a chat's webhook, whose address stays secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.http import Reply, Server, serving

from platform_meter.model.source import Refused, Unreachable
from platform_meter.runtime.files.report_settings import ChatSettings
from platform_meter.runtime.outside.chat import post

SETTINGS = ChatSettings.model_validate({"url": {"env": "HOOK"}})


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as made:
        made.on("/hooks/ok", Reply(body=b"ok"))
        made.on("/hooks/gone", Reply(404))
        made.on("/hooks/busy", Reply(503))
        made.on("/hooks/moved", Reply(302, headers={"Location": f"{made.url}/hooks/ok"}))
        yield made


def test_a_text_is_told(server: Server) -> None:
    """As JSON that Slack, Mattermost and workflows of Teams take."""
    post(SETTINGS, "• Größer", {"HOOK": f"{server.url}/hooks/ok"})
    (seen,) = [one for one in server.seen if one.path == "/hooks/ok"]
    assert (seen.method, seen.headers["content-type"]) == ("POST", "application/json")
    assert json.loads(seen.body) == {"text": "• Größer"}


@pytest.mark.parametrize(
    ("path", "kind", "text"),
    [
        ("/hooks/gone", Refused, "does not take the report (404); make another one"),
        ("/hooks/busy", Unreachable, "did not take the report (503)"),
        ("/hooks/moved", Unreachable, "did not take the report (302)"),
    ],
)
def test_what_it_answers_is_said_without_its_address(
    server: Server, path: str, kind: type[Exception], text: str
) -> None:
    """Nothing is told where it leads elsewhere."""
    with pytest.raises(kind) as error:
        post(SETTINGS, "x", {"HOOK": f"{server.url}{path}"})
    assert text in str(error.value)
    assert "hooks" not in str(error.value)


@pytest.mark.parametrize(
    ("url", "kind", "text"),
    [
        ("http://chat.example/s3cret", Refused, "so that others could read it; use https://"),
        ("chat.example/s3cret", Refused, "put the whole one there, beginning with https://"),
        ("https://user:s3cret@chat.example/", Refused, "put the whole one there"),
        ("http://127.0.0.1:1/s3cret", Unreachable, "the chat's webhook: "),
        ("", Refused, "HOOK is not set"),
    ],
)
def test_an_address_that_will_not_do(url: str, kind: type[Exception], text: str) -> None:
    """What is wrong is said, the address is not."""
    environ: dict[str, Any] = {"HOOK": url}
    with pytest.raises(kind) as error:
        post(SETTINGS, "x", environ)
    assert text in str(error.value)
    assert "s3cret" not in str(error.value)
