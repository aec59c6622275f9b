"""`platform-meter init`: a commented configuration from what is at hand. Reads names, never secrets."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

TOKENS = {
    "github": ("GITHUB_TOKEN", "GH_TOKEN"),
    "jira": ("JIRA_TOKEN", "JIRA_API_TOKEN"),
    "prometheus": ("PROMETHEUS_TOKEN",),
}
"""Variables that usually hold a token, by source type; the first is what we propose."""
_ADDRESSES = {"prometheus": "PROMETHEUS_URL"}
"""Variables that usually hold an address, which is no secret."""
_REMOTE = re.compile(r"(?:https?://(?:[^@/\s]+@)?|ssh://git@|git@)github\.com[:/]([A-Za-z0-9][A-Za-z0-9-]*)/\S+")
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(?:/[A-Za-z0-9._~/-]*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a starting configuration can be made of. Names only: no token, no address with a credential in it."""

    contexts: tuple[str, ...] = ()
    """Contexts of the kubeconfig, the current one first."""
    github_orgs: tuple[str, ...] = ()
    """Owners of the git remotes on github.com, `origin` first."""
    tokens: Mapping[str, str] | None = None
    """Source type to the name of a variable that is set."""
    prometheus_url: str = ""


def look(home: Path, cwd: Path, environ: Mapping[str, str]) -> Found:
    """What can be found without a network: kubeconfig contexts, git remotes of this checkout, variables by name.

    Files that are absent or can't be read as what they should be count as nothing found.
    """
    kubeconfigs = [Path(p) for p in environ.get("KUBECONFIG", "").split(os.pathsep) if p] or [home / ".kube" / "config"]
    address = environ.get(_ADDRESSES["prometheus"], "")
    return Found(
        contexts=_contexts(kubeconfigs),
        github_orgs=_github_orgs(cwd),
        tokens={type_: name for type_, names in TOKENS.items() for name in names[::-1] if environ.get(name)},
        prometheus_url=address if _ADDRESS.fullmatch(address) else "",
    )


def starting_file(found: Found) -> str:
    """A `platform-meter.yaml`: what was found is active, the rest is commented out and says what to fill in."""
    tokens = found.tokens or {}
    sections = [
        _github(found.github_orgs, tokens.get("github", TOKENS["github"][0])),
        _kubernetes(found.contexts),
        _prometheus(found.prometheus_url, tokens.get("prometheus", "")),
        _jira(tokens.get("jira", TOKENS["jira"][0])),
    ]
    return _HEAD + "\n\n".join("\n".join(f"  {line}" for line in lines) for lines in sections) + "\n"


_HEAD = """\
# What platform-meter reads and how. Every key: docs/config.md; the settings of each source: docs/sources.md.
# `platform-meter check` shows every mistake; `platform-meter sources test NAME` makes a small real call.

zone: UTC                           # days, weeks and months are cut here; such as Europe/Berlin
listen: 127.0.0.1:9898              # /metrics and the pages; :9898 for all addresses
# definitions: slo-definitions      # folder with capabilities, queues, owners and SLOs
# store: {url: "sqlite:///platform-meter.db", retention: 400d}
# labels: {team: example.org/team}  # object label that names the owning team

sources:
"""


def _github(orgs: Iterable[str], variable: str) -> list[str]:
    written = [
        f"github-{org.lower()}: {{type: github, org: {_scalar(org)}, token: {{env: {variable}}}}}" for org in orgs
    ]
    return [
        "# GitHub Actions, deployments and pull requests. The token needs to read metadata, actions, deployments and",
        "# pull requests; contents and administration too, to find whose a repository is (docs/sources.md).",
        *(written or [f"# github-acme: {{type: github, org: acme, token: {{env: {variable}}}}}   # your organisation"]),
    ]


def _kubernetes(contexts: Iterable[str]) -> list[str]:
    written: dict[str, str] = {}
    for context in contexts:
        name = _UNFIT.sub("-", context).strip("-._") or "cluster"
        while name in written:
            name += "-2"
        settings = f"type: kubernetes, cluster: {_scalar(name)}, context: {_scalar(context)}"
        written[name] = f"kubernetes-{name}: {{{settings}}}"
    return [
        "# Inventory, pod starts and API availability of each cluster; remove those that are not the platform's.",
        *(
            written.values()
            or ["# kubernetes: {type: kubernetes, cluster: prod, context: NAME}   # of your kubeconfig"]
        ),
    ]


def _prometheus(address: str, variable: str) -> list[str]:
    token = f", token: {{env: {variable}}}" if variable else ""
    sample = f"# prometheus: {{type: prometheus, url: http://localhost:9090{token}}}   # its address"
    return [
        "# Use and SLIs that a Prometheus already has; add usage and slis.",
        f"prometheus: {{type: prometheus, url: {_scalar(address)}{token}}}" if address else sample,
    ]


def _jira(variable: str) -> list[str]:
    return [
        "# Tickets with their history, for the queues that Ticketing files declare.",
        f"# jira: {{type: jira, url: https://acme.atlassian.net, email: meter@acme.example, token: {{env: {variable}}}}}   # your site and account",
    ]


def _scalar(text: str) -> str:
    """A plain word where YAML reads it as the text it is, else in quotes."""
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9._-]*|https?://[^\s,{}\[\]]+", text) and text.lower() not in _WORDS:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


_WORDS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}


def _contexts(paths: Iterable[Path]) -> tuple[str, ...]:
    """Names of contexts in the order of the files, the current one first."""
    names: list[str] = []
    current = ""
    for path in paths:
        config = _mapping(path)
        current = current or str(config.get("current-context") or "")
        contexts = config.get("contexts")
        for context in contexts if isinstance(contexts, list) else []:
            name = context.get("name") if isinstance(context, dict) else None
            if isinstance(name, str) and name.isprintable() and name:
                names.append(name)
    return tuple(sorted(dict.fromkeys(names), key=lambda n: n != current))


def _mapping(path: Path) -> Mapping[str, Any]:
    try:
        found = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return {}  # absent or unreadable is nothing found: init proposes, it does not judge
    return found if isinstance(found, dict) else {}


def _github_orgs(cwd: Path) -> tuple[str, ...]:
    """Owners in the remotes of the checkout that `cwd` is in; `origin` stands first in most files and is put there."""
    try:
        config = next((c for folder in (cwd, *cwd.parents) if (c := _git_config(folder / ".git"))), None)
        text = config.read_text("utf-8", "replace") if config else ""
    except (OSError, ValueError):
        return ()  # as above
    found: list[tuple[bool, str]] = []
    remote = ""
    for line in text.splitlines():
        if section := re.match(r'\s*\[\s*remote\s+"(.*)"\s*\]', line):
            remote = section[1]
        elif line.lstrip().startswith("["):
            remote = ""
        elif remote and (url := re.match(r"\s*url\s*=\s*(\S+)", line)) and (match := _REMOTE.fullmatch(url[1])):
            found.append((remote != "origin", match[1]))
    return tuple(dict.fromkeys(org for _, org in sorted(found)))


def _git_config(git: Path) -> Path | None:
    """The repository's config; a worktree's `.git` is a file that says where its repository is.

    Raises:
        OSError: one of the files can't be read.
        ValueError: one of them holds no path.
    """
    if git.is_file():
        place = git.read_text("utf-8", "replace").removeprefix("gitdir:").strip()
        folder = (git.parent / place).resolve()
        common = folder / "commondir"
        git = (folder / common.read_text("utf-8").strip()).resolve() if common.is_file() else folder
    config = git / "config"
    return config if config.is_file() else None
