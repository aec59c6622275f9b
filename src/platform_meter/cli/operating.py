"""`operator`: SLO objects of a cluster kept as PrometheusRules."""

from __future__ import annotations

import os
import secrets
import socket
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from platform_meter.cli.common import config_option, reason, stopping
from platform_meter.cli.generating import links_of
from platform_meter.cli.slos import scrape_option

if TYPE_CHECKING:
    from platform_meter.operator.cluster import Cluster
    from platform_meter.operator.leading import Leader
    from platform_meter.operator.loop import Keeper
    from platform_meter.operator.wanted import Settings

_HERE = "default"
_STOP_SECONDS = 0.2


@click.command()
@click.option("--namespace", default="", help="The only namespace to look at; without it, all.")
@click.option("--lease-namespace", default="", help="Where its Lease is; by default that of its pod, or --namespace.")
@scrape_option
@click.option("--once", is_flag=True, help="Look and write once, print a summary, and end; 1 where something is wrong.")
@config_option
def operator(*, namespace: str, lease_namespace: str, scrape: timedelta, once: bool, config_path: Path) -> None:
    """Keep a PrometheusRule for each SLO object of a cluster: of Sloth, of Pyrra, and ConfigMaps with SLO files.

    In a pod it works by its service account, elsewhere by the current context of the kubeconfig.
    """
    from platform_meter.operator.leading import Leader
    from platform_meter.operator.loop import Keeper
    from platform_meter.render.rules.objects import namespace_problem
    from platform_meter.runtime.service import utc_now

    for name in filter(None, (namespace, lease_namespace)):
        if said := namespace_problem(name):
            raise click.BadParameter(said)
    settings, cluster = _settings(scrape, config_path), _cluster()
    if once:
        done = Keeper(cluster, settings, namespace=namespace, clock=utc_now).look()
        click.echo(str(done))
        sys.exit(1 if done.broken or done.refused else 0)
    me = f"{socket.gethostname()}_{secrets.token_hex(4)}"
    leader = Leader(cluster, lease_namespace or _own_namespace() or namespace or _HERE, me, clock=utc_now)
    keeper = Keeper(cluster, settings, namespace=namespace, clock=utc_now, leads=leader.leads)
    with stopping() as stop:
        _run(keeper, leader, cluster, namespace, stop)


def _run(keeper: Keeper, leader: Leader, cluster: Cluster, namespace: str, stop: threading.Event) -> None:
    """Look whenever something changed, until `stop`."""
    from platform_meter.operator.loop import AGAIN_SECONDS, Watches

    watches = Watches(cluster, namespace, stop)
    watches.start()
    renewing = threading.Thread(target=leader.run, args=(stop, watches.changed.set), name="lease")
    renewing.start()
    click.echo("watching; ends on SIGTERM", err=True)
    waited = 0.0
    try:
        while not stop.wait(_STOP_SECONDS):
            waited += _STOP_SECONDS
            if leader.leads() and (watches.changed.is_set() or waited >= AGAIN_SECONDS):
                watches.changed.clear()
                waited = 0.0
                keeper.look()
    finally:
        stop.set()
        renewing.join()
        leader.give_back()


def _settings(scrape: timedelta, config_path: Path) -> Settings:
    """What `generate` reads SLOs with."""
    from platform_meter import measures, sources
    from platform_meter.operator.wanted import Settings

    known = frozenset(measures.metrics())
    return Settings(scrape=scrape, links=links_of(config_path), known=known, asking=sources.asking())


def _cluster() -> Cluster:
    from platform_meter.model.access import Access, InCluster, Kubeconfig
    from platform_meter.operator.cluster import Cluster
    from platform_meter.runtime.outside.credentials import credentials
    from platform_meter.runtime.service import utc_now

    way = InCluster() if "KUBERNETES_SERVICE_HOST" in os.environ else Kubeconfig()
    try:
        return Cluster(credentials(Access(credential=way), clock=utc_now))
    except ValueError as error:
        raise click.ClickException(reason(error)) from error


def _own_namespace() -> str:
    """Of the pod that we run in; empty elsewhere."""
    from platform_meter.runtime.outside.credentials import SERVICE_ACCOUNT

    path = SERVICE_ACCOUNT / "namespace"
    return path.read_text("utf-8").strip() if path.is_file() else ""
