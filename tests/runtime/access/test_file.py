"""The web configuration in force, as its files change."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from tests.support.http import Certificate

from platform_meter.problems import render
from platform_meter.runtime.access.file import WebFile, load
from platform_meter.runtime.access.web_config import CIPHERS

HASH = "$2y$10$" + "a" * 22 + "b" * 31
LIMITED = "rate_limit: {interval: 1h, burst: 2}\n"


def users(*names: str) -> str:
    return "basic_auth_users:\n" + "".join(f"  {name}: {HASH}\n" for name in names)


def test_what_it_names_is_looked_at(tmp_path: Path) -> None:
    """Every file that is not there, at once; and the file itself."""
    web = tmp_path / "web.yml"
    web.write_text("tls_server_config: {cert_file: a.crt, key_file: a.key}\n")
    assert [render(p) for p in load(str(web)).problems] == [
        f"{web}:1:1: {tmp_path}/a.crt can't be read: No such file or directory; correct the path",
        f"{web}:1:1: {tmp_path}/a.key can't be read: No such file or directory; correct the path",
    ]
    web.write_bytes(b"\xff\xfe")
    assert [p.text for p in load(str(web)).problems] == ["this file is no UTF-8 text; write it as UTF-8"]
    web.unlink()
    (absent,) = load(str(web)).problems
    assert absent.text == "this file can't be read: No such file or directory; correct web_config, or create it"


def test_it_may_stand_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, certs: dict[str, Certificate]) -> None:
    """And what it names beside it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "web.yml").write_text("tls_server_config: {cert_file: a.crt, key_file: a.key}\n")
    (tmp_path / "a.crt").write_bytes(certs["server"].cert.read_bytes())
    (tmp_path / "a.key").write_bytes(certs["server"].key.read_bytes())
    assert WebFile("~/web.yml").contexts is not None


def test_what_openssl_refuses_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, certs: dict[str, Certificate]
) -> None:
    """Also where it is no matter of the files: here suites that it does not have."""
    monkeypatch.setitem(CIPHERS, "TLS_RSA_WITH_AES_128_CBC_SHA", "NONE-SUCH")
    web = tmp_path / "web.yml"
    files = f"cert_file: {certs['server'].cert}, key_file: {certs['server'].key}"
    web.write_text(f"tls_server_config: {{{files}, cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]}}\n")
    (problem,) = load(str(web)).problems
    assert "No cipher can be selected" in problem.text


def test_without_a_sound_file_nothing_starts(tmp_path: Path) -> None:
    """All its problems are the error."""
    web = tmp_path / "web.yml"
    web.write_text("rate: 1\nbasic: 2\n")
    with pytest.raises(ValueError, match=r"(?s)web.yml:1:1: unknown key 'rate'.*web.yml:2:1: unknown key 'basic'"):
        WebFile(str(web))


def test_a_change_is_in_force_at_once(tmp_path: Path) -> None:
    """Also where another file takes its place, as mounted ones do."""
    web, other = tmp_path / "web.yml", tmp_path / "other.yml"
    web.write_text(users("alice"))
    file = WebFile(str(web))
    assert list(file.current().config.basic_auth_users) == ["alice"]
    web.write_text(users("alice", "bob"))
    assert list(file.current().config.basic_auth_users) == ["alice", "bob"]
    other.write_text(users("carol", "dave"))
    other.replace(web)
    assert list(file.current().config.basic_auth_users) == ["carol", "dave"]


def test_a_bad_change_keeps_what_was_read_before(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is said once, counted until it is mended, and so is a file that is gone."""
    web = tmp_path / "web.yml"
    web.write_text(users("alice"))
    file = WebFile(str(web))
    web.write_text("basic_auth_users: {bob: hunter2}\nrate: 1\n")
    for _ in range(3):
        assert list(file.current().config.basic_auth_users) == ["alice"]
    assert file.problems == 2
    (record,) = caplog.records
    assert record.getMessage().startswith(
        f"the web configuration was not taken, what was read before stays in force:\n{web}:1:"
    )
    assert "hunter2" not in caplog.text
    web.unlink()
    assert list(file.current().config.basic_auth_users) == ["alice"]
    assert file.problems == 1
    web.write_text(users("bob"))
    assert (list(file.current().config.basic_auth_users), file.problems) == (["bob"], 0)


def test_a_certificate_that_comes_later_is_noticed(tmp_path: Path, certs: dict[str, Certificate]) -> None:
    """The file named it before it was there: nobody has to touch the file again."""
    web, later = tmp_path / "web.yml", tmp_path / "later.crt"
    text = f"tls_server_config: {{cert_file: {{}}, key_file: {certs['server'].key}}}\n"
    web.write_text(text.replace("{}", str(certs["server"].cert)))
    file = WebFile(str(web))
    before = file.current().context
    web.write_text(text.replace("{}", str(later)))
    assert (file.current().context, file.problems) == (before, 1)
    later.write_bytes(certs["server"].cert.read_bytes())
    assert file.current().context is not before
    assert file.problems == 0


def test_https_does_not_come_and_go(
    tmp_path: Path, certs: dict[str, Certificate], caplog: pytest.LogCaptureFixture
) -> None:
    """A file from which TLS has vanished opens nothing."""
    web = tmp_path / "web.yml"
    web.write_text(f"tls_server_config: {{cert_file: {certs['server'].cert}, key_file: {certs['server'].key}}}\n")
    file = WebFile(str(web))
    contexts = file.contexts
    assert contexts is not None
    before = contexts()
    web.write_text(users("alice"))
    assert contexts() is before
    assert "whether https is spoken is settled at the start" in caplog.text
    assert file.problems == 1


def test_without_tls_there_are_no_contexts(tmp_path: Path) -> None:
    """The server speaks plain HTTP."""
    web = tmp_path / "web.yml"
    web.write_text("")
    assert WebFile(str(web)).contexts is None


def test_the_bound_on_requests_is_the_files(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A change of something else does not fill it again; one of the bound does, and none is none."""
    caplog.set_level(logging.INFO)
    web = tmp_path / "web.yml"
    web.write_text(LIMITED)
    file = WebFile(str(web))
    assert [file.has_room() for _ in range(2)] == [True, True]
    web.write_text(LIMITED + users("alice"))
    assert not file.has_room()
    assert caplog.messages == [f"web configuration read again: {web}"]
    web.write_text("rate_limit: {interval: 1h, burst: 1}\n")
    assert [file.has_room() for _ in range(2)] == [True, False]
    web.write_text("")
    assert [file.has_room() for _ in range(3)] == [True, True, True]
