"""`serve` and `demo`: the exporter, on a platform of your own or on a simulated one."""

from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from platform_meter.cli.common import can_listen, config_option, examined, in_words, open_service, reason, stopping

if TYPE_CHECKING:
    from platform_meter.demo.stage.run import Demo
    from platform_meter.demo.stage.stack import Places
    from platform_meter.runtime.files.check import Examined
    from platform_meter.runtime.poller import Result
    from platform_meter.runtime.service import Service


_ANOTHER = "choose another --host or --port"


@click.command()
@config_option
@click.option("--once", is_flag=True, help="Poll every source once, print a summary, and end.")
def serve(config_path: Path, *, once: bool) -> None:
    """Run the exporter: polls, /metrics and the pages."""
    hangup = _hangup()
    found = examined(config_path)
    if once:
        _once(found)
        return

    def reload() -> Examined:
        from platform_meter.runtime.files.check import examine

        return examine(config_path, (), os.environ)

    with stopping() as stop:
        _run(
            found,
            reload,
            (stop, hangup),
            lambda address: click.echo(f"serving {address} and {address}metrics"),
            f"write another listen into {config_path}",
        )


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address of the pages and /metrics.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=9898,
    show_default=True,
    help="Port of the pages and /metrics; 0 for any.",
)
@click.option(
    "--apis-port",
    type=click.IntRange(0, 65_000),
    default=0,
    help="First port of the simulated APIs, on 127.0.0.1; the others follow it. Any by default.",
)
@click.option(
    "--teams",
    type=click.IntRange(min=8),
    default=40,
    show_default=True,
    help="Teams of the company; it has 7.5 services a team.",
)
@click.option("--seed", default=1, show_default=True, help="Another seed is another company.")
@click.option(
    "--scenario",
    type=click.Choice(["none", "ci-outage", "cluster-slow", "ticket-flood", "mesh-outage", "silent-gateway"]),
    default="none",
    show_default=True,
    help="What goes wrong from now on.",
)
@click.option(
    "--with-prometheus/--without-prometheus",
    default=None,
    help="Run Prometheus, Alertmanager and a pager beside it; by default where they are installed.",
)
@click.option(
    "--prometheus", "prometheus_url", default="", help="Address of a Prometheus that scrapes this demo already."
)
@click.option("--once", is_flag=True, help="Poll every source once, print a summary, and end.")
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path), help="Where its files go; a new temporary folder by default."
)
def demo(
    *,
    host: str,
    port: int,
    apis_port: int,
    teams: int,
    seed: int,
    scenario: str,
    with_prometheus: bool | None,
    prometheus_url: str,
    once: bool,
    folder: Path | None,
) -> None:
    """Run a simulated company and measure it: no credentials needed."""
    from platform_meter.demo.apis.portal import SOURCE as PORTAL
    from platform_meter.demo.company.scenarios import Trouble
    from platform_meter.demo.stage.files import to_simulated_accounts
    from platform_meter.demo.stage.run import prepare
    from platform_meter.demo.stage.server import Options
    from platform_meter.demo.stage.stack import chosen_places, missing_programs
    from platform_meter.demo.stage.visitors import Visitors, come
    from platform_meter.runtime.service import utc_now

    if with_prometheus and (once or prometheus_url):
        raise click.UsageError("--with-prometheus goes with neither --once nor --prometheus; leave one of them out")
    options = Options(seed=seed, trouble=Trouble(scenario), teams=teams, services=teams * 15 // 2, port=apis_port)
    alone = bool(once or prometheus_url)
    missing = missing_programs() if with_prometheus is None and not alone else ""
    if with_prometheus is None:
        with_prometheus = not (alone or missing)
    places = chosen_places(port) if with_prometheus else None
    hangup = _hangup()
    if places is not None:
        port, prometheus_url = int(places.exporter.rpartition(":")[2]), f"http://{places.prometheus}"
    with tempfile.TemporaryDirectory(prefix="platform-meter-demo-") as temporary, stopping() as stop:
        place = folder or Path(temporary)
        click.echo(f"Simulating a company of {teams} teams and {options.services} services, with 90 days behind it.")
        if missing:
            click.echo(f"Without Prometheus and Alertmanager, so no alert is sent: {missing}.")
        port = 0 if once else port
        can_listen(host, port, _ANOTHER)
        try:
            running = prepare(options, place, f"{host}:{port}", os.environ, prometheus=prometheus_url)
            to_simulated_accounts(os.environ, place)
        except (RuntimeError, OSError) as error:
            raise click.ClickException(reason(error)) from error
        try:
            found = running.found
            click.echo("  ".join(f"{name} {' '.join(urls)}" for name, urls in running.apis.items()))
            if once:
                _once(found)
                return
            with _alerting(running, place, places) as more:

                def announce(address: str) -> None:
                    click.echo(
                        f"\n  Pages         {address}\n  Metrics       {address}metrics\n{more}  Files         {place}\n\n"
                        "The first import reads 90 days; the pages say how far it is. Ctrl-C ends all of it."
                    )
                    come(Visitors(running.layout), f"{address}api/v1/events/{PORTAL}", utc_now, stop)

                _run(found, lambda: running.again(os.environ), (stop, hangup), announce, _ANOTHER)
        finally:
            running.company.stop()


@contextmanager
def _alerting(running: Demo, folder: Path, places: Places | None) -> Iterator[str]:
    """Prometheus, Alertmanager and a pager for the time of the block, and what to say of them; nothing without places."""
    if places is None:
        yield ""
        return
    from platform_meter.demo.apis.services import NAME as METRICS
    from platform_meter.demo.company.scenarios import Scenario
    from platform_meter.demo.stage.seed import past
    from platform_meter.demo.stage.stack import prepare, stack
    from platform_meter.model.links import Links
    from platform_meter.render.rules import rules
    from platform_meter.render.rules.meter_alerts import meter_alerts

    click.echo("Writing four weeks of the services' past for Prometheus.")
    places = replace(places, services=running.company.addresses.urls[METRICS].partition("://")[2])
    links = Links(exporter=f"http://{places.exporter}")
    plans = tuple(replace(plan, links=links) for plan in running.found.plans)
    with ExitStack() as open_:
        try:
            prepare(
                folder,
                past(running.layout, Scenario(), plans),
                {a.path: a.text for a in (*rules(plans), meter_alerts(links))},
            )
            both = open_.enter_context(stack(folder, places, lambda alert: click.echo(alert.line)))
        except (RuntimeError, OSError) as error:
            raise click.ClickException(str(error)) from error
        yield f"  Prometheus    {both.prometheus.url}/\n  Alertmanager  {both.alertmanager.url}/\n"


def _once(found: Examined) -> None:
    # Beside an exporter that runs it polls nothing: with that one's name it would poll what that one polls.
    service = open_service(found, holder=f"{socket.gethostname()}:once:{os.getpid()}")
    try:
        results = service.once()
        _summary(service, results)
    finally:
        service.close()
    if any(r.error for r in results):
        sys.exit(1)


def _summary(service: Service, results: list[Result]) -> None:
    from platform_meter.model.catalogue.adoption import ADOPTION_UNITS

    by_instance: dict[str, list[Result]] = {}
    for result in results:
        by_instance.setdefault(result.instance, []).append(result)
    click.echo("\nSources")
    for name, streams in by_instance.items():
        said = list(dict.fromkeys(r.error or r.skipped for r in streams if r.error or r.skipped))
        click.echo(f"  {name:<16}{sum(r.new for r in streams):>8} facts  {'; '.join(said) if said else 'ok'}")
    click.echo("\nAdoption")
    states: dict[str, dict[str, float]] = {}
    for labels, value in service.meter.rows.get(ADOPTION_UNITS.name, ()):
        states.setdefault(labels[0], {})[labels[2]] = value
    for capability, counts in states.items():
        click.echo(f"  {capability:<24}" + ", ".join(f"{n:.0f} {s.replace('_', ' ')}" for s, n in counts.items() if n))
    click.echo(f"\n{sum(r.new for r in results)} facts, {service.series} series\n")


def _hangup() -> threading.Event:
    """An event that SIGHUP sets from now on: one that comes while we start is a reload, not the end."""
    hangup = threading.Event()
    signal.signal(signal.SIGHUP, lambda *_: hangup.set())
    return hangup


def _run(
    found: Examined,
    examine_again: Callable[[], Examined],
    signals: tuple[threading.Event, threading.Event],
    announce: Callable[[str], None],
    instead: str,
) -> None:
    """Serve until told to stop.

    Args:
        found: what the files say.
        examine_again: reads them again.
        signals: set when it is to stop, and when it is to reload.
        announce: called with the address once it answers.
        instead: what to write where nobody can listen at the address.
    """
    stop, hangup = signals
    from platform_meter.cli.reload import Reloadable
    from platform_meter.cli.report import letter
    from platform_meter.runtime.access.addresses import is_loopback
    from platform_meter.runtime.access.doors import Doors
    from platform_meter.runtime.access.file import WebFile
    from platform_meter.runtime.reporting import Reporting
    from platform_meter.runtime.reporting import run as report_by_itself
    from platform_meter.runtime.server.httpd import Server
    from platform_meter.web.app import make_app
    from platform_meter.web.site import make_site

    host, port = found.config.address if found.config else ("", 0)
    alone = is_loopback(host)
    can_listen(host, port, instead)
    with in_words():
        web = WebFile(found.config.web_config) if found.config and found.config.web_config else None

    def flaws() -> int:
        return web.problems if web else 0

    running = Reloadable(open_service(found, flaws=flaws), examine_again, flaws)
    site = make_site(lambda: running.service, running.reload)
    doors = Doors(lambda: running.service.config.access, web=web, environ=os.environ, alone=alone)
    contexts = web.contexts if web else None
    server = Server(make_app(site, local=alone, doors=doors), host or "::", port, tls=contexts)
    scheme = "https" if contexts else "http"
    try:
        with in_words():
            server.start()
        running.service.start()
        reporting = Reporting(current=lambda: running.service, write=letter, environ=os.environ)
        threading.Thread(target=report_by_itself, args=(reporting, stop), name="report", daemon=True).start()
        announce(f"{scheme}://{f'[{host}]' if ':' in host else host or 'localhost'}:{server.port}/")
        while not stop.wait(0.5):
            if hangup.is_set():
                hangup.clear()
                running.reload()
    finally:
        server.stop()
        running.service.close()
