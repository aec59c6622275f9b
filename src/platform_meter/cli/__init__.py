"""The command line: joins the halves, prints, writes, exits. 0 well, 1 problems found, 2 usage."""

from __future__ import annotations

import logging
import sys

import click

from platform_meter import __version__
from platform_meter.cli.backtesting import backtest
from platform_meter.cli.converting import convert
from platform_meter.cli.explaining import explain
from platform_meter.cli.generating import generate
from platform_meter.cli.logs import formatter
from platform_meter.cli.looking import check, init, metrics, sources, store
from platform_meter.cli.operating import operator
from platform_meter.cli.people import people
from platform_meter.cli.report import report
from platform_meter.cli.running import demo, serve
from platform_meter.cli.slos import slo
from platform_meter.cli.surveys import survey


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="platform-meter")
@click.option("-v", "--verbose", is_flag=True, help="Log what each poll does.")
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Lines for people, or JSON objects for what collects logs.",
)
def main(*, verbose: bool, log_format: str) -> None:
    """Measure an internal platform as a product."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(log_format))
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, handlers=[handler])
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # the poller says what matters, once


for command in (backtest, convert):
    slo.add_command(command)
for command in (
    check,
    demo,
    explain,
    generate,
    init,
    metrics,
    operator,
    people,
    report,
    serve,
    slo,
    sources,
    store,
    survey,
):
    main.add_command(command)
