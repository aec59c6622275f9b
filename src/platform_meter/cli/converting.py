"""`slo convert`: files of other tools as OpenSLO v1."""

from __future__ import annotations

from pathlib import Path

import click

from platform_meter.cli.common import print_problems


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def convert(files: tuple[Path, ...]) -> None:
    """Print SLO files of Sloth, Pyrra or OpenSLO v1alpha as OpenSLO v1.

    What the file means otherwise here than in its own tool goes to standard error.
    """
    from platform_meter.problems import Problem, render
    from platform_meter.runtime.files.definitions import read_text
    from platform_meter.slo.convert import convert as converted

    found = [(file, read_text(file)) for file in files]
    print_problems([text for _, text in found if isinstance(text, Problem)])
    said = [converted(text, str(file)) for file, text in found if isinstance(text, str)]
    print_problems([problem for one in said for problem in one.problems])
    for one in said:
        for note in one.notes:
            click.echo(f"worth knowing: {render(note)}", err=True)
    click.echo("---\n".join(one.text for one in said if one.text), nl=False)
