"""`platform-meter init`: a commented configuration from what is at hand. Reads names, never secrets."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from platform_meter.model.proposal import Proposal, Surroundings
from platform_meter.model.source import Source

_ADDRESS = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(?:/[A-Za-z0-9._~/-]*)?")
"""Without user, password and query, which may be secrets."""
_USER = re.compile(r"^([a-z+]+://)?[^@/\s]*@")
"""The user of a remote's address, who may bring a password."""
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._-]*(@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+)?|https?://[^\s,{}\[\]]+")
_WORDS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}


def look(home: Path, cwd: Path, environ: Mapping[str, str]) -> Surroundings:
    """What can be found without a network: kubeconfig contexts, git remotes of this checkout, variables by name.

    Files that are absent or can't be read as what they should be count as nothing found.
    """
    kubeconfigs = [Path(p) for p in environ.get("KUBECONFIG", "").split(os.pathsep) if p] or [home / ".kube" / "config"]
    return Surroundings(
        contexts=_contexts(kubeconfigs),
        remotes=_remotes(cwd),
        variables=frozenset(name for name, value in environ.items() if value),
        addresses={n: value for n, value in environ.items() if n.endswith("_URL") and _ADDRESS.fullmatch(value)},
    )


def starting_file(around: Surroundings, sources: Iterable[Source[Any]]) -> str:
    """A `platform-meter.yaml`: what was found is active, the rest is commented out and says what to fill in."""
    proposed = {source.name: source.propose(around) for source in sources}
    parts = sorted((p.by_hand, name, _part(name, p)) for name, p in proposed.items() if p is not None)
    return _HEAD + "\n\n".join(text for _, _, text in parts) + "\n"


_HEAD = """\
# What platform-meter reads and how. Every key: docs/config.md; the settings of each source: docs/sources.md.
# `platform-meter check` shows every mistake; `platform-meter sources test NAME` makes a small real call.

zone: UTC                           # days, weeks and months are cut here; such as Europe/Berlin
listen: 127.0.0.1:9898              # /metrics and the pages; :9898 for all addresses, and say who may come in:
# web_config: web.yml               # TLS and users; or access: {anonymous: viewer}, where everybody may read
# definitions: slo-definitions      # folder with capabilities, queues, owners and SLOs
# store: {url: "sqlite:///platform-meter.db", retention: 400d}
# labels: {team: example.org/team}  # object label that names the owning team

sources:
"""


def _part(type_: str, proposal: Proposal) -> str:
    """One source's lines under `sources`."""
    lines = [f"# {line}" for line in proposal.about.splitlines()]
    lines += [f"{name}: {_flow({'type': type_, **settings})}" for name, settings in proposal.found.items()]
    if not proposal.found:
        name, settings = proposal.sample
        lines.append(f"# {name}: {_flow({'type': type_, **settings})}   # {proposal.fill_in}")
    return "\n".join(f"  {line}" for line in lines)


def _flow(value: str | Mapping[str, Any]) -> str:
    """YAML on one line: a plain word where it is read as the text it is, else in quotes."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


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


def _remotes(cwd: Path) -> tuple[tuple[str, str], ...]:
    """Name and address of each remote of the checkout that `cwd` is in."""
    try:
        config = next((c for folder in (cwd, *cwd.parents) if (c := _git_config(folder / ".git"))), None)
        text = config.read_text("utf-8", "replace") if config else ""
    except (OSError, ValueError):
        return ()  # as above
    found: list[tuple[str, str]] = []
    remote = ""
    for line in text.splitlines():
        if section := re.match(r'\s*\[\s*remote\s+"(.*)"\s*\]', line):
            remote = section[1]
        elif line.lstrip().startswith("["):
            remote = ""
        elif remote and (url := re.match(r"\s*url\s*=\s*(\S+)", line)):
            found.append((remote, _USER.sub(r"\1", url[1])))
    return tuple(found)


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
