"""The configuration: defaults, paths, sources of a type. Messages stand in tests/problems/cases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.problems.fake_sources import CONFIGS, Cluster, GitHub

from platform_meter.model.access import Secret
from platform_meter.model.scalars import parse_address
from platform_meter.runtime.files.config import Caps, Config, SourceSection, load_config
from platform_meter.runtime.outside.credentials import check_url

FULL = """\
zone: Europe/Berlin
listen: "[::1]:9000"
web_config: web.yml
access: {anonymous: viewer}
definitions: slos
store: {url: "sqlite:///data/meter.db", retention: 100d}
salt: {file: secrets/salt}
tick: 5s
zero_for: 1m30s
caps: {total: 5000, families: {platform_pipeline_runs_total: 500}, keep: {team: [payments]}}
exposition: {opentelemetry: true}
push_bytes: 65536
labels: {team: acme.io/team}
links: {exporter: "https://meter.example/", runbooks: "https://git.example/runbooks"}
report: {chat: {url: {file: secrets/chat}}}
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
        "web_config": "/etc/meter/web.yml",
        "access": {"anonymous": "viewer", "users": {}, "groups": {}, "tokens": {}, "proxy": None},
        "definitions": "/etc/meter/slos",
        "store": {
            "url": "sqlite:////etc/meter/data/meter.db",
            "retention": timedelta(days=100),
            "detail": timedelta(days=35),
            "lease": timedelta(seconds=30),
        },
        "salt": {"file": "/etc/meter/secrets/salt", "env": None},
        "tick": timedelta(seconds=5),
        "zero_for": timedelta(seconds=90),
        "caps": {"total": 5000, "families": {"platform_pipeline_runs_total": 500}, "keep": {"team": ("payments",)}},
        "exposition": {"opentelemetry": True},
        "push_bytes": 65536,
        "labels": {"team": "acme.io/team"},
        "links": {"exporter": "https://meter.example/", "grafana": None, "runbooks": "https://git.example/runbooks"},
        "report": {
            "every": None,
            "mail": None,
            "chat": {"url": {"file": "/etc/meter/secrets/chat", "env": None}, "ca_file": None},
        },
    }
    assert config.address == ("::1", 9000)
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
    assert config.salt == Secret(file="~/salt")


@pytest.mark.parametrize(
    ("text", "good"),
    [(":9898", True), ("0.0.0.0:0", True), ("[::]:80", True), ("::1:80", False), ("host", False), ("a:65536", False)],
)
def test_an_address_to_listen_at_is_host_and_port(text: str, good: bool) -> None:
    """IPv6 stands in brackets, so that the port is plain to see."""
    problems = load_config(f'listen: "{text}"\n', "x.yaml", {}).problems
    said = f"'{text}' is no address to listen at; write host:port, such as 127.0.0.1:9898 or :9898"
    assert [p.text for p in problems] == ([] if good else [said])


@pytest.mark.parametrize("text", ["9898", "'9898'"])
def test_a_port_alone_is_told_both_ways_to_write_it(text: str) -> None:
    """YAML reads it as a number, and quotes would not help."""
    said = "'9898' is a port without a host; write 127.0.0.1:9898, or :9898 for all addresses"
    assert [p.text for p in load_config(f"listen: {text}\n", "x.yaml", {}).problems] == [said]


def test_a_wrong_section_leaves_the_others_known() -> None:
    """There is no configuration then, but all types that are known, and every setting that is sound by itself."""
    text = "zone: X\nsources: {a: {type: github, token: {env: T}}, b: {type: kong}, c: {type: x}}\n"
    loaded = load_config(text, "x.yaml", CONFIGS)
    assert loaded.config is None
    assert loaded.instances == {"a": "github", "b": "kong"}
    assert [(s.at, s.value) for s in loaded.settings] == [(("sources", "a", "token"), Secret(env="T"))]
    assert len(loaded.problems) == 3


@given(st.from_regex(r"https?://[A-Za-z0-9._:\[\]@-]{1,12}(/[!-~]{0,6})?", fullmatch=True))
def test_what_is_taken_for_an_address_can_be_called(text: str) -> None:
    """An address that `check` takes is one that the way out takes."""
    try:
        parse_address(text)
    except ValueError:
        return
    assert check_url(text) == text.rstrip("/")


@given(st.text(max_size=80))
def test_any_text_gives_a_configuration_or_problems(text: str) -> None:
    """There is a configuration exactly where the file is sound, or can be used to look on."""
    loaded = load_config(text, "x.yaml", CONFIGS)
    assert loaded.config is not None or loaded.problems
