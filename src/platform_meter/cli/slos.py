"""`generate` and `slo`: from SLO files to rules, tests and dashboards, and to words."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from platform_meter.cli.common import examined

if TYPE_CHECKING:
    from platform_meter.slo.plan import Plan

_slos_option = click.option(
    "--slos", type=click.Path(path_type=Path), default="slo-definitions", show_default=True, help="Folder of SLO files."
)


def count_rules(text: str) -> int:
    """Rules in one generated file, as promtool counts them."""
    return sum(line.lstrip(" -").startswith(("record:", "alert:")) for line in text.splitlines())


def _plans(folder: Path) -> tuple[Plan, ...]:
    return examined(None, (folder,)).plans


@click.command()
@_slos_option
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
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit 1 if a file is stale.")
@click.option("--diff", is_flag=True, help="Write nothing; print what would change.")
def generate(slos: Path, rules: Path | None, dashboards: Path, *, only_check: bool, diff: bool) -> None:
    """Write recording rules, burn alerts, their promtool tests and dashboards."""
    from platform_meter.render.artifact import compare
    from platform_meter.render.dashboards import dashboards as boards
    from platform_meter.render.rule_tests import rule_tests
    from platform_meter.render.rules import rules as rule_files
    from platform_meter.runtime.artifacts import read_tree, write_tree

    plans = _plans(slos)
    written = rule_files(plans)
    stale = 0
    for folder, suffix, artifacts in (
        (rules or slos / "generated", ".yml", [*written, *rule_tests(plans)]),
        (dashboards, ".json", boards(plans)),
    ):
        differences = compare(artifacts, read_tree(folder, (suffix,)))
        stale += len(differences)
        if diff:
            click.echo("".join(d.diff() for d in differences), nl=False)
        elif only_check:
            for d in differences:
                click.echo(f"{folder / d.path} is {d.word}; run: platform-meter generate")
        else:
            texts = {d.path: d.after for d in differences if d.after is not None}
            write_tree(folder, texts, [d.path for d in differences if d.after is None])
            click.echo(f"{folder}: {len(artifacts)} files, {len(differences)} changed")
    if (only_check or diff) and stale:
        sys.exit(1)
    if only_check:
        click.echo("every generated file is as it would be written now")
    elif not diff:
        click.echo(f"{len(plans)} SLOs, {sum(count_rules(a.text) for a in written)} rules")


@click.group()
def slo() -> None:
    """Say what the SLO files mean."""


@slo.command("list")
@_slos_option
def slo_list(slos: Path) -> None:
    """One line for each SLO."""
    for plan in _plans(slos):
        click.echo(
            f"{plan.slo:<40} {float(plan.objective) * 100:g} % over {plan.period_label}, {plan.profile}, {plan.service}"
        )


@slo.command("explain")
@_slos_option
@click.argument("name")
@click.option("--traffic", type=float, help="Valid events an hour, for what fires at the SLO's own traffic.")
def slo_explain(slos: Path, name: str, traffic: float | None) -> None:
    """Windows, factors, and what fires when, in words."""
    from platform_meter.problems import suggest
    from platform_meter.slo.explain import Around, explain

    plans = {plan.slo: plan for plan in _plans(slos)}
    if name not in plans:
        raise click.UsageError(f"no SLO is called '{name}'{suggest(name, plans)}")
    click.echo(explain(plans[name], Around(traffic=traffic)), nl=False)
