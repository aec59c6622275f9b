"""`report`: what a week says, printed, written or sent."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from platform_meter.cli.common import config_option, in_words
from platform_meter.cli.looking import opened_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_meter.model.weeks import Week
    from platform_meter.runtime.files.report_settings import ReportSettings
    from platform_meter.runtime.reporting import Letter
    from platform_meter.runtime.service import Service
    from platform_meter.web.report.content import Report


@click.command()
@config_option
@click.option("--week", "wanted", default="", help="2026-W48, or any day of it; by default the last week that is over.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["md", "html", "text"]),
    default="md",
    show_default=True,
    help="Markdown, one HTML document, or plain text.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where it goes; by default it is printed.",
)
@click.option(
    "--mail", "mailed", is_flag=True, help="Send it by mail as `report: {mail: ...}` of the configuration says."
)
@click.option("--chat", "told", is_flag=True, help="Send the short form to the chat of `report: {chat: ...}`.")
def report(config_path: Path, wanted: str, form: str, output: Path | None, *, mailed: bool, told: bool) -> None:
    """The weekly report for product managers. Reads the store beside an exporter that runs.

    Sent, it is not printed too.
    """
    from platform_meter.model.weeks import parse_week
    from platform_meter.web.report.html import html
    from platform_meter.web.report.markdown import markdown
    from platform_meter.web.report.text import text

    forms = {"md": markdown, "html": html, "text": text}
    with opened_store(config_path) as service:
        try:
            made = _made(service, parse_week(wanted) if wanted else None)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
    asked = [way for way, wanted_too in (("mail", mailed), ("chat", told)) if wanted_too]
    if asked:
        _send(service.config.report, made, asked)
    if output is None and asked:
        return
    said = forms[form](made)
    if output is None:
        click.echo(said, nl=False)
        return
    with in_words():
        output.write_text(said, encoding="utf-8")


def letter(service: Service, week: Week) -> Letter:
    """The report of a week in the forms in which it is sent."""
    return written(_made(service, week))


def _made(service: Service, week: Week | None) -> Report:
    """The report of a week, of the last one that is over unless one is asked for.

    Raises:
        ValueError: it is not over.
    """
    from platform_meter.model.weeks import last_whole
    from platform_meter.web.report import make

    with service.history() as history:
        scene = service.meter.scene(history, service.clock())
        week = week or last_whole(scene.now, scene.zone)
        return make(scene, week, plans=service.plans, records=history, exporter=service.config.links.links.exporter)


def written(made: Report) -> Letter:
    """A report in the forms in which it is sent."""
    from platform_meter.runtime.reporting import Letter
    from platform_meter.web.report.html import html
    from platform_meter.web.report.text import chat, text

    return Letter(week=made.week, subject=made.title, made=made.made, text=text(made), html=html(made), chat=chat(made))


def _send(settings: ReportSettings, made: Report, asked: Sequence[str]) -> None:
    """Every way that is asked for is tried, also where another one fails."""
    from platform_meter.model.source import SourceError
    from platform_meter.runtime.reporting import send, ways

    if missing := [way for way in asked if way not in ways(settings)]:
        raise click.UsageError(f"the configuration does not say where to; write report: {{{missing[0]}: ...}} into it")
    failed, forms = [], written(made)
    for way in asked:
        try:
            send(settings, way, forms, os.environ)
            click.echo(f"sent by {way}", err=True)
        except SourceError as error:
            failed.append(str(error))
    if failed:
        raise click.ClickException("; ".join(failed))
