"""`generate`: from SLO files to rules, their tests, dashboards and Alertmanager's routes."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from platform_meter.cli.common import config_option, print_problems
from platform_meter.cli.generated import AGAIN, Folder, reading_and_writing, write
from platform_meter.cli.outputs import Made, Output, form_option, label_option, namespace_option, sloth_option
from platform_meter.cli.pushing import (
    Push,
    ca_option,
    owner_option,
    push,
    push_option,
    tenant_option,
    token_env_option,
    token_file_option,
    user_option,
)
from platform_meter.cli.slos import plans_of, scrape_option, slos_option

if TYPE_CHECKING:
    from platform_meter.model.links import Links
    from platform_meter.slo.plan import Plan


def links_of(config_path: Path) -> Links:
    """Where alerts point, as the configuration says; without one they point nowhere.

    The rest of it is not looked at: rules are made where its secrets are not.
    """
    from platform_meter.model.links import NOWHERE
    from platform_meter.problems import Problem
    from platform_meter.runtime.files.config import read_links
    from platform_meter.runtime.files.definitions import is_there, read_text

    given = click.get_current_context().get_parameter_source("config_path")
    if not is_there(config_path) and given is ParameterSource.DEFAULT:
        return NOWHERE
    text = read_text(config_path)
    found = [text] if isinstance(text, Problem) else read_links(text, str(config_path))
    if isinstance(found, list):
        print_problems(found)
        return NOWHERE
    return found


def _yaml(_ctx: click.Context, _param: click.Parameter, path: Path | None) -> Path | None:
    """Its first line, a comment, says that it is generated, so it has to be YAML."""
    if path is not None and path.suffix not in (".yml", ".yaml"):
        raise click.BadParameter(
            f"'{path}' is no name of a YAML file; write one that ends in .yml, such as alertmanager.yml"
        )
    return path


@click.command()
@slos_option
@click.option(
    "--rules", type=click.Path(path_type=Path), help="Where rules and their tests go; default SLOS/generated."
)
@click.option(
    "--dashboards",
    type=click.Path(path_type=Path),
    default="dashboards/generated",
    show_default=True,
    help="Where dashboards go.",
)
@click.option(
    "--alertmanager",
    type=click.Path(path_type=Path, dir_okay=False),
    callback=_yaml,
    help="Where a configuration of Alertmanager with a route for each owner goes, a .yml; without it there is none.",
)
@form_option
@namespace_option
@label_option
@sloth_option
@push_option
@tenant_option
@owner_option
@token_env_option
@token_file_option
@user_option
@ca_option
@scrape_option
@config_option
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit 1 if a file is stale.")
@click.option("--diff", is_flag=True, help="Write nothing; print what would change.")
def generate(
    *,
    slos: Path,
    rules: Path | None,
    dashboards: Path,
    alertmanager: Path | None,
    form: str,
    namespace: str,
    labels: tuple[tuple[str, str], ...],
    sloth_series: bool,
    scrape: timedelta,
    config_path: Path,
    only_check: bool,
    diff: bool,
    **ruler: Any,
) -> None:
    """Write recording rules, burn alerts, their promtool tests, dashboards and, where asked for, Alertmanager's routes.

    Files of yours in these folders are left as they are. Alerts link to the addresses under `links` of the
    configuration, where it is there.
    """
    from platform_meter.render.dashboards import dashboards as boards

    output, asked = Output.asked(form, namespace, labels, sloth=sloth_series), Push.asked(ruler)
    links = links_of(config_path)
    plans = tuple(replace(p, links=links) for p in plans_of(slos, scrape))
    made = Made(plans, links, sloth=output.sloth)
    if asked is not None:
        push(asked, made, output.again, only_check=only_check, diff=diff)
        return
    folders = [
        *output.folders(rules or slos / "generated", made),
        Folder(path=dashboards, elsewhere="another folder with --dashboards", suffix=".json", artifacts=boards(plans)),
    ]
    if alertmanager is not None:
        folders.append(_routes(alertmanager, folders[0].path, plans))
    with reading_and_writing():
        if not (only_check or diff):
            write(folders)
            click.echo(f"{len(plans)} SLOs, {made.rules} rules")
            for text in _untested(plans):
                click.echo(text)
            return
        stale = False
        for folder in folders:
            for d in folder.differences():
                stale = True
                click.echo(d.diff() if diff else folder.told(d), nl=not diff)
    if stale:
        sys.exit(1)
    if only_check:
        click.echo("every generated file is as it would be written now")


def _routes(path: Path, rules: Path, plans: Iterable[Plan]) -> Folder:
    """The file of Alertmanager, alone in a folder of anybody's."""
    from platform_meter.render.alertmanager import alertmanager

    if path.parent.resolve() == rules.resolve():
        text = (
            f"{path} lies among the rules, and whoever loads these would load it too; write {rules.parent / path.name}"
        )
        raise click.BadParameter(text, param_hint="--alertmanager")
    return Folder(
        path=path.parent,
        alone=path.name,
        elsewhere="another file with --alertmanager",
        artifacts=(alertmanager(plans, path.name),),
        again=f"{AGAIN} --alertmanager {path}",
    )


def _untested(plans: Iterable[Plan]) -> Iterator[str]:
    """SLOs whose rules have no promtool tests, and why."""
    from platform_meter.render.rules.promtool import untested

    for plan in plans:
        if why := untested(plan):
            yield f"no test is made of the rules of {plan.slo} ({plan.path}:{plan.line}): {why}"
