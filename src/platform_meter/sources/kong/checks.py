"""What a Kong's settings and permissions lack, found by small real calls."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from platform_meter.model.source import Forbidden, Outside, Unexpected
from platform_meter.sources.kit.exposition import ACCEPT, NotMetrics, samples
from platform_meter.sources.kong.config import Config
from platform_meter.sources.kong.lists import NOT_FOUND, at, listing, workspaces
from platform_meter.sources.kong.metrics import NODE, PATH
from platform_meter.sources.kong.planes import PATH as PLANES
from platform_meter.sources.kong.rows import Info, Listed, PluginRow

NO_CONTROL_PLANE = 400
COUNTER = "prometheus"
"""The plugin that counts requests."""


def check(config: Config, outside: Outside) -> Sequence[str]:
    """One line per list that may not be read, and per node whose requests are not counted."""
    try:
        names = workspaces(config.workspaces, outside)
    except Forbidden as error:
        return [f"workspaces: {error}; give the user of the token the RBAC permission `read` on /workspaces"]
    if not names:
        return [f"no workspace is called {' or '.join(config.workspaces)}; correct `workspaces`"]
    problems = [problem for name in names for problem in _unreadable(config, outside, name)]
    if config.data_planes:
        problems += _unheard(outside)
    return [*problems, *(_uncounted(config, outside, names) if config.traffic else ())]


def _unheard(outside: Outside) -> Iterator[str]:
    try:
        outside.get(PLANES, dict[str, Any], params={"size": 1})
    except Forbidden as error:
        yield f"{PLANES}: {error}; give the user of the token the RBAC permission `read` on it"
    except Unexpected as error:
        if error.status not in (NO_CONTROL_PLANE, NOT_FOUND):
            raise
        yield f"{PLANES}: {error}; url is that of no control plane, which alone knows its data planes: remove data_planes"


def _unreadable(config: Config, outside: Outside, workspace: str) -> Iterator[str]:
    lists = ("services", "routes", *(("consumers",) if config.consumers else ()), "plugins")
    for path in (at(workspace, name) for name in lists):
        try:
            outside.get(path, dict[str, Any], params={"size": 1})
        except Forbidden as error:
            yield f"{path}: {error}; give the user of the token the RBAC permission `read` on it"


def _uncounted(config: Config, outside: Outside, names: Sequence[str]) -> Iterator[str]:
    info = outside.get("/", Info).body or Info()
    if not config.metrics and info.configuration.role == "control_plane":
        yield (
            "url is that of a control plane, through which no request passes; write the Status API of each data plane: "
            "metrics: [http://NODE:8100, ...]"
        )
    if COUNTER in info.plugins.enabled_in_cluster:
        yield from _switched_off(outside, names)
    else:
        yield f"no plugin {COUNTER} is in use, without which Kong counts no requests; add it, or write traffic: false"
    at_: dict[str, list[str]] = defaultdict(list)
    for name, address in config.nodes.items():
        way, named = (outside.beside(name), address) if name else (outside, config.url)
        try:
            at_[_node(way)].append(named)
        except Forbidden as error:
            yield f"{named}{PATH}: {error}; let this machine read it"
        except (NotMetrics, Unexpected) as error:
            if isinstance(error, Unexpected) and error.status != NOT_FOUND:
                raise
            yield f"{named}{PATH} is no page of metrics; write the address of the node's Status API (`status_listen`)"
    for node, addresses in sorted(at_.items()):
        if node and len(addresses) > 1:
            yield f"{' and '.join(addresses)} are one node, whose requests would count twice; write one of them"


def _node(way: Outside) -> str:
    """Who answers; empty where it does not say.

    Raises:
        NotMetrics: it is no page of metrics.
    """
    name, label = NODE
    page = samples(way.lines(PATH, headers={"Accept": ACCEPT}), {name}, lambda _: None)
    return next((sample.labels.get(label, "") for sample in page), "")


def _switched_off(outside: Outside, names: Sequence[str]) -> Iterator[str]:
    """What every plugin that counts is told to leave out."""
    try:
        rows = [row for name in names for row in listing(outside, at(name, "plugins"), Listed[PluginRow])]
    except Forbidden:
        return
    counting = [row.config for row in rows if row.name == COUNTER and row.enabled]
    for key in ("status_code_metrics", "latency_metrics"):
        if counting and not any(getattr(config, key) for config in counting):
            yield f"the plugin {COUNTER} has {key}: false; set it to true"
