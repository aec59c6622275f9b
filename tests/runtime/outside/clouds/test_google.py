"""One API of Google, entered as whom google-auth finds."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support import google as support
from tests.support.http import Reply, serving
from tests.support.ways import Kit, authorization

from platform_meter.model.access import Access, Google
from platform_meter.model.source import Refused
from platform_meter.runtime.outside.clouds.google import SCOPES

LIST = "/v1/projects/acme/locations/-/clusters"


def test_an_api_is_entered_with_a_token_that_is_renewed(kit: Kit, tmp_path: Path) -> None:
    """At its own address, for the scope that Google's APIs want."""
    assert SCOPES[0] == "https://www.googleapis.com/auth/cloud-platform"
    kit.time.now = datetime.now(UTC)  # noqa: TID251 - google-auth reads no other clock
    with serving() as server:
        made = support.Google(server, tmp_path)
        server.on(LIST, Reply(body=b"[1]"))
        credential = Google(url=f"{server.url}/", key_file=made.key_file)
        way = kit.way(Access(credential=credential))
        for minutes in (0, 54, 2):
            kit.time.pass_(minutes=minutes)
            assert way.get(LIST, list[int]).body == [1]
        sent = [line for line in authorization(server) if line]
        assert sent == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]
    assert kit.outcomes == ["ok"] * 5


def test_a_key_that_is_not_there_is_named(kit: Kit, tmp_path: Path) -> None:
    """With what is entered by it, and what else would do."""
    credential = Google(url="https://container.googleapis.com", key_file=str(tmp_path / "none.json"))
    with pytest.raises(
        Refused, match=r"^https://container\.googleapis\.com: google-auth can't sign in \(.*none\.json: No such"
    ):
        kit.way(Access(credential=credential)).get(LIST, list[int])
