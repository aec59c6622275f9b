"""What a configuration names: where it is looked for, and what is wrong with it. Messages stand in tests/problems/cases."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from tests.problems.fake_sources import CONFIGS

from platform_meter.problems import Problem
from platform_meter.runtime.files.config import load_config
from platform_meter.runtime.files.references import look_up, read_file
from platform_meter.sources.github import Config as GithubConfig
from platform_meter.sources.kubernetes import Config

TEXT = """\
salt: {file: secrets/salt}
sources:
  acme: {type: github, org: acme, token: {env: T}}
  eu: {type: kubernetes, cluster: eu, kubeconfig: ../kube/config}
"""


def looked_up(text: str, files: dict[str, bytes], environ: dict[str, str] | None = None) -> tuple[Problem, ...]:
    """What is wrong with this configuration of /etc/meter where these files stand."""
    loaded = load_config(text, "/etc/meter/platform-meter.yaml", CONFIGS)
    assert loaded.problems == ()
    return look_up(loaded, files.get, environ or {})


def test_all_is_looked_up_where_the_file_says() -> None:
    """Files at their resolved path, variables by name; a variable that is empty is not set."""
    files = {"/etc/meter/secrets/salt": b"pepper and more of it", "/etc/kube/config": b""}
    assert looked_up(TEXT, files, {"T": "x"}) == ()
    assert [(p.line, p.column) for p in looked_up(TEXT, {}, {"T": ""})] == [(1, 14), (3, 48), (4, 51)]


def test_what_could_not_be_read_is_not_looked_up() -> None:
    """A configuration that is none has its own problems; of one with problems what is sound is looked up."""
    assert look_up(load_config("[", "x.yaml", {}), lambda _: None, {}) == ()
    loaded = load_config("zone: X\nsalt: {env: S}\n", "x.yaml", {})
    assert [p.line for p in look_up(loaded, lambda _: None, {})] == [2]


TOKEN = "sources: {acme: {type: github, org: acme, token: {file: t}}}\n"
OTHER = "or write token: {env: GITHUB_TOKEN}"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"ghs_x\n", ""),
        (b" \n", f"file 't' is empty; put the secret into it, {OTHER}"),
        (b"a\nb", "file 't' holds a line break or a character outside ASCII; put the bare value into it"),
        (b"\xff\x00", "file 't' holds a line break or a character outside ASCII; put the bare value into it"),
    ],
)
def test_a_token_is_one_line(value: bytes, said: str) -> None:
    """What could not be sent in a header is told before it is sent."""
    assert [p.text for p in looked_up(TOKEN, {"/etc/meter/t": value})] == ([said] if said else [])


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"\xff" * 64 + b"\n", ""),
        (b"\n", "file 's' is empty; put the secret into it, or write salt: {env: PLATFORM_METER_SALT}"),
        (
            b"x" * 15,
            "file 's' holds 15 bytes; a salt has 16 or more, such as `openssl rand -hex 32` gives",
        ),
    ],
)
def test_a_salt_is_a_key_of_the_hash(value: bytes, said: str) -> None:
    """16 bytes or more, of any kind."""
    assert [p.text for p in looked_up("salt: {file: s}\n", {"/etc/meter/s": value})] == ([said] if said else [])


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("x", ""),
        ("  ", "variable 'T' is blank; set it to the secret, or write token: {file: secrets/acme-token}"),
        ("a\nb", "variable 'T' holds a line break or a character outside ASCII; put the bare value into it"),
    ],
)
def test_a_variable_is_one_line_too(value: str, said: str) -> None:
    """The same holds for it."""
    found = looked_up("sources: {acme: {type: github, org: acme, token: {env: T}}}\n", {}, {"T": value})
    assert [p.text for p in found] == ([said] if said else [])


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("secrets/github", True),
        ("platform-meter-github-token", True),
        ("/run/secrets/kubernetes.io/token", True),
        ("glpat-a1b2c3d4e5f6a7b8c9d0", False),
        ("secrets/glpat-a1b2c3d4e5f6a7b8c9d0", False),
        ("x" * 256, False),
        ("two\\nlines", False),
    ],
)
def test_what_may_be_the_secret_itself_is_not_shown(name: str, shown: bool) -> None:
    """A file that is not there is quoted, unless its name is none or looks like a token."""
    (problem,) = looked_up(f'sources: {{acme: {{type: github, org: acme, token: {{file: "{name}"}}}}}}\n', {})
    assert (f"file '{name}' is not there" in problem.text) is shown
    assert (problem.secrets == ()) is shown


CLUSTER = "sources: {eu: {type: kubernetes, cluster: eu, kubeconfig: k, context: eu}}\n"
DEFAULT = "sources: {eu: {type: kubernetes, cluster: eu, context: eu}}\n"


@pytest.mark.parametrize(
    ("text", "files", "said"),
    [
        (CLUSTER, {"/etc/meter/k": b"contexts: [{name: eu}]"}, []),
        (
            CLUSTER,
            {"/etc/meter/k": b"contexts: [{name: eu-1}]"},
            ["kubeconfig 'k' has no context 'eu'; did you mean 'eu-1'?"],
        ),
        (CLUSTER, {"/etc/meter/k": b"["}, ["kubeconfig 'k' has no context 'eu'; name another kubeconfig"]),
        (
            CLUSTER.replace(", context: eu", ""),
            {"/etc/meter/k": b"contexts: [{name: eu}]"},
            ["kubeconfig 'k' names no current context; write context: eu"],
        ),
        (
            CLUSTER.replace(", context: eu", ""),
            {"/etc/meter/k": b"current-context: us\ncontexts: [{name: eu}]"},
            ["kubeconfig 'k' names 'us' as its current context and does not have it; write context: eu"],
        ),
        (DEFAULT, {"~/.kube/config": b"contexts: [{name: eu}]"}, []),
        (
            DEFAULT,
            {},
            [
                (
                    "kubeconfig '~/.kube/config' is not there, so it has no context 'eu'; set KUBECONFIG, "
                    "or write kubeconfig: PATH"
                )
            ],
        ),
    ],
)
def test_a_context_stands_in_its_kubeconfig(text: str, files: dict[str, bytes], said: list[str]) -> None:
    """The one that is named, or the current one of a kubeconfig that is."""
    assert [p.text for p in looked_up(text, files)] == said


CLOUDS = """
sources:
  a: {type: kubernetes, cluster: a, eks: {name: prod, region: eu-west-1}}
  b: {type: kubernetes, cluster: b, gke: {project: p, location: l, name: prod}}
