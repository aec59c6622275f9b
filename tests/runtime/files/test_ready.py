"""What `serve` will need of the machine."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from tests.support.pushing import source

from platform_meter.runtime.files import ready
from platform_meter.runtime.files.check import examine
from platform_meter.runtime.files.config import load_config

INSTEAD = "write store: {url: sqlite:////FOLDER/platform-meter.db} with a folder that this user may write"


def told(folder: Path, text: str = "", **environ: str) -> list[tuple[int, int, str]]:
    """What is said of the store of this configuration in this folder."""
    path = str(folder / "platform-meter.yaml")
    return [(p.line, p.column, p.text) for p in ready.store(load_config(text, path, {}), path, environ)]


def test_a_folder_that_can_be_written_is_enough(tmp_path: Path) -> None:
    """A store that is not there yet, an empty one and one with data; a PostgreSQL is not asked."""
    assert told(tmp_path) == []
    (tmp_path / "platform-meter.db").write_bytes(b"")
    assert told(tmp_path, "zone: UTC\n") == []
    (tmp_path / "platform-meter.db").write_bytes(b"SQLite format 3\0...")
    assert told(tmp_path, "store: {retention: 30d}\n") == []
    assert told(tmp_path, "store: {url: 'postgresql+psycopg://nowhere/x'}\n") == []


def test_a_folder_that_is_not_there_is_told_where_it_is_written(tmp_path: Path) -> None:
    """With the way out; a default that is not written is told of the file."""
    said = f"the folder of the store, {tmp_path}/no, is not there; make it, or {INSTEAD}"
    assert told(tmp_path, "zone: UTC\nstore: {url: 'sqlite:///no/x.db?timeout=5'}\n") == [(2, 14, said)]
    assert told(tmp_path / "no", "zone: UTC\n") == [(1, 1, said)]
    assert told(tmp_path / "no") == [(1, 1, said)]


def test_what_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is mounted read-only, as a ConfigMap is, and a file in it."""
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert told(tmp_path) == [(1, 1, f"the folder of the store, {tmp_path}, cannot be written; {INSTEAD}")]
    file = tmp_path / "platform-meter.db"
    file.write_bytes(b"")
    assert told(tmp_path) == [(1, 1, f"the store, {file}, or its folder cannot be written; {INSTEAD}")]


def test_what_is_no_store_is_told(tmp_path: Path) -> None:
    """A folder, or somebody else's file."""
    file = tmp_path / "platform-meter.db"
    file.mkdir()
    assert told(tmp_path) == [(1, 1, f"the store, {file}, is no file; {INSTEAD}")]
    (tmp_path / "x.db").write_bytes(b"something else")
    assert told(tmp_path, "store: {url: 'sqlite:///x.db'}\n") == [
        (1, 14, f"the store, {tmp_path}/x.db, is no SQLite database; move that file away, or {INSTEAD}")
    ]


def test_a_port_in_use_is_worth_a_note(tmp_path: Path) -> None:
    """It may be this very meter that listens there, so it is no problem; an address that is not written is left."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        at = f"127.0.0.1:{taken.getsockname()[1]}"
        (note,) = ready.port(load_config(f"listen: {at}\n", "c.yaml", {}))
    assert (note.column, note.text) == (
        9,
        (
            f"nobody can listen at {at} now (Address already in use); well where a meter runs here already, "
            "else write another address"
        ),
    )
    assert list(ready.port(load_config("zone: UTC\n", "c.yaml", {}))) == []
    assert list(ready.port(load_config("listen: 127.0.0.1:0\n", "c.yaml", {}))) == []


def configured(folder: Path, text: str, **environ: str) -> tuple[str, str]:
    """Where it listens and where the store is, under these variables."""
    path = folder / "platform-meter.yaml"
    path.write_text(text)
    config = examine(path, (), environ).config
    assert config is not None
    return config.listen, config.store.url


def test_the_environment_says_what_the_file_leaves_open(tmp_path: Path) -> None:
    """As an image does: its data folder and its port; what the file says itself holds."""
    image = {ready.DATA: "/var/lib/x", ready.LISTEN: "0.0.0.0:9898"}
    beside = f"sqlite:///{tmp_path}/platform-meter.db"
    assert configured(tmp_path, "zone: UTC\n") == ("127.0.0.1:9898", beside)
    assert configured(tmp_path, "zone: UTC\n", **image) == ("0.0.0.0:9898", "sqlite:////var/lib/x/platform-meter.db")
    assert configured(tmp_path, "store: {retention: 30d}\n", **image)[1] == "sqlite:////var/lib/x/platform-meter.db"
    said = "listen: 127.0.0.1:1\nstore: {url: 'sqlite:///own.db'}\n"
    assert configured(tmp_path, said, **image) == ("127.0.0.1:1", f"sqlite:///{tmp_path}/own.db")


def test_a_read_only_configuration_needs_no_store_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the environment names a folder that can be written, that of the configuration is not looked at."""
    data = tmp_path / "data"
    data.mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) == data)
    assert told(tmp_path, **{ready.DATA: str(data)}) == []
    assert len(told(tmp_path)) == 1


