"""The command that tells what a number is made of: `explain`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from platform_meter.cli.common import config_option
from platform_meter.cli.looking import opened_store


@click.command()
@config_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Lines for people, or JSON for programs.",
)
@click.argument("metric")
@click.argument("labels", nargs=-1, metavar="[LABEL=VALUE]...")
def explain(config_path: Path, form: str, metric: str, labels: tuple[str, ...]) -> None:
    """Say which stored facts made a number, and by which rules.

    METRIC is its name; labels pick one of its series. Reads the store beside an exporter that runs.
    """
    from platform_meter import measures
    from platform_meter.explain import Unclear, Unknown
    from platform_meter.explain import explain as explained
    from platform_meter.explain.words import as_json, as_text

    if odd := [text for text in labels if "=" not in text]:
        raise click.UsageError(f"{odd[0]!r} is no label with its value; write LABEL=VALUE, such as team=payments")
    wanted = {name: value for name, _, value in (text.partition("=") for text in labels)}
    with opened_store(config_path) as service, service.history() as history:
        scene = service.meter.scene(history, service.clock())
        loaded = measures.load(service.definitions, service.config.exposition.on)
        try:
            found = explained(scene, loaded, service.store.counters, metric, wanted)
        except Unknown as error:
            raise click.UsageError(str(error)) from error
        except Unclear as error:
            click.echo(str(error))
            sys.exit(1)
        if form == "json":
            click.echo(json.dumps(as_json(scene, found), indent=2))
        else:
            click.echo("\n".join(as_text(scene, found)))