"""


def test_the_library_of_a_cloud_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is an extra, which the problem names; with both there is none."""
    loaded = load_config(CLOUDS, "/etc/meter/platform-meter.yaml", {"kubernetes": Config})
    assert look_up(loaded, lambda _: None, {}) == ()
    for module in ("boto3", "google.auth"):
        monkeypatch.setitem(sys.modules, module, None)
    assert [p.text for p in look_up(loaded, lambda _: None, {})] == [
        "eks needs a library that is not installed; run: pip install platform-meter[aws]",
        "gke needs a library that is not installed; run: pip install platform-meter[gcp]",
    ]
    monkeypatch.setitem(sys.modules, "google", None)
    assert len(look_up(loaded, lambda _: None, {})) == 2


def test_the_library_of_an_app_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It signs with it."""
    text = "sources:\n  hub: {type: github, org: acme, app: {id: 7, key_file: /app.pem}}\n"
    loaded = load_config(text, "/etc/meter/platform-meter.yaml", {"github": GithubConfig})
    assert look_up(loaded, {"/app.pem": b"x"}.get, {}) == ()
    monkeypatch.setitem(sys.modules, "cryptography", None)
    assert [p.text for p in look_up(loaded, {"/app.pem": b"x"}.get, {})] == [
        "app needs a library that is not installed; run: pip install platform-meter[github-app]"
    ]


def test_a_file_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    """A folder, a pipe, a home of nobody, and what is no path at all: each is as good as not there."""
    (tmp_path / "salt").write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe")
    assert read_file(str(tmp_path / "salt")) == b"x"
    for path in (tmp_path, tmp_path / "none", tmp_path / "pipe", "~nosuch-user-at-all/x", "x" * 5000, "a\0b"):
        assert read_file(str(path)) is None
