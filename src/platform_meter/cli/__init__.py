"""The command line: joins the halves, prints, writes, exits. 0 well, 1 problems found, 2 usage."""

from __future__ import annotations

import logging
import sys

import click

from platform_meter import __version__
from platform_meter.cli.looking import check, init, metrics, sources, store
from platform_meter.cli.running import demo, serve
from platform_meter.cli.slos import generate, slo


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="platform-meter")
@click.option("-v", "--verbose", is_flag=True, help="Log what each poll does.")
def main(*, verbose: bool) -> None:
    """Measure an internal platform as a product."""
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(message)s",
        stream=sys.stderr,
    )
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # the poller says what matters, once


for command in (check, demo, generate, init, metrics, serve, slo, sources, store):
    main.add_command(command)