def test_an_address_in_the_environment_may_be_wrong(tmp_path: Path) -> None:
    """Then the variable is named, with what to write."""
    path = tmp_path / "platform-meter.yaml"
    path.write_text("zone: UTC\n")
    (problem,) = examine(path, (), {ready.LISTEN: "9898"}).problems
    assert problem.text.startswith("PLATFORM_METER_LISTEN: '9898' is a port without a host; write 127.0.0.1:9898")


OPEN = (
    "others can reach {}, and nothing says who may come in; write web_config: FILE with basic_auth_users, "
    "or access: {{anonymous: viewer}} to let everybody read"
)
USERS = "basic_auth_users: {alice: $2y$10$" + "a" * 53 + "}\n"


def doors(folder: Path, text: str, web: str = "", **environ: str) -> list[str]:
    """What is said of who may come in, by a configuration and its web configuration beside it."""
    (folder / "web.yml").write_text(web)
    path = folder / "platform-meter.yaml"
    path.write_text(text)
    return [problem.text for problem in examine(path, (), environ).problems]


@pytest.mark.parametrize(
    ("text", "web", "told"),
    [
        ("listen: :9898\n", "", [OPEN.format(":9898")]),
        ("listen: 0.0.0.0:1\n", "", [OPEN.format("0.0.0.0:1")]),
        ("listen: '[::]:1'\nweb_config: web.yml\n", "", [OPEN.format("[::]:1")]),
        ("listen: :9898\naccess: {users: {}}\nzone: Mars\n", "", [OPEN.format(":9898"), "'Mars' is not a time zone"]),
        ("listen: :9898\naccess: {anonymous: viewer}\n", "", []),
        ("listen: :9898\naccess: {tokens: {p: {role: viewer, token: {env: TOKEN}}}}\n", "", []),
        ("listen: :9898\naccess: {proxy: {from: 10.1.2.3}}\n", "", []),
        ("listen: :9898\nweb_config: web.yml\n", USERS, []),
        ("listen: 127.0.0.1:9898\n", "", []),
        ("listen: '[::1]:9898'\nweb_config: web.yml\n", "", []),
        ("zone: UTC\n", "", []),
    ],
)
def test_an_address_that_others_reach_needs_a_word(tmp_path: Path, text: str, web: str, told: list[str]) -> None:
    """Whoever may come in, it is written; on loopback nobody else is there."""
    said = doors(tmp_path, text, web, TOKEN="secret")
    assert [one.partition("; did you")[0].partition("; write an")[0] for one in said] == told


def test_an_address_of_the_environment_needs_one_too(tmp_path: Path) -> None:
    """As an image says it; the message names the variable."""
    said = OPEN.format("0.0.0.0:9898") + " (PLATFORM_METER_LISTEN says the address)"
    assert doors(tmp_path, "zone: UTC\n", **{ready.LISTEN: "0.0.0.0:9898"}) == [said]
    assert doors(tmp_path, "access: {anonymous: viewer}\n", **{ready.LISTEN: "0.0.0.0:9898"}) == []


