"""`init`: what is found, and that the file made of it passes `check`."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.support.places import DOCS

from platform_meter.model.proposal import Proposal, Surroundings
from platform_meter.runtime.files.check import check
from platform_meter.runtime.files.init import look, starting_file
from platform_meter.sources import load

SAMPLES = [proposal.sample[0] for source in load().values() if (proposal := source.propose(Surroundings()))]
KUBECONFIG = """\
apiVersion: v1
current-context: prod-eu
contexts:
- {name: dev, context: {cluster: dev, user: u}}
- {name: prod-eu, context: {cluster: eu, user: u}}
- {name: "arn:aws:eks:eu-west-1:1:cluster/a", context: {cluster: a, user: u}}
users:
- {name: u, user: {token: not-to-be-shown}}
"""
GIT = """\
[core]
\tbare = false
[remote "fork"]
\turl = https://someone:pw-not-to-be-shown@github.com/Fork-Org/app.git
[remote "origin"]
\turl = git@github.com:acme/app.git
[remote "mirror"]
\turl = https://gitlab.example/acme/app.git
[branch "main"]
\turl = git@github.com:not-a-remote/app.git
"""


NOTHING = Surroundings()


def written(around: Surroundings = NOTHING) -> str:
    """The file of our own sources."""
    return starting_file(around, load().values())


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A home with a kubeconfig and a checkout in it."""
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube/config").write_text(KUBECONFIG, "utf-8")
    (tmp_path / "app/.git").mkdir(parents=True)
    (tmp_path / "app/.git/config").write_text(GIT, "utf-8")
    (tmp_path / "app/src").mkdir()
    return tmp_path


def test_names_are_found_and_secrets_are_not(machine: Path) -> None:
    """Contexts, the current first; remotes without users; variables by name, and the values of bare addresses alone."""
    environ = {"GH_TOKEN": "not-to-be-shown", "JIRA_TOKEN": "", "X_URL": "https://u:not-to-be-shown@x.example"}
    found = look(machine, machine / "app/src", {**environ, "PROMETHEUS_URL": "http://prometheus.example:9090/p"})
    assert found == Surroundings(
        contexts=("prod-eu", "dev", "arn:aws:eks:eu-west-1:1:cluster/a"),
        remotes=(
            ("fork", "https://github.com/Fork-Org/app.git"),
            ("origin", "github.com:acme/app.git"),
            ("mirror", "https://gitlab.example/acme/app.git"),
        ),
        variables=frozenset({"GH_TOKEN", "X_URL", "PROMETHEUS_URL"}),
        addresses={"PROMETHEUS_URL": "http://prometheus.example:9090/p"},
    )
    assert "not-to-be-shown" not in repr(found) + written(found)


def test_other_places_are_looked_at(machine: Path, tmp_path: Path) -> None:
    """KUBECONFIG may name several files; a worktree's `.git` is a file."""
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("contexts: [{name: a}]\n", "utf-8")
    two.write_text("current-context: b\ncontexts: [{name: b}, {name: a}, {name: 3}, x]\n", "utf-8")
    tree = tmp_path / "tree"
    tree.mkdir()
    inner = machine / "app/.git/worktrees/tree"
    inner.mkdir(parents=True)
    (inner / "commondir").write_text("../..\n", "utf-8")
    (tree / ".git").write_text(f"gitdir: {inner}\n", "utf-8")
    found = look(machine, tree, {"KUBECONFIG": f"{one}:{two}"})
    assert (found.contexts, [name for name, _ in found.remotes]) == (("b", "a"), ["fork", "origin", "mirror"])


@pytest.mark.parametrize("text", ["", "[", "- a\n", "contexts: {a: b}\n", "\x00"])
def test_nothing_is_found_in_what_is_no_kubeconfig(tmp_path: Path, text: str) -> None:
    """A broken file is as good as none; init proposes and does not judge."""
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube/config").write_text(text, "utf-8")
    assert look(tmp_path, tmp_path, {}).contexts == ()


@pytest.mark.parametrize("name", [".git", ".git/config", ".git/worktrees/x/commondir"])
@pytest.mark.parametrize("text", [b"\xff\xfe", b"a\0b", b"x" * 5000])
def test_a_broken_checkout_is_as_good_as_none(tmp_path: Path, name: str, text: bytes) -> None:
    """Files of git that are no text, or name no path, are nothing found."""
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text)
    assert look(tmp_path, tmp_path, {}).remotes == ()
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / ".git").write_text(f"gitdir: {file.parent}\n", "utf-8")
    assert look(tmp_path, tree, {}).remotes == ()


