"""Contexts of kubeconfigs, as far as `check` must know them: their names, never a credential."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from platform_meter.problems.nodes import parse

DEFAULT = "~/.kube/config"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contexts:
    """What the kubeconfigs of one source name."""

    paths: tuple[str, ...]
    """Where they were looked for."""
    found: bool
    """Any of them is there."""
    names: tuple[str, ...]
    current: str


def contexts(kubeconfig: str, read: Callable[[str], bytes | None], environ: Mapping[str, str]) -> Contexts:
    """The contexts of this kubeconfig; without one of `KUBECONFIG`, whose files are joined, or of the default file."""
    where = kubeconfig or environ.get("KUBECONFIG", "") or DEFAULT
    paths = (kubeconfig,) if kubeconfig else tuple(path for path in where.split(os.pathsep) if path)
    names: dict[str, None] = {}
    current, found = "", False
    for path in paths:
        text = read(path)
        if text is None:
            continue
        found = True
        _, roots, _ = parse(text.decode("utf-8", "replace"), path)
        config = roots[0].node.value if roots else None
        if not isinstance(config, dict):
            continue
        current = current or str(config.get("current-context") or "")
        listed = config.get("contexts")
        for one in listed if isinstance(listed, list) else ():
            if isinstance(one, dict) and isinstance(one.get("name"), str):
                names[one["name"]] = None
    return Contexts(paths=paths, found=found, names=tuple(names), current=current)