def test_the_web_configuration_is_checked_too(tmp_path: Path) -> None:
    """All that is wrong with it, and roles of users whom it does not have; a proxy may know others."""
    text = "web_config: web.yml\naccess: {users: {alcie: pm}}\n"
    assert doors(tmp_path, text, "rate: 1\nbasic: 2\n") == [
        "unknown key 'rate' in this file; write one of: basic_auth_users, http_server_config, rate_limit, tls_server_config",
        "unknown key 'basic' in this file; write one of: basic_auth_users, http_server_config, rate_limit, tls_server_config",
    ]
    assert doors(tmp_path, text, USERS) == ["basic_auth_users of web_config has no user 'alcie'; did you mean 'alice'?"]
    assert doors(tmp_path, text) == ["basic_auth_users of web_config has no user 'alcie'; add him there"]
    assert doors(tmp_path, "access: {users: {alcie: pm}, proxy: {from: 10.1.2.3}}\nweb_config: web.yml\n", USERS) == []


@pytest.mark.parametrize(
    ("text", "noted"),
    [
        ("listen: :0\nweb_config: web.yml\n", True),
        ("listen: :0\naccess: {tokens: {p: {role: viewer, token: {env: TOKEN}}}}\n", True),
        ("listen: :0\naccess: {proxy: {from: 10.1.2.3}}\n", False),
        ("listen: 127.0.0.1:0\nweb_config: web.yml\n", False),
    ],
)
def test_what_can_be_heard_is_noted(tmp_path: Path, text: str, noted: bool) -> None:
    """Passwords and tokens without TLS, where somebody else could listen; a note, since a proxy may speak it."""
    (tmp_path / "web.yml").write_text(USERS)
    path = tmp_path / "platform-meter.yaml"
    path.write_text(text)
    found = [w.text for w in examine(path, (), {"TOKEN": "secret"}, machine=True).warnings]
    assert any(w.startswith("passwords and tokens cross the network in the clear") for w in found) is noted


LOCAL = (
    "only this machine reaches 127.0.0.1:0, so no webhook comes in; well behind a proxy that runs here, "
    "else write another listen"
)
NOBODY = "nobody may push to 'apps'; write access: {tokens: {NAME: {role: reporter, token: {file: PATH}}}}"
NEVER = "nothing is pushed to a source of type plain, so its polls go on every `every`; remove the key"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("listen: 127.0.0.1:0\nsources:\n  hooks: {type: invented, webhook: {env: TOKEN}}\n", [(3, 10, LOCAL)]),
        ("listen: 127.0.0.1:0\nsources:\n  hooks: {type: invented}\n  apps: {type: push}\n", []),
        ("listen: :0\nsources:\n  apps: {type: push}\n", [(3, 9, NOBODY)]),
        ("listen: :0\naccess: {users: {ops: viewer}}\nsources:\n  apps: {type: push}\n", [(4, 9, NOBODY)]),
        ("listen: :0\naccess: {users: {ops: admin}}\nsources:\n  apps: {type: push}\n", []),
        ("listen: :0\naccess: {groups: {ci: [viewer, reporter]}}\nsources:\n  apps: {type: push}\n", []),
        ("sources:\n  ci: {type: plain, reconcile: 1h}\n  hooks: {type: invented, reconcile: 1h}\n", [(2, 21, NEVER)]),
    ],
)
def test_what_is_to_be_pushed_has_to_come_in(text: str, told: list[tuple[int, int, str]]) -> None:
    """Notes: a proxy on this machine may bring it in, and so may a role that a proxy gives."""
    types = {one.name: one for one in (source(), source("push", scheme=None), source("plain", receives=None))}
    loaded = load_config(text, "c.yaml", {name: one.config for name, one in types.items()})
    assert loaded.problems == ()
    assert [(p.line, p.column, p.text) for p in ready.pushes(loaded, types)] == told