def test_the_permissions_of_the_token_are_all_named() -> None:
    """Those that docs/sources.md asks for, but for the one of tickets."""
    page = (DOCS / "sources.md").read_text("utf-8")
    needed = re.findall(r"^\| ([A-Z][a-z ]+): read \|", page, re.MULTILINE)
    comment = " ".join(written().split())
    assert needed
    assert [p for p in needed if p != "Issues" and p.lower() not in comment.replace("# ", "").lower()] == []


def test_the_file_passes_check_once_tokens_are_set(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With everything found, every section is active and sound for the sources that are there."""
    monkeypatch.setenv("HOME", str(machine))
    found = look(machine, machine / "app", {"GITHUB_TOKEN": "x", "PROMETHEUS_URL": "http://127.0.0.1:9090"})
    path = machine / "platform-meter.yaml"
    path.write_text(written(found), "utf-8")
    assert list(yaml.safe_load(path.read_text("utf-8"))["sources"]) == [
        "github-acme",
        "github-fork-org",
        "kubernetes-prod-eu",
        "kubernetes-dev",
        "kubernetes-arn-aws-eks-eu-west-1-1-cluster-a",
        "prometheus",
    ]
    assert check(path, [], {"GITHUB_TOKEN": "x"}) == []
    assert [p.text for p in check(path, [], {})] == [
        "variable 'GITHUB_TOKEN' is not set; set it, or write token: {file: secrets/github-acme-token}",
        "variable 'GITHUB_TOKEN' is not set; set it, or write token: {file: secrets/github-fork-org-token}",
    ]


def test_with_nothing_found_all_is_commented_out(tmp_path: Path) -> None:
    """The file is still sound, and each source waits behind a `#` with what to fill in."""
    text = written()
    path = tmp_path / "platform-meter.yaml"
    path.write_text(text, "utf-8")
    assert check(path, [], {}) == []
    commented = {line.strip().split(":")[0] for line in text.splitlines() if "{type" in line}
    assert commented == {f"# {name}" for name in SAMPLES}
    assert commented >= {"# github-acme", "# kubernetes", "# prometheus", "# jira"}


@pytest.mark.parametrize("name", SAMPLES)
def test_taking_the_mark_away_gives_a_sound_section(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample is right as it stands, but for the names to fill in."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube/config").write_text("contexts: [{name: NAME}]\n", "utf-8")
    path = tmp_path / "platform-meter.yaml"
    path.write_text(written().replace(f"  # {name}:", f"  {name}:"), "utf-8")
    systems = ("ARGOCD_AUTH", "BACKSTAGE", "GITHUB", "GITLAB", "GRAFANA", "JENKINS", "JIRA", "PAGERDUTY", "ZENDESK")
    variables = (*(f"{system}_TOKEN" for system in systems), "DD_API_KEY", "DD_APP_KEY", "SERVICENOW_PASSWORD")
    assert check(path, [], dict.fromkeys(variables, "x")) == []


@given(st.lists(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1), max_size=4, unique=True))
def test_any_context_can_be_written(names: list[str]) -> None:
    """Whatever a context is called, it is the same text again when the file is read."""
    text = written(Surroundings(contexts=tuple(names)))
    sources = yaml.safe_load(text)["sources"] or {}
    assert [s["context"] for s in sources.values()] == names


def test_a_source_of_ones_own_is_written_too() -> None:
    """What it found stands under its comment, in order of names; one that proposes nothing is left out."""
    shy, bold = (replace(load()["jira"], name=name) for name in ("shy", "bold"))
    shy = replace(shy, propose=lambda _: None)
    found = {f"bold-{name}": {"url": address} for name, address in (("a", "https://a.example"), ("b", "b: c"))}
    proposal = Proposal(about="Reads.\nNeeds nothing.", found=found, sample=("bold", {"url": "x"}), fill_in="its url")
    bold = replace(bold, propose=lambda around: proposal if around.variable("BOLD") else replace(proposal, found={}))
    text = starting_file(Surroundings(variables=frozenset({"BOLD"})), [shy, load()["jira"], bold])
    assert (
        text.partition("sources:\n")[2]
        == """\
  # Reads.
  # Needs nothing.
  bold-a: {type: bold, url: https://a.example}
  bold-b: {type: bold, url: "b: c"}

  # Tickets with their history, for the queues that Ticketing files declare.
  # jira: {type: jira, url: https://acme.atlassian.net, email: meter@acme.example, token: {env: JIRA_TOKEN}}   # your site and account
"""
    )
    assert "  # bold: {type: bold, url: x}   # its url\n" in starting_file(NOTHING, [bold])
