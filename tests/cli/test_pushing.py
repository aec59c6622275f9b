"""`generate --push`, against a small server that keeps the documented contract of Mimir's ruler."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.places import ROOT
from tests.support.ruler import ruling

from platform_meter.cli import main


@pytest.fixture
def slos(tmp_path: Path) -> Path:
    """Two SLO files of two services, with some groups each, and a group of the meter's own alerts."""
    folder = tmp_path / "slos"
    folder.mkdir()
    for name in ("requests.yaml", "ci.yaml"):
        shutil.copy(ROOT / "slo-definitions" / name, folder)
    return folder


def generate(slos: Path, *arguments: str, **environ: str) -> tuple[int, list[str]]:
    done = CliRunner().invoke(main, ["generate", "--slos", str(slos), *arguments], env=environ)
    return done.exit_code, done.output.splitlines()


def test_groups_are_pushed_once(slos: Path) -> None:
    """Each is new the first time, and then nothing is sent; no file is written."""
    with ruling() as kept:
        code, output = generate(slos, "--push", kept.server.url, "--tenant", "shop")
        spaces = kept.tenants["shop"]
        assert sorted(spaces) == ["platform-meter.ci", "platform-meter.platform_meter", "platform-meter.requests"]
        many = sum(len(groups) for groups in spaces.values())
        assert code == 0
        assert output[-1] == f"{many} new, 0 changed, 0 gone, 0 as they were"
        assert "platform-meter.requests: slo requests-availability short is new" in output
        assert len(kept.changed) == many
        assert generate(slos, "--push", kept.server.url, "--tenant", "shop") == (
            0,
            [f"0 new, 0 changed, 0 gone, {many} as they were"],
        )
        assert len(kept.changed) == many
    assert [path.name for path in slos.iterdir() if path.is_dir()] == []


def test_only_what_differs_is_pushed(slos: Path) -> None:
    """What is changed, and last what is gone; namespaces of others stay as they are."""
    with ruling() as kept:
        address = ("--push", kept.server.url)
        generate(slos, *address)
        spaces = kept.tenants["anonymous"]
        spaces["team-rules"] = {"mine": {"name": "mine", "rules": []}}
        spaces["other-meter.requests"] = dict(spaces["platform-meter.requests"])
        kept.changed.clear()
        requests = slos / "requests.yaml"
        requests.write_text(requests.read_text().replace("target: 0.999", "target: 0.998"))
        gone = sorted(spaces["platform-meter.ci"])
        (slos / "ci.yaml").unlink()
        code, output = generate(slos, *address)
        assert (code, "platform-meter.requests: slo requests-availability short is changed" in output) == (0, True)
        assert f"0 new, 2 changed, {len(gone)} gone" in output[-1]
        assert kept.changed[-len(gone) :] == [f"DELETE platform-meter.ci {group}" for group in gone]
        assert all(change.startswith("POST platform-meter.requests ") for change in kept.changed[: -len(gone)])
        assert sorted(spaces) == [
            "other-meter.requests",
            "platform-meter.platform_meter",
            "platform-meter.requests",
            "team-rules",
        ]


def test_what_differs_can_be_asked_for(slos: Path) -> None:
    """`--diff` shows it, `--check` names it, both write nothing and exit with 1; with nothing to tell they exit with 0."""
    with ruling() as kept:
        address = ("--push", kept.server.url)
        generate(slos, *address)
        assert generate(slos, *address, "--check") == (0, ["the ruler has every group as it would be written now"])
        assert generate(slos, *address, "--diff") == (0, [])
        kept.changed.clear()
        requests = slos / "requests.yaml"
        requests.write_text(requests.read_text().replace("target: 0.999", "target: 0.998"))
        code, output = generate(slos, *address, "--check")
        again = f"run: platform-meter generate --push {kept.server.url}"
        assert (code, output[0]) == (1, f"platform-meter.requests: slo requests-availability short is changed; {again}")
        code, output = generate(slos, *address, "--diff")
        assert (code, output[0]) == (1, "--- platform-meter.requests/slo requests-availability short (now)")
        assert kept.changed == []


