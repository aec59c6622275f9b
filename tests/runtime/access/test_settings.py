"""The section `access`: what it may say, and each text about what it may not."""

from __future__ import annotations

from typing import Any

import pytest

from platform_meter.runtime.access.settings import AccessSettings
from platform_meter.runtime.files.config import load_config

FULL = """\
access:
  anonymous: viewer
  users: {petra: pm, ops: [admin]}
  groups: {platform: [pm, reporter]}
  tokens: {ci: {role: reporter, token: {file: secrets/ci}}}
  proxy: {from: [10.1.2.3, "fd00::/64"], user: X-Auth-Request-User, groups: X-Auth-Request-Groups}
"""


def test_every_key_is_read() -> None:
    """One role without brackets is a list of one; addresses are networks; paths start at the file's folder."""
    config = load_config(FULL, "/etc/meter/c.yaml", {}).config
    assert config is not None
    assert config.access.model_dump(mode="json") == {
        "anonymous": "viewer",
        "users": {"petra": ["pm"], "ops": ["admin"]},
        "groups": {"platform": ["pm", "reporter"]},
        "tokens": {"ci": {"token": {"file": "/etc/meter/secrets/ci", "env": None}, "role": ["reporter"]}},
        "proxy": {
            "addresses": ["10.1.2.3/32", "fd00::/64"],
            "user": "X-Auth-Request-User",
            "groups": "X-Auth-Request-Groups",
        },
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{anonymous: admin}", "'anonymous' is 'admin'; write one of: viewer"),
        ("{users: {a: boss}}", "'a' is 'boss'; write one of: admin, pm, reporter, viewer"),
        (
            "{proxy: {from: proxy.example}}",
            "'proxy.example' is no address; write one such as 10.1.2.3, or a network such as 10.1.2.0/24",
        ),
        ("{users: {a: []}}", "empty; write at least one, or leave out the key"),
        (
            "{proxy: {from: 0.0.0.0/0}}",
            "'0.0.0.0/0' is every address, so that anybody could say who he is; write the proxy's own",
        ),
        (
            "{proxy: {from: 10.1.2.3, user: Authorization}}",
            "'Authorization' cannot be the header of a proxy; write one such as X-Forwarded-User",
        ),
        (
            "{proxy: {from: 10.1.2.3, user: X_User}}",
            "'X_User' cannot be the header of a proxy; write one such as X-Forwarded-User",
        ),
    ],
)
def test_what_it_may_not_say(text: str, says: str) -> None:
    """Each with what to write instead."""
    assert [p.text for p in load_config(f"access: {text}\n", "c.yaml", {}).problems] == [says]


@pytest.mark.parametrize(
    ("said", "tells"),
    [
        ({}, False),
        ({"anonymous": "viewer"}, False),
        ({"users": {"a": "pm"}}, False),
        ({"tokens": {"ci": {"role": "pm", "token": {"env": "CI"}}}}, True),
        ({"proxy": {"from": "10.1.2.3"}}, True),
    ],
)
def test_whether_it_tells_people_apart(said: dict[str, Any], tells: bool) -> None:
    """By tokens and by a proxy; roles of users count for nothing without their passwords."""
    assert AccessSettings.model_validate(said).tells_apart is tells
