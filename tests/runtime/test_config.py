"""The configuration: defaults, paths, sources of a type, secrets. Messages stand in tests/problems/cases."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.problems.fake_sources import CONFIGS, Cluster, GitHub

from platform_meter.model.source import Secret
from platform_meter.runtime.config import Caps, Config, SourceSection, load_config, missing_secrets, readable

FULL = """\
zone: Europe/Berlin
listen: "[::1]:9000"
definitions: slos
store: {url: "sqlite:///data/meter.db", retention: 100d}
salt: {file: secrets/salt}
tick: 5s
zero_for: 1m30s
caps: {total: 5000, families: {platform_pipeline_runs_total: 500}, keep: {team: [payments]}}
labels: {team: acme.io/team}
sources:
  github-acme: {type: github, org: acme, token: {env: GITHUB_TOKEN}, every: 30s, history: 2w}
  eu: {type: kubernetes, cluster: eu, kubeconfig: ../kube/config, lookback: 0s}
"""


def load(text: str, path: str = "/etc/meter/platform-meter.yaml") -> Config:
    loaded = load_config(text, path, CONFIGS)
    assert loaded.problems == ()
    assert loaded.config is not None
    return loaded.config


def test_every_key_is_read() -> None:
    """Durations, addresses and paths become what they mean; paths start at the file's folder."""
    config = load(FULL)
    assert config.model_dump(exclude={"sources"}) == {
        "zone": "Europe/Berlin",
        "listen": "[::1]:9000",
        "definitions": "/etc/meter/slos",
        "store": {
            "url": "sqlite:////etc/meter/data/meter.db",
            "retention": timedelta(days=100),
            "lease": timedelta(seconds=30),
        },
        "salt": {"file": "/etc/meter/secrets/salt", "env": None},
        "tick": timedelta(seconds=5),
        "zero_for": timedelta(seconds=90),
        "caps": {"total": 5000, "families": {"platform_pipeline_runs_total": 500}, "keep": {"team": ("payments",)}},
        "labels": {"team": "acme.io/team"},
    }
    assert config.address == ("::1", 9000)
    assert config.salt_file == Path("/etc/meter/data/platform-meter.salt")
    assert config.sources == {
        "github-acme": SourceSection(
            type_name="github",
            config=GitHub(
                org="acme",
                token=Secret(env="GITHUB_TOKEN"),
                every=timedelta(seconds=30),
                history=timedelta(days=14),
            ),
        ),
        "eu": SourceSection(
            type_name="kubernetes",
            config=Cluster(cluster="eu", kubeconfig="/etc/kube/config", lookback=timedelta(0)),
        ),
    }


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n", "sources:\n", "{}\n"])
def test_every_key_has_a_default(text: str) -> None:
    """An empty file is a whole configuration."""
    config = load(text)
    assert (config.zone, config.address, config.tick, config.zero_for) == (
        "UTC",
        ("127.0.0.1", 9898),
        timedelta(seconds=15),
        timedelta(seconds=60),
    )
    assert config.caps == Caps()
    assert config.caps.total == 60_000
    assert config.store.url == "sqlite:////etc/meter/platform-meter.db"
    assert config.definitions == "/etc/meter/slo-definitions"
    assert config.sources == {}


def test_paths_of_a_file_in_the_current_folder_stay_relative() -> None:
    """`platform-meter.yaml` without a folder reads beside itself, wherever that is."""
    config = load("salt: {file: ~/salt}\n", "platform-meter.yaml")
    assert (config.definitions, config.store.url) == ("slo-definitions", "sqlite:///platform-meter.db")
    assert config.salt_file == Path("platform-meter.salt")
    assert config.salt == Secret(file="~/salt")


def test_a_salt_for_a_shared_store_is_kept_beside_the_configuration() -> None:
    """PostgreSQL has no folder of ours."""
    assert load("store: {url: postgresql+psycopg://db/meter}\n").salt_file == Path("/etc/meter/platform-meter.salt")


@pytest.mark.parametrize(
    ("text", "good"),
    [(":9898", True), ("0.0.0.0:0", True), ("[::]:80", True), ("::1:80", False), ("host", False), ("a:65536", False)],
)
def test_an_address_to_listen_at_is_host_and_port(text: str, good: bool) -> None:
    """IPv6 stands in brackets, so that the port is plain to see."""
    problems = load_config(f'listen: "{text}"\n', "x.yaml", {}).problems
    said = f"'{text}' is no address to listen at; write host:port, such as 127.0.0.1:9898 or :9898"
    assert [p.text for p in problems] == ([] if good else [said])


def test_a_wrong_section_leaves_the_others_known() -> None:
    """Definitions are held against every source whose type is known, sound or not."""
    loaded = load_config("zone: X\nsources: {a: {type: github}, b: {type: kong}, c: {type: x}}\n", "x.yaml", CONFIGS)
    assert loaded.config is not None
    assert loaded.config.sources.keys() == {"b"}
    assert loaded.instances == {"a": "github", "b": "kong"}
    assert len(loaded.problems) == 4


def test_secrets_are_looked_up_as_the_file_says() -> None:
    """Files at their resolved path, variables by name; a variable that is empty is not set."""
    text = FULL.replace("GITHUB_TOKEN", "T")
    asked: list[str] = []

    def exists(path: str) -> bool:
        asked.append(path)
        return True

    loaded = load_config(text, "/etc/meter/platform-meter.yaml", CONFIGS)
    assert missing_secrets(loaded, exists, {"T": "x"}) == ()
    assert asked == ["/etc/meter/secrets/salt"]
    assert [(p.line, p.column) for p in missing_secrets(loaded, lambda _: False, {"T": ""})] == [(5, 14), (11, 55)]


def test_secrets_that_cannot_be_looked_at_are_not() -> None:
    """A configuration that could not be read has its own problems."""
    assert missing_secrets(load_config("zone: X\n", "x.yaml", {}), lambda _: False, {}) == ()


def test_a_readable_file_is_a_file(tmp_path: Path) -> None:
    """A folder is no secret."""
    file = tmp_path / "salt"
    file.write_text("x", "utf-8")
    assert readable(str(file))
    assert not readable(str(tmp_path))
    assert not readable(str(tmp_path / "none"))


@given(st.text(max_size=80))
def test_any_text_gives_a_configuration_or_problems(text: str) -> None:
    """There is a configuration exactly where the file is sound, or can be used to look on."""
    loaded = load_config(text, "x.yaml", CONFIGS)
    assert loaded.config is not None or loaded.problems
