"""A ruler's API, against a small server that keeps the documented contract."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.support.http import Reply, serving
from tests.support.ruler import ruling

from platform_meter.model.access import Secret
from platform_meter.model.source import Refused, SourceError, Unexpected, Unreachable
from platform_meter.runtime.ruler import Ruler, tenant_problem

GROUP = {
    "name": "slo a/b short",
    "interval": "30s",
    "rules": [{"record": "slo:burn:rate", "labels": {"slo": "a", "on": "yes"}, "expr": "sum(é)\n/ 2"}],
}
HOW = "name one with --token"


def ruler(url: str, environ: dict[str, str] | None = None, **more: str | Secret) -> Ruler:
    return Ruler(url, environ=environ or {}, uninvited=HOW, **more)  # type: ignore[arg-type]  # as the test writes it


def test_what_is_put_stands_there() -> None:
    """Under its namespace and name, whatever signs these have; every scalar comes back as text."""
    with ruling() as kept, ruler(kept.server.url) as there:
        assert there.groups() == {}
        there.put("meter.shop", GROUP)
        assert there.groups() == {"meter.shop": [GROUP | {"query_offset": "0s"}]}
        there.drop("meter.shop", "slo a/b short")
        there.drop("meter.shop", "slo a/b short")  # that it is gone already is as well
        assert there.groups() == {}
        assert kept.changed == ["POST meter.shop slo a/b short", "DELETE meter.shop slo a/b short"]


def test_tenants_have_rules_of_their_own() -> None:
    """The header says whose; without one none is sent."""
    with ruling() as kept, ruler(kept.server.url, tenant="shop") as shop, ruler(kept.server.url) as nobody:
        shop.put("meter.shop", GROUP)
        assert (len(shop.groups()), nobody.groups()) == (1, {})
        assert [seen.headers.get("x-scope-orgid") for seen in kept.server.seen] == ["shop", "shop", None]


@pytest.mark.parametrize(
    ("under", "api"),
    [
        ("", "/prometheus/config/v1/rules"),
        ("/mimir/", "/mimir/prometheus/config/v1/rules"),
        ("/api/v1/rules", "/api/v1/rules"),
        ("/api/v1/rules/", "/api/v1/rules"),
    ],
)
def test_where_the_api_is(under: str, api: str) -> None:
    """Mimir's under the address, unless that names the API itself, as Cortex has it."""
    with ruling(api) as kept, ruler(f"{kept.server.url}{under}") as there:
        there.put("meter.shop", GROUP)
        assert kept.server.paths == [f"{api}/meter.shop"]


def test_a_token_lets_in(tmp_path: Path) -> None:
    """Out of the environment or a file, alone or as a password; without it, or with another, the message says what to do."""
    file = tmp_path / "token"
    file.write_text("s3cret-token\n")
    with ruling(token="Bearer s3cret-token") as kept:
        url = kept.server.url
        with ruler(url, {"TOKEN": "s3cret-token"}, token=Secret(env="TOKEN")) as there:
            assert there.groups() == {}
        with ruler(url, token=Secret(file=str(file))) as there:
            assert there.groups() == {}
        with ruler(url) as there, pytest.raises(Refused, match=re.escape(HOW)):
            there.groups()
        with (
            ruler(url, {"TOKEN": "an-0ther-token"}, token=Secret(env="TOKEN")) as there,
            pytest.raises(Refused, match="look at the variable TOKEN") as told,
        ):
            there.groups()
        assert "an-0ther" not in str(told.value)
        kept.token = "Basic c2hvcDpzM2NyZXQtdG9rZW4="
        with ruler(url, token=Secret(file=str(file)), user="shop") as there:
            assert there.groups() == {}


def test_what_fails_is_tried_again() -> None:
    """Every call may be sent a second time: the group is the same then."""
    with ruling() as kept, ruler(kept.server.url) as there:
        kept.server.on("/prometheus/config/v1/rules/meter.shop", Reply(503), kept.answer)
        there.put("meter.shop", GROUP)
        assert kept.server.paths == ["/prometheus/config/v1/rules/meter.shop"] * 2
        assert kept.changed == ["POST meter.shop slo a/b short"]


def test_a_group_that_is_refused_is_told() -> None:
    """In the ruler's own words."""
    with ruling(most=0) as kept, ruler(kept.server.url) as there, pytest.raises(Unexpected) as told:
        there.put("meter.shop", GROUP)
    assert str(told.value) == (
        "POST /prometheus/config/v1/rules/meter.shop of ruler: the server answered 400 Bad Request; expected a success, "
        "found 'per-user rules per rule group limit (limit: 0 actual: 1)'"
    )


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Reply(404, body=b"404 page not found"), "404, there is no API of rules; write the address of Mimir, such as"),
        (Reply(body=b"<html>"), "the answer is no list of groups by namespace"),
        (Reply(body=b"a: [b]"), "the answer is no list of groups by namespace"),
        (Reply(body=b"a: [\x01"), "the answer is no list of groups by namespace"),
        (Reply(body=b'{"a": {"b": "c"}}'), "the answer is no list of groups by namespace"),
    ],
)
def test_what_is_no_ruler_is_told(answer: Reply, said: str) -> None:
    """Before anything is written."""
    with serving() as server, ruler(server.url) as there:
        server.on("/prometheus/config/v1/rules", answer)
        with pytest.raises(SourceError, match=re.escape(said)):
            there.groups()


@pytest.mark.parametrize("body", [b"", b"{}", b"---\n", b"a: []", b"a: null"])
def test_no_rules_yet(body: bytes) -> None:
    """However a ruler says it."""
    with serving() as server, ruler(server.url) as there:
        server.on("/prometheus/config/v1/rules", Reply(body=body))
        assert not any(there.groups().values())


def test_nobody_there() -> None:
    """It is an error like every other of the way out."""
    with serving() as server:
        url = server.url
    with ruler(url) as there, pytest.raises(Unreachable):
        there.groups()


@pytest.mark.parametrize("url", ["mimir:8080", "ftp://mimir", "http://user:word@mimir"])
def test_what_is_no_address(url: str) -> None:
    """Said in words, without a password."""
    with pytest.raises(ValueError, match="url") as told:
        ruler(url)
    assert "word" not in str(told.value).replace("password", "")


@pytest.mark.parametrize(("tenant", "good"), [("shop", True), ("a-B_9.(x)", True), ("a|b", False), ("..", False)])
def test_a_tenant_is_one(tenant: str, good: bool) -> None:
    """Several at once can be read and not written."""
    assert (tenant_problem(tenant) == "") is good
