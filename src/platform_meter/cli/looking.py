"""Commands that look: `check`, `init`, `sources`, `metrics`, `store`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from platform_meter.cli.common import CONFIG, config_option, examined, in_words, open_service, print_problems
from platform_meter.cli.slos import scrape_option, way_to

if TYPE_CHECKING:
    from platform_meter.runtime.files.check import Examined
    from platform_meter.runtime.service import Service


@click.command()
@config_option
@scrape_option
@click.option("--prometheus", metavar="URL", help="Hold the SLOs that Prometheus counts against the one there, too.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
def check(config_path: Path, scrape: timedelta, prometheus: str | None, paths: tuple[Path, ...]) -> None:
    """Say everything that is wrong with the configuration and definitions.

    PATHS are more definition files or folders of them. With them, a platform-meter.yaml that is not there is not missed.
    """
    from platform_meter.problems import render

    named = click.get_current_context().get_parameter_source("config_path") is not ParameterSource.DEFAULT
    alone = bool(paths) and not named and not config_path.exists()
    found = examined(None if alone else config_path, paths, scrape=scrape, machine=True)
    config = found.config
    for warning in found.warnings:
        click.echo(f"worth knowing: {render(warning)}")
    if alone:
        said = f"{_count(_declared(found), 'definition')}, {_count(len(found.plans), 'SLO')}: no problem found"
        click.echo(f"{', '.join(map(str, paths))}: {said}")
    else:
        click.echo(
            f"{config_path}: {_count(len(config.sources) if config else 0, 'source')}, "
            f"{_count(_declared(found), 'definition')}, {_count(len(found.plans), 'SLO')}: no problem found"
        )
    if prometheus is not None:
        _hold_against(prometheus, found)


def _hold_against(url: str, found: Examined) -> None:
    """What the Prometheus there says of the SLOs; exits 1 where that is a problem, or where it does not answer."""
    from platform_meter.model.source import SourceError
    from platform_meter.problems import render
    from platform_meter.runtime.verifying import held_against

    if not url:
        raise click.BadParameter("no address; write such as http://127.0.0.1:9090", param_hint="--prometheus")
    try:
        with way_to(url) as outside:
            verdict = held_against(outside, found.plans, found.slo_files)
    except SourceError as error:
        said = f"{url} could not be asked: {error}; correct --prometheus, or see why it does not answer"
        raise click.ClickException(said) from error
    for note in verdict.notes:
        click.echo(f"worth knowing: {render(note)}")
    if verdict.unknown:
        click.echo(f"worth knowing: {url} {verdict.unknown}")
    print_problems(verdict.problems)
    said = f"{_count(verdict.slos, 'SLO')} held against it by {_count(verdict.asked, 'question')}: no problem found"
    click.echo(
        f"{url}: {said}" if verdict.slos else f"{url}: no SLO here is counted by Prometheus, so it was not asked"
    )


@click.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=CONFIG,
    show_default=True,
    help="Where to write it; - prints it.",
)
def init(output: Path) -> None:
    """Write a commented configuration from what is found here.

    Looks at kubeconfig contexts, git remotes and names of token variables; never at a token.
    """
    from platform_meter.runtime.files.init import look, starting_file
    from platform_meter.sources import load

    text = starting_file(look(Path.home(), Path.cwd(), os.environ), load().values())
    if str(output) == "-":
        click.echo(text, nl=False)
        return
    with in_words():
        if output.exists():
            raise click.ClickException(f"{output} is there already; move it away, or write to another file with -o")
        if not output.parent.is_dir():
            raise click.ClickException(f"there is no folder {output.parent}; make it, or write to another file with -o")
        output.write_text(text, encoding="utf-8")
    click.echo(f"wrote {output}; fill in what it asks for, then run: platform-meter check -c {output}")


@click.group()
def sources() -> None:
    """Say what can be read, and try it."""


@sources.command("list")
def sources_list() -> None:
    """List every source type with what it gives and its settings, by area."""
    from platform_meter.model.source import by_area
    from platform_meter.sources import load

    for number, (area, of) in enumerate(by_area(load().values()).items()):
        if number:
            click.echo()
        click.echo(area)
        for source in of:
            gives = ", ".join(sorted(kind.__name__ for kind in source.gives))
            click.echo(f"  {source.name}: {source.title}, gives {gives}")
            for key, field in source.config.model_fields.items():
                click.echo(f"      {key}{' (required)' if field.is_required() else ''}")


@sources.command("test")
@config_option
@click.argument("name")
def sources_test(config_path: Path, name: str) -> None:
    """Make small real calls with source NAME and say which permission is missing."""
    from platform_meter.model.ticketing import other_priorities
    from platform_meter.runtime.service import ask_priorities, test_source

    found = examined(config_path)
    if found.config is None or name not in found.config.sources:
        known = ", ".join(found.config.sources) if found.config else ""
        raise click.UsageError(f"{config_path} has no source '{name}'; it has: {known or 'none'}")
    with in_words():
        missing = test_source(found.config, name, os.environ)
        had = () if missing else ask_priorities(found.config, name, os.environ)
    type_ = found.config.sources[name].type_name
    queues = [q for q in found.definitions.ticketing if q.source.type == type_ and q.source.instance in {None, name}]
    for line in other_priorities(queues, had):
        click.echo(f"worth knowing: {line}")
    for line in missing:
        click.echo(f"{name}: {line}")
    if missing:
        sys.exit(1)
    click.echo(f"{name}: every call it needs was answered")


@click.command()
def metrics() -> None:
    """Print the catalogue of metrics."""
    from platform_meter import measures

    for metric in measures.metrics().values():
        labels = (
            "{" + ", ".join(f"{label}: {metric.bounds[label]}" for label in metric.labels) + "}"
            if metric.labels
            else ""
        )
        click.echo(f"{metric.name} ({metric.type}) {labels}\n    {metric.help}")


@click.group()
def store() -> None:
    """Look after the event store."""


@store.command("check")
@config_option
def store_check(config_path: Path) -> None:
    """Hold rollups against events, and look for orphans and damage."""
    with opened_store(config_path) as opened:
        problems = opened.store.check()
    for problem in problems:
        click.echo(problem)
    if problems:
        sys.exit(1)
    click.echo("the store is sound")


@store.command("prune")
@config_option
def store_prune(config_path: Path) -> None:
    """Remove what is older than retention now."""
    with opened_store(config_path) as opened:
        removed = opened.store.prune(opened.clock())
    click.echo(f"removed {removed} rows")


@contextmanager
def opened_store(config_path: Path) -> Iterator[Service]:
    found = examined(config_path)
    service = open_service(found)
    try:
        with in_words():
            yield service
    finally:
        service.close()


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _declared(found: Examined) -> int:
    return sum(len(getattr(found.definitions, f.name)) for f in fields(found.definitions) if f.name != "objectives")