def test_two_repositories_can_share_a_tenant(slos: Path, tmp_path: Path) -> None:
    """Each under a name of its own, neither lets go what the other pushed."""
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(ROOT / "slo-definitions" / "apis.yaml", other)
    with ruling() as kept:
        generate(slos, "--push", kept.server.url, "--push-as", "web")
        code, output = generate(other, "--push", kept.server.url, "--push-as", "apis")
        assert (code, " 0 gone" in output[-1]) == (0, True)
        assert {"web.requests", "apis.platform_meter"} <= set(kept.tenants["anonymous"])


def test_a_group_that_is_refused_is_named(slos: Path) -> None:
    """The others are pushed; nothing is deleted then, and the exit code is 1."""
    with ruling() as kept:
        generate(slos, "--push", kept.server.url)
        kept.most = 10
        (slos / "ci.yaml").unlink()
        requests = slos / "requests.yaml"
        requests.write_text(requests.read_text().replace("target: 0.999", "target: 0.998"))
        code, output = generate(slos, "--push", kept.server.url)
        assert code == 1
        (refused,) = [line for line in output if "was refused" in line]
        assert "platform-meter.requests: slo requests-availability long was refused: " in refused
        assert "per-user rules per rule group limit (limit: 10 actual: 1" in refused
        assert "nothing was deleted, since not everything was taken" in output
        assert ", 1 changed, 0 gone" in output[-1]
        assert "platform-meter.ci" in kept.tenants["anonymous"]


def test_the_token_is_never_an_argument(slos: Path, tmp_path: Path) -> None:
    """It stands in a variable or a file; without one the message says how to name it."""
    file = tmp_path / "token"
    file.write_text("s3cret")
    with ruling(token="Bearer s3cret") as kept:
        address = ("--push", kept.server.url)
        assert generate(slos, *address, "--push-token-env", "RULER_TOKEN", RULER_TOKEN="s3cret")[0] == 0
        assert generate(slos, *address, "--push-token-file", str(file))[0] == 0
        code, output = generate(slos, *address)
        assert (code, "name one with --push-token-env NAME or --push-token-file FILE" in output[-1]) == (1, True)
        kept.token = "Basic c2hvcDpzM2NyZXQ="
        assert generate(slos, *address, "--push-token-file", str(file), "--push-user", "shop")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--tenant", "a"], "--tenant is of a ruler; write --push URL with it"),
        (["--push-token-env", "A"], "--push-token-env is of a ruler; write --push URL with it"),
        (["--push", "http://a", "--rules", "b"], "--rules is about files, and --push writes none; write one of them"),
        (["--push", "http://a", "--format", "prometheusrule"], "--format is about files, and --push writes none"),
        (["--push", "http://a", "--tenant", "a|b"], "'a|b' is no tenant; write at most 150 letters, digits and signs"),
        (["--push", "http://a", "--push-as", "a.b"], "'a.b' is no name; write letters, digits, '-' and '_', such as"),
        (["--push", "http://a", "--push-user", "b"], "--push-user has a password; name it with --push-token-env or"),
        (
            ["--push", "http://a", "--push-token-env", "B", "--push-token-file", "c"],
            "a token stands in one place; write --push-token-env or --push-token-file",
        ),
        (["--push", "mimir:8080"], "Invalid value for --push"),
    ],
)
def test_what_cannot_be_asked_for(arguments: list[str], said: str, slos: Path) -> None:
    """A usage error that says what to write instead."""
    code, output = generate(slos, *arguments)
    assert (code, said in output[-1]) == (2, True), output


def test_nobody_there(slos: Path) -> None:
    """It ends in a sentence."""
    with ruling() as kept:
        url = kept.server.url
    code, output = generate(slos, "--push", url)
    assert (code, "GET /prometheus/config/v1/rules of ruler" in output[-1]) == (1, True)
