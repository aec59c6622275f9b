"""Who a request is taken for, by each way of saying it; wrong and forged ones make nobody of him."""

from __future__ import annotations

import base64
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bcrypt
import pytest

from platform_meter.runtime.access.doors import Doors
from platform_meter.runtime.access.file import WebFile
from platform_meter.runtime.access.settings import AccessSettings

HASH = bcrypt.hashpw(b"right", bcrypt.gensalt(4)).decode()
ALL = {"viewer", "pm", "reporter", "admin"}
PROXY = {"proxy": {"from": ["10.1.2.3", "10.9.0.0/16"]}, "users": {"petra": "pm"}, "groups": {"ops": "admin"}}


def basic(name: str, password: str) -> dict[str, str]:
    return {"HTTP_AUTHORIZATION": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def bearer(token: str) -> dict[str, str]:
    return {"HTTP_AUTHORIZATION": f"Bearer {token}"}


def doors(said: Mapping[str, Any] | None = None, web: Path | None = None, **more: Any) -> Doors:
    settings = AccessSettings.model_validate(said or {})
    return Doors(lambda: settings, web=WebFile(str(web)) if web else None, **more)


def roles(made: Doors, **request: str) -> set[str]:
    return {role.value for role in made.caller(request).roles}


@pytest.fixture
def web(tmp_path: Path) -> Path:
    file = tmp_path / "web.yml"
    file.write_text(f"basic_auth_users: {{alice: {HASH}, petra: {HASH}}}\n")
    return file


@pytest.mark.parametrize(
    ("credential", "has"),
    [
        (basic("alice", "right"), {"viewer"}),
        (basic("petra", "right"), {"viewer", "pm"}),
        ({"HTTP_AUTHORIZATION": basic("alice", "right")["HTTP_AUTHORIZATION"].replace("Basic", "basic")}, {"viewer"}),
        (basic("alice", "wrong"), set()),
        (basic("alice", ""), set()),
        (basic("nobody", "right"), set()),
        ({"HTTP_AUTHORIZATION": "Basic"}, set()),
        ({"HTTP_AUTHORIZATION": "Basic !!!"}, set()),
        ({"HTTP_AUTHORIZATION": "Basic " + base64.b64encode(b"alice").decode()}, set()),
        ({"HTTP_AUTHORIZATION": "Basic " + base64.b64encode(b"\xff:right").decode()}, set()),
        (basic("alice", "x" * 5000), set()),
        (bearer("right"), set()),
        ({"HTTP_X_FORWARDED_USER": "petra"}, set()),
        ({}, set()),
    ],
)
def test_users_with_passwords(web: Path, credential: dict[str, str], has: set[str]) -> None:
    """A user without a role of his own is a viewer."""
    assert roles(doors({"users": {"petra": "pm"}}, web), REMOTE_ADDR="10.1.2.3", **credential) == has


TOKENS = {
    "tokens": {
        "prometheus": {"role": "viewer", "token": {"env": "ONE"}},
        "ci": {"role": "reporter", "token": {"env": "TWO"}},
        "unset": {"role": "admin", "token": {"env": "THREE"}},
    }
}


@pytest.mark.parametrize(
    ("shown", "has"),
    [("one-secret", {"viewer"}), ("two-secret", {"reporter"}), ("three", set()), ("", set()), ("one-secre", set())],
)
def test_tokens(shown: str, has: set[str]) -> None:
    """Each its own role; one whose secret is not there lets nobody in, least of all somebody with an empty one."""
    made = doors(TOKENS, environ={"ONE": "one-secret", "TWO": "two-secret"}, alone=False)
    assert roles(made, **bearer(shown)) == has


def test_a_token_that_is_exchanged_is_the_new_one(tmp_path: Path) -> None:
    """Its file is read again."""
    file = tmp_path / "token"
    file.write_text("first\n")
    made = doors({"tokens": {"p": {"role": "viewer", "token": {"file": str(file)}}}}, alone=False)
    assert roles(made, **bearer("first")) == {"viewer"}
    file.write_text("second-one\n")
    assert [roles(made, **bearer(one)) for one in ("first", "second-one")] == [set(), {"viewer"}]


def test_a_token_that_cannot_be_read_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever tries cannot fill the log; what was shown is not in it."""
    made = doors(TOKENS, environ={"ONE": "one-secret", "TWO": "two-secret"}, alone=False)
    for _ in range(3):
        made.caller(bearer("shown-secret"))
    assert caplog.messages == [
        "the token 'unset' lets nobody in: the variable THREE is not set; set it to the secret's value, or name a file"
    ]


@pytest.mark.parametrize(
    ("request_", "has"),
    [
        ({"REMOTE_ADDR": "10.1.2.3", "HTTP_X_FORWARDED_USER": "petra"}, {"viewer", "pm"}),
        ({"REMOTE_ADDR": "::ffff:10.9.8.7", "HTTP_X_FORWARDED_USER": "anna"}, {"viewer"}),
        ({"REMOTE_ADDR": "10.1.2.3", "HTTP_X_FORWARDED_USER": "anna", "HTTP_X_FORWARDED_GROUPS": "dev, ops"}, ALL),
        ({"REMOTE_ADDR": "10.1.2.4", "HTTP_X_FORWARDED_USER": "petra", "HTTP_X_FORWARDED_GROUPS": "ops"}, set()),
        ({"REMOTE_ADDR": "", "HTTP_X_FORWARDED_USER": "petra"}, set()),
        ({"REMOTE_ADDR": "10.1.2.3", "HTTP_X_FORWARDED_USER": "petra, anna"}, set()),
        ({"REMOTE_ADDR": "10.1.2.3", "HTTP_X_FORWARDED_USER": ""}, set()),
        ({"REMOTE_ADDR": "10.1.2.3", "HTTP_X_FORWARDED_GROUPS": "ops"}, set()),
        ({"REMOTE_ADDR": "10.1.2.3"}, set()),
    ],
)
def test_a_proxy_says_who_it_is(request_: dict[str, str], has: set[str]) -> None:
    """From its own addresses alone, and one name at a time."""
    assert roles(doors(PROXY), **request_) == has


def test_behind_a_proxy_programs_have_their_tokens() -> None:
    """Where it says no user, the credential counts; where it says one, whatever it passes on beside does not."""
    made = doors({**PROXY, **TOKENS}, environ={"ONE": "one-secret", "TWO": "two-secret"}, alone=False)
    assert roles(made, REMOTE_ADDR="10.1.2.3", **bearer("two-secret")) == {"reporter"}
    assert roles(made, REMOTE_ADDR="10.1.2.3", HTTP_X_FORWARDED_USER="anna", **bearer("else")) == {"viewer"}


@pytest.mark.parametrize(
    ("alone", "said", "has"),
    [
        (True, {}, ALL),
        (True, {"anonymous": "viewer"}, ALL),
        (True, PROXY, set()),
        (True, {**TOKENS, "anonymous": "viewer"}, {"viewer"}),
        (False, {}, set()),
        (False, {"anonymous": "viewer"}, {"viewer"}),
    ],
)
def test_who_shows_nothing(alone: bool, said: dict[str, Any], has: set[str]) -> None:
    """On loopback he may do everything, unless people can be told apart; elsewhere nothing, unless the file says so."""
    assert roles(doors(said, alone=alone)) == has


def test_a_wrong_credential_is_worse_than_none(web: Path) -> None:
    """Where everybody may read, who mistypes his password is told so."""
    made = doors({"anonymous": "viewer"}, web)
    assert (roles(made), roles(made, **basic("alice", "wrong"))) == ({"viewer"}, set())


def test_a_file_that_loses_its_users_opens_nothing(web: Path) -> None:
    """Where others can reach us; on loopback there is nobody else."""
    reached, alone = doors({}, web, alone=False), doors({}, web)
    web.write_text("")
    assert (roles(reached), roles(alone)) == (set(), ALL)


def test_a_verified_certificate_is_a_viewer(web: Path) -> None:
    """Where there are no users; with users it is asked for beside the password."""
    shown = {"SSL_CLIENT_VERIFY": "SUCCESS"}
    assert roles(doors({}, alone=False), **shown) == {"viewer"}
    assert roles(doors({}, alone=False), SSL_CLIENT_VERIFY="NONE") == set()
    assert roles(doors({}, alone=False), HTTP_SSL_CLIENT_VERIFY="SUCCESS") == set()
    assert roles(doors({}, web, alone=False), **shown) == set()


def test_what_is_asked_for(web: Path) -> None:
    """What somebody can say who he is with."""
    assert doors({}, web).challenges() == ['Basic realm="platform-meter", charset="UTF-8"']
    assert doors(TOKENS).challenges() == ['Bearer realm="platform-meter"']
    assert doors(TOKENS, web).challenges() == [
        'Basic realm="platform-meter", charset="UTF-8"',
        'Bearer realm="platform-meter"',
    ]


def test_settings_are_those_of_now() -> None:
    """A reload gives and takes roles."""
    said = [AccessSettings(), AccessSettings(anonymous="viewer")]
    made = Doors(lambda: said[-1], alone=False)
    assert roles(made) == {"viewer"}
    said.pop()
    assert roles(made) == set()


def test_headers_and_room_are_the_web_configurations(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A blank header is none; without a file there is neither a header nor a bound."""
    caplog.set_level(logging.ERROR)
    file = tmp_path / "web.yml"
    file.write_text(
        "http_server_config: {headers: {X-Frame-Options: deny, X-XSS-Protection: ''}}\nrate_limit: {interval: 1h, burst: 1}\n"
    )
    made = doors({}, file)
    assert made.headers() == {"X-Frame-Options": "deny"}
    assert [made.has_room() for _ in range(2)] == [True, False]
    assert (doors().headers(), doors().has_room()) == ({}, True)
